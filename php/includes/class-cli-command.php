<?php
/**
 * WP-CLI: wp posthorn work, status, test.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Sends CRM webhooks, and says how that is going.
 */
class Posthorn_CLI_Command {

	/** How long a stop takes at most: signals are looked at between turns. */
	private const TURN_S = 1.0;

	/** The pause after a turn that ended early without work. */
	private const IDLE_US = 200000;

	/**
	 * Sends what is due until it is stopped, as a service does. Other processes of the site stand by meanwhile.
	 *
	 * SIGTERM and SIGINT end it within about a second, after the requests in flight are settled. Exit code 0 when it was
	 * stopped or the time is up, 1 when the queue cannot be used.
	 *
	 * ## OPTIONS
	 *
	 * [--seconds=<seconds>]
	 * : End after this time. Without it, never.
	 *
	 * ## EXAMPLES
	 *
	 *     wp posthorn work
	 *     wp posthorn work --seconds=30
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function work( array $arguments, array $options ): void {
		$this->require_extension();
		$seconds = $options['seconds'] ?? null;
		if ( null !== $seconds && ( ! is_numeric( $seconds ) || $seconds <= 0 ) ) {
			WP_CLI::error( '--seconds takes a number of seconds above 0, such as 30.' );
		}
		$stopped = false;
		if ( function_exists( 'pcntl_async_signals' ) ) {
			$stop = static function () use ( &$stopped ): void {
				$stopped = true;
			};
			pcntl_async_signals( true );
			pcntl_signal( SIGTERM, $stop );
			pcntl_signal( SIGINT, $stop );
		}
		$end     = null === $seconds ? INF : microtime( true ) + (float) $seconds;
		$settled = 0;
		try {
			posthorn_hand_over_if_needed();
			WP_CLI::log( 'Posthorn is sending from ' . posthorn_queue_directory() . '. Ctrl-C or SIGTERM ends it.' );
			while ( ! $stopped && microtime( true ) < $end ) {
				$began    = microtime( true );
				$done     = posthorn_client_work( max( 0.01, min( self::TURN_S, $end - $began ) ) );
				$settled += $done;
				if ( 0 === $done && microtime( true ) - $began < 0.01 ) {
					usleep( self::IDLE_US );
				}
			}
		} catch ( \Throwable $error ) {
			WP_CLI::error( $error->getMessage() );
		}
		WP_CLI::log( sprintf( 'Posthorn has ended; deliveries settled: %d.', $settled ) );
	}

	/**
	 * Shows who sends, what waits and what failed.
	 *
	 * ## OPTIONS
	 *
	 * [--format=<format>]
	 * : table or json.
	 * ---
	 * default: table
	 * options:
	 *   - table
	 *   - json
	 * ---
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function status( array $arguments, array $options ): void {
		$this->require_extension();
		try {
			$stats  = posthorn_client_stats();
			$status = array(
				'plugin'           => POSTHORN_VERSION,
				'extension'        => (string) phpversion( 'posthorn' ),
				'directory'        => posthorn_queue_directory(),
				'receiver'         => posthorn_has_receiver(),
				'paused'           => posthorn_client_paused(),
				'dispatcher'       => (bool) $stats['dispatcher'],
				'dispatcher_kind'  => $stats['dispatcher_kind'] ?? null,
				'pending'          => $stats['pending'],
				'oldest_pending_s' => $stats['oldest_pending_s'],
				'delivered'        => $stats['delivered'],
				'dead'             => $stats['dead'],
				'cancelled'        => $stats['cancelled'],
				'bytes'            => $stats['bytes'],
			);
		} catch ( \Throwable $error ) {
			WP_CLI::error( $error->getMessage() );
		}
		if ( 'json' === ( $options['format'] ?? 'table' ) ) {
			WP_CLI::log( (string) wp_json_encode( $status, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES ) );
			return;
		}
		$rows = array();
		foreach ( $status as $name => $value ) {
			$rows[] = array(
				'name'  => $name,
				'value' => is_bool( $value ) ? ( $value ? 'yes' : 'no' ) : (string) ( $value ?? '-' ),
			);
		}
		WP_CLI\Utils\format_items( 'table', $rows, array( 'name', 'value' ) );
	}

	/**
	 * Sends a test to the saved receiver, or to a URL. Exit code 0 if it was accepted, 1 otherwise.
	 *
	 * ## OPTIONS
	 *
	 * [<url>]
	 * : Send there instead of to the saved receiver; unsigned unless --secret is given.
	 *
	 * [--event=<event>]
	 * : The event, with its sample from the catalogue.
	 * ---
	 * default: test
	 * ---
	 *
	 * [--secret=<secret>]
	 * : Sign with this secret. Other users of the server can see it in the list of processes.
	 *
	 * [--allow-private]
	 * : Allow an address of the own network.
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function test( array $arguments, array $options ): void {
		$this->require_extension();
		try {
			$result = posthorn_test( $this->endpoint( $arguments[0] ?? null, $options ), (string) ( $options['event'] ?? 'test' ) );
		} catch ( \Throwable $error ) {
			WP_CLI::error( $error->getMessage() );
		}
		if ( null !== $result['status'] ) {
			WP_CLI::log( sprintf( 'Status: %s %s', $result['status'], get_status_header_desc( $result['status'] ) ) );
		}
		WP_CLI::log( sprintf( 'Time taken: %.1f ms', $result['duration_ms'] ) );
		if ( '' !== $result['answer'] ) {
			// A receiver's answer must not steer the terminal.
			WP_CLI::log( 'Answer: ' . preg_replace( '/[\x00-\x1f\x7f]+/', ' ', $result['answer'] ) );
		}
		if ( ! $result['ok'] ) {
			WP_CLI::error( trim( $result['title'] . ' ' . ucfirst( $result['advice'] ) ) );
		}
		WP_CLI::success( $result['title'] );
	}

	/**
	 * Ends the command if the extension is missing or of another version.
	 */
	private function require_extension(): void {
		switch ( posthorn_requirement_problem() ) {
			case 'missing':
				WP_CLI::error( sprintf( 'The PHP extension posthorn is not loaded in this PHP %s (%s). Load it with extension=posthorn.so in its php.ini.', PHP_VERSION, PHP_BINARY ) );
				break;
			case 'version':
				WP_CLI::error( sprintf( 'The plugin is version %s, the PHP extension is version %s. Install the library of the plugin’s version.', POSTHORN_VERSION, (string) phpversion( 'posthorn' ) ) );
		}
	}

	/**
	 * The endpoint to test.
	 *
	 * @param string|null $url     A URL, or null for the saved receiver.
	 * @param array       $options Options.
	 */
	private function endpoint( ?string $url, array $options ): array {
		require_once __DIR__ . '/secrets.php';
		if ( null === $url ) {
			$stored = posthorn_main_endpoint( posthorn_settings() );
			if ( null === $stored ) {
				WP_CLI::error( 'No receiver is saved. Give a URL: wp posthorn test https://…' );
			}
			$endpoint = posthorn_for_queue( $stored );
			if ( null === $endpoint && ! isset( $options['secret'] ) ) {
				WP_CLI::error( 'The stored secret cannot be read, because the key that protects it is gone. Enter it again under Settings → CRM Webhooks, or give --secret.' );
			}
			$endpoint ??= $stored;
		} else {
			$endpoint = array( 'url' => $url );
		}
		$endpoint['events'] = array( '*' );
		if ( isset( $options['secret'] ) ) {
			$endpoint['secret'] = (string) $options['secret'];
		}
		if ( ! empty( $options['allow-private'] ) ) {
			$endpoint['allow_private'] = true;
		}
		return $endpoint;
	}
}
