<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Expectation;
use Posthorn\Tests\Oracle;
use Posthorn\Tests\Tables;
use Posthorn\Tests\WatchTestCase;

/** When a row's event is handed over, and what becomes of several writes to it before that. */
final class WatchHandOverTest extends WatchTestCase {

	public function test_a_row_is_handed_over_when_another_row_is_written(): void {
		list( $first, $second ) = self::rows( 'contact', 2 );
		self::set( 'contact', $first, array( 'city' => 'Cork' ) );
		self::set( 'contact', $second, array( 'city' => 'Cobh' ) );
		self::assertSame( array( "contact.updated contact:$first" ), $this->oracle->announced() );
		self::set( 'lead', self::rows( 'lead', 1 )[0], array( 'status' => 'Contacted' ) );
		self::assertSame( array( "contact.updated contact:$first", "contact.updated contact:$second" ), $this->oracle->announced() );
	}

	public function test_a_row_is_handed_over_when_its_action_arrives(): void {
		$contact = self::rows( 'contact', 1 )[0];
		self::set( 'contact', $contact, array( 'city' => 'Cork' ) );
		do_action( 'wpestate_crm_after_update_contact', $contact );
		self::assertSame( array( "contact.updated contact:$contact" ), $this->oracle->announced() );
		self::assertSame( array( 'city' ), array_values( $this->oracle->last()['changes'] ) );
		self::assertSame( array( 'city' => '' ), $this->oracle->last()['previous'] );
	}

	/** @dataProvider actions */
	public function test_every_known_and_conventional_action_hands_its_row_over( string $record, string $verb ): void {
		$key = self::rows( $record, 1 )[0];
		$old = Tables::row( $record, $key );
		global $wpdb;
		if ( 'delete' === $verb ) {
			$wpdb->delete( self::table( $record ), array( Tables::key( $record ) => $key ) );
		} elseif ( 'insert' === $verb ) {
			$wpdb->insert( self::table( $record ), array( 'contact_id' => 7 ) );
			$key = $wpdb->insert_id;
			$old = null;
		} else {
			self::set( $record, $key, self::change_of( $record ) );
		}
		do_action( "wpestate_crm_after_{$verb}_$record", $key );
		$expected = Expectation::of_row( $record, $key, $old, Tables::row( $record, $key ) );
		$this->oracle->assert_announced( "$verb $record", $expected );
		Oracle::hand_over();
		$this->oracle->assert_announced( "$verb $record, once", $expected );
	}

	public static function actions(): array {
		$sets = array();
		foreach ( array( 'lead', 'enquiry', 'deal', 'task' ) as $record ) {
			foreach ( array( 'insert', 'update', 'delete' ) as $verb ) {
				$sets[ "$verb $record" ] = array( $record, $verb );
			}
		}
		return $sets;
	}

	public function test_two_writes_before_the_hand_over_are_one_event(): void {
		$contact = self::rows( 'contact', 1, array( 'city' => 'Cork', 'phone' => '1' ) )[0];
		$this->oracle->step(
			'two updates',
			static function () use ( $contact ): void {
				self::set( 'contact', $contact, array( 'city' => 'Cobh' ) );
				self::set( 'contact', $contact, array( 'city' => 'Kinsale', 'phone' => '2' ) );
			}
		);
		$this->assert_arrived();
	}

	public function test_reading_does_not_part_two_writes(): void {
		global $wpdb;
		$contact = self::rows( 'contact', 1 )[0];
		self::set( 'contact', $contact, array( 'city' => 'Cobh' ) );
		self::assertSame( 'Cobh', wpestate_crm_get_contact( $contact )['city'] );
		$wpdb->get_results( 'SELECT * FROM ' . self::table( 'deal' ) );
		self::assertSame( array(), $this->oracle->announced() );
		self::set( 'contact', $contact, array( 'city' => 'Kinsale' ) );
		Oracle::hand_over();
		self::assertSame( array( "contact.updated contact:$contact" ), $this->oracle->announced() );
		self::assertSame( array( 'city' => '' ), $this->oracle->last()['previous'] );
	}

	public function test_inserted_then_updated_is_created_as_it_is_in_the_end(): void {
		$this->oracle->step(
			'insert and update',
			static function (): void {
				global $wpdb;
				$wpdb->insert( self::table( 'contact' ), array( 'first_name' => 'Ada' ) );
				self::set( 'contact', $wpdb->insert_id, array( 'city' => 'Cobh' ) );
			}
		);
		self::assertSame( 'Cobh', $this->oracle->last()['data']['city'] );
		$this->assert_arrived();
	}

	public function test_inserted_then_deleted_is_nothing(): void {
		$this->oracle->step(
			'insert and delete',
			static function (): void {
				global $wpdb;
				$wpdb->insert( self::table( 'contact' ), array( 'first_name' => 'Ada' ) );
				$wpdb->delete( self::table( 'contact' ), array( 'contact_id' => $wpdb->insert_id ) );
			}
		);
		self::assertSame( array(), $this->oracle->announced() );
	}

