<?php
/** What a receiver gets for anything that PHP can hold. */

declare(strict_types=1);

/** A queue without a thread and the data that preview() makes of `$data`, decoded. */
function data_of( Posthorn\Queue $queue, array $data ): mixed {
	return json_decode( body_of( $queue, $data ), false, 1024, JSON_THROW_ON_ERROR )->data;
}

function body_of( Posthorn\Queue $queue, array $data ): string {
	return $queue->preview( endpoint( 'http://127.0.0.1:9/' ), 'deal.won', $data )['body'];
}

/** The text of the body's data. */
function json_of( Posthorn\Queue $queue, array $data ): string {
	holds( 1 === preg_match( '/"data":(.*),"site_url":/s', body_of( $queue, $data ), $match ), 'the body has data' );
	return $match[1];
}

enum Stage: string {
	case Won = 'won';
}

enum Bare {
	case One;
}

class Person {
	public string $name      = 'Ann';
	public ?Person $friend   = null;
	protected string $hidden = 'protected value';
	private string $own      = 'private value';
}

final class Money implements JsonSerializable {
	public function __construct( private int $cents ) {}

	public function jsonSerialize(): mixed {
		return [ 'amount' => $this->cents / 100 ];
	}
}

final class Itself implements JsonSerializable {
	public int $n = 3;

	public function jsonSerialize(): mixed {
		return $this;
	}
}

final class Failing implements JsonSerializable {
	public function jsonSerialize(): mixed {
		throw new LogicException( 'not now' );
	}
}

final class Endless implements JsonSerializable {
	public function jsonSerialize(): mixed {
		return new Endless();
	}
}

/** Data that is unpleasant in every way that JSON allows, of a given seed. */
function hostile( int $seed ): array {
	mt_srand( $seed );
	$texts = [
		'', 'plain', "a\"b\\c/d", "\0\x01\x1f\x7f", "tab\tline\nreturn\r", 'ÄÖÜ ß é', '日本語', "\u{1F600}\u{10FFFF}", "\u{2028}\u{2029}\u{FEFF}", "\xff\xfe", "half \xe2\x82",
		"\xed\xa0\x80", '</script><!--', '&amp;<b>', '__proto__', 'constructor', '1', '01', '-1', '4294967294', '4294967295', '1.5', ' 7', 'true', str_repeat( 'long ', 300 ),
	];
	$numbers = [
		0, -0.0, 1, -1, 1.0, 0.1, 1 / 3, 1e21, 1e20, 123456789012345680000.0, 1e-6, 1e-7, 1.5e300, 5e-324, PHP_FLOAT_MAX, -PHP_FLOAT_MAX, PHP_INT_MAX, PHP_INT_MIN, 2 ** 53,
		2 ** 53 - 1, -( 2 ** 53 ), -( 2 ** 53 - 1 ), NAN, INF, -INF, 100.0, 1e2, 4.35, 0.000001234,
	];
	$value = function ( int $depth ) use ( &$value, $texts, $numbers ): mixed {
		switch ( mt_rand( 0, $depth > 4 ? 3 : 6 ) ) {
			case 0:
				return $texts[ mt_rand( 0, count( $texts ) - 1 ) ];
			case 1:
				return $numbers[ mt_rand( 0, count( $numbers ) - 1 ) ];
			case 2:
				return [ null, true, false, [], new stdClass() ][ mt_rand( 0, 4 ) ];
			case 3:
				// Any bits that are a float.
				return unpack( 'd', random_bits() )[1];
			case 4:
				return array_map( fn() => $value( $depth + 1 ), range( 0, mt_rand( 0, 4 ) ) );
			default:
				$map = [];
				for ( $n = mt_rand( 1, 6 ); $n > 0; $n-- ) {
					$map[ mt_rand( 0, 1 ) ? $texts[ mt_rand( 0, count( $texts ) - 1 ) ] : mt_rand( -20, 200 ) ] = $value( $depth + 1 );
				}
				return mt_rand( 0, 3 ) ? $map : (object) $map;
		}
	};
	$data = [ 'seed' => $seed ];
	for ( $n = 0; $n < 8; $n++ ) {
		$data[ $texts[ mt_rand( 1, count( $texts ) - 1 ) ] . $n ] = $value( 0 );
	}
	return $data;
}

