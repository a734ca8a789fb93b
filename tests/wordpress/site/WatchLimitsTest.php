<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Tables;
use Posthorn\Tests\WatchTestCase;

/** Tables with more rows than are compared as a whole. */
final class WatchLimitsTest extends WatchTestCase {

	private const ROWS = 32768;

	/** Events that were asked about; none of them is sent. */
	private int $events = 0;

	protected function setUp(): void {
		parent::setUp();
		$table = self::table( 'lead' );
		self::rows( 'lead', 1 );
		for ( $rows = 1; $rows < self::ROWS; $rows *= 2 ) {
			Tables::run( "INSERT INTO $table (message, status) SELECT message, status FROM $table" );
		}
		$this->listen(
			'posthorn_should_dispatch',
			function (): bool {
				++$this->events;
				return false;
			}
		);
	}

	protected function tearDown(): void {
		parent::tearDown();
		Tables::clear();
	}

	public function test_a_statement_that_does_not_say_its_rows_is_counted_and_shown(): void {
		global $wpdb;
		$table = self::table( 'lead' );
		self::assertGreaterThan( 0, $wpdb->query( "UPDATE $table SET status = 'Contacted' WHERE RAND() < 2 AND lead_id % 2 = 0" ) );
		$this->end_request();
		self::assertSame( 0, $this->events );
		self::assertStringContainsString( "one UPDATE made in $table", $this->problem() );
		self::assertStringContainsString( '20,000 rows', $this->problem() );
		self::assertSame( 1, posthorn_problems()['lost'] );
	}

	public function test_a_statement_that_says_its_rows_is_followed_however_many_they_are(): void {
		global $wpdb;
		self::assertSame( self::ROWS, $wpdb->query( 'UPDATE ' . self::table( 'lead' ) . " SET status = 'Contacted'" ) );
		$this->end_request();
		self::assertSame( self::ROWS, $this->events );
		self::assertSame( '', $this->problem() );
	}

	public function test_a_transaction_is_followed_however_many_rows_it_writes(): void {
		global $wpdb;
		$wpdb->query( 'START TRANSACTION' );
		$wpdb->query( 'DELETE FROM ' . self::table( 'lead' ) );
		self::assertSame( 0, $this->events );
		$wpdb->query( 'COMMIT' );
		$this->end_request();
		self::assertSame( self::ROWS, $this->events );
		self::assertSame( '', $this->problem() );
	}
}
