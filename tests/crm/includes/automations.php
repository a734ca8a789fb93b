<?php
/**
 * Work that the CRM's own actions set off, and statements around its writes that should not matter. All invented.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/** Before anybody else listens, as an automation of the CRM itself would. */
const WPESTATE_CRM_AUTOMATION_PRIORITY = 5;

/** The id in an action's first argument, whatever its shape. */
function wpestate_crm_announced_id( $argument, string $key ): int {
	return (int) ( is_scalar( $argument ) ? $argument : ( (array) $argument )[ $key ] );
}

add_action(
	'wpestate_crm_after_insert_contact',
	static function ( $contact ): void {
		if ( 'on' === wpestate_crm_switch( 'automations' ) ) {
			$contact_id = wpestate_crm_announced_id( $contact, 'contact_id' );
			wpestate_crm_insert_task( array( 'title' => 'Welcome the new contact', 'contact_id' => $contact_id ) );
			wpestate_crm_add_note( 'contact', $contact_id, 'Welcomed.' );
		}
	},
	WPESTATE_CRM_AUTOMATION_PRIORITY
);

add_action(
	'wpestate_crm_after_update_deal',
	static function ( $deal ): void {
		$deal_id = wpestate_crm_announced_id( $deal, 'deal_id' );
		if ( 'on' === wpestate_crm_switch( 'automations' ) && 'won' === wpestate_crm_get_deal( $deal_id )['status'] ) {
			wpestate_crm_record_activity_v2( 'email_sent', array( 'deal_id' => $deal_id, 'subject' => 'Congratulations' ) );
			wpestate_crm_insert_lead( array( 'message' => 'Ask for a recommendation' ) );
		}
	},
	WPESTATE_CRM_AUTOMATION_PRIORITY
);

add_action(
	'wpestate_crm_after_complete_task',
	static function ( $task ): void {
		if ( 'on' === wpestate_crm_switch( 'automations' ) ) {
			$row = wpestate_crm_get_task( wpestate_crm_announced_id( $task, 'task_id' ) );
			wpestate_crm_insert_task( array( 'title' => 'After: ' . $row['title'], 'contact_id' => $row['contact_id'] ) );
		}
	},
	WPESTATE_CRM_AUTOMATION_PRIORITY
);

/** Statements that change nothing: one that fails, one without a match, one that sets what is there, one about it. */
function wpestate_crm_clutter( string $name ): void {
	global $wpdb;
	if ( 'on' !== wpestate_crm_switch( 'clutter' ) ) {
		return;
	}
	$table = wpestate_crm_table( $name );
	$key   = wpestate_crm_key( $name );
	$any   = array_keys( wpestate_crm_schema()[ $name ] )[1];
	$was   = $wpdb->suppress_errors( true );
	// phpcs:disable WordPress.DB.PreparedSQL -- names come from the schema.
	$wpdb->query( "UPDATE $table SET no_such_column = 1" );
	$wpdb->query( "INSERT INTO $table ($key, no_such_column) VALUES (1, 1)" );
	$wpdb->suppress_errors( $was );
	$wpdb->query( "UPDATE $table SET $any = '1' WHERE $key = 0" );
	$wpdb->query( "UPDATE $table SET $any = $any" );
	// phpcs:enable
	$wpdb->query( $wpdb->prepare( "UPDATE $wpdb->options SET option_value = %s WHERE option_name = 'crm_last_statement'", "DELETE FROM $table; -- it's only text" ) );
}
