<?php
/**
 * The part of client.php that asks what the extension knows without a queue: events, formats, presets, secrets, filters.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The formats, also those that code adds: a list, each with what posthorn_client_read_format() tells. The default is the first.
 *
 * @return array[]
 */
function posthorn_client_formats(): array {
	static $formats = null;
	if ( null === $formats ) {
		$formats = \Posthorn\formats();
		usort( $formats, static fn( array $one, array $other ): int => ( 'wpresidence' === $other['name'] ) <=> ( 'wpresidence' === $one['name'] ) );
	}
	require_once __DIR__ . '/formats.php';
	return array_merge( $formats, posthorn_usable_added_formats() );
}

/**
 * One format.
 *
 * @param string $name Its name; empty for the default.
 * @return array|null Null if there is none of this name.
 */
function posthorn_client_format( string $name ): ?array {
	$formats = posthorn_client_formats();
	return '' === $name ? $formats[0] : array_column( $formats, null, 'name' )[ $name ] ?? null;
}

/**
 * The presets: a list, each with name, title, hosts, format, rate_per_second, timeout, max_body_bytes (null where it sets none).
 *
 * @return array[]
 */
function posthorn_client_presets(): array {
	return \Posthorn\presets();
}

/**
 * A new random secret in the form that a format wants.
 *
 * @param string|array $format A format's name, empty for the default, or a definition.
 * @throws \Posthorn\InvalidArgument When there is no such format.
 */
function posthorn_client_generate_secret( $format ): string {
	require_once __DIR__ . '/formats.php';
	return '' === $format ? \Posthorn\generate_secret() : \Posthorn\generate_secret( is_string( $format ) ? posthorn_meant_format( $format ) : $format );
}

/**
 * What filters do.
 *
 * @param array   $filters Field => condition.
 * @param array[] $events  Lists of event and data.
 * @return array{warnings:array[],passes:bool[]} `warnings`: conditions that hold for nothing, each with field and why; `passes`: for
 *                         each event whether it would be sent.
 * @throws \Posthorn\InvalidArgument When the filters are such as no endpoint may have.
 */
function posthorn_client_try_filters( array $filters, array $events ): array {
	return \Posthorn\try_filters( $filters, $events );
}

/**
 * The catalogue: entries with name, group, title, meaning, note, entity, source, other_names, systems, sample, previous.
 *
 * @return array[]
 */
function posthorn_client_events(): array {
	static $events   = null;
	return $events ??= \Posthorn\events();
}

/**
 * The events that an endpoint may be sent.
 *
 * @param mixed $events What it subscribes to; all if it says nothing.
 * @param mixed $format Its format; null for the default.
 * @return string[] Names of the catalogue; all of them if it cannot be told.
 */
function posthorn_client_wanted( $events, $format ): array {
	$events = $events ? ( is_string( $events ) ? explode( ',', $events ) : (array) $events ) : array( '*' );
	try {
		require_once __DIR__ . '/formats.php';
		return \Posthorn\wanted( $events, is_string( $format ) && '' !== $format ? posthorn_meant_format( $format ) : $format );
	} catch ( \Posthorn\InvalidArgument $error ) {
		// The queue refuses such an endpoint when it is handed over, and says why.
		return array_column( posthorn_client_events(), 'name' );
	}
}

/**
 * What a format is: name, title, timeout, schedule, schedule_jitter, circuit_breaker, https_only, needs_secret, signature_header
 * (null: not signed), events, secret_form, signs_with_each_secret, definition.
 *
 * @param mixed $format The name of one, or a definition.
 * @throws \Posthorn\InvalidArgument When it does not exist, or is wrong; the message names the key.
 */
function posthorn_client_read_format( $format ): array {
	return \Posthorn\read_format( $format );
}

/**
 * Whether a name is that of one of the extension's own formats.
 *
 * @param string $name A name.
 */
function posthorn_client_has_format( string $name ): bool {
	static $names = null;
	$names      ??= array_column( \Posthorn\formats(), 'name' );
	return in_array( $name, $names, true );
}

/**
 * What is known of the receiver at an address.
 *
 * @param string $url A URL.
 * @return array|null A preset: name, title, hosts, format, rate_per_second, timeout, max_body_bytes; null if nothing is known.
 */
function posthorn_client_preset( string $url ): ?array {
	return \Posthorn\presets( $url )[0] ?? null;
}

/**
 * The sample data of an event of the catalogue; empty if it has none.
 *
 * @param string $name An event's name, or one that another system has for it.
 */
function posthorn_client_sample( string $name ): array {
	return (array) ( posthorn_client_event( $name )['sample'] ?? array() );
}

/**
 * What a made-up change was of, so that a test of it does not look like a creation: the context of an event of the catalogue
 * with its sample, or what was made of that.
 *
 * @param string $name Any of the event's names.
 * @param array  $data The data that is sent.
 * @return array `previous` and `changes`; empty for what is no change, or of other fields.
 */
function posthorn_client_sample_change( string $name, array $data ): array {
	$previous = (array) ( posthorn_client_event( $name )['previous'] ?? array() );
	$previous = array_filter( $previous, static fn( $old, string $field ): bool => array_key_exists( $field, $data ) && $data[ $field ] !== $old, ARRAY_FILTER_USE_BOTH );
	return $previous ? array(
		'previous' => $previous,
		'changes'  => array_keys( $previous ),
	) : array();
}

/**
 * An event of the catalogue.
 *
 * @param string $name Its name, or one that another system has for it.
 * @return array|null Null if there is none.
 */
function posthorn_client_event( string $name ): ?array {
	foreach ( posthorn_client_events() as $event ) {
		if ( $name === $event['name'] || in_array( $name, $event['other_names'], true ) ) {
			return $event;
		}
	}
	return null;
}
