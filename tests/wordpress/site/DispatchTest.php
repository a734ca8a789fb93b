<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;

/** posthorn_dispatch(), its filters, and what it does with what cannot be sent. */
final class DispatchTest extends SiteTestCase {

	public function test_an_event_arrives_once_signed_and_under_the_id_that_was_returned(): void {
		$this->save_endpoint();
		$id = posthorn_dispatch( 'deal.won', array( 'deal_id' => 7, 'title' => 'Quay 3' ), array( 'record' => 'deal:7' ) );
		$this->receiver->wait_for( 1 );
		$this->wait_until_sent();
		$requests = $this->receiver->requests();
		self::assertCount( 1, $requests );
		self::assertSame( $id, $requests[0]['id'] );
		self::assertSame( 'ok', $requests[0]['signature']['state'] );
		self::assertTrue( $requests[0]['stable'] );
		$body = json_decode( $requests[0]['body'], true );
		self::assertSame( array( 'event', 'timestamp', 'data', 'site_url' ), array_keys( $body ) );
		self::assertSame( array( 'deal_id' => 7, 'title' => 'Quay 3' ), $body['data'] );
		self::assertSame( site_url(), $body['site_url'] );
	}

	public function test_events_of_one_record_arrive_in_order(): void {
		$this->save_endpoint();
		for ( $n = 0; $n < 50; $n++ ) {
			posthorn_dispatch( 'contact.updated', array( 'n' => $n ), array( 'record' => 'contact:1' ) );
		}
		$bodies = array_column( $this->receiver->wait_for( 50 ), 'body' );
		self::assertSame( range( 0, 49 ), array_map( static fn( $body ) => json_decode( $body, true )['data']['n'], $bodies ) );
	}

	public function test_an_unsubscribed_event_is_accepted_and_sent_to_nobody(): void {
		$this->save_endpoint( array( 'events' => array( 'deal.*' ) ) );
		self::assertNotNull( posthorn_dispatch( 'contact.created', array( 'contact_id' => 1 ) ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->receiver->wait_for( 1 );
		$this->wait_until_sent();
		self::assertSame( array( 'deal.won' ), $this->receiver->events() );
	}

	public function test_an_unknown_event_gives_null_and_a_notice_that_names_it(): void {
		$this->save_endpoint();
		self::assertNull( posthorn_dispatch( 'deal.wonn', array( 'deal_id' => 1 ) ) );
		self::assertStringContainsString( 'deal.wonn', $this->problem() );
		posthorn_store_problems();
		ob_start();
		do_action( 'admin_notices' );
		$notices = ob_get_clean();
		self::assertStringContainsString( 'deal.wonn', $notices );
		self::assertStringContainsString( '1 CRM event could not be accepted', $notices );
	}

	public function test_without_a_receiver_nothing_happens(): void {
		$this->save_no_endpoint();
		self::assertNull( posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) ) );
		self::assertSame( '', $this->problem() );
	}

	public function test_a_receiver_that_is_switched_off_gets_nothing(): void {
		$this->save_endpoint( array( 'enabled' => false ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until_sent();
		self::assertSame( array(), $this->receiver->events() );
	}

	public function test_the_filter_posthorn_event_data_changes_what_is_sent(): void {
		$this->save_endpoint();
		$this->listen(
			'posthorn_event_data',
			static function ( array $data, string $event, array $context ): array {
				return array( 'seen' => $event, 'record' => $context['record'] ) + $data;
			}
		);
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 9 ), array( 'record' => 'deal:9' ) );
		$this->receiver->wait_for( 1 );
		self::assertSame( array( 'seen' => 'deal.won', 'record' => 'deal:9', 'deal_id' => 9 ), $this->data_of( 'deal.won' ) );
	}

