<?php
/**
 * How fast a healthy endpoint is served, alone or beside one that hangs: `php beside.php WAY FOLDER COUNT URL HANG WAITING`
 * prints one line of JSON. Way: alone, beside.
 */

require __DIR__ . '/payload.php';

[ , $way, $folder, $count, $url, $hang, $waiting ] = $argv;
$queue   = Posthorn\Queue::open( $folder, array( 'background' => false ) );
$healthy = array( 'events' => array( BENCH_EVENT ) ) + bench_endpoint( $url );
$hanging = array( 'id' => 'hangs', 'events' => array( 'deal.won' ) ) + bench_endpoint( $hang );
$queue->configure( 'beside' === $way ? array( $hanging, $healthy ) : array( $healthy ) );
if ( 'beside' === $way ) {
	bench_fill( $queue, $waiting, 'deal.won' );
}
bench_fill( $queue, $count );
$start = hrtime( true );
do {
	$queue->work( 0.05 );
	$delivered = $queue->stats()['delivered'];
} while ( $delivered < $count && hrtime( true ) - $start < 120e9 );
echo json_encode(
	array(
		'way'       => $way,
		'rate'      => round( $delivered / ( hrtime( true ) - $start ) * 1e9 ),
		'delivered' => $delivered,
	)
), "\n";
// The requests that hang are not waited for.
posix_kill( getmypid(), 9 );
