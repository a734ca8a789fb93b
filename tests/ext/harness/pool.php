<?php
/** A PHP-FPM pool with the extension, spoken to in FastCGI: no web server between the test and the worker. */

declare(strict_types=1);

final class Pool {
	/** @var resource */
	private $process;
	private string $socket;
	/** @var list<string> */
	private array $command;

	/**
	 * @param array<string, string|int> $settings Of the pool; `pm` is static with one worker unless given.
	 * @param array<string, string>     $ini
	 */
	public function __construct( private string $folder, array $settings, array $ini ) {
		$this->socket = "$folder/fpm.sock";
		// The workers' user need not be able to read the checkout.
		mkdir( "$folder/pages" );
		foreach ( glob( dirname( __DIR__ ) . '/scripts/pages/*.php' ) as $page ) {
			copy( $page, "$folder/pages/" . basename( $page ) );
		}
		$settings += [ 'listen' => $this->socket, 'pm' => 'static', 'pm.max_children' => 1, 'catch_workers_output' => 'yes' ];
		if ( 0 === posix_geteuid() ) {
			$settings += [ 'user' => self::user(), 'group' => posix_getgrgid( posix_getpwnam( self::user() )['gid'] )['name'] ];
		}
		// Without this PHP-FPM gives a worker no time to end: a reload is then a kill.
		$conf = "[global]\nerror_log = $folder/fpm.log\nprocess_control_timeout = 10s\n[www]\n";
		foreach ( $settings as $name => $value ) {
			$conf .= "$name = $value\n";
		}
		file_put_contents( "$folder/fpm.conf", $conf );
		$this->command = [ getenv( 'POSTHORN_FPM' ), '--nodaemonize', '--fpm-config', "$folder/fpm.conf", '-d', 'extension=' . getenv( 'POSTHORN_LIBRARY' ) ];
		foreach ( $ini as $name => $value ) {
			array_push( $this->command, '-d', "$name=$value" );
		}
		$this->start();
	}

	/** Starts it, again after `kill()`. */
	public function start(): void {
		$files         = [ [ 'file', '/dev/null', 'r' ], [ 'file', "{$this->folder}/out", 'a' ], [ 'file', "{$this->folder}/out", 'a' ] ];
		$this->process = proc_open( $this->command, $files, $pipes );
		wait_for( 10, fn() => 'PHP-FPM starts: ' . $this->log(), fn() => $this->answers() );
	}

	/** Kills master and workers together; returns how many processes. */
	public function kill(): int {
		// Frozen, it starts no worker between the look and the kill.
		posix_kill( $this->master(), SIGSTOP );
		$victims = [ $this->master(), ...$this->workers() ];
		array_map( fn( $pid ) => posix_kill( $pid, SIGKILL ), $victims );
		proc_close( $this->process );
		return count( $victims );
	}

	/** The user of the workers. */
	public static function user(): string {
		if ( 0 !== posix_geteuid() ) {
			return posix_getpwuid( posix_geteuid() )['name'];
		}
		return posix_getpwnam( 'www-data' ) ? 'www-data' : 'nobody';
	}

	/** A folder that the workers can write, for queues. */
	public static function folder_for_workers( string $folder ): string {
		mkdir( $folder, 0755 );
		if ( 0 === posix_geteuid() ) {
			chown( $folder, self::user() );
		}
		return $folder;
	}

	/**
	 * Requests pages/NAME.php and returns what it printed; the status line and headers are in `$this->answered`.
	 *
	 * @param array<string, scalar> $query
	 */
	public function get( string $page, array $query = [], float $seconds = 30 ): string {
		return $this->read( $this->send( $page, $query ), $seconds );
	}

	/** Whatever PHP wrote besides the answer, a fatal error for example. */
	public string $errors = '';

