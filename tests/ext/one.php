<?php
/**
 * Runs one test: `php one.php CASE_FILE NAME FOLDER`. With a case file alone it lists the file's tests as JSON.
 *
 * A case file returns a list of name → function( Bed $bed ); a name that begins with `alone: ` measures time, so
 * nothing else may run beside it.
 */

declare(strict_types=1);

foreach ( [ 'check', 'files', 'bed', 'receiver', 'child', 'pool', 'apache', 'queue-file', 'mariadb', 'faults' ] as $part ) {
	require __DIR__ . "/harness/$part.php";
}
set_error_handler( function ( int $level, string $message, string $file, int $line ): bool {
	if ( error_reporting() & $level ) {
		throw new ErrorException( $message, 0, $level, $file, $line );
	}
	return false;
} );

$cases = [];
foreach ( ( require $argv[1] ) as $name => $test ) {
	$alone                                       = str_starts_with( $name, 'alone: ' );
	$cases[ $alone ? substr( $name, 7 ) : $name ] = [ $alone, $test ];
}
if ( ! isset( $argv[2] ) ) {
	echo json_encode( array_map( fn( $name ) => [ 'name' => $name, 'alone' => $cases[ $name ][0] ], array_keys( $cases ) ) );
	exit( 0 );
}
$bed = new Bed( $argv[3] );
try {
	$cases[ $argv[2] ][1]( $bed );
	$status = 0;
} catch ( Throwable $error ) {
	$status = 1;
	fwrite( STDERR, get_class( $error ) . ': ' . $error->getMessage() . "\n" );
	foreach ( $error->getTrace() as $step ) {
		if ( isset( $step['file'] ) && str_contains( $step['file'], '/cases/' ) ) {
			fwrite( STDERR, 'at ' . basename( $step['file'] ) . ':' . $step['line'] . "\n" );
		}
	}
	fwrite( STDERR, $bed->logs() );
}
$bed->stop();
exit( $status );
