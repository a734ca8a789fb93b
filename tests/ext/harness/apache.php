<?php
/** An Apache with PHP inside, on a free port of loopback. */

declare(strict_types=1);

final class Apache {
	/** @var resource */
	private $process;
	private string $address;

	public function __construct( private string $folder ) {
		$modules = '/usr/lib/apache2/modules';
		mkdir( "$folder/pages" );
		foreach ( glob( dirname( __DIR__ ) . '/scripts/pages/*.php' ) as $page ) {
			copy( $page, "$folder/pages/" . basename( $page ) );
		}
		mkdir( "$folder/php.d" );
		file_put_contents( "$folder/php.d/posthorn.ini", 'extension=' . getenv( 'POSTHORN_LIBRARY' ) . "\n" );
		// Port 0 cannot be asked back from Apache, so a free one is looked for; another program may take it first.
		$listening     = stream_socket_server( 'tcp://127.0.0.1:0' );
		$this->address = stream_socket_get_name( $listening, false );
		fclose( $listening );
		$conf = "ServerName 127.0.0.1\nServerRoot $folder\nPidFile $folder/pid\nErrorLog $folder/log\nListen {$this->address}\nTypesConfig /etc/mime.types\n";
		$loaded = [
			'mpm_prefork' => 'mod_mpm_prefork.so',
			'authz_core'  => 'mod_authz_core.so',
			'mime'        => 'mod_mime.so',
			'php'         => sprintf( 'libphp%d.%d.so', PHP_MAJOR_VERSION, PHP_MINOR_VERSION ),
		];
		foreach ( $loaded as $name => $file ) {
			$conf .= "LoadModule {$name}_module $modules/$file\n";
		}
		$conf .= "StartServers 3\nMinSpareServers 3\nMaxSpareServers 3\nMaxRequestWorkers 3\nKeepAlive Off\nDocumentRoot $folder/pages\n";
		$conf .= "<FilesMatch \"\\.php$\">\nSetHandler application/x-httpd-php\n</FilesMatch>\n";
		if ( 0 === posix_geteuid() ) {
			$conf .= 'User ' . Pool::user() . "\nGroup " . posix_getgrgid( posix_getpwnam( Pool::user() )['gid'] )['name'] . "\n";
		}
		file_put_contents( "$folder/conf", $conf );
		$files         = [ [ 'file', '/dev/null', 'r' ], [ 'file', "$folder/out", 'w' ], [ 'file', "$folder/out", 'a' ] ];
		$environment   = [ 'PHP_INI_SCAN_DIR' => ":$folder/php.d" ] + getenv();
		// Apache signals its whole process group when it ends, so it has one of its own; the session stays the test's.
		$command       = [ 'bash', '-c', 'set -m; "$@" & wait', 'apache', '/usr/sbin/apache2', '-f', "$folder/conf", '-D', 'FOREGROUND' ];
		$this->process = proc_open( $command, $files, $pipes, null, $environment );
		wait_for( 10, fn() => 'Apache starts: ' . $this->log(), fn() => $this->answers() );
	}

	/** @param array<string, scalar> $query */
	public function get( string $page, array $query = [] ): string {
		$context = stream_context_create( [ 'http' => [ 'timeout' => 20, 'ignore_errors' => true ] ] );
		return (string) file_get_contents( "http://{$this->address}/$page.php?" . http_build_query( $query ), false, $context );
	}

	/** As `apache2ctl graceful` does: modules are started again in the same process. */
	public function reload(): void {
		$times = substr_count( $this->log(), 'resuming normal operations' );
		posix_kill( $this->pid(), SIGUSR1 );
		wait_for( 10, fn() => 'Apache goes on: ' . $this->log(), fn() => substr_count( $this->log(), 'resuming normal operations' ) > $times && $this->answers() );
	}

	public function log(): string {
		return @file_get_contents( "{$this->folder}/log" ) . @file_get_contents( "{$this->folder}/out" );
	}

	/** Ends it in order; returns how long that took, in seconds. */
	public function stop(): float {
		$began = microtime( true );
		if ( is_resource( $this->process ) ) {
			posix_kill( $this->pid(), SIGTERM );
			$over = fn() => ! proc_get_status( $this->process )['running'];
			try {
				wait_for( 10, 'Apache ends', $over, 2000 );
			} finally {
				if ( ! $over() ) {
					posix_kill( $this->pid(), SIGKILL );
				}
				proc_close( $this->process );
			}
		}
		return microtime( true ) - $began;
	}

	private function pid(): int {
		return (int) file_get_contents( "{$this->folder}/pid" );
	}

	private function answers(): bool {
		try {
			return 'alive' === $this->get( 'alive' );
		} catch ( ErrorException ) {
			return false;
		}
	}
}
