<?php
/**
 * Looks at every statement that WordPress runs, for the few that matter.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Before a statement runs: if it writes deals, their stages are remembered first. Never changes the statement.
 *
 * @param string $query A statement.
 * @return string The same.
 */
function posthorn_crm_remember_stages( $query ) {
	if ( is_string( $query ) && str_contains( $query, 'wpresidence_crm_deals' ) && ! preg_match( '/^\s*(SELECT|SHOW|DESC|EXPLAIN|INSERT|CREATE|ALTER|DROP)\b/i', $query ) ) {
		try {
			if ( posthorn_has_receiver() ) {
				require_once __DIR__ . '/listeners.php';
				posthorn_crm_stages()->remember();
			}
		} catch ( \Throwable $error ) {
			posthorn_report( $error, false );
		}
	}
	return $query;
}
