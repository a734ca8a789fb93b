<?php
/** The queue's folder and file: who owns them, what is refused, who may open them at once. */

declare(strict_types=1);

use Posthorn\Queue;

function mode( string $path ): string {
	clearstatcache();
	return decoct( fileperms( $path ) & 0777 );
}

/** Everything below and including a folder. @return list<string> */
function all_below( string $folder ): array {
	$paths = [ $folder ];
	foreach ( array_diff( scandir( $folder ), [ '.', '..' ] ) as $name ) {
		array_push( $paths, ...( is_dir( "$folder/$name" ) ? all_below( "$folder/$name" ) : [ "$folder/$name" ] ) );
	}
	return $paths;
}

/** Runs a script as root: the machine's own rights, or sudo's. */
function as_root(): array {
	return 0 === posix_geteuid() ? [] : [ 'sudo', '-n', '--preserve-env=POSTHORN_LIBRARY' ];
}

return [
	'folders are 0700 and files 0600, whatever the umask' => function ( Bed $bed ) {
		umask( 0 );
		$folder = $bed->queue_folder() . '/below/that';
		$queue  = $bed->queue( [ endpoint( 'http://127.0.0.1:9/' ) ], [], $folder );
		$queue->dispatch( 'deal.won', [ 'x' => NAN ] );
		wait_for( 5, 'an attempt is made', fn() => 1 === $queue->deliveries()[0]['attempts'] );
		foreach ( [ dirname( $folder, 2 ), dirname( $folder ), $folder ] as $one ) {
			same( '700', mode( $one ), $one );
		}
		$files = array_values( array_diff( scandir( $folder ), [ '.', '..' ] ) );
		foreach ( [ 'queue.db', 'queue.db-wal', 'queue.db-shm', 'dispatcher.lock', 'posthorn.log', 'wake.sock' ] as $expected ) {
			holds( in_array( $expected, $files, true ), "$expected is among " . implode( ', ', $files ) );
		}
		foreach ( $files as $file ) {
			same( '600', mode( "$folder/$file" ), $file );
		}
	},

	'what root makes belongs to the owner of the data directory' => function ( Bed $bed ) {
		$data = "{$bed->folder}/data";
		// As sudo's root where the tests are not root: the folder is then this user's already.
		mkdir( $data, 0700 );
		$owner = posix_geteuid() ?: posix_getpwnam( 'nobody' )['uid'];
		0 === posix_geteuid() && chown( $data, $owner );
		$endpoint = json_encode( [ endpoint( 'http://127.0.0.1:9/' ) ] );
		$bed->run( 'dispatch-and-wait', [ "$data/site", $endpoint ], [], as_root() );
		$found = all_below( "$data/site" );
		holds( count( $found ) >= 7, 'files: ' . implode( ' ', $found ) );
		foreach ( $found as $path ) {
			clearstatcache();
			same( [ $owner, is_dir( $path ) ? '700' : '600' ], [ fileowner( $path ), mode( $path ) ], $path );
		}
	},

	'a user whose queue it is not is refused with a remedy, sees no more than that, and leaves nothing behind' => function ( Bed $bed ) {
		if ( 0 !== posix_geteuid() ) {
			// Nobody else to become; what may not be entered by its mode is refused in trouble.php.
			return;
		}
		$data = Pool::folder_for_workers( $bed->queue_folder() );
		$bed->run( 'dispatch-and-wait', [ "$data/site", json_encode( [ endpoint( 'http://127.0.0.1:9/' ) ] ) ] );
		$before = all_below( "$data/site" );
		$script = "{$bed->folder}/stranger.php";
		// A stranger may not be able to read the checkout.
		copy( dirname( __DIR__ ) . '/scripts/open.php', $script );
		$library = "{$bed->folder}/posthorn.so";
		copy( getenv( 'POSTHORN_LIBRARY' ), $library );
		$said = shell_exec( 'runuser -u nobody -- ' . escapeshellarg( PHP_BINARY ) . " -d extension=$library $script $data/site 2>&1" );
		holds( str_starts_with( $said, 'Posthorn\Unavailable ' ) && str_contains( $said, "$data/site" ) && str_contains( $said, 'ermission denied' ), $said );
		same( $before, all_below( "$data/site" ), 'files' );
		copy( dirname( __DIR__ ) . '/scripts/inspect.php', $script );
		$looked = json_decode( shell_exec( 'runuser -u nobody -- ' . escapeshellarg( PHP_BINARY ) . " -d extension=$library $script $data/site 2>&1" ), true );
		same( [ false, false ], [ $looked['dispatcher'], $looked['host_changed'] ], 'what a stranger sees' );
	},

	'a file of another program is refused with a remedy and left alone' => function ( Bed $bed ) {
		$folder = $bed->queue_folder();
		mkdir( $folder, 0700 );
		sqlite( "$folder/queue.db", 'CREATE TABLE theirs (a); INSERT INTO theirs VALUES (42)' );
		$before = md5_file( "$folder/queue.db" );
		$error  = throws( Posthorn\Unavailable::class, fn() => $bed->queue( [], [ 'background' => false ], $folder )->stats(), 'a foreign database' );
		holds( str_contains( $error->getMessage(), 'another program' ) && str_contains( $error->getMessage(), 'move it away' ), $error->getMessage() );
		throws( Posthorn\Unavailable::class, fn() => $bed->queue( [], [], $folder )->dispatch( 'deal.won', [] ), 'dispatch()' );
		same( $before, md5_file( "$folder/queue.db" ), 'the file' );
		same( '42', sqlite( "$folder/queue.db", 'SELECT a FROM theirs' ), 'their row' );
		same( [], glob( "$folder/queue.db-*" ), 'files made beside it' );
	},

	'a queue of a newer Posthorn is refused with a remedy and left alone' => function ( Bed $bed ) {
		$folder = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( 'http://127.0.0.1:9/' ) ] );
		sqlite( "$folder/queue.db", 'PRAGMA user_version = 9999; PRAGMA wal_checkpoint(TRUNCATE)' );
		$before = md5_file( "$folder/queue.db" );
		$error  = throws( Posthorn\Unavailable::class, fn() => $bed->queue( [], [ 'background' => false ], $folder )->dispatch( 'deal.won', [] ), 'a newer queue' );
		holds( str_contains( $error->getMessage(), 'newer' ) && str_contains( $error->getMessage(), 'reload PHP' ), $error->getMessage() );
		same( $before, md5_file( "$folder/queue.db" ), 'the file' );
		same( '9999', sqlite( "$folder/queue.db", 'PRAGMA user_version' ), 'its version' );
	},

	'a folder that cannot be made or written is refused with a remedy' => function ( Bed $bed ) {
		// Root may write anywhere, so this is another user's.
		$before = 0 === posix_geteuid() ? [ 'setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups' ] : [];
		mkdir( "{$bed->folder}/closed", 0555 );
		// Readable for that user, wherever the checkout is.
		$script = "{$bed->folder}/open.php";
		copy( dirname( __DIR__ ) . '/scripts/open.php', $script );
		$library = "{$bed->folder}/posthorn.so";
		copy( getenv( 'POSTHORN_LIBRARY' ), $library );
		$command = implode( ' ', array_map( 'escapeshellarg', [ ...$before, PHP_BINARY, '-d', "extension=$library", $script, "{$bed->folder}/closed/queue" ] ) );
		exec( "$command 2>&1", $lines );
		holds( 1 === preg_match( '/^Posthorn.Unavailable .*closed.queue.*(own|write)/', $lines[0] ), $lines[0] );
		$file = "{$bed->folder}/file";
		touch( $file );
		$error = throws( Posthorn\Unavailable::class, fn() => Queue::open( "$file/queue" ), 'a folder below a file' );
		holds( str_contains( $error->getMessage(), "$file/queue" ), $error->getMessage() );
	},

	'a new queue can be opened by many at once' => function ( Bed $bed ) {
		// Each process opens new queues in the same order as the others, so they meet.
		$folder   = $bed->queue_folder();
		$children = array_map( fn() => $bed->start( 'open-many', [ $folder, 100 ] ), range( 1, 4 ) );
		foreach ( $children as $child ) {
			$child->wait( 60 );
			same( "opened 100\n", $child->output(), 'what a process says' . $child->errors() );
		}
	},

	'a queue in a deep folder works: socket addresses are short' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder() . str_repeat( '/a-rather-long-name', 8 );
		$queue   = $bed->queue( [ endpoint( $watcher->after( 0 ) ) ], [], $folder );
		$watcher->wait_for_ids( [ $queue->dispatch( 'deal.won', [] ) ] );
		// The second is woken, not polled for.
		$began = microtime( true );
		$watcher->wait_for_ids( [ $queue->dispatch( 'deal.won', [] ) ] );
		holds( microtime( true ) - $began < 0.5, 'woken at once' );
	},

	'sync=full is accepted and delivers' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$queue   = $bed->queue( [ endpoint( $watcher->after( 0 ) ) ], [ 'sync' => 'full' ] );
		$watcher->wait_for_ids( [ $queue->dispatch( 'deal.won', [] ), ...$queue->dispatchMany( [ [ 'deal.lost', [], [] ] ] ) ] );
	},

	'a queue that nobody sends for accepts nothing once a delivery is too old, and says so' => function ( Bed $bed ) {
		$queue = $bed->queue( [ endpoint( 'http://127.0.0.1:9/' ) ], [ 'background' => false, 'max_pending_age' => 1 ] );
		$queue->dispatch( 'deal.won', [] );
		$error = null;
		wait_for( 10, 'it is refused', function () use ( $queue, &$error ) {
			try {
				$queue->dispatch( 'deal.won', [] );
				return false;
			} catch ( Posthorn\Full $full ) {
				$error = $full->getMessage();
				return true;
			}
		} );
		holds( str_contains( $error, 'max_pending_age' ) && str_contains( $error, 'wp posthorn work' ), $error );
	},

	'whoever sends keeps what was delivered for as long as was set last' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$queue   = $bed->queue( [ endpoint( $watcher->after( 0 ) ) ], [ 'keep_delivered' => 1 ], $folder );
		$watcher->wait_for_ids( [ $queue->dispatch( 'deal.won', [] ) ] );
		wait_for( 5, 'it is settled', fn() => 1 === $queue->stats()['delivered'] );
		// The last event is never forgotten.
		$first = $queue->deliveries()[0]['id'];
		$queue->dispatch( 'deal.won', [] );
		wait_for( 10, 'it is forgotten', fn() => ! in_array( $first, array_column( $queue->deliveries(), 'id' ), true ) );
	},

	'a queue that is deleted under a running process is begun anew, and sends' => function ( Bed $bed ) {
		$watcher   = $bed->watcher();
		$folder    = $bed->queue_folder();
		$endpoints = [ endpoint( $watcher->after( 0 ) ) ];
		$queue     = $bed->queue( $endpoints, [], $folder );
		$watcher->wait_for_ids( [ $queue->dispatch( 'deal.won', [] ) ] );
		exec( 'rm -rf ' . escapeshellarg( $folder ) );
		wait_for( 5, 'the file is there again', function () use ( $queue, $endpoints, $folder ) {
			$queue->configure( $endpoints );
			return is_file( "$folder/queue.db" );
		} );
		$watcher->wait_for_ids( [ $queue->dispatch( 'deal.won', [] ) ] );
		wait_for( 5, 'it is settled in the new one', fn() => 1 === $queue->stats()['delivered'] );
	},

	'a full queue refuses with the limit and accepts again below it' => function ( Bed $bed ) {
		$queue = $bed->queue( [ endpoint( 'http://127.0.0.1:9/' ) ], [ 'background' => false, 'max_bytes' => 1 << 20 ] );
		$error = throws( Posthorn\Full::class, function () use ( $queue ) {
			// The size is looked at once a second.
			for ( $until = microtime( true ) + 10; microtime( true ) < $until; ) {
				$queue->dispatch( 'deal.won', [ 'text' => str_repeat( 'x', 50_000 ) ] );
				usleep( 20_000 );
			}
		}, 'a full queue' );
		holds( str_contains( $error->getMessage(), '1048576' ) && str_contains( $error->getMessage(), 'max_bytes' ), $error->getMessage() );
		$pending = $queue->stats()['pending'];
		throws( Posthorn\Full::class, fn() => $queue->dispatchMany( [ [ 'deal.won', [] ] ] ), 'dispatchMany()' );
		same( $pending, $queue->stats()['pending'], 'pending' );
	},

	'background=0 never sends by itself, and work() does' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$queue   = $bed->queue( [ endpoint( $watcher->after( 0 ) ) ], [ 'background' => false ] );
		$id      = $queue->dispatch( 'deal.won', [] );
		// Long enough for a thread that should not be there: one that is sends within milliseconds.
		usleep( 500_000 );
		same( [ 0, false ], [ $watcher->counts()['received'], $queue->stats()['dispatcher'] ], 'requests, dispatcher' );
		same( 1, $queue->work( 0.5 ), 'settled by work()' );
		$watcher->wait_for_ids( [ $id ] );
		$queue->dispatch( 'deal.won', [] );
		// work() keeps the lock a little, for the next call.
		wait_for( 3, 'nobody sends', fn() => ! $queue->stats()['dispatcher'] );
		same( 1, $watcher->counts()['received'] - (int) ( 0 === $queue->stats()['pending'] ), 'requests after work()' );
	},

	'no secret, header value or path of the owner is shown anywhere' => function ( Bed $bed ) {
		$receiver = $bed->receiver( '--secret', 'the-signing-secret' );
		$receiver->behave( 'status', [ 'status' => 500, 'times' => 1 ] );
		$folder   = $bed->queue_folder();
		$headers  = [ 'Authorization' => 'Bearer top-token', 'X-Key' => 'other-token' ];
		$endpoint = endpoint( $receiver->hook, [ 'secret' => 'the-signing-secret', 'headers' => $headers, 'schedule' => [ 0.1 ] ] );
		$queue    = $bed->queue( [ $endpoint, endpoint( 'http://127.0.0.1:9/', [ 'headers' => [ 'X-Key' => 'other-token' ], 'secret' => 'the-signing-secret' ] ) ], [], $folder );
		$queue->dispatch( 'deal.won', [ 'bad' => NAN ] );
		$requests = $receiver->wait_for_requests( 2 );
		same( [ 'Bearer top-token', 'other-token', 'ok' ], [ $requests[0]['headers']['authorization'], $requests[0]['headers']['x-key'], $requests[0]['signature']['state'] ], 'sent' );
		wait_for( 5, 'both are settled', fn() => 1 === $queue->stats()['delivered'] );
		$shown = [ $queue->endpoints(), $queue->stats(), $queue->preview( $endpoint, 'deal.won', [] ), $queue->send( $endpoint, 'deal.won', [] ) ];
		foreach ( $queue->deliveries() as $delivery ) {
			array_push( $shown, $delivery, $queue->delivery( $delivery['id'] ) );
		}
		foreach ( [ [ 'secret' => 7 ], [ 'headers' => [ 'X-Key' => "other-token\n" ] ], [ 'timeout' => 'x' ], [ 'secret' => "the-signing-secret\n" ] ] as $wrong ) {
			$error   = throws( Posthorn\InvalidArgument::class, fn() => $queue->configure( [ $wrong + $endpoint ] ), 'a wrong endpoint' );
			$shown[] = (string) $error->getMessage();
		}
		$shown[] = file_get_contents( "$folder/posthorn.log" );
		ob_start();
		var_dump( $queue );
		print_r( $queue );
		$shown[] = ob_get_clean();
		$text    = shown( 1 ) . json_encode( $shown, JSON_UNESCAPED_SLASHES );
		foreach ( [ 'the-signing-secret', 'top-token', 'other-token' ] as $secret ) {
			holds( ! str_contains( $text, $secret ), "$secret is shown in " . substr( $text, max( 0, strpos( $text, $secret ) - 300 ), 400 ) );
		}
		throws( Exception::class, fn() => serialize( $queue ), 'serialize()' );
	},
];
