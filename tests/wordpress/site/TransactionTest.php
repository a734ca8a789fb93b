<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Oracle;
use Posthorn\Tests\Tables;
use Posthorn\Tests\WatchTestCase;

/** Inside a transaction nothing is announced; COMMIT announces what it makes true, ROLLBACK makes it not have been. */
final class TransactionTest extends WatchTestCase {

	public function test_a_task_that_came_was_completed_and_went_takes_no_other_event_with_it(): void {
		global $wpdb;
		$contact = self::rows( 'contact', 1 )[0];
		$table   = self::table( 'task' );
		$wpdb->query( 'START TRANSACTION' );
		$wpdb->update( self::table( 'contact' ), array( 'city' => 'Cobh' ), array( 'contact_id' => $contact ) );
		$wpdb->insert( $table, array( 'title' => 'Call' ) );
		$task = $wpdb->insert_id;
		do_action( 'wpestate_crm_after_complete_task', $task );
		$wpdb->query( "DELETE FROM $table WHERE task_id = $task" );
		$wpdb->query( 'COMMIT' );
		$this->end_request();
		self::assertSame( array( "contact.updated contact:$contact" ), $this->oracle->announced() );
		self::assertSame( '', $this->problem() );
	}

	/** @group mariadb */
	public function test_a_deletion_stands_though_the_row_came_back_and_went_with_a_savepoint(): void {
		$contact = self::rows( 'contact', 1 )[0];
		$table   = self::table( 'contact' );
		global $wpdb;
		foreach ( array( 'START TRANSACTION', "DELETE FROM $table WHERE contact_id = $contact", 'SAVEPOINT s', "INSERT INTO $table (contact_id) VALUES ($contact)", 'ROLLBACK TO s', 'COMMIT' ) as $sql ) {
			$wpdb->query( $sql );
		}
		$this->end_request();
		self::assertSame( array( "contact.deleted contact:$contact" ), $this->oracle->announced() );
	}

	/** @var int[] */
	private array $contacts;

	protected function setUp(): void {
		parent::setUp();
		$this->contacts = self::rows( 'contact', 4, array( 'city' => 'Cork' ) );
	}

	public function test_nothing_is_announced_before_the_commit(): void {
		$announced = null;
		$this->oracle->step(
			'a transaction',
			function () use ( &$announced ): void {
				self::run_sql( 'START TRANSACTION' );
				$this->set( 0, 'Cobh' );
				do_action( 'wpestate_crm_after_update_contact', $this->contacts[0] );
				$this->set( 1, 'Cobh' );
				$new = wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
				wpestate_crm_update_contact( $new, array( 'city' => 'Kinsale' ) );
				wpestate_crm_delete_contact( $this->contacts[2] );
				$announced = $this->oracle->announced();
				self::run_sql( 'COMMIT' );
			}
		);
		self::assertSame( array(), $announced );
		self::assertCount( 4, $this->oracle->announced() );
		$this->assert_arrived();
	}

	public function test_a_commit_hands_over_at_once(): void {
		self::run_sql( 'START TRANSACTION' );
		$this->set( 0, 'Cobh' );
		self::run_sql( 'COMMIT' );
		// COMMIT is known to have worked when the next statement comes, whichever.
		wpestate_crm_get_contact( 1 );
		self::assertSame( array( "contact.updated contact:{$this->contacts[0]}" ), $this->oracle->announced() );
	}

	/**
	 * The work is what lies between: a number updates that contact, `insert`, `delete`, or a statement.
	 *
	 * @dataProvider transactions
	 */
	public function test_what_was_committed_is_announced_and_nothing_else( array $work, int $events ): void {
		$this->transact( $work, $events );
	}