	public function test_the_filter_posthorn_should_dispatch_keeps_an_event_back(): void {
		$this->save_endpoint();
		$this->listen( 'posthorn_should_dispatch', static fn( bool $dispatch, string $event ): bool => 'deal.lost' !== $event );
		self::assertNull( posthorn_dispatch( 'deal.lost', array( 'deal_id' => 1 ) ) );
		self::assertNotNull( posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) ) );
		$this->receiver->wait_for( 1 );
		$this->wait_until_sent();
		self::assertSame( array( 'deal.won' ), $this->receiver->events() );
		self::assertSame( '', $this->problem() );
	}

	public function test_the_filter_posthorn_endpoints_adds_a_receiver_when_an_administrator_opens_a_page(): void {
		$this->save_endpoint();
		$second = new Posthorn\Tests\Receiver( 'second' );
		$this->listen(
			'posthorn_endpoints',
			static function ( array $endpoints ) use ( $second ): array {
				$endpoints[] = array( 'id' => 'second', 'url' => $second->url(), 'allow_private' => true );
				return $endpoints;
			}
		);
		posthorn_check_in();
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		self::assertSame( 'missing', $second->wait_for( 1 )[0]['signature']['state'], 'it has no secret' );
		self::assertSame( 'ok', $this->receiver->wait_for( 1 )[0]['signature']['state'] );
	}

	/** @dataProvider broken_filters */
	public function test_a_filter_that_fails_gives_null_and_throws_nothing( string $hook ): void {
		$this->save_endpoint();
		$this->listen(
			$hook,
			static function () {
				throw new Error( 'a defect in a filter' );
			}
		);
		self::assertNull( posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) ) );
		self::assertStringContainsString( 'a defect in a filter', $this->problem() );
	}

	public static function broken_filters(): array {
		return array(
			'posthorn_event_data'      => array( 'posthorn_event_data' ),
			'posthorn_should_dispatch' => array( 'posthorn_should_dispatch' ),
		);
	}

	public function test_many_events_arrive_in_order_under_the_ids_that_were_returned(): void {
		$this->save_endpoint();
		$events = array();
		for ( $n = 0; $n < 250; $n++ ) {
			$events[ "key $n" ] = array( 'contact.updated', array( 'n' => $n ), array( 'record' => 'contact:1' ) );
		}
		$ids      = posthorn_dispatch_many( $events );
		$requests = $this->receiver->wait_for( 250 );
		self::assertSame( $ids, array_column( $requests, 'id' ) );
		self::assertSame( range( 0, 249 ), array_map( static fn( $body ) => json_decode( $body, true )['data']['n'], array_column( $requests, 'body' ) ) );
	}

	public function test_of_many_events_one_that_is_refused_takes_none_of_the_others_with_it(): void {
		$this->save_endpoint();
		$ids = posthorn_dispatch_many(
			array(
				array( 'deal.won', array( 'deal_id' => 1 ), array( 'record' => 'deal:1' ) ),
				array( 'deal.wonn', array( 'deal_id' => 2 ) ),
				array( 'deal.won' ),
				'deal.won',
				array( 'deal.lost', array( 'deal_id' => 3 ), array( 'source' => 'nobody' ) ),
				array( 'deal.lost', array( 'deal_id' => 4 ) ),
			)
		);
		$this->receiver->wait_for( 2 );
		$this->wait_until_sent();
		self::assertSame( array( true, false, false, false, false, true ), array_map( 'is_string', $ids ) );
		self::assertEqualsCanonicalizing( array( $ids[0], $ids[5] ), array_column( $this->receiver->requests(), 'id' ) );
		self::assertSame( 4, posthorn_problems()['lost'] );
		self::assertStringContainsString( 'deal.wonn', implode( ' ', posthorn_problems()['messages'] ) );
	}

	public function test_of_many_events_each_passes_the_filters_and_a_filter_that_fails_costs_its_own(): void {
		$this->save_endpoint();
		$this->listen( 'posthorn_should_dispatch', static fn( bool $dispatch, string $event ): bool => 'deal.lost' !== $event );
		$this->listen(
			'posthorn_event_data',
			static function ( array $data, string $event, array $context ): array {
				if ( 'deal:2' === $context['record'] ) {
					throw new Error( 'a defect in a filter' );
				}
				return array( 'site' => $context['site_url'] ) + $data;
			}
		);
		$ids = posthorn_dispatch_many(
			array(
				array( 'deal.lost', array( 'deal_id' => 1 ), array( 'record' => 'deal:1' ) ),
				array( 'deal.won', array( 'deal_id' => 2 ), array( 'record' => 'deal:2' ) ),
				array( 'deal.won', array( 'deal_id' => 3 ), array( 'record' => 'deal:3' ) ),
			)
		);
		$this->receiver->wait_for( 1 );
		$this->wait_until_sent();
		self::assertSame( array( false, false, true ), array_map( 'is_string', $ids ) );
		self::assertSame( array( 'site' => site_url(), 'deal_id' => 3 ), $this->data_of( 'deal.won' ) );
		self::assertSame( 1, posthorn_problems()['lost'] );
	}

	public function test_many_events_without_a_receiver_are_nothing(): void {
		$this->save_no_endpoint();
		self::assertSame( array( null, null ), posthorn_dispatch_many( array_fill( 0, 2, array( 'deal.won', array( 'deal_id' => 1 ) ) ) ) );
		self::assertSame( array(), posthorn_dispatch_many( array() ) );
		self::assertSame( '', $this->problem() );
	}

	public function test_many_events_that_the_queue_cannot_take_are_counted_as_lost(): void {
		$this->save_endpoint();
		$command = Command::wordpress(
			'var_dump( array_filter( posthorn_dispatch_many( array_fill( 0, 150, array( "deal.won", array( "deal_id" => 1 ) ) ) ) ) );
			echo posthorn_problems()["lost"];',
			array( 'posthorn.data_dir=/proc/no-such-directory' )
		);
		self::assertStringEndsWith( "}\n150", $command->output, $command->errors );
	}

	public function test_data_that_contains_itself_is_refused_and_nothing_is_queued(): void {
		$this->save_endpoint();
		$this->wait_until_sent();
		$before         = count( $this->deliveries() );
		$data           = array( 'deal_id' => 1 );
		$data['itself'] = &$data;
		self::assertNull( posthorn_dispatch( 'deal.won', $data ) );
		self::assertNotSame( '', $this->problem() );
		self::assertCount( $before, $this->deliveries() );
	}

	public function test_text_that_is_not_utf8_is_replaced_and_sent(): void {
		$this->save_endpoint();
		posthorn_dispatch( 'deal.won', array( 'title' => "Caf\xE9" ) );
		$this->receiver->wait_for( 1 );
		self::assertSame( array( 'title' => "Caf\u{FFFD}" ), $this->data_of( 'deal.won' ) );
	}

	public function test_a_queue_that_cannot_be_used_costs_the_event_and_nothing_else(): void {
		$this->save_endpoint();
		$command = Command::wordpress(
			'var_dump( posthorn_dispatch( "deal.won", array( "deal_id" => 1 ) ) );
			$contact = wpestate_crm_insert_contact( array( "first_name" => "Ada" ) );
			var_dump( is_int( $contact ) && null !== wpestate_crm_get_contact( $contact ) );
			posthorn_store_problems();
			echo posthorn_stored_problem()["lost"], " ", posthorn_stored_problem()["message"];',
			array( 'posthorn.data_dir=/proc/no-such-directory' )
		);
		self::assertStringStartsWith( "NULL\nbool(true)\n2 ", $command->output, $command->errors );
		self::assertStringContainsString( '/proc/no-such-directory', $command->output );
		self::assertSame( 0, $command->status );
	}
}
