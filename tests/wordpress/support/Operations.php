<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

/**
 * All that is done in a CRM, through the stand-in's functions. Each operation writes a row at most once, so that the
 * oracle can tell from two dumps what it has to give.
 */
final class Operations {

	/**
	 * Does all of it.
	 *
	 * @param callable $step Does one operation: takes its name and the operation, returns what that returned.
	 */
	public static function all( callable $step ): void {
		self::contacts( $step );
		self::leads( $step );
		self::deals( $step );
		self::tasks( $step );
		self::forms( $step );
		self::enquiries( $step );
	}

	/** Creates, changes, imports, copies and deletes contacts. */
	public static function contacts( callable $step ): void {
		$contact = $step( 'create a contact', static fn() => wpestate_crm_insert_contact( self::contact( 'Ada' ) ) );
		$step( 'update a contact', static fn() => wpestate_crm_update_contact( $contact, array( 'city' => 'Cork', 'zipcode' => '02139', 'pref_max_price' => '512345.67' ) ) );
		$step( 'update a contact to what it is', static fn() => wpestate_crm_update_contact( $contact, array( 'city' => 'Cork' ) ) );
		$step( 'a contact enters another stage of its life', static fn() => wpestate_crm_update_contact( $contact, array( 'lifecycle_stage' => 'client', 'tags' => array( 'sea', 'VIP' ) ) ) );
		$step( 'a note and a viewed listing', static fn() => array( wpestate_crm_add_note( 'contact', $contact, 'Likes the sea.' ), wpestate_crm_record_viewed_listing( $contact, 12 ) ) );
		$step( 'import contacts', static fn() => wpestate_crm_import_contacts( array( self::contact( 'Grace' ), self::contact( "O'Hara; DELETE" ), self::contact( 'Zoë 🏠' ) ) ) );
		$ids = array_keys( Tables::dump()['contact'] );
		$step( 'update contacts in bulk', static fn() => wpestate_crm_bulk_update_contacts( $ids, array( 'status' => 'VIP', 'private_note' => 'WHERE `it` = "is"' ) ) );
		$step( 'update contacts in bulk to what they are', static fn() => wpestate_crm_bulk_update_contacts( $ids, array( 'status' => 'VIP' ) ) );
		$step( 'copy contacts', static fn() => wpestate_crm_duplicate_contacts( array_slice( $ids, 0, 2 ) ) );
		$step( 'delete a contact', static fn() => wpestate_crm_delete_contact( $contact ) );
		$step( 'delete contacts in bulk', static fn() => wpestate_crm_bulk_delete_contacts( array_slice( $ids, 1 ) ) );
		$step( 'delete contacts that are gone', static fn() => wpestate_crm_bulk_delete_contacts( $ids ) );
	}

	/** Creates, changes and deletes leads. */
	public static function leads( callable $step ): void {
		$leads = array();
		foreach ( array( 'A house by the sea', 'A flat', 'A garden' ) as $message ) {
			$leads[] = $step( 'create a lead', static fn() => wpestate_crm_insert_lead( array( 'message' => $message, 'from_email' => 'lead@example.com' ) ) );
		}
		$step( 'update a lead', static fn() => wpestate_crm_update_lead( $leads[0], array( 'status' => 'Contacted', 'handler_agent_id' => 3 ) ) );
		$step( 'update leads in bulk', static fn() => wpestate_crm_bulk_update_leads( $leads, array( 'status' => 'Qualified' ) ) );
		$step( 'delete a lead', static fn() => wpestate_crm_delete_lead( $leads[0] ) );
		$step( 'delete leads in bulk', static fn() => wpestate_crm_bulk_delete_leads( $leads ) );
	}

