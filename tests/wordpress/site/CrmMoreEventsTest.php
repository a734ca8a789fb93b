<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Tables;

/** What the CRM's rows tell beyond what the CRM's own webhooks know: tags, tasks that are late, tours, calls. */
final class CrmMoreEventsTest extends SiteTestCase {

	/** What passed posthorn_event_data: event, data, context. */
	private array $seen = array();

	protected function setUp(): void {
		parent::setUp();
		$this->end_request();
		$this->wait_until_sent();
		Tables::clear();
		delete_option( 'posthorn_overdue_seen' );
		// Code may subscribe to whatever the catalogue has.
		$this->save_endpoint( array( 'events' => array_values( array_diff( array_column( posthorn_client_events(), 'name' ), array( 'test' ) ) ) ) );
		$this->listen(
			'posthorn_event_data',
			function ( array $data, string $event, array $context ): array {
				$this->seen[] = array( $event, $data, $context );
				return $data;
			}
		);
	}

	protected function tearDown(): void {
		parent::tearDown();
		delete_option( 'posthorn_overdue_seen' );
		self::assertSame( '', $this->problem() );
	}

	/** Names of the events since the last call, oldest first. */
	private function events(): array {
		$this->end_request();
		$names      = array_column( $this->seen, 0 );
		$this->last = $this->seen;
		$this->seen = array();
		return $names;
	}

	private array $last = array();

	/** Data and context of an event of the last call of events(). */
	private function told( string $event ): array {
		foreach ( $this->last as list( $name, $data, $context ) ) {
			if ( $name === $event ) {
				return array( $data, $context );
			}
		}
		self::fail( "there was no $event" );
	}

	public function test_tags_and_agents_of_a_contact_are_told_with_what_was_before(): void {
		$contact = wpestate_crm_insert_contact( array( 'first_name' => 'Ada', 'tags' => 'sea, vip', 'assigned_agent_id' => 3 ) );
		self::assertSame( array( 'contact.created' ), $this->events() );

		wpestate_crm_update_contact( $contact, array( 'tags' => 'vip,sea,garden' ) );
		self::assertSame( array( 'contact.updated', 'contact.tagged' ), $this->events() );
		list( $data, $context ) = $this->told( 'contact.tagged' );
		self::assertSame( 'vip,sea,garden', $data['tags'] );
		self::assertSame( 'sea, vip', $context['previous']['tags'] );
		self::assertContains( 'tags', $context['changes'] );
		self::assertSame( "contact:$contact", $context['record'] );

		wpestate_crm_update_contact( $contact, array( 'tags' => 'vip,attic', 'assigned_agent_id' => 5 ) );
		self::assertSame( array( 'contact.updated', 'contact.tagged', 'contact.untagged', 'contact.assigned' ), $this->events() );
		self::assertSame( array( 3, 5 ), array( $this->told( 'contact.assigned' )[1]['previous']['assigned_agent_id'], $this->told( 'contact.assigned' )[0]['assigned_agent_id'] ) );

		wpestate_crm_update_contact( $contact, array( 'tags' => 'attic, vip', 'assigned_agent_id' => 0 ) );
		self::assertSame( array( 'contact.updated' ), $this->events(), 'another order is no other tags, and nobody is no agent' );
		Tables::run( 'UPDATE ' . Tables::name( 'contact' ) . " SET updated_at = '2026-01-01 00:00:00'" );
		wpestate_crm_update_contact( $contact, array( 'tags' => 'attic, vip' ) );
		self::assertSame( array(), $this->events(), 'a save that changes nothing but its own time' );
		$GLOBALS['wpdb']->query( 'UPDATE ' . Tables::name( 'contact' ) . " SET tags = 'attic, vip'" );
		self::assertSame( array(), $this->events(), 'a write of what is there' );
	}

	public function test_one_statement_for_many_contacts_tells_of_each(): void {
		wpestate_crm_set_switches( array( 'bulk' => 'statement', 'transaction' => 'on' ) );
		$ids = array();
		foreach ( array( 'vip', '', 'vip,sea' ) as $tags ) {
			$ids[] = Tables::insert( 'contact', array( 'first_name' => 'Bulk', 'tags' => $tags ) );
		}
		wpestate_crm_bulk_update_contacts( $ids, array( 'tags' => 'vip' ) );
		$names = array_count_values( $this->events() );
		self::assertSame( array( 'contact.tagged' => 1, 'contact.untagged' => 1 ), array_intersect_key( $names, array( 'contact.tagged' => 1, 'contact.untagged' => 1 ) ) );
	}

