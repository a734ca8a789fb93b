<?php
/**
 * Plugin Name: A short schedule, for tests
 *
 * @package Posthorn\Tests
 */

add_filter(
	'posthorn_endpoints',
	static function ( array $endpoints ): array {
		foreach ( $endpoints as &$endpoint ) {
			$endpoint['schedule'] = array( 0.5, 0.5 );
		}
		return $endpoints;
	}
);
