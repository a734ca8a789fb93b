<?php
/**
 * What came of a test, in the words of a site owner.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/context.php';

/** How much of an answer is shown. */
const POSTHORN_ANSWER_CHARACTERS = 200;

/** Clocks that differ by less are not worth a word. */
const POSTHORN_CLOCK_TOLERANCE_S = 5;

/**
 * Sends a test to an endpoint and puts the outcome into words.
 *
 * @param array      $endpoint An endpoint as the extension takes it.
 * @param string     $event    The event to send.
 * @param array|null $data     Optional. The record; by default the event's sample.
 * @return array{ok:bool,title:string,advice:string,status:?int,duration_ms:float,answer:string,location:string}
 * @throws \Posthorn\Exception When endpoint or event break a rule.
 */
function posthorn_test( array $endpoint, string $event = 'test', ?array $data = null ): array {
	$data   ??= posthorn_client_sample( $event );
	$attempt  = posthorn_client_send( $endpoint, $event, $data, posthorn_client_sample_change( $event, $data ) + posthorn_context() );
	$location = posthorn_redirect_target( $attempt, $endpoint['url'] );
	return array(
		'ok'          => (bool) $attempt['ok'],
		'title'       => posthorn_outcome_title( $attempt ),
		'advice'      => $attempt['ok'] ? '' : posthorn_outcome_advice( $attempt, $location, $endpoint ),
		'status'      => $attempt['status'] ? (int) $attempt['status'] : null,
		'duration_ms' => (float) $attempt['duration_ms'],
		'answer'      => posthorn_answer_excerpt( (string) ( $attempt['response_body'] ?? '' ) ),
		'location'    => $location,
	);
}

/**
 * The outcome in one line.
 *
 * @param array $attempt An attempt.
 */
function posthorn_outcome_title( array $attempt ): string {
	if ( $attempt['ok'] ) {
		return __( 'The receiver accepted the test.', 'posthorn' );
	}
	if ( $attempt['status'] ) {
		/* translators: %s: an HTTP status with its name, such as 404 Not Found. */
		return sprintf( __( 'The receiver answered %s, so the test failed.', 'posthorn' ), posthorn_status_name( (int) $attempt['status'] ) );
	}
	switch ( $attempt['error_kind'] ?? '' ) {
		case 'timeout':
			return __( 'The receiver did not answer in time.', 'posthorn' );
		case 'protocol':
			return __( 'The receiver gave no proper answer.', 'posthorn' );
		case 'refused_address':
			return __( 'The test was not sent.', 'posthorn' );
	}
	return __( 'The receiver could not be reached.', 'posthorn' );
}

/**
 * What the failure means and what can be done.
 *
 * @param array  $attempt  An attempt that failed.
 * @param string $location Where a redirect leads; empty if it is none.
 * @param array  $endpoint The endpoint that was called.
 */
function posthorn_outcome_advice( array $attempt, string $location, array $endpoint ): string {
	$status = (int) $attempt['status'];
	if ( 0 === $status ) {
		// What is refused although private addresses are allowed is another matter, which the error names.
		if ( 'refused_address' !== ( $attempt['error_kind'] ?? '' ) || ! empty( $endpoint['allow_private'] ) ) {
			return posthorn_readable( (string) $attempt['error'] );
		}
		if ( defined( 'WP_CLI' ) && WP_CLI ) {
			return __( 'Its address belongs to a private network, and Posthorn calls those only if you allow it. If the receiver is on your own network, give --allow-private, and tick “This receiver is on my own network” under Settings → CRM Webhooks.', 'posthorn' );
		}
		if ( defined( 'REST_REQUEST' ) && REST_REQUEST && posthorn_may_allow_private() ) {
			return __( 'Its address belongs to a private network, and Posthorn calls those only if you allow it. If the receiver is on your own network, set allow_private to true.', 'posthorn' );
		}
		return posthorn_may_allow_private()
			? __( 'Its address belongs to a private network, and Posthorn calls those only if you allow it. If the receiver is on your own network, tick “This receiver is on my own network”.', 'posthorn' )
			: __( 'Its address belongs to a private network, and Posthorn calls those only if the network’s administrator allows it. Ask for that if the receiver is meant to be there.', 'posthorn' );
	}
	$signed = ! empty( $endpoint['secret'] );
	if ( '' !== $location ) {
		/* translators: %s: a URL. */
		return sprintf( __( 'It redirects to %s. Posthorn does not follow redirects, because the data would go to an address that you did not enter. If you know that address, use it instead.', 'posthorn' ), $location );
	}
	if ( 401 === $status || 403 === $status ) {
		$advice = $signed
			? __( 'It does not accept the signature: make sure that the secret here is exactly the one that the receiver has.', 'posthorn' )
			: __( 'It wants to know who is sending: if the receiver has a secret, enter it here.', 'posthorn' );
		return trim( $advice . ' ' . posthorn_clock_words( $attempt ) );
	}
	if ( 404 === $status || 405 === $status ) {
		return __( 'Nothing takes webhooks at this address: compare the URL with the one that the receiver shows, to the last character.', 'posthorn' );
	}
	if ( 410 === $status ) {
		return __( 'It is no longer there for webhooks: make a new address at the receiver and enter it here.', 'posthorn' );
	}
	if ( 429 === $status ) {
		return __( 'It takes no more requests at the moment. Posthorn waits and tries again by itself when that happens.', 'posthorn' );
	}
	if ( $status >= 500 ) {
		return __( 'Something is wrong at the receiver. Its own log says what; Posthorn tries again by itself when that happens.', 'posthorn' );
	}
	return __( 'What the receiver answered may say why.', 'posthorn' );
}

