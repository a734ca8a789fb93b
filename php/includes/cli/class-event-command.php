<?php
/**
 * WP-CLI: wp posthorn event.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/catalogue.php';

/**
 * Lists the catalogue, shows an event with its sample.
 */
class Posthorn_CLI_Event_Command extends Posthorn_CLI_Door {

	/**
	 * Lists the events that Posthorn knows.
	 *
	 * ## OPTIONS
	 *
	 * [--group=<group>]
	 * : Only those of a group: Contacts.
	 *
	 * [--source=<source>]
	 * : Only those that are fired by the CRM's rows (crm), by WordPress (site), by code (dispatch) or as a test (posthorn).
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
		$events = posthorn_find_events( array_intersect_key( $options, array_flip( array( 'group', 'source' ) ) ) );
		$this->print_list( $events, array( 'name', 'group', 'title', 'source', 'other_names' ), $options );
	}

	/**
	 * Shows an event with its sample.
	 *
	 * ## OPTIONS
	 *
	 * <name>
	 * : Its name, or one that another system has for it.
	 *
	 * [--field=<field>]
	 * : One value alone: --field=sample.
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
		$event = posthorn_find_event( $arguments[0] );
		if ( null === $event ) {
			WP_CLI::error( sprintf( 'The catalogue has no event “%s”. wp posthorn event list shows it.', $arguments[0] ) );
		}
		$this->print_one( $event, $options );
	}
}
