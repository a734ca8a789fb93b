<?php
/**
 * Enquiries.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/** What an enquiry can be about; Schedule Tour is the CRM's, the others are invented. */
function wpestate_crm_enquiry_types(): array {
	return array( 'Purchase', 'Rent', 'Sell', 'Evaluation', 'Schedule Tour' );
}

/**
 * Adds an enquiry.
 *
 * @return int|WP_Error Its id.
 */
function wpestate_crm_insert_enquiry( array $data ) {
	$data += array( 'enquiry_status' => 'New' );
	$id    = wpestate_crm_insert_row( 'enquiries', $data );
	if ( ! is_wp_error( $id ) && 'on' === wpestate_crm_switch( 'announce_enquiries' ) ) {
		wpestate_crm_announce( 'insert_enquiry', $id, $data, null, wpestate_crm_get_enquiry( $id ) );
	}
	return $id;
}

/** An enquiry's row, or null. */
function wpestate_crm_get_enquiry( int $id ): ?array {
	return wpestate_crm_get_row( 'enquiries', $id );
}

/** Enquiries; see wpestate_crm_get_rows(). Invented name. */
function wpestate_crm_get_enquiries( array $args = array() ) {
	return wpestate_crm_get_rows( 'enquiries', $args + array( 'columns' => array( 'enquiry_message', 'enquiry_type', 'property_city' ) ) );
}

/**
 * Changes an enquiry. Invented name.
 *
 * @return true|WP_Error
 */
function wpestate_crm_update_enquiry( int $id, array $data ) {
	$old = wpestate_crm_get_enquiry( $id );
	if ( null === $old ) {
		return new WP_Error( 'enquiry', "There is no enquiry $id." );
	}
	$done = wpestate_crm_update_row( 'enquiries', $id, $data );
	if ( ! is_wp_error( $done ) && 'on' === wpestate_crm_switch( 'announce_enquiries' ) ) {
		wpestate_crm_announce( 'update_enquiry', $id, $data, $old, wpestate_crm_get_enquiry( $id ) );
	}
	return $done;
}

/** Deletes an enquiry. Invented name. */
function wpestate_crm_delete_enquiry( int $id ): bool {
	$old = wpestate_crm_get_enquiry( $id );
	if ( null === $old || ! wpestate_crm_delete_row( 'enquiries', $id ) ) {
		return false;
	}
	if ( 'on' === wpestate_crm_switch( 'announce_deletes' ) ) {
		wpestate_crm_announce( 'delete_enquiry', $id, $old, $old, $old );
	}
	return true;
}
