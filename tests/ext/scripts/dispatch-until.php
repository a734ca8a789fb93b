<?php
// Dispatches to the queue argv[1] for argv[2] seconds and prints the ids.
$queue = Posthorn\Queue::open( $argv[1] );
for ( $n = 1, $until = microtime( true ) + (float) $argv[2]; microtime( true ) < $until; $n++ ) {
	echo $queue->dispatch( 'deal.won', [ 'n' => $n ], [ 'record' => "deal:$n" ] ), "\n";
	usleep( 1000 );
}
