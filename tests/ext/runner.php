<?php
/**
 * Runs every test of cases/ in a PHP process of its own, two at a time, then those that measure time, alone.
 * One line a test; exits with 1 if one has failed.
 *
 * A test's process is the leader of a session: whatever it leaves behind is ended with it, and its folder removed.
 */

declare(strict_types=1);

require __DIR__ . '/harness/files.php';

const AT_ONCE = 2;
// A test that takes longer hangs; a long round of kills may.
define( 'TIME_LIMIT_S', 100.0 + (int) getenv( 'POSTHORN_KILLS' ) );

/** @return list<array{file: string, name: string, alone: bool}> */
function all_tests(): array {
	$tests = [];
	foreach ( glob( __DIR__ . '/cases/*.php' ) as $file ) {
		exec( escapeshellarg( PHP_BINARY ) . ' ' . escapeshellarg( __DIR__ . '/one.php' ) . ' ' . escapeshellarg( $file ), $lines, $status );
		$listed = json_decode( implode( "\n", $lines ), true );
		$lines  = [];
		if ( 0 !== $status || ! is_array( $listed ) ) {
			fwrite( STDERR, "cannot read the tests of $file\n" );
			exit( 1 );
		}
		foreach ( $listed as $test ) {
			$tests[] = [ 'file' => $file ] + $test;
		}
	}
	return $tests;
}

function start( array $test ): array {
	$folder  = sys_get_temp_dir() . '/posthorn-ext-' . bin2hex( random_bytes( 6 ) );
	// Others must be able to pass through: PHP-FPM's workers are another user.
	mkdir( $folder, 0755 );
	$log     = "$folder/output";
	// setsid: whatever it starts can be found and ended by its session.
	$command = [
		'setsid', PHP_BINARY, '-d', 'extension=' . getenv( 'POSTHORN_LIBRARY' ), '-d', 'memory_limit=512M', '-d', 'display_errors=stderr',
		'-d', 'zend.assertions=1', __DIR__ . '/one.php', $test['file'], $test['name'], $folder,
	];
	$process = proc_open( $command, [ [ 'file', '/dev/null', 'r' ], [ 'file', $log, 'w' ], [ 'file', $log, 'a' ] ], $pipes );
	return [ 'test' => $test, 'process' => $process, 'folder' => $folder, 'started' => microtime( true ), 'pid' => proc_get_status( $process )['pid'] ];
}

/** @return ?array{bool, string} Whether it passed, and what it said; null while it runs. */
function finished( array $run ): ?array {
	$status = proc_get_status( $run['process'] );
	$late   = microtime( true ) - $run['started'] > TIME_LIMIT_S;
	if ( $status['running'] && ! $late ) {
		return null;
	}
	end_session( $run['pid'] );
	$output = (string) file_get_contents( $run['folder'] . '/output' );
	if ( $late ) {
		$output .= sprintf( "not done after %d s\n", TIME_LIMIT_S );
	} elseif ( $status['signaled'] ) {
		$output .= sprintf( "ended by signal %d\n", $status['termsig'] );
	}
	proc_close( $run['process'] );
	remove_tree( $run['folder'] );
	return [ ! $late && ! $status['signaled'] && 0 === $status['exitcode'], $output ];
}

/** Kills what is left of a test: every process of its session. */
function end_session( int $session ): void {
	do {
		$found = false;
		foreach ( glob( '/proc/[0-9]*/stat' ) as $file ) {
			$fields = explode( ' ', (string) preg_replace( '/^.*\) /', '', (string) @file_get_contents( $file ) ) );
			if ( (int) ( $fields[3] ?? 0 ) === $session && 'Z' !== $fields[0] ) {
				posix_kill( (int) basename( dirname( $file ) ), SIGKILL );
				$found = true;
			}
		}
		usleep( $found ? 5000 : 0 );
	} while ( $found );
}

/** Keeps `$at_once` tests running until all are done. @return list<string> The names of those that failed. */
function run_all( array $tests, int $at_once ): array {
	$failed  = [];
	$running = [];
	while ( $tests || $running ) {
		while ( $tests && count( $running ) < $at_once ) {
			$running[] = start( array_shift( $tests ) );
		}
		foreach ( $running as $key => $run ) {
			$result = finished( $run );
			if ( null === $result ) {
				continue;
			}
			unset( $running[ $key ] );
			[ $passed, $output ] = $result;
			$group = basename( $run['test']['file'], '.php' );
			printf( "%s %s: %s (%.1f s)\n", $passed ? 'ok  ' : 'FAIL', $group, $run['test']['name'], microtime( true ) - $run['started'] );
			foreach ( explode( "\n", trim( $output ) ) as $line ) {
				if ( '' !== $line && ( ! $passed || str_starts_with( $line, '# ' ) ) ) {
					echo "       $line\n";
				}
			}
			if ( ! $passed ) {
				$failed[] = "$group: {$run['test']['name']}";
			}
		}
		usleep( 10_000 );
	}
	return $failed;
}

$words = array_slice( $argv, 1 );
$tests = array_values( array_filter(
	all_tests(),
	fn( $test ) => ! $words || array_filter( $words, fn( $word ) => str_contains( basename( $test['file'] ) . ' ' . $test['name'], $word ) )
) );
$alone  = array_values( array_filter( $tests, fn( $test ) => $test['alone'] ) );
$others = array_values( array_filter( $tests, fn( $test ) => ! $test['alone'] ) );
$failed = array_merge( run_all( $others, AT_ONCE ), run_all( $alone, 1 ) );
foreach ( $failed as $name ) {
	echo "failed: $name\n";
}
printf( "%d passed, %d failed\n", count( $tests ) - count( $failed ), count( $failed ) );
exit( $failed || ! $tests ? 1 : 0 );
