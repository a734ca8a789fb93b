<?php
/**
 * What the same operations cost with few and with very many deliveries that wait: `php backlog.php FOLDER COUNT URL` prints
 * one line of JSON, in µs. Taking and settling is the processor time of the whole process for each delivery that was sent.
 */

require __DIR__ . '/payload.php';

[ , $folder, $count, $url ] = $argv;
$queue = Posthorn\Queue::open( $folder, array( 'background' => false ) );
$queue->configure( array( bench_endpoint( $url ) ) );
bench_fill( $queue, $count );

$list   = bench_time( 200, fn() => $queue->deliveries( array( 'limit' => 50 ) ) );
$wait   = bench_time( 200, fn() => $queue->deliveries( array( 'limit' => 50, 'state' => 'pending' ) ) );
$stats  = bench_time( 200, fn() => $queue->stats() );
$accept = bench_time( 2000, fn( int $i ) => $queue->dispatch( BENCH_EVENT, bench_row( $i ), array( 'record' => "late:$i" ) ) );

function bench_cpu(): float {
	$used = getrusage();
	return ( $used['ru_utime.tv_sec'] + $used['ru_stime.tv_sec'] ) * 1e6 + $used['ru_utime.tv_usec'] + $used['ru_stime.tv_usec'];
}

$settled = 0;
$cpu     = 0.0;
$end     = hrtime( true ) + 60e9;
while ( $settled < 10000 && hrtime( true ) < $end ) {
	$before = $queue->stats()['delivered'];
	$start  = bench_cpu();
	$queue->work( 0.1 );
	$cpu += bench_cpu() - $start;
	$now  = $queue->stats();
	$settled += $now['delivered'] - $before;
	// The small backlog stays as small as it was.
	if ( $now['pending'] < $count / 2 ) {
		bench_fill( $queue, $count - $now['pending'] );
	}
}
echo json_encode(
	array(
		'way'     => "backlog-$count",
		'accept'  => $accept['p50'],
		'list'    => $list['p50'],
		'waiting' => $wait['p50'],
		'stats'   => $stats['p50'],
		'send'    => round( $cpu / max( 1, $settled ), 2 ),
		'settled' => $settled,
		'mib'     => round( $queue->stats()['bytes'] / 1048576 ),
	)
), "\n";
