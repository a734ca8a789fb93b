<?php
/** PHP-FPM: workers come and go, are reloaded and killed; pages never wait for the network. */

declare(strict_types=1);

/** @return array{float, list<string>} The page's milliseconds and the ids it printed. */
function page( string $output ): array {
	$lines = explode( "\n", trim( $output ) );
	return [ (float) array_shift( $lines ), $lines ];
}

return [
	'every id that a page returned arrives, though workers are recycled and reloaded' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = Pool::folder_for_workers( $bed->queue_folder() );
		$bed->configure( $folder, [ endpoint( $watcher->after( 2 ) ) ] );
		$pool = $bed->pool( [ 'pm.max_children' => 3, 'pm.max_requests' => 4 ] );
		$ids  = [];
		for ( $round = 1; $round <= 12; $round++ ) {
			$open = array_map( fn() => $pool->send( 'dispatch', [ 'queue' => $folder, 'n' => 10 ] ), range( 1, 6 ) );
			foreach ( $open as $connection ) {
				[ , $found ] = page( $pool->read( $connection ) );
				same( 10, count( $found ), 'ids of a page; errors: ' . $pool->errors );
				array_push( $ids, ...$found );
			}
			if ( 0 === $round % 4 ) {
				$pool->reload();
			}
		}
		// A new worker sends only once it has served a page of the site.
		[ , $found ] = page( $pool->get( 'dispatch', [ 'queue' => $folder, 'n' => 1 ] ) );
		$watcher->wait_for_ids( [ ...$ids, ...$found ] );
		same( 721, $watcher->counts()['unique'], 'events' );
		// Orderly ends let requests in flight come to theirs.
		same( 721, $watcher->counts()['received'], 'requests' );
		$pool->stop();
		queue_file_is_sound( $folder );
	},

	'a worker that PHP-FPM kills for its slow page loses nothing' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = Pool::folder_for_workers( $bed->queue_folder() );
		$bed->configure( $folder, [ endpoint( $watcher->after( 2 ) ) ] );
		$pool = $bed->pool( [ 'pm.max_children' => 2, 'request_terminate_timeout' => '1s' ] );
		$ids  = [];
		for ( $round = 1; $round <= 2; $round++ ) {
			$before      = $pool->workers();
			[ , $found ] = page( $pool->get( 'dispatch', [ 'queue' => $folder, 'n' => 20, 'sleep' => 20 ] ) );
			same( 20, count( $found ), 'ids' );
			array_push( $ids, ...$found );
			wait_for( 5, 'the worker was killed', fn() => array_diff( $before, $pool->workers() ) );
		}
		[ , $found ] = page( $pool->get( 'dispatch', [ 'queue' => $folder, 'n' => 1 ] ) );
		$watcher->wait_for_ids( [ ...$ids, ...$found ] );
	},

	'a page never waits for a receiver that hangs, nor does the end of a worker or of the pool' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = Pool::folder_for_workers( $bed->queue_folder() );
		$bed->configure( $folder, [ endpoint( $watcher->never() ) ] );
		$pool    = $bed->pool( [ 'pm.max_children' => 3, 'pm.max_requests' => 10 ] );
		$slowest = 0.0;
		$total   = 0.0;
		for ( $n = 1; $n <= 40; $n++ ) {
			$began     = microtime( true );
			[ $ms ]    = page( $pool->get( 'dispatch', [ 'queue' => $folder, 'n' => 5 ] ) );
			$slowest   = max( $slowest, $ms );
			$total     = max( $total, microtime( true ) - $began );
		}
		holds( $watcher->counts()['open'] > 0, 'the receiver hangs' );
		$end = $pool->stop();
		figure( 'five events cost a page at most %.1f ms, a page took at most %.0f ms, the pool ended in %.2f s', $slowest, $total * 1000, $end );
		holds( $slowest < 500, "five events cost a page $slowest ms" );
		holds( $total < 1, "a page took $total s" );
		holds( $end < 4, "the pool ended in $end s" );
		queue_file_is_sound( $folder );
		same( '200', sqlite( "$folder/queue.db", 'SELECT count(*) FROM event' ), 'events kept' );
	},

	'a worker sends between pages, and again after each' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = Pool::folder_for_workers( $bed->queue_folder() );
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		$pool = $bed->pool();
		for ( $n = 1; $n <= 5; $n++ ) {
			[ , $ids ] = page( $pool->get( 'dispatch', [ 'queue' => $folder, 'n' => 1 ] ) );
			$watcher->wait_for_ids( $ids, 1 );
			// From outside the pool: the worker serves nothing and is woken.
			$id = trim( $bed->run( 'dispatch', [ $folder, '-', 1, '{"background":false}' ] ) );
			$watcher->wait_for_ids( [ $id ], 1 );
		}
		same( 10, $watcher->counts()['received'], 'requests' );
	},

	'the master has no thread, and workers none before they serve the site' => function ( Bed $bed ) {
		$folder = Pool::folder_for_workers( $bed->queue_folder() );
		$bed->configure( $folder, [ endpoint( 'http://127.0.0.1:9/' ) ] );
		$pool  = $bed->pool();
		$count = fn( int $pid ) => count( glob( "/proc/$pid/task/*" ) );
		same( [ 1, 1 ], [ $count( $pool->master() ), $count( $pool->workers()[0] ) ], 'threads of master and worker' );
		$pool->get( 'dispatch', [ 'queue' => $folder, 'n' => 1 ] );
		holds( $count( $pool->workers()[0] ) > 1, 'the worker has a thread' );
		same( 1, $count( $pool->master() ), 'threads of the master' );
	},

	'what a worker makes is private and belongs to the pool\'s user' => function ( Bed $bed ) {
		$data = Pool::folder_for_workers( "{$bed->folder}/data" );
		$pool = $bed->pool();
		$pool->get( 'dispatch', [ 'queue' => "$data/site", 'n' => 1 ] );
		$owner = posix_getpwnam( Pool::user() )['uid'];
		foreach ( [ "$data/site", ...glob( "$data/site/*" ) ] as $path ) {
			same( [ $owner, is_dir( $path ) ? 0700 : 0600 ], [ fileowner( $path ), fileperms( $path ) & 0777 ], $path );
		}
	},
];
