<?php
/**
 * The activity log, notes and viewed listings.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Records what happened to a contact, deal or task. The argument list is invented.
 *
 * @param string $type One of the CRM's activity types: note, contact_created, deal_won, …
 * @param array  $data Columns: contact_id, deal_id, task_id, subject, message, meta.
 * @return int|WP_Error
 */
function wpestate_crm_record_activity_v2( string $type, array $data = array() ) {
	$id = wpestate_crm_insert_row(
		'activities',
		array(
			'user_id'     => get_current_user_id(),
			'entity_type' => empty( $data['deal_id'] ) ? 'contact' : 'deal',
			'entity_id'   => empty( $data['deal_id'] ) ? (int) ( $data['contact_id'] ?? 0 ) : (int) $data['deal_id'],
			'action'      => $type,
			'type'        => $type,
		) + $data
	);
	if ( ! is_wp_error( $id ) ) {
		wpestate_crm_announce( 'record_activity', $id, $data, null, array( 'activity_id' => $id, 'type' => $type ) + $data );
	}
	return $id;
}

/** Adds a note to a contact or deal. Invented but for its action. */
function wpestate_crm_add_note( string $entity_type, int $entity_id, string $note ) {
	$data = compact( 'entity_type', 'entity_id', 'note' ) + array( 'user_id' => get_current_user_id() );
	$id   = wpestate_crm_insert_row( 'notes', $data );
	if ( ! is_wp_error( $id ) ) {
		wpestate_crm_announce( 'add_note', $id, $data, null, array( 'note_id' => $id ) + $data );
	}
	return $id;
}

/** Notes that a contact looked at a listing. This action's arguments are the only documented ones. */
function wpestate_crm_record_viewed_listing( int $contact_id, int $listing_id ): void {
	wpestate_crm_insert_row( 'viewed_listings', compact( 'contact_id', 'listing_id' ) + array( 'viewed_at' => wpestate_crm_now() ) );
	do_action( 'wpestate_crm_after_viewed_listing', $contact_id, $listing_id );
}

/** May the current user do this in the CRM? */
function wpestate_crm_user_can( string $module, string $action ): bool {
	return current_user_can( 'manage_crm' );
}