	public function test_a_deal_is_updated_won_and_deleted(): void {
		$deal = wpestate_crm_insert_deal( array( 'title' => 'Quay 3', 'amount' => '450000.00' ) );
		$this->events();
		wpestate_crm_update_deal( $deal, array( 'amount' => '455000.00' ) );
		self::assertSame( array( 'deal.updated' ), $this->events() );
		list( $data, $context ) = $this->told( 'deal.updated' );
		self::assertEquals( array( 455000.0, 450000.0 ), array( $data['amount'], $context['previous']['amount'] ) );
		wpestate_crm_update_deal_stage( $deal, 'closed_won' );
		self::assertSame( array( 'deal.updated', 'deal.stage_changed', 'deal.won' ), array_values( array_diff( $this->events(), array( 'form_submitted' ) ) ) );
		wpestate_crm_delete_deal( $deal );
		self::assertSame( array( 'deal.deleted' ), $this->events() );
		self::assertSame( 'Quay 3', $this->told( 'deal.deleted' )[0]['title'] );
	}

	public function test_a_lead_is_qualified_once_and_scored_where_it_has_a_score(): void {
		$lead = wpestate_crm_insert_lead( array( 'message' => 'A house' ) );
		self::assertSame( array( 'lead.created' ), $this->events() );
		wpestate_crm_update_lead( $lead, array( 'status' => 'Unqualified' ) );
		self::assertSame( array( 'lead.updated' ), $this->events() );
		wpestate_crm_update_lead( $lead, array( 'status' => 'Qualified' ) );
		self::assertSame( array( 'lead.updated', 'lead.qualified' ), $this->events() );
		wpestate_crm_update_lead( $lead, array( 'handler_agent_id' => 4 ) );
		self::assertSame( array( 'lead.updated' ), $this->events() );

		$table = Tables::name( 'lead' );
		$GLOBALS['wpdb']->query( "ALTER TABLE $table ADD COLUMN lead_score int(11) NOT NULL DEFAULT 0" );
		try {
			$this->events();
			$GLOBALS['wpdb']->query( "UPDATE $table SET lead_score = 82 WHERE lead_id = $lead" );
			self::assertSame( array( 'lead.updated', 'lead.scored' ), $this->events() );
			self::assertSame( 82, $this->told( 'lead.scored' )[0]['lead_score'] );
			self::assertSame( array( 'lead_score' => 0 ), $this->told( 'lead.scored' )[1]['previous'] );
		} finally {
			$GLOBALS['wpdb']->query( "ALTER TABLE $table DROP COLUMN lead_score" );
		}
	}

	public function test_a_task_of_a_deal_is_created_and_completed_under_the_names_that_its_subscriber_has(): void {
		$this->save_endpoint( array( 'events' => array( 'deal.task_created', 'deal.task_completed' ) ) );
		$of_none = wpestate_crm_insert_task( array( 'title' => 'Sweep' ) );
		$of_deal = wpestate_crm_insert_task( array( 'title' => 'Send the plan', 'deal_id' => 15 ) );
		wpestate_crm_complete_task( $of_deal );
		self::assertSame( array( 'task.created', 'task.created', 'task.completed' ), $this->events() );
		$this->wait_until_sent();
		$arrived = array_map( static fn( array $request ): array => json_decode( $request['body'], true )['data'], $this->receiver->requests() );
		self::assertSame( array( $of_deal, $of_deal ), array_column( $arrived, 'task_id' ), 'one without a deal is none of a deal' );
		self::assertNotSame( $of_none, $of_deal );
	}

