<?php
/** The fixed names of the PHP API: they are here because others rely on them. */

declare(strict_types=1);

use Posthorn\Queue;

const DELIVERY_KEYS = [ 'id', 'event_id', 'event', 'record', 'endpoint', 'site', 'state', 'attempts', 'created_at', 'next_attempt_at', 'last_status', 'last_error' ];
const ATTEMPT_KEYS  = [ 'n', 'started_at', 'duration_ms', 'timings', 'status', 'error', 'request_headers', 'request_body', 'response_headers', 'response_body' ];
const ISO_MILLIS    = '/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/';

function has_keys( array $keys, array $found, string $what ): void {
	same( [], array_values( array_diff( $keys, array_keys( $found ) ) ), "keys missing from $what" );
}

function made_by_new(): bool {
	try {
		new Queue();
		return true;
	} catch ( Throwable ) {
		return false;
	}
}

return [
	'Queue is final and made by open() alone' => function () {
		$class = new ReflectionClass( Queue::class );
		holds( $class->isFinal(), 'Queue is final' );
		holds( null === $class->getConstructor() || ! made_by_new(), 'new Queue() is refused' );
		holds( $class->getMethod( 'open' )->isStatic(), 'open() is static' );
		$methods = [
			'open', 'configure', 'revision', 'dispatch', 'dispatchMany', 'send', 'preview', 'deliveries', 'delivery', 'stats', 'work',
			'pause', 'paused', 'endpoints', 'resume',
		];
		foreach ( $methods as $method ) {
			holds( $class->hasMethod( $method ), "Queue::$method exists" );
		}
		$names = fn( string $method ) => array_map( fn( $parameter ) => $parameter->name, $class->getMethod( $method )->getParameters() );
		same( [ 'directory', 'options' ], $names( 'open' ), 'the arguments of open()' );
		same( [ 'endpoints', 'site', 'revision' ], $names( 'configure' ), 'the arguments of configure()' );
		same( [ 'event', 'data', 'context' ], $names( 'dispatch' ), 'the arguments of dispatch()' );
		same( [ 'events' ], $names( 'dispatchMany' ), 'the arguments of dispatchMany()' );
		same( [ 'endpoint', 'event', 'data', 'context' ], $names( 'send' ), 'the arguments of send()' );
		same( [ 'endpoint', 'event', 'data', 'context' ], $names( 'preview' ), 'the arguments of preview()' );
		same( [ 'filter' ], $names( 'deliveries' ), 'the arguments of deliveries()' );
		same( [ 'seconds' ], $names( 'work' ), 'the arguments of work()' );
	},

	'every exception is a RuntimeException' => function () {
		same( RuntimeException::class, get_parent_class( Posthorn\Exception::class ), 'the parent of Exception' );
		foreach ( [ 'InvalidArgument', 'Unavailable', 'Full' ] as $name ) {
			same( Posthorn\Exception::class, get_parent_class( "Posthorn\\$name" ), "the parent of $name" );
		}
	},

	'the settings have the documented defaults and only php.ini changes them' => function () {
		$defaults = [ 'background' => '1', 'data_dir' => '/var/lib/posthorn', 'max_concurrency' => '32', 'sync' => 'normal' ];
		foreach ( $defaults as $name => $value ) {
			same( $value, ini_get( "posthorn.$name" ), "posthorn.$name" );
			same( false, @ini_set( "posthorn.$name", '7' ), "a page sets posthorn.$name" );
		}
		same( count( $defaults ), count( ini_get_all( 'posthorn' ) ), 'number of settings' );
	},

	'keep_sending() says whether this process has the queue' => function ( Bed $bed ) {
		$folder = $bed->queue_folder();
		same( false, Posthorn\keep_sending( $folder ), 'before it is opened' );
		Queue::open( $folder );
		same( true, Posthorn\keep_sending( $folder ), 'after' );
		same( false, Posthorn\keep_sending( $bed->queue_folder() ), 'of another' );
	},

	'an option of open() wins over the setting' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		// The setting says no thread, the option says yes.
		$endpoints = json_encode( [ endpoint( $watcher->after( 0 ) ) ] );
		$ids       = explode( "\n", trim( $bed->run( 'dispatch', [ $folder, $endpoints, 3, '{"background":true}' ], [ 'posthorn.background' => '0' ] ) ) );
		$watcher->wait_for_ids( $ids );
		// And the other way round.
		$folder = $bed->queue_folder();
		$bed->run( 'dispatch', [ $folder, $endpoints, 3, '{"background":false}' ], [ 'posthorn.background' => '1' ] );
		same( 3, $watcher->counts()['received'], 'requests' );
	},

	'a wrong setting of php.ini is refused by its name' => function ( Bed $bed ) {
		$error = fn( array $ini ) => $bed->run( 'open', [ $bed->queue_folder() ], $ini );
		holds( str_starts_with( $error( [ 'posthorn.sync' => 'maybe' ] ), 'Posthorn\InvalidArgument posthorn.sync: ' ), 'sync' );
		holds( str_starts_with( $error( [ 'posthorn.max_concurrency' => '0' ] ), 'Posthorn\InvalidArgument posthorn.max_concurrency: ' ), 'concurrency 0' );
		holds( str_starts_with( $error( [ 'posthorn.max_concurrency' => 'lots' ] ), 'Posthorn\InvalidArgument posthorn.max_concurrency: ' ), 'concurrency lots' );
		same( 'opened', $error( [ 'posthorn.sync' => 'full', 'posthorn.max_concurrency' => '256' ] ), 'good settings' );
	},

	'a wrong argument of open() is named' => function ( Bed $bed ) {
		$open = fn( array $options ) => fn() => Queue::open( $bed->queue_folder(), $options );
		refuses( 'directory', fn() => Queue::open( 'here/there' ), 'absolute' );
		refuses( 'directory', fn() => Queue::open( '' ) );
		refuses( 'options.background', $open( [ 'background' => 'yes' ] ) );
		refuses( 'options.sync', $open( [ 'sync' => 'sometimes' ] ), 'normal' );
		refuses( 'options.sync', $open( [ 'sync' => 3 ] ) );
		refuses( 'options.max_concurrency', $open( [ 'max_concurrency' => 0 ] ), '256' );
		refuses( 'options.max_concurrency', $open( [ 'max_concurrency' => 257 ] ) );
		refuses( 'options.max_data_bytes', $open( [ 'max_data_bytes' => -1 ] ) );
		refuses( 'options.max_bytes', $open( [ 'max_bytes' => 1 ] ), '1048576' );
		refuses( 'options.max_pending_age', $open( [ 'max_pending_age' => 0 ] ) );
		refuses( 'options.keep_delivered', $open( [ 'keep_delivered' => 'long' ] ), 'number' );
		refuses( 'options.keep_dead', $open( [ 'keep_dead' => 1 << 40 ] ) );
		refuses( 'options.colour', $open( [ 'colour' => 'red' ] ), 'known' );
		same( [], glob( "{$bed->folder}/queue*" ), 'folders made by refused calls' );
	},

	'open() gives one queue per directory and process' => function ( Bed $bed ) {
		$folder = $bed->queue_folder();
		$one    = $bed->queue( [], [], $folder );
		$other  = $bed->queue( [], [], $folder );
		$one->configure( [ endpoint( 'http://127.0.0.1:9/', [ 'enabled' => false ] ) ], '', 4 );
		same( 4, $other->revision(), 'the revision seen by the other' );
		$threads = array_map( fn( $file ) => trim( file_get_contents( $file ) ), glob( '/proc/self/task/*/comm' ) );
		same( 1, count( array_keys( $threads, 'posthorn', true ) ), 'background threads' );
	},

	'configure() replaces a site\'s endpoints, and only with a higher revision' => function ( Bed $bed ) {
		$queue = $bed->queue( [], [ 'background' => false ] );
		$urls  = fn( string $site = '' ) => array_column( $queue->endpoints( $site ), 'url' );
		same( null, $queue->revision(), 'the revision of a site that is not known' );
		$queue->configure( [ endpoint( 'http://127.0.0.1:9/a' ), endpoint( 'http://127.0.0.1:9/b' ) ], '', 5 );
		$queue->configure( [ endpoint( 'http://127.0.0.1:9/other' ) ], '2', 1 );
		same( 5, $queue->revision(), 'the revision' );
		same( [ 'http://127.0.0.1:9/a', 'http://127.0.0.1:9/b' ], $urls(), 'the endpoints' );
		$queue->configure( [ endpoint( 'http://127.0.0.1:9/stale' ) ], '', 5 );
		$queue->configure( [ endpoint( 'http://127.0.0.1:9/stale' ) ], '', 4 );
		same( [ 'http://127.0.0.1:9/a', 'http://127.0.0.1:9/b' ], $urls(), 'the endpoints after stale revisions' );
		$queue->configure( [ endpoint( 'http://127.0.0.1:9/c' ) ], '', 6 );
		same( [ 'http://127.0.0.1:9/c' ], $urls(), 'the endpoints after a newer revision' );
		same( [ 'http://127.0.0.1:9/other' ], $urls( '2' ), 'the other site\'s endpoints' );
		$queue->configure( [] );
		same( [], $urls(), 'the endpoints without a revision' );
	},

	'a wrong endpoint is named by its place and key, and nothing changes' => function ( Bed $bed ) {
		$queue = $bed->queue( [ endpoint( 'http://127.0.0.1:9/kept' ) ], [ 'background' => false ] );
		$with  = fn( array $more ) => fn() => $queue->configure( [ endpoint( 'http://127.0.0.1:9/good' ), endpoint( 'http://127.0.0.1:9/bad', $more ) ] );
		$urls  = [
			'no url at all', 'ftp://example.com/', 'http://user:pass@example.com/', "http://example.com/\x07", 'http://exa mple.com/', '', '//example.com', 'http://', 7,
			"https://example.com/\nx",
		];
		foreach ( $urls as $url ) {
			refuses( 'endpoints[1].url', $with( [ 'url' => $url ] ) );
		}
		$wrong = [
			'events' => [ 'deal.one' ], 'format' => 'nosuch', 'secret' => 7, 'timeout' => -1, 'schedule' => 'soon', 'max_concurrency' => 0,
			'rate_per_second' => -3, 'headers' => [ "X\nY" => 'z' ], 'ordered' => 'yes', 'enabled' => 3, 'allow_private' => 'maybe', 'max_age' => -1,
			'ca' => 'relative.pem', 'proxy' => 'nonsense', 'filters' => [ 'a' ], 'nonsense' => 1,
		];
		foreach ( $wrong as $key => $value ) {
			$message = throws( Posthorn\InvalidArgument::class, $with( [ $key => $value ] ), $key )->getMessage();
			holds( str_starts_with( $message, "endpoints[1].$key" ), "the message names endpoints[1].$key: $message" );
		}
		refuses( 'endpoints[1].secret', $with( [ 'secret' => "two\nlines" ] ), 'line break' );
		$long = refuses( 'endpoints[1].secret', $with( [ 'secret' => str_repeat( 'geheim', 2000 ) ] ) );
		holds( ! str_contains( $long, 'geheim' ), 'the message shows nothing of the secret' );
		refuses( 'endpoints[1].id', fn() => $queue->configure( [ endpoint( 'http://127.0.0.1:9/1', [ 'id' => 'x' ] ), endpoint( 'http://127.0.0.1:9/2', [ 'id' => 'x' ] ) ] ) );
		throws( Posthorn\InvalidArgument::class, fn() => $queue->configure( [ 'url' => 'http://127.0.0.1:9/' ] ), 'an endpoint instead of a list' );
		throws( Posthorn\InvalidArgument::class, fn() => $queue->configure( [ 'http://127.0.0.1:9/' ] ), 'a string instead of an endpoint' );
		same( [ 'http://127.0.0.1:9/kept' ], array_column( $queue->endpoints(), 'url' ), 'the endpoints' );
	},

	'a wrong argument of dispatch() is named, and nothing is queued' => function ( Bed $bed ) {
		$queue = $bed->queue( [ endpoint( 'http://127.0.0.1:9/' ) ], [ 'background' => false, 'max_data_bytes' => 1024 ] );
		refuses( 'event', fn() => $queue->dispatch( 'deal.wonn', [] ), 'deal.won' );
		refuses( 'event', fn() => $queue->dispatch( '', [] ) );
		refuses( 'data', fn() => $queue->dispatch( 'deal.won', [ 1, 2 ] ), 'named keys' );
		refuses( 'data', fn() => $queue->dispatch( 'deal.won', [ 'text' => str_repeat( 'x', 1024 ) ] ), 'max_data_bytes' );
		refuses( 'context.recrod', fn() => $queue->dispatch( 'deal.won', [], [ 'recrod' => 'deal:1' ] ), 'record' );
		refuses( 'context.record', fn() => $queue->dispatch( 'deal.won', [], [ 'record' => [ 1 ] ] ) );
		refuses( 'context.occurred_at', fn() => $queue->dispatch( 'deal.won', [], [ 'occurred_at' => 'yesterday' ] ) );
		refuses( 'context.source', fn() => $queue->dispatch( 'deal.won', [], [ 'source' => 'ghost' ] ), 'cron' );
		refuses( 'context.user', fn() => $queue->dispatch( 'deal.won', [], [ 'user' => 'Ann' ] ) );
		$good = [ 'deal.won', [ 'id' => 1 ], [] ];
		$wrong = [
			'events[1].event'          => [ 'deal.wonn', [], [] ],
			'events[1].data'           => [ 'deal.won', [ 1 ], [] ],
			'events[1].context.record' => [ 'deal.won', [], [ 'record' => false ] ],
		];
		foreach ( $wrong as $key => $bad ) {
			refuses( $key, fn() => $queue->dispatchMany( [ $good, $bad ] ) );
		}
		refuses( 'events[1]', fn() => $queue->dispatchMany( [ $good, 'deal.won' ] ) );
		refuses( 'events[1]', fn() => $queue->dispatchMany( [ $good, [ 'deal.won' ] ] ) );
		throws( TypeError::class, fn() => $queue->dispatch( 'deal.won', 'text' ), 'data that is no array' );
		same( 0, $queue->stats()['pending'], 'pending' );
	},

	'filters decide at acceptance, and try_filters() says beforehand what they will' => function ( Bed $bed ) {
		$filters = [ 'contact.leadScore' => [ 'gte' => 70 ], 'status' => [ 'in' => [ 'Active', 'Hot' ] ] ];
		$queue   = $bed->queue( [ endpoint( 'http://127.0.0.1:9/', [ 'filters' => $filters ] ) ], [ 'background' => false ] );
		$events  = [
			[ 'contact.created', [ 'leadScore' => 70, 'status' => 'Hot' ] ],
			[ 'contact.created', [ 'leadScore' => '70.5', 'status' => 'Active' ] ],
			[ 'contact.created', [ 'leadScore' => 69, 'status' => 'Hot' ] ],
			[ 'contact.created', [ 'status' => 'Hot' ] ],
			[ 'test', [] ],
		];
		$tried = Posthorn\try_filters( $filters, $events );
		same( [ 'warnings' => [], 'passes' => [ true, true, false, false, true ] ], $tried, 'what would pass' );
		$queue->dispatchMany( $events );
		same( 3, $queue->stats()['pending'], 'pending' );
		$tried = Posthorn\try_filters( [ 'a' => [ 'gtt' => 1 ], 'b' => 1, 'c' => [] ] );
		same( [ 'a', 'c' ], array_column( $tried['warnings'], 'field' ), 'fields with a warning' );
		holds( str_contains( $tried['warnings'][0]['why'], "'gtt'" ), 'the warning names the operator' );
		refuses( 'filters', fn() => Posthorn\try_filters( [ 'status' ] ), 'a list' );
		refuses( 'events[1].event', fn() => Posthorn\try_filters( [], [ [ 'deal.won', [] ], [ 'deal.wonn', [] ] ] ) );
		refuses( 'events[0]', fn() => Posthorn\try_filters( [], [ 'deal.won' ] ) );
	},

	'cancel() ends what waits, and replay() makes it pending again' => function ( Bed $bed ) {
		$queue = $bed->queue( [ endpoint( 'http://127.0.0.1:9/' ) ], [ 'background' => false ] );
		foreach ( [ 1, 2, 3 ] as $n ) {
			$queue->dispatch( 'deal.won', [ 'n' => $n ], [ 'record' => "deal:$n" ] );
		}
		same( 1, $queue->cancel( [ 'record' => 'deal:1' ] ), 'cancelled by record' );
		same( 2, $queue->cancel( [ 'event' => 'deal.won' ] ), 'cancelled by event' );
		same( 0, $queue->replay( [ 'record' => 'deal:1' ] ), 'replayed without naming the state' );
		$id = $queue->deliveries( [ 'record' => 'deal:1' ] )[0]['id'];
		same( 1, $queue->replay( [ 'id' => $id ] ), 'replayed by id' );
		same( 'pending', $queue->delivery( $id )['state'], 'its state' );
		same( [ 1, 2, 3, 3 ], [ $queue->count( [ 'state' => 'pending' ] ), $queue->count( [ 'event' => 'deal.won', 'state' => 'cancelled', 'limit' => 1 ] ), $queue->count(), $queue->count( [ 'endpoint' => $queue->endpoints()[0]['id'] ] ) ], 'counted' );
		same( 2, $queue->replay( [ 'state' => 'cancelled' ] ), 'replayed by state' );
		foreach ( [ 'replay', 'cancel' ] as $method ) {
			refuses( 'filter', fn() => $queue->$method( [] ), 'name at least one of' );
			refuses( 'filter', fn() => $queue->$method( [ 'limit' => 5 ] ), 'name at least one of' );
			refuses( 'filter.state', fn() => $queue->$method( [ 'state' => 'replay' === $method ? 'pending' : 'dead' ] ) );
			refuses( 'filter.nonsense', fn() => $queue->$method( [ 'nonsense' => 1 ] ) );
			refuses( 'filter', fn() => $queue->$method( [ 'dead' ] ), 'named keys' );
		}
		same( 3, $queue->stats()['pending'], 'pending' );
	},

	'a format of one\'s own is an array or TOML, and formats() tells all about Posthorn\'s' => function ( Bed $bed ) {
		$queue   = $bed->queue( [], [ 'background' => false ] );
		$formats = array_column( Posthorn\formats(), null, 'name' );
		$mine    = [ 'name' => 'mine', 'title' => 'Mine', 'headers' => [ [ 'name' => 'X-Mine', 'value' => '{event} {ts}' ] ] ] + $formats['github']['definition'];
		$mine['signature'] = [ 'header' => 'X-Mine-Signature', 'signed' => '{ts}|{body}', 'each' => 'v0={base64}' ];
		$at      = time();
		$preview = $queue->preview( [ 'url' => 'https://a.example/', 'format' => $mine, 'secret' => 's' ], 'deal.won', [ 'id' => 1 ] );
		[ $event, $ts ] = explode( ' ', $preview['headers']['X-Mine'] );
		holds( 'deal.won' === $event && abs( $ts - $at ) < 5, $preview['headers']['X-Mine'] );
		same( 'v0=' . base64_encode( hash_hmac( 'sha256', "$ts|{$preview['body']}", 's', true ) ), $preview['headers']['X-Mine-Signature'], 'signature' );
		$queue->configure( [ endpoint( 'http://127.0.0.1:9/', [ 'format' => $mine ] ) ] );
		$queue->dispatch( 'deal.won', [] );
		same( 1, $queue->stats()['pending'], 'pending' );
		foreach ( glob( dirname( __DIR__, 3 ) . '/src/formats/*.toml' ) as $file ) {
			$toml = preg_replace( '/^name = .*/m', 'name = "again"', file_get_contents( $file ) );
			$body = fn( $format ) => $queue->preview( [ 'url' => 'https://a.example/', 'format' => $format ], 'deal.won', [ 'id' => 1 ], [ 'occurred_at' => '2026-04-17T12:34:56Z' ] )['body'];
			same( preg_replace( '/evt_\w+/', '', $body( basename( $file, '.toml' ) ) ), preg_replace( '/evt_\w+/', '', $body( $toml ) ), $file );
		}
		$with = fn( array $other ) => fn() => $queue->configure( [ endpoint( 'http://127.0.0.1:9/', [ 'format' => array_replace_recursive( $mine, $other ) ] ) ] );
		refuses( 'endpoints[0].format.name', $with( [ 'name' => 'github' ] ), "Posthorn's own" );
		refuses( 'endpoints[0].format.body[1].value', $with( [ 'body' => [ 1 => [ 'value' => 'times' ] ] ] ), 'times' );
		refuses( 'endpoints[0].format.headers[0].name', $with( [ 'headers' => [ [ 'name' => 'Host' ] ] ] ) );
		refuses( 'endpoints[0].format.signature.each', $with( [ 'signature' => [ 'each' => '{hex' ] ] ), 'brace' );
		same( 1, count( $queue->endpoints() ), 'a bad one changes nothing' );
	},

	'dispatchMany() accepts all and returns their ids in order' => function ( Bed $bed ) {
		$queue = $bed->queue( [ endpoint( 'http://127.0.0.1:9/' ) ], [ 'background' => false ] );
		$ids   = $queue->dispatchMany( array_map( fn( $n ) => [ 'deal.won', [ 'n' => $n ], [ 'record' => "deal:$n" ] ], range( 1, 50 ) ) );
		same( 50, count( array_unique( $ids ) ), 'different ids' );
		foreach ( $ids as $id ) {
			holds( 1 === preg_match( '/^evt_[0-9a-f]{32}$/', $id ), "the form of $id" );
		}
		$deliveries = $queue->deliveries( [ 'limit' => 50 ] );
		same( 50, count( array_intersect( $ids, array_column( $deliveries, 'event_id' ) ) ), 'deliveries of these ids' );
		same( [], $queue->dispatchMany( [] ), 'ids of nothing' );
		same( [ 50 ], [ $queue->stats()['pending'] ], 'pending' );
		// Neither context nor named keys are needed.
		same( 1, count( $queue->dispatchMany( [ [ 'deal.won', [] ] ] ) ), 'ids' );
	},

	'deliveries, attempts, previews and counts have the documented keys' => function ( Bed $bed ) {
		$receiver = $bed->receiver( '--secret', 'k' );
		$queue    = $bed->queue( [ endpoint( $receiver->hook, [ 'secret' => 'k', 'id' => 'mine' ] ) ] );
		$id       = $queue->dispatch( 'deal.won', [ 'id' => 7, 'title' => 'Häuser/Straße' ], [ 'record' => 'deal:7', 'site_url' => 'https://site.example/' ] );
		$list     = wait_for( 10, 'the delivery is settled', fn() => $queue->deliveries( [ 'state' => 'delivered' ] ) );
		same( 1, count( $list ), 'deliveries' );
		has_keys( DELIVERY_KEYS, $list[0], 'a delivery' );
		$expected = [
			'event_id' => $id, 'event' => 'deal.won', 'record' => 'deal:7', 'endpoint' => 'mine', 'site' => '', 'state' => 'delivered', 'attempts' => 1, 'last_status' => 200,
			'last_error' => null, 'next_attempt_at' => null,
		];
		foreach ( $expected as $key => $value ) {
			same( $value, $list[0][ $key ], $key );
		}
		holds( 1 === preg_match( ISO_MILLIS, $list[0]['created_at'] ), 'the form of created_at' );
		$delivery = $queue->delivery( $list[0]['id'] );
		has_keys( [ ...DELIVERY_KEYS, 'data', 'attempts_log', 'source', 'user_id' ], $delivery, 'delivery()' );
		same( [ 'id' => 7, 'title' => 'Häuser/Straße' ], $delivery['data'], 'data' );
		same( 1, count( $delivery['attempts_log'] ), 'attempts' );
		$attempt = $delivery['attempts_log'][0];
		has_keys( ATTEMPT_KEYS, $attempt, 'an attempt' );
		same( [ 1, 200, null ], [ $attempt['n'], $attempt['status'], $attempt['error'] ], 'n, status, error' );
		holds( 1 === preg_match( ISO_MILLIS, $attempt['started_at'] ), 'the form of started_at' );
		holds( $attempt['duration_ms'] > 0 && $attempt['duration_ms'] < 5000, 'duration_ms in milliseconds' );
		holds( is_array( $attempt['timings'] ) && is_array( $attempt['request_headers'] ) && is_array( $attempt['response_headers'] ), 'arrays' );
		$request = $receiver->requests()[0];
		same( $request['body'], $attempt['request_body'], 'the stored body' );
		same( '{"received":true}', $attempt['response_body'], 'the stored answer' );
		same( $id, $request['headers']['webhook-id'], 'Webhook-Id' );

		$endpoint = endpoint( $receiver->hook, [ 'secret' => 'k' ] );
		$preview  = $queue->preview( $endpoint, 'deal.won', [ 'id' => 7 ] );
		same( [ 'url', 'headers', 'body' ], array_keys( $preview ), 'keys of preview()' );
		same( $receiver->hook, $preview['url'], 'url' );
		same( 7, json_decode( $preview['body'], true )['data']['id'], 'the body previewed' );
		same( 'application/json', array_change_key_case( $preview['headers'] )['content-type'], 'content type' );

		$sent = $queue->send( $endpoint, 'deal.won', [ 'id' => 8 ] );
		has_keys( [ ...ATTEMPT_KEYS, 'ok' ], $sent, 'send()' );
		same( [ true, 200 ], [ $sent['ok'], $sent['status'] ], 'ok, status' );
		$test = $receiver->wait_for_requests( 2 )[1];
		same( [ true, 'ok' ], [ $test['test'], $test['signature']['state'] ], 'Webhook-Test, signature' );

		$stats = $queue->stats();
		has_keys( [ 'pending', 'delivered', 'dead', 'cancelled', 'oldest_pending_s', 'dispatcher', 'bytes' ], $stats, 'stats()' );
		$counted = array_map( fn( $key ) => $stats[ $key ], [ 'pending', 'delivered', 'dead', 'cancelled', 'oldest_pending_s', 'dispatcher' ] );
		same( [ 0, 1, 0, 0, null, true ], $counted, 'counts: what was sent at once is not queued' );
		holds( $stats['bytes'] > 0, 'bytes' );
	},

	'a wrong argument of send() and preview() is named' => function ( Bed $bed ) {
		$queue = $bed->queue( [], [ 'background' => false ] );
		foreach ( [ 'send', 'preview' ] as $method ) {
			$call = fn( array $endpoint, string $event = 'test', array $data = [], array $context = [] ) => fn() => $queue->$method( $endpoint, $event, $data, $context );
			refuses( 'url', $call( [] ) );
			refuses( 'url', $call( [ 'url' => 'gopher://x/' ] ) );
			refuses( 'event', $call( endpoint( 'http://127.0.0.1:9/' ), 'no.event' ) );
			refuses( 'data', $call( endpoint( 'http://127.0.0.1:9/' ), 'test', [ fn() => 1 ] ) );
			refuses( 'context.x', $call( endpoint( 'http://127.0.0.1:9/' ), 'test', [], [ 'x' => 1 ] ) );
		}
		$sent = $queue->send( endpoint( 'http://127.0.0.1:9/' ), 'test', [] );
		same( [ false, null ], [ $sent['ok'], $sent['status'] ], 'a refused connection: ok, status' );
		holds( str_contains( $sent['error'], 'connection refused' ), $sent['error'] );
	},

	'a filter narrows what deliveries() shows, and a wrong one is named' => function ( Bed $bed ) {
		$queue = $bed->queue( [ endpoint( 'http://127.0.0.1:9/', [ 'id' => 'one' ] ), endpoint( 'http://127.0.0.1:9/', [ 'id' => 'two' ] ) ], [ 'background' => false ] );
		$id    = $queue->dispatch( 'deal.won', [], [ 'record' => 'deal:1' ] );
		$queue->dispatch( 'deal.lost', [], [ 'record' => 'deal:2' ] );
		$count = fn( array $filter ) => count( $queue->deliveries( $filter ) );
		same( [ 4, 2, 2, 2, 2, 4, 0, 1 ], array_map( $count, [
			[], [ 'event_id' => $id ], [ 'event' => 'deal.lost' ], [ 'record' => 'deal:1' ], [ 'endpoint' => 'two' ], [ 'state' => 'pending' ], [ 'state' => 'dead' ], [ 'limit' => 1 ],
		] ), 'rows' );
		$all = $queue->deliveries();
		same( array_slice( $all, 1 ), $queue->deliveries( [ 'before' => $all[0]['id'] ] ), 'the next page' );
		same( [ $all[2] ], $queue->deliveries( [ 'id' => $all[2]['id'] ] ), 'by id' );
		same( [ 0, 4 ], [ $count( [ 'until' => '2020-01-01T00:00:00Z' ] ), $count( [ 'since' => '2020-01-01T00:00:00Z' ] ) ], 'by time' );
		foreach ( [ 'state' => 'asleep', 'limit' => 0, 'id' => '7', 'since' => 'monday', 'event_id' => 'evt_7', 'who' => 1 ] as $key => $value ) {
			refuses( "filter.$key", fn() => $queue->deliveries( [ $key => $value ] ) );
		}
		refuses( 'id', fn() => $queue->delivery( '01a1fc7a-b323-7a21-972a-12b31178af46' ) );
		refuses( 'id', fn() => $queue->delivery( 'x' ) );
		refuses( 'seconds', fn() => $queue->work( -1.0 ) );
		refuses( 'seconds', fn() => $queue->work( NAN ) );
	},

	'a paused site sends nothing and loses nothing' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$queue   = $bed->queue();
		foreach ( [ '', 'other' ] as $site ) {
			$queue->configure( [ endpoint( $watcher->after( 0, $site ?: 'main' ) ) ], $site );
		}
		$queue->pause( '', true );
		same( [ true, false ], [ $queue->paused( '' ), $queue->paused( 'other' ) ], 'paused' );
		$ids = [ $queue->dispatch( 'deal.won', [] ), $queue->dispatch( 'deal.won', [] ) ];
		$by  = $queue->dispatch( 'deal.won', [], [ 'site' => 'other' ] );
		$watcher->wait_for_ids( [ $by ] );
		wait_for( 2, 'the other site\'s delivery is settled', fn() => 0 === $queue->stats( 'other' )['pending'] );
		same( 2, $queue->stats( '' )['pending'], 'waiting' );
		same( 1, $watcher->counts()['received'], 'requests' );
		$queue->pause( '', false );
		$watcher->wait_for_ids( [ ...$ids, $by ] );
	},
];
