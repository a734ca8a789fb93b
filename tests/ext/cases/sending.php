<?php
/** Attempts, schedules, answers, lanes and order, from dispatch() in PHP to what a receiver sees. */

declare(strict_types=1);

/** Milliseconds since 1970 of a time that the API gave. */
function ms( string $iso ): int {
	return (int) round( 1000 * (float) ( new DateTimeImmutable( $iso ) )->format( 'U.v' ) );
}

/** Waits until the queue's only delivery is as `$is` wants it, and returns it. */
function delivery_that( Posthorn\Queue $queue, string $what, callable $is, float $seconds = 10 ): array {
	return wait_for( $seconds, fn() => "$what; it is " . shown( $queue->deliveries() ), function () use ( $queue, $is ) {
		$delivery = $queue->deliveries()[0] ?? null;
		return $delivery && $is( $delivery ) ? $delivery : null;
	} );
}

return [
	'by default the next attempt is exactly 300 s after the settlement' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$receiver->behave( 'refuse' );
		$queue = $bed->queue( [ endpoint( $receiver->hook ) ] );
		$queue->dispatch( 'deal.won', [] );
		$delivery = delivery_that( $queue, 'an attempt is settled', fn( $one ) => 1 === $one['attempts'] );
		same( 300_000, ms( $delivery['next_attempt_at'] ) - ms( $delivery['settled_at'] ), 'next_attempt_at minus settled_at, in ms' );
		same( [ 'pending', null ], [ $delivery['state'], $delivery['last_status'] ], 'state, status' );
		holds( str_contains( $delivery['last_error'], 'connection refused' ), $delivery['last_error'] );
	},

	'three attempts on schedule with one body and id, then a dead letter' => function ( Bed $bed ) {
		$receiver = $bed->receiver( '--secret', 's' );
		$receiver->behave( 'status', [ 'status' => 503 ] );
		$queue = $bed->queue( [ endpoint( $receiver->hook, [ 'schedule' => [ 0.4, 0.7 ], 'secret' => 's' ] ) ] );
		$id    = $queue->dispatch( 'deal.won', [ 'id' => 7 ] );
		$delivery = delivery_that( $queue, 'the delivery dies', fn( $one ) => 'dead' === $one['state'] );
		same( [ 3, 503, null ], [ $delivery['attempts'], $delivery['last_status'], $delivery['next_attempt_at'] ], 'attempts, status, next' );
		$requests = $receiver->requests();
		same( [ 1, 2, 3 ], array_column( $requests, 'attempt' ), 'Webhook-Attempt' );
		same( [ $id, $id, $id ], array_column( $requests, 'id' ), 'Webhook-Id' );
		same( 1, count( array_unique( array_column( $requests, 'body' ) ) ), 'different bodies' );
		same( 1, count( array_unique( array_column( $requests, 'sequence' ) ) ), 'different sequences' );
		same( [ 'ok' ], array_unique( array_column( array_column( $requests, 'signature' ), 'state' ) ), 'signatures' );
		$log = $queue->delivery( $delivery['id'] )['attempts_log'];
		same( [ 1, 2, 3 ], array_column( $log, 'n' ), 'attempts stored' );
		foreach ( [ 400, 700 ] as $n => $delay ) {
			$pause = ms( $log[ $n + 1 ]['started_at'] ) - ms( $log[ $n ]['started_at'] );
			holds( $pause >= $delay && $pause < $delay + 400, "pause " . ( $n + 1 ) . " is $pause ms" );
		}
		same( 1, $queue->stats()['dead'], 'dead' );
	},

	'a retry that succeeds ends it' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$receiver->behave( 'reset', [ 'times' => 1 ] );
		$queue = $bed->queue( [ endpoint( $receiver->hook, [ 'schedule' => [ 0.2, 0.2 ] ] ) ] );
		$queue->dispatch( 'deal.won', [] );
		$delivery = delivery_that( $queue, 'it is delivered', fn( $one ) => 'delivered' === $one['state'] );
		same( [ 2, 200, null ], [ $delivery['attempts'], $delivery['last_status'], $delivery['last_error'] ], 'attempts, status, error' );
	},

	'a delay of zero is no reason to stop' => function ( Bed $bed ) {
		$queue = $bed->queue( [ endpoint( 'http://127.0.0.1:9/', [ 'schedule' => [ 0, 0 ] ] ) ] );
		$queue->dispatch( 'deal.won', [] );
		$delivery = delivery_that( $queue, 'the delivery dies', fn( $one ) => 'dead' === $one['state'], 5 );
		same( 3, $delivery['attempts'], 'attempts' );
	},

	'the schedule goes on in another process after the first is gone' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$receiver->behave( 'refuse' );
		$folder = $bed->queue_folder();
		$bed->run( 'dispatch-and-wait', [ $folder, json_encode( [ endpoint( $receiver->hook, [ 'schedule' => [ 1.5 ] ] ) ] ) ] );
		$receiver->behave( 'ok' );
		$queue    = $bed->queue( [], [], $folder );
		$delivery = delivery_that( $queue, 'it is delivered', fn( $one ) => 'delivered' === $one['state'] );
		same( 2, $delivery['attempts'], 'attempts' );
		$log   = $queue->delivery( $delivery['id'] )['attempts_log'];
		$pause = ms( $log[1]['started_at'] ) - ms( $log[0]['started_at'] );
		holds( $pause >= 1500 && $pause < 2500, "the pause is $pause ms" );
	},

	'429 uses up no attempt and pauses for Retry-After' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$receiver->behave( 'status', [ 'status' => 429, 'times' => 1, 'headers' => [ 'retry-after' => '1' ] ] );
		$queue = $bed->queue( [ endpoint( $receiver->hook, [ 'schedule' => [] ] ) ] );
		$queue->dispatch( 'deal.won', [ 'n' => 1 ] );
		delivery_that( $queue, 'the answer is noted', fn( $one ) => 429 === $one['last_status'] );
		$paused = ms( $queue->endpoints()[0]['paused_until'] ) - microtime( true ) * 1000;
		holds( $paused > 300 && $paused <= 1000, "the endpoint is paused for $paused ms" );
		$queue->dispatch( 'deal.won', [ 'n' => 2 ] );
		$requests = $receiver->wait_for_requests( 3 );
		same( [ 1, 1, 1 ], array_column( $requests, 'attempt' ), 'Webhook-Attempt' );
		$pause = ms( $requests[1]['received_at'] ) - ms( $requests[0]['received_at'] );
		holds( $pause >= 990 && $pause < 1500, "the pause is $pause ms, also for what came meanwhile" );
		wait_for( 5, 'both are delivered', fn() => 2 === $queue->stats()['delivered'] );
		same( [ 1, 1 ], array_column( $queue->deliveries(), 'attempts' ), 'attempts' );
	},

	'five failures in a row open the circuit breaker until the owner resumes' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$receiver->behave( 'status', [ 'status' => 500 ] );
		$queue = $bed->queue( [ endpoint( $receiver->hook, [ 'circuit_breaker' => true, 'schedule' => [ 0.05, 0.05, 0.05, 0.05, 0.05, 0.05 ] ] ) ] );
		$queue->dispatch( 'deal.won', [ 'n' => 1 ] );
		wait_for( 5, 'it is open', fn() => 'open' === $queue->endpoints()[0]['circuit'] );
		$state = $queue->endpoints()[0];
		same( [ 5, null, null ], [ $state['failures'], $state['last_success_at'], $state['suspended'] ], 'what is known of the receiver' );
		holds( ms( $state['circuit_open_until'] ) - microtime( true ) * 1000 > 55000, 'for a minute: ' . shown( $state ) );
		holds( null !== $state['failing_since'] && null !== $state['last_failure_at'], 'since when: ' . shown( $state ) );
		$queue->dispatch( 'deal.won', [ 'n' => 2 ] );
		$receiver->behave( 'ok' );
		holds( $queue->resume( $state['id'] ), 'the owner resumes' );
		wait_for( 5, 'both are delivered', fn() => 2 === $queue->stats()['delivered'] );
		same( [ 'closed', 0, null ], [ $queue->endpoints()[0]['circuit'], $queue->endpoints()[0]['failures'], $queue->endpoints()[0]['failing_since'] ], 'closed again' );
	},

	'429 without Retry-After pauses for a second, then two' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$receiver->behave( 'status', [ 'status' => 429, 'times' => 2 ] );
		$queue = $bed->queue( [ endpoint( $receiver->hook, [ 'schedule' => [] ] ) ] );
		$queue->dispatch( 'deal.won', [] );
		$requests = $receiver->wait_for_requests( 3 );
		foreach ( [ 1000, 2000 ] as $n => $expected ) {
			$pause = ms( $requests[ $n + 1 ]['received_at'] ) - ms( $requests[ $n ]['received_at'] );
			holds( $pause >= $expected - 10 && $pause < $expected + 500, "pause " . ( $n + 1 ) . " is $pause ms" );
		}
		same( 1, delivery_that( $queue, 'it is delivered', fn( $one ) => 'delivered' === $one['state'] )['attempts'], 'attempts' );
	},

	'503 with Retry-After uses up no attempt, 503 without does' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$receiver->behave( 'status', [ 'status' => 503, 'times' => 1, 'headers' => [ 'retry-after' => '0' ] ] );
		$queue = $bed->queue( [ endpoint( $receiver->hook, [ 'schedule' => [] ] ) ] );
		$queue->dispatch( 'deal.won', [] );
		same( 1, delivery_that( $queue, 'it is delivered', fn( $one ) => 'delivered' === $one['state'] )['attempts'], 'attempts' );
		$receiver->behave( 'status', [ 'status' => 503, 'times' => 1 ] );
		$queue->dispatch( 'deal.lost', [] );
		wait_for( 5, 'the second is dead at once', fn() => 1 === $queue->stats()['dead'] );
	},

	'410 suspends the endpoint with a reason until it is resumed' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$receiver->behave( 'status', [ 'status' => 410, 'times' => 1 ] );
		$folder   = $bed->queue_folder();
		$endpoint = endpoint( $receiver->hook, [ 'id' => 'mine', 'schedule' => [ 0.1, 0.1 ] ] );
		$queue    = $bed->queue( [ $endpoint ], [], $folder );
		$queue->dispatch( 'deal.won', [ 'n' => 1 ] );
		delivery_that( $queue, 'the answer is noted', fn( $one ) => 410 === $one['last_status'] );
		holds( str_contains( (string) $queue->endpoints()[0]['suspended'], '410' ), 'suspended with the reason: ' . shown( $queue->endpoints() ) );
		same( true, $queue->endpoints()[0]['enabled'], 'enabled is the owner\'s' );
		// configure() does not end it, a new URL would.
		$queue->configure( [ $endpoint + [ 'description' => 'changed' ] ] );
		$queue->dispatch( 'deal.won', [ 'n' => 2 ] );
		usleep( 400_000 );
		same( 1, $receiver->summary()['received'], 'requests while suspended' );
		holds( null !== $queue->endpoints()[0]['suspended'], 'still suspended' );
		same( [ true, false ], [ $queue->resume( 'mine' ), $queue->resume( 'unknown' ) ], 'resume()' );
		same( null, $queue->endpoints()[0]['suspended'], 'suspended after resume()' );
		wait_for( 5, 'both are delivered', fn() => 2 === $queue->stats()['delivered'] );
		// A new URL ends a suspension too.
		$receiver->behave( 'status', [ 'status' => 410, 'times' => 1 ] );
		$queue->dispatch( 'deal.won', [ 'n' => 3 ] );
		wait_for( 5, 'suspended again', fn() => null !== $queue->endpoints()[0]['suspended'] );
		$queue->configure( [ [ 'url' => "{$receiver->hook}/new" ] + $endpoint ] );
		wait_for( 5, 'the third is delivered', fn() => 3 === $queue->stats()['delivered'] );
		same( 1, count( $receiver->requests( '/hook/new' ) ), 'requests at the new URL' );
	},

	'pause() stops a busy queue within a second, from another process' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 5 ) ) ] );
		$busy = $bed->start( 'dispatch-until', [ $folder, 2.5 ] );
		wait_for( 5, 'requests are sent', fn() => $watcher->counts()['received'] > 20 );
		$queue = $bed->queue( [], [ 'background' => false ], $folder );
		$queue->pause( '', true );
		$paused = microtime( true ) * 1000;
		$busy->wait( 10 );
		$late = max( array_column( $watcher->requests(), 'begin' ) ) - $paused;
		holds( $late < 1000, sprintf( 'the last request began %d ms after pause()', $late ) );
		same( count( $busy->lines() ), $queue->stats()['pending'] + $queue->stats()['delivered'], 'nothing is lost' );
		holds( $queue->stats()['pending'] > 0, 'what came later waits' );
		$queue->pause( '', false );
		while ( $queue->stats()['pending'] > 0 ) {
			$queue->work( 0.5 );
		}
		$watcher->wait_for_ids( $busy->lines() );
	},

	'what one process configures, another that runs goes by at once' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$queue   = $bed->queue( [ endpoint( $watcher->after( 0, 'old' ) ) ], [], $folder );
		$watcher->wait_for_ids( [ $queue->dispatch( 'deal.won', [] ) ] );
		$bed->configure( $folder, [ endpoint( $watcher->after( 0, 'new' ) ) ] );
		$watcher->wait_for_ids( [ $queue->dispatch( 'deal.won', [] ) ], 2 );
		same( [ 'old', 'new' ], array_map( fn( $request ) => basename( $request['path'] ), $watcher->requests() ), 'paths' );
	},

	'a redirect is a failure that names its target and is not followed' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		foreach ( [ 301, 302, 307, 308 ] as $status ) {
			$receiver->behave( 'redirect', [ 'status' => $status, 'location' => "{$receiver->hook}/new?$status" ] );
			$sent = $bed->queue( [], [ 'background' => false ], "{$bed->folder}/queue-r" )->send( endpoint( $receiver->hook ), 'test', [] );
			same( [ false, $status ], [ $sent['ok'], $sent['status'] ], 'ok, status' );
			holds( str_contains( $sent['error'], "{$receiver->hook}/new?$status" ), $sent['error'] );
		}
		$queue = $bed->queue( [ endpoint( $receiver->hook ) ] );
		$queue->dispatch( 'deal.won', [] );
		$delivery = delivery_that( $queue, 'an attempt is settled', fn( $one ) => 1 === $one['attempts'] );
		holds( 'pending' === $delivery['state'] && str_contains( $delivery['last_error'], 'redirects to' ), $delivery['last_error'] );
		same( [], $receiver->requests( '/hook/new' ), 'requests at the target' );
	},

	'a private address is refused unless allowed, by name too' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$queue    = $bed->queue( [], [ 'background' => false ] );
		$by_name  = str_replace( '127.0.0.1', 'localhost', $receiver->hook );
		foreach ( [ $receiver->hook, $by_name ] as $url ) {
			$sent = $queue->send( [ 'url' => $url ], 'test', [] );
			holds( ! $sent['ok'] && str_contains( $sent['error'], 'not a public address' ), (string) $sent['error'] );
		}
		same( 0, $receiver->summary()['received'], 'requests' );
		holds( $queue->send( [ 'url' => $receiver->hook, 'allow_private' => [ '127.0.0.0/8' ] ], 'test', [] )['ok'], 'allowed by range' );
		holds( ! $queue->send( [ 'url' => $receiver->hook, 'allow_private' => [ '10.0.0.0/8' ] ], 'test', [] )['ok'], 'another range' );
	},

	'a removed endpoint\'s deliveries are cancelled, a disabled one\'s wait' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$queue   = $bed->queue( [ endpoint( 'http://127.0.0.1:9/', [ 'id' => 'gone' ] ), endpoint( $watcher->after( 0 ), [ 'id' => 'off' ] ) ], [ 'background' => false ] );
		$id      = $queue->dispatch( 'deal.won', [] );
		$queue->configure( [ endpoint( $watcher->after( 0 ), [ 'id' => 'off', 'enabled' => false ] ) ] );
		$queue->dispatch( 'deal.lost', [] );
		$queue->work( 0.5 );
		same( [ 1, 1, 0 ], [ $queue->stats()['cancelled'], $queue->stats()['pending'], $watcher->counts()['received'] ], 'cancelled, pending, requests' );
		$queue->configure( [ endpoint( $watcher->after( 0 ), [ 'id' => 'off' ] ) ] );
		$queue->work( 0.5 );
		same( [ $id ], array_column( $watcher->requests(), 'id' ), 'requests: no event is matched to a disabled endpoint' );
	},

	'an endpoint gets only the events it subscribes to' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$queue   = $bed->queue( [
			endpoint( $watcher->after( 0, 'won' ), [ 'events' => [ 'deal.won' ] ] ),
			endpoint( $watcher->after( 0, 'deals' ), [ 'events' => [ 'deal.*' ] ] ),
			endpoint( $watcher->after( 0, 'all' ) ),
		] );
		foreach ( [ 'deal.won', 'deal.lost', 'contact.created' ] as $event ) {
			$queue->dispatch( $event, [ 'name' => $event ] );
		}
		wait_for( 10, 'all are delivered', fn() => 6 === $queue->stats()['delivered'] );
		$by_path = [];
		foreach ( $watcher->requests() as $request ) {
			$by_path[ basename( $request['path'] ) ][] = $request['data']['name'];
		}
		array_walk( $by_path, fn( &$names ) => sort( $names ) );
		same( [ 'deal.won' ], $by_path['won'], 'of one name' );
		same( [ 'deal.lost', 'deal.won' ], $by_path['deals'], 'of a pattern' );
		same( 3, count( $by_path['all'] ), 'of all' );
	},

	'alone: a receiver that hangs does not delay 1,000 events for another' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$queue   = $bed->queue( [ endpoint( $watcher->never(), [ 'id' => 'hangs' ] ), endpoint( $watcher->after( 0 ), [ 'id' => 'healthy' ] ) ] );
		// It hangs already, with work waiting.
		for ( $n = 0; $n < 50; $n++ ) {
			$queue->dispatch( 'deal.won', [ 'n' => $n ], [ 'record' => "deal:$n" ] );
		}
		wait_for( 5, 'a request hangs', fn() => $watcher->counts()['open'] > 0 && $watcher->counts()['received'] >= 51 );
		$began = microtime( true );
		$ids   = [];
		for ( $n = 0; $n < 1000; $n++ ) {
			$ids[] = $queue->dispatch( 'deal.won', [ 'n' => $n ], [ 'record' => "contact:$n" ] );
		}
		$dispatched = microtime( true ) - $began;
		wait_for( 15, 'a thousand arrive', function () use ( $watcher ) {
			$counts = $watcher->counts();
			return $counts['received'] - $counts['open'] >= 1050;
		}, 10_000 );
		$took    = microtime( true ) - $began;
		$healthy = array_filter( $watcher->requests(), fn( $request ) => '/hang' !== $request['path'] );
		same( [], array_diff( $ids, array_column( $healthy, 'id' ) ), 'ids missing' );
		figure( '1,000 events beside a hanging receiver: dispatched in %.0f ms, arrived in %.2f s', $dispatched * 1000, $took );
		holds( $took < 2, sprintf( 'they arrive in less than 2 s: %.2f s', $took ) );
		$queue->configure( [] );
	},

	'events of a record arrive in order, one at a time, with many records at once' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 2 ) ) ] );
		// Three processes at once; each has records of its own, so that the order of acceptance is known.
		$children = array_map( fn( $name ) => $bed->start( 'dispatch-records', [ $folder, $name, 25, 30 ] ), [ 'a', 'b', 'c' ] );
		foreach ( $children as $child ) {
			$child->wait( 30 );
			same( 0, $child->status(), $child->errors() );
		}
		$queue = $bed->queue( [], [], $folder );
		wait_for( 20, 'all are delivered', fn() => 3 * 25 * 30 === $queue->stats()['delivered'] );
		$requests = $watcher->requests();
		same( count( $requests ), $watcher->counts()['unique'], 'requests and different ids' );
		usort( $requests, fn( $a, $b ) => $a['begin'] <=> $b['begin'] );
		$last    = [];
		$overlap = 0;
		foreach ( $requests as $request ) {
			$record = $request['data']['record'];
			if ( isset( $last[ $record ] ) ) {
				$before = $last[ $record ];
				same( $before['data']['n'] + 1, $request['data']['n'], "the next event of $record" );
				holds( $request['sequence'] > $before['sequence'], 'Webhook-Sequence rises' );
				holds( $request['begin'] >= $before['end'], "never two in flight for $record" );
			}
			$last[ $record ] = $request;
		}
		$ends = array_column( $requests, 'end' );
		for ( $n = 1; $n < count( $requests ); $n++ ) {
			$overlap += (int) ( $requests[ $n ]['begin'] < $ends[ $n - 1 ] );
		}
		holds( $overlap > count( $requests ) / 4, "different records are sent at once: $overlap of " . count( $requests ) );
	},

	'a retry of a record may come after its later events, and not at an ordered endpoint' => function ( Bed $bed ) {
		foreach ( [ false, true ] as $ordered ) {
			$receiver = $bed->receiver();
			$receiver->behave( 'status', [ 'status' => 500, 'match' => '"n":1}', 'times' => 1 ] );
			$queue = $bed->queue( [ endpoint( $receiver->hook, [ 'schedule' => [ 0.5 ], 'ordered' => $ordered ] ) ] );
			for ( $n = 1; $n <= 3; $n++ ) {
				$queue->dispatch( 'deal.won', [ 'n' => $n ], [ 'record' => 'deal:1' ] );
			}
			$queue->dispatch( 'deal.won', [ 'n' => 9 ], [ 'record' => 'deal:2' ] );
			wait_for( 10, fn() => 'all are delivered: ' . shown( $queue->stats() ), fn() => 4 === $queue->stats()['delivered'] );
			$arrived = array_map( fn( $request ) => json_decode( $request['body'], true )['data']['n'], $receiver->requests() );
			$order   = fn( array $of ) => array_values( array_filter( $arrived, fn( $n ) => in_array( $n, $of, true ) ) );
			same( $ordered ? [ 1, 1, 2, 3 ] : [ 1, 2, 3, 1 ], $order( [ 1, 2, 3 ] ), $ordered ? 'ordered' : 'not ordered' );
			holds( 1 === $order( [ 9, 1 ] )[2], 'another record waits for nothing: it is not behind the retry' );
		}
	},

	'what is limited is limited: requests at once and per second' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$queue   = $bed->queue( [ endpoint( $watcher->after( 30, 'two' ), [ 'max_concurrency' => 2 ] ), endpoint( $watcher->after( 0, 'slow' ), [ 'rate_per_second' => 20 ] ) ] );
		$began   = microtime( true );
		for ( $n = 0; $n < 20; $n++ ) {
			$queue->dispatch( 'deal.won', [ 'n' => $n ], [ 'record' => "deal:$n" ] );
		}
		wait_for( 10, 'all are delivered', fn() => 40 === $queue->stats()['delivered'] );
		$two = array_values( array_filter( $watcher->requests(), fn( $request ) => str_ends_with( $request['path'], 'two' ) ) );
		foreach ( $two as $one ) {
			$at_once = count( array_filter( $two, fn( $other ) => $other['begin'] <= $one['begin'] && $other['end'] > $one['begin'] ) );
			holds( $at_once <= 2, "$at_once at once" );
		}
		$slow = array_column( array_filter( $watcher->requests(), fn( $request ) => str_ends_with( $request['path'], 'slow' ) ), 'begin' );
		$took = max( $slow ) - min( $slow );
		holds( $took > 850 && $took < 1600, "20 requests at 20 a second take $took ms" );
	},
];
