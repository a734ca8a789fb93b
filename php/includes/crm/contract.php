<?php
/**
 * What is known of the WPResidence CRM: its tables, keys and actions. The rest of crm/ knows nothing of its own.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The tables whose rows become events: record name => table without the database prefix, and its key column.
 *
 * @return array<string,array{table:string,key:string}>
 */
function posthorn_crm_tables(): array {
	return array(
		'contact'  => array(
			'table' => 'wpresidence_crm_contacts',
			'key'   => 'contact_id',
		),
		'lead'     => array(
			'table' => 'wpresidence_crm_leads',
			'key'   => 'lead_id',
		),
		'enquiry'  => array(
			'table' => 'wpresidence_crm_enquiries',
			'key'   => 'enquiry_id',
		),
		'deal'     => array(
			'table' => 'wpresidence_crm_deals',
			'key'   => 'deal_id',
		),
		'task'     => array(
			'table' => 'wpresidence_crm_tasks',
			'key'   => 'task_id',
		),
		'activity' => array(
			'table' => 'wpresidence_crm_activities',
			'key'   => 'activity_id',
		),
	);
}

/**
 * The actions that are listened to: action => record name and event.
 *
 * The first group is documented. The second is not: these are the names that the CRM would use by its own convention
 * for what it documents no action for. Two events are decided from the row: `deal changed` and `activity recorded`.
 *
 * @return array<string,array{0:string,1:string}>
 */
function posthorn_crm_actions(): array {
	return array(
		'wpestate_crm_after_insert_contact'  => array( 'contact', 'contact.created' ),
		'wpestate_crm_after_update_contact'  => array( 'contact', 'contact.updated' ),
		'wpestate_crm_after_insert_deal'     => array( 'deal', 'deal.created' ),
		'wpestate_crm_after_update_deal'     => array( 'deal', 'deal changed' ),
		'wpestate_crm_after_complete_task'   => array( 'task', 'task.completed' ),
		'wpestate_crm_after_record_activity' => array( 'activity', 'activity recorded' ),

		'wpestate_crm_after_delete_contact'  => array( 'contact', 'contact.deleted' ),
		'wpestate_crm_after_insert_lead'     => array( 'lead', 'lead.created' ),
		'wpestate_crm_after_update_lead'     => array( 'lead', 'lead.updated' ),
		'wpestate_crm_after_delete_lead'     => array( 'lead', 'lead.deleted' ),
		'wpestate_crm_after_insert_enquiry'  => array( 'enquiry', 'enquiry.created' ),
	);
}

/**
 * Text columns that hold JSON. Where the database has a type of its own for it, that decides too.
 *
 * @return string[]
 */
function posthorn_crm_json_columns(): array {
	return array( 'meta', 'enquiry_meta' );
}

/**
 * The stage of a deal, whichever of its two names the row has.
 *
 * @param array $deal A row.
 */
function posthorn_crm_deal_stage( array $deal ): ?string {
	$stage = $deal['stage'] ?? $deal['deal_stage'] ?? null;
	return null === $stage ? null : (string) $stage;
}

/**
 * What became of a deal: `won`, `lost` or `open`.
 *
 * The status says it. A row without one is judged by its stage: stages are free text, the documented ones for the two
 * ends are `closed_won` and `closed_lost`, shown as "Closed Won" and "Closed Lost".
 *
 * @param array $deal A row.
 */
function posthorn_crm_deal_outcome( array $deal ): string {
	$status = strtolower( trim( (string) ( $deal['status'] ?? $deal['deal_status'] ?? '' ) ) );
	if ( in_array( $status, array( 'won', 'lost', 'open' ), true ) ) {
		return $status;
	}
	$stage = preg_replace( '/[^a-z]+/', '_', strtolower( trim( (string) posthorn_crm_deal_stage( $deal ) ) ) );
	return array(
		'closed_won'  => 'won',
		'closed_lost' => 'lost',
	)[ $stage ] ?? 'open';
}