	public function test_a_task_is_overdue_once_when_its_time_passes(): void {
		$at   = static fn( int $time ): string => wp_date( 'Y-m-d H:i:s', $time );
		$now  = strtotime( '2026-05-04 12:00:00' );
		$task = wpestate_crm_insert_task( array( 'title' => 'Call', 'due_date' => $at( $now + 100 ) ) );
		$done = wpestate_crm_insert_task( array( 'title' => 'Write', 'due_date' => $at( $now + 100 ), 'status' => 'completed' ) );
		wpestate_crm_insert_task( array( 'title' => 'Long past', 'due_date' => $at( $now - 1000 ) ) );
		$this->events();

		require_once WP_PLUGIN_DIR . '/posthorn/includes/crm/overdue.php';
		posthorn_crm_look_for_overdue( $now );
		self::assertSame( array(), $this->events(), 'the first look notes when it was' );
		posthorn_crm_look_for_overdue( $now + 99 );
		self::assertSame( array(), $this->events() );
		posthorn_crm_look_for_overdue( $now + 400 );
		self::assertSame( array( 'task.overdue' ), $this->events() );
		list( $data, $context ) = $this->told( 'task.overdue' );
		self::assertSame( $task, $data['task_id'] );
		self::assertSame( gmdate( 'Y-m-d\TH:i:s\Z', $now + 100 ), $context['occurred_at'] );
		posthorn_crm_look_for_overdue( $now + 800 );
		self::assertSame( array(), $this->events(), 'once' );

		wpestate_crm_update_task( $task, array( 'due_date' => $at( $now + 1000 ) ) );
		wpestate_crm_update_task( $done, array( 'priority' => 'high' ) );
		self::assertSame( array(), $this->events() );
		wpestate_crm_update_task( $task, array( 'due_date' => $at( $now + 200 ) ) );
		self::assertSame( array( 'task.overdue' ), $this->events(), 'moved to where was looked already' );
		posthorn_crm_look_for_overdue( $now + 1200 );
		self::assertSame( array(), $this->events() );
	}

	public function test_a_day_without_a_time_is_over_when_it_ends(): void {
		$day  = wp_date( 'Y-m-d', strtotime( '2026-05-04 12:00:00' ) );
		$ends = ( new DateTimeImmutable( "$day 00:00:00", wp_timezone() ) )->modify( '+1 day' )->getTimestamp();
		Tables::insert( 'task', array( 'title' => 'Call', 'due_date' => "$day 00:00:00" ) );
		require_once WP_PLUGIN_DIR . '/posthorn/includes/crm/overdue.php';
		posthorn_crm_look_for_overdue( $ends - 7200 );
		posthorn_crm_look_for_overdue( $ends - 1 );
		self::assertSame( array(), $this->events() );
		posthorn_crm_look_for_overdue( $ends );
		self::assertSame( array( 'task.overdue' ), $this->events() );
	}

	public function test_wp_cron_looks_for_tasks_that_are_overdue(): void {
		do_action( 'posthorn_cron' );
		self::assertEqualsWithDelta( time(), (int) get_option( 'posthorn_overdue_seen' ), 5 );
		$task = wpestate_crm_insert_task( array( 'title' => 'Call', 'due_date' => wp_date( 'Y-m-d H:i:s', time() - 600 ) ) );
		self::assertSame( array( 'task.created', 'task.overdue' ), $this->events(), 'late from the start' );
		update_option( 'posthorn_overdue_seen', time() - 900 );
		do_action( 'posthorn_cron' );
		self::assertSame( array( 'task.overdue' ), $this->events() );
		self::assertSame( $task, $this->told( 'task.overdue' )[0]['task_id'] );
	}

