<?php
/** PHP's time limit counts the processor time of the whole process; the page is charged for its own alone. */

declare(strict_types=1);

/** A queue with work that keeps a thread's processor busy for many seconds: every attempt fails at once. */
function busy_queue( Bed $bed ): string {
	$folder = Pool::folder_for_workers( $bed->queue_folder() );
	$bed->run( 'fill', [ $folder, json_encode( [ endpoint( 'http://127.0.0.1:9/', [ 'schedule' => array_fill( 0, 20, 0.01 ) ] ) ] ), 30_000 ] );
	// As root, the pool's user must own what was made; root's files belong to the folder's owner already.
	return $folder;
}

const KILLED = 'Maximum execution time';

return [
	'alone: a page that waits is not killed for what the thread uses' => function ( Bed $bed ) {
		$pool   = $bed->pool( [], [ 'max_execution_time' => '1' ] );
		$output = $pool->get( 'limit', [ 'queue' => busy_queue( $bed ), 'limit' => 1, 'seconds' => 2, 'how' => 'idle' ] );
		holds( 1 === preg_match( '/^done (.*)$/', $output, $match ), "the page ends well: $output {$pool->errors}" );
		figure( 'a page waited under a limit of 1 s until its process had used %.1f s of processor time', $match[1] );
		holds( (float) $match[1] > 1.9, "the thread used more than the limit: {$match[1]} s" );
	},

	'alone: a page that uses its limit is killed, thread or not' => function ( Bed $bed ) {
		$pool   = $bed->pool();
		$began  = microtime( true );
		$output = $pool->get( 'limit', [ 'queue' => busy_queue( $bed ), 'limit' => 1, 'seconds' => 12, 'how' => 'burn' ] );
		$took   = microtime( true ) - $began;
		holds( ! str_contains( $output, 'done' ) && str_contains( $output . $pool->errors, KILLED ), "the page is killed: $output {$pool->errors}" );
		figure( 'a page that burned under a limit of 1 s was killed after %.1f s with its process started', $took );
		holds( $took < 6, "it is killed after $took s" );
	},

	'alone: a page that sets its limit again and again gets just that' => function ( Bed $bed ) {
		$pool  = $bed->pool();
		$queue = busy_queue( $bed );
		$began = microtime( true );
		$output = $pool->get( 'limit', [ 'queue' => $queue, 'limit' => 2, 'seconds' => 3, 'how' => 'reset' ] );
		$took   = microtime( true ) - $began;
		holds( str_contains( $output, 'burning' ), "it lives as long as it sets its limit: $output {$pool->errors}" );
		holds( ! str_contains( $output, 'done' ) && str_contains( $output . $pool->errors, KILLED ), "then it is killed: $output {$pool->errors}" );
		holds( $took > 4.5 && $took < 11, "3 s and then its limit of 2 s: $took s" );
	},

	'alone: a page that takes its limit away has none' => function ( Bed $bed ) {
		$pool   = $bed->pool( [], [ 'max_execution_time' => '1' ] );
		$output = $pool->get( 'limit', [ 'queue' => busy_queue( $bed ), 'limit' => 1, 'seconds' => 5, 'how' => 'none' ] );
		holds( str_contains( $output, 'done' ), "the page ends well: $output {$pool->errors}" );
	},

	'alone: set_time_limit() at the command line, too' => function ( Bed $bed ) {
		$idle = $bed->start( 'limit', [ busy_queue( $bed ), 'idle' ] );
		$idle->wait( 50 );
		same( 0, $idle->status(), "a script that waits: {$idle->output()} {$idle->errors()}" );
		holds( (float) $idle->says( 'done ' ) > 1.9, "the thread used more than the limit: {$idle->output()}" );
		$burn = $bed->start( 'limit', [ busy_queue( $bed ), 'burn' ] );
		$burn->wait( 15 );
		same( 255, $burn->status(), "a script that burns: {$burn->output()} {$burn->errors()}" );
		holds( str_contains( $burn->output() . $burn->errors(), KILLED ), $burn->output() . $burn->errors() );
	},
];
