<?php
/**
 * The CRM's own webhook calls: noticed, and answered here for the receivers that Posthorn has taken over.
 *
 * A call is answered only if Posthorn itself sends that event to that receiver, now. In any other case it goes out: an
 * event that arrives twice can be recognised, one that is swallowed is lost.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/native-record.php';
require_once __DIR__ . '/native-sends.php';
require_once __DIR__ . '/native-give-back.php';

/** What the body of such a call has; nothing else is known of it. */
const POSTHORN_NATIVE_BODY_KEYS = array( 'event', 'timestamp', 'data', 'site_url' );

/** Larger calls are not looked at, and so go out: an event of more than 1 MiB is not accepted by the queue either. */
const POSTHORN_NATIVE_MOST_BYTES = 1048576;

/**
 * Before WordPress sends an HTTP request: the CRM's own webhook is counted, and answered if Posthorn sends it instead.
 *
 * @param mixed  $preempt   False, or the answer that another plugin has given already.
 * @param mixed  $arguments The request's arguments.
 * @param string $url       Its URL.
 * @return mixed `$preempt`, or an answer.
 */
function posthorn_native_filter( $preempt, $arguments = array(), $url = '' ) {
	if ( false !== $preempt || ! is_array( $arguments ) || ! is_string( $url ) ) {
		return $preempt;
	}
	try {
		$body = posthorn_native_body( $arguments );
		if ( null === $body ) {
			return $preempt;
		}
		posthorn_hook_native_end();
		$silenced = posthorn_native_decisions()['silenced'][ posthorn_native_key( $url ) ] ?? null;
		if ( null === $silenced ) {
			posthorn_native_count( $url, false );
			return $preempt;
		}
		if ( posthorn_is_held() || posthorn_is_copy() ) {
			// The CRM of a copy would send what its original's Posthorn was asked to keep it from.
			posthorn_native_count( $url, true );
			return posthorn_native_answer();
		}
		if ( ! posthorn_native_is_ours( $silenced['target'], $body ) ) {
			posthorn_native_count( $url, false, $body['event'] );
			return $preempt;
		}
		posthorn_native_keep( $url, $arguments['body'] );
		posthorn_native_count( $url, true );
		return posthorn_native_answer();
	} catch ( \Throwable $error ) {
		posthorn_report( $error, false );
		return $preempt;
	}
}

/**
 * The body of a call of the CRM's webhook module.
 *
 * @param array $arguments A request's arguments.
 * @return array|null Null if it is any other request.
 */
function posthorn_native_body( array $arguments ): ?array {
	$text = $arguments['body'] ?? null;
	// An array would be sent as a form, not as JSON. The searches spare nearly every other request the decoding.
	if ( ! is_string( $text ) || strlen( $text ) > POSTHORN_NATIVE_MOST_BYTES || ! str_contains( $text, '"site_url"' ) || ! str_contains( $text, '"event"' )
		|| ! is_string( $arguments['method'] ?? null ) || 'POST' !== strtoupper( $arguments['method'] ) ) {
		return null;
	}
	$body = json_decode( $text, true );
	if ( ! is_array( $body ) || ! is_string( $body['event'] ?? null ) || array() !== array_diff( POSTHORN_NATIVE_BODY_KEYS, array_keys( $body ) ) ) {
		return null;
	}
	return $body;
}

/**
 * The answer that the CRM gets: success, so that it neither waits nor tries again.
 */
function posthorn_native_answer(): array {
	return array(
		'headers'       => array(),
		'body'          => '',
		'response'      => array(
			'code'    => 200,
			'message' => 'OK: not sent, Posthorn sends this webhook itself',
		),
		'cookies'       => array(),
		'filename'      => null,
		'http_response' => null,
	);
}

/**
 * At the request's end: gives back what has to be, and stores what was counted.
 */
function posthorn_native_end(): void {
	try {
		posthorn_native_give_back();
		posthorn_native_store();
	} catch ( \Throwable $error ) {
		posthorn_report( $error, false );
	}
}
