<?php
/**
 * WP-CLI: wp posthorn export, import.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Carries settings from site to site, without secrets.
 */
class Posthorn_CLI_Transfer_Command extends Posthorn_CLI_Door {

	/**
	 * Writes the site's receivers and settings as JSON, without secrets.
	 *
	 * ## OPTIONS
	 *
	 * [<file>]
	 * : Where to. Standard output if left out.
	 *
	 * ## EXAMPLES
	 *
	 *     wp posthorn export posthorn.json
	 *
	 * @param array $arguments Positional arguments.
	 */
	public function export( array $arguments ): void {
		$this->load();
		$json = posthorn_export_json();
		if ( ! isset( $arguments[0] ) || '-' === $arguments[0] ) {
			WP_CLI::log( rtrim( $json ) );
			return;
		}
		// phpcs:ignore WordPress.WP.AlternativeFunctions, WordPress.PHP.NoSilencedErrors -- A file of whoever runs the command.
		if ( false === @file_put_contents( $arguments[0], $json ) ) {
			WP_CLI::error( "{$arguments[0]} cannot be written." );
		}
		WP_CLI::success( sprintf( 'Exported receivers: %d. Secrets are not in the file.', count( posthorn_settings()['endpoints'] ) ) );
	}

	/**
	 * Reads what was exported: adds receivers, and replaces those with the same id.
	 *
	 * All of the file is checked before anything changes. A receiver whose secret is not known here is switched off until
	 * it is entered. Exit code 1 if nothing was changed because of a mistake.
	 *
	 * ## OPTIONS
	 *
	 * <file>
	 * : What “wp posthorn export” wrote; - for standard input.
	 *
	 * [--dry-run]
	 * : Say what would be done, and do nothing.
	 *
	 * [--allow-private]
	 * : Let receivers call the private addresses that the file allows them in addition.
	 *
	 * ## EXAMPLES
	 *
	 *     wp posthorn import posthorn.json --dry-run
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function import( array $arguments, array $options ): void {
		$this->load();
		// phpcs:ignore WordPress.WP.AlternativeFunctions, WordPress.PHP.NoSilencedErrors -- A file of whoever runs the command.
		$json = @file_get_contents( '-' === $arguments[0] ? 'php://stdin' : $arguments[0] );
		if ( false === $json ) {
			WP_CLI::error( "{$arguments[0]} cannot be read." );
		}
		$dry  = ! empty( $options['dry-run'] );
		$plan = $dry ? posthorn_import_plan( $json ) : posthorn_import( $json, ! empty( $options['allow-private'] ) );
		if ( is_wp_error( $plan ) ) {
			foreach ( $plan->get_error_data()['mistakes'] ?? array() as $key => $message ) {
				WP_CLI::warning( "$key: $message" );
			}
			WP_CLI::error( 'posthorn_private' === $plan->get_error_code() ? $plan->get_error_message() . ' Give --allow-private.' : ( isset( $plan->get_error_data()['mistakes'] ) ? 'Nothing was changed: the file has mistakes.' : $plan->get_error_message() ) );
		}
		$rows = array();
		foreach ( $plan['steps'] as $step ) {
			$rows[] = array(
				'id'      => $step['id'],
				'host'    => (string) wp_parse_url( $step['url'], PHP_URL_HOST ),
				'action'  => $step['action'],
				'enabled' => $step['off'] ? 'no' : 'yes',
				'enter'   => implode( ', ', $step['needs'] ),
				'private' => $step['private'],
			);
		}
		WP_CLI\Utils\format_items( 'table', $rows, array( 'id', 'host', 'action', 'enabled', 'enter', 'private' ) );
		foreach ( $plan['steps'] as $step ) {
			if ( array() !== $step['needs'] ) {
				WP_CLI::warning( sprintf( '%s is switched off until you have entered here what an export does not have: %s.', $step['id'], implode( ', ', $step['needs'] ) ) );
			}
		}
		WP_CLI::success( $dry ? 'Nothing was changed.' : sprintf( 'Imported receivers: %d.', count( $rows ) ) );
	}

	/**
	 * Loads what the commands need.
	 */
	private function load(): void {
		$this->require_ready();
		require_once dirname( __DIR__ ) . '/transfer.php';
	}
}
