<?php
/**
 * Contacts.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/** Where a contact can be in its life; `new_lead` is the CRM's default, the others are invented. */
function wpestate_crm_lifecycle_stages(): array {
	return array(
		'new_lead'  => 'New lead',
		'contacted' => 'Contacted',
		'qualified' => 'Qualified',
		'viewing'   => 'Viewing homes',
		'client'    => 'Client',
		'past'      => 'Past client',
	);
}

/** A contact's statuses. */
function wpestate_crm_contact_statuses(): array {
	return array( 'Active', 'Inactive', 'VIP', 'Blocked' );
}

/**
 * Adds a contact.
 *
 * @return int|WP_Error Its id.
 */
function wpestate_crm_insert_contact( array $data ) {
	if ( ! empty( $data['email'] ) && ! is_email( $data['email'] ) ) {
		return new WP_Error( 'email', 'This is not an email address: ' . $data['email'] );
	}
	$data += array(
		'lifecycle_stage' => 'new_lead',
		'status'          => 'Active',
		'user_id'         => get_current_user_id(),
	);
	$id = wpestate_crm_insert_row( 'contacts', $data );
	if ( is_wp_error( $id ) ) {
		return $id;
	}
	wpestate_crm_record_activity_v2( 'contact_created', array( 'contact_id' => $id ) );
	$row = wpestate_crm_get_contact( $id );
	wpestate_crm_announce( 'insert_contact', $id, $data, null, $row );
	wpestate_crm_dispatch_webhook( 'contact.created', $row );
	return $id;
}

/** A contact's row, or null. */
function wpestate_crm_get_contact( int $id ): ?array {
	return wpestate_crm_get_row( 'contacts', $id );
}

/** Contacts; see wpestate_crm_get_rows(). */
function wpestate_crm_get_contacts( array $args = array() ) {
	return wpestate_crm_get_rows( 'contacts', $args + array( 'columns' => array( 'first_name', 'last_name', 'email', 'city', 'tags' ) ) );
}

/** The first contact with this address, or null. */
function wpestate_crm_find_contact_by_email( string $email ): ?array {
	$found = wpestate_crm_get_contacts( array( 'email' => $email, 'number' => 1, 'order' => 'asc' ) );
	return $found[0] ?? null;
}

/**
 * Changes a contact.
 *
 * @return true|WP_Error
 */
function wpestate_crm_update_contact( int $id, array $data ) {
	$old = wpestate_crm_get_contact( $id );
	if ( null === $old ) {
		return new WP_Error( 'contact', "There is no contact $id." );
	}
	if ( isset( $data['lifecycle_stage'] ) && $data['lifecycle_stage'] !== $old['lifecycle_stage'] ) {
		$data['lifecycle_stage_changed_at'] = wpestate_crm_now();
	}
	$done = wpestate_crm_update_row( 'contacts', $id, $data );
	if ( is_wp_error( $done ) ) {
		return $done;
	}
	if ( isset( $data['lifecycle_stage_changed_at'] ) ) {
		wpestate_crm_record_activity_v2( 'lifecycle_changed', array( 'contact_id' => $id, 'subject' => $old['lifecycle_stage'] . ' → ' . $data['lifecycle_stage'] ) );
	}
	$row = wpestate_crm_get_contact( $id );
	wpestate_crm_announce( 'update_contact', $id, $data, $old, $row );
	wpestate_crm_dispatch_webhook( 'contact.updated', $row );
	return true;
}

/** Deletes a contact, and nothing else. Invented name. */
function wpestate_crm_delete_contact( int $id ): bool {
	$old = wpestate_crm_get_contact( $id );
	if ( null === $old || ! wpestate_crm_delete_row( 'contacts', $id ) ) {
		return false;
	}
	if ( 'on' === wpestate_crm_switch( 'announce_deletes' ) ) {
		wpestate_crm_announce( 'delete_contact', $id, $old, $old, $old );
	}
	return true;
}
