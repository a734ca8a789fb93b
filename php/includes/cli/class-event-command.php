<?php
/**
 * WP-CLI: wp posthorn event.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/fire.php';

/**
 * Lists the catalogue, shows an event with its sample, fires one.
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
		$events = $this->attempt( static fn() => posthorn_find_events( array_intersect_key( $options, array_flip( array( 'group', 'source' ) ) ) ) );
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
		$event = posthorn_client_event( $arguments[0] );
		if ( null === $event ) {
			WP_CLI::error( sprintf( 'The catalogue has no event “%s”. wp posthorn event list shows it.', $arguments[0] ) );
		}
		$this->print_one( $event, $options );
	}

	/**
	 * Fires an event: it is sent to every webhook that wants it, and tried again until each has it.
	 *
	 * Exit code 0 when it was accepted, also where no webhook wants it, which is said; 1 when not. To see what a receiver
	 * does with an event, use wp posthorn webhook test: it is sent to one, at once, and marked as a test.
	 *
	 * ## OPTIONS
	 *
	 * <name>
	 * : Its name, or one that another system has for it.
	 *
	 * --data=<json>
	 * : The record as it is now, a JSON object; - reads it from standard input.
	 *
	 * [--record=<record>]
	 * : The record it is about, deal:7: events of one record are sent in order.
	 *
	 * [--previous=<json>]
	 * : Old values of the fields that changed, a JSON object.
	 *
	 * [--changes=<fields>]
	 * : The names of the fields that changed, separated by commas.
	 *
	 * [--occurred_at=<time>]
	 * : When it happened, ISO 8601; now without it.
	 *
	 * [--porcelain]
	 * : Print the event's id alone.
	 *
	 * ## EXAMPLES
	 *
	 *     wp posthorn event dispatch bot.created --data='{"bot_id":7,"name":"Nia"}' --record=bot:7
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function dispatch( array $arguments, array $options ): void {
		$this->require_ready();
		if ( '-' === $options['data'] ) {
			$options['data'] = stream_get_contents( STDIN );
		}
		$context = array( 'previous' => $this->json( $options, 'previous' ) ) + array_intersect_key( $options, array_flip( array( 'record', 'occurred_at' ) ) );
		if ( isset( $options['changes'] ) ) {
			$context['changes'] = wp_parse_list( $options['changes'] );
		}
		$data  = (array) $this->json( $options, 'data' );
		$fired = $this->attempt( static fn() => posthorn_fire( $arguments[0], $data, $context ) );
		if ( ! empty( $options['porcelain'] ) ) {
			WP_CLI::log( $fired['event_id'] );
			return;
		}
		WP_CLI::success( sprintf( 'Accepted as %1$s. Webhooks that it goes to: %2$d.', $fired['event_id'], $fired['deliveries'] ) );
	}
}
