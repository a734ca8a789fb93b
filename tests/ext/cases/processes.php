<?php
/** Several processes at one queue: forks, hand-overs, signals, threads, memory. */

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

	'a fork after the first dispatch: both dispatch, nothing is lost or doubled' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		foreach ( [ 'before', 'after' ] as $when ) {
			$folder = $bed->queue_folder();
			$bed->configure( $folder, [ endpoint( $watcher->after( 1 ) ) ] );
			$forking = $bed->start( 'fork-and-dispatch', [ $folder, $when, 4, 100 ] );
			$forking->wait( 30 );
			same( 0, $forking->status(), "$when: " . $forking->errors() . $forking->output() );
			$ids = $forking->lines();
			same( ( 'after' === $when ? 1 : 0 ) + 5 * 100, count( array_unique( $ids ) ), "$when: ids" );
			$bed->run( 'work-until-done', [ $folder ], [], [], 30 );
			$watcher->wait_for_ids( $ids );
			queue_file_is_sound( $folder );
		}
		same( 1001, $watcher->counts()['received'], 'requests' );
	},

	'forks while the thread is busy neither hang nor disturb it' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 1 ) ) ] );
		$forking = $bed->start( 'fork-while-busy', [ $folder, 60 ] );
		$forking->wait( 40 );
		same( 0, $forking->status(), $forking->errors() . substr( $forking->output(), -300 ) );
		$bed->run( 'work-until-done', [ $folder ], [], [], 30 );
		$watcher->wait_for_ids( $forking->lines() );
		same( count( $forking->lines() ), $watcher->counts()['received'], 'requests' );
		queue_file_is_sound( $folder );
	},

	'the lock is free when its holder dies, though a forked child lives' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		$parent = $bed->start( 'fork-and-sleep', [ $folder ] );
		$child  = (int) $parent->says( 'child ' );
		$parent->says( 'sending' );
		$other = $bed->start( 'stand-by', [ $folder ] );
		same( $parent->pid, (int) $other->says( 'sending ' ), 'who sends' );
		$parent->kill();
		$began = microtime( true );
		$queue = $bed->queue( [], [ 'background' => false ], $folder );
		wait_for( 1, 'the other sends', fn() => $queue->stats()['dispatcher_pid'] === $other->pid, 2000 );
		holds( microtime( true ) - $began < 1, 'within a second' );
		holds( is_dir( "/proc/$child" ), 'the child lives' );
		// And the child's own end frees nothing that is not its own.
		posix_kill( $child, SIGKILL );
		$watcher->wait_for_ids( [ $queue->dispatch( 'deal.won', [] ) ] );
		same( $other->pid, $queue->stats()['dispatcher_pid'], 'who sends then' );
	},

	'a child forked by a process that stands by does not stand by for it' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 100 ) ) ] );
		// The one that sends holds its end back until the other has stood by, forked and died.
		$sender = $bed->start( 'dispatch-when-told', [ $folder, "{$bed->folder}/go" ] );
		$sender->says( 'sending' );
		$other = $bed->start( 'fork-and-sleep', [ $folder, 'standing-by' ] );
		$child = (int) $other->says( 'child ' );
		$other->kill();
		holds( is_dir( "/proc/$child" ), 'the child lives' );
		touch( "{$bed->folder}/go" );
		$sender->wait( 10 );
		$id = trim( $sender->says( 'evt ' ) );
		// Nobody stands by, so it has sent before it ended.
		holds( in_array( $id, array_column( $watcher->requests(), 'id' ), true ), 'the event has arrived' );
	},

	'a forked child that ends leaves its parent the lock and the queue' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$queue   = $bed->queue( [ endpoint( $watcher->after( 0 ) ) ] );
		$ids     = [ $queue->dispatch( 'deal.won', [] ) ];
		wait_for( 5, 'this process sends', fn() => $queue->stats()['dispatcher_pid'] === getmypid() );
		$other = $bed->start( 'stand-by', [ "{$bed->folder}/queue1" ] );
		$other->says( 'sending ' );
		for ( $n = 0; $n < 10; $n++ ) {
			$child = pcntl_fork();
			if ( 0 === $child ) {
				// Odd ones end as PHP ends, the others are killed.
				0 === $n % 2 ? posix_kill( getmypid(), SIGKILL ) : exit( 0 );
			}
			pcntl_waitpid( $child, $status );
			same( 0 === $n % 2, pcntl_wifsignaled( $status ), "how child $n ended" );
			same( getmypid(), $queue->stats()['dispatcher_pid'], 'who sends' );
			$ids[] = $queue->dispatch( 'deal.won', [ 'n' => $n ] );
		}
		$watcher->wait_for_ids( $ids );
		same( count( $ids ), $watcher->counts()['received'], 'requests' );
	},

	'a child process started by PHP inherits nothing of the queue' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$queue   = $bed->queue( [ endpoint( $watcher->after( 0 ) ) ] );
		$watcher->wait_for_ids( [ $queue->dispatch( 'deal.won', [] ) ] );
		exec( 'ls -l /proc/self/fd', $lines );
		same( [], array_values( preg_grep( '#/queue1|socket:|eventfd#', $lines ) ), 'descriptors' );
		exec( 'grep SigBlk /proc/self/status', $mask );
		same( "SigBlk:\t0000000000000000", $mask[0], 'signals blocked in it' );
	},

	'signals go to PHP while the thread is busy' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 1 ) ) ] );
		$busy = $bed->start( 'count-signals', [ $folder ] );
		$busy->says( 'ready' );
		wait_for( 5, 'requests are sent', fn() => $watcher->counts()['received'] > 20 );
		for ( $n = 0; $n < 50; $n++ ) {
			foreach ( [ SIGALRM, SIGUSR1 ] as $signal ) {
				$busy->signal( $signal );
			}
			usleep( 4000 );
		}
		$busy->signal( SIGTERM );
		$busy->wait( 10 );
		same( 0, $busy->status(), $busy->errors() );
		$counts = json_decode( $busy->says( 'counts ' ), true );
		// Signals of one kind that wait are one; each was given time.
		holds( $counts['SIGALRM'] >= 40 && $counts['SIGUSR1'] >= 40 && $counts['SIGCHLD'] >= 1 && 1 === $counts['SIGTERM'], shown( $counts ) );
		same( [ getmypid() > 0, true ], [ true, $counts['main_thread_only'] ], 'handlers ran in PHP\'s thread' );
	},

	'every thread of ours has every signal blocked, and PHP\'s has none' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 20 ) ) ] );
		$busy = $bed->start( 'dispatch-until', [ $folder, 3 ] );
		$seen = [];
		wait_for( 3, fn() => 'senders are seen: ' . shown( array_keys( $seen ) ), function () use ( $busy, &$seen ) {
			foreach ( threads( $busy->pid ) as $thread ) {
				if ( $thread['tid'] === $busy->pid ) {
					same( '0000000000000000', $thread['blocked'], 'blocked in PHP\'s thread' );
				} else {
					// All but KILL and STOP, which nobody can block, and the two that the C library keeps for itself.
					$bits = hexdec( substr( $thread['blocked'], 0, 8 ) ) << 32 | hexdec( substr( $thread['blocked'], 8 ) );
					foreach ( [ SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGALRM, SIGPROF, SIGUSR1, SIGUSR2, SIGPIPE, SIGQUIT, SIGVTALRM, SIGURG, SIGWINCH ] as $signal ) {
						holds( 0 !== ( $bits >> ( $signal - 1 ) & 1 ), "{$thread['name']} blocks signal $signal: {$thread['blocked']}" );
					}
					$seen[ $thread['name'] ] = true;
				}
			}
			return isset( $seen['posthorn'], $seen['posthorn-send'] );
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

	'a script that dispatches and exits has its event sent' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$ids     = [];
		for ( $n = 0; $n < 5; $n++ ) {
			// No other process: this one has to send before it ends.
			$folder = $bed->queue_folder();
			$began  = microtime( true );
			$id     = trim( $bed->run( 'dispatch', [ $folder, json_encode( [ endpoint( $watcher->after( 50 ) ) ] ), 1 ] ) );
			holds( microtime( true ) - $began < 2.5, 'it ends in time' );
			$ids[] = $id;
			holds( in_array( $id, array_column( $watcher->requests(), 'id' ), true ), 'its event has arrived when it has ended' );
			queue_file_is_sound( $folder );
			same( '1', sqlite( "$folder/queue.db", 'SELECT count(*) FROM delivery WHERE state = 1' ), 'settled' );
		}
		same( 5, $watcher->counts()['received'], 'requests' );
	},

	'a script that exits leaves what waits to a process that stands by' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		$other = $bed->start( 'stand-by', [ $folder ] );
		$other->says( 'sending ' );
		$began = microtime( true );
		$ids   = explode( "\n", trim( $bed->run( 'dispatch', [ $folder, '-', 20 ] ) ) );
		$ended = microtime( true ) - $began;
		holds( $ended < 1, "a process that does not send ends at once: $ended s" );
		$watcher->wait_for_ids( $ids, 2 );
		same( 20, $watcher->counts()['received'], 'requests' );
	},

	'alone: a script ends within 2.5 s though its receiver hangs, and the event stays' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->never() ) ] );
		$began = microtime( true );
		$child = $bed->start( 'dispatch', [ $folder, '-', 200 ] );
		$child->wait( 10 );
		$took = microtime( true ) - $began;
		figure( 'ended %.2f s after its start', $took );
		same( 0, $child->status(), 'its exit status: ' . $child->errors() );
		holds( $took < 2.5, "it ends within 2.5 s: $took s" );
		same( 200, count( $child->lines() ), 'ids' );
		queue_file_is_sound( $folder );
		$queue = $bed->queue( [], [ 'background' => false ], $folder );
		same( 200, $queue->stats()['pending'], 'pending' );
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

	'a script that fails, exits or is ended by its limit keeps what it dispatched' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		$ids = [];
		// "inside" is while an object of the data is read.
		$ends = [ 'throw' => 255, 'exit' => 3, 'fatal' => 255, 'limit' => 255, 'memory' => 255, 'fatal inside' => 255, 'memory inside' => 255, 'limit inside' => 255 ];
		foreach ( $ends as $how => $status ) {
			$child = $bed->start( 'dispatch-and-fail', [ $folder, $how ], [ 'memory_limit' => '64M' ] );
			$child->wait( 15 );
			same( $status, $child->status(), "$how: its exit status: {$child->errors()}" );
			same( 1, count( $child->lines() ), "$how: ids: {$child->output()}" );
			array_push( $ids, ...$child->lines() );
		}
		$watcher->wait_for_ids( $ids );
		same( count( $ids ), $watcher->counts()['unique'], 'events: none of an object that failed' );
	},

	'a script that exits while its data is read ends as it said' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		$child = $bed->start( 'dispatch-and-fail', [ $folder, 'exit inside' ] );
		$child->wait( 15 );
		same( 3, $child->status(), "its exit status: {$child->errors()}" );
		$watcher->wait_for_ids( $child->lines() );
		same( 1, $watcher->counts()['unique'], 'events' );
	},
];
