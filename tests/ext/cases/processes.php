<?php
/** Several processes at one queue: hand-overs, signals, threads, memory. */

declare(strict_types=1);

/** The threads of a process: name → SigBlk and SigCgt of each. */
function threads( int $pid ): array {
	$threads = [];
	foreach ( glob( "/proc/$pid/task/*/status" ) as $file ) {
		$status = @file_get_contents( $file );
		if ( $status && preg_match( '/^Name:\t(\S+)$.*^SigBlk:\t(\w+)$/ms', $status, $match ) ) {
			$threads[] = [ 'name' => $match[1], 'blocked' => $match[2], 'tid' => (int) basename( dirname( $file ) ) ];
		}
	}
	return $threads;
}

return [
	'four processes dispatch 5,000 events and each is sent once' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		$children = array_map( fn() => $bed->start( 'dispatch', [ $folder, '-', 1250 ] ), range( 1, 4 ) );
		$ids      = [];
		foreach ( $children as $child ) {
			$child->wait( 30 );
			same( 0, $child->status(), $child->errors() );
			array_push( $ids, ...$child->lines() );
		}
		same( 5000, count( array_unique( $ids ) ), 'ids' );
		$bed->run( 'work-until-done', [ $folder ], [], [], 60 );
		$watcher->wait_for_ids( $ids );
		same( 5000, $watcher->counts()['received'], 'requests' );
		queue_file_is_sound( $folder );
	},

	'the queue is handed over to work(), and nothing is sent twice' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 3 ) ) ] );
		$holder = $bed->start( 'stand-by', [ $folder ] );
		$holder->says( 'sending ' );
		$source = $bed->start( 'dispatch-until', [ $folder, 1.5 ] );
		wait_for( 5, 'requests are sent', fn() => $watcher->counts()['received'] > 20 );
		$worker = $bed->start( 'work', [ $folder, 1.0 ] );
		$worker->says( 'working ' );
		$queue  = $bed->queue( [], [ 'background' => false ], $folder );
		wait_for( 1, 'the worker sends', fn() => $queue->stats()['dispatcher_pid'] === $worker->pid, 2000 );
		$worker->wait( 10 );
		$settled = (int) $worker->says( 'settled ' );
		holds( $settled > 20, "work() settled $settled deliveries" );
		// Whoever stood by goes on.
		wait_for( 5, 'the first sends again', fn() => $queue->stats()['dispatcher_pid'] === $holder->pid );
		$source->wait( 10 );
		$watcher->wait_for_ids( $source->lines() );
		wait_for( 5, 'all is settled', fn() => 0 === $queue->stats()['pending'] );
		same( [ count( $source->lines() ), 0 ], [ $watcher->counts()['received'], $watcher->counts()['broken'] ], 'requests, broken ones' );
	},

	'work() returns after its time and tells what it settled' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$queue   = $bed->queue( [ endpoint( $watcher->after( 0 ) ) ], [ 'background' => false ] );
		for ( $n = 0; $n < 30; $n++ ) {
			$queue->dispatch( 'deal.won', [ 'n' => $n ], [ 'record' => 'deal:1' ] );
		}
		$began = microtime( true );
		same( 30, $queue->work( 0.7 ), 'settled' );
		$took = microtime( true ) - $began;
		holds( $took >= 0.68 && $took < 1.2, "work( 0.7 ) takes $took s" );
		same( [ 30, 0 ], [ $watcher->counts()['received'], $queue->work( 0.0 ) ], 'requests, settled in no time' );
	},

	'signals go to PHP while the thread is busy' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 1 ) ) ] );
		$busy = $bed->start( 'count-signals', [ $folder ] );
		$busy->says( 'ready' );
		wait_for( 5, 'requests are sent', fn() => $watcher->counts()['received'] > 20 );
		for ( $n = 1; $n <= 40; $n++ ) {
			$busy->signal( SIGALRM );
			$busy->signal( SIGUSR1 );
			$busy->says( "SIGALRM $n" );
			$busy->says( "SIGUSR1 $n" );
		}
		$busy->signal( SIGTERM );
		$busy->wait( 10 );
		same( 0, $busy->status(), $busy->errors() );
		$counts = json_decode( $busy->says( 'counts ' ), true );
		same( [ 40, 40, 1 ], [ $counts['SIGALRM'], $counts['SIGUSR1'], $counts['SIGTERM'] ], 'signals that were sent' );
		holds( $counts['SIGCHLD'] >= 1, shown( $counts ) );
		same( [ getmypid() > 0, true ], [ true, $counts['main_thread_only'] ], 'handlers ran in PHP\'s thread' );
	},

	'every thread of ours has every signal blocked, and PHP\'s has none' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 20 ) ) ] );
		$busy = $bed->start( 'dispatch-until', [ $folder, 20 ] );
		$seen = [];
		// PHP's has them blocked for the moment in which it starts ours, and never at three looks in a row.
		$blocked = 0;
		wait_for( 15, fn() => 'senders are seen: ' . shown( array_keys( $seen ) ), function () use ( $busy, &$seen, &$blocked ) {
			foreach ( threads( $busy->pid ) as $thread ) {
				if ( $thread['tid'] === $busy->pid ) {
					$blocked = '0000000000000000' === $thread['blocked'] ? 0 : $blocked + 1;
					holds( $blocked < 3, "blocked in PHP's thread: {$thread['blocked']}" );
				} else {
					// All but KILL and STOP, which nobody can block, and the two that the C library keeps for itself.
					$bits = hexdec( substr( $thread['blocked'], 0, 8 ) ) << 32 | hexdec( substr( $thread['blocked'], 8 ) );
					foreach ( [ SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGALRM, SIGPROF, SIGUSR1, SIGUSR2, SIGPIPE, SIGQUIT, SIGVTALRM, SIGURG, SIGWINCH ] as $signal ) {
						holds( 0 !== ( $bits >> ( $signal - 1 ) & 1 ), "{$thread['name']} blocks signal $signal: {$thread['blocked']}" );
					}
					$seen[ $thread['name'] ] = true;
				}
			}
			return isset( $seen['posthorn'], $seen['posthorn-send'] ) && 0 === $blocked;
		} );
		$busy->kill();
	},

	'a PHP process without a queue has no thread of ours' => function ( Bed $bed ) {
		same( '1', trim( $bed->run( 'count-threads' ) ), 'threads' );
	},

	'alone: an idle process with an open queue has at most 3 MiB more of its own' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		$holder = $bed->start( 'stand-by', [ $folder ] );
		$holder->says( 'sending ' );
		$private = function ( Child $child ): int {
			$child->says( 'idle' );
			$kib = 0;
			foreach ( file( "/proc/{$child->pid}/smaps_rollup" ) as $line ) {
				if ( preg_match( '/^Private_(Clean|Dirty): +(\d+) kB/', $line, $match ) ) {
					$kib += (int) $match[2];
				}
			}
			return $kib;
		};
		// Another process has the library loaded, as in a pool: what it shares is not its own.
		$without = $private( $bed->start( 'idle', [ '-' ] ) );
		$with    = $private( $bed->start( 'idle', [ $folder ] ) );
		figure( 'private memory: %d KiB without a queue, %d KiB with one, %d KiB more', $without, $with, $with - $without );
		holds( $with - $without <= 3 * 1024, 'at most 3 MiB more' );
		// The extension itself, unused, against PHP without it.
		$bare = proc_open( [ PHP_BINARY, '-r', 'echo "idle\n"; sleep( 60 );' ], [ [ 'file', '/dev/null', 'r' ], [ 'pipe', 'w' ], STDERR ], $pipes );
		fgets( $pipes[1] );
		$kib = 0;
		foreach ( file( '/proc/' . proc_get_status( $bare )['pid'] . '/smaps_rollup' ) as $line ) {
			if ( preg_match( '/^Private_(Clean|Dirty): +(\d+) kB/', $line, $match ) ) {
				$kib += (int) $match[2];
			}
		}
		proc_terminate( $bare, SIGKILL );
		figure( 'private memory of PHP without the extension: %d KiB; with it and an open queue %d KiB more', $kib, $with - $kib );
		holds( $with - $kib <= 3 * 1024, 'at most 3 MiB more than without the extension' );
	},

	'sixteen processes dispatch as fast as they can and none fails' => function ( Bed $bed ) {
		$folder = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( 'http://127.0.0.1:9/' ) ] );
		$children = array_map( fn() => $bed->start( 'dispatch', [ $folder, '-', 300 ] ), range( 1, 16 ) );
		$ids      = [];
		foreach ( $children as $child ) {
			$child->wait( 60 );
			same( 0, $child->status(), $child->errors() );
			array_push( $ids, ...$child->lines() );
		}
		same( 16 * 300, count( array_unique( $ids ) ), 'ids' );
		same( '4800', sqlite( "$folder/queue.db", 'SELECT count(*) FROM event' ), 'events' );
		queue_file_is_sound( $folder );
	},

	'one folder by two names is one queue' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$one     = $bed->queue( [ endpoint( $watcher->after( 5 ) ) ], [], $folder );
		symlink( $folder, "{$bed->folder}/other" );
		$other = $bed->queue( [], [], "{$bed->folder}/other" );
		$same  = $bed->queue( [], [], "$folder/" );
		$ids   = [];
		for ( $n = 0; $n < 30; $n++ ) {
			foreach ( [ $one, $other, $same ] as $queue ) {
				$ids[] = $queue->dispatch( 'deal.won', [ 'n' => $n ] );
			}
		}
		$watcher->wait_for_ids( $ids );
		wait_for( 5, 'all is settled', fn() => 90 === $other->stats()['delivered'] );
		same( 90, $watcher->counts()['received'], 'requests' );
	},
];
