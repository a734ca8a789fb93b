<?php
/** Every event in every format, with data that is hostile, verified as the receivers' systems document it. */

declare(strict_types=1);

/** Data that JSON allows and few expect. */
function oddities(): array {
	$deep = [ 'end' => 'of it' ];
	for ( $level = 0; $level < 480; $level++ ) {
		$deep = 0 === $level % 2 ? [ $deep ] : [ 'in' => $deep ];
	}
	return [
		'b' => 'first', '10' => 'ten', '2' => 'two', '01' => 'no index', '-1' => 'none either', '4294967294' => 'the last', '4294967295' => 'one more',
		'__proto__' => [ 'polluted' => true ], 'constructor' => [ 'prototype' => 1 ], 'toJSON' => 'no function', 'hasOwnProperty' => 1, 'length' => 0,
		'surrogates' => [ "\xed\xa0\x80", "\xed\xbf\xbf", "\u{1f600}", "\u{ffff}" ], "\u{2028}key\u{2029}" => "\u{2028}\u{2029}\u{feff}\u{200b}",
		'numbers' => [ 1e21, 1e20, 123456789012345680000.0, -0.0, 0.1 + 0.2, 5e-324, PHP_FLOAT_MAX, 1e-7, 1e-6, 2 ** 53, 2 ** 53 + 2, PHP_INT_MAX, PHP_INT_MIN, NAN, -INF ],
		'slashes' => 'https://a.example/</script>\\"\'', 'controls' => implode( '', array_map( 'chr', range( 0, 31 ) ) ) . "\x7f", 'empty' => [ [], new stdClass(), '', null, false ],
		'id' => 9, 'deal_id' => 9, 'property_id' => 9, 'title' => "<!channel> @everyone\r\nX-Injected: 1", 'price' => 725000.0, 'stage' => "new\r\nX-Injected: 1", 'deep' => $deep,
	];
}

/** What recipes.js says of requests. @return list<list<string>> */
function complaints( array $requests ): array {
	$process = proc_open( [ 'node', '--stack-size=4000', dirname( __DIR__, 2 ) . '/verifiers/recipes.js' ], [ [ 'pipe', 'r' ], [ 'pipe', 'w' ], STDERR ], $pipes );
	fwrite( $pipes[0], json_encode( $requests, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE ) );
	fclose( $pipes[0] );
	$complaints = json_decode( stream_get_contents( $pipes[1] ), true, 512, JSON_THROW_ON_ERROR );
	same( 0, proc_close( $process ), 'exit status of recipes.js' );
	return $complaints;
}

/** The request for an event in a format, with what recipes.js needs to know of it. */
function rendered( Posthorn\Queue $queue, string $format, array $event, array $data, array $context ): array {
	static $secrets = [];
	$secrets[ $format ] ??= [ Posthorn\generate_secret( $format ), Posthorn\generate_secret( $format ), Posthorn\generate_secret( $format ) ];
	[ $new, $old, $ended ] = $secrets[ $format ];
	$endpoint = [
		'url' => 'https://a.example/', 'format' => $format, 'headers' => [ 'X-Own' => 'token' ],
		'secret' => [ $new, [ 'secret' => $old, 'until' => gmdate( 'Y-m-d\TH:i:s\Z', time() + 60 ) ], [ 'secret' => $ended, 'until' => gmdate( 'Y-m-d\TH:i:s\Z', time() - 60 ) ] ],
	];
	return $queue->preview( $endpoint, $event['name'], $data, $context ) + [
		'format' => $format, 'names' => [ $event['name'], ...$event['other_names'] ], 'secrets' => $secrets[ $format ],
		'data' => array_map( 'strval', array_keys( array_diff_key( $data, [ 'private_note' => 1 ] ) ) ), 'deleted' => str_ends_with( $event['name'], '.deleted' ) && 'winnerr' === $format,
	];
}

