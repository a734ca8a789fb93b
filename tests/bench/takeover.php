<?php
/**
 * Kills the process that sends, five times, while others stand by: `php takeover.php FOLDER COUNT URL` prints one line
 * of JSON. BENCH_PHP holds the command that starts the others.
 */

require __DIR__ . '/payload.php';

if ( 'stand-by' === $argv[1] ) {
	$queue = Posthorn\Queue::open( $argv[2] );
	echo "ready\n";
	fgets( STDIN );
	exit;
}

[ , $folder, $count, $url ] = $argv;
$queue = Posthorn\Queue::open( $folder, array( 'background' => false ) );
$queue->configure( array( bench_endpoint( $url ) ) );
$kills = 5;
$took  = array();
$pids  = array();
$await = function ( callable $done, int $seconds, string $what ) {
	$end = hrtime( true ) + $seconds * 1e9;
	while ( ! ( $found = $done() ) ) {
		hrtime( true ) < $end || throw new RuntimeException( "waited in vain: $what" );
		usleep( 1000 );
	}
	return $found;
};
for ( $n = 0; $n <= $kills; $n++ ) {
	$command    = array_merge( explode( ' ', getenv( 'BENCH_PHP' ) ), array( __FILE__, 'stand-by', $folder ) );
	$children[] = proc_open( $command, array( array( 'pipe', 'r' ), array( 'pipe', 'w' ) ), $pipes[ $n ] );
	fgets( $pipes[ $n ][1] );
	$pids[ proc_get_status( end( $children ) )['pid'] ] = end( $children );
}
$sends = fn() => $queue->stats()['dispatcher_pid'] ?? 0;
for ( $n = 0; $n < $kills; $n++ ) {
	bench_fill_fast( $queue, (int) $count );
	$pid = $await( $sends, 10, 'somebody who sends' );
	usleep( mt_rand( 20000, 60000 ) );
	$start = hrtime( true );
	posix_kill( $pid, 9 );
	$await( fn() => ! in_array( $sends(), array( 0, $pid ), true ), 10, 'another who sends' );
	$took[] = hrtime( true ) - $start;
	proc_close( $pids[ $pid ] );
}
$all = $kills * $count;
$await( fn() => $queue->stats()['delivered'] >= $all, 60, 'the rest' );
foreach ( $pipes as $pipe ) {
	// Those of the killed are closed.
	if ( is_resource( $pipe[0] ) ) {
		fclose( $pipe[0] );
	}
}
$told = json_decode( file_get_contents( $url ), true );
echo json_encode(
	array(
		'way'     => 'takeover',
		'kills'   => $kills,
		'slowest' => round( max( $took ) / 1e6, 1 ),
		'median'  => bench_summary( $took )['p50'] / 1000,
		'events'  => $all,
		'arrived' => $told['ids'],
		'repeats' => $told['requests'] - $told['ids'],
	)
), "\n";

function bench_fill_fast( Posthorn\Queue $queue, int $count ): void {
	static $at = 0;
	$batch = array();
	for ( $n = 0; $n < $count; $n++ ) {
		$batch[] = array( BENCH_EVENT, bench_row( ++$at ), array( 'record' => "contact:$at" ) );
	}
	$queue->dispatchMany( $batch );
}