	/** Sends a request without waiting for the answer. @return resource */
	public function send( string $page, array $query = [] ) {
		$connection = stream_socket_client( "unix://{$this->socket}", $code, $message, 5 );
		$query      = http_build_query( $query );
		$parameters = '';
		$given      = [
			'SCRIPT_FILENAME'   => "{$this->folder}/pages/$page.php",
			'QUERY_STRING'      => $query,
			'REQUEST_METHOD'    => 'GET',
			'REQUEST_URI'       => "/$page.php?$query",
			'SCRIPT_NAME'       => "/$page.php",
			'SERVER_PROTOCOL'   => 'HTTP/1.1',
			'GATEWAY_INTERFACE' => 'CGI/1.1',
		];
		foreach ( $given as $name => $value ) {
			// Lengths over 127 take four bytes with the highest bit set.
			foreach ( [ strlen( $name ), strlen( $value ) ] as $length ) {
				$parameters .= $length < 128 ? chr( $length ) : pack( 'N', $length | 0x80000000 );
			}
			$parameters .= $name . $value;
		}
		$begin = pack( 'nCx5', 1, 0 );
		fwrite( $connection, self::record( 1, $begin ) . self::record( 4, $parameters ) . self::record( 4, '' ) . self::record( 5, '' ) );
		return $connection;
	}

	/** Waits for the answer to a request. An answer that is cut off is what a killed worker leaves. @param resource $connection */
	public function read( $connection, float $seconds = 30 ): string {
		$output       = '';
		$this->errors = '';
		stream_set_timeout( $connection, (int) ceil( $seconds ) );
		while ( true ) {
			$head = self::exactly( $connection, 8 );
			if ( null === $head ) {
				$this->errors .= ' (no complete answer)';
				break;
			}
			[ 'type' => $type, 'length' => $length, 'padding' => $padding ] = unpack( 'Cversion/Ctype/nid/nlength/Cpadding', $head );
			$content = $length + $padding ? substr( (string) self::exactly( $connection, $length + $padding ), 0, $length ) : '';
			match ( $type ) {
				6 => $output .= $content,
				7 => $this->errors .= $content,
				default => null,
			};
			if ( 3 === $type ) {
				break;
			}
		}
		fclose( $connection );
		return explode( "\r\n\r\n", $output, 2 )[1] ?? '';
	}

	/** The process id of the master. */
	public function master(): int {
		return proc_get_status( $this->process )['pid'];
	}

	/** @return list<int> */
	public function workers(): array {
		$children = @file_get_contents( "/proc/{$this->master()}/task/{$this->master()}/children" );
		return array_map( 'intval', preg_split( '/ /', (string) $children, -1, PREG_SPLIT_NO_EMPTY ) );
	}

	/** As `systemctl reload php-fpm` does. */
	public function reload(): void {
		$before = $this->workers();
		posix_kill( $this->master(), SIGUSR2 );
		wait_for( 10, 'the pool has new workers', fn() => ! array_intersect( $before, $this->workers() ) && $this->workers() && $this->answers() );
	}

	public function log(): string {
		return @file_get_contents( "{$this->folder}/fpm.log" ) . @file_get_contents( "{$this->folder}/out" );
	}

	/** Ends the pool in order; returns how long that took, in seconds. */
	public function stop(): float {
		$began = microtime( true );
		if ( is_resource( $this->process ) ) {
			proc_terminate( $this->process, SIGQUIT );
			$over = fn() => ! proc_get_status( $this->process )['running'];
			try {
				wait_for( 10, 'PHP-FPM ends', $over, 2000 );
			} finally {
				if ( ! $over() ) {
					proc_terminate( $this->process, SIGKILL );
				}
				proc_close( $this->process );
			}
		}
		return microtime( true ) - $began;
	}

	private function answers(): bool {
		try {
			return 'alive' === $this->get( 'alive', [], 5 );
		} catch ( ErrorException ) {
			return false;
		}
	}

	private static function record( int $type, string $content ): string {
		return pack( 'CCnnxx', 1, $type, 1, strlen( $content ) ) . $content;
	}

	/** @param resource $connection */
	private static function exactly( $connection, int $length ): ?string {
		$bytes = '';
		while ( strlen( $bytes ) < $length ) {
			// A killed worker resets it.
			$more = @fread( $connection, $length - strlen( $bytes ) );
			if ( '' === $more || false === $more ) {
				return null;
			}
			$bytes .= $more;
		}
		return $bytes;
	}
}
