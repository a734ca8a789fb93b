<?php
/** fork(): parents and children use the queue, and each ends without taking the other along. */

declare(strict_types=1);

return [
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
];
