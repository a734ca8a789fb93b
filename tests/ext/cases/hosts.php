<?php
/** The ways in which PHP is run: kinds of pools, preloading, the built-in server with workers. */

declare(strict_types=1);

/** Five pages at once, while PHP-FPM is reloaded under them. @return list<string> The ids they were told. */
function pages_under_reload( Pool $pool, string $folder, bool $reload ): array {
	$open = array_map( fn( $n ) => $pool->send( 'dispatch-stream', [ 'queue' => $folder, 'name' => "page $n", 'n' => 30 ] ), range( 1, 5 ) );
	if ( $reload ) {
		usleep( 5_000 );
		posix_kill( $pool->master(), SIGUSR2 );
	}
	$ids = [];
	foreach ( $open as $connection ) {
		array_push( $ids, ...preg_grep( '/^evt_/', explode( "\n", $pool->read( $connection ) ) ) );
	}
	return $ids;
}

function serves( Bed $bed, array $settings ): void {
	$watcher = $bed->watcher();
	$folder  = Pool::folder_for_workers( $bed->queue_folder() );
	$bed->configure( $folder, [ endpoint( $watcher->after( 2 ) ) ] );
	$pool = $bed->pool( $settings );
	$ids  = [];
	for ( $round = 1; $round <= 8; $round++ ) {
		$told = pages_under_reload( $pool, $folder, 0 === $round % 4 );
		// A page that waits for a worker while there is none is not served, which is PHP-FPM's own; those that are served come to their end.
		same( 0, count( $told ) % 30, 'ids of whole pages' );
		holds( 0 === $round % 4 || 150 === count( $told ), 'ids of five pages: ' . count( $told ) . $pool->errors );
		array_push( $ids, ...$told );
		wait_for( 10, 'it serves', fn() => 'alive' === $pool->get( 'alive' ) );
	}
	// A worker sends once it has served a page of the site; one that serves only one, for a second at its end.
	$asked = 0.0;
	wait_for( 40, fn() => "all arrive: {$watcher->counts()['unique']} of " . count( $ids ) . $bed->logs(), function () use ( $pool, $folder, $watcher, &$ids, &$asked ) {
		if ( microtime( true ) - $asked > 2 ) {
			$ids[] = trim( $pool->get( 'dispatch-or-say', [ 'queue' => $folder ] ) );
			$asked = microtime( true );
		}
		return $watcher->counts()['unique'] >= count( $ids );
	}, 50_000 );
	$watcher->wait_for_ids( $ids );
	$counts = $watcher->counts();
	figure( '%d events, %d repeated', $counts['unique'], $counts['received'] - $counts['unique'] );
	same( $counts['unique'], $counts['received'], 'nothing is sent twice: workers ended in order' );
	$pool->stop();
	queue_file_is_sound( $folder );
}

/** A script for opcache.preload; what it does with the queue goes to a file. */
function preload( Bed $bed, string $does ): array {
	$script = "{$bed->folder}/preload.php";
	file_put_contents( $script, "<?php\n$does\n" );
	chmod( $script, 0644 );
	$extension = PHP_EXTENSION_DIR . '/opcache.so';
	$ini       = is_file( $extension ) && ! extension_loaded( 'Zend OPcache' ) ? [ 'zend_extension' => $extension ] : [];
	return $ini + [ 'opcache.enable' => '1', 'opcache.enable_cli' => '1', 'opcache.preload' => $script, 'opcache.preload_user' => Pool::user() ];
}

