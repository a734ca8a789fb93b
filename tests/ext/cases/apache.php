<?php
/** Apache with PHP inside: modules are started twice in one process, and again after each reload. */

declare(strict_types=1);

return [
	'every id that a page returned arrives, though Apache is reloaded' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = Pool::folder_for_workers( $bed->queue_folder() );
		$bed->configure( $folder, [ endpoint( $watcher->after( 1 ) ) ] );
		$apache = $bed->apache();
		$ids    = [];
		for ( $round = 1; $round <= 12; $round++ ) {
			$lines = explode( "\n", trim( $apache->get( 'dispatch', [ 'queue' => $folder, 'n' => 20 ] ) ) );
			same( 21, count( $lines ), 'lines of a page: ' . shown( $lines ) . $apache->log() );
			array_push( $ids, ...array_slice( $lines, 1 ) );
			if ( 0 === $round % 3 ) {
				$apache->reload();
			}
		}
		array_push( $ids, ...array_slice( explode( "\n", trim( $apache->get( 'dispatch', [ 'queue' => $folder, 'n' => 1 ] ) ) ), 1 ) );
		$watcher->wait_for_ids( $ids );
		$apache->stop();
		holds( ! preg_match( '/exit signal|segfault/i', $apache->log() ), 'no child crashed: ' . $apache->log() );
		queue_file_is_sound( $folder );
	},

	'Apache ends in time though a receiver hangs, and the events stay' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = Pool::folder_for_workers( $bed->queue_folder() );
		$bed->configure( $folder, [ endpoint( $watcher->never() ) ] );
		$apache = $bed->apache();
		$began  = microtime( true );
		$apache->get( 'dispatch', [ 'queue' => $folder, 'n' => 50 ] );
		$page = microtime( true ) - $began;
		holds( $page < 1, "the page took $page s" );
		wait_for( 5, 'requests hang', fn() => $watcher->counts()['open'] > 0 );
		$end = $apache->stop();
		figure( 'the page took %.0f ms, Apache ended in %.2f s', $page * 1000, $end );
		holds( $end < 4, "Apache ended in $end s" );
		holds( ! preg_match( '/exit signal|segfault/i', $apache->log() ), 'no child crashed: ' . $apache->log() );
		queue_file_is_sound( $folder );
		same( '50', sqlite( "$folder/queue.db", 'SELECT count(*) FROM event' ), 'events kept' );
	},
];
