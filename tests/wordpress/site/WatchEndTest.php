<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\Tables;
use Posthorn\Tests\Visitor;
use Posthorn\Tests\WatchTestCase;

/** However a request ends, what it wrote is announced; only a transaction that it left open is not. */
final class WatchEndTest extends WatchTestCase {

	public static function endings(): array {
		return array_map( static fn( string $ending ): array => array( $ending ), array_combine( array_keys( posthorn_tests_endings() ), array_keys( posthorn_tests_endings() ) ) );
	}

	/** Without memory for its own handler of fatal errors, an old WordPress ends before any plugin is asked. */
	public static function endings_of_commands(): array {
		return array_diff_key( self::endings(), array( 'memory used up' => 0 ) );
	}

	/** @dataProvider endings */
	public function test_a_page_that_ends_has_announced_its_rows( string $ending ): void {
		$ids = self::rows( 'contact', 2 );
		$this->oracle->step_elsewhere( fn() => $this->visit( $ending, $ids ) );
		$this->assert_both_arrived( $ids, $ending );
	}

	/** @dataProvider endings_of_commands */
	public function test_a_command_that_ends_has_announced_its_rows( string $ending ): void {
		$ids = self::rows( 'contact', 2 );
		$this->oracle->step_elsewhere( static fn() => self::command( $ending, $ids ) );
		$this->assert_both_arrived( $ids, $ending );
	}

	/** @dataProvider endings */
	public function test_a_transaction_that_a_page_leaves_open_is_no_event( string $ending ): void {
		$ids = self::rows( 'contact', 2 );
		$this->oracle->step_elsewhere( fn() => $this->visit( $ending, $ids, 'START TRANSACTION' ) );
		self::assertSame( '', Tables::row( 'contact', $ids[0] )['city'], 'the database took it back' );
		$this->wait_until_sent();
		self::assertSame( array(), $this->receiver->events() );
	}

	/** @group mariadb */
	public function test_what_a_page_without_autocommit_leaves_is_no_event(): void {
		$ids = self::rows( 'contact', 2 );
		$this->oracle->step_elsewhere( fn() => $this->visit( 'exit', $ids, 'SET autocommit = 0' ) );
		self::assertSame( '', Tables::row( 'contact', $ids[0] )['city'], 'the database took it back' );
		$this->wait_until_sent();
		self::assertSame( array(), $this->receiver->events() );
	}

	public function test_rows_written_while_the_request_shuts_down_are_announced(): void {
		$ids = self::rows( 'contact', 3 );
		$this->oracle->step_elsewhere(
			static function () use ( $ids ): void {
				Command::wordpress(
					'global $wpdb;
					$set = static fn( int $id ) => $wpdb->update( wpestate_crm_table( "contacts" ), array( "city" => "Late" ), array( "contact_id" => $id ) );
					add_action( "shutdown", static fn() => $set( ' . $ids[0] . ' ), 1 );
					add_action( "shutdown", static fn() => $set( ' . $ids[1] . ' ), PHP_INT_MAX );
					register_shutdown_function( static fn() => $set( ' . $ids[2] . ' ) );'
				);
			}
		);
		$this->wait_until_sent();
		$this->oracle->arrived( $this->receiver );
		self::assertCount( 3, $this->receiver->events() );
	}

	public function test_wp_cli_announces_its_rows(): void {
		$ids = self::rows( 'contact', 2 );
		$this->oracle->step_elsewhere(
			static fn() => Command::wp( 'eval', 'wpestate_crm_set_switches( array( "bulk" => "statement" ) ); wpestate_crm_bulk_update_contacts( array( ' . implode( ',', $ids ) . ' ), array( "city" => "Cobh" ) );' )
		);
		$this->assert_both_arrived( $ids, 'wp eval' );
	}

	public function test_a_fatal_error_under_wp_cli_has_announced_the_rows(): void {
		$ids = self::rows( 'contact', 2 );
		$this->oracle->step_elsewhere(
			static fn() => Command::wp( 'eval', 'global $wpdb; foreach ( array( ' . implode( ',', $ids ) . ' ) as $id ) { $wpdb->update( wpestate_crm_table( "contacts" ), array( "city" => "Cobh" ), array( "contact_id" => $id ) ); } posthorn_tests_no_such_function();' )
		);
		$this->assert_both_arrived( $ids, 'wp eval' );
	}

	public function test_the_crms_own_pages_announce_what_they_do(): void {
		wpestate_crm_set_switches( array( 'bulk' => 'statement', 'stage_announces' => 'off' ) );
		$leads = self::rows( 'lead', 4 );
		$deal  = self::rows( 'deal', 1 )[0];
		$owner = Visitor::logged_in( 'admin', 'admin' );
		$this->oracle->step_elsewhere(
			static function () use ( $leads, $deal, $owner ): void {
				$nonces = json_decode(
					$owner->get( '/wp-admin/admin-ajax.php?action=posthorn_tests_nonces' )->html,
					true
				);
				$ajax   = static fn( string $action, array $fields ) => self::assertStringContainsString( '"success":true', $owner->post( '/wp-admin/admin-ajax.php', array( 'action' => $action, 'security' => $nonces[ $action ] ) + $fields )->html );
				$ajax( 'wpestate_crm_bulk_update_leads', array( 'ids' => $leads, 'status' => 'Contacted' ) );
				$ajax( 'wpestate_crm_delete_lead', array( 'lead_id' => $leads[0] ) );
				$ajax( 'wpestate_crm_bulk_delete_leads', array( 'ids' => array_slice( $leads, 1, 2 ) ) );
				$ajax( 'wpestate_crm_update_deal_stage', array( 'deal_id' => $deal, 'stage' => 'closed_won' ) );
			}
		);
		$this->wait_until_sent();
		// Several requests: the tables' difference is not the whole story here.
		self::assertEqualsCanonicalizing(
			array_merge( array_fill( 0, 4, 'lead.updated' ), array_fill( 0, 3, 'lead.deleted' ), array( 'deal.stage_changed', 'deal.won' ) ),
			$this->receiver->events()
		);
	}

	private function assert_both_arrived( array $ids, string $ending ): void {
		// A page may go on after its answer.
		$deadline = microtime( true ) + 3;
		while ( count( $this->receiver->events() ) < 2 && microtime( true ) < $deadline ) {
			usleep( 5000 );
		}
		$this->wait_until_sent();
		self::assertNotSame( '', Tables::row( 'contact', $ids[1] )['city'], 'the rows were written' );
		$this->oracle->arrived( $this->receiver, $ending );
		self::assertCount( 2, $this->receiver->events() );
	}

	private function visit( string $ending, array $ids, string $first = '' ): void {
		( new Visitor() )->get( '/wp-login.php?' . http_build_query( array( 'posthorn_tests_end' => $ending, 'row' => $ids, 'first' => $first ) ) );
	}

	private static function command( string $ending, array $ids ): void {
		Command::wordpress( 'posthorn_tests_end( ' . var_export( $ending, true ) . ', array( ' . implode( ',', $ids ) . ' ) );', array( 'memory_limit=128M' ) );
	}
}
