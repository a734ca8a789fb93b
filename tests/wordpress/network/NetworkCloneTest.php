<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\CopiedSite;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;

/** A network that was copied as a whole, with its database: one answer is for all its sites. */
final class NetworkCloneTest extends SiteTestCase {

	private static int $second;
	/** A site whose secret nobody can read in the copy: the key to it is not copied. */
	private static int $sealed;
	private Receiver $other;

	public static function setUpBeforeClass(): void {
		parent::setUpBeforeClass();
		// First, so that it comes before the other when all are answered.
		self::$sealed = wpmu_create_blog( get_network()->domain, '/a-sealed/', 'Sealed', 1 );
		self::$second = wpmu_create_blog( get_network()->domain, '/copied/', 'Copied', 1 );
		switch_to_blog( self::$second );
		wpestate_crm_install();
		restore_current_blog();
	}

	protected function setUp(): void {
		parent::setUp();
		$this->other = new Receiver( 'other-site' );
		$this->save_endpoint( array( 'secret' => '', 'events' => array( 'contact.created' ) ) );
		switch_to_blog( self::$second );
		$this->save_endpoint( array( 'secret' => '', 'events' => array( 'contact.created' ), 'url' => $this->other->url() ) );
		restore_current_blog();
		switch_to_blog( self::$sealed );
		$this->save_endpoint( array( 'events' => array( 'contact.created' ) ) );
		restore_current_blog();
		// The file that is copied is the whole database.
		$GLOBALS['wpdb']->query( 'COMMIT' );
	}

	protected function tearDown(): void {
		while ( ms_is_switched() ) {
			restore_current_blog();
		}
		parent::tearDown();
	}

	/** A contact on a site of the copy. */
	private static function create( CopiedSite $copy, string $address, string $name ): void {
		$made = $copy->wp( "--url=$address", 'eval', 'wpestate_crm_insert_contact( array( "first_name" => "' . $name . '" ) );' );
		self::assertSame( 0, $made->status, $made->errors );
	}

	/** Where the copy's queue is. */
	public static function queues(): array {
		return array( 'shared' => array( 'shared' ), 'copied' => array( 'copied' ) );
	}

	/** @dataProvider queues */
	public function test_a_copied_network_sends_nothing_and_one_answer_is_for_all_its_sites( string $data ): void {
		$sites = array( get_home_url( get_main_site_id() ), get_home_url( self::$second ) );
		$copy  = new CopiedSite( array( 'name' => 'copy', 'data' => $data ) );
		$moved = new CopiedSite( array( 'name' => 'moved', 'data' => 'copied' ) );
		foreach ( array( $copy, $moved ) as $one ) {
			foreach ( $sites as $n => $address ) {
				self::create( $one, $address, "Ada $n" );
				$status = json_decode( $one->wp( "--url=$address", 'posthorn', 'site', 'status', '--format=json' )->output, true );
				self::assertSame( array( true, 'installation', 1 ), array( $status['held_back'], $status['why'], $status['events'] ) );
			}
			$one->work();
		}
		self::assertSame( array( array(), array() ), array( $this->receiver->requests(), $this->other->requests() ) );

		self::assertSame( 0, $copy->wp( "--url=$sites[0]", 'posthorn', 'site', 'copy' )->status );
		foreach ( $sites as $address ) {
			self::create( $copy, $address, 'Bo' );
			$status = json_decode( $copy->wp( "--url=$address", 'posthorn', 'site', 'status', '--format=json' )->output, true );
			self::assertSame( array( false, true ), array( $status['held_back'], $status['copy'] ) );
		}
		$copy->work();
		self::assertSame( array( array(), array() ), array( $this->receiver->requests(), $this->other->requests() ) );

		// The original goes on.
		wpestate_crm_insert_contact( array( 'first_name' => 'Cleo' ) );
		switch_to_blog( self::$second );
		wpestate_crm_insert_contact( array( 'first_name' => 'Cleo' ) );
		restore_current_blog();
		$this->end_request();
		$this->receiver->wait_for( 1 );
		$this->other->wait_for( 1 );

		$said = $moved->wp( "--url=$sites[1]", 'posthorn', 'site', 'moved' );
		self::assertSame( 1, $said->status, $said->output );
		self::assertMatchesRegularExpression( '#(/a-sealed|/native): the queue has no receiver, because the secret in the settings cannot be read#', $said->errors );
		foreach ( $sites as $address ) {
			self::assertFalse( json_decode( $moved->wp( "--url=$address", 'posthorn', 'site', 'status', '--format=json' )->output, true )['held_back'], $address );
		}
		$this->wait_until(
			'what was kept is sent',
			function () use ( $moved ): bool {
				$moved->work();
				return count( $this->receiver->requests() ) >= 2 && count( $this->other->requests() ) >= 2;
			},
			60
		);
		$told = static fn( Receiver $receiver ): array => array_map( static fn( array $request ): string => json_decode( $request['body'], true )['data']['first_name'], $receiver->wait_for( 2 ) );
		self::assertSame( array( array( 'Cleo', 'Ada 0' ), array( 'Cleo', 'Ada 1' ) ), array( $told( $this->receiver ), $told( $this->other ) ) );
	}
}
