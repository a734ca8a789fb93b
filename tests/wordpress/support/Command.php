<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

/**
 * A process beside the test: WP-CLI on the bed, or PHP with other settings.
 */
final class Command {

	public int $status = -1;
	public string $output = '';
	public string $errors = '';

	/** @var resource */
	private $process;
	/** @var resource[] */
	private array $pipes = array();

	/**
	 * @param string[] $command     Program and arguments.
	 * @param array    $environment What differs from this process's environment.
	 */
	private function __construct( array $command, array $environment = array() ) {
		$this->process = proc_open(
			$command,
			array(
				0 => array( 'file', '/dev/null', 'r' ),
				1 => array( 'pipe', 'w' ),
				2 => array( 'pipe', 'w' ),
			),
			$this->pipes,
			null,
			$environment + getenv()
		);
		stream_set_blocking( $this->pipes[1], false );
		stream_set_blocking( $this->pipes[2], false );
	}

	/** Runs `wp …` on the bed to its end. */
	public static function wp( string ...$arguments ): self {
		return self::start_wp( ...$arguments )->finish();
	}

	/** Starts `wp …` on the bed. */
	public static function start_wp( string ...$arguments ): self {
		return self::start_wp_at( getenv( 'POSTHORN_BED' ) . '/wordpress', array(), array(), ...$arguments );
	}

	/**
	 * Starts `wp …` on a WordPress.
	 *
	 * @param string   $wordpress    Its folder.
	 * @param string[] $settings     INI settings, `name=value`.
	 * @param string[] $environment  Environment variables.
	 * @param string   ...$arguments Of wp.
	 */
	public static function start_wp_at( string $wordpress, array $settings, array $environment, string ...$arguments ): self {
		$root = function_exists( 'posix_geteuid' ) && 0 === posix_geteuid() ? array( '--allow-root' ) : array();
		$php  = array( PHP_BINARY, '-d', 'memory_limit=1G' );
		foreach ( $settings as $setting ) {
			array_push( $php, '-d', $setting );
		}
		return new self(
			array_merge(
				$php,
				array( getenv( 'POSTHORN_WP_CLI' ), "--path=$wordpress", '--no-color' ),
				$root,
				$arguments
			),
			$environment +
			array(
				'WP_CLI_CONFIG_PATH'        => '/dev/null',
				'WP_CLI_DISABLE_AUTO_CHECK_UPDATE' => '1',
				'HOME'                      => getenv( 'POSTHORN_BED' ) . '/run',
			)
		);
	}

	/**
	 * Runs a script of bash, in which `wp` is WP-CLI on the bed.
	 *
	 * @param string $script      The script; it ends where a command fails.
	 * @param array  $environment What differs from this process's environment.
	 */
	public static function bash( string $script, array $environment = array() ): self {
		$root = function_exists( 'posix_geteuid' ) && 0 === posix_geteuid() ? ' --allow-root' : '';
		$wp   = sprintf( 'wp() { %s -d memory_limit=1G %s --path=%s --no-color%s "$@"; }', escapeshellarg( PHP_BINARY ), escapeshellarg( getenv( 'POSTHORN_WP_CLI' ) ), escapeshellarg( getenv( 'POSTHORN_BED' ) . '/wordpress' ), $root );
		return ( new self( array( 'bash', '-euo', 'pipefail', '-c', "$wp\n$script" ), $environment + array( 'WP_CLI_CONFIG_PATH' => '/dev/null', 'WP_CLI_DISABLE_AUTO_CHECK_UPDATE' => '1', 'HOME' => getenv( 'POSTHORN_BED' ) . '/run' ) ) )->finish(); // phpcs:ignore
	}

	/**
	 * Runs PHP code inside the bed's WordPress, in a process with settings of its own.
	 *
	 * @param string   $code     PHP without its opening tag; runs after WordPress's administration was loaded.
	 * @param string[] $settings INI settings, `name=value`.
	 */
	public static function wordpress( string $code, array $settings = array() ): self {
		$command = array( PHP_BINARY );
		foreach ( $settings as $setting ) {
			array_push( $command, '-d', $setting );
		}
		$script = 'require ' . var_export( dirname( __DIR__ ) . '/load.php', true ) . ";\n$code";
		return ( new self( array_merge( $command, array( '-r', $script ) ) ) )->finish();
	}

	public function process_id(): int {
		return proc_get_status( $this->process )['pid'];
	}

	public function is_running(): bool {
		$this->read();
		$state = proc_get_status( $this->process );
		if ( ! $state['running'] && -1 !== $state['exitcode'] ) {
			$this->status = $state['exitcode'];
		}
		return $state['running'];
	}

	public function signal( int $number ): void {
		proc_terminate( $this->process, $number );
	}

	/**
	 * Waits for the end.
	 *
	 * @param float $seconds Then it is killed, which fails the test.
	 */
	public function finish( float $seconds = 60.0 ): self {
		$deadline = microtime( true ) + $seconds;
		while ( $this->is_running() ) {
			if ( microtime( true ) > $deadline ) {
				proc_terminate( $this->process, 9 );
				throw new \RuntimeException( "a command did not end within $seconds s: $this->output $this->errors" );
			}
			usleep( 5000 );
		}
		$this->read();
		array_map( 'fclose', $this->pipes );
		proc_close( $this->process );
		return $this;
	}

	private function read(): void {
		$this->output .= stream_get_contents( $this->pipes[1] );
		$this->errors .= stream_get_contents( $this->pipes[2] );
	}
}
