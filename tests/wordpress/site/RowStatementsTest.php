<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\Statements;
use Posthorn\Tests\Tables;
use Posthorn\Tests\WatchTestCase;

/** However a statement is written, its rows are its events. */
final class RowStatementsTest extends WatchTestCase {

	/** Placeholder => what stands there. */
	private array $names;

	protected function setUp(): void {
		parent::setUp();
		$this->names = array( '{db}' => DB_NAME, '{o}' => $GLOBALS['wpdb']->options );
		foreach ( array( 'contact', 'lead', 'enquiry', 'deal', 'task', 'activity' ) as $record ) {
			$this->names[ '{' . $record[0] . '}' ] = self::table( $record );
		}
		self::run_sql( "DROP TABLE IF EXISTS {$this->names['{c}']}_backup" );
		if ( Tables::on_mariadb() ) {
			self::run_sql( 'SET @oracle = 0' );
		}
		$free = self::rows( 'contact', 1 )[0];
		Tables::run( "DELETE FROM {$this->names['{c}']}" );
		$this->names['{free}'] = $free;
		for ( $n = 1; $n <= 5; $n++ ) {
			$this->names[ "{c$n}" ] = Tables::insert( 'contact', array( 'first_name' => "Contact $n", 'last_name' => 'Example', 'city' => 'Cork', 'lead_score' => $n, 'zipcode' => '02139', 'pref_min_beds' => 3 ) );
		}
		foreach ( array( 1, 1, 2 ) as $n ) {
			Tables::insert( 'lead', array( 'message' => 'A house', 'contact_id' => $this->names[ "{c$n}" ] ) );
		}
		self::rows( 'deal', 2 );
		self::rows( 'task', 2 );
		self::rows( 'activity', 1 );
	}

	protected function tearDown(): void {
		self::run_sql( "DROP TABLE IF EXISTS {$this->names['{c}']}_backup" );
		parent::tearDown();
	}

	/** @dataProvider statements */
	public function test_the_rows_of_a_statement_are_its_events( string $statement, int $on_mariadb, $on_sqlite ): void {
		$sql    = strtr( $statement, $this->names );
		$events = $this->oracle->step(
			$sql,
			static function () use ( $sql, $on_sqlite ): void {
				if ( str_starts_with( $sql, '!' ) ) {
					self::run_failing( substr( $sql, 1 ) );
				} elseif ( null === $on_sqlite && ! Tables::on_mariadb() ) {
					// It may fail there, or work with a later version of the drop-in.
					self::run_without_noise( $sql );
				} else {
					self::assertNotFalse( self::run_sql( $sql ), $sql );
				}
			}
		);
		if ( Tables::on_mariadb() || null !== $on_sqlite ) {
			self::assertCount( Tables::on_mariadb() ? $on_mariadb : $on_sqlite, $events, 'the database did what the test thinks it does' );
		}
		$this->assert_arrived();
	}

	public static function statements(): array {
		$all = array();
		foreach ( array( 'inserts', 'updates', 'deletes', 'others' ) as $kind ) {
			foreach ( Statements::$kind() as $name => $statement ) {
				if ( Tables::on_mariadb() || false !== $statement[2] ) {
					$all[ "$kind: $name" ] = $statement;
				}
			}
		}
		return $all;
	}

	/** Two of a kind in one request: what the first left must not be taken for the second's. */
	public function test_statements_one_after_another(): void {
		$all = array_filter( self::statements(), static fn( array $statement ): bool => is_int( $statement[2] ) && '!' !== $statement[0][0] );
		foreach ( $all as $name => list( $statement ) ) {
			if ( ! str_contains( $statement, '{free}' ) && ! str_contains( strtolower( $statement ), 'truncate' ) ) {
				// Stage and status must not contradict each other before.
				Tables::run( "UPDATE {$this->names['{d}']} SET stage = 'new', deal_stage = 'new', status = 'open', deal_status = 'open'" );
				$this->oracle->step( $name, fn() => self::run_without_noise( strtr( $statement, $this->names ) ) );
			}
		}
		$this->assert_arrived();
	}

	/** @dataProvider calls */
	public function test_the_helpers_of_the_database_object( callable $call ): void {
		global $wpdb;
		$table   = self::table( 'contact' );
		$contact = $this->names['{c2}'];
		self::assertNotSame( array(), $this->oracle->step( 'a helper', static fn() => $call( $wpdb, $table, $contact ) ) );
		$this->assert_arrived();
	}