	public function test_updated_then_deleted_is_deleted(): void {
		global $wpdb;
		$contact = self::rows( 'contact', 1, array( 'city' => 'Cork' ) )[0];
		self::set( 'contact', $contact, array( 'city' => 'Cobh' ) );
		$wpdb->delete( self::table( 'contact' ), array( 'contact_id' => $contact ) );
		Oracle::hand_over();
		self::assertSame( array( "contact.deleted contact:$contact" ), $this->oracle->announced() );
	}

	public function test_deleted_then_inserted_again_is_updated(): void {
		$contact = self::rows( 'contact', 1, array( 'city' => 'Cork' ) )[0];
		$this->oracle->step(
			'delete and insert',
			static function () use ( $contact ): void {
				global $wpdb;
				$wpdb->delete( self::table( 'contact' ), array( 'contact_id' => $contact ) );
				$wpdb->insert( self::table( 'contact' ), array( 'contact_id' => $contact, 'first_name' => 'Ada' ) );
			}
		);
		self::assertSame( array( "contact.updated contact:$contact" ), $this->oracle->announced() );
	}

	public function test_there_and_back_is_nothing(): void {
		list( $contact ) = self::rows( 'contact', 1, array( 'city' => 'Cork' ) );
		list( $deal )    = self::rows( 'deal', 1 );
		$this->oracle->step(
			'a contact, there and back',
			static function () use ( $contact ): void {
				self::set( 'contact', $contact, array( 'city' => 'Cobh' ) );
				self::set( 'contact', $contact, array( 'city' => 'Cork' ) );
			}
		);
		$this->oracle->step(
			'a deal, won and opened again',
			static function () use ( $deal ): void {
				self::set( 'deal', $deal, array( 'stage' => 'closed_won', 'status' => 'won' ) );
				self::set( 'deal', $deal, array( 'stage' => 'new', 'status' => 'open' ) );
			}
		);
		self::assertSame( array(), $this->oracle->announced() );
	}

	public function test_a_deal_that_is_moved_twice_is_moved_once_from_its_first_stage(): void {
		$deal = self::rows( 'deal', 1 )[0];
		$this->oracle->step(
			'two stages',
			static function () use ( $deal ): void {
				self::set( 'deal', $deal, array( 'stage' => 'offer_made', 'deal_stage' => 'offer_made' ) );
				self::set( 'deal', $deal, array( 'stage' => 'closed_won', 'deal_stage' => 'closed_won', 'status' => 'won', 'deal_status' => 'won' ) );
			}
		);
		self::assertSame( array( "deal.stage_changed deal:$deal", "deal.won deal:$deal" ), $this->oracle->announced() );
		self::assertSame( 'new', $this->oracle->last()['previous']['stage'] );
		$this->assert_arrived();
	}

	public function test_writes_after_the_hand_over_are_an_event_of_their_own(): void {
		$contact = self::rows( 'contact', 1, array( 'city' => 'Cork' ) )[0];
		foreach ( array( 'Cobh', 'Kinsale' ) as $city ) {
			self::set( 'contact', $contact, array( 'city' => $city ) );
			do_action( 'wpestate_crm_after_update_contact', $contact );
		}
		self::assertSame( array( "contact.updated contact:$contact", "contact.updated contact:$contact" ), $this->oracle->announced() );
		self::assertSame( array( 'city' => 'Cobh' ), $this->oracle->last()['previous'] );
	}

	public function test_a_write_that_was_handed_over_is_not_announced_again_by_its_action(): void {
		$contact = self::rows( 'contact', 1 )[0];
		self::set( 'contact', $contact, array( 'city' => 'Cobh' ) );
		Oracle::hand_over();
		do_action( 'wpestate_crm_after_update_contact', $contact, array( 'city' => 'Cobh' ) );
		do_action( 'wpestate_crm_after_update_contact', $contact );
		Oracle::hand_over();
		self::assertSame( array( "contact.updated contact:$contact" ), $this->oracle->announced() );
	}

	public function test_a_write_that_changed_nothing_is_no_event_whatever_its_action_says(): void {
		$contact = self::rows( 'contact', 1, array( 'city' => 'Cork' ) )[0];
		self::set( 'contact', $contact, array( 'city' => 'Cork' ) );
		do_action( 'wpestate_crm_after_update_contact', $contact, array( 'city' => 'Cork' ), array( 'city' => 'Cobh' ) );
		Oracle::hand_over();
		self::assertSame( array(), $this->oracle->announced() );
	}

