<?php
/**
 * WP-CLI: wp posthorn work, drain, status, adopt.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Sends CRM webhooks, and says how that is going.
 */
class Posthorn_CLI_Command extends Posthorn_CLI_Door {

	/** How long a stop takes at most: signals are looked at between turns. */
	private const TURN_S = 1.0;

	/** How often it is asked whether another process that holds the queue answers. */
	private const LOOK_S = 60.0;

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
		$this->require_ready();
		$seconds = $this->seconds( $options );
		$stopped = $this->watch_signals();
		$end     = microtime( true ) + ( $seconds ?? INF );
		$settled = 0;
		require_once dirname( __DIR__ ) . '/conditions.php';
		try {
			$looked = microtime( true );
			$warned = $this->warn_of_sender( 0 );
			posthorn_hand_over_if_needed();
			WP_CLI::log( 'Posthorn is sending from ' . posthorn_queue_directory() . '. Ctrl-C or SIGTERM ends it.' );
			while ( ! $stopped() && microtime( true ) < $end ) {
				$began    = microtime( true );
				$done     = posthorn_client_work( max( 0.01, min( self::TURN_S, $end - $began ) ) );
				$settled += $done;
				if ( 0 === $done && microtime( true ) - $looked >= self::LOOK_S ) {
					$looked = microtime( true );
					$warned = $this->warn_of_sender( $warned );
				}
				if ( 0 === $done && microtime( true ) - $began < 0.01 ) {
					usleep( self::IDLE_US );
				}
			}
		} catch ( \Throwable $error ) {
			$this->fail( $error );
		}
		WP_CLI::log( sprintf( 'Posthorn has ended; deliveries settled: %d.', $settled ) );
	}

	/**
	 * Empties the queue, before the site is moved to another server: sends what is due here and says what is left and why.
	 *
	 * The queue is that of the whole installation; on a network, of all its sites. New events are still accepted, so put the
	 * site into maintenance mode first if nothing may come after. What waits for its next attempt stays, unless --now or
	 * --seconds is given. Ctrl-C or SIGTERM ends it after the requests in flight; nothing is lost.
	 *
	 * Exit code 0 when the queue is empty, also where deliveries failed for good, which is said with their number; 1 when
	 * something is left or the queue cannot be used. What is left need not be sent before the move: the queue's directory
	 * can be copied while PHP is stopped.
	 *
	 * ## OPTIONS
	 *
	 * [--now]
	 * : Try what waits for its next attempt at once. That uses up the attempt: what fails the last one is a dead letter.
	 *
	 * [--seconds=<seconds>]
	 * : Keep on for so long, also while nothing is due, so that retries that come due meanwhile are sent too.
	 *
	 * ## EXAMPLES
	 *
	 *     wp posthorn drain
	 *     wp posthorn drain --now
	 *     wp posthorn drain --seconds=900
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function drain( array $arguments, array $options ): void {
		$this->require_ready();
		require_once dirname( __DIR__ ) . '/drain.php';
		require_once dirname( __DIR__ ) . '/conditions.php';
		$seconds = $this->seconds( $options );
		$stopped = $this->watch_signals();
		try {
			foreach ( posthorn_sender_conditions( posthorn_client_inspect() ) as $condition ) {
				$this->log_condition( $condition );
				WP_CLI::error( 'The queue cannot be taken over. Put that right first.' );
			}
			posthorn_hand_over_if_needed();
			$waiting = posthorn_client_waiting( true );
			WP_CLI::log( sprintf( 'Emptying %s; deliveries that wait: %d.', posthorn_queue_directory(), array_sum( array_column( $waiting, 'pending' ) ) ) );
			if ( ! empty( $options['now'] ) ) {
				WP_CLI::log( sprintf( 'Retries that are tried now: %d.', posthorn_client_hurry() ) );
			}
			$dead   = posthorn_client_dead();
			$told   = microtime( true );
			$result = posthorn_drain(
				$seconds,
				$stopped,
				static function ( int $settled ) use ( &$told ): void {
					if ( microtime( true ) - $told >= self::TURN_S ) {
						$told = microtime( true );
						WP_CLI::log( sprintf( 'Sent so far: %d.', $settled ) );
					}
				}
			);
			$failed = max( 0, posthorn_client_dead() - $dead );
		} catch ( \Throwable $error ) {
			$this->fail( $error );
		}
		WP_CLI::log( sprintf( 'Deliveries settled: %d.', $result['settled'] ) );
		if ( $failed > 0 ) {
			WP_CLI::warning( sprintf( 'Deliveries that failed for good: %d. They are kept with their errors; Settings → CRM Webhooks → Deliveries lists them.', $failed ) );
		}
		if ( array() === $result['left'] ) {
			WP_CLI::success( 'The queue is empty.' );
			return;
		}
		$rows = array();
		foreach ( $result['left'] as $one ) {
			$rows[] = array(
				'site'         => '' === $one['site'] ? '-' : $one['site'],
				'receiver'     => posthorn_left_receiver( $one ),
				'waiting'      => $one['pending'],
				'next attempt' => $one['next_attempt_at'] ?? '-',
				'why'          => preg_replace( '/[\x00-\x1f\x7f]+/', ' ', posthorn_left_reason( $one ) ),
			);
		}
		WP_CLI\Utils\format_items( 'table', $rows, array( 'site', 'receiver', 'waiting', 'next attempt', 'why' ) );
		WP_CLI::error( $stopped() ? 'Stopped before the queue was empty. Nothing is lost: what is left stays in the queue.' : 'The queue is not empty. Nothing is lost: what is left stays in the queue and can be moved with it.' );
	}

	/**
	 * Takes the queue as this machine's, after the site was moved here: Posthorn warns no more that it was last used elsewhere.
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function adopt( array $arguments, array $options ): void {
		$this->require_ready();
		try {
			$look = posthorn_client_inspect();
			posthorn_client_adopt();
		} catch ( \Throwable $error ) {
			$this->fail( $error );
		}
		WP_CLI::success( $look['host_changed'] ? sprintf( 'The queue is %s’s now.', $look['host'] ) : sprintf( 'The queue already was %s’s.', $look['host'] ) );
	}

	/**
	 * Shows who sends, what waits and what failed.
	 *
	 * ## OPTIONS
	 *
	 * [--format=<format>]
	 * : How it is printed.
	 * ---
	 * default: table
	 * options:
	 *   - table
	 *   - json
	 *   - csv
	 *   - yaml
	 * ---
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function status( array $arguments, array $options ): void {
		$this->require_ready();
		require_once dirname( __DIR__ ) . '/conditions.php';
		try {
			$stats      = posthorn_client_stats();
			$look       = posthorn_client_inspect();
			$conditions = posthorn_conditions();
			$status     = array(
				'plugin'              => POSTHORN_VERSION,
				'extension'           => (string) phpversion( 'posthorn' ),
				'directory'           => posthorn_queue_directory(),
				'file_system'         => $look['file_system'],
				'file_system_type'    => $look['file_system_type'],
				'host'                => $look['host'],
				'host_changed'        => $look['host_changed'],
				'receiver'            => posthorn_has_receiver(),
				'paused'              => posthorn_client_paused(),
				'dispatcher'          => (bool) $stats['dispatcher'],
				'dispatcher_pid'      => $stats['dispatcher_pid'],
				'dispatcher_kind'     => $stats['dispatcher_kind'],
				'dispatcher_responds' => $look['dispatcher_responds'],
				'pending'             => $stats['pending'],
				'oldest_pending_s'    => $stats['oldest_pending_s'],
				'delivered'           => $stats['delivered'],
				'dead'                => $stats['dead'],
				'cancelled'           => $stats['cancelled'],
				'bytes'               => $stats['bytes'],
				'used_bytes'          => $stats['used_bytes'],
				'max_bytes'           => $stats['max_bytes'],
				'disk_free_bytes'     => $look['disk_free_bytes'],
			);
		} catch ( \Throwable $error ) {
			$this->fail( $error );
		}
		if ( 'json' === ( $options['format'] ?? 'table' ) ) {
			$status['problems'] = $conditions;
			WP_CLI::log( (string) wp_json_encode( $status, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES ) );
			return;
		}
		$rows = array();
		foreach ( $status as $name => $value ) {
			$rows[] = array(
				'name'  => $name,
				'value' => null === $value ? '-' : self::plain( $value ),
			);
		}
		WP_CLI\Utils\format_items( $options['format'] ?? 'table', $rows, array( 'name', 'value' ) );
		array_map( array( $this, 'log_condition' ), $conditions );
	}

	/**
	 * The option --seconds; null without it.
	 *
	 * @param array $options Options.
	 */
	private function seconds( array $options ): ?float {
		$seconds = $options['seconds'] ?? null;
		if ( null !== $seconds && ( ! is_numeric( $seconds ) || $seconds <= 0 ) ) {
			WP_CLI::error( '--seconds takes a number of seconds above 0, such as 30.' );
		}
		return null === $seconds ? null : (float) $seconds;
	}

	/**
	 * Catches SIGTERM and SIGINT.
	 *
	 * @return callable Whether one has come: fn(): bool.
	 */
	private function watch_signals(): callable {
		$stopped = false;
		if ( function_exists( 'pcntl_async_signals' ) ) {
			$stop = static function () use ( &$stopped ): void {
				$stopped = true;
			};
			pcntl_async_signals( true );
			pcntl_signal( SIGTERM, $stop );
			pcntl_signal( SIGINT, $stop );
		}
		return static function () use ( &$stopped ): bool {
			return $stopped;
		};
	}

	/**
	 * Warns of another process that holds the queue and does not respond: this one can send nothing meanwhile.
	 *
	 * @param int $warned The process that was warned of before; 0 for none.
	 * @return int The process that does not respond now; 0 if all is well.
	 */
	private function warn_of_sender( int $warned ): int {
		$look  = posthorn_client_inspect();
		$pid   = (int) $look['dispatcher_pid'];
		$found = getmypid() === $pid ? array() : posthorn_sender_conditions( $look );
		if ( array() !== $found && max( 1, $pid ) !== $warned ) {
			array_map( array( $this, 'log_condition' ), $found );
		}
		// A process of another container has no number here.
		return array() === $found ? 0 : max( 1, $pid );
	}

	/**
	 * Prints what is wrong and what to do.
	 *
	 * @param array $condition See posthorn_condition().
	 */
	private function log_condition( array $condition ): void {
		WP_CLI::warning( $condition['title'] . '. ' . $condition['text'] );
		foreach ( $condition['steps'] as $step ) {
			WP_CLI::log( '  ' . $step['text'] );
			foreach ( $step['commands'] as $command ) {
				WP_CLI::log( '    ' . $command );
			}
		}
	}
}
