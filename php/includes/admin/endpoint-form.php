<?php
/**
 * What the form of an endpoint holds: as stored, as typed, and as the model takes it.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/endpoints.php';
require_once dirname( __DIR__ ) . '/formats.php';
require_once __DIR__ . '/filter-editor.php';
require_once __DIR__ . '/typed-values.php';

/** What stands in the form for a format that an endpoint has as a whole definition. */
const POSTHORN_OWN_FORMAT = ':own';

/**
 * The form as an endpoint fills it.
 *
 * @param array|null $endpoint What posthorn_find_endpoint() returned; null for a new one.
 * @return array Texts and bools by field; `events` a list, `filters` and `headers` lists of rows.
 */
function posthorn_endpoint_form( ?array $endpoint ): array {
	$one     = $endpoint ?? posthorn_shown_endpoint( array( 'events' => array( '*' ) ) + posthorn_default_endpoint() );
	$known   = array_column( posthorn_client_events(), 'name' );
	$headers = array();
	foreach ( (array) $one['headers'] as $name => $value ) {
		// One with a value of ours is stored.
		$headers[] = array(
			'name'  => (string) $name,
			'value' => '',
			'kept'  => POSTHORN_MASK,
		);
	}
	return array(
		'id'                => $endpoint['id'] ?? '',
		'revision'          => posthorn_settings()['revision'],
		'description'       => (string) $one['description'],
		'url'               => (string) $one['url'],
		'preset'            => (string) ( $one['preset'] ?? 'auto' ),
		'allow_private'     => true === $one['allow_private'],
		'enabled'           => $one['enabled'],
		'format'            => posthorn_has_own_format( $one['format'] ) ? POSTHORN_OWN_FORMAT : (string) $one['format'],
		'all_events'        => array( '*' ) === $one['events'],
		'events'            => array_values( array_intersect( $known, (array) $one['events'] ) ),
		'other_events'      => implode( ', ', array_diff( (array) $one['events'], $known, array( '*' ) ) ),
		'filters'           => posthorn_filter_rows( (array) $one['filters'] ),
		'secret'            => '',
		'remove_secret'     => false,
		'keep_for'          => '0',
		'end_older'         => false,
		'omit'              => implode( ', ', $one['omit'] ?? array( 'private_note' ) ),
		'headers'           => $headers,
		'max_body_bytes'    => null === $one['max_body_bytes'] ? '' : posthorn_size_text( $one['max_body_bytes'] ),
		'timeout'           => null === $one['timeout'] ? '' : posthorn_duration_text( $one['timeout'] ),
		'schedule'          => null === $one['schedule'] ? '' : ( array() === $one['schedule'] ? 'none' : implode( ', ', array_map( 'posthorn_duration_text', $one['schedule'] ) ) ),
		'schedule_jitter'   => null === $one['schedule_jitter'] ? '' : posthorn_share_text( $one['schedule_jitter'] ),
		'max_age'           => null === $one['max_age'] ? '' : posthorn_duration_text( $one['max_age'] ),
		'rate_per_second'   => (string) ( $one['rate_per_second'] ?? '' ),
		'max_concurrency'   => (string) ( $one['max_concurrency'] ?? '' ),
		'ordered'           => (bool) $one['ordered'],
		'circuit_breaker'   => null === $one['circuit_breaker'] ? '' : ( $one['circuit_breaker'] ? '1' : '0' ),
		'private_addresses' => is_array( $one['allow_private'] ) ? implode( ', ', $one['allow_private'] ) : '',
		'proxy'             => false === $one['proxy'] ? 'none' : (string) $one['proxy'],
		'ca'                => (string) $one['ca'],
		'client_cert'       => (string) $one['client_cert'],
	);
}

/**
 * The form as it was posted.
 *
 * @param array $post Unslashed POST data.
 * @return array The keys of posthorn_endpoint_form().
 */