function random_bits(): string {
	$bytes = '';
	for ( $n = 0; $n < 8; $n++ ) {
		$bytes .= chr( mt_rand( 0, 255 ) );
	}
	return $bytes;
}

return [
	'a body is what JavaScript would print, for hostile data through the real path' => function ( Bed $bed ) {
		$receiver = $bed->receiver( '--secret', 'a secret with ümläuts' );
		$queue    = $bed->queue( [ endpoint( $receiver->hook, [ 'secret' => 'a secret with ümläuts' ] ) ] );
		$ids      = [];
		for ( $seed = 1; $seed <= 400; $seed++ ) {
			$ids[ $queue->dispatch( 'deal.won', hostile( $seed ), [ 'site_url' => "https://site.example/ü\u{2028}" ] ) ] = $seed;
		}
		$requests = $receiver->wait_for_requests( count( $ids ), 20 );
		foreach ( $requests as $request ) {
			$seed = $ids[ $request['id'] ];
			// Node has parsed it, printed it and compared.
			holds( true === $request['stable'], "JSON.stringify(JSON.parse(body)) === body, seed $seed: {$request['body']}" );
			same( 'ok', $request['signature']['state'], "the signature, seed $seed" );
			same( hash_hmac( 'sha256', $request['body'], 'a secret with ümläuts' ), $request['headers']['x-crm-signature'], "hash_hmac, seed $seed" );
			same( (string) strlen( $request['body'] ), $request['headers']['content-length'], 'Content-Length' );
			holds( ! isset( $request['headers']['transfer-encoding'] ), 'not chunked' );
		}
		same( 0, $receiver->summary()['repeats'], 'repeats' );
	},

	'a body has the keys of S1 in their order' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$queue    = $bed->queue( [ endpoint( $receiver->hook ) ] );
		$queue->dispatch( 'deal.won', [ 'b' => 1, 'a' => 'x/y' ], [ 'site_url' => 'https://site.example/', 'occurred_at' => '2026-04-17T12:34:56.789Z' ] );
		$request = $receiver->wait_for_requests( 1 )[0];
		same( '{"event":"deal.won","timestamp":"2026-04-17T12:34:56Z","data":{"b":1,"a":"x/y"},"site_url":"https://site.example/"}', $request['body'], 'the body' );
		same( 'application/json', $request['headers']['content-type'], 'content type' );
		same( 'Posthorn/' . phpversion( 'posthorn' ), $request['headers']['user-agent'], 'user agent' );
		holds( ! isset( $request['headers']['x-crm-signature'] ), 'no signature without a secret' );
	},

	'lists stay lists, and arrays with names become objects' => function ( Bed $bed ) {
		$queue = $bed->queue( [], [ 'background' => false ] );
		$gone  = [ 'a', 'b', 'c' ];
		unset( $gone[1] );
		same(
			'{"7":"seven","8":{"0":"a","2":"c"},"list":[1,[2,[3]]],"map":{"x":{"y":[]}},"hole":{"1":"x"},"object":{}}',
			json_of( $queue, [ 'list' => [ 1, [ 2, [ 3 ] ] ], 'map' => [ 'x' => [ 'y' => [] ] ], 'hole' => [ 1 => 'x' ], 8 => $gone, 7 => 'seven', 'object' => new stdClass() ] ),
			'data'
		);
		same( '{}', json_of( $queue, [] ), 'no data' );
		$value = 5;
		$data  = [ 'a' => &$value, 'b' => [ &$value ] ];
		same( '{"a":5,"b":[5]}', json_of( $queue, $data ), 'references' );
	},

	'an integer that JavaScript cannot hold becomes a string' => function ( Bed $bed ) {
		$queue = $bed->queue( [], [ 'background' => false ] );
		same(
			'{"max":"9223372036854775807","min":"-9223372036854775808","safe":9007199254740991,"over":"9007199254740992","under":"-9007199254740992","float":9223372036854776000}',
			json_of( $queue, [ 'max' => PHP_INT_MAX, 'min' => PHP_INT_MIN, 'safe' => 2 ** 53 - 1, 'over' => 2 ** 53, 'under' => -( 2 ** 53 ), 'float' => 2.0 ** 63 ] ),
			'integers'
		);
		same(
			'{"a":1,"b":0,"c":1e+21,"d":100000000000000000000,"e":1e-7,"f":0.000001}',
			json_of( $queue, [ 'a' => 1.0, 'b' => -0.0, 'c' => 1e21, 'd' => 1e20, 'e' => 1e-7, 'f' => 1e-6 ] ),
			'floats'
		);
	},

	'invalid UTF-8 and numbers that are not finite are replaced, and the log says so once for an event' => function ( Bed $bed ) {
		$folder = $bed->queue_folder();
		$queue  = $bed->queue( [ endpoint( 'http://127.0.0.1:9/' ) ], [ 'background' => false ], $folder );
		$data   = [ 'name' => "M\xfcller", 'list' => [ "\xff", 'good' ], "k\xe9y" => 1, 'nan' => NAN, 'deep' => [ 'inf' => [ INF, -INF ] ] ];
		same( "{\"name\":\"M\u{FFFD}ller\",\"list\":[\"\u{FFFD}\",\"good\"],\"k\u{FFFD}y\":1,\"nan\":null,\"deep\":{\"inf\":[null,null]}}", json_of( $queue, $data ), 'data' );
		$queue->dispatch( 'deal.won', $data, [ 'record' => 'deal:9' ] );
		$log = file( "$folder/posthorn.log" );
		same( 1, count( $log ), 'lines of the log' );
		foreach ( [ 'deal.won', 'deal:9', '3 strings', '3 numbers' ] as $part ) {
			holds( str_contains( $log[0], $part ), "the log says '$part': $log[0]" );
		}
		holds( ! str_contains( $log[0], 'ller' ), 'the log holds no data' );
		$queue->dispatch( 'deal.won', [ 'name' => 'Müller' ] );
		same( 1, count( file( "$folder/posthorn.log" ) ), 'lines of the log after a good event' );
	},

	'objects are taken as json_encode takes them, dates as ISO 8601' => function ( Bed $bed ) {
		$queue          = $bed->queue( [], [ 'background' => false ] );
		$person         = new Person();
		$person->friend = new Person();
		$date           = new DateTimeImmutable( '2026-04-17 12:34:56.5', new DateTimeZone( 'Europe/Berlin' ) );
		$dynamic        = (object) [ 'a' => 1, 'b' => (object) [ 'c' => [ 2 ] ] ];
		$objects        = [
			'person' => $person, 'money' => new Money( 1250 ), 'itself' => new Itself(), 'stage' => Stage::Won, 'std' => $dynamic,
			'numbered' => (object) [ '5' => 'five', 'x' => 1 ], 'array' => new ArrayObject( [ 'k' => 'v' ] ),
		];
		foreach ( $objects as $name => $object ) {
			same( json_encode( $object, JSON_UNESCAPED_SLASHES ), json_encode( data_of( $queue, [ 'x' => $object ] )->x, JSON_UNESCAPED_SLASHES ), $name );
		}
		holds( ! str_contains( json_of( $queue, [ 'x' => $person ] ), 'value' ), 'only public properties' );
		// json_encode would show how PHP keeps a date; a receiver wants the date.
		same( '{"x":"2026-04-17T12:34:56+02:00","y":"2026-04-17T12:34:56+00:00"}', json_of( $queue, [ 'x' => $date, 'y' => new DateTime( '2026-04-17 12:34:56Z' ) ] ), 'dates' );
	},

	'what JSON has no word for is refused clearly, and nothing is queued' => function ( Bed $bed ) {
		$queue  = $bed->queue( [ endpoint( 'http://127.0.0.1:9/' ) ], [ 'background' => false ] );
		$array  = [ 'a' => 1 ];
		$array['self'] = &$array;
		$loop          = new stdClass();
		$loop->loop    = $loop;
		$deep          = [];
		for ( $n = 0; $n < 600; $n++ ) {
			$deep = [ 'x' => $deep ];
		}
		$cases = [
			'closure' => [ fn() => 1, 'Closure' ], 'resource' => [ fopen( 'php://memory', 'r' ), 'resource' ], 'array' => [ $array, 'itself' ], 'object' => [ $loop, 'itself' ],
			'deep' => [ $deep, '512' ], 'generator' => [ ( fn() => yield 1 )(), 'Generator' ], 'enum' => [ Bare::One, 'Bare' ], 'failing' => [ new Failing(), 'Failing' ],
			'endless' => [ new Endless(), '512' ],
		];
		foreach ( $cases as $name => [ $value, $word ] ) {
			$message = refuses( 'data', fn() => $queue->dispatch( 'deal.won', [ 'in' => [ 'here' => $value ] ] ) );
			holds( false !== stripos( $message, $word ), "$name: the message says $word: $message" );
			refuses( 'events[1].data', fn() => $queue->dispatchMany( [ [ 'deal.won', [] ], [ 'deal.won', [ 'x' => $value ] ] ] ) );
			refuses( 'context', fn() => $queue->dispatch( 'deal.won', [], [ 'previous' => [ 'x' => $value ] ] ) );
		}
		same( 0, $queue->stats()['pending'], 'pending' );
		// The caller's own work goes on, and so does the queue.
		same( 1, $array['self']['self']['a'], 'the array is as before' );
		$queue->dispatch( 'deal.won', [ 'a' => 1 ] );
		same( 1, $queue->stats()['pending'], 'pending after a good event' );
	},

	'an object that dispatches while it is read does not disturb what reads it' => function ( Bed $bed ) {
		$queue        = $bed->queue( [ endpoint( 'http://127.0.0.1:9/' ) ], [ 'background' => false ] );
		$nested       = new class( $queue ) implements JsonSerializable {
			public function __construct( private Posthorn\Queue $queue ) {}

			public function jsonSerialize(): mixed {
				return [ 'inner' => $this->queue->dispatch( 'deal.lost', [ 'x' => 1 ] ) ];
			}
		};
		$outer = $queue->dispatch( 'deal.won', [ 'n' => $nested ] );
		$found = array_column( $queue->deliveries(), 'event', 'event_id' );
		same( 2, count( $found ), 'deliveries' );
		same( 'deal.won', $found[ $outer ], 'the outer event' );
	},

	'a body does not change when the data changes after dispatch()' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$receiver->behave( 'status', [ 'status' => 500, 'times' => 1 ] );
		$queue        = $bed->queue( [ endpoint( $receiver->hook, [ 'schedule' => [ 0.2 ] ] ) ] );
		$record       = new stdClass();
		$record->name = 'before';
		$queue->dispatch( 'deal.won', [ 'record' => $record ] );
		$record->name = 'after';
		$requests     = $receiver->wait_for_requests( 2 );
		same( '{"record":{"name":"before"}}', json_encode( json_decode( $requests[0]['body'] )->data ), 'data' );
		same( $requests[0]['body'], $requests[1]['body'], 'the body of the second attempt' );
	},

	'a large body arrives whole, one over the limit is refused' => function ( Bed $bed ) {
		$receiver = $bed->receiver( '--secret', 's' );
		$queue    = $bed->queue( [ endpoint( $receiver->hook, [ 'secret' => 's' ] ) ] );
		$text     = str_repeat( "0123456789\u{1F600}é", 45_000 );
		$queue->dispatch( 'deal.won', [ 'text' => $text ] );
		$request = $receiver->wait_for_requests( 1 )[0];
		same( 'ok', $request['signature']['state'], 'the signature' );
		holds( json_decode( $request['body'], true )['data']['text'] === $text, 'the text arrives as it was' );
		refuses( 'data', fn() => $queue->dispatch( 'deal.won', [ 'text' => str_repeat( 'x', 1024 * 1024 ) ] ), 'max_data_bytes' );
	},
];
