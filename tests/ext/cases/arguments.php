<?php
/** Arrays of any kind for every method that takes one: the answer is a result or an exception of ours. */

declare(strict_types=1);

/** A value that no key wants, or that some key does. */
function any_value( int $depth = 0 ): mixed {
	static $plain = null;
	$plain ??= [
		null, true, false, 0, -1, 1, 7, 1.5, -0.5, NAN, INF, PHP_INT_MAX, PHP_INT_MIN, '', '*', 'deal.*', 'deal.won', 'http://127.0.0.1:9/', 'https://a.example/', "a\r\nb", "\xff\0",
		'10.0.0.0/8', '::1', 'pending', 'dead', '2026-04-17T12:34:56.789Z', '01900000-0000-7000-8000-000000000000', 'stripe', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'person',
		str_repeat( 'x', 5000 ), new stdClass(), new DateTimeImmutable( '@0' ), new ArrayObject( [ 1 ] ), fn() => 1,
	];
	if ( $depth > 3 || mt_rand( 0, 3 ) ) {
		return $plain[ mt_rand( 0, count( $plain ) - 1 ) ];
	}
	$list = [];
	for ( $n = mt_rand( 0, 4 ); $n > 0; $n-- ) {
		$list[ mt_rand( 0, 1 ) ? count( $list ) : (string) any_key() ] = any_value( $depth + 1 );
	}
	return $list;
}

function any_key(): string {
	$keys = explode( ' ', 'id url events filters format secret site enabled description timeout schedule max_concurrency rate_per_second headers ordered allow_private ca client_cert max_age circuit_breaker proxy record previous changes user organization site_url occurred_at source event_id event endpoint state since until limit before Host X-A gt' );
	return $keys[ mt_rand( 0, count( $keys ) - 1 ) ];
}

/** An array with named keys that are mostly known. */
function any_array( array $always = [] ): array {
	$array = $always;
	for ( $n = mt_rand( 0, 3 ); $n > 0; $n-- ) {
		$array[ any_key() ] = any_value();
	}
	return $array;
}

return [
	'random arrays are taken or refused with the key that is wrong, whatever is in them' => function ( Bed $bed ) {
		$queue  = $bed->queue( [ endpoint( 'http://127.0.0.1:9/', [ 'enabled' => false ] ) ], [ 'background' => false ] );
		$calls  = [
			'configure'  => fn() => $queue->configure( [ any_array( mt_rand( 0, 3 ) ? [ 'url' => 'http://127.0.0.1:9/' ] : [] ) ], 'fuzz' ),
			'preview'    => fn() => $queue->preview( any_array( [ 'url' => 'https://a.example/' ] ), 'deal.won', any_array(), any_array() ),
			'dispatch'   => fn() => $queue->dispatch( 'deal.won', any_array(), any_array() ),
			'many'       => fn() => $queue->dispatchMany( [ [ 'deal.won', any_array(), any_array() ], ...( mt_rand( 0, 2 ) ? [] : [ any_value() ] ) ] ),
			'deliveries' => fn() => $queue->deliveries( any_array() ),
			'statement'  => fn() => Posthorn\read_statement( "UPDATE a SET b=1 WHERE c='" . substr( serialize( mt_rand() ), 0, mt_rand( 0, 9 ) ), (array) any_value() ),
		];
		$counts = array_fill_keys( array_keys( $calls ), [ 0, 0 ] );
		mt_srand( 4 );
		for ( $n = 0; $n < 12_000; $n++ ) {
			$name = array_rand( $calls );
			try {
				$calls[ $name ]();
				++$counts[ $name ][0];
			} catch ( Posthorn\InvalidArgument $error ) {
				++$counts[ $name ][1];
				holds( 1 === preg_match( '/^\S.*: ./su', $error->getMessage() ), "$name: " . $error->getMessage() );
				holds( ! str_contains( $error->getMessage(), "\r\nb" ), 'a message is one line: ' . $error->getMessage() );
			}
		}
		foreach ( $counts as $name => [ $taken, $refused ] ) {
			echo "# $name: $taken taken, $refused refused\n";
			holds( $taken > 20 && $refused > 20, "$name is tried both ways" );
		}
	},

	'a filter that is a list is refused, where it would select everything' => function ( Bed $bed ) {
		$queue = $bed->queue( [ endpoint( 'http://127.0.0.1:9/', [ 'enabled' => false ] ) ], [ 'background' => false ] );
		foreach ( [ [ [ 'dead' ], 'filter: expected an array with named keys' ], [ [ 'before' => "a\r\nb" ], 'filter.before: \'a\\r\\nb\'' ] ] as [ $filter, $says ] ) {
			try {
				$queue->deliveries( $filter );
				holds( false, 'it is refused' );
			} catch ( Posthorn\InvalidArgument $error ) {
				holds( str_starts_with( $error->getMessage(), $says ), $error->getMessage() );
			}
		}
		same( [], $queue->deliveries( [] ), 'no filter' );
	},

	'a setting that is no number or has a zero byte is refused by its key, never taken for none' => function ( Bed $bed ) {
		$queue = $bed->queue( [], [ 'background' => false ] );
		$with  = fn( array $more ) => fn() => $queue->configure( [ [ 'url' => 'https://a.example/' ] + $more ] );
		foreach ( [ 'timeout', 'rate_per_second', 'max_age', 'schedule_jitter' ] as $key ) {
			foreach ( [ NAN, INF, -INF ] as $value ) {
				$message = throws( Posthorn\InvalidArgument::class, $with( [ $key => $value ] ), $key )->getMessage();
				holds( str_starts_with( $message, "endpoints[0].$key: " ), $message );
			}
		}
		$message = throws( Posthorn\InvalidArgument::class, $with( [ 'schedule' => [ 1, NAN ] ] ), 'schedule' )->getMessage();
		holds( str_starts_with( $message, 'endpoints[0].schedule[1]: ' ), $message );
		$message = throws( Posthorn\InvalidArgument::class, fn() => Posthorn\Queue::open( "/tmp/a\0b" ), 'directory' )->getMessage();
		holds( str_starts_with( $message, 'directory: ' ), $message );
		$message = throws( Posthorn\InvalidArgument::class, fn() => Posthorn\Queue::open( '/tmp/a', [ 'sync' => true ] ), 'sync' )->getMessage();
		holds( str_contains( $message, "'true'" ), $message );
	},
];
