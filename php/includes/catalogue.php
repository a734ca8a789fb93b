<?php
/**
 * Looking up events and formats.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/client-catalogue.php';
require_once __DIR__ . '/formats.php';

/** What the doors tell of a format. */
const POSTHORN_FORMAT_KEYS = array( 'name', 'title', 'timeout', 'schedule', 'schedule_jitter', 'circuit_breaker', 'https_only', 'needs_secret', 'signature_header', 'events', 'secret_form', 'signs_with_each_secret', 'definition' );

/**
 * The events of the catalogue that have some values.
 *
 * @param array<string,string> $wanted `group` (in any case), `source`: what they must be.
 * @return array[] See posthorn_client_events().
 * @throws InvalidArgumentException When there is no such group or source; the message begins with the key.
 */
function posthorn_find_events( array $wanted ): array {
	foreach ( $wanted as $key => $value ) {
		$known = array_values( array_unique( array_column( posthorn_client_events(), $key ) ) );
		$found = array_search( strtolower( $value ), array_map( 'strtolower', $known ), true );
		if ( false === $found ) {
			/* translators: 1: group or source, 2: what was given, 3: a list. */
			throw new InvalidArgumentException( sprintf( __( '%1$s: there is no “%2$s”; there are %3$s.', 'posthorn' ), $key, $value, implode( ', ', $known ) ) ); // phpcs:ignore WordPress.Security.EscapeOutput -- No page shows it.
		}
		$wanted[ $key ] = $known[ $found ];
	}
	$holds = static fn( array $event ): bool => array_intersect_key( $event, $wanted ) == $wanted; // phpcs:ignore Universal.Operators.StrictComparisons -- In whatever order.
	return array_values( array_filter( posthorn_client_events(), $holds ) );
}

/**
 * The formats: the extension's, the default first, then those that code adds.
 *
 * @return array[] Each with POSTHORN_FORMAT_KEYS.
 */
function posthorn_find_formats(): array {
	return array_map( static fn( array $format ): array => array_intersect_key( $format, array_flip( POSTHORN_FORMAT_KEYS ) ), posthorn_client_formats() );
}
