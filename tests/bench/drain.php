<?php
/**
 * A backlog, settled as fast as it goes: `php drain.php FOLDER COUNT URL` fills a queue with nobody sending, drains it
 * with work() at the default concurrency and prints one line of JSON.
 *
 * `php drain.php request URL` prints a wrk script that sends the same request.
 */

require __DIR__ . '/payload.php';

if ( 'request' === $argv[1] ) {
	$queue   = Posthorn\Queue::open( sys_get_temp_dir() . '/posthorn-bench-' . getmypid(), array( 'background' => false ) );
	$request = $queue->preview(
		bench_endpoint( $argv[2] ),
		BENCH_EVENT,
		bench_row( 1 ),
		array( 'record' => 'contact:1' )
	);
	echo "wrk.method = 'POST'\nwrk.body = ", json_encode( $request['body'], JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ), "\n";
	foreach ( $request['headers'] as $name => $value ) {
		if ( ! in_array( strtolower( $name ), array( 'host', 'content-length' ), true ) ) {
			printf( "wrk.headers[%s] = %s\n", json_encode( $name ), json_encode( (string) $value, JSON_UNESCAPED_SLASHES ) );
		}
	}
	exit;
}

[ , $folder, $count, $url ] = $argv;
$queue = Posthorn\Queue::open( $folder, array( 'background' => false ) );
$queue->configure( array( bench_endpoint( $url ) ) );
for ( $n = 0; $n < $count; $n += 1000 ) {
	$batch = array();
	for ( $i = $n; $i < min( $n + 1000, $count ); $i++ ) {
		$batch[] = array( BENCH_EVENT, bench_row( $i ), array( 'record' => "contact:$i" ) );
	}
	$queue->dispatchMany( $batch );
}

$before  = bench_private_kib();
$private = 0;
$start   = hrtime( true );
$settled = 0;
for ( $turns = 0; ; $turns++ ) {
	$settled += $queue->work( 0.02 );
	if ( 0 === $turns % 16 ) {
		$private = max( $private, bench_private_kib() - $before );
	}
	// What is settled between two calls is in neither's count; asking the queue is dearer, so only towards the end.
	$stats = $settled < 0.95 * $count ? null : $queue->stats();
	if ( ( null !== $stats && $stats['delivered'] >= $count ) || hrtime( true ) - $start >= 60e9 ) {
		break;
	}
}
$seconds = ( hrtime( true ) - $start ) / 1e9;
$stats ??= $queue->stats();
$status  = file_get_contents( '/proc/self/status' );
echo json_encode(
	array(
		'way'       => 'drain',
		'seconds'   => round( $seconds, 3 ),
		'rate'      => round( $stats['delivered'] / $seconds ),
		'delivered' => $stats['delivered'],
		'private_mib' => round( $private / 1024, 1 ),
		'peak_mib'  => preg_match( '/VmHWM:\s+(\d+)/', $status, $found ) ? round( $found[1] / 1024, 1 ) : null,
	)
), "\n";
