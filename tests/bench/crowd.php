<?php
/**
 * Many PHP processes that write at once, each as fast as it can: `php -d … crowd.php WAY FOLDER PROCESSES SECONDS [URL]`
 * prints one line of JSON with the figures of all.
 *
 * bare  the bare insert with SQLite's own busy handler    queue  dispatch(), shipped defaults: one of them sends
 * bare-full, queue-full                                   the same, waiting for the disk
 *
 * The processes have the settings of the one that is called (BENCH_PHP holds the command).
 */

require __DIR__ . '/payload.php';
require __DIR__ . '/bare.php';

if ( 'child' === $argv[1] ) {
	bench_crowd_child( ...array_slice( $argv, 2 ) );
	exit;
}

[ , $way, $folder, $processes, $seconds ] = $argv;
$url = $argv[5] ?? '';
if ( str_starts_with( $way, 'queue' ) ) {
	Posthorn\Queue::open( "$folder/queue", array( 'background' => false ) )->configure( array( bench_endpoint( $url ) ) );
} else {
	bench_bare( "$folder/bare.db" );
}
$children = array();
for ( $n = 0; $n < $processes; $n++ ) {
	$command        = array_merge( explode( ' ', getenv( 'BENCH_PHP' ) ), array( __FILE__, 'child', $way, $folder, $n, $seconds ) );
	$children[ $n ] = proc_open( $command, array( array( 'pipe', 'r' ), array( 'pipe', 'w' ) ), $pipes[ $n ] );
}
// Each says that it is ready, and begins when it is told so.
foreach ( $pipes as $pipe ) {
	fgets( $pipe[1] );
}
$start = hrtime( true );
foreach ( $pipes as $pipe ) {
	fwrite( $pipe[0], "go\n" );
}
$took   = array();
$failed = 0;
foreach ( $pipes as $n => $pipe ) {
	$told    = json_decode( (string) fgets( $pipe[1] ), true ) ?? array( 'failed' => 1, 'error' => 'it ended' );
	$failed += $told['failed'];
	$error   = $told['error'] ?? $error ?? null;
	$file    = "$folder/took-$n";
	array_push( $took, ...( is_file( $file ) ? array_values( unpack( 'V*', file_get_contents( $file ) ) ) : array() ) );
}
$elapsed = ( hrtime( true ) - $start ) / 1e9;
// They end, and what they have accepted is left where it is.
foreach ( $pipes as $pipe ) {
	fclose( $pipe[0] );
}
array_map( 'proc_close', $children );
echo json_encode(
	array( 'way' => "$way-$processes" ) + bench_summary( $took )
	+ array( 'rate' => round( count( $took ) / $elapsed ), 'failed' => $failed, 'error' => $error ?? null )
), "\n";

function bench_crowd_child( string $way, string $folder, int $n, float $seconds ): void {
	$row = bench_row( $n );
	if ( str_starts_with( $way, 'bare' ) ) {
		$insert = bench_bare( "$folder/bare.db", 'bare-full' === $way ? 'FULL' : 'NORMAL' );
		$body   = json_encode( $row );
		$act    = fn() => $insert( $body );
	} else {
		$queue = Posthorn\Queue::open( "$folder/queue", 'queue-full' === $way ? array( 'sync' => 'full' ) : array() );
		$at    = $n * 1000000;
		$act   = function () use ( $queue, $row, &$at ) {
			$queue->dispatch( BENCH_EVENT, $row, array( 'record' => 'contact:' . ++$at ) );
		};
	}
	$act();
	echo "ready\n";
	fgets( STDIN );
	$took   = array();
	$failed = 0;
	$error  = null;
	$end    = hrtime( true ) + (int) ( $seconds * 1e9 );
	do {
		$start = hrtime( true );
		try {
			$act();
		} catch ( Exception $exception ) {
			++$failed;
			$error = $exception->getMessage();
		}
		$now    = hrtime( true );
		$took[] = min( $now - $start, 0xffffffff );
	} while ( $now < $end );
	file_put_contents( "$folder/took-$n", pack( 'V*', ...$took ) );
	echo json_encode( compact( 'failed', 'error' ) ), "\n";
	fgets( STDIN );
}
