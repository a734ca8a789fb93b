<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\Expectation;
use Posthorn\Tests\Oracle;
use Posthorn\Tests\Tables;
use Posthorn\Tests\WatchTestCase;

/** Others write the same tables at the same moment: a request announces the rows that it wrote itself. */
final class RowConcurrencyTest extends WatchTestCase {

	/**
	 * @group mariadb
	 * @dataProvider inserts
	 */
	public function test_rows_that_another_connection_inserts_meanwhile_are_not_announced( string $statement, int $own, bool $before, bool $after ): void {
		$table = self::table( 'contact' );
		self::rows( 'contact', 3, array( 'last_name' => 'Source' ) );
		$sql     = str_replace( '{c}', $table, $statement );
		$foreign = static fn() => self::rows( 'contact', 2, array( 'last_name' => 'Foreign' ) );
		$done    = ! $before;
		// Added after Posthorn's own: between what it reads before the statement and the statement.
		$this->listen(
			'query',
			static function ( string $query ) use ( $sql, $foreign, &$done ): string {
				if ( $query === $sql && ! $done ) {
					$done = true;
					$foreign();
				}
				return $query;
			},
			PHP_INT_MAX
		);
		self::assertNotFalse( self::run_sql( $sql ) );
		if ( $after ) {
			$foreign();
		}
		Oracle::hand_over();
		$expected = array();
		foreach ( Tables::dump()['contact'] as $key => $row ) {
			array_push( $expected, ...( 'Own' === $row['last_name'] ? Expectation::of_row( 'contact', $key, null, $row ) : array() ) );
		}
		self::assertCount( $own, $expected, 'the database did what the test thinks it does' );
		$titles = array_map( static fn( array $event ): string => "{$event['event']} {$event['record']}", $expected );
		self::assertSame( $titles, $this->oracle->announced() );
		$this->oracle->expect( ...$expected );
		$this->assert_arrived();
	}

	public static function inserts(): array {
		$statements = array(
			'one row'               => array( "INSERT INTO {c} (last_name) VALUES ('Own')", 1 ),
			'three rows'            => array( "INSERT INTO {c} (last_name, city) VALUES ('Own', 'a'), ('Own', 'b'), ('Own', 'c')", 3 ),
			'a select'              => array( "INSERT INTO {c} (last_name, city) SELECT 'Own', first_name FROM {c} WHERE last_name = 'Source'", 3 ),
			'replace'               => array( "REPLACE INTO {c} (last_name) VALUES ('Own'), ('Own')", 2 ),
			'or update'             => array( "INSERT INTO {c} (last_name) VALUES ('Own'), ('Own') ON DUPLICATE KEY UPDATE city = 'x'", 2 ),
			'a set'                 => array( "INSERT INTO {c} SET last_name = 'Own'", 1 ),
		);
		$sets       = array();
		foreach ( $statements as $name => list( $statement, $own ) ) {
			$sets[ "$name, others before" ] = array( $statement, $own, true, false );
			$sets[ "$name, others after" ]  = array( $statement, $own, false, true );
			$sets[ "$name, both" ]          = array( $statement, $own, true, true );
		}
		return $sets;
	}

	public function test_rows_that_another_program_writes_are_not_announced(): void {
		list( $own, $foreign ) = self::rows( 'contact', 2 );
		$this->listen(
			'query',
			static function ( string $sql ) use ( $foreign ): string {
				if ( str_contains( $sql, 'Cobh' ) ) {
					Tables::run( 'UPDATE ' . self::table( 'contact' ) . " SET city = 'Elsewhere' WHERE contact_id = $foreign" );
				}
				return $sql;
			},
			PHP_INT_MAX
		);
		self::run_sql( 'UPDATE ' . self::table( 'contact' ) . " SET city = 'Cobh' WHERE contact_id = $own" );
		Oracle::hand_over();
		self::assertSame( array( "contact.updated contact:$own" ), $this->oracle->announced() );
	}

	public function test_processes_that_insert_at_once_announce_each_row_once(): void {
		$code = 'global $wpdb; $t = wpestate_crm_table( "contacts" );
			for ( $n = 0; $n < 40; $n++ ) {
				$wpdb->query( "INSERT INTO $t (first_name, last_name) VALUES (\'a\', \'$n\'), (\'b\', \'$n\'), (\'c\', \'$n\')" );
				$wpdb->insert( $t, array( "first_name" => "single", "last_name" => $n ) );
				wpestate_crm_insert_contact( array( "first_name" => "announced", "last_name" => (string) $n ) );
			}';
		$this->oracle->step_elsewhere(
			static function () use ( $code ): void {
				$commands = array_map( static fn() => Command::start_wp( 'eval', $code ), range( 1, 3 ) );
				foreach ( $commands as $command ) {
					self::assertSame( 0, $command->finish()->status, $command->errors );
				}
			}
		);
		$this->wait_until_sent();
		$this->oracle->arrived( $this->receiver );
		self::assertCount( 3 * 40 * 5, $this->receiver->events() );
	}

	/** @group mariadb */
	public function test_a_loaded_file_is_announced(): void {
		$file = getenv( 'POSTHORN_BED' ) . '/run/contacts.csv';
		file_put_contents( $file, "Ada,02139\nGrace,00501\nIda,\n" );
		$this->oracle->step_elsewhere(
			static function () use ( $file ): void {
				// PHP allows it only where it is switched on for the whole process.
				$command = Command::wordpress(
					'global $wpdb; var_dump( $wpdb->query( "LOAD DATA LOCAL INFILE \'' . $file . '\' INTO TABLE " . wpestate_crm_table( "contacts" ) . " FIELDS TERMINATED BY \',\' (first_name, zipcode)" ) );',
					array( 'mysqli.allow_local_infile=1' )
				);
				self::assertSame( 0, $command->status, $command->errors );
			}
		);
		unlink( $file );
		$this->wait_until_sent();
		self::assertCount( 3, Tables::dump()['contact'], 'the file was loaded' );
		$this->oracle->arrived( $this->receiver );
	}

	/** @dataProvider bulks */
	public function test_a_bulk_action_of_thousands_is_one_event_a_row( string $bulk, int $rows ): void {
		wpestate_crm_set_switches( array( 'bulk' => $bulk ) );
		foreach ( array_chunk( range( 1, $rows ), 500 ) as $chunk ) {
			Tables::run( 'INSERT INTO ' . self::table( 'contact' ) . ' (first_name) VALUES (' . implode( '), (', $chunk ) . ')' );
		}
		$ids = array_keys( Tables::dump()['contact'] );
		self::assertCount( $rows, $ids );
		$events = $this->oracle->step( "$bulk of $rows", static fn() => wpestate_crm_bulk_update_contacts( $ids, array( 'status' => 'VIP' ) ) );
		self::assertCount( $rows, $events );
		$this->assert_arrived();
	}

	public static function bulks(): array {
		return array(
			'one statement' => array( 'statement', 5000 ),
			'row by row'    => array( 'loop', 500 ),
		);
	}

	/** @group product */
	public function test_a_bulk_action_of_five_thousand_row_by_row(): void {
		$this->test_a_bulk_action_of_thousands_is_one_event_a_row( 'loop', 5000 );
	}
}
