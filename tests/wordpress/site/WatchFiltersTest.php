<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Oracle;
use Posthorn\Tests\Tables;
use Posthorn\Tests\WatchTestCase;

/** What others do in our filters and in the CRM's actions, and that it cannot harm the CRM. */
final class WatchFiltersTest extends WatchTestCase {

	/** @dataProvider filters */
	public function test_a_row_written_from_within_a_filter_is_an_event_too( string $filter ): void {
		list( $first, $second ) = self::rows( 'contact', 2 );
		$this->listen(
			$filter,
			static function ( $value ) use ( $second ) {
				// Each event would write it again; from the second time on that changes nothing.
				self::set( $second, 'From a filter' );
				return $value;
			}
		);
		self::set( $first, 'Cobh' );
		Oracle::hand_over();
		Oracle::hand_over();
		Oracle::hand_over();
		self::assertSame( array( "contact.updated contact:$first", "contact.updated contact:$second" ), $this->oracle->announced() );
		self::assertSame( 'From a filter', Tables::row( 'contact', $second )['city'] );
		self::assertSame( '', $this->problem() );
	}

	/** @dataProvider filters */
	public function test_the_same_row_written_from_within_a_filter_ends( string $filter ): void {
		$contact = self::rows( 'contact', 1 )[0];
		$n       = 0;
		$this->listen(
			$filter,
			static function ( $value ) use ( $contact, &$n ) {
				if ( $n++ < 3 ) {
					self::set( $contact, "Round $n" );
				}
				return $value;
			}
		);
		self::set( $contact, 'Cobh' );
		for ( $i = 0; $i < 8; $i++ ) {
			Oracle::hand_over();
		}
		self::assertSame( array_fill( 0, 4, "contact.updated contact:$contact" ), $this->oracle->announced() );
		self::assertSame( 'Round 3', $this->oracle->last()['data']['city'] );
	}

	/** @dataProvider filters */
	public function test_an_exception_in_a_filter_costs_its_event_and_no_other( string $filter ): void {
		$ids = self::rows( 'contact', 4 );
		$this->listen(
			$filter,
			static function ( $value, $a, $b ) use ( $ids ) {
				$data = is_array( $value ) ? $value : $b;
				if ( $data['contact_id'] === $ids[1] ) {
					throw new LogicException( 'a defect in a filter' );
				}
				return $value;
			}
		);
		$result = self::run_sql( 'UPDATE ' . self::table( 'contact' ) . " SET city = 'Cobh' WHERE contact_id <= $ids[2]" );
		self::assertSame( 3, $result );
		self::assertSame( 1, self::set( $ids[3], 'Cobh' ) );
		Oracle::hand_over();
		self::assertSame( array( "contact.updated contact:$ids[0]", "contact.updated contact:$ids[2]", "contact.updated contact:$ids[3]" ), $this->oracle->announced() );
		self::assertSame( 'a defect in a filter', $this->problem() );
		self::assertSame( 'Cobh', Tables::row( 'contact', $ids[1] )['city'] );
	}

	public static function filters(): array {
		return array( 'event data' => array( 'posthorn_event_data' ), 'should dispatch' => array( 'posthorn_should_dispatch' ) );
	}

	public function test_what_a_filter_refuses_is_not_sent_and_not_asked_again(): void {
		$asked = 0;
		$this->listen(
			'posthorn_should_dispatch',
			static function () use ( &$asked ): bool {
				++$asked;
				return false;
			}
		);
		wpestate_crm_update_contact( self::rows( 'contact', 1 )[0], array( 'city' => 'Cobh' ) );
		Oracle::hand_over();
		self::assertSame( 1, $asked );
		$this->wait_until_sent();
		self::assertSame( array(), $this->receiver->events() );
	}

	public function test_a_filter_that_reads_sees_the_row_that_is_announced(): void {
		global $wpdb;
		$contact = self::rows( 'contact', 1 )[0];
		$read    = null;
		$this->listen(
			'posthorn_event_data',
			static function ( array $data ) use ( &$read ): array {
				$read = wpestate_crm_get_contact( $data['contact_id'] )['city'];
				return $data;
			}
		);
		self::set( $contact, 'Cobh' );
		do_action( 'wpestate_crm_after_update_contact', $contact );
		self::assertSame( 'Cobh', $read );
		self::assertSame( '', $wpdb->last_error );
	}

	public function test_writes_from_within_an_action_are_events_of_their_own(): void {
		list( $first, $second, $third ) = self::rows( 'contact', 3 );
		$this->listen(
			'wpestate_crm_after_update_contact',
			static function ( $id ) use ( $first, $second, $third ): void {
				$next = array( $first => $second, $second => $third )[ $id ] ?? null;
				if ( $next ) {
					wpestate_crm_update_contact( $next, array( 'city' => "After $id" ) );
				}
			},
			5
		);
		$this->oracle->step( 'a chain', static fn() => wpestate_crm_update_contact( $first, array( 'city' => 'Cobh' ) ) );
		self::assertCount( 3, $this->oracle->announced() );
		$this->assert_arrived();
	}

	public function test_nested_writes_to_one_row_are_in_their_order(): void {
		$this->listen(
			'wpestate_crm_after_insert_contact',
			static function ( $id ): void {
				wpestate_crm_insert_task( array( 'title' => 'Welcome', 'contact_id' => $id ) );
				wpestate_crm_update_contact( $id, array( 'lead_score' => 7 ) );
				wpestate_crm_delete_contact( $id );
			},
			5
		);
		$contact = wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		Oracle::hand_over();
		self::assertSame( array( "contact.created contact:$contact", "contact.updated contact:$contact", "contact.deleted contact:$contact" ), $this->oracle->announced() );
		$this->wait_until_sent();
		self::assertSame( array( 'contact.created', 'contact.updated', 'contact.deleted' ), $this->receiver->events() );
	}

	public function test_without_a_receiver_nothing_is_read(): void {
		global $wpdb;
		$this->save_no_endpoint();
		$queries = array();
		$this->listen(
			'query',
			static function ( string $sql ) use ( &$queries ): string {
				$queries[] = $sql;
				return $sql;
			},
			1
		);
		$before = $wpdb->num_queries;
		wpestate_crm_update_row( 'contacts', self::rows( 'contact', 1 )[0], array( 'city' => 'Cobh' ) );
		self::assertCount( 1, $queries );
		self::assertSame( 1, $wpdb->num_queries - $before );
		self::assertSame( array(), $this->oracle->announced() );
	}

	/** @return int|false */
	private static function set( int $id, string $city ) {
		global $wpdb;
		return $wpdb->update( self::table( 'contact' ), array( 'city' => $city ), array( 'contact_id' => $id ) );
	}
}
