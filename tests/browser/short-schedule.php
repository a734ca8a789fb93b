<?php
/**
 * Plugin Name: A short schedule, for tests
 *
 * Half a second between attempts, or what the receiver's URL asks for: ?schedule=2,2,2
 *
 * @package Posthorn\Tests
 */

add_filter(
	'posthorn_endpoints',
	static function ( array $endpoints ): array {
		foreach ( $endpoints as &$endpoint ) {
			wp_parse_str( (string) wp_parse_url( $endpoint['url'], PHP_URL_QUERY ), $query );
			$endpoint['schedule'] = array_map( 'floatval', explode( ',', $query['schedule'] ?? '0.5,0.5' ) );
		}
		return $endpoints;
	}
);