return [
	'static workers that serve one page each, reloaded under load' => fn( Bed $bed ) => serves( $bed, [ 'pm.max_children' => 4, 'pm.max_requests' => 1 ] ),

	'dynamic workers, reloaded under load' => fn( Bed $bed ) => serves( $bed, [
		'pm' => 'dynamic', 'pm.max_children' => 6, 'pm.start_servers' => 2, 'pm.min_spare_servers' => 1, 'pm.max_spare_servers' => 3, 'pm.max_requests' => 7,
	] ),

	'workers on demand, reloaded under load' => fn( Bed $bed ) => serves( $bed, [
		'pm' => 'ondemand', 'pm.max_children' => 5, 'pm.process_idle_timeout' => '1s',
	] ),

	'a preload script may use classes and functions of the extension' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = Pool::folder_for_workers( $bed->queue_folder() );
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		$pool = $bed->pool( [], preload( $bed, 'class_exists( Posthorn\Queue::class ); Posthorn\events(); Posthorn\formats(); Posthorn\generate_secret();
			function preloaded_dispatch( Posthorn\Queue $queue ): string { return $queue->dispatch( "deal.won", [] ); }' ) );
		same( 1, count( glob( "/proc/{$pool->master()}/task/*" ) ), 'threads of the master' );
		$watcher->wait_for_ids( [ trim( $pool->get( 'dispatch-or-say', [ 'queue' => $folder ] ) ) ] );
	},

	'a preload script that opens a queue is told not to, and nothing else happens' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = Pool::folder_for_workers( $bed->queue_folder() );
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		$said = Pool::folder_for_workers( "{$bed->folder}/said" ) . '/what';
		$does = 'try { Posthorn\Queue::open( ' . var_export( $folder, true ) . ' )->dispatch( "deal.won", [] ); $said = "accepted"; }
			catch ( Posthorn\Unavailable $error ) { $said = $error->getMessage(); } file_put_contents( ' . var_export( $said, true ) . ', $said );';
		$pool = $bed->pool( [ 'pm.max_children' => 2 ], preload( $bed, $does ) );
		holds( str_contains( file_get_contents( $said ), 'while opcache preloads' ) && str_contains( file_get_contents( $said ), 'in a request' ), file_get_contents( $said ) );
		same( 1, count( glob( "/proc/{$pool->master()}/task/*" ) ), 'threads of the master' );
		$watcher->wait_for_ids( [ trim( $pool->get( 'dispatch-or-say', [ 'queue' => $folder ] ) ) ] );
		same( 1, $watcher->counts()['received'], 'requests' );
	},

	'the built-in server with workers: every id arrives, and it ends in time' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 2 ) ) ] );
		$listening = stream_socket_server( 'tcp://127.0.0.1:0' );
		$address   = stream_socket_get_name( $listening, false );
		fclose( $listening );
		$command = [ PHP_BINARY, '-d', 'extension=' . getenv( 'POSTHORN_LIBRARY' ), '-S', $address, '-t', dirname( __DIR__ ) . '/scripts/pages' ];
		$server  = proc_open( $command, [ [ 'file', '/dev/null', 'r' ], [ 'file', '/dev/null', 'w' ], [ 'file', "{$bed->folder}/server", 'w' ] ], $pipes, null, [ 'PHP_CLI_SERVER_WORKERS' => '4' ] + getenv() );
		$master  = proc_get_status( $server )['pid'];
		wait_for( 10, 'it listens', fn() => @file_get_contents( "http://$address/alive.php" ) );
		$ids = [];
		for ( $round = 1; $round <= 10; $round++ ) {
			$open = array_map( fn( $n ) => fopen( "http://$address/dispatch.php?" . http_build_query( [ 'queue' => $folder, 'n' => 10 ] ), 'r' ), range( 1, 4 ) );
			foreach ( $open as $page ) {
				array_push( $ids, ...preg_grep( '/^evt_/', explode( "\n", trim( stream_get_contents( $page ) ) ) ) );
			}
		}
		same( 400, count( $ids ), 'ids: ' . file_get_contents( "{$bed->folder}/server" ) );
		$watcher->wait_for_ids( $ids );
		same( 400, $watcher->counts()['received'], 'requests' );
		$workers = array_map( 'intval', preg_split( '/ /', file_get_contents( "/proc/$master/task/$master/children" ), -1, PREG_SPLIT_NO_EMPTY ) );
		// Their parent serves pages too.
		same( 4, count( $workers ), 'workers' );
		posix_kill( $master, SIGTERM );
		$began = microtime( true );
		wait_for( 5, 'it ends', fn() => ! proc_get_status( $server )['running'] );
		array_map( fn( $pid ) => posix_kill( $pid, SIGTERM ), $workers );
		wait_for( 5, 'its workers end', fn() => ! array_filter( $workers, fn( $pid ) => is_dir( "/proc/$pid" ) && ! str_contains( (string) @file_get_contents( "/proc/$pid/stat" ), ') Z' ) ) );
		figure( 'ended in %.2f s', microtime( true ) - $began );
		proc_close( $server );
		queue_file_is_sound( $folder );
	},
];