return [
	'every event in every format passes the recipe of its system, whatever the data' => function ( Bed $bed ) {
		$queue   = $bed->queue( [], [ 'background' => false ] );
		$formats = [ 'wpresidence', 'winnerr', 'winnerr-settings', 'realtorbot', 'real-estate', 'standard-webhooks', 'github', 'stripe' ];
		$odd     = oddities();
		$context = [ 'site_url' => "https://a.example/\u{2028}", 'organization' => [ 'id' => "__proto__", 'name' => "A\0\"" ], 'user' => [ 'id' => 1e21, 'name' => "\xff", 'email' => null ] ];
		$count   = 0;
		foreach ( $formats as $format ) {
			$requests = [];
			foreach ( Posthorn\events() as $event ) {
				$requests[] = rendered( $queue, $format, $event, $event['sample'], [] );
				$requests[] = rendered( $queue, $format, $event, $odd, $context + [ 'previous' => $odd, 'changes' => array_map( 'strval', array_keys( $odd ) ) ] );
				$requests[] = rendered( $queue, $format, $event, $odd, $context + [ 'previous' => [ 'price' => 750000, 'stage' => 'old', '__proto__' => 1, 'numbers' => [ 1, 'x' => $odd ] ] ] );
			}
			foreach ( complaints( $requests ) as $at => $complaints ) {
				same( [], $complaints, "$format, {$requests[ $at ]['names'][0]}: {$requests[ $at ]['body']}" );
				$count++;
			}
		}
		holds( $count > 8 * 3 * 50, "$count requests" );
	},

	'a field that is deeper than others read arrives whole in every format, and hides no other' => function ( Bed $bed ) {
		$deep = 'end';
		for ( $level = 0; $level < 500; $level++ ) {
			$deep = [ 'in' => $deep ];
		}
		$data  = [ 'status' => 'sold', 'id' => 9, 'deep' => $deep, 'stage' => 'new', 'previousStage' => 'mine', 'price' => 10 ];
		$text  = str_repeat( '{"in":', 500 ) . '"end"' . str_repeat( '}', 500 );
		$queue = $bed->queue( [], [ 'background' => false ] );
		$body  = fn( string $format, string $event ) => $queue->preview( [ 'url' => 'https://a.example/', 'format' => $format ], $event, $data, [ 'previous' => [ 'stage' => 'old', 'price' => 5, 'deep' => $deep ], 'user' => [ 'id' => 3, 'name' => 'Ann', 'email' => '' ] ] )['body'];
		foreach ( array_column( Posthorn\formats(), 'name' ) as $format ) {
			holds( 'slack' === $format || str_contains( $body( $format, 'deal.stage_changed' ), $text ), "$format has all of it" );
		}
		$staged = json_decode( $body( 'winnerr', 'deal.stage_changed' ), true, 1024, JSON_THROW_ON_ERROR );
		same( [ 'status', 'id', 'deep', 'stage', 'price', 'previousStage' ], array_keys( $staged['data']['object'] ), 'fields' );
		same( 'old', $staged['data']['object']['previousStage'], 'the stage before' );
		same( 'Ann', $staged['user']['name'], 'who acted' );
		same( 'old', $staged['data']['previousAttributes']['stage'], 'the old values' );
		same( '{"id":9}', json_encode( json_decode( $body( 'winnerr', 'deal.deleted' ), true, 1024 )['data']['object'] ), 'what is left of what was deleted' );
		same( 5, json_decode( $body( 'winnerr', 'property.price_changed' ), true, 1024 )['data']['priceChange']['changeAmount'], 'the price' );
		same( 'property.sold', json_decode( $body( 'real-estate', 'property.status_changed' ), true, 1024 )['type'], 'what it is called' );
		$queue->configure( [ endpoint( 'http://127.0.0.1:9/', [ 'events' => [ 'property.sold' ], 'filters' => [ 'price' => [ 'gt' => 5 ] ] ] ) ] );
		$queue->dispatch( 'property.status_changed', $data );
		same( 1, $queue->stats()['pending'], 'it is matched' );
	},
];
