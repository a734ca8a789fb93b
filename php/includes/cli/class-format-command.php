<?php
/**
 * WP-CLI: wp posthorn format.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Lists the formats, shows one, makes a secret for one.
 */
class Posthorn_CLI_Format_Command extends Posthorn_CLI_Door {

	/**
	 * Lists the formats: how requests look.
	 *
	 * ## OPTIONS
	 *
	 * [--fields=<fields>]
	 * : These fields, separated by commas.
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
	 *   - ids
	 *   - count
	 * ---
	 *
	 * @subcommand list
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function list_( array $arguments, array $options ): void {
		$this->require_ready();
		$this->print_list( posthorn_find_formats(), array( 'name', 'title', 'timeout', 'schedule', 'https_only', 'needs_secret', 'signature_header' ), $options );
	}

	/**
	 * Shows a format.
	 *
	 * ## OPTIONS
	 *
	 * <name>
	 * : Its name.
	 *
	 * [--field=<field>]
	 * : One value alone.
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
	public function get( array $arguments, array $options ): void {
		$this->require_ready();
		$format = array_column( posthorn_find_formats(), null, 'name' )[ $arguments[0] ] ?? null;
		if ( null === $format ) {
			WP_CLI::error( sprintf( 'There is no format “%s”; there are %s.', $arguments[0], implode( ', ', array_column( posthorn_find_formats(), 'name' ) ) ) );
		}
		$this->print_one( $format, $options );
	}

	/**
	 * Prints a new random secret in the form that a format wants. It is stored nowhere.
	 *
	 * ## OPTIONS
	 *
	 * [<name>]
	 * : The format's name; the default one's without it.
	 *
	 * ## EXAMPLES
	 *
	 *     wp posthorn format secret standard-webhooks
	 *
	 * @param array $arguments Positional arguments.
	 */
	public function secret( array $arguments ): void {
		$this->require_ready();
		WP_CLI::log( $this->attempt( static fn() => posthorn_client_generate_secret( $arguments[0] ?? '' ) ) );
	}
}