	public static function transactions(): array {
		return array(
			'committed'                               => array( array( 'START TRANSACTION', 0, 1, 'insert', 'COMMIT' ), 3 ),
			'taken back'                              => array( array( 'START TRANSACTION', 0, 'insert', 'delete', 'ROLLBACK' ), 0 ),
			'taken back, then work'                   => array( array( 'START TRANSACTION', 0, 'ROLLBACK', 1 ), 1 ),
			'taken back, then the same row'           => array( array( 'START TRANSACTION', 0, 'ROLLBACK', 0 ), 1 ),
			'work, then taken back'                   => array( array( 0, 'START TRANSACTION', 1, 'ROLLBACK' ), 1 ),
			'work on the same row, then taken back'   => array( array( 0, 'START TRANSACTION', 0, 'ROLLBACK' ), 1 ),
			'nothing in it'                           => array( array( 0, 'START TRANSACTION', 'COMMIT', 1 ), 2 ),
			'a row written twice'                     => array( array( 'START TRANSACTION', 0, 1, 0, 'COMMIT' ), 2 ),
			'inserted and deleted'                    => array( array( 'START TRANSACTION', 'insert', 0, 'DELETE FROM {contacts} WHERE first_name = \'Inserted\'', 'COMMIT' ), 1 ),
			'two in a row'                            => array( array( 'START TRANSACTION', 0, 'COMMIT', 'START TRANSACTION', 1, 'ROLLBACK' ), 1 ),
			'small letters and a semicolon'           => array( array( 'start transaction;', 0, 'rollback;', 'start  transaction', 1, ' commit ;' ), 1 ),
			'comments'                                => array( array( '/* now */ START /* a */ TRANSACTION', 0, "-- back\nROLLBACK", '/* again */START TRANSACTION', 1, '/* and */ COMMIT # done' ), 1 ),
			'back to a savepoint'                     => array( array( 'START TRANSACTION', 0, 'SAVEPOINT here', 1, 'insert', 'ROLLBACK TO SAVEPOINT here', 'COMMIT' ), 1 ),
			'back to a savepoint, short'              => array( array( 'START TRANSACTION', 0, 'savepoint `here`', 1, 'rollback to HERE', 'COMMIT' ), 1 ),
			'back to a savepoint, then the same row'  => array( array( 'START TRANSACTION', 'SAVEPOINT a', 0, 'ROLLBACK TO a', 0, 'COMMIT' ), 1 ),
			'a row before and after a savepoint'      => array( array( 'START TRANSACTION', 0, 'SAVEPOINT a', 0, 'delete', 'ROLLBACK TO a', 'COMMIT' ), 1 ),
			'back to the first of two savepoints'     => array( array( 'START TRANSACTION', 'SAVEPOINT a', 0, 'SAVEPOINT b', 1, 'ROLLBACK TO a', 2, 'COMMIT' ), 1 ),
			'back to the second of two savepoints'    => array( array( 'START TRANSACTION', 'SAVEPOINT a', 0, 'SAVEPOINT b', 1, 'ROLLBACK TO b', 2, 'COMMIT' ), 2 ),
			'back to a savepoint twice'               => array( array( 'START TRANSACTION', 'SAVEPOINT a', 0, 'ROLLBACK TO a', 1, 'ROLLBACK TO a', 2, 'COMMIT' ), 1 ),
			'a savepoint released'                    => array( array( 'START TRANSACTION', 'SAVEPOINT a', 0, 'RELEASE SAVEPOINT a', 'COMMIT' ), 1 ),
			'a savepoint released, then taken back'   => array( array( 'START TRANSACTION', 'SAVEPOINT a', 0, 'SAVEPOINT b', 1, 'RELEASE SAVEPOINT b', 'ROLLBACK TO a', 2, 'COMMIT' ), 1 ),
			'a savepoint of the same name'            => array( array( 'START TRANSACTION', 'SAVEPOINT a', 0, 'SAVEPOINT a', 1, 'ROLLBACK TO a', 'COMMIT' ), 1 ),
			'a savepoint, all taken back'             => array( array( 'START TRANSACTION', 0, 'SAVEPOINT a', 1, 'ROLLBACK' ), 0 ),
			'a savepoint outside a transaction'       => array( array( 'SAVEPOINT a', 0, 1 ), 2 ),
			'a savepoint that is not there'           => array( array( 'START TRANSACTION', 0, '!ROLLBACK TO nowhere', 1, 'COMMIT' ), 2 ),
			// The SQLite drop-in takes the whole transaction back when a statement in it fails.
			'a statement that failed in it'           => array( array( 'START TRANSACTION', 0, '!UPDATE {contacts} SET no_such_column = 1', 1, 'COMMIT' ), Tables::on_mariadb() ? 2 : 1 ),
			'the words in a text'                     => array( array( 'START TRANSACTION', 'UPDATE {contacts} SET private_note = \'x; ROLLBACK; COMMIT\' WHERE contact_id = {0}', 1, 'COMMIT' ), 2 ),
		);
	}

	/**
	 * @group mariadb
	 * @dataProvider transactions_of_mariadb
	 */
	public function test_what_mariadb_committed_is_announced_and_nothing_else( array $work, int $events ): void {
		$this->transact( $work, $events );
	}

