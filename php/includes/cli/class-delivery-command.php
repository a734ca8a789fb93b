<?php
/**
 * WP-CLI: wp posthorn delivery.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/deliveries.php';

/**
 * Lists deliveries, shows one with its attempts, sends again, cancels.
 */
class Posthorn_CLI_Delivery_Command extends Posthorn_CLI_Door {

	/**
	 * Lists deliveries, the newest first.
	 *
	 * ## OPTIONS
	 *
	 * [--state=<state>]
	 * : Only those in this state.
	 * ---
	 * options:
	 *   - pending
	 *   - delivered
	 *   - dead
	 *   - cancelled
	 * ---
	 *
	 * [--endpoint=<id>]
	 * : Only those of a webhook.
	 *
	 * [--event=<name>]
	 * : Only those of an event of the catalogue.
	 *
	 * [--event_id=<id>]
	 * : Only those of one event.
	 *
	 * [--record=<record>]
	 * : Only those about a record: contact:7.
	 *
	 * [--since=<time>]
	 * : Accepted at this time or later, ISO 8601: 2026-04-17T12:00:00Z.
	 *
	 * [--until=<time>]
	 * : Accepted before this time.
	 *
	 * [--limit=<number>]
	 * : The newest so many, 1 to 1000.
	 * ---
	 * default: 50
	 * ---
	 *
	 * [--before=<id>]
	 * : Only those older than the delivery with this id: the last one of the page before.
	 *
	 * [--fields=<fields>]
	 * : These fields, separated by commas.
	 *
	 * [--format=<format>]
	 * : How it is printed; count is how many there are in all.
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
	 * ## EXAMPLES
	 *
	 *     wp posthorn delivery list --state=dead --format=json
	 *     wp posthorn delivery list --since=2026-04-17T00:00:00Z --fields=id,event,last_error
	 *
	 * @subcommand list
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function list_( array $arguments, array $options ): void {
		$this->require_ready();
		$filter = posthorn_delivery_filter( $options );
		if ( 'count' === $options['format'] ) {
			WP_CLI::log( (string) $this->attempt( static fn() => posthorn_count_deliveries( $filter ) ) );
			return;
		}
		$page       = array_filter( array( 'limit' => $this->limit( $options['limit'] ), 'before' => $options['before'] ?? '' ) ); // phpcs:ignore WordPress.Arrays
		$deliveries = $this->attempt( static fn() => posthorn_client_deliveries( $filter + $page ) );
		$this->print_list( $deliveries, array( 'id', 'event', 'record', 'endpoint', 'state', 'attempts', 'next_attempt_at', 'last_status', 'last_error', 'created_at' ), $options );
	}

	/**
	 * Shows a delivery with its attempts.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The delivery's id.
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
		$this->print_one( $this->find( $arguments[0] ), $options );
	}

	/**
	 * Sends deliveries again: those with these ids, or the dead ones that the options select.
	 *
	 * Exit code 1 if one of the ids is not there or cannot be sent again.
	 *
	 * ## OPTIONS
	 *
	 * [<id>...]
	 * : Ids of deliveries; also of delivered or cancelled ones.
	 *
	 * [--state=<state>]
	 * : dead, delivered or cancelled.
	 *
	 * [--endpoint=<id>]
	 * : Those of a webhook.
	 *
	 * [--event=<name>]
	 * : Those of an event of the catalogue.
	 *
	 * [--event_id=<id>]
	 * : Those of one event.
	 *
	 * [--record=<record>]
	 * : Those about a record.
	 *
	 * [--since=<time>]
	 * : Accepted at this time or later, ISO 8601.
	 *
	 * [--until=<time>]
	 * : Accepted before this time.
	 *
	 * [--limit=<number>]
	 * : The newest so many.
	 *
	 * ## EXAMPLES
	 *
	 *     wp posthorn delivery replay 019dba6e-3ad8-7a0e-8f4e-0c7b7d9a2f11
	 *     wp posthorn delivery replay --endpoint=main --since=2026-04-17T00:00:00Z
	 *     wp posthorn delivery replay --state=dead
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function replay( array $arguments, array $options ): void {
		$this->act( $arguments, $options, 'posthorn_replay', 'Deliveries that are sent again: %d.' );
	}

	/**
	 * Cancels deliveries that wait: those with these ids, or those that the options select.
	 *
	 * Exit code 1 if one of the ids is not there or does not wait.
	 *
	 * ## OPTIONS
	 *
	 * [<id>...]
	 * : Ids of deliveries.
	 *
	 * [--endpoint=<id>]
	 * : Those of a webhook.
	 *
	 * [--state=<state>]
	 * : pending: all that wait.
	 *
	 * [--event=<name>]
	 * : Those of an event of the catalogue.
	 *
	 * [--event_id=<id>]
	 * : Those of one event.
	 *
	 * [--record=<record>]
	 * : Those about a record.
	 *
	 * [--since=<time>]
	 * : Accepted at this time or later, ISO 8601.
	 *
	 * [--until=<time>]
	 * : Accepted before this time.
	 *
	 * [--limit=<number>]
	 * : The newest so many.
	 *
	 * ## EXAMPLES
	 *
	 *     wp posthorn delivery cancel --endpoint=main
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function cancel( array $arguments, array $options ): void {
		$this->act( $arguments, $options, 'posthorn_cancel', 'Deliveries that were cancelled: %d.' );
	}

	/**
	 * Replays or cancels.
	 *
	 * @param string[] $ids     Ids.
	 * @param array    $options Options.
	 * @param callable $act     What is done: fn( filter ): how many.
	 * @param string   $says    What is said.
	 */
	private function act( array $ids, array $options, callable $act, string $says ): void {
		$this->require_ready();
		$filter = posthorn_delivery_filter( $options );
		if ( array() === $ids ) {
			$limit = isset( $options['limit'] ) ? array( 'limit' => $this->limit( $options['limit'] ) ) : array();
			WP_CLI::success( sprintf( $says, $this->attempt( static fn() => $act( $filter + $limit ) ) ) );
			return;
		}
		if ( array() !== $filter ) {
			WP_CLI::error( 'Give ids or options, not both.' );
		}
		$done   = 0;
		$undone = 0;
		foreach ( $ids as $id ) {
			$delivery = $this->attempt( static fn() => posthorn_client_delivery( $id ) );
			$changed  = null === $delivery ? 0 : $this->attempt( static fn() => $act( array( 'id' => $id ) ) );
			$done    += $changed;
			if ( 0 === $changed ) {
				++$undone;
				$gone = 'posthorn_replay' === $act && 'pending' !== ( $delivery['state'] ?? 'pending' );
				WP_CLI::warning( null === $delivery ? sprintf( 'There is no delivery %s on this site.', $id ) : sprintf( $gone ? 'Nothing was changed: the webhook that %s goes to is gone.' : 'Nothing was changed: %s is %s.', $id, $delivery['state'] ) );
			}
		}
		if ( $undone > 0 ) {
			WP_CLI::error( sprintf( $says, $done ) . sprintf( ' Not: %d.', $undone ) );
		}
		WP_CLI::success( sprintf( $says, $done ) );
	}

	/**
	 * A delivery with its attempts; ends the command if there is none.
	 *
	 * @param string $id Its id.
	 */
	private function find( string $id ): array {
		$delivery = $this->attempt( static fn() => posthorn_client_delivery( $id ) );
		if ( null === $delivery ) {
			WP_CLI::error( sprintf( 'There is no delivery %s on this site. It may have been forgotten since.', $id ) );
		}
		return $delivery;
	}
}
