<?php
/**
 * For tests alone: a visitor's page says which files of Posthorn it loaded, and who listens to its end; `?posthorn_tests_loaded`
 * asks for it, with `=event` after an event was handed over.
 *
 * @package Posthorn\Tests
 */

defined( 'ABSPATH' ) || exit;

if ( isset( $_GET['posthorn_tests_loaded'] ) ) { // phpcs:ignore
	// WordPress before 6.9 asks for the cron schedules before the page wherever a task is due.
	remove_action( 'init', 'wp_cron' );
	add_action(
		'template_redirect',
		static function (): void {
			$GLOBALS['wpdb']->get_var( "\n\t\t\tSELECT option_id FROM {$GLOBALS['wpdb']->options} LIMIT 1" );
			$event = 'event' === $_GET['posthorn_tests_loaded'] ? posthorn_dispatch( 'contact.updated', array( 'contact_id' => 7 ) ) : null; // phpcs:ignore
			$files = preg_grep( '#/plugins/posthorn/#', get_included_files() );
			$end   = array_filter( array( 'posthorn_crm_end', 'posthorn_native_end', 'posthorn_store_problems' ), static fn( $name ) => has_action( 'shutdown', $name ) );
			wp_send_json(
				array(
					'event' => $event,
					'files' => array_values( preg_replace( '#.*/plugins/posthorn/#', '', $files ) ),
					'end'   => array_values( $end ),
				)
			);
		}
	);
}