function posthorn_endpoint_form_typed( array $post ): array {
	$typed = posthorn_endpoint_form( null );
	foreach ( $typed as $field => $value ) {
		$text = is_scalar( $post[ $field ] ?? null ) ? (string) $post[ $field ] : '';
		if ( is_bool( $value ) ) {
			$typed[ $field ] = '' !== $text && '0' !== $text;
		} elseif ( is_string( $value ) ) {
			$typed[ $field ] = 'secret' === $field ? $text : trim( $text, 'url' === $field ? ' ' : " \n\r\t\v\0" );
		}
	}
	// The button beside a redirect puts the redirect's target in its place.
	$typed['url']      = is_string( $post['use_address'] ?? null ) ? $post['use_address'] : $typed['url'];
	$typed['revision'] = (int) ( is_scalar( $post['revision'] ?? null ) ? $post['revision'] : 0 );
	$typed['events']   = array_values( array_filter( (array) ( $post['events'] ?? array() ), 'is_string' ) );
	$typed['filters']  = posthorn_typed_rows( $post['filters'] ?? array(), array( 'field', 'operator', 'value' ) );
	$typed['headers']  = posthorn_typed_rows( $post['headers'] ?? array(), array( 'name', 'value', 'kept' ) );
	if ( '' === $typed['secret'] && is_string( $post['kept_secret'] ?? null ) && '' !== $post['kept_secret'] ) {
		$typed['secret'] = posthorn_secret_kept_in_form( $post['kept_secret'] );
	}
	$proxy = is_string( $post['kept_proxy'] ?? null ) ? posthorn_secret_kept_in_form( $post['kept_proxy'] ) : '';
	if ( '' !== $proxy && posthorn_shown_proxy( $proxy ) === $typed['proxy'] ) {
		$typed['proxy'] = $proxy;
	}
	foreach ( $typed['headers'] as $n => $row ) {
		if ( '' === $row['value'] && POSTHORN_MASK !== $row['kept'] && '' !== $row['kept'] ) {
			$typed['headers'][ $n ]['value'] = posthorn_secret_kept_in_form( $row['kept'] );
			$typed['headers'][ $n ]['kept']  = '';
		}
	}
	return $typed;
}

/**
 * Posted rows.
 *
 * @param mixed    $rows   What was posted.
 * @param string[] $fields The fields of a row.
 * @return array[] Each with a text for every field.
 */
function posthorn_typed_rows( $rows, array $fields ): array {
	$typed = array();
	foreach ( is_array( $rows ) ? $rows : array() as $row ) {
		$one = array();
		foreach ( $fields as $field ) {
			$one[ $field ] = is_scalar( $row[ $field ] ?? null ) ? (string) $row[ $field ] : '';
		}
		$typed[] = $one;
	}
	return $typed;
}

/**
 * What a form describes, as the model takes it.
 *
 * @param array                $form     A form.
 * @param array<string,string> $mistakes Field => message; is added to.
 * @return array Keys of an endpoint.
 */
function posthorn_endpoint_given( array $form, array &$mistakes ): array {
	$given = array(
		'description'     => '' === $form['description'] ? null : $form['description'],
		'url'             => $form['url'],
		'preset'          => 'auto' === $form['preset'] ? posthorn_client_preset( $form['url'] )['name'] ?? null : $form['preset'],
		'enabled'         => $form['enabled'],
		'format'          => '' === $form['format'] ? null : $form['format'],
		'events'          => posthorn_endpoint_form_events( $form ),
		'filters'         => posthorn_filters_of_rows( $form['filters'], $mistakes ),
		'omit'            => posthorn_words( $form['omit'] ),
		'headers'         => posthorn_headers_of_rows( $form['headers'], $mistakes ),
		'max_body_bytes'  => '' === $form['max_body_bytes'] ? null : posthorn_size_bytes( $form['max_body_bytes'] ),
		'timeout'         => '' === $form['timeout'] ? null : posthorn_duration_s( $form['timeout'] ),
		'schedule'        => posthorn_schedule_s( $form['schedule'] ),
		'schedule_jitter' => '' === $form['schedule_jitter'] ? null : posthorn_share( $form['schedule_jitter'] ),
		'max_age'         => '' === $form['max_age'] ? null : posthorn_duration_s( $form['max_age'] ),
		'rate_per_second' => '' === $form['rate_per_second'] ? null : posthorn_number( $form['rate_per_second'] ),
		'max_concurrency' => '' === $form['max_concurrency'] ? null : posthorn_number( $form['max_concurrency'] ),
		'ordered'         => $form['ordered'],
		'circuit_breaker' => '' === $form['circuit_breaker'] ? null : '1' === $form['circuit_breaker'],
	);
	if ( POSTHORN_OWN_FORMAT === $form['format'] ) {
		unset( $given['format'] ); // It stays.
	}
	$mistakes += posthorn_mistyped( $given );
	if ( posthorn_may_allow_private() ) {
		$only                   = posthorn_words( $form['private_addresses'] );
		$given['allow_private'] = $form['allow_private'] || array() === $only ? $form['allow_private'] : $only;
		$given['proxy']         = '' === $form['proxy'] ? null : ( 'none' === strtolower( $form['proxy'] ) ? false : $form['proxy'] );
		$given['ca']            = '' === $form['ca'] ? null : $form['ca'];
		$given['client_cert']   = '' === $form['client_cert'] ? null : $form['client_cert'];
	}
	if ( '' === $form['url'] ) {
		$mistakes['url'] = __( 'Enter the address that your receiver gave you. It starts with https://', 'posthorn' );
	}
	if ( array() === $given['events'] ) {
		$mistakes['events'] = __( 'Choose at least one event, or “Every event”.', 'posthorn' );
	}
	return $given + posthorn_secret_given( $form, $mistakes );
}

