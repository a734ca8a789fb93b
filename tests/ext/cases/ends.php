<?php
/** The command line: a script that ends has its events sent, or leaves them to others, and ends in time. */

declare(strict_types=1);

return [
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
