<?php
/** The two receivers, and a proxy, as a test drives them. */

declare(strict_types=1);

/** @return array|list What the address answers, as JSON; `$body` makes it a POST. */
function call_json( string $url, ?array $body = null, ?string $method = null ): array {
	$http = [ 'method' => $method ?? ( null === $body ? 'GET' : 'POST' ), 'ignore_errors' => true, 'timeout' => 10 ];
	if ( null !== $body ) {
		$http += [ 'content' => json_encode( $body ), 'header' => 'Content-Type: application/json' ];
	}
	return json_decode( file_get_contents( $url, false, stream_context_create( [ 'http' => $http ] ) ), true, 1024, JSON_THROW_ON_ERROR );
}

/** A Node program that writes its addresses to a file as soon as it listens. */
abstract class Server {
	protected array $addresses;
	/** @var resource */
	private $process;

	protected function __construct( string $folder, array $command ) {
		$files           = [ [ 'file', '/dev/null', 'r' ], [ 'file', "$folder/log", 'w' ], [ 'file', "$folder/log", 'a' ] ];
		$this->process   = proc_open( [ 'node', ...$command ], $files, $pipes );
		$this->addresses = wait_for( 10, 'the receiver starts', fn() => is_file( "$folder/ready" )
			? json_decode( file_get_contents( "$folder/ready" ), true ) : null );
	}

	public function stop(): void {
		proc_terminate( $this->process, SIGKILL );
		proc_close( $this->process );
	}
}

/** tests/receiver: records, verifies, misbehaves on demand. */
final class Receiver extends Server {
	public readonly string $hook;

	public function __construct( string $folder, array $options ) {
		$program = dirname( __DIR__, 2 ) . '/receiver/receiver.js';
		parent::__construct( $folder, [ $program, '--ready-file', "$folder/ready", ...$options ] );
		$this->hook = $this->addresses['hook'];
	}

	/** How it answers from now on; see tests/receiver/behaviour.js. */
	public function behave( string $mode, array $rule = [] ): void {
		$answer = call_json( $this->addresses['page'] . 'control', [ 'mode' => $mode ] + $rule );
		holds( ! isset( $answer['error'] ), 'the receiver takes the rule: ' . ( $answer['error'] ?? '' ) );
	}

	public function summary(): array {
		return call_json( $this->addresses['page'] . 'summary' );
	}

	/** @return list<array> */
	public function requests( string $path = '' ): array {
		return call_json( $this->addresses['page'] . 'requests?limit=100000&path=' . rawurlencode( $path ) )['requests'];
	}

	/** Waits until so many requests have come (to that path), and returns them. @return list<array> */
	public function wait_for_requests( int $number, float $seconds = 10, string $path = '' ): array {
		$found = [];
		wait_for( $seconds, function () use ( $number, &$found ) {
			return "$number requests arrive; " . count( $found ) . ' have';
		}, function () use ( $number, $path, &$found ) {
			$found = $this->summary()['received'] >= $number ? $this->requests( $path ) : [];
			return count( $found ) >= $number;
		}, 10_000 );
		return $found;
	}
}

/** tests/receiver/proxy.js: leads every way to this machine. */
final class Proxy extends Server {
	public readonly string $address;

	public function __construct( string $folder ) {
		parent::__construct( $folder, [ dirname( __DIR__, 2 ) . '/receiver/proxy.js', "$folder/ready" ] );
		$this->address = $this->addresses['address'];
	}

	/** What it was asked for. @return list<array{target: string, authorization: ?string}> */
	public function asked(): array {
		return call_json( $this->address . '/asked' );
	}
}

/** watcher.js: notes when requests begin and end. */
final class Watcher extends Server {
	public function __construct( string $folder ) {
		parent::__construct( $folder, [ dirname( __DIR__ ) . '/watcher.js', "$folder/ready" ] );
	}

	/** An address that answers after so many milliseconds. */
	public function after( int $ms, string $name = '' ): string {
		return "{$this->addresses['address']}/delay/$ms" . ( '' === $name ? '' : "/$name" );
	}

	/** The same, but some attempts fail; each request says how many of its id do. */
	public function flaky( int $ms ): string {
		return "{$this->addresses['address']}/flaky/$ms";
	}

	/** An address that never answers. */
	public function never(): string {
		return $this->addresses['address'] . '/hang';
	}

	/** @return array{received: int, unique: int, open: int, broken: int} */
	public function counts(): array {
		return call_json( $this->addresses['address'] . '/counts' );
	}

	/** @return list<array> */
	public function requests(): array {
		return call_json( $this->addresses['address'] . '/requests' );
	}

	/** Waits until each of `$ids` has arrived at least once. */
	public function wait_for_ids( array $ids, float $seconds = 15 ): void {
		$missing = $ids;
		$most    = -1;
		wait_for( $seconds, function () use ( &$missing, $ids ) {
			return count( $missing ) . ' of ' . count( $ids ) . ' ids are missing: ' . shown( array_slice( array_values( $missing ), 0, 5 ) );
		}, function () use ( &$missing, &$most, $ids ) {
			$unique = $this->counts()['unique'];
			if ( $unique < count( $ids ) && $unique === $most ) {
				return false;
			}
			$most    = $unique;
			$missing = array_diff( $ids, array_column( $this->requests(), 'id' ) );
			return ! $missing;
		}, 20_000 );
	}
}
