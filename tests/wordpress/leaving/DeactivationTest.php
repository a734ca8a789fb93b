<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** Switching the plugin off stops sending and keeps the queue; switching it on asks first. */
final class DeactivationTest extends SiteTestCase {

	private const EVENTS = 600;

	/** Delays in seconds. What fails still waits when the plugin is switched off, however slow that is. */
	private const FOR_A_MINUTE = array( 0.3, 0.3, 0.3, 0.3, 1, 1, 1, 2, 2, 2, 5, 5, 5, 10, 10, 15 );

	public function test_deactivation_stops_sending_within_a_second_and_activation_asks(): void {
		$this->receiver->behave( array( 'mode' => 'slow', 'delay_ms' => 100 ) );
		$this->save_endpoint( array( 'max_concurrency' => 4 ) );
		for ( $n = 0; $n < self::EVENTS; $n++ ) {
			posthorn_dispatch( 'deal.won', array( 'deal_id' => $n ), array( 'record' => "deal:$n" ) );
		}
		$this->receiver->wait_for( 20 );
		$owner = Visitor::logged_in( 'admin', 'admin' );
		self::press( $owner, 'deactivate' );
		$since = microtime( true );
		$this->wait_until( 'a second is over', static fn() => microtime( true ) >= $since + 1.0 );
		$after_a_second = count( $this->receiver->requests() );
		$this->wait_until( 'another second is over', static fn() => microtime( true ) >= $since + 2.0 );
		self::assertCount( $after_a_second, $this->receiver->requests(), 'nothing is sent after the first second' );
		self::assertLessThan( self::EVENTS, $after_a_second, 'the test needs something that waits' );
		self::assertCount( self::EVENTS - $after_a_second, $this->deliveries( array( 'state' => 'pending' ) ), 'the queue is kept' );

		$this->receiver->behave( array( 'mode' => 'ok' ) );
		self::press( $owner, 'activate' );
		$page = $owner->get( '/wp-admin/' );
		self::assertStringContainsString( 'Webhooks are waiting since Posthorn was switched off', $page->html );
		self::assertCount( $after_a_second, $this->receiver->requests(), 'nothing is sent before the owner says so' );

		$button = "//button[@name='answer'][@value='send']";
		$owner->post( $page->form_target( $button ), array( 'answer' => 'send' ) + $page->fields( $button ) );
		$this->receiver->wait_for( self::EVENTS, 20 );
		$this->wait_until_sent();
		self::assertCount( self::EVENTS, $this->receiver->requests(), 'each once' );
		self::assertStringNotContainsString( 'Webhooks are waiting', $owner->get( '/wp-admin/' )->html );
	}

	public function test_activation_does_not_ask_where_nothing_waits(): void {
		$this->save_endpoint();
		$this->wait_until_sent();
		$owner = Visitor::logged_in( 'admin', 'admin' );
		self::press( $owner, 'deactivate' );
		self::press( $owner, 'activate' );
		self::assertStringNotContainsString( 'Webhooks are waiting', $owner->get( '/wp-admin/' )->html );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->receiver->wait_for( 1 );
	}

	public function test_kept_waiting_they_wait_and_the_page_offers_to_send_them(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$this->save_endpoint( array( 'schedule' => self::FOR_A_MINUTE ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->receiver->wait_for( 1 );
		$owner = Visitor::logged_in( 'admin', 'admin' );
		self::press( $owner, 'deactivate' );
		self::press( $owner, 'activate' );
		$this->receiver->behave( array( 'mode' => 'ok' ) );
		$page   = $owner->get( '/wp-admin/' );
		$button = "//button[@name='answer'][@value='keep']";
		$before = count( $this->receiver->requests() );
		$page   = $owner->post( $page->form_target( $button ), array( 'answer' => 'keep' ) + $page->fields( $button ) );
		self::assertStringContainsString( 'Sending is paused', $page->html );
		self::assertCount( $before, $this->receiver->requests() );
		$button = "//button[@name='answer'][@value='send']";
		$owner->post( $page->form_target( $button ), array( 'answer' => 'send' ) + $page->fields( $button ) );
		$this->receiver->wait_for( $before + 1 );
		$this->wait_until_sent();
	}

	public function test_the_command_line_is_told_and_sends_what_waits(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$this->save_endpoint( array( 'schedule' => self::FOR_A_MINUTE ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->receiver->wait_for( 1 );
		self::assertSame( 0, Command::wp( 'plugin', 'deactivate', 'posthorn' )->status );
		$activated = Command::wp( 'plugin', 'activate', 'posthorn' );
		self::assertStringContainsString( '“wp posthorn site resume”', $activated->errors );
		self::assertStringContainsString( 'wp posthorn site resume', Command::wp( 'posthorn', 'status' )->output );

		$this->receiver->behave( array( 'mode' => 'ok' ) );
		$before  = count( $this->receiver->requests() );
		$resumed = Command::wp( 'posthorn', 'site', 'resume' );
		self::assertSame( 0, $resumed->status, $resumed->errors );
		$this->receiver->wait_for( $before + 1 );
		$this->wait_until_sent();
		self::assertStringNotContainsString( 'wp posthorn site resume', Command::wp( 'posthorn', 'status' )->output );
		self::assertStringNotContainsString( 'Webhooks are waiting', Visitor::logged_in( 'admin', 'admin' )->get( '/wp-admin/' )->html );
	}

	public function test_deactivation_also_stops_receivers_that_code_adds(): void {
		$this->save_no_endpoint();
		$this->listen( 'posthorn_endpoints', fn() => array( array( 'id' => 'code', 'url' => $this->receiver->url(), 'allow_private' => true ) ) );
		posthorn_deactivate_site();
		self::assertTrue( posthorn_client_paused() );
		posthorn_activate_site();
		self::assertFalse( posthorn_client_paused(), 'nothing waits, so nobody is asked' );
	}

	/** Presses a link of the plugins list. */
	private static function press( Visitor $owner, string $action ): void {
		$links = $owner->get( '/wp-admin/plugins.php' )->find( "//tr[@data-slug='posthorn']//a[contains(@href,'action=$action')]" );
		self::assertCount( 1, $links, "a link to $action the plugin" );
		$page = $owner->get( '/wp-admin/' . $links[0]->getAttribute( 'href' ) );
		self::assertSame( 200, $page->status );
		wp_cache_flush();
	}
}