/**
 * The format that a form means: the chosen one, or the one of its receiver.
 *
 * @param array $form A form.
 * @return string|array Its name, or the definition that the endpoint has.
 */
function posthorn_form_format( array $form ) {
	$own = POSTHORN_OWN_FORMAT === $form['format'] ? posthorn_find_endpoint( $form['id'] )['format'] ?? null : null;
	if ( null !== $own ) {
		return $own;
	}
	$preset = 'auto' === $form['preset'] ? posthorn_client_preset( $form['url'] ) : array_column( posthorn_client_presets(), null, 'name' )[ $form['preset'] ] ?? null;
	return in_array( $form['format'], array( '', POSTHORN_OWN_FORMAT ), true ) ? (string) ( $preset['format'] ?? posthorn_client_format( '' )['name'] ) : $form['format'];
}

/**
 * What a form says of secrets, as the model takes it.
 *
 * @param array                $form     A form.
 * @param array<string,string> $mistakes Field => message; is added to.
 */
function posthorn_secret_given( array $form, array &$mistakes ): array {
	if ( $form['remove_secret'] && '' !== $form['secret'] ) {
		$mistakes['secret'] = __( 'You entered a secret and ticked that it be removed: do only one of the two.', 'posthorn' );
	}
	if ( $form['remove_secret'] ) {
		return array( 'secret' => '' );
	}
	$given = '' === $form['secret'] ? array() : array( 'secret' => $form['secret'] );
	$keep  = (int) $form['keep_for'];
	if ( '' !== $form['secret'] && $keep > 0 && ! $form['end_older'] ) {
		$given['keep_secrets_until'] = gmdate( 'Y-m-d\TH:i:s\Z', time() + $keep * DAY_IN_SECONDS );
	} elseif ( '' === $form['secret'] && $form['end_older'] ) {
		$given['keep_secrets_until'] = gmdate( 'Y-m-d\TH:i:s\Z', time() - 1 );
	}
	return $given;
}

/**
 * The events of a form.
 *
 * @param array $form A form.
 * @return string[]
 */
function posthorn_endpoint_form_events( array $form ): array {
	return $form['all_events'] ? array( '*' ) : array_values( array_unique( array_merge( $form['events'], posthorn_words( $form['other_events'] ) ) ) );
}

/**
 * Rows of headers as the model takes them.
 *
 * @param array[]              $rows     Each with name, value and kept.
 * @param array<string,string> $mistakes Field => message; is added to.
 * @return array Name => value or mask.
 */
function posthorn_headers_of_rows( array $rows, array &$mistakes ): array {
	$headers = array();
	foreach ( $rows as $row ) {
		$name = trim( $row['name'] );
		if ( '' === $name ) {
			if ( '' !== $row['value'] ) {
				$mistakes['headers'] = __( 'One of the headers has a value and no name.', 'posthorn' );
			}
			continue;
		}
		$headers[ $name ] = '' === $row['value'] && POSTHORN_MASK === $row['kept'] ? POSTHORN_MASK : $row['value'];
	}
	return $headers;
}
