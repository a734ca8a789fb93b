<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\SiteTestCase;

/** From the CRM's work to events, whatever its actions hand over. */
final class CrmEventsTest extends SiteTestCase {

	protected function setUp(): void {
		parent::setUp();
		$this->save_endpoint();
	}

	public static function argument_shapes(): array {
		return array(
			'id'                => array( 'id' ),
			'id and data'       => array( 'id_data' ),
			'id, data, old row' => array( 'id_data_old' ),
			'row as object'     => array( 'row_object' ),
			'row as array'      => array( 'row_array' ),
		);
	}

	/** @dataProvider argument_shapes */
	public function test_every_change_is_one_event_in_the_order_of_the_work( string $shape ): void {
		wpestate_crm_set_switches( array( 'arguments' => $shape ) );
		$contact = wpestate_crm_insert_contact( array( 'first_name' => 'Grace', 'email' => 'grace@example.com' ) );
		wpestate_crm_update_contact( $contact, array( 'city' => 'Cork' ) );
		$deal = wpestate_crm_insert_deal( array( 'title' => 'Quay 3', 'contact_id' => $contact, 'amount' => '450000.00' ) );
		wpestate_crm_update_deal( $deal, array( 'amount' => '455000.00' ) );
		wpestate_crm_update_deal_stage( $deal, 'offer_made' );
		wpestate_crm_update_deal_stage( $deal, 'closed_won' );
		$other = wpestate_crm_insert_deal( array( 'title' => 'Hill 1', 'contact_id' => $contact ) );
		wpestate_crm_update_deal( $other, array( 'stage' => 'closed_lost' ) );
		$task = wpestate_crm_insert_task( array( 'title' => 'Call back', 'contact_id' => $contact ) );
		wpestate_crm_complete_task( $task );
		wpestate_crm_add_note( 'contact', $contact, 'Likes the sea.' );
		wpestate_crm_record_viewed_listing( $contact, 12 );

		self::assertSame( '', $this->problem() );
		$this->assert_arrived(
			array(
				"contact:$contact" => array( 'contact.created', 'contact.updated' ),
				"deal:$deal"       => array( 'deal.created', 'deal.stage_changed', 'deal.stage_changed', 'deal.won' ),
				"deal:$other"      => array( 'deal.created', 'deal.stage_changed', 'deal.lost' ),
				"task:$task"       => array( 'task.completed' ),
			)
		);
	}

	/** @dataProvider argument_shapes */
	public function test_a_form_is_one_contact_one_enquiry_and_one_submission( string $shape ): void {
		wpestate_crm_set_switches( array( 'arguments' => $shape ) );
		$done    = wpestate_crm_process_form_submission(
			array(
				'name'    => 'Ida Rhodes',
				'email'   => "ida-$shape-" . uniqid() . '@example.com',
				'type'    => 'Schedule Tour',
				'message' => 'On Friday?',
			)
		);
		$contact = $done['contact_id'];
		$this->assert_arrived(
			array(
				"contact:$contact"              => array( 'contact.created', 'form_submitted' ),
				"enquiry:{$done['enquiry_id']}" => array( 'enquiry.created' ),
			)
		);
		$data = $this->data_of( 'form_submitted' );
		self::assertSame( $contact, $data['contact_id'] );
		self::assertSame( 'On Friday?', $data['message'] );
		self::assertSame( array( 'enquiry_id' => $done['enquiry_id'] ), $data['meta'], 'JSON columns are decoded' );
	}

