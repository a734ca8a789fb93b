<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** What the owner reads when a receiver asks to wait, fails, or is gone; and what is known of its address. */
final class ReceiverStateTest extends SiteTestCase {

	private const PAGE       = '/wp-admin/options-general.php?page=posthorn';
	private const DELIVERIES = '/wp-admin/options-general.php?page=posthorn&tab=deliveries';
	private const DASHBOARD  = '/wp-admin/index.php';

	private static Visitor $owner;

	public static function setUpBeforeClass(): void {
		parent::setUpBeforeClass();
		self::$owner = Visitor::logged_in( 'admin', 'admin' );
	}

	protected function tearDown(): void {
		posthorn_client_resume( POSTHORN_MAIN_ENDPOINT );
		$this->save_no_endpoint();
		$this->wait_until_sent();
		parent::tearDown();
	}

	public function test_a_receiver_that_asks_to_wait_is_shown_with_the_time_until_when(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 429, 'headers' => array( 'retry-after' => '1234' ) ) );
		$this->save_endpoint();
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until( 'it is paused', fn() => null !== $this->state()['paused_until'] );
		$until = posthorn_local_time( $this->state()['paused_until'] );
		$words = "paused until $until, the receiver asked for it";
		self::assertStringContainsString( $words, $this->text( self::PAGE ) );
		$list = $this->text( self::DELIVERIES );
		self::assertStringContainsString( $words, $list );
		self::assertGreaterThanOrEqual( 2, substr_count( $list, $until ), 'the next attempt is shown for when it will be' );
		self::assertStringNotContainsString( 'no longer sent', $this->text( self::DASHBOARD ), 'this is nothing to be alarmed at' );
	}

	public function test_an_open_circuit_breaker_is_shown_with_what_happened_and_when_it_tries_again(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$this->save_endpoint( array( 'circuit_breaker' => true, 'schedule' => array( 0.05, 0.05, 0.05, 0.05, 0.05, 0.05 ) ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until( 'it is open', fn() => 'open' === $this->state()['circuit'] );
		$state = $this->state();
		self::assertSame( 5, $state['failures'] );
		$words = '5 attempts in a row have failed, since ' . posthorn_local_time( $state['failing_since'] ) . '. To spare it, webhooks wait; one tries again at ' . posthorn_local_time( $state['circuit_open_until'] );
		self::assertStringContainsString( $words, $this->text( self::PAGE ) );
		self::assertStringContainsString( $words, $this->text( self::DELIVERIES ) );
		$this->receiver->behave( array( 'mode' => 'ok' ) );
	}

	public function test_a_receiver_that_is_gone_is_told_on_every_page_until_the_owner_has_what_waits_sent(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 410 ) );
		$this->save_endpoint( array( 'schedule' => array( 0.1, 0.1 ) ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until( 'it is suspended', fn() => '' !== (string) $this->state()['suspended'] );
		$host = wp_parse_url( $this->receiver->url(), PHP_URL_HOST );
		$told = $this->text( self::DASHBOARD );
		self::assertStringContainsString( "CRM webhooks are no longer sent to $host.", $told );
		self::assertStringContainsString( '410 Gone', $told );
		self::assertStringNotContainsString( wp_parse_url( $this->receiver->url(), PHP_URL_PATH ), $told, 'the rest of the address may be a secret' );
		$page = self::$owner->get( self::PAGE );
		self::assertStringContainsString( 'Posthorn has stopped sending to it: ', $page->text( '//body' ) );
		self::assertStringContainsString( 'when sending is resumed', $this->text( self::DELIVERIES ) );
		$this->receiver->behave( array( 'mode' => 'ok' ) );
		$form = "//button[@value='send']";
		self::$owner->post( $page->form_target( $form ), array( 'answer' => 'send' ) + $page->fields( $form ) );
		$this->wait_until_sent();
		self::assertStringNotContainsString( 'no longer sent', $this->text( self::DASHBOARD ) );
		$this->wait_until( 'it answers', fn() => str_contains( $this->text( self::PAGE ), 'answers; a webhook arrived' ) );
	}

	public function test_an_event_that_is_too_large_for_the_receiver_is_shown_with_the_reason(): void {
		$this->save_endpoint( array( 'max_body_bytes' => 1024 ) );
		$id = posthorn_dispatch( 'deal.won', array( 'notes' => str_repeat( 'x', 2000 ) ) );
		$this->wait_until( 'it is dead', fn() => 'dead' === ( $this->delivery_of( $id )['state'] ?? '' ) );
		self::assertStringContainsString( 'this receiver takes 1.0 KB at most', $this->text( self::DELIVERIES . '&state=dead' ) );
		self::assertStringContainsString( 'this receiver takes 1.0 KB at most', $this->text( self::DELIVERIES . '&delivery=' . $this->delivery_of( $id )['id'] ) );
		self::assertSame( array(), $this->receiver->requests() );
	}

	/** Addresses, the preset that is saved for each, and what the page says. */
	public static function addresses(): array {
		return array(
			'Zapier' => array( 'https://hooks.zapier.com/hooks/catch/1/abc/', 'zapier', 'This is a Zapier address: at most 30 requests a second.' ),
			'Make'   => array( 'https://hook.eu2.make.com/abc', 'make', 'This is a Make address: it takes 5 MB at most, larger events fail.' ),
			'Slack'  => array( 'https://hooks.slack.com/services/T0/B0/x', 'slack', 'This is the address of a chat: it is sent one line of text for each event' ),
			'other'  => array( 'https://crm.example.com/hooks.zapier.com', null, '' ),
		);
	}

	/** @dataProvider addresses */
	public function test_saving_an_address_chooses_what_is_known_of_its_receiver( string $url, ?string $preset, string $words ): void {
		$fields = self::$owner->get( self::PAGE )->fields( "//input[@name='url']" );
		$saved  = self::$owner->post( self::PAGE, array( 'url' => $url, 'other_events' => 'deal.*', 'remove_secret' => '1', 'posthorn_save' => '1' ) + $fields );
		wp_cache_flush();
		self::assertSame( $preset, posthorn_main_endpoint( posthorn_settings() )['preset'], $saved->text( '//body' ) );
		$text = $this->text( self::PAGE );
		if ( '' === $words ) {
			self::assertStringNotContainsString( 'This is a ', $text );
		} else {
			self::assertStringContainsString( $words, $text );
		}
	}

	/** What the queue has of the receiver. */
	private function state(): array {
		return posthorn_client_endpoints()[0];
	}

	/** A page's text, as the owner reads it. */
	private function text( string $address ): string {
		return self::$owner->get( $address )->text( '//body' );
	}
}
