<?php
/**
 * WP-CLI: wp posthorn site status, moved, copy, resume.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Says whether this site was moved or is a copy, and sends what waited while the plugin was switched off.
 */
class Posthorn_CLI_Site_Command extends Posthorn_CLI_Door {

	/**
	 * Shows whether events are held back, and why. Exit code 0 if nothing is, 2 if somebody has to say what the site is.
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
		$this->load();
		$held   = posthorn_is_held();
		$status = posthorn_here() + array(
			'held_back' => $held,
			'why'       => $held ? posthorn_guard_reason( posthorn_settings()['saved_for'] ) : '',
			'events'    => posthorn_held_count(),
			'copy'      => posthorn_is_copy(),
		);
		if ( 'json' === ( $options['format'] ?? 'table' ) ) {
			WP_CLI::log( (string) wp_json_encode( $status, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES ) );
		} else {
			$rows = array();
			foreach ( $status as $name => $value ) {
				$rows[] = array(
					'name'  => $name,
					'value' => is_bool( $value ) ? ( $value ? 'yes' : 'no' ) : (string) $value,
				);
			}
			WP_CLI\Utils\format_items( $options['format'] ?? 'table', $rows, array( 'name', 'value' ) );
		}
		if ( $held ) {
			$words = posthorn_guard_words();
			WP_CLI::warning( $words['title'] . ' ' . $words['text'] . ' Run “wp posthorn site moved” or “wp posthorn site copy”.' );
			WP_CLI::halt( 2 );
		}
	}

	/**
	 * This site was moved here: it sends from here, and what was held back is sent now.
	 *
	 * On a network that was moved as a whole this is said of all its sites. Also takes back that the site is a copy.
	 *
	 * @param array $arguments Positional arguments.
	 */
	public function moved( array $arguments ): void {
		$this->load();
		if ( ! posthorn_is_held() && ! posthorn_is_copy() && array() === posthorn_guard_questions() ) {
			WP_CLI::success( 'There was no question: this site is where its receivers were saved.' );
			return;
		}
		try {
			$done = posthorn_is_held() || posthorn_is_copy() ? posthorn_say_moved() : array( 'events' => 0 );
			// Other names of the same site, and the command line where it has another database host.
			foreach ( posthorn_guard_questions() as $place ) {
				$done['events'] += posthorn_say_moved( $place )['events'];
			}
		} catch ( \Throwable $error ) {
			$this->fail( $error );
		}
		WP_CLI::success( sprintf( 'This site sends from here. Events that were held back and are sent now: %d.', $done['events'] ) );
	}

	/**
	 * This site is a copy: its receivers are switched off, and what was held back is thrown away.
	 *
	 * @param array $arguments Positional arguments.
	 */
	public function copy( array $arguments ): void {
		$this->load();
		if ( ! posthorn_is_held() ) {
			WP_CLI::error( posthorn_is_copy() ? 'That was said already.' : 'This site is where its receivers were saved, so it is no copy. To stop sending, switch its receivers off.' );
		}
		$done = $this->attempt( 'posthorn_say_copy' );
		WP_CLI::success( sprintf( 'This site is a copy: its receivers are switched off and stay in the settings. Events that were held back and are thrown away: %d.', $done['events'] ) );
	}

	/**
	 * Sends what waits since the plugin was switched off, and what waits for receivers that sending to was stopped.
	 *
	 * A plugin that is switched off and on again sends nothing of what waits until you say so, on the settings page or here.
	 *
	 * ## EXAMPLES
	 *
	 *     wp plugin deactivate posthorn && deploy && wp plugin activate posthorn && wp posthorn site resume
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function resume( array $arguments, array $options ): void {
		$this->load();
		if ( posthorn_is_held() ) {
			WP_CLI::error( 'It is not known whether this site is a copy. Run “wp posthorn site moved” or “wp posthorn site copy” first.' );
		}
		$this->attempt( 'posthorn_resume_sending' );
		WP_CLI::success( 'What waits is sent now. “wp posthorn status” shows how it goes.' );
	}

	/**
	 * Loads what the commands need.
	 */
	private function load(): void {
		$this->require_ready();
		require_once dirname( __DIR__ ) . '/guard-answers.php';
	}
}
