<?php
// Dispatches once to the queue argv[1], unless that is "-", and does nothing more.
if ( '-' !== $argv[1] ) {
	$queue = Posthorn\Queue::open( $argv[1] );
	$queue->dispatch( 'deal.won', [ 'id' => 7 ], [ 'record' => 'deal:7' ] );
	usleep( 300_000 );
}
echo "idle\n";
sleep( 60 );
