<?php
/** Disks and files that fail: what dispatch() says, what becomes of the file, and that it goes on by itself. */

declare(strict_types=1);

/** The codes of Posthorn\Unavailable. */
const PERMISSION   = 1;
const DISK_FULL    = 2;
const DISK         = 7;
const PAGE_BYTES   = 4096;

/** @return list<string> Queue files that were set aside. */
function kept( string $folder ): array {
	return array_values( preg_grep( '/(-wal|-shm|\.txt)$/', glob( "$folder/queue.db.corrupt-*" ), PREG_GREP_INVERT ) );
}

/** Overwrites the root page of a table in the file. No process that uses it may be this one. */
function damage( string $folder, int $page ): void {
	$file = fopen( "$folder/queue.db", 'r+' );
	fseek( $file, ( $page - 1 ) * PAGE_BYTES );
	fwrite( $file, str_repeat( "\xa5", PAGE_BYTES ) );
	fclose( $file );
}

/** @param list<Child> $children @return array{list<string>, list<string>} What dispatch() returned, and what it refused with. */
function said( array $children ): array {
	$lines = array_merge( ...array_map( fn( $child ) => $child->lines(), $children ) );
	$no    = array_values( preg_grep( '/^refused /', $lines ) );
	return [ array_values( array_diff( $lines, $no ) ), $no ];
}

/** A folder on a disk of 3 MiB, or, without the right to mount one, `$before` of a process whose files end there. @return array{string, list<string>} */
function small_disk( Bed $bed ): array {
	$folder = "{$bed->folder}/disk";
	mkdir( $folder );
	exec( 'mount -t tmpfs -o size=3m,mode=0777 posthorn-test ' . escapeshellarg( $folder ) . ' 2>/dev/null', $lines, $failed );
	return [ "$folder/queue", $failed ? [ 'sh', '-c', "trap '' XFSZ; ulimit -S -f 6000; exec \"\$@\"", 'sh' ] : [] ];
}