/**
 * How far the receiver's clock is from ours, by the Date header of its answer; empty if not worth a word.
 *
 * @param array $attempt An attempt.
 */
function posthorn_clock_words( array $attempt ): string {
	$date  = posthorn_response_header( $attempt, 'date' );
	$there = '' === $date ? false : strtotime( $date );
	$sent  = strtotime( (string) $attempt['started_at'] );
	if ( false === $there || false === $sent ) {
		return '';
	}
	$off = $there - (int) round( $sent + $attempt['duration_ms'] / 1000 );
	if ( abs( $off ) < POSTHORN_CLOCK_TOLERANCE_S ) {
		return '';
	}
	$words = $off > 0
		/* translators: %s: a duration, such as 7 minutes. */
		? __( 'The receiver’s clock is %s ahead of this server’s, and a signature with a time in it is refused when clocks differ.', 'posthorn' )
		/* translators: %s: a duration, such as 7 minutes. */
		: __( 'The receiver’s clock is %s behind this server’s, and a signature with a time in it is refused when clocks differ.', 'posthorn' );
	return sprintf( $words, human_time_diff( 0, abs( $off ) ) );
}

/**
 * Where a redirect leads, as an absolute URL; empty if the answer is no redirect or names no web address.
 *
 * @param array  $attempt An attempt.
 * @param string $url     The URL that was called.
 */
function posthorn_redirect_target( array $attempt, string $url ): string {
	$status = (int) $attempt['status'];
	$target = posthorn_response_header( $attempt, 'location' );
	if ( $status < 300 || $status > 399 || '' === $target ) {
		return '';
	}
	$absolute = WP_Http::make_absolute_url( $target, $url );
	return preg_match( '#^https?://#i', $absolute ) ? $absolute : '';
}

/**
 * A header of the answer; empty if there is none.
 *
 * @param array  $attempt An attempt.
 * @param string $name    The header's name in lower case.
 */
function posthorn_response_header( array $attempt, string $name ): string {
	$headers = array_change_key_case( (array) ( $attempt['response_headers'] ?? array() ) );
	$value   = $headers[ $name ] ?? '';
	return is_array( $value ) ? (string) reset( $value ) : (string) $value;
}

/**
 * A status with its name.
 *
 * @param int $status An HTTP status.
 */
function posthorn_status_name( int $status ): string {
	return trim( $status . ' ' . get_status_header_desc( $status ) );
}

/**
 * The beginning of an answer, as text.
 *
 * @param string $body The answer's body.
 */
function posthorn_answer_excerpt( string $body ): string {
	// Cut in the middle of a character or not text at all: what is not UTF-8 is left out.
	$text = trim( wp_check_invalid_utf8( $body, true ) );
	return function_exists( 'mb_substr' ) ? mb_substr( $text, 0, POSTHORN_ANSWER_CHARACTERS, 'UTF-8' ) : substr( $text, 0, POSTHORN_ANSWER_CHARACTERS );
}
