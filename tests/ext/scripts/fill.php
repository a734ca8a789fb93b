<?php
// Puts argv[3] events into the queue argv[1] with the endpoints argv[2], and sends nothing.
$queue = Posthorn\Queue::open( $argv[1], [ 'background' => false ] );
$queue->configure( json_decode( $argv[2], true ) );
for ( $left = (int) $argv[3]; $left > 0; $left -= 1000 ) {
	$queue->dispatchMany( array_map( fn( $n ) => [ 'deal.won', [ 'n' => $n ], [] ], range( 1, min( 1000, $left ) ) ) );
}
