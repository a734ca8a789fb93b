<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Oracle;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Tables;

/** A network: a row's event belongs to the site whose table it is in, whichever site is the current one. */
final class NetworkRowsTest extends SiteTestCase {

	private static int $second;
	private Receiver $other;
	private Oracle $main_oracle;
	private Oracle $second_oracle;

	public static function setUpBeforeClass(): void {
		parent::setUpBeforeClass();
		self::$second = wpmu_create_blog( get_network()->domain, '/rows/', 'Rows', 1 );
		// A site of another number in the middle of a table's name must not be taken for it.
		self::on_second( 'wpestate_crm_install' );
	}

	public static function tearDownAfterClass(): void {
		wp_delete_site( self::$second );
		parent::tearDownAfterClass();
	}

	protected function setUp(): void {
		parent::setUp();
		$this->other = new Receiver( 'other-site' );
		Oracle::hand_over();
		$this->save_endpoint();
		self::on_second(
			function (): void {
				Oracle::hand_over();
				$this->save_endpoint( array( 'url' => $this->other->url() ) );
			}
		);
		Tables::clear();
		Tables::clear( self::prefix() );
		$this->main_oracle   = new Oracle();
		$this->second_oracle = new Oracle( self::prefix() );
	}

	protected function tearDown(): void {
		while ( ms_is_switched() ) {
			restore_current_blog();
		}
		parent::tearDown();
	}

	public function test_two_sites_written_in_one_request_get_each_its_own(): void {
		$this->do_on_both(
			static function (): void {
				for ( $n = 0; $n < 3; $n++ ) {
					$here  = wpestate_crm_insert_contact( array( 'first_name' => "Main $n", 'zipcode' => '02139' ) );
					$there = self::on_second( static fn() => wpestate_crm_insert_contact( array( 'first_name' => "Second $n" ) ) );
					self::on_second( static fn() => wpestate_crm_insert_lead( array( 'message' => 'A house' ) ) );
					wpestate_crm_insert_enquiry( array( 'enquiry_message' => 'Free?', 'contact_id' => $here ) );
				}
			}
		);
	}

	public function test_the_table_decides_and_not_the_current_site(): void {
		global $wpdb;
		$this->do_on_both(
			static function () use ( $wpdb ): void {
				$wpdb->insert( Tables::name( 'contact', self::prefix() ), array( 'first_name' => 'From the main site' ) );
				self::on_second( static fn() => $wpdb->insert( Tables::name( 'contact' ), array( 'first_name' => 'From the second site' ) ) );
				$wpdb->query( 'INSERT INTO ' . Tables::name( 'lead', self::prefix() ) . " (message) VALUES ('a'), ('b')" );
			}
		);
	}

	public function test_the_same_key_on_two_sites_is_two_rows(): void {
		global $wpdb;
		foreach ( array( null, self::prefix() ) as $prefix ) {
			Tables::run( 'INSERT INTO ' . Tables::name( 'contact', $prefix ) . " (contact_id, first_name) VALUES (990001, 'Same')" );
		}
		$this->do_on_both(
			static function () use ( $wpdb ): void {
				$wpdb->update( Tables::name( 'contact' ), array( 'city' => 'Cork' ), array( 'contact_id' => 990001 ) );
				$wpdb->update( Tables::name( 'contact', self::prefix() ), array( 'city' => 'Cobh' ), array( 'contact_id' => 990001 ) );
			}
		);
		self::assertSame( 'Cobh', json_decode( $this->other->requests()[0]['body'], true )['data']['city'] );
	}

	public function test_a_transaction_over_two_sites_is_both_or_none(): void {
		global $wpdb;
		$write = static function () use ( $wpdb ): void {
			$wpdb->insert( Tables::name( 'contact' ), array( 'first_name' => 'Main' ) );
			$wpdb->insert( Tables::name( 'contact', self::prefix() ), array( 'first_name' => 'Second' ) );
		};
		$this->do_on_both(
			static function () use ( $wpdb, $write ): void {
				foreach ( array( 'ROLLBACK', 'COMMIT' ) as $end ) {
					$wpdb->query( 'START TRANSACTION' );
					$write();
					$wpdb->query( $end );
				}
			}
		);
	}

	public function test_a_site_without_a_receiver_does_not_keep_the_other_from_its_events(): void {
		self::on_second( fn() => $this->save_no_endpoint() );
		self::on_second( static fn() => wpestate_crm_insert_contact( array( 'first_name' => 'Nobody hears' ) ) );
		$contact = wpestate_crm_insert_contact( array( 'first_name' => 'Heard' ) );
		Oracle::hand_over();
		$this->wait_until_sent();
		self::assertSame( array( 'contact.created' ), $this->receiver->events() );
		self::assertSame( $contact, $this->data_of( 'contact.created' )['contact_id'] );
		self::assertSame( array(), $this->other->events() );
	}

	public function test_the_body_names_the_site_of_the_table(): void {
		global $wpdb;
		$wpdb->insert( Tables::name( 'lead', self::prefix() ), array( 'message' => 'A house' ) );
		Oracle::hand_over();
		$this->other->wait_for( 1 );
		self::assertStringEndsWith( '/rows', untrailingslashit( json_decode( $this->other->requests()[0]['body'], true )['site_url'] ) );
	}

	/** Does work and compares what arrives at each site's receiver with what became of its tables. */
	private function do_on_both( callable $work ): void {
		$second = array();
		$main   = $this->main_oracle->step_elsewhere(
			function () use ( $work, &$second ): void {
				$second = $this->second_oracle->step_elsewhere(
					static function () use ( $work ): void {
						$work();
						Oracle::hand_over();
					}
				);
			}
		);
		self::assertNotSame( array(), $main );
		self::assertNotSame( array(), $second );
		self::assertSame( '', $this->problem() );
		$this->wait_until_sent();
		self::on_second( fn() => $this->wait_until_sent() );
		$this->main_oracle->arrived( $this->receiver, 'the main site' );
		$this->second_oracle->arrived( $this->other, 'the second site' );
	}

	/** @return mixed */
	private static function on_second( callable $work ) {
		switch_to_blog( self::$second );
		try {
			return $work();
		} finally {
			restore_current_blog();
		}
	}

	private static function prefix(): string {
		return $GLOBALS['wpdb']->get_blog_prefix( self::$second );
	}
}