	/** Creates deals, moves them, wins and loses them, deletes them. */
	public static function deals( callable $step ): void {
		$deal  = $step( 'create a deal', static fn() => wpestate_crm_insert_deal( array( 'title' => 'Quay 3', 'contact_id' => 1, 'amount' => '450000.00' ) ) );
		$other = $step( 'create a deal that is won', static fn() => wpestate_crm_insert_deal( array( 'title' => 'Hill 1', 'stage' => 'closed_won' ) ) );
		$step( 'update a deal', static fn() => wpestate_crm_update_deal( $deal, array( 'amount' => '455000.50' ) ) );
		$step( 'drag a deal', static fn() => wpestate_crm_update_deal_stage( $deal, 'offer_made' ) );
		$step( 'drag a deal to where it is', static fn() => wpestate_crm_update_deal_stage( $deal, 'offer_made' ) );
		$step( 'move a deal with its form', static fn() => wpestate_crm_update_deal( $deal, array( 'deal_stage' => 'negotiation', 'next_action' => 'Call' ) ) );
		$step( 'drag a deal to won', static fn() => wpestate_crm_update_deal_stage( $deal, 'closed_won' ) );
		$step( 'update a won deal', static fn() => wpestate_crm_update_deal( $deal, array( 'stage' => 'closed_won', 'commission_rate' => '2.50' ) ) );
		$step( 'open a won deal again', static fn() => wpestate_crm_update_deal_stage( $other, 'new' ) );
		$step( 'lose a deal', static fn() => wpestate_crm_update_deal( $other, array( 'stage' => 'closed_lost', 'lost_reason' => 'Price' ) ) );
		$step( 'a lost deal is won', static fn() => wpestate_crm_update_deal_stage( $other, 'closed_won' ) );
		$step( 'delete a deal', static fn() => wpestate_crm_delete_deal( $other ) );
		$step( 'delete deals in bulk', static fn() => wpestate_crm_bulk_delete_deals( array( $deal, $other ) ) );
	}

	/** Creates, changes, completes and deletes tasks. */
	public static function tasks( callable $step ): void {
		$task  = $step( 'create a task', static fn() => wpestate_crm_insert_task( array( 'title' => 'Call back' ) ) );
		$other = $step( 'create another task', static fn() => wpestate_crm_insert_task( array( 'title' => 'Write' ) ) );
		$step( 'update a task', static fn() => wpestate_crm_update_task( $task, array( 'priority' => 'high' ) ) );
		$step( 'complete a task', static fn() => wpestate_crm_complete_task( $task ) );
		$step( 'complete a task again', static fn() => wpestate_crm_complete_task( $task ) );
		$step( 'update a task that is done', static fn() => wpestate_crm_update_task( $task, array( 'priority' => 'low' ) ) );
		$step( 'a task is set to done', static fn() => wpestate_crm_update_task( $other, array( 'status' => 'done' ) ) );
		$step( 'delete a task', static fn() => wpestate_crm_delete_task( $task ) );
	}

	/** Submits the public form, as somebody new and as somebody known. */
	public static function forms( callable $step ): void {
		$form = array( 'name' => 'Ida Rhodes', 'email' => 'ida@example.com', 'phone' => '0035312345', 'type' => 'Schedule Tour', 'city' => 'Cobh', 'budget' => '350000', 'message' => "On Friday?\nOr 'Saturday'" );
		$step( 'a form of somebody new', static fn() => wpestate_crm_process_form_submission( $form ) );
		$step( 'a form of somebody known', static fn() => wpestate_crm_process_form_submission( $form ) );
		$step( 'a form of somebody with a new number', static fn() => wpestate_crm_process_form_submission( array( 'phone' => '1' ) + $form ) );
		$step( 'a form without an address', static fn() => wpestate_crm_process_form_submission( array( 'email' => '' ) + $form ) );
	}

	/** Creates, changes and deletes enquiries. */
	public static function enquiries( callable $step ): void {
		$enquiry = $step( 'create an enquiry', static fn() => wpestate_crm_insert_enquiry( array( 'enquiry_message' => 'Is it free?', 'max_price' => '99.90', 'enquiry_meta' => array( 'page' => '/quay-3/', 'n' => array( 1, 2.5 ) ) ) ) );
		$step( 'update an enquiry', static fn() => wpestate_crm_update_enquiry( $enquiry, array( 'enquiry_status' => 'Answered' ) ) );
		$step( 'delete an enquiry', static fn() => wpestate_crm_delete_enquiry( $enquiry ) );
	}

	private static function contact( string $name ): array {
		return array( 'first_name' => $name, 'last_name' => 'Example', 'email' => 'somebody@example.com', 'zipcode' => '00501', 'pref_min_price' => '450000.00', 'pref_min_beds' => '3' );
	}
}
