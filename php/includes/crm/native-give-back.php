<?php
/**
 * Calls of the CRM's webhook module that Posthorn cannot answer for: which the queue holds, and how the CRM gets back the others.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** The CRM's WP-Cron event for a second and third attempt; its arguments are URL, body, number of the attempt. */
const POSTHORN_NATIVE_RETRY = 'wpestate_crm_webhook_retry_event';

/** So many answered calls of a request can be given back to the CRM if the queue then fails. */
const POSTHORN_NATIVE_MOST_KEPT = 200;

/** The event in the queue may be this much older or younger than a retry's timestamp says. */
const POSTHORN_NATIVE_TOLERANCE_S = 60;

/**
 * Whether the queue holds, or held, the event that a call carries.
 *
 * @param string $event The event's name.
 * @param array  $body  The call's body.
 * @throws \Posthorn\Exception When the queue cannot be used.
 */
function posthorn_native_is_queued( string $event, array $body ): bool {
	$time = is_string( $body['timestamp'] ) ? strtotime( $body['timestamp'] ) : false;
	if ( false === $time || ! is_array( $body['data'] ) ) {
		return false;
	}
	foreach ( posthorn_crm_tables() as $record => $table ) {
		$id = $body['data'][ $table['key'] ] ?? null;
		if ( ! is_scalar( $id ) || ( str_contains( $event, '.' ) && ! str_starts_with( $event, "$record." ) ) ) {
			continue;
		}
		$filter = array(
			'event'  => $event,
			'record' => "$record:$id",
			'since'  => gmdate( 'Y-m-d\TH:i:s\Z', $time - POSTHORN_NATIVE_TOLERANCE_S ),
			'until'  => gmdate( 'Y-m-d\TH:i:s\Z', $time + POSTHORN_NATIVE_TOLERANCE_S ),
			'limit'  => 1,
		);
		if ( array() !== posthorn_client_deliveries( $filter ) ) {
			return true;
		}
	}
	return false;
}

/**
 * Keeps an answered call until the request's end, for posthorn_native_give_back().
 *
 * @param string $url  The call's URL.
 * @param string $text Its body as it would have been sent.
 */
function posthorn_native_keep( string $url, string $text ): void {
	$kept   = &posthorn_native_kept();
	$kept[] = array( get_current_blog_id(), $url, $text );
	if ( count( $kept ) > POSTHORN_NATIVE_MOST_KEPT ) {
		array_shift( $kept );
	}
}

/**
 * The calls that this request has answered: site, URL, body.
 */
function &posthorn_native_kept(): array {
	static $kept = array();
	return $kept;
}

/**
 * At the request's end, if the queue did not accept every event of it: the calls that were answered meanwhile and are
 * not in the queue are given back to the CRM, whose own retry sends them with the next WP-Cron.
 */
function posthorn_native_give_back(): void {
	$kept    = &posthorn_native_kept();
	$answers = $kept;
	$kept    = array();
	if ( 0 === posthorn_problems()['lost'] ) {
		return;
	}
	foreach ( $answers as list( $site, $url, $text ) ) {
		if ( is_multisite() ) {
			switch_to_blog( $site );
		}
		if ( ! posthorn_native_is_held( json_decode( $text, true ) ) ) {
			wp_schedule_single_event( time(), POSTHORN_NATIVE_RETRY, array( $url, $text, 2 ) );
		}
		if ( is_multisite() ) {
			restore_current_blog();
		}
	}
}

/**
 * Whether the queue has what a call carries; if it cannot say, no.
 *
 * @param array $body The call's body.
 */
function posthorn_native_is_held( array $body ): bool {
	try {
		return posthorn_native_is_queued( (string) posthorn_native_event( $body['event'] ), $body );
	} catch ( \Throwable $error ) {
		return false;
	}
}
