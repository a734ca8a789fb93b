<?php
/**
 * AJAX. Each action's name is also its nonce's name.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/** Ends the request with an error unless the nonce is right. */
function wpestate_crm_verify_ajax_nonce( string $action, string $nonce_key = 'security' ): void {
	if ( ! check_ajax_referer( $action, $nonce_key, false ) ) {
		wp_send_json_error( array( 'message' => 'This page has expired. Reload it and try again.' ), 403 );
	}
}

/**
 * Every AJAX action: the CRM's own five first; the last two are invented, for the deals board and the task list.
 * Each gets the posted values and returns what is sent, or a WP_Error.
 */
function wpestate_crm_ajax_actions(): array {
	$ids = static fn( array $post ): array => array_map( 'intval', (array) ( $post['ids'] ?? array() ) );
	return array(
		'wpestate_crm_delete_lead'       => static fn( array $post ) => wpestate_crm_delete_lead( (int) ( $post['lead_id'] ?? 0 ) ),
		'wpestate_crm_bulk_delete_leads' => static fn( array $post ) => wpestate_crm_bulk_delete_leads( $ids( $post ) ),
		'wpestate_crm_bulk_update_leads' => static fn( array $post ) => wpestate_crm_bulk_update_leads( $ids( $post ), array( 'status' => sanitize_text_field( $post['status'] ?? 'New' ) ) ),
		'bulk_delete_contacts'           => static fn( array $post ) => wpestate_crm_bulk_delete_contacts( $ids( $post ) ),
		'bulk_update_contacts'           => static fn( array $post ) => wpestate_crm_bulk_update_contacts( $ids( $post ), array_map( 'sanitize_text_field', (array) ( $post['data'] ?? array() ) ) ),
		'wpestate_crm_update_deal_stage' => static fn( array $post ) => wpestate_crm_update_deal_stage( (int) ( $post['deal_id'] ?? 0 ), sanitize_key( $post['stage'] ?? '' ) ),
		'wpestate_crm_complete_task'     => static fn( array $post ) => wpestate_crm_complete_task( (int) ( $post['task_id'] ?? 0 ) ),
	);
}

foreach ( wpestate_crm_ajax_actions() as $wpestate_crm_action => $wpestate_crm_run ) {
	add_action(
		"wp_ajax_$wpestate_crm_action",
		static function () use ( $wpestate_crm_action, $wpestate_crm_run ): void {
			wpestate_crm_verify_ajax_nonce( $wpestate_crm_action );
			if ( ! wpestate_crm_user_can( 'crm', $wpestate_crm_action ) ) {
				wp_send_json_error( array( 'message' => 'You may not do this.' ), 403 );
			}
			// phpcs:ignore WordPress.Security.NonceVerification -- verified above.
			$done = $wpestate_crm_run( wp_unslash( $_POST ) );
			if ( is_wp_error( $done ) ) {
				wp_send_json_error( array( 'message' => $done->get_error_message() ), 400 );
			}
			wp_send_json_success( array( 'done' => $done ) );
		}
	);
}
unset( $wpestate_crm_action, $wpestate_crm_run );
