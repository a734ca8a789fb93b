<?php
/** Panics, and what the system refuses: threads, descriptors, locks. PHP is unharmed by each. */

declare(strict_types=1);

/** @return array{list<string>, list<string>} Ids, and what else it said. */
function ids_and_others( Child $child ): array {
	$ids = array_values( preg_grep( '/^evt_/', $child->lines() ) );
	return [ $ids, array_values( array_diff( $child->lines(), $ids ) ) ];
}

return [
	'a panic in a page is an exception, one in a thread a line in the log, and both go on' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ), [ 'schedule' => [ 0.1, 0.1 ] ] ) ] );
		$stumble = "{$bed->folder}/stumble-here";
		$before  = [ 'env', 'LD_PRELOAD=' . fault( $bed, 'stumble' ), "POSTHORN_STUMBLE=$stumble" ];
		$child   = $bed->start( 'dispatch-whatever', [ $folder, "{$bed->folder}/stop" ], [], $before );
		wait_for( 10, 'it sends', fn() => $watcher->counts()['received'] > 10 );
		$page = trim( file_get_contents( "/proc/{$child->pid}/comm" ) );
		foreach ( [ $page, 'posthorn', 'posthorn-send', $page, 'posthorn', 'posthorn-send' ] as $times => $thread ) {
			file_put_contents( "$stumble.new", $thread );
			rename( "$stumble.new", $stumble );
			wait_for( 10, "$thread stumbles", function () use ( $stumble ) {
				clearstatcache();
				return ! file_exists( $stumble );
			} );
			$arrived = $watcher->counts()['unique'];
			wait_for( 10, "it goes on after $thread", fn() => $watcher->counts()['unique'] > $arrived + 20 && $child->runs() );
		}
		touch( "{$bed->folder}/stop" );
		$child->wait( 10 );
		same( 0, $child->status(), 'how it ended: ' . $child->errors() );
		[ $ids, $others ] = ids_and_others( $child );
		// One that falls into the wait for another writer ends that wait.
		$panics = preg_grep( '/^Posthorn.Exception an internal error of Posthorn/', $others );
		same( [], preg_grep( '/database is locked/', array_diff( $others, $panics ), PREG_GREP_INVERT ), 'other exceptions' );
		holds( $panics || $others, 'an exception in the page' );
		$bed->run( 'work-until-done', [ $folder ] );
		$watcher->wait_for_ids( $ids );
		$log = file_get_contents( "$folder/posthorn.log" );
		same( 2, substr_count( $log, 'the background thread starts over' ), "restarts in the log: $log" );
		same( 6, substr_count( $log, 'an internal error, please report it: ' ), "panics in the log: $log" );
	},

	'without threads a page is accepted, says so in the log, and another process sends' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = Pool::folder_for_workers( $bed->queue_folder() );
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		$before  = [ 'prlimit', '--nproc=1', '--' ];
		if ( 0 === posix_geteuid() ) {
			// Root has no such limit.
			$user   = Pool::user();
			$before = [ 'setpriv', "--reuid=$user", '--regid=' . posix_getpwnam( $user )['gid'], '--clear-groups', '--inh-caps=-all', ...$before ];
			copy( getenv( 'POSTHORN_LIBRARY' ), "{$bed->folder}/posthorn.so" );
			copy( dirname( __DIR__ ) . '/scripts/dispatch.php', "{$bed->folder}/dispatch.php" );
		}
		$script  = 0 === posix_geteuid() ? "{$bed->folder}/dispatch.php" : dirname( __DIR__ ) . '/scripts/dispatch.php';
		$library = 0 === posix_geteuid() ? "{$bed->folder}/posthorn.so" : getenv( 'POSTHORN_LIBRARY' );
		exec( implode( ' ', array_map( 'escapeshellarg', [ ...$before, PHP_BINARY, '-d', "extension=$library", $script, $folder, '-', '5' ] ) ) . ' 2>&1', $lines, $status );
		same( [ 0, 5 ], [ $status, count( preg_grep( '/^evt_/', $lines ) ) ], 'exit status, ids: ' . shown( $lines ) );
		holds( str_contains( file_get_contents( "$folder/posthorn.log" ), 'cannot start the background thread: ' ), 'the log says so: ' . $bed->logs() );
		$bed->run( 'work-until-done', [ $folder ] );
		$watcher->wait_for_ids( $lines );
	},

	'with few descriptors an event is accepted or refused, never half, and PHP is unharmed' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		// Requests that cannot be made for want of a descriptor use up no attempt.
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ), [ 'schedule' => [] ] ) ] );
		$ids     = [];
		$refused = [];
		for ( $limit = 5; $limit <= 26; $limit++ ) {
			$child = $bed->start( 'dispatch-whatever', [ $folder, "{$bed->folder}/stop" ], [], [ 'prlimit', "--nofile=$limit:$limit", '--' ] );
			wait_for( 10, fn() => "it says something with $limit descriptors: {$child->errors()}", fn() => count( $child->lines() ) > 10 || ! $child->runs() );
			touch( "{$bed->folder}/stop" );
			$child->wait( 10 );
			unlink( "{$bed->folder}/stop" );
			[ $told, $others ] = ids_and_others( $child );
			array_push( $ids, ...$told );
			array_push( $refused, ...array_slice( $others, 0, 1 ) );
			// With fewer PHP cannot load the library or its script.
			holds( 0 === $child->status() || ! $child->lines(), "how it ended with $limit: {$child->status()} {$child->errors()}" );
		}
		figure( '%d events, %d limits refused: %s', count( $ids ), count( $refused ), shown( array_values( array_unique( $refused ) ) ) );
		holds( count( $refused ) > 0 && count( $ids ) > 20, 'both were met' );
		foreach ( $refused as $line ) {
			holds( 1 === preg_match( '/^Posthorn.Unavailable .*descriptor|open files/', $line ), "it names the remedy: $line" );
		}
		$bed->run( 'work-until-done', [ $folder ] );
		$watcher->wait_for_ids( $ids );
	},

	'on a file system without locks the queue is refused with the remedy' => function ( Bed $bed ) {
		foreach ( [ 37 => 'ENOLCK', 95 => 'EOPNOTSUPP', 38 => 'ENOSYS' ] as $number => $name ) {
			$folder = $bed->queue_folder();
			$said   = $bed->run( 'open', [ $folder ], [], [ fault( $bed, 'no-locks' ), $number ] );
			holds( str_starts_with( $said, 'Posthorn\Unavailable ' ) && str_contains( $said, 'local file system' ) && str_contains( $said, $folder ), "$name: $said" );
			holds( ! is_file( "$folder/queue.db" ), "$name: nothing was made" );
		}
	},
];