	public function test_a_tour_is_an_appointment(): void {
		$tour = array( 'enquiry_type' => 'Schedule Tour', 'enquiry_message' => 'Saturday?', 'property_id' => 412, 'contact_id' => 7 );
		$meta = static fn( string $date ): array => array( 'enquiry_meta' => array( 'tour_date' => $date, 'tour_time' => '10:00' ) );
		$id   = wpestate_crm_insert_enquiry( $tour + $meta( '2026-04-25' ) );
		self::assertSame( array( 'enquiry.created', 'appointment.scheduled' ), $this->events() );
		list( $data, $context ) = $this->told( 'appointment.scheduled' );
		$utc                    = static fn( string $local ): string => gmdate( 'Y-m-d\TH:i:s\Z', ( new DateTimeImmutable( $local, wp_timezone() ) )->getTimestamp() );
		self::assertSame( array( $id, 7, 412, 'Tour', $utc( '2026-04-25 10:00' ) ), array( $data['appointment_id'], $data['contact_id'], $data['property_id'], $data['type'], $data['starts_at'] ) );
		self::assertSame( "enquiry:$id", $context['record'] );

		wpestate_crm_update_enquiry( $id, $meta( '2026-04-26' ) );
		self::assertSame( array( 'appointment.rescheduled' ), $this->events() );
		self::assertSame( array( 'starts_at' => $utc( '2026-04-25 10:00' ) ), $this->told( 'appointment.rescheduled' )[1]['previous'] );
		self::assertSame( array( 'starts_at' ), $this->told( 'appointment.rescheduled' )[1]['changes'] );
		wpestate_crm_update_enquiry( $id, array( 'enquiry_status' => 'Canceled' ) );
		self::assertSame( array( 'appointment.cancelled' ), $this->events() );
		wpestate_crm_update_enquiry( $id, array( 'enquiry_status' => 'Completed' ) );
		self::assertSame( array( 'appointment.completed' ), $this->events() );
		wpestate_crm_insert_enquiry( array( 'enquiry_type' => 'Purchase' ) );
		self::assertSame( array( 'enquiry.created' ), $this->events() );
	}

	/** @dataProvider activities */
	public function test_what_the_crm_logs_is_a_message_a_call_or_an_automation( string $type, string $event, array $expected ): void {
		wpestate_crm_record_activity_v2(
			$type,
			array(
				'contact_id' => 7,
				'subject'    => 'Welcome',
				'message'    => 'See you on Saturday.',
				'meta'       => wp_json_encode( array( 'duration' => 184, 'direction' => 'inbound', 'to' => 'zoe@example.com', 'api_key' => 'hush', 'mail' => array( 'unsubscribe_token' => 'hush' ) ) ),
			)
		);
		self::assertSame( array( $event ), $this->events() );
		list( $data, $context ) = $this->told( $event );
		self::assertSame( $expected, array_merge( $expected, array_intersect_key( $data, $expected ) ) );
		self::assertSame( 'contact:7', $context['record'] );
		self::assertSame( $data['activity_id'], $data[ strtok( $event, '.' ) . '_id' ] );
		self::assertStringNotContainsString( 'hush', wp_json_encode( $data ) );
	}

	public function test_what_a_log_keeps_as_json_is_told_as_it_is_but_for_what_nobody_else_may_know(): void {
		$meta = array( 'enquiry_id' => 33, 'user_password' => 'hush', 'to' => 'zoe@example.com', 'more' => new stdClass(), 'fields' => (object) array( '0' => 'a', 'api_token' => 'hush' ) );
		foreach ( array( 'form_submission' => 'form_submitted', 'email_sent' => 'communication.email_sent' ) as $type => $event ) {
			wpestate_crm_record_activity_v2( $type, array( 'contact_id' => 7, 'meta' => $meta ) );
			self::assertSame( array( $event ), $this->events() );
			$data = $this->told( $event )[0];
			self::assertSame( '{"enquiry_id":33,"to":"zoe@example.com","more":{},"fields":{"0":"a"}}', wp_json_encode( $data['meta'] ), $event );
		}
		self::assertSame( 'zoe@example.com', $data['to'] );
	}

	public function test_a_tour_has_its_time_whatever_else_its_meta_has(): void {
		wpestate_crm_insert_enquiry( array( 'enquiry_type' => 'Schedule Tour', 'enquiry_meta' => array( 'tour_date' => '2026-04-25', 'tour_time' => '10:00', 'more' => new stdClass() ) ) );
		self::assertSame( array( 'enquiry.created', 'appointment.scheduled' ), $this->events() );
		$at = ( new DateTimeImmutable( '2026-04-25 10:00', wp_timezone() ) )->getTimestamp();
		self::assertSame( gmdate( 'Y-m-d\TH:i:s\Z', $at ), $this->told( 'appointment.scheduled' )[0]['starts_at'] );
	}