	/** @dataProvider row_names */
	public function test_an_action_about_a_row_that_was_not_written_here_is_an_event( callable $arguments ): void {
		$contact = self::rows( 'contact', 1, array( 'city' => 'Cork', 'zipcode' => '02139' ) )[0];
		do_action_ref_array( 'wpestate_crm_after_update_contact', $arguments( $contact ) );
		Oracle::hand_over();
		self::assertSame( array( "contact.updated contact:$contact" ), $this->oracle->announced() );
		self::assertSame( array( 'Cork', '02139' ), array( $this->oracle->last()['data']['city'], $this->oracle->last()['data']['zipcode'] ), 'the row is read, not believed' );
	}

	public static function row_names(): array {
		return array(
			'id'               => array( static fn( int $id ): array => array( $id ) ),
			'id as text'       => array( static fn( int $id ): array => array( (string) $id ) ),
			'row as object'    => array( static fn( int $id ): array => array( (object) array( 'contact_id' => (string) $id, 'city' => 'Nowhere' ) ) ),
			'row as array'     => array( static fn( int $id ): array => array( array( 'contact_id' => $id, 'city' => 'Nowhere' ) ) ),
			'id, data and old' => array( static fn( int $id ): array => array( $id, array( 'city' => 'Nowhere' ), (object) array( 'city' => 'Else' ) ) ),
		);
	}

	public function test_an_action_that_tells_what_is_not_so_is_no_event(): void {
		$contact = self::rows( 'contact', 1 )[0];
		do_action( 'wpestate_crm_after_delete_contact', $contact, array( 'contact_id' => $contact ) );
		do_action( 'wpestate_crm_after_delete_contact', 99999999 );
		do_action( 'wpestate_crm_after_insert_lead', 99999999 );
		self::set( 'contact', 99999998, array( 'city' => 'Cobh' ) );
		do_action( 'wpestate_crm_after_update_contact', $contact );
		Oracle::hand_over();
		self::assertSame( array(), $this->oracle->announced() );
	}

	public function test_an_action_may_name_its_row_after_the_data(): void {
		$contact = self::rows( 'contact', 1 )[0];
		self::set( 'contact', $contact, array( 'city' => 'Cork' ) );
		do_action( 'wpestate_crm_after_update_contact', array( 'city' => 'Cork' ), $contact );
		self::assertSame( array( "contact.updated contact:$contact" ), $this->oracle->announced() );
		self::assertSame( '', $this->problem() );
	}

	public function test_what_another_program_deleted_is_announced_with_what_the_action_has(): void {
		do_action( 'wpestate_crm_after_delete_lead', array( 'lead_id' => '977', 'message' => 'Gone', 'user_id' => '3' ) );
		self::assertSame( array( 'lead.deleted lead:977' ), $this->oracle->announced() );
		self::assertSame( array( 'lead_id' => 977, 'message' => 'Gone', 'user_id' => 3 ), array_intersect_key( $this->oracle->last()['data'], array_flip( array( 'lead_id', 'message', 'user_id' ) ) ) );
	}

	public function test_an_action_hands_over_its_own_row_with_the_work_of_those_who_heard_it_first(): void {
		$this->listen(
			'wpestate_crm_after_insert_contact',
			static function ( $contact ): void {
				self::set( 'contact', (int) $contact, array( 'lead_score' => 7 ) );
			},
			1
		);
		$done = array();
		$this->oracle->step(
			'a nested write to the same row',
			static function () use ( &$done ): void {
				global $wpdb;
				$wpdb->insert( self::table( 'contact' ), array( 'first_name' => 'Ada' ) );
				$done[] = $wpdb->insert_id;
				do_action( 'wpestate_crm_after_insert_contact', $wpdb->insert_id );
			}
		);
		self::assertSame( array( "contact.created contact:$done[0]" ), $this->oracle->announced() );
		self::assertSame( 7, $this->oracle->last()['data']['lead_score'] );
	}

	public function test_a_task_is_completed_when_the_action_says_so_and_no_column_does(): void {
		$task = self::rows( 'task', 1 )[0];
		self::set( 'task', $task, array( 'status' => 'erledigt' ) );
		do_action( 'wpestate_crm_after_complete_task', $task );
		Oracle::hand_over();
		self::assertSame( array( "task.completed task:$task" ), $this->oracle->announced() );
		self::assertSame( array( 'status' => 'pending' ), $this->oracle->last()['previous'] );
	}

	/** Updates a row through $wpdb. */
	private static function set( string $record, int $key, array $data ): void {
		global $wpdb;
		self::assertNotFalse( $wpdb->update( self::table( $record ), $data, array( Tables::key( $record ) => $key ) ) );
	}

	/** A change that is an event. */
	private static function change_of( string $record ): array {
		$changes = array(
			'deal' => array( 'stage' => 'closed_lost', 'deal_stage' => 'closed_lost', 'status' => 'lost', 'deal_status' => 'lost' ),
			'task' => array( 'status' => 'completed' ),
		);
		return $changes[ $record ] ?? array( 'contact_id' => 9 );
	}
}