	public static function calls(): array {
		return array(
			'insert'            => array( static fn( wpdb $db, string $table, int $id ) => $db->insert( $table, array( 'first_name' => 'Ada', 'birthday' => null, 'lead_score' => 3 ), array( '%s', '%s', '%d' ) ) ),
			'replace'           => array( static fn( wpdb $db, string $table, int $id ) => $db->replace( $table, array( 'contact_id' => $id, 'first_name' => 'Ada' ) ) ),
			'update'            => array( static fn( wpdb $db, string $table, int $id ) => $db->update( $table, array( 'city' => "100% O'Hara \\ {$id}" ), array( 'contact_id' => $id, 'birthday' => null ) ) ),
			'delete'            => array( static fn( wpdb $db, string $table, int $id ) => $db->delete( $table, array( 'city' => 'Cork', 'contact_id' => $id ) ) ),
			'get_results'       => array( static fn( wpdb $db, string $table, int $id ) => $db->get_results( "UPDATE $table SET city = 'Cobh' WHERE contact_id = $id" ) ),
			'get_var'           => array( static fn( wpdb $db, string $table, int $id ) => $db->get_var( "DELETE FROM $table WHERE contact_id = $id" ) ),
			'prepared with like' => array( static fn( wpdb $db, string $table, int $id ) => $db->query( $db->prepare( "UPDATE $table SET city = %s WHERE first_name LIKE %s", '100%', '%' . $db->esc_like( 't 2' ) . '%' ) ) ),
			'emoji'             => array( static fn( wpdb $db, string $table, int $id ) => $db->update( $table, array( 'city' => '🏠 „Zoë“' ), array( 'contact_id' => $id ) ) ),
		);
	}

	public function test_a_statement_that_another_plugin_rewrites_is_seen_as_it_runs(): void {
		$this->listen( 'query', static fn( string $sql ): string => str_replace( "'Bantry'", "'Cobh'", str_replace( 'INSERT INTO oracle', 'INSERT INTO ' . self::table( 'contact' ), $sql ) ), 20 );
		$events = $this->oracle->step( 'rewritten', static fn() => self::run_sql( "INSERT INTO oracle (first_name, city) VALUES ('Ada', 'Bantry')" ) );
		self::assertSame( 'Cobh', $events[0]['data']['city'] );
		$this->assert_arrived();
	}

	public function test_a_statement_that_another_plugin_prevents_is_no_event(): void {
		$this->listen( 'query', static fn( string $sql ): string => str_starts_with( $sql, 'UPDATE' ) ? '' : $sql, 20 );
		$this->oracle->step( 'prevented', fn() => self::run_sql( "UPDATE {$this->names['{c}']} SET city = 'Cobh'" ) );
		self::assertSame( array(), $this->oracle->announced() );
	}

	public function test_a_write_that_the_database_object_refuses_hides_none_before_it(): void {
		global $wpdb;
		$table = self::table( 'contact' );
		$wpdb->suppress_errors( true );
		foreach ( range( 1, 6 ) as $n ) {
			// One that does not fit its column is not even tried.
			$wpdb->insert( $table, array( 'email' => "m$n@example.com", 'first_name' => 0 === $n % 2 ? 'Ada' : str_repeat( 'y', 400 ) ) );
		}
		$wpdb->suppress_errors( false );
		$this->end_request();
		self::assertSame( (int) $wpdb->get_var( "SELECT COUNT(*) FROM $table WHERE email LIKE 'm_@example.com'" ), count( $this->oracle->announced() ) );
		self::assertGreaterThanOrEqual( 3, count( $this->oracle->announced() ) );
	}

	/** @group mariadb */
	public function test_a_row_that_an_insert_returns_is_created(): void {
		global $wpdb;
		$wpdb->query( 'INSERT INTO ' . self::table( 'contact' ) . " (first_name) VALUES ('Ada') RETURNING contact_id" );
		$id = (int) $wpdb->get_var( 'SELECT MAX(contact_id) FROM ' . self::table( 'contact' ) );
		$this->end_request();
		self::assertSame( array( "contact.created contact:$id" ), $this->oracle->announced() );
	}

