<?php
// Dispatches an event to the endpoints argv[2] of the queue argv[1] that makes a line in its log, and waits for an attempt.
$queue = Posthorn\Queue::open( $argv[1] );
$queue->configure( json_decode( $argv[2], true ) );
$queue->dispatch( 'deal.won', [ 'x' => NAN ] );
for ( $until = microtime( true ) + 10; microtime( true ) < $until; usleep( 5000 ) ) {
	if ( $queue->deliveries()[0]['attempts'] > 0 ) {
		exit( 0 );
	}
}
exit( 1 );
