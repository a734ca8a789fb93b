<?php
/**
 * Queue::dispatch() and its yardstick on the command line, without WordPress; one round of one way a process.
 *
 *   php queue.php WAY FOLDER COUNT [URL]     prints one line of JSON
 *
 * bare    a bare prepared insert            queue   dispatch(), shipped defaults: this process sends too
 * alone   dispatch(), nobody sends          worker  dispatch(), another process sends
 * work    is that other process, until its input ends
 */

require __DIR__ . '/payload.php';
require __DIR__ . '/bare.php';

[ , $way, $folder, $count ] = $argv;
$url   = $argv[4] ?? '';
$count = (int) $count;

function bench_queue( string $folder, string $url, array $options ): Posthorn\Queue {
	$queue = Posthorn\Queue::open( $folder, $options );
	if ( $url !== '' ) {
		$queue->configure( array( bench_endpoint( $url ) ) );
	}
	return $queue;
}

if ( 'work' === $way ) {
	stream_set_blocking( STDIN, false );
	$queue = bench_queue( $folder, $url, array( 'background' => false ) );
	while ( ! feof( STDIN ) ) {
		fread( STDIN, 1 );
		$queue->work( 0.2 );
	}
	exit;
}

[ $rows, $bodies ] = bench_rows( 1, $count );
if ( 'bare' === $way ) {
	$insert = bench_bare( "$folder/bare.db" );
	$insert( $bodies[0] );
	$act = fn( int $i ) => $insert( $bodies[ $i ] );
} else {
	$queue = bench_queue( $folder, $url, 'queue' === $way ? array() : array( 'background' => false ) );
	$queue->dispatch( BENCH_EVENT, $rows[0], array( 'record' => 'contact:0' ) );
	// The thread or the worker is there before the clock runs: a page's first event is measured in WordPress.
	usleep( 300000 );
	$act = fn( int $i ) => $queue->dispatch( BENCH_EVENT, $rows[ $i ], array( 'record' => 'contact:' . $i ) );
}
echo json_encode( array( 'way' => $way ) + bench_time( $count, $act ) ), "\n";
