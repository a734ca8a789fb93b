<?php
/**
 * What is known of the WPResidence CRM: its tables, keys and actions. The rest of crm/ knows nothing of its own.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** What the names of all its tables contain. */
const POSTHORN_CRM_TABLES = 'wpresidence_crm_';

/**
 * The tables whose rows become events: record name => table without the database prefix, key column, and the event of
 * each change.
 *
 * @return array<string,array{table:string,key:string,events:array<string,string>}>
 */
function posthorn_crm_tables(): array {
	return array(
		'contact'  => array(
			'table'  => 'wpresidence_crm_contacts',
			'key'    => 'contact_id',
			'events' => array(
				'created'  => 'contact.created',
				'updated'  => 'contact.updated',
				'deleted'  => 'contact.deleted',
				'tagged'   => 'contact.tagged',
				'untagged' => 'contact.untagged',
				'assigned' => 'contact.assigned',
			),
		),
		'lead'     => array(
			'table'  => 'wpresidence_crm_leads',
			'key'    => 'lead_id',
			'events' => array(
				'created'   => 'lead.created',
				'updated'   => 'lead.updated',
				'deleted'   => 'lead.deleted',
				'qualified' => 'lead.qualified',
				'scored'    => 'lead.scored',
			),
		),
		'enquiry'  => array(
			'table'  => 'wpresidence_crm_enquiries',
			'key'    => 'enquiry_id',
			'events' => array(
				'created'     => 'enquiry.created',
				'scheduled'   => 'appointment.scheduled',
				'rescheduled' => 'appointment.rescheduled',
				'cancelled'   => 'appointment.cancelled',
				'completed'   => 'appointment.completed',
			),
		),
		'deal'     => array(
			'table'  => 'wpresidence_crm_deals',
			'key'    => 'deal_id',
			'events' => array(
				'created'       => 'deal.created',
				'updated'       => 'deal.updated',
				'deleted'       => 'deal.deleted',
				'stage_changed' => 'deal.stage_changed',
				'won'           => 'deal.won',
				'lost'          => 'deal.lost',
			),
		),
		'task'     => array(
			'table'  => 'wpresidence_crm_tasks',
			'key'    => 'task_id',
			'events' => array(
				'created'   => 'task.created',
				'completed' => 'task.completed',
				'overdue'   => 'task.overdue',
			),
		),
		'activity' => array(
			'table'  => 'wpresidence_crm_activities',
			'key'    => 'activity_id',
			'events' => posthorn_crm_activity_types(),
		),
	);
}

/**
 * The events that activities are, by their types. A type that is not listed is none, or has an event of its own: that a
 * deal was won is known from the deal.
 *
 * @return array<string,string> Type => event.
 */
function posthorn_crm_activity_types(): array {
	return array(
		'form_submission'           => 'form_submitted',
		'email_sent'                => 'communication.email_sent',
		'listing_email_sent'        => 'communication.email_sent',
		'call'                      => 'communication.call_ended',
		'call_logged'               => 'communication.call_ended',
		'automation_triggered'      => 'workflow.triggered',

		// Documented nowhere: these are the types that the CRM would use by its own convention.
		'email_received'            => 'communication.email_received',
		'email_opened'              => 'email.opened',
		'email_clicked'             => 'email.clicked',
		'email_bounced'             => 'email.bounced',
		'sms_sent'                  => 'communication.sms_sent',
		'sms_received'              => 'communication.sms_received',
		'call_started'              => 'communication.call_started',
		'call_ended'                => 'communication.call_ended',
		'call_missed'               => 'call.missed',
		'voicemail_received'        => 'communication.voicemail_received',
		'automation_step_completed' => 'workflow.step_completed',
		'automation_failed'         => 'workflow.failed',
	);
}

/**
 * The tables as read_statement() takes them: their names with any prefix, and their keys.
 *
 * @return array<string,string>
 */
function posthorn_crm_keys(): array {
	static $keys = array();
	if ( ! $keys ) {
		foreach ( posthorn_crm_tables() as $table ) {
			$keys[ '*' . $table['table'] ] = $table['key'];
		}
	}
	return $keys;
}

/**
 * The actions that are listened to: action => record name, and what it says of the row.
 *
 * The first group is documented. The second is not: these are the names that the CRM would use by its own convention
 * for what it documents no action for.
 *
 * @return array<string,array{0:string,1:string}>
 */
function posthorn_crm_actions(): array {
	return array(
		'wpestate_crm_after_insert_contact'  => array( 'contact', 'created' ),
		'wpestate_crm_after_update_contact'  => array( 'contact', 'updated' ),
		'wpestate_crm_after_insert_deal'     => array( 'deal', 'created' ),
		'wpestate_crm_after_update_deal'     => array( 'deal', 'updated' ),
		'wpestate_crm_after_insert_task'     => array( 'task', 'created' ),
		'wpestate_crm_after_complete_task'   => array( 'task', 'completed' ),
		'wpestate_crm_after_record_activity' => array( 'activity', 'created' ),

		'wpestate_crm_after_delete_contact'  => array( 'contact', 'deleted' ),
		'wpestate_crm_after_insert_lead'     => array( 'lead', 'created' ),
		'wpestate_crm_after_update_lead'     => array( 'lead', 'updated' ),
		'wpestate_crm_after_delete_lead'     => array( 'lead', 'deleted' ),
		'wpestate_crm_after_insert_enquiry'  => array( 'enquiry', 'created' ),
		'wpestate_crm_after_update_enquiry'  => array( 'enquiry', 'updated' ),
		'wpestate_crm_after_delete_enquiry'  => array( 'enquiry', 'deleted' ),
		'wpestate_crm_after_delete_deal'     => array( 'deal', 'deleted' ),
		'wpestate_crm_after_update_task'     => array( 'task', 'updated' ),
		'wpestate_crm_after_delete_task'     => array( 'task', 'deleted' ),
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
