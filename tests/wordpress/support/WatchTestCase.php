<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

/**
 * A test of what Posthorn sees of the CRM's tables: with an endpoint for everything, empty tables, and the oracle.
 */
abstract class WatchTestCase extends SiteTestCase {

	protected Oracle $oracle;

	protected function setUp(): void {
		parent::setUp();
		// What the last test left is handed over and sent before anybody listens; its keys may come again.
		$this->end_request();
		$this->wait_until_sent();
		Receiver::reset();
		Tables::clear();
		$this->save_endpoint();
		$this->oracle = new Oracle();
		$this->listen( 'posthorn_event_data', array( $this->oracle, 'hear' ), PHP_INT_MAX );
	}

	protected function tearDown(): void {
		global $wpdb;
		// A test that failed in the middle may have left these.
		$wpdb->suppress_errors( true );
		$wpdb->query( 'ROLLBACK' );
		$wpdb->suppress_errors( false );
		parent::tearDown();
	}

	/** Waits until everything is sent, and compares what arrived with what all steps had to give. */
	protected function assert_arrived( string $name = 'at the receiver' ): void {
		self::assertSame( '', $this->problem() );
		$this->wait_until_sent();
		$this->oracle->arrived( $this->receiver, $name );
	}

	/**
	 * Rows that were there before: written by another program.
	 *
	 * @return int[] Their keys.
	 */
	protected static function rows( string $record, int $count, array $columns = array() ): array {
		$names = array( 'contact' => 'first_name', 'lead' => 'message', 'enquiry' => 'enquiry_message', 'deal' => 'title', 'task' => 'title', 'activity' => 'subject' );
		$keys  = array();
		for ( $n = 1; $n <= $count; $n++ ) {
			$keys[] = Tables::insert( $record, $columns + array( $names[ $record ] => ucfirst( $record ) . " $n" ) );
		}
		return $keys;
	}

	/** A table's name in a statement. */
	protected static function table( string $record ): string {
		return Tables::name( $record );
	}

	/**
	 * Runs a statement through $wpdb.
	 *
	 * @return int|bool What $wpdb->query() returned.
	 */
	protected static function run_sql( string $sql ) {
		global $wpdb;
		return $wpdb->query( $sql );
	}

	/** Runs a statement that is expected to fail, without noise in the log. */
	protected static function run_failing( string $sql ): void {
		global $wpdb;
		$was    = $wpdb->suppress_errors( true );
		$result = $wpdb->query( $sql );
		$wpdb->suppress_errors( $was );
		self::assertFalse( $result, "this should have failed: $sql" );
	}
}
