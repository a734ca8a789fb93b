<?php
/**
 * For tests alone: ends a request in the middle, in each way that a request can end. Placed in the bed's mu-plugins by
 * run.sh; `?posthorn_tests_end=exit` and the ids of the rows to write in `row`, or a call of posthorn_tests_end().
 *
 * @package Posthorn\Tests
 */

defined( 'ABSPATH' ) || exit;

/** The ways in which a request can end; each is called after the rows were written. */
function posthorn_tests_endings(): array {
	return array(
		'normally'               => static function (): void {},
		'exit'                   => static function (): void {
			exit( 'over' );
		},
		'wp_die'                 => static function (): void {
			wp_die( 'over' );
		},
		'an exit in shutdown'    => static function (): void {
			add_action(
				'shutdown',
				static function (): void {
					exit( 'over' );
				}
			);
		},
		'wp_send_json'           => static function (): void {
			wp_send_json_success( 'over' );
		},
		'redirect'               => static function (): void {
			wp_safe_redirect( home_url( '/elsewhere' ) );
			exit;
		},
		'exception'              => static function (): void {
			throw new RuntimeException( 'over' );
		},
		'fatal error'            => static function (): void {
			posthorn_tests_no_such_function();
		},
		'user error'             => static function (): void {
			trigger_error( 'over', E_USER_ERROR ); // phpcs:ignore
		},
		'one large allocation'   => static function (): void {
			str_repeat( 'x', 1 << 40 );
		},
		'memory used up'         => static function (): void {
			// Kept in a global variable, so that nothing of it is freed before PHP's shutdown functions run.
			$GLOBALS['posthorn_tests_memory'] = array();
			while ( true ) {
				$GLOBALS['posthorn_tests_memory'][] = str_repeat( 'x', 256 );
			}
		},
		'time used up'           => static function (): void {
			set_time_limit( 1 );
			while ( true ) {
				hash( 'sha256', 'x' );
			}
		},
		'in a later shutdown'    => static function (): void {
			// Registered now, so it runs after WordPress's own.
			register_shutdown_function(
				static function (): void {
					exit( 'over' );
				}
			);
			exit;
		},
		'finished answer'        => static function (): void {
			if ( function_exists( 'fastcgi_finish_request' ) ) {
				fastcgi_finish_request();
			}
			exit;
		},
	);
}

/**
 * Updates contacts without any action, and ends.
 *
 * @param string $ending One of posthorn_tests_endings().
 * @param int[]  $ids    Contacts.
 * @param string $first  A statement to run before, such as START TRANSACTION.
 */
function posthorn_tests_end( string $ending, array $ids, string $first = '' ): void {
	global $wpdb;
	if ( '' !== $first ) {
		$wpdb->query( $first ); // phpcs:ignore
	}
	foreach ( $ids as $id ) {
		$wpdb->update( wpestate_crm_table( 'contacts' ), array( 'city' => "Ended with $ending" ), array( 'contact_id' => $id ) );
	}
	posthorn_tests_endings()[ $ending ]();
}

if ( isset( $_GET['posthorn_tests_end'] ) ) { // phpcs:ignore
	// phpcs:disable WordPress.Security
	add_action(
		'wp_loaded',
		static function (): void {
			posthorn_tests_end( $_GET['posthorn_tests_end'], array_map( 'intval', (array) $_GET['row'] ), wp_unslash( $_GET['first'] ?? '' ) );
		}
	);
	// phpcs:enable
}

// The nonces that the CRM's pages would hold.
add_action(
	'wp_ajax_posthorn_tests_nonces',
	static function (): void {
		wp_send_json( array_combine( array_keys( wpestate_crm_ajax_actions() ), array_map( 'wp_create_nonce', array_keys( wpestate_crm_ajax_actions() ) ) ) );
	}
);
