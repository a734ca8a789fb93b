<?php
/**
 * kill -9 at random moments, of real processes under load, and what then arrives: `php kills.php KILLS SEED [PARTS]`.
 *
 * The kills are shared out among the parts (parts.php) in chapters of at most a hundred. A chapter has a queue and a receiver
 * of its own; at its end everybody is dead, a last process sends what still waits, and what arrived is held against the
 * promises (tally.php). Ends with 1 at the first chapter that breaks one; its folder is kept.
 */

declare(strict_types=1);

foreach ( [ 'check', 'files', 'bed', 'receiver', 'child', 'pool', 'apache', 'queue-file' ] as $part ) {
	require dirname( __DIR__, 2 ) . "/ext/harness/$part.php";
}
foreach ( [ 'chapter', 'parts', 'tally' ] as $part ) {
	require __DIR__ . "/$part.php";
}
set_error_handler( function ( int $level, string $message, string $file, int $line ): bool {
	if ( error_reporting() & $level ) {
		throw new ErrorException( $message, 0, $level, $file, $line );
	}
	return false;
} );
pcntl_async_signals( true );
foreach ( [ SIGINT, SIGTERM ] as $signal ) {
	pcntl_signal( $signal, fn() => throw new NotSo( 'interrupted' ) );
}

const CHAPTER = 100;

[ , $kills, $seed ] = $argv;
mt_srand( (int) $seed );
$parts   = parts();
$chosen  = array_filter( explode( ' ', $argv[3] ?? '' ) ) ?: array_keys( $parts );
$unknown = array_diff( $chosen, array_keys( $parts ) );
if ( $unknown ) {
	fwrite( STDERR, 'no part ' . implode( ' ', $unknown ) . '; there are ' . implode( ' ', array_keys( $parts ) ) . "\n" );
	exit( 1 );
}
$parts  = array_intersect_key( $parts, array_flip( $chosen ) );
$shares = array_sum( array_column( $parts, 'share' ) );
$began  = microtime( true );
$table  = [];
foreach ( $parts as $name => $part ) {
	$tally = new Tally();
	$left  = (int) max( 1, round( (int) $kills * $part['share'] / $shares ) );
	for ( $number = 1; $left > 0; $number++, $left -= CHAPTER ) {
		$chapter = new Chapter( $name );
		try {
			$part['run']( $chapter, min( CHAPTER, $left ), $number );
			$chapter->drain();
			$tally->add( $chapter );
		} catch ( Throwable $error ) {
			fwrite( STDERR, "$name, chapter $number: " . get_class( $error ) . ': ' . $error->getMessage() . "\n" . $chapter->bed->logs() );
			$chapter->bed->stop();
			fwrite( STDERR, "kept: {$chapter->bed->folder}; again with SEED=$seed KILLS=$kills PARTS=" . escapeshellarg( $argv[3] ?? '' ) . "\n" );
			exit( 1 );
		}
		$chapter->remove();
	}
	$table[ $name ] = $tally;
}

$rows = array_map( fn( string $name, Tally $tally ) => [ $name, ...$tally->row() ], array_keys( $table ), $table );
$sum  = array_reduce( $table, fn( Tally $all, Tally $one ) => $all->with( $one ), new Tally() );
$rows[] = [ 'all', ...$sum->row() ];
$heads  = [ 'killed', ...Tally::HEADS ];
foreach ( [ $heads, ...$rows ] as $row ) {
	echo sprintf( '%-14s', array_shift( $row ) ) . implode( '', array_map( fn( $cell ) => sprintf( '%13s', $cell ), $row ) ) . "\n";
}
printf( "in %d s; seed %s\n", microtime( true ) - $began, $seed );
if ( getenv( 'REPORT' ) ) {
	$text = "## `kill -9`\n\n| " . implode( ' | ', $heads ) . " |\n|---|" . str_repeat( '--:|', count( Tally::HEADS ) ) . "\n";
	foreach ( $rows as $row ) {
		$text .= '| ' . implode( ' | ', $row ) . " |\n";
	}
	$text .= "\n`kills`: moments; `processes`: that died in them. `told`: ids that `dispatch()` returned before. `lost`: of these, never sent. `repeated`:\n"
		. "requests that were sent again under the same attempt; `after one kill`: the most of them (promised: 96). `takeover`: from the kill to the\n"
		. "first request of another process, which had it been standing by; median and worst, in ms (promised: 1,000).\n\n";
	foreach ( $parts as $name => $part ) {
		$text .= "* {$name}: {$part['what']}\n";
	}
	file_put_contents( getenv( 'REPORT' ), $text );
}
