<?php
/** PHP's time limit counts the processor time of the whole process; the page is charged for its own alone. */

declare(strict_types=1);

const KILLED = 'Maximum execution time';

/**
 * Linux samples who runs at each tick and charges a whole one, so what is given back is not to the millisecond what was
 * charged; and it is given back in portions. So much of its limit a page gets at least, and so much more at most.
 */
const AT_LEAST = 0.75;
const MORE_S   = 0.7;

/** A queue with work that keeps a thread's processor busy for many seconds: every attempt fails at once. */
function busy_queue( Bed $bed ): string {
	$folder = Pool::folder_for_workers( $bed->queue_folder() );
	// Root's files belong to the folder's owner, the pool's user.
	$bed->run( 'fill', [ $folder, json_encode( [ endpoint( 'http://127.0.0.1:9/', [ 'schedule' => array_fill( 0, 20, 0.01 ) ] ) ] ), 30_000 ] );
	return $folder;
}

/** @return array{float, float} Seconds that the page burned and that its process used. */
function seconds( string $output ): array {
	holds( 1 === preg_match( '/^page ([\d.]+) process ([\d.]+)$/m', $output, $match ), "the page tells what it used: $output" );
	return [ (float) $match[1], (float) $match[2] ];
}

/** The page was killed when it had used its limit, not before and not much later. */
function was_killed_after( float $limit, string $output, string $errors ): void {
	holds( ! str_contains( $output, 'done' ) && str_contains( $output . $errors, KILLED ), "it is killed: $output $errors" );
	[ $page, $process ] = seconds( $output );
	figure( 'a limit of %.0f s: killed after %.2f s of its own, %.2f s of its process', $limit, $page, $process );
	holds( $page > $limit * AT_LEAST && $page < $limit + MORE_S, "it is killed after $page s of $limit" );
}

return [
	'alone: a page that waits is not killed for what the thread uses' => function ( Bed $bed ) {
		$pool   = $bed->pool( [], [ 'max_execution_time' => '1' ] );
		$output = $pool->get( 'limit', [ 'queue' => busy_queue( $bed ), 'limit' => 1, 'seconds' => 2, 'how' => 'idle' ], 60 );
		holds( str_contains( $output, 'done' ), "the page ends well: $output {$pool->errors}" );
		[ $page, $process ] = seconds( $output );
		figure( 'a limit of 1 s: not killed after %.2f s of its own, %.2f s of its process', $page, $process );
		holds( $process > 1.9 && $page < 0.9, 'the thread used more than the limit, the page less' );
	},

	'alone: a page that uses its limit is killed, thread or not' => function ( Bed $bed ) {
		$pool   = $bed->pool();
		$output = $pool->get( 'limit', [ 'queue' => busy_queue( $bed ), 'limit' => 1, 'seconds' => 8, 'how' => 'burn' ], 60 );
		was_killed_after( 1, $output, $pool->errors );
	},

	'alone: a page that sets its limit again and again gets just that' => function ( Bed $bed ) {
		$pool   = $bed->pool();
		$output = $pool->get( 'limit', [ 'queue' => busy_queue( $bed ), 'limit' => 2, 'seconds' => 3, 'how' => 'reset' ], 60 );
		holds( str_contains( $output, 'burning' ), "it lives as long as it sets its limit: $output {$pool->errors}" );
		was_killed_after( 2, $output, $pool->errors );
	},

	'alone: a page that takes its limit away has none' => function ( Bed $bed ) {
		$pool   = $bed->pool( [], [ 'max_execution_time' => '1' ] );
		$output = $pool->get( 'limit', [ 'queue' => busy_queue( $bed ), 'limit' => 1, 'seconds' => 2.5, 'how' => 'none' ], 60 );
		holds( str_contains( $output, 'done' ), "the page ends well: $output {$pool->errors}" );
	},

	'alone: set_time_limit() at the command line, too' => function ( Bed $bed ) {
		$idle = $bed->start( 'limit', [ busy_queue( $bed ), 'idle' ] );
		$idle->wait( 50 );
		same( 0, $idle->status(), "a script that waits: {$idle->output()} {$idle->errors()}" );
		holds( seconds( $idle->output() )[1] > 1.9, 'the thread used more than the limit' );
		$burn = $bed->start( 'limit', [ busy_queue( $bed ), 'burn' ] );
		$burn->wait( 50 );
		same( 255, $burn->status(), "a script that burns: {$burn->output()} {$burn->errors()}" );
		was_killed_after( 1, $burn->output(), $burn->errors() );
	},
];