return [
	'a queue that is damaged under running processes is set aside by one of them, and no id is lost' => function ( Bed $bed ) {
		$watcher   = $bed->watcher();
		$folder    = $bed->queue_folder();
		$endpoints = [ endpoint( $watcher->after( 0 ) ) ];
		$stop  = "{$bed->folder}/stop";
		$first = $bed->start( 'dispatch-through', [ $folder, json_encode( $endpoints ), $stop ] );
		wait_for( 10, 'the first knows its receivers', fn() => $first->lines() );
		touch( $stop );
		$first->wait( 10 );
		unlink( $stop );
		// From here on nobody writes that page again, so it is read from the file and not from the log.
		$root = (int) sqlite( "$folder/queue.db", "SELECT rootpage FROM sqlite_schema WHERE name = 'site'" );
		sqlite( "$folder/queue.db", 'PRAGMA wal_checkpoint(TRUNCATE)' );
		$children = array_map( fn() => $bed->start( 'dispatch-through', [ $folder, json_encode( $endpoints ), $stop ] ), range( 1, 3 ) );
		$count    = fn() => count( said( $children )[0] );
		wait_for( 20, 'they dispatch', fn() => $count() > 300 );
		damage( $folder, $root );
		wait_for( 20, 'the file is set aside', fn() => kept( $folder ) );
		$so_far = $count();
		wait_for( 20, 'they go on', fn() => $count() > $so_far + 600 );
		touch( $stop );
		foreach ( $children as $child ) {
			$child->wait( 20 );
		}
		[ $ids, $refused ] = said( $children );
		$bed->queue( [], [ 'background' => false ], $folder )->work( 1.0 );
		$watcher->wait_for_ids( $ids );
		same( 1, count( kept( $folder ) ), 'files set aside' );
		same( '600', substr( decoct( fileperms( kept( $folder )[0] ) ), -3 ), 'its mode' );
		$log = file_get_contents( "$folder/posthorn.log" );
		same( 1, substr_count( $log, 'was set aside as ' ), "how often the log says so: $log" );
		holds( str_contains( $log, 'malformed' ) && str_contains( $log, kept( $folder )[0] ), $log );
		figure( '%d events, %d refused, %d requests repeated', count( $ids ), count( $refused ), $watcher->counts()['received'] - $watcher->counts()['unique'] );
	},

	'a file without a header is kept as it is, and the queue takes events again once it has its endpoints' => function ( Bed $bed ) {
		$watcher   = $bed->watcher();
		$folder    = $bed->queue_folder();
		$endpoints = [ endpoint( $watcher->after( 0 ) ) ];
		$bed->configure( $folder, $endpoints );
		sqlite( "$folder/queue.db", 'PRAGMA wal_checkpoint(TRUNCATE)' );
		damage( $folder, 1 );
		$before = md5_file( "$folder/queue.db" );
		$queue  = $bed->queue( [], [], $folder );
		same( null, $queue->revision(), 'revision' );
		same( [ $before ], array_map( 'md5_file', kept( $folder ) ), 'the file' );
		holds( str_contains( file_get_contents( kept( $folder )[0] . '.txt' ), '.recover' ), 'its text says how to read it' );
		$queue->configure( $endpoints, '', 1 );
		$watcher->wait_for_ids( [ $queue->dispatch( 'deal.won', [] ) ] );
	},

	'a directory that its user may not use any more is refused by name, and used again when it may' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$data    = Pool::folder_for_workers( $bed->queue_folder() );
		$folder  = "$data/site";
		$pool    = $bed->pool();
		$page    = fn() => $pool->get( 'dispatch-or-say', [ 'queue' => $folder ] );
		holds( str_starts_with( $page(), 'evt_' ), 'accepted' );
		// A directory of root's; without root, one that nobody may enter.
		$mode = 0 === posix_geteuid() ? 0700 : 0000;
		0 === posix_geteuid() && chown( $folder, 'root' );
		chmod( $folder, $mode );
		$said = wait_for( 5, 'it is refused', function () use ( $page ) {
			$said = $page();
			return str_starts_with( $said, 'refused' ) ? $said : false;
		} );
		holds( str_starts_with( $said, 'refused ' . PERMISSION . ' ' ) && str_contains( $said, $folder ), $said );
		0 === posix_geteuid() && chown( $folder, Pool::user() );
		chmod( $folder, 0700 );
		wait_for( 5, 'it is accepted again', fn() => str_starts_with( $page(), 'evt_' ) );
	},

	'a full disk is refused as what it is, and events are accepted again when there is room' => function ( Bed $bed ) {
		[ $folder, $before ] = small_disk( $bed );
		$watcher             = $bed->watcher();
		try {
			$stop  = "{$bed->folder}/stop";
			$child = $bed->start( 'dispatch-through', [ $folder, json_encode( [ endpoint( $watcher->after( 0 ) ) ] ), $stop ], [], $before );
			wait_for( 10, 'it dispatches', fn() => count( said( [ $child ] )[0] ) > 20 );
			if ( ! $before ) {
				// What is left of the disk.
				@file_put_contents( dirname( $folder ) . '/ballast', str_repeat( 'x', 8 << 20 ) );
			}
			wait_for( 60, 'it is refused', fn() => said( [ $child ] )[1] );
			holds( 1 === preg_match( '/^refused [' . DISK_FULL . DISK . '] .*(disk is full|no space|too large)/i', said( [ $child ] )[1][0] ), said( [ $child ] )[1][0] );
			$refused_at = count( said( [ $child ] )[0] );
			if ( $before ) {
				exec( "prlimit --pid {$child->pid} --fsize=unlimited" );
			} else {
				unlink( dirname( $folder ) . '/ballast' );
			}
			wait_for( 20, 'it is accepted again', fn() => count( said( [ $child ] )[0] ) > $refused_at + 100 );
			touch( $stop );
			$child->wait( 20 );
			$bed->queue( [], [ 'background' => false ], $folder )->work( 1.0 );
			$watcher->wait_for_ids( said( [ $child ] )[0] );
			same( [], kept( $folder ), 'files set aside' );
		} finally {
			$bed->stop();
			exec( 'umount -l ' . escapeshellarg( dirname( $folder ) ) . ' 2>/dev/null' );
		}
	},

	'alone: 5,000 events that nobody accepts cost less than a second' => function ( Bed $bed ) {
		$folder = $bed->queue_folder();
		mkdir( $folder, 0700 );
		sqlite( "$folder/queue.db", 'CREATE TABLE theirs (a); INSERT INTO theirs VALUES (42)' );
		$queue = $bed->queue( [], [ 'background' => false ], $folder );
		$began = microtime( true );
		for ( $n = 0; $n < 5000; $n++ ) {
			try {
				$queue->dispatch( 'deal.won', [ 'n' => $n ] );
			} catch ( Posthorn\Unavailable ) {
				continue;
			}
		}
		$took = microtime( true ) - $began;
		figure( '%.0f µs for an event that is refused', $took / 5000 * 1e6 );
		holds( $took < 1.0, "5,000 refused events took $took s" );
	},

	'alone: a queue whose lock is held is waited for once, not with every event' => function ( Bed $bed ) {
		$folder = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( 'http://127.0.0.1:9/' ) ] );
		$queue = $bed->queue( [], [ 'background' => false ], $folder );
		$queue->dispatch( 'deal.won', [] );
		$holder = proc_open( [ 'sqlite3', "$folder/queue.db" ], [ [ 'pipe', 'r' ], [ 'pipe', 'w' ] ], $pipes );
		fwrite( $pipes[0], "BEGIN IMMEDIATE;\nSELECT 'held';\n" );
		same( "held\n", fgets( $pipes[1] ), 'the lock' );
		$began = microtime( true );
		for ( $n = 0; $n < 1000; $n++ ) {
			throws( Posthorn\Unavailable::class, fn() => $queue->dispatch( 'deal.won', [ 'n' => $n ] ), 'a locked queue' );
		}
		$took = microtime( true ) - $began;
		figure( '%.1f s for 1,000 events while another program held the lock', $took );
		fclose( $pipes[0] );
		proc_close( $holder );
		wait_for( 12, 'it is accepted again', function () use ( $queue ) {
			try {
				return (bool) $queue->dispatch( 'deal.won', [] );
			} catch ( Posthorn\Unavailable ) {
				return false;
			}
		} );
		holds( $took < 20, "1,000 events took $took s" );
	},
];