	public static function transactions_of_mariadb(): array {
		return array(
			'begin'                                  => array( array( 'BEGIN', 0, 'ROLLBACK', 'BEGIN WORK', 1, 'COMMIT WORK' ), 1 ),
			'with characteristics'                   => array( array( 'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ WRITE', 0, 'ROLLBACK WORK', 1 ), 1 ),
			'a second start commits the first'       => array( array( 'START TRANSACTION', 0, 'START TRANSACTION', 1, 'ROLLBACK' ), 1 ),
			'a chain'                                => array( array( 'START TRANSACTION', 0, 'COMMIT AND CHAIN', 1, 'ROLLBACK' ), 1 ),
			'a chain of what was taken back'         => array( array( 'START TRANSACTION', 0, 'ROLLBACK AND CHAIN', 1, 'COMMIT', 2 ), 2 ),
			'a new table commits'                    => array( array( 'START TRANSACTION', 0, 'CREATE TABLE wp_oracle (id INT)', 1, 'DROP TABLE wp_oracle', 2, 'ROLLBACK' ), 3 ),
			'a temporary table does not'             => array( array( 'START TRANSACTION', 0, 'CREATE TEMPORARY TABLE wp_oracle (id INT)', 1, 'DROP TEMPORARY TABLE wp_oracle', 2, 'ROLLBACK' ), 0 ),
			'emptying a table commits'               => array( array( 'START TRANSACTION', 0, 'TRUNCATE TABLE {notes}', 'ROLLBACK' ), 1 ),
			'locking tables commits'                 => array( array( 'START TRANSACTION', 0, 'LOCK TABLES {contacts} WRITE, wp_options READ', 'UNLOCK TABLES', 'ROLLBACK' ), 1 ),
			'no autocommit, committed'               => array( array( 'SET autocommit = 0', 0, 1, 'COMMIT', 2, 'ROLLBACK', 'SET autocommit = 1' ), 2 ),
			'no autocommit, taken back'              => array( array( 'SET autocommit=0', 0, 'ROLLBACK', 'SET autocommit=1', 1 ), 1 ),
			'no autocommit, otherwise written'       => array( array( 'set session AUTOCOMMIT = OFF', 0, 'ROLLBACK', 'SET @@autocommit := ON', 1 ), 1 ),
			'no autocommit, among others'            => array( array( "SET @a = 1, autocommit = 0, @b = 'autocommit = 1'", 0, 'ROLLBACK', 'SET @@session.autocommit = TRUE' ), 0 ),
			'autocommit again commits'               => array( array( 'SET autocommit = 0', 0, 'SET autocommit = 1', 'ROLLBACK' ), 1 ),
			'no autocommit, with a savepoint'        => array( array( 'SET autocommit = 0', 0, 'SAVEPOINT a', 1, 'ROLLBACK TO a', 'COMMIT', 'SET autocommit = 1' ), 1 ),
			'autocommit set to what it is'           => array( array( 'START TRANSACTION', 0, 'SET autocommit = 1', 'ROLLBACK' ), 0 ),
		);
	}

	private function transact( array $work, int $events ): void {
		try {
			$expected = $this->oracle->step( 'the work', fn() => array_map( array( $this, 'do_part' ), $work ) );
		} finally {
			self::run_sql( 'ROLLBACK' );
			self::run_sql( 'SET autocommit = 1' );
		}
		self::assertCount( $events, $expected, 'the database did what the test thinks it does' );
		$this->assert_arrived();
	}

	/** @param int|string $part */
	private function do_part( $part ): void {
		global $wpdb;
		if ( is_int( $part ) ) {
			$this->set( $part, 'City ' . wp_rand() );
			return;
		}
		switch ( $part ) {
			case 'insert':
				$wpdb->insert( self::table( 'contact' ), array( 'first_name' => 'Inserted' ) );
				return;
			case 'delete':
				$wpdb->delete( self::table( 'contact' ), array( 'contact_id' => $this->contacts[3] ) );
				return;
		}
		$sql = strtr( $part, array( '{contacts}' => self::table( 'contact' ), '{notes}' => wpestate_crm_table( 'notes' ), '{0}' => $this->contacts[0] ) );
		if ( str_starts_with( $sql, '!' ) ) {
			self::run_failing( substr( $sql, 1 ) );
			return;
		}
		self::assertNotFalse( self::run_sql( $sql ), $sql );
	}

	private function set( int $n, string $city ): void {
		global $wpdb;
		$wpdb->update( self::table( 'contact' ), array( 'city' => $city ), array( 'contact_id' => $this->contacts[ $n ] ) );
	}

	public function test_a_deal_that_is_won_inside_a_transaction_is_won_once(): void {
		$deal = self::rows( 'deal', 1 )[0];
		$this->oracle->step(
			'through two stages',
			static function () use ( $deal ): void {
				self::run_sql( 'START TRANSACTION' );
				wpestate_crm_update_deal_stage( $deal, 'offer_made' );
				wpestate_crm_update_deal_stage( $deal, 'closed_won' );
				self::run_sql( 'COMMIT' );
			}
		);
		self::assertSame( array( "deal.stage_changed deal:$deal", "deal.won deal:$deal" ), $this->oracle->announced() );
	}

	public function test_after_a_transaction_was_taken_back_actions_are_no_events(): void {
		self::run_sql( 'START TRANSACTION' );
		$contact = wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		wpestate_crm_update_deal_stage( self::rows_in_transaction( 'deal' ), 'closed_won' );
		self::run_sql( 'ROLLBACK' );
		self::assertNull( wpestate_crm_get_contact( $contact ) );
		Oracle::hand_over();
		self::assertSame( array(), $this->oracle->announced() );
	}

	/** A deal written through $wpdb, so that an open transaction holds it. */
	private static function rows_in_transaction( string $record ): int {
		global $wpdb;
		$wpdb->insert( self::table( $record ), array( 'title' => 'Quay 3' ) );
		return $wpdb->insert_id;
	}
}
