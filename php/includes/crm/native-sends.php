<?php
/**
 * Whether Posthorn itself sends what a call of the CRM's webhook module carries.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Whether Posthorn sends is looked at again after this long; a bulk action asks thousands of times. */
const POSTHORN_NATIVE_LOOK_AGAIN_NS = 50000000;

/**
 * Whether Posthorn, and not the CRM, sends what a call carries.
 *
 * @param string $target The URL of Posthorn's receiver.
 * @param array  $body   The call's body.
 */
function posthorn_native_is_ours( string $target, array $body ): bool {
	$event = posthorn_native_event( $body['event'] );
	// After the first event of a request that could not be accepted, the others are not risked.
	if ( null === $event || posthorn_problems()['lost'] > 0 || '' !== posthorn_native_hindrance( $target ) || ! posthorn_native_is_subscribed( $target, $event ) ) {
		return false;
	}
	// Posthorn's answer is never followed by a retry. So this event was first sent when Posthorn did not answer for it,
	// and may be in the queue (both were sending) or not (Posthorn was off).
	return ! doing_action( POSTHORN_NATIVE_RETRY ) || posthorn_native_is_queued( $event, $body );
}

/**
 * What Posthorn calls an event of the CRM.
 *
 * @param string $name The CRM's name for it.
 * @return string|null Null if it is none of the events that Posthorn makes of the CRM's changes.
 */
function posthorn_native_event( string $name ): ?string {
	static $names = null;
	if ( null === $names ) {
		require_once dirname( __DIR__ ) . '/admin/form.php';
		$names = array();
		foreach ( posthorn_offered_events() as $event ) {
			foreach ( array_merge( array( $event['name'] ), array_filter( (array) $event['other_names'], 'is_string' ) ) as $known ) {
				$names[ posthorn_native_letters( $known ) ] = $event['name'];
			}
		}
	}
	return $names[ posthorn_native_letters( $name ) ] ?? null;
}

/**
 * A name's letters: `deal.stage_changed` and `deal_stage_changed` are the same.
 *
 * @param string $name An event's name.
 */
function posthorn_native_letters( string $name ): string {
	return (string) preg_replace( '/[^a-z]/', '', strtolower( $name ) );
}

/**
 * Why Posthorn cannot send to a receiver at present.
 *
 * @param string $target The receiver's URL.
 * @return string Empty if it can; `receiver` (it is not saved, or no longer), `disabled`, `suspended`, `paused`,
 *                `queue` (it cannot be used, or does not have the settings).
 */
function posthorn_native_hindrance( string $target ): string {
	static $known = array();
	$known_as     = get_current_blog_id() . ' ' . $target;
	$now          = hrtime( true );
	if ( ! isset( $known[ $known_as ] ) || $now - $known[ $known_as ][0] > POSTHORN_NATIVE_LOOK_AGAIN_NS ) {
		try {
			$found = posthorn_native_find_hindrance( $target );
		} catch ( \Throwable $error ) {
			$found = 'queue';
		}
		$known[ $known_as ] = array( $now, $found );
	}
	return $known[ $known_as ][1];
}

/**
 * Looks for what posthorn_native_hindrance() tells.
 *
 * @param string $target The receiver's URL.
 */
function posthorn_native_find_hindrance( string $target ): string {
	$settings = posthorn_settings();
	$endpoint = posthorn_native_endpoint( $target );
	if ( null === $endpoint ) {
		return 'receiver';
	}
	if ( ! ( $endpoint['enabled'] ?? true ) ) {
		return 'disabled';
	}
	posthorn_hand_over_if_needed( $settings );
	if ( ( posthorn_client_revision() ?? -1 ) < $settings['revision'] ) {
		return 'queue';
	}
	if ( posthorn_client_paused() ) {
		return 'paused';
	}
	$key = posthorn_native_key( $target );
	foreach ( posthorn_client_endpoints() as $queued ) {
		if ( posthorn_native_key( $queued['url'] ) === $key ) {
			return '' === (string) $queued['suspended'] ? '' : 'suspended';
		}
	}
	return 'queue';
}

/**
 * The endpoint of the current site that has a URL.
 *
 * @param string $target The URL.
 */
function posthorn_native_endpoint( string $target ): ?array {
	$key       = posthorn_native_key( $target );
	$endpoints = posthorn_settings()['endpoints'];
	if ( has_filter( 'posthorn_endpoints' ) ) {
		require_once dirname( __DIR__ ) . '/secrets.php';
		$endpoints = array_filter( array_map( 'posthorn_for_queue', $endpoints ) );
	}
	if ( defined( 'POSTHORN_ENDPOINTS' ) ) {
		$endpoints = array_merge( $endpoints, array_values( posthorn_constant_endpoints() ) );
	}
	if ( has_filter( 'posthorn_endpoints' ) ) {
		// Not posthorn_endpoints(): it asks the database, and the CRM is in the middle of its work.
		/** This filter is documented in hand-over.php. */
		$endpoints = (array) apply_filters( 'posthorn_endpoints', array_values( $endpoints ) );
	}
	foreach ( $endpoints as $endpoint ) {
		if ( is_string( $endpoint['url'] ?? null ) && posthorn_native_key( $endpoint['url'] ) === $key ) {
			return $endpoint;
		}
	}
	return null;
}

/**
 * Whether a receiver wants an event.
 *
 * @param string $target The receiver's URL.
 * @param string $event  The event's name.
 */
function posthorn_native_is_subscribed( string $target, string $event ): bool {
	static $known = array();
	$known_as     = get_current_blog_id() . ' ' . posthorn_settings()['revision'] . ' ' . $target;
	// The filter `posthorn_endpoints` decrypts secrets: once a request is enough.
	$known[ $known_as ] ??= (array) ( posthorn_native_endpoint( $target )['events'] ?? array( '*' ) );
	foreach ( $known[ $known_as ] as $wanted ) {
		$wanted = (string) $wanted;
		if ( '*' === $wanted || posthorn_native_event( $wanted ) === $event || ( str_ends_with( $wanted, '.*' ) && str_starts_with( $event, substr( $wanted, 0, -1 ) ) ) ) {
			return true;
		}
	}
	return false;
}
