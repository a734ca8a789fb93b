<?php
/**
 * How an event gets into the queue.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Hands an event over to be sent to every receiver of the current site that subscribes to it.
 *
 * The page does not wait for the network. Whatever goes wrong is logged and shown to the owner; nothing is thrown.
 *
 * @param string $event   A name of the catalogue: `deal.won`.
 * @param array  $data    The record as it is now, column => value.
 * @param array  $context Optional. `record` (`deal:7`, keeps the events of one record in order), `previous`, `changes`,
 *                        `occurred_at`; `user`, `organization`, `site`, `site_url` and `source` are filled in.
 * @return string|null The event's id; null if the extension is missing, the site has no receiver, the filter
 *                     `posthorn_should_dispatch` said no, or the event could not be accepted.
 */
function posthorn_dispatch( string $event, array $data, array $context = array() ): ?string {
	if ( ! posthorn_is_ready() ) {
		return null;
	}
	try {
		$settings = posthorn_settings();
		if ( ! posthorn_has_receiver( $settings ) ) {
			return null;
		}
		require_once __DIR__ . '/context.php';
		$context += posthorn_context();
		/**
		 * Whether an event is sent at all.
		 *
		 * @param bool   $dispatch Whether to send it.
		 * @param string $event    The event's name.
		 * @param array  $data     The record.
		 * @param array  $context  Where and by whom.
		 */
		if ( ! apply_filters( 'posthorn_should_dispatch', true, $event, $data, $context ) ) {
			return null;
		}
		/**
		 * The record that an event carries.
		 *
		 * @param array  $data    The record.
		 * @param string $event   The event's name.
		 * @param array  $context Where and by whom.
		 */
		$data = (array) apply_filters( 'posthorn_event_data', $data, $event, $context );
		posthorn_hand_over_if_needed( $settings );
		return posthorn_client_dispatch( $event, $data, $context );
	} catch ( \Throwable $error ) {
		// Not only \Exception: a defect in a filter is an Error, and the CRM's own work goes on all the same.
		posthorn_report( $error, true );
		return null;
	}
}
