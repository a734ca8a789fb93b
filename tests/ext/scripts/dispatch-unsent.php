<?php
// Dispatches argv[2] events to the queue argv[1], one by one, and sends nothing. Prints the ids.
$queue = Posthorn\Queue::open( $argv[1], [ 'background' => false ] );
for ( $n = 1; $n <= (int) $argv[2]; $n++ ) {
	echo $queue->dispatch( 'deal.won', [ 'n' => $n ] ), "\n";
}