	public function test_json_is_sent_as_it_is_kept(): void {
		self::run_sql( 'INSERT INTO ' . self::table( 'enquiry' ) . " (enquiry_meta) VALUES ('{\"empty\":{},\"none\":[],\"by\":{\"0\":1,\"1\":2}}')" );
		$this->end_request();
		$this->wait_until_sent();
		self::assertStringContainsString( '"enquiry_meta":{"empty":{},"none":[],"by":{"0":1,"1":2}}', $this->receiver->requests()[0]['body'] );
	}

	public function test_a_deal_moved_by_one_of_its_two_names_can_be_moved_back(): void {
		$deal  = self::rows( 'deal', 1, array( 'stage' => 'new', 'deal_stage' => 'new', 'status' => 'open', 'deal_status' => 'open' ) )[0];
		$table = self::table( 'deal' );
		foreach ( array( 'closed_won', 'new', 'closed_won' ) as $stage ) {
			self::run_sql( "UPDATE $table SET stage = '$stage' WHERE deal_id = $deal" );
			$this->end_request();
		}
		$moved = "deal.stage_changed deal:$deal";
		self::assertSame( array( $moved, "deal.won deal:$deal", $moved, $moved, "deal.won deal:$deal" ), $this->oracle->announced() );
	}

	public function test_a_task_is_not_done_by_half(): void {
		posthorn_crm_watch();
		self::assertFalse( posthorn_crm_is_done( array( 'percent_complete' => '50', 'completed_by' => '3', 'status' => 'open' ) ) );
		foreach ( array( array( 'is_completed' => '1' ), array( 'completed_at' => '2026-04-17 12:34:56' ), array( 'task_status' => 'Done' ) ) as $task ) {
			self::assertTrue( posthorn_crm_is_done( $task ) );
		}
		self::assertFalse( posthorn_crm_is_done( array( 'completed_at' => '0000-00-00 00:00:00', 'is_completed' => '0' ) ) );
	}

	public function test_a_column_that_is_new_in_this_request_is_in_the_data(): void {
		$table = self::table( 'lead' );
		$this->oracle->step( 'before', static fn() => self::run_sql( "UPDATE $table SET status = 'Contacted'" ) );
		self::assertNotFalse( self::run_sql( "ALTER TABLE $table ADD COLUMN oracle_extra varchar(20) NOT NULL DEFAULT 'none'" ) );
		try {
			$events = $this->oracle->step( 'after', static fn() => self::run_sql( "UPDATE $table SET oracle_extra = '007'" ) );
		} finally {
			self::run_sql( "ALTER TABLE $table DROP COLUMN oracle_extra" );
		}
		self::assertSame( '007', $events[0]['data']['oracle_extra'] );
	}

	/**
	 * @group mariadb
	 * @dataProvider decimals
	 */
	public function test_a_decimal_is_a_number_unless_a_double_cannot_hold_it( string $value, $expected ): void {
		$table = self::table( 'lead' );
		Tables::run( "ALTER TABLE $table ADD COLUMN oracle_decimal decimal(30,10) DEFAULT NULL" );
		try {
			$command = Command::wordpress( '$GLOBALS["wpdb"]->query( "INSERT INTO ' . $table . " (message, oracle_decimal) VALUES ('x', $value)\" );" );
			$this->wait_until_sent();
		} finally {
			Tables::run( "ALTER TABLE $table DROP COLUMN oracle_decimal" );
		}
		self::assertSame( 0, $command->status, $command->output . $command->errors );
		self::assertSame( $expected, $this->data_of( 'lead.created' )['oracle_decimal'] );
	}

	public static function decimals(): array {
		return array(
			'whole'              => array( '450000', 450000 ),
			'a fraction'         => array( '2.5', 2.5 ),
			'negative'           => array( '-0.0000000001', -1.0e-10 ),
			'too long'           => array( '12345678901234567.8901234567', '12345678901234567.8901234567' ),
			'too long by little' => array( '9007199254740993', '9007199254740993.0000000000' ),
			'null'               => array( 'NULL', null ),
		);
	}

	private static function run_without_noise( string $sql ): void {
		global $wpdb;
		$was = $wpdb->suppress_errors( true );
		$wpdb->query( $sql );
		$wpdb->suppress_errors( $was );
	}
}
