<?php
// Dispatches batches of argv[2] events to the queue argv[1] until it is killed: most of the time it holds the write lock.
$queue = Posthorn\Queue::open( $argv[1], [ 'background' => false ] );
$batch = array_fill( 0, (int) $argv[2], [ 'deal.won', [ 'text' => str_repeat( 'x', 500 ) ], [] ] );
echo "dispatching \n";
while ( true ) {
	$queue->dispatchMany( $batch );
}