	/** @dataProvider argument_shapes */
	public function test_leads_enquiries_and_deletes_are_one_event_each_where_the_crm_announces_them_too( string $shape ): void {
		wpestate_crm_set_switches( array( 'arguments' => $shape, 'announce_leads' => 'on', 'announce_enquiries' => 'on', 'announce_deletes' => 'on' ) );
		$lead = wpestate_crm_insert_lead( array( 'message' => 'Looking for a house' ) );
		wpestate_crm_update_lead( $lead, array( 'status' => 'Contacted' ) );
		wpestate_crm_delete_lead( $lead );
		$enquiry = wpestate_crm_insert_enquiry( array( 'enquiry_message' => 'Is it free?', 'enquiry_meta' => array( 'page' => '/quay-3/' ) ) );
		$this->assert_arrived(
			array(
				"lead:$lead"       => array( 'lead.created', 'lead.updated', 'lead.deleted' ),
				"enquiry:$enquiry" => array( 'enquiry.created' ),
			)
		);
		self::assertSame( $lead, (int) $this->data_of( 'lead.deleted' )['lead_id'] );
		self::assertSame( array( 'page' => '/quay-3/' ), $this->data_of( 'enquiry.created' )['enquiry_meta'] );
	}

	public function test_data_has_the_types_of_its_columns(): void {
		$contact = wpestate_crm_insert_contact(
			array(
				'first_name'     => 'Ada',
				'email'          => 'ada@example.com',
				'phone'          => '0035312345',
				'zipcode'        => '02139',
				'lead_score'     => 42,
				'pref_min_price' => '450000.00',
				'pref_max_price' => '512345.67',
				'pref_min_beds'  => '3',
				'private_note'   => 'for us alone',
				'address'        => '{"not": "decoded"}',
			)
		);
		$this->end_request();
		$this->receiver->wait_for( 1 );
		$data     = $this->data_of( 'contact.created' );
		$expected = array(
			'contact_id'     => $contact,
			'phone'          => '0035312345',
			'zipcode'        => '02139',
			'lead_score'     => 42,
			'pref_min_price' => 450000,
			'pref_max_price' => 512345.67,
			'pref_min_beds'  => 3,
			'pref_max_beds'  => null,
			'status'         => 'Active',
			'city'           => '',
			'address'        => '{"not": "decoded"}',
		);
		self::assertSame( $expected, array_merge( $expected, array_intersect_key( $data, $expected ) ) );
		self::assertCount( 43, $data, 'every column of a contact is sent' );
		self::assertArrayNotHasKey( 'private_note', $data, 'but the private note' );
	}

	public function test_a_stage_change_carries_the_row_after_it(): void {
		$deal = wpestate_crm_insert_deal( array( 'title' => 'Quay 3', 'commission_rate' => '2.50' ) );
		wpestate_crm_update_deal_stage( $deal, 'closed_won' );
		$this->end_request();
		$this->receiver->wait_for( 3 );
		$data = $this->data_of( 'deal.won' );
		self::assertSame( array( 'closed_won', 'closed_won', 'won', 'won' ), array( $data['stage'], $data['deal_stage'], $data['status'], $data['deal_status'] ) );
		self::assertSame( 2.5, $data['commission_rate'] );
		self::assertSame( 100, $data['probability'] );
		self::assertSame( 'new', $this->data_of( 'deal.created' )['stage'], 'the data is that of the moment' );
	}

	public function test_a_deal_that_stays_won_is_not_won_again(): void {
		$deal = wpestate_crm_insert_deal( array( 'title' => 'Quay 3', 'stage' => 'closed_won' ) );
		wpestate_crm_update_deal( $deal, array( 'amount' => '1.00' ) );
		wpestate_crm_update_deal( $deal, array( 'stage' => 'closed_won' ) );
		$this->assert_arrived( array( "deal:$deal" => array( 'deal.created' ) ) );
	}

	public function test_a_deal_that_is_opened_again_changes_its_stage(): void {
		$deal = wpestate_crm_insert_deal( array( 'title' => 'Quay 3', 'stage' => 'closed_lost' ) );
		wpestate_crm_update_deal_stage( $deal, 'negotiation' );
		$this->assert_arrived( array( "deal:$deal" => array( 'deal.created', 'deal.stage_changed' ) ) );
	}

