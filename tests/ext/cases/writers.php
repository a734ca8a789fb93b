<?php
/** A process that dies or freezes while it holds the queue's write lock, and what the others pay for it. */

declare(strict_types=1);

/** The code of Posthorn\Unavailable. */
const LOCKED = 5;

/** Whether that process holds the write lock: byte 120 of SQLite's index file. */
function holds_write_lock( int $pid, string $folder ): bool {
	$inode = fileinode( "$folder/queue.db-shm" );
	return 1 === preg_match( "/POSIX +\w+ +WRITE $pid \S+:$inode 120 120$/m", file_get_contents( '/proc/locks' ) );
}

/** A process that is frozen in the middle of its transaction. */
function frozen_writer( Bed $bed, string $folder ): Child {
	$writer = $bed->start( 'dispatch-batches', [ $folder, 500 ] );
	$writer->says( 'dispatching' );
	wait_for( 20, 'it is stopped while it holds the lock', function () use ( $writer, $folder ) {
		$writer->signal( SIGSTOP );
		wait_for( 5, 'it is stopped', fn() => ' T ' === substr( strrchr( (string) file_get_contents( "/proc/{$writer->pid}/stat" ), ')' ), 1, 3 ), 200 );
		if ( holds_write_lock( $writer->pid, $folder ) ) {
			return true;
		}
		$writer->signal( SIGCONT );
		return false;
	}, 700 );
	return $writer;
}

return [
	'alone: a writer that is killed while it holds the lock costs the others nothing' => function ( Bed $bed ) {
		$folder = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( 'http://127.0.0.1:9/' ) ] );
		$queue = $bed->queue( [], [ 'background' => false ], $folder );
		$worst = 0.0;
		for ( $round = 1; $round <= 15; $round++ ) {
			$before = $queue->stats()['pending'];
			$writer = frozen_writer( $bed, $folder );
			$writer->kill();
			$began = microtime( true );
			$queue->dispatch( 'deal.won', [] );
			$worst = max( $worst, microtime( true ) - $began );
			$new   = $queue->stats()['pending'] - $before;
			same( 1, $new % 500, "whole batches and one event: $new" );
		}
		figure( 'the next event took %.1f ms at worst', $worst * 1000 );
		holds( $worst < 0.1, "it took $worst s" );
	},

	'alone: a page waits two seconds for a writer that is frozen, names it, and is accepted when it is gone' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$data    = Pool::folder_for_workers( $bed->queue_folder() );
		$folder  = "$data/site";
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		$pool = $bed->pool();
		$page = function () use ( $pool, $folder ): array {
			$began = microtime( true );
			return [ $pool->get( 'dispatch-or-say', [ 'queue' => $folder ] ), microtime( true ) - $began ];
		};
		$ids    = [ $page()[0] ];
		$writer = frozen_writer( $bed, $folder );
		[ $said, $took ] = $page();
		figure( 'refused after %.2f s: %s', $took, $said );
		holds( $took > 1.9 && $took < 3, "the page took $took s" );
		holds( str_starts_with( $said, 'refused ' . LOCKED . ' ' ), $said );
		holds( str_contains( $said, "process {$writer->pid} (php" ) && str_contains( $said, "kill -CONT {$writer->pid}" ), "it names who and the remedy: $said" );
		[ $said, $took ] = $page();
		holds( $took < 0.3 && str_starts_with( $said, 'refused' ), "the next page does not wait again: $said after $took s" );
		$writer->kill();
		// Another process is not affected by what this one was refused.
		array_push( $ids, ...explode( "\n", trim( $bed->run( 'dispatch', [ $folder, '-', 3 ] ) ) ) );
		$ids[] = wait_for( 12, 'the page is accepted again', function () use ( $page ) {
			[ $said ] = $page();
			return str_starts_with( $said, 'evt_' ) ? $said : null;
		}, 100_000 );
		$watcher->wait_for_ids( $ids );
	},

	'alone: a page forks and ends in time while a writer is frozen' => function ( Bed $bed ) {
		$data   = Pool::folder_for_workers( $bed->queue_folder() );
		$folder = "$data/site";
		$bed->configure( $folder, [ endpoint( 'http://127.0.0.1:9/', [ 'schedule' => array_fill( 0, 20, 0.2 ) ] ) ] );
		// One worker: the page forks where the thread is that sends, and that waits for the writer.
		$pool = $bed->pool( [ 'pm.max_children' => 1 ] );
		$pool->get( 'dispatch', [ 'queue' => $folder, 'n' => 20 ] );
		frozen_writer( $bed, $folder );
		$worst = 0.0;
		for ( $n = 1; $n <= 20; $n++ ) {
			$began = microtime( true );
			same( 'forked', $pool->get( 'fork' ), 'what a page says that starts a program' );
			$worst = max( $worst, microtime( true ) - $began );
		}
		figure( 'a page that starts a program took %.2f s at worst', $worst );
		holds( $worst < 1, "it took $worst s" );
		$end = $pool->stop();
		holds( $end < 5, "the pool ended in $end s" );
	},
];
