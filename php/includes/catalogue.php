<?php
/**
 * Looking things up in the catalogue.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The events of the catalogue that have some values.
 *
 * @param array<string,string> $wanted `group`, `source`: what they must be.
 * @return array[] See posthorn_client_events().
 */
function posthorn_find_events( array $wanted ): array {
	$holds = static fn( array $event ): bool => array_intersect_key( $event, $wanted ) == $wanted; // phpcs:ignore Universal.Operators.StrictComparisons -- In whatever order.
	return array_values( array_filter( posthorn_client_events(), $holds ) );
}

/**
 * An event of the catalogue.
 *
 * @param string $name Its name, or one that another system has for it.
 * @return array|null Null if there is none.
 */
function posthorn_find_event( string $name ): ?array {
	foreach ( posthorn_client_events() as $event ) {
		if ( $name === $event['name'] || in_array( $name, $event['other_names'], true ) ) {
			return $event;
		}
	}
	return null;
}