	public function test_a_bulk_action_is_one_event_a_row(): void {
		$ids = array();
		$this->listen( 'posthorn_should_dispatch', static fn( bool $dispatch, string $event ): bool => 'contact.created' !== $event );
		for ( $n = 0; $n < 200; $n++ ) {
			$ids[] = wpestate_crm_insert_contact( array( 'first_name' => "Bulk $n" ) );
		}
		wpestate_crm_set_switches( array( 'transaction' => 'on' ) );
		self::assertSame( 200, wpestate_crm_bulk_update_contacts( $ids, array( 'status' => 'VIP' ) ) );
		$this->end_request();
		$this->receiver->wait_for( 200, 20 );
		$this->wait_until_sent();
		$sent = array_map( static fn( $request ) => json_decode( $request['body'], true )['data'], $this->receiver->requests() );
		self::assertCount( 200, $sent );
		self::assertEqualsCanonicalizing( $ids, array_column( $sent, 'contact_id' ) );
		self::assertSame( array( 'VIP' ), array_values( array_unique( array_column( $sent, 'status' ) ) ) );
	}

	public function test_the_database_object_is_left_as_the_crm_had_it(): void {
		global $wpdb;
		$before = null;
		$after  = null;
		$look   = static fn() => array( $wpdb->insert_id, $wpdb->rows_affected, $wpdb->num_rows, $wpdb->last_query, $wpdb->last_error, $wpdb->last_result );
		$this->listen( 'wpestate_crm_after_insert_contact', static function () use ( &$before, $look ) { $before = $look(); }, 19 );
		$this->listen( 'wpestate_crm_after_insert_contact', static function () use ( &$after, $look ) { $after = $look(); }, 21 );
		wpestate_crm_insert_contact( array( 'first_name' => 'Mary' ) );
		self::assertNotNull( $before );
		self::assertEquals( $before, $after );
	}

	/** @dataProvider argument_shapes */
	public function test_a_defect_of_ours_does_not_reach_the_crm( string $shape ): void {
		wpestate_crm_set_switches( array( 'arguments' => $shape ) );
		$heard = false;
		$this->listen( 'posthorn_event_data', static function () { throw new TypeError( 'a defect' ); } );
		$this->listen( 'wpestate_crm_after_insert_contact', static function () use ( &$heard ) { $heard = true; }, 30 );
		$contact = wpestate_crm_insert_contact( array( 'first_name' => 'Hedy' ) );
		self::assertIsInt( $contact );
		self::assertSame( 'Hedy', wpestate_crm_get_contact( $contact )['first_name'] );
		self::assertTrue( $heard, 'who listens after Posthorn is called' );
		self::assertSame( 'a defect', $this->problem() );
	}

	/** @dataProvider nonsense */
	public function test_an_action_with_nonsense_is_reported_and_harmless( array $arguments ): void {
		do_action_ref_array( 'wpestate_crm_after_insert_contact', $arguments );
		self::assertStringContainsString( 'wpestate_crm_after_insert_contact', $this->problem() );
		$this->wait_until_sent();
		self::assertSame( array(), $this->receiver->events() );
	}

	public static function nonsense(): array {
		return array(
			'null'           => array( array( null ) ),
			'text'           => array( array( 'contact' ) ),
			'zero'           => array( array( 0 ) ),
			'negative'       => array( array( -4 ) ),
			'an empty array' => array( array( array() ) ),
			'an object'      => array( array( new stdClass() ) ),
			'an error'       => array( array( new WP_Error( 'no' ) ) ),
		);
	}

	/**
	 * Waits until everything is sent and compares what arrived, per record.
	 *
	 * @param array<string,string[]> $expected Record => events in order.
	 */
	private function assert_arrived( array $expected ): void {
		$this->end_request();
		$this->receiver->wait_for( array_sum( array_map( 'count', $expected ) ) );
		$this->wait_until_sent();
		$records = array();
		foreach ( $this->deliveries() as $delivery ) {
			$records[ $delivery['event_id'] ] = $delivery['record'];
		}
		$arrived = array();
		foreach ( $this->receiver->requests() as $request ) {
			$arrived[ $records[ $request['id'] ] ][] = $request['event'];
		}
		ksort( $expected );
		ksort( $arrived );
		self::assertSame( $expected, $arrived );
	}
}
