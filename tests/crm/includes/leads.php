<?php
/**
 * Leads.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/** A lead's statuses; `New` is the CRM's default, the others are invented. */
function wpestate_crm_lead_statuses(): array {
	return array( 'New', 'Contacted', 'Qualified', 'Unqualified' );
}

/**
 * Adds a lead.
 *
 * @return int|WP_Error Its id.
 */
function wpestate_crm_insert_lead( array $data ) {
	$data += array(
		'status'  => 'New',
		'user_id' => get_current_user_id(),
	);
	$id    = wpestate_crm_insert_row( 'leads', $data );
	if ( ! is_wp_error( $id ) && 'on' === wpestate_crm_switch( 'announce_leads' ) ) {
		wpestate_crm_announce( 'insert_lead', $id, $data, null, wpestate_crm_get_lead( $id ) );
	}
	return $id;
}

/** A lead's row, or null. */
function wpestate_crm_get_lead( int $id ): ?array {
	return wpestate_crm_get_row( 'leads', $id );
}

/** Leads; see wpestate_crm_get_rows(). */
function wpestate_crm_get_leads( array $args = array() ) {
	return wpestate_crm_get_rows( 'leads', $args + array( 'columns' => array( 'message', 'from_email', 'lead_source' ) ) );
}

/**
 * Changes a lead.
 *
 * @return true|WP_Error
 */
function wpestate_crm_update_lead( int $id, array $data ) {
	$old = wpestate_crm_get_lead( $id );
	if ( null === $old ) {
		return new WP_Error( 'lead', "There is no lead $id." );
	}
	$done = wpestate_crm_update_row( 'leads', $id, $data );
	if ( ! is_wp_error( $done ) && 'on' === wpestate_crm_switch( 'announce_leads' ) ) {
		wpestate_crm_announce( 'update_lead', $id, $data, $old, wpestate_crm_get_lead( $id ) );
	}
	return $done;
}

/** Deletes a lead, and nothing else. */
function wpestate_crm_delete_lead( int $id ): bool {
	$old = wpestate_crm_get_lead( $id );
	if ( null === $old || ! wpestate_crm_delete_row( 'leads', $id ) ) {
		return false;
	}
	if ( 'on' === wpestate_crm_switch( 'announce_deletes' ) ) {
		wpestate_crm_announce( 'delete_lead', $id, $old, $old, $old );
	}
	return true;
}