	public static function activities(): array {
		return array(
			'an e-mail'      => array( 'email_sent', 'communication.email_sent', array( 'subject' => 'Welcome', 'to' => 'zoe@example.com', 'agent_id' => 1 ) ),
			'listings'       => array( 'listing_email_sent', 'communication.email_sent', array( 'contact_id' => 7 ) ),
			'a call'         => array( 'call_logged', 'communication.call_ended', array( 'duration' => 184, 'direction' => 'inbound' ) ),
			'a text message' => array( 'sms_received', 'communication.sms_received', array( 'text' => 'See you on Saturday.' ) ),
			'an automation'  => array( 'automation_triggered', 'workflow.triggered', array( 'name' => 'Welcome' ) ),
			'an opened mail' => array( 'email_opened', 'email.opened', array( 'subject' => 'Welcome' ) ),
		);
	}

	public function test_activities_that_have_another_event_are_none(): void {
		foreach ( array( 'note', 'deal_won', 'task_created', 'viewed_listing', 'contact_assigned' ) as $type ) {
			wpestate_crm_record_activity_v2( $type, array( 'contact_id' => 7, 'message' => 'A private note' ) );
		}
		self::assertSame( array(), $this->events() );
	}

	public function test_a_subscriber_to_all_that_the_crm_offers_is_sent_nothing_more(): void {
		$this->save_endpoint();
		$contact = wpestate_crm_insert_contact( array( 'first_name' => 'Ada', 'tags' => 'vip' ) );
		wpestate_crm_update_contact( $contact, array( 'tags' => 'sea', 'assigned_agent_id' => 5 ) );
		wpestate_crm_insert_task( array( 'title' => 'Call' ) );
		wpestate_crm_record_activity_v2( 'call', array( 'contact_id' => $contact ) );
		self::assertSame( array( 'contact.created', 'contact.updated' ), $this->events() );
	}

	public function test_an_import_is_told_from_a_person(): void {
		$sources = array();
		$this->listen( 'pmxi_before_xml_import', '__return_null' );
		do_action( 'pmxi_before_xml_import' );
		wpestate_crm_insert_contact( array( 'first_name' => 'Imported' ) );
		$this->events();
		$sources[] = $this->told( 'contact.created' )[1]['source'];
		do_action( 'pmxi_after_xml_import' );
		wpestate_crm_insert_contact( array( 'first_name' => 'Typed' ) );
		$this->events();
		$sources[] = $this->told( 'contact.created' )[1]['source'];
		$_REQUEST['action'] = 'wpestate_crm_import_contacts';
		$this->listen( 'wp_ajax_wpestate_crm_import_contacts', static fn() => wpestate_crm_insert_contact( array( 'first_name' => 'Uploaded' ) ) );
		do_action( 'wp_ajax_wpestate_crm_import_contacts' );
		unset( $_REQUEST['action'] );
		$sources[] = $this->told_last();
		self::assertSame( array( 'import', 'person', 'import' ), $sources );
		self::assertSame( 1, $this->seen[0][2]['user']['id'] ?? null );
	}

	public function test_a_page_of_imports_and_an_uploaded_table_are_an_import(): void {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/context.php';
		$was     = array( $_GET, $_FILES, $_SERVER['REQUEST_METHOD'] ?? null );
		$sources = array();
		// A page of the administration.
		$GLOBALS['current_screen'] = new class() {
			public function in_admin(): bool {
				return true;
			}
		};
		try {
			$_SERVER['REQUEST_METHOD'] = 'POST';
			foreach ( array( array( 'crm-import', '' ), array( 'crm', 'people.CSV' ), array( 'crm', 'house.jpg' ), array( 'crm-important', '' ) ) as list( $page, $file ) ) {
				$_GET['page'] = $page;
				$_FILES       = '' === $file ? array() : array( 'one' => array( 'name' => array( 'a' => $file ) ) );
				$sources[]    = posthorn_source();
			}
			$_GET['page']              = 'crm-import';
			$_SERVER['REQUEST_METHOD'] = 'GET';
			$_FILES                    = array();
			$sources[]                 = posthorn_source();
		} finally {
			list( $_GET, $_FILES, $_SERVER['REQUEST_METHOD'] ) = $was;
			unset( $GLOBALS['current_screen'] );
		}
		self::assertSame( array( 'import', 'import', 'person', 'person', 'person' ), $sources );
	}

	/** The source of what was seen last, which was handed over at its action. */
	private function told_last(): string {
		return end( $this->seen )[2]['source'];
	}
}
