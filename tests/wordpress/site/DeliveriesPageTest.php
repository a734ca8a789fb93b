<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Page;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** The tab Deliveries: what failed is sent again and what waits is cancelled there, without JavaScript. */
final class DeliveriesPageTest extends SiteTestCase {

	private const LIST = '/wp-admin/options-general.php?page=posthorn&tab=deliveries';
	private const FORM = "//input[@name='action'][@value='posthorn_delivery']";

	private static Visitor $owner;

	public static function setUpBeforeClass(): void {
		parent::setUpBeforeClass();
		self::$owner = Visitor::logged_in( 'admin', 'admin' );
	}

	protected function tearDown(): void {
		$this->leave_no_endpoint();
		parent::tearDown();
	}

	public function test_one_that_failed_is_sent_again_from_its_page(): void {
		$id   = $this->dead( 1 )[0];
		$page = self::$owner->get( self::LIST . "&delivery=$id" );
		self::assertSame( 'Send again', $page->text( "//button[@name='do']" ) );
		$this->receiver->behave( array( 'mode' => 'ok' ) );
		$after = $this->post( $page, array( 'do' => 'replay' ) );
		self::assertStringContainsString( '1 delivery is sent again', $after->text( "//*[contains(@class,'notice-success')]" ) );
		self::assertStringContainsString( $id, $after->address );
		$this->wait_until( 'it has arrived', fn() => 'delivered' === posthorn_client_delivery( $id )['state'] );
		self::assertSame( array( 2, 1 ), array( count( $this->receiver->requests() ), count( array_unique( array_column( $this->receiver->requests(), 'id' ) ) ) ), 'the same id' );
	}

	public function test_one_that_waits_is_cancelled_from_its_page_and_that_is_told(): void {
		$this->save_endpoint();
		posthorn_client_pause( true );
		$event = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$id    = $this->delivery_of( $event )['id'];
		$page  = self::$owner->get( self::LIST . "&delivery=$id" );
		self::assertSame( 'Cancel', $page->text( "//button[@name='do']" ) );
		$this->post( $page, array( 'do' => 'cancel' ) );
		self::assertSame( 'cancelled', posthorn_client_delivery( $id )['state'] );
		// From a page that was opened before.
		self::assertStringContainsString( 'only what waits', $this->post( $page, array( 'do' => 'cancel' ) )->text( "//*[contains(@class,'notice-warning')]" ) );
	}

	public function test_ticked_ones_are_sent_again_and_the_others_are_not(): void {
		$ids  = $this->dead( 3 );
		$page = self::$owner->get( self::LIST . '&state=dead' );
		self::assertCount( 1, $page->find( "//input[@name='ids[]'][@value='$ids[0]']" ) );
		posthorn_client_pause( true );
		$after = $this->post( $page, array( 'do' => 'ticked', 'act' => 'replay', 'ids' => array( $ids[0], $ids[2] ) ) );
		self::assertStringContainsString( '2 deliveries are sent again', $after->text( "//*[contains(@class,'notice-success')]" ) );
		self::assertStringContainsString( 'state=dead', $after->address );
		self::assertSame( array( 'pending', 'dead', 'pending' ), array_map( static fn( string $id ): string => posthorn_client_delivery( $id )['state'], $ids ) );
		// Nothing ticked, nothing chosen: nothing is done, and that is told.
		foreach ( array( array( 'act' => 'replay' ), array( 'act' => '', 'ids' => array( $ids[1] ) ), array( 'act' => 'erase', 'ids' => array( $ids[1] ) ), array( 'act' => 'replay', 'ids' => array( 'nonsense' ) ) ) as $sent ) {
			$after = $this->post( $page, array( 'do' => 'ticked' ) + $sent );
			self::assertStringContainsString( 'Nothing', $after->text( "//*[contains(@class,'notice-warning')]" ), json_encode( $sent ) );
		}
		self::assertSame( 'dead', posthorn_client_delivery( $ids[1] )['state'] );
	}

	public function test_all_that_failed_are_sent_again_of_one_endpoint_if_only_its_are_shown(): void {
		$ids  = $this->dead( 2 );
		$page = self::$owner->get( self::LIST . '&state=dead&endpoint=main' );
		posthorn_client_pause( true );
		$fields = $page->fields( self::FORM );
		self::assertSame( 'main', $fields['endpoint'] );
		self::assertStringContainsString( 'Nothing', $this->post( $page, array( 'do' => 'replay-all', 'endpoint' => 'another' ) )->text( "//*[contains(@class,'notice')][contains(@class,'notice-warning')]" ) );
		self::assertSame( 'dead', posthorn_client_delivery( $ids[0] )['state'] );
		$this->post( $page, array( 'do' => 'replay-all' ) );
		self::assertSame( array( 'pending', 'pending' ), array_map( static fn( string $id ): string => posthorn_client_delivery( $id )['state'], $ids ) );
	}

	public function test_without_the_nonce_or_the_capability_nothing_is_sent(): void {
		$ids    = $this->dead( 1 );
		$fields = array( 'do' => 'replay-all' ) + self::$owner->get( self::LIST . '&state=dead' )->fields( self::FORM );
		self::assertSame( 403, self::$owner->post( '/wp-admin/admin-post.php', array( '_wpnonce' => 'x' ) + $fields )->status );
		if ( ! username_exists( 'editor' ) ) {
			wp_create_user( 'editor', 'editor', 'editor@example.com' );
			get_user_by( 'login', 'editor' )->set_role( 'editor' );
		}
		self::assertSame( 403, Visitor::logged_in( 'editor', 'editor' )->post( '/wp-admin/admin-post.php', $fields )->status );
		self::assertSame( 'dead', posthorn_client_delivery( $ids[0] )['state'] );
	}

	/** Deliveries that have failed for good, in the order of their events. */
	private function dead( int $count ): array {
		$this->save_endpoint( array( 'schedule' => array() ) );
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$events = array();
		for ( $n = 1; $n <= $count; $n++ ) {
			$events[] = posthorn_dispatch( 'deal.won', array( 'deal_id' => $n ), array( 'record' => "deal:$n" ) );
		}
		$this->wait_until( 'all have failed', fn() => array() === array_filter( $events, fn( string $event ): bool => 'dead' !== $this->delivery_of( $event )['state'] ) );
		return array_map( fn( string $event ): string => $this->delivery_of( $event )['id'], $events );
	}

	private function post( Page $page, array $changes ): Page {
		$after = self::$owner->post( '/wp-admin/admin-post.php', $changes + $page->fields( self::FORM ) );
		posthorn_forget_cached_settings();
		return $after;
	}
}
