<?php
/** Who is killed: each part kills so many times, leaves nobody alive and has heard what its pages were told. */

declare(strict_types=1);

/** @return array<string, array{what: string, share: int, run: callable(Chapter, int, int): void}> */
function parts(): array {
	return [
		'page'         => [
			'what'  => 'one of four processes that dispatch and never send, while another sends; nothing may be repeated',
			'share' => 30,
			'run'   => 'kill_pages',
		],
		'dispatcher'   => [
			'what'  => 'the process that sends, while two stand by and one dispatches',
			'share' => 30,
			'run'   => 'kill_dispatchers',
		],
		'command-line' => [
			'what'  => 'all of three processes that dispatch and send, at once',
			'share' => 10,
			'run'   => 'kill_all',
		],
		'worker'       => [
			'what'  => 'one of four workers of PHP-FPM (static, dynamic and ondemand in turns, some with `pm.max_requests`) that serve pages and send',
			'share' => 20,
			'run'   => 'kill_workers',
		],
		'pool'         => [
			'what'  => 'all of PHP-FPM, master and workers together, with and without a service (`work()`) that survives',
			'share' => 10,
			'run'   => 'kill_pools',
		],
	];
}

function kill_pages( Chapter $chapter, int $kills ): void {
	$sender  = $chapter->sender();
	$loaders = array_map( fn() => $chapter->loader( false ), range( 1, 4 ) );
	for ( $kill = 1; $kill <= $kills; $kill++ ) {
		$chapter->sleep( 60 );
		$victim = mt_rand( 0, 3 );
		$chapter->kills( 1, false );
		$loaders[ $victim ]->kill();
		$chapter->hear( $loaders[ $victim ] );
		$loaders[ $victim ] = $chapter->loader( false );
	}
	foreach ( $loaders as $loader ) {
		$loader->kill();
		$chapter->hear( $loader );
	}
	// It has nothing in flight when everything is settled.
	$chapter->arrives();
	$chapter->bed->run( 'work-until-done', [ $chapter->queue ], [], [], 60 );
	$sender->kill();
}

function kill_dispatchers( Chapter $chapter, int $kills ): void {
	$senders = [];
	for ( $n = 1; $n <= 3; $n++ ) {
		$sender                   = $chapter->sender();
		$senders[ $sender->pid ] = $sender;
	}
	$loader = $chapter->loader( false );
	for ( $kill = 1; $kill <= $kills; $kill++ ) {
		$chapter->sleep( 80 );
		$victim = wait_for( 5, 'one of them sends', fn() => $senders[ $chapter->holder() ] ?? null, 500 );
		$at     = $chapter->kills( 1, true );
		$victim->kill();
		$chapter->is_taken_over( $victim->pid, $at );
		unset( $senders[ $victim->pid ] );
		$sender                  = $chapter->sender();
		$senders[ $sender->pid ] = $sender;
	}
	$loader->kill();
	$chapter->hear( $loader );
	$chapter->kills_of_senders[] = microtime( true ) * 1000;
	array_map( fn( $sender ) => $sender->kill(), $senders );
}

function kill_all( Chapter $chapter, int $kills ): void {
	for ( $kill = 1; $kill <= $kills; $kill++ ) {
		$all = array_map( fn() => $chapter->loader( true ), range( 1, 3 ) );
		// In a burst nothing is sent for half a second: both are wanted.
		$chapter->sleep( 0 === $kill % 2 ? 80 : 1000 );
		$chapter->kills( 3, true );
		array_map( fn( $one ) => $one->signal( SIGKILL ), $all );
		foreach ( $all as $one ) {
			$one->kill();
			$chapter->hear( $one );
		}
	}
}

/** @return list<resource> Pages that are being served. */
function pages( Chapter $chapter, Pool $pool ): array {
	$query = fn() => [ 'queue' => $chapter->queue, 'name' => $chapter->name(), 'n' => mt_rand( 1, 60 ) ];
	return array_map( fn() => $pool->send( 'dispatch-stream', $query() ), range( 1, 5 ) );
}

/** Hears what the pages were told, up to the kill. @param list<resource> $pages */
function hear_pages( Chapter $chapter, Pool $pool, array $pages ): void {
	foreach ( $pages as $page ) {
		$lines = explode( "\n", $pool->read( $page ) );
		// The last one is empty, or cut off.
		array_pop( $lines );
		array_push( $chapter->told, ...preg_grep( '/^evt_/', $lines ) );
		holds( count( $lines ) === count( preg_grep( '/^evt_/', $lines ) ), 'a page says: ' . shown( $lines ) );
	}
}

function kind_of_pool( int $number ): array {
	$kind = [
		[ 'pm' => 'static', 'pm.max_children' => 4 ],
		[ 'pm' => 'dynamic', 'pm.max_children' => 5, 'pm.start_servers' => 2, 'pm.min_spare_servers' => 1, 'pm.max_spare_servers' => 3 ],
		[ 'pm' => 'ondemand', 'pm.max_children' => 4, 'pm.process_idle_timeout' => '1s' ],
	][ $number % 3 ];
	return $kind + ( 0 === $number % 2 ? [ 'pm.max_requests' => 5 ] : [] );
}

function kill_workers( Chapter $chapter, int $kills, int $number ): void {
	$pool = $chapter->bed->pool( kind_of_pool( $number ) );
	for ( $kill = 1; $kill <= $kills; $kill++ ) {
		$pages = pages( $chapter, $pool );
		$chapter->sleep( 30 );
		$victim = wait_for( 5, 'there is a worker', function () use ( $pool ) {
			$workers = $pool->workers();
			return $workers ? $workers[ mt_rand( 0, count( $workers ) - 1 ) ] : null;
		}, 500 );
		$chapter->kills( 1, true );
		posix_kill( $victim, SIGKILL );
		hear_pages( $chapter, $pool, $pages );
	}
	$chapter->kills_of_senders[] = microtime( true ) * 1000;
	$pool->kill();
}

function kill_pools( Chapter $chapter, int $kills, int $number ): void {
	$pool    = $chapter->bed->pool( kind_of_pool( $number ) );
	$service = 0 === $number % 2 ? $chapter->bed->start( 'work', [ $chapter->queue, 3600 ] ) : null;
	$service?->says( 'working' );
	for ( $kill = 1; $kill <= $kills; $kill++ ) {
		$pages = pages( $chapter, $pool );
		$chapter->sleep( 60 );
		$at     = $chapter->kills( 0, true );
		$holder = $chapter->holder();
		$chapter->processes += $pool->kill();
		if ( $service && $holder && $holder !== $service->pid ) {
			$chapter->is_taken_over( $holder, $at );
		}
		hear_pages( $chapter, $pool, $pages );
		$pool->start();
	}
	$chapter->kills_of_senders[] = microtime( true ) * 1000;
	$pool->kill();
	$service?->kill();
}
