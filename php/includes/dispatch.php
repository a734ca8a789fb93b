<?php
/**
 * How an event gets into the queue.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Events in one transaction at most: other pages wait for it, and all of them are in memory twice. */
const POSTHORN_MOST_AT_ONCE = 100;

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
 *                     `posthorn_should_dispatch` said no, the event could not be accepted, or it is held back until
 *                     somebody says whether this site is a copy (guard.php).
 */
function posthorn_dispatch( string $event, array $data, array $context = array() ): ?string {
	if ( ! posthorn_is_ready() ) {
		return null;
	}
	defined( 'POSTHORN_OPTION' ) || posthorn_load();
	try {
		$settings = posthorn_settings();
		if ( ! posthorn_has_receiver( $settings ) ) {
			return null;
		}
		$sent = posthorn_event_to_send( $event, $data, $context );
		if ( null === $sent ) {
			return null;
		}
		if ( posthorn_is_held( $settings ) ) {
			require_once __DIR__ . '/held-events.php';
			posthorn_hold_events( array( $sent ) );
			return null;
		}
		posthorn_hand_over_if_needed( $settings );
		return posthorn_client_dispatch( ...$sent );
	} catch ( \Throwable $error ) {
		// Not only \Exception: a defect in a filter is an Error, and the CRM's own work goes on all the same.
		posthorn_report( $error, true );
		return null;
	}
}

/**
 * Hands many events over, for a fraction of what they cost one by one.
 *
 * The same filters run, and nothing is thrown. An event that is refused takes none of the others with it.
 *
 * @param array[] $events Lists of event, data and, optionally, context, as posthorn_dispatch() takes them.
 * @return array<?string> For each, in the same order, what posthorn_dispatch() would return.
 */
function posthorn_dispatch_many( array $events ): array {
	$ids   = array();
	$count = count( $events );
	for ( $done = 0; $done < $count; $done += POSTHORN_MOST_AT_ONCE ) {
		array_push( $ids, ...posthorn_dispatch_some( array_slice( $events, $done, POSTHORN_MOST_AT_ONCE ) ) );
	}
	return $ids;
}

/**
 * Hands events over in one transaction.
 *
 * @param array[] $events As posthorn_dispatch_many() takes them.
 * @return array<?string> Their ids.
 */
function posthorn_dispatch_some( array $events ): array {
	$ids = array_fill( 0, count( $events ), null );
	if ( ! posthorn_is_ready() ) {
		return $ids;
	}
	posthorn_load();
	$sent = array_values( $events );
	try {
		$settings = posthorn_settings();
		if ( ! posthorn_has_receiver( $settings ) ) {
			return $ids;
		}
		$passed = array();
		foreach ( $sent as $n => $event ) {
			try {
				$passed[ $n ] = posthorn_event_to_send( ...array_values( (array) $event ) );
			} catch ( \Throwable $error ) {
				posthorn_report( $error, true );
			}
		}
		$sent = array_filter( $passed );
		if ( ! $sent ) {
			return $ids;
		}
		if ( posthorn_is_held( $settings ) ) {
			require_once __DIR__ . '/held-events.php';
			posthorn_hold_events( $sent );
			return $ids;
		}
		posthorn_hand_over_if_needed( $settings );
		return array_replace( $ids, array_combine( array_keys( $sent ), posthorn_client_dispatch_many( array_values( $sent ) ) ) );
	} catch ( \Throwable $error ) {
		$refused = null !== posthorn_client_argument( $error );
		foreach ( $sent as $n => $event ) {
			try {
				// Only by itself does one show whether it is the one that is refused.
				$ids[ $n ] = $refused ? posthorn_client_dispatch( ...$event ) : throw $error;
			} catch ( \Throwable $lost ) {
				posthorn_report( $lost, true );
			}
		}
		return $ids;
	}
}

/**
 * What is sent of an event: itself with the context that all have in common, after the filters.
 *
 * @param string $event   A name of the catalogue.
 * @param array  $data    The record.
 * @param array  $context What the caller knows of where and by whom.
 * @return array{string,array,array}|null Event, data and context; null if a filter keeps it back.
 */
function posthorn_event_to_send( string $event, array $data, array $context = array() ): ?array {
	if ( ! function_exists( 'posthorn_context' ) ) {
		// Loaded by the first event; asking PHP to load it again costs more than asking whether it is there.
		require __DIR__ . '/context.php';
	}
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
	return array( $event, $data, $context );
}
