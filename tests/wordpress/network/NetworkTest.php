<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** A network: one queue, and each site with its own settings and deliveries. */
final class NetworkTest extends SiteTestCase {

	private static int $second;
	private Receiver $other;

	public static function setUpBeforeClass(): void {
		parent::setUpBeforeClass();
		self::$second = wpmu_create_blog( get_network()->domain, '/second/', 'Second', 1 );
	}

	protected function setUp(): void {
		parent::setUp();
		$this->other = new Receiver( 'other-site' );
	}

	protected function tearDown(): void {
		while ( ms_is_switched() ) {
			restore_current_blog();
		}
		parent::tearDown();
	}

	public function test_each_site_has_its_own_settings(): void {
		$this->save_endpoint( array( 'events' => array( 'deal.won' ) ) );
		switch_to_blog( self::$second );
		self::assertSame( array(), posthorn_settings()['endpoints'] );
		$this->save_endpoint( array( 'url' => $this->other->url() ) );
		restore_current_blog();
		self::assertSame( array( 'deal.won' ), posthorn_main_endpoint( posthorn_settings() )['events'] );
	}

	public function test_an_event_goes_to_the_receiver_of_its_site_only(): void {
		$this->save_both();
		posthorn_dispatch( 'deal.won', array( 'site' => 1 ) );
		switch_to_blog( self::$second );
		posthorn_dispatch( 'deal.lost', array( 'site' => 2 ) );
		restore_current_blog();
		$this->receiver->wait_for( 1 );
		$this->other->wait_for( 1 );
		$this->wait_until_sent();
		self::assertSame( array( 'deal.won' ), $this->receiver->events() );
		self::assertSame( array( 'deal.lost' ), $this->other->events() );
		$body = json_decode( $this->other->requests()[0]['body'], true );
		self::assertStringEndsWith( '/second', untrailingslashit( $body['site_url'] ) );
	}

	public function test_a_crm_change_on_a_switched_site_is_that_sites_event(): void {
		$this->save_both();
		switch_to_blog( self::$second );
		wpestate_crm_install();
		$contact = wpestate_crm_insert_contact( array( 'first_name' => 'Ada', 'zipcode' => '02139' ) );
		restore_current_blog();
		$this->other->wait_for( 1 );
		$this->wait_until_sent();
		self::assertSame( array(), $this->receiver->events() );
		$data = json_decode( $this->other->requests()[0]['body'], true )['data'];
		self::assertSame( array( $contact, '02139' ), array( $data['contact_id'], $data['zipcode'] ) );
	}

	public function test_a_site_sees_its_own_deliveries_only(): void {
		$this->save_both();
		switch_to_blog( self::$second );
		$id       = posthorn_dispatch( 'deal.lost', array( 'site' => 2 ) );
		$delivery = $this->delivery_of( $id )['id'];
		self::assertNotNull( posthorn_client_delivery( $delivery ) );
		restore_current_blog();
		self::assertNull( posthorn_client_delivery( $delivery ) );
		self::assertNull( $this->delivery_of( $id ) );
		$owner = Visitor::logged_in( 'admin', 'admin' );
		$page  = "/wp-admin/options-general.php?page=posthorn&tab=deliveries&delivery=$delivery";
		self::assertStringContainsString( 'no such delivery', $owner->get( $page )->html );
		self::assertStringContainsString( 'deal.lost', $owner->get( "/second$page" )->html );
	}

	public function test_the_numbers_on_a_sites_page_are_its_own(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$this->save_endpoint( array( 'schedule' => array() ) );
		$id = posthorn_dispatch( 'deal.won', array( 'site' => 1 ) );
		$this->wait_until( 'it is dead', fn() => 'dead' === $this->delivery_of( $id )['state'] );
		switch_to_blog( self::$second );
		$this->save_endpoint( array( 'url' => $this->other->url() ) );
		restore_current_blog();
		$owner = Visitor::logged_in( 'admin', 'admin' );
		self::assertStringContainsString( 'nothing has failed', $owner->get( '/second/wp-admin/options-general.php?page=posthorn' )->html );
		self::assertStringContainsString( 'failed for good', $owner->get( '/wp-admin/options-general.php?page=posthorn' )->html );
		self::assertStringContainsString( 'Failed <span class="count">(0)', $owner->get( '/second/wp-admin/options-general.php?page=posthorn&tab=deliveries' )->html );
	}

	public function test_the_settings_page_of_a_site_saves_that_sites_settings(): void {
		$this->save_both();
		$owner  = Visitor::logged_in( 'admin', 'admin' );
		$fields = $owner->get( '/second/wp-admin/options-general.php?page=posthorn' )->fields( "//input[@name='url']" );
		self::assertSame( $this->other->url(), $fields['url'] );
		$owner->post( '/second/wp-admin/options-general.php?page=posthorn', array( 'url' => $this->other->url() . '/new', 'posthorn_save' => '1' ) + $fields );
		wp_cache_flush();
		self::assertSame( $this->receiver->url(), posthorn_main_endpoint( posthorn_settings() )['url'] );
		switch_to_blog( self::$second );
		self::assertSame( $this->other->url() . '/new', posthorn_main_endpoint( posthorn_settings() )['url'] );
	}

	public function test_only_the_networks_administrator_allows_a_private_receiver_and_that_one_alone(): void {
		$page = '/second/wp-admin/options-general.php?page=posthorn';
		switch_to_blog( self::$second );
		$this->save_no_endpoint();
		$user = username_exists( 'second-owner' ) ?: wp_create_user( 'second-owner', 'second-owner', 'second-owner@example.com' );
		add_user_to_blog( self::$second, $user, 'administrator' );
		restore_current_blog();
		$owner = Visitor::logged_in( 'second-owner', 'second-owner' );
		$save  = function ( Visitor $who, array $typed ) use ( $page ): array {
			$fields = $who->get( $page )->fields( "//input[@name='url']" );
			$who->post( $page, $typed + array( 'events' => array( 'deal.won' ), 'posthorn_save' => '1' ) + $fields );
			wp_cache_flush();
			switch_to_blog( self::$second );
			$saved = posthorn_main_endpoint( posthorn_settings() );
			restore_current_blog();
			return array( $saved['url'], $saved['allow_private'] );
		};

		// The site's owner sees that the box is not theirs, and a forged tick changes nothing.
		$html = $owner->get( $page )->html;
		self::assertMatchesRegularExpression( '/name="allow_private"[^>]*disabled/', $html );
		self::assertStringContainsString( 'Only the network’s administrator', $html );
		$url = $this->other->url();
		self::assertSame( array( $url, false ), $save( $owner, array( 'url' => $url, 'allow_private' => '1' ) ) );
		$fields = $owner->get( $page )->fields( "//input[@name='url']" );
		$tested = $owner->post( $page, array( 'allow_private' => '1', 'posthorn_test' => '1' ) + $fields )->html;
		self::assertStringContainsString( 'the network’s administrator allows it', $tested );
		self::assertSame( array(), $this->other->requests() );

		// The network's does allow it, for that host and port.
		self::assertSame( array( $url, true ), $save( Visitor::logged_in( 'admin', 'admin' ), array( 'url' => $url, 'allow_private' => '1' ) ) );
		self::assertSame( array( "$url/moved", true ), $save( $owner, array( 'url' => "$url/moved" ) ) );
		self::assertStringContainsString( 'accepted', $owner->post( $page, array( 'posthorn_test' => '1' ) + $owner->get( $page )->fields( "//input[@name='url']" ) )->html );
		self::assertSame( array( 'http://127.0.0.1:1/', false ), $save( $owner, array( 'url' => 'http://127.0.0.1:1/', 'allow_private' => '1' ) ) );
		// What was lost with the other address does not come back with the first.
		self::assertSame( array( $url, false ), $save( $owner, array( 'url' => $url, 'allow_private' => '1' ) ) );
	}

	public function test_the_administrator_of_a_site_that_was_just_added_gets_in_and_only_the_networks_sets_what_is_the_servers(): void {
		$site = wpmu_create_blog( get_network()->domain, '/fourth/', 'Fourth', 1 );
		$user = username_exists( 'fourth-owner' ) ?: wp_create_user( 'fourth-owner', 'fourth-owner', 'fourth-owner@example.com' );
		add_user_to_blog( $site, $user, 'administrator' );
		$owner = Visitor::logged_in( 'fourth-owner', 'fourth-owner' );
		self::assertSame( 200, $owner->get( '/fourth/wp-admin/options-general.php?page=posthorn&tab=endpoints' )->status );
		switch_to_blog( $site );
		wp_set_current_user( $user );
		require_once WP_PLUGIN_DIR . '/posthorn/includes/endpoints.php';
		foreach ( array( 'allow_private' => true, 'ca' => '/etc/hostname', 'client_cert' => '/etc/hostname', 'proxy' => 'http://127.0.0.1:1' ) as $key => $value ) {
			$answer = posthorn_add_endpoint( array( 'url' => 'https://example.com/', $key => $value ) );
			self::assertStringContainsString( 'network’s administrator', is_wp_error( $answer ) ? $answer->get_error_data()['mistakes'][ $key ] : 'it was stored', $key );
		}
		wp_set_current_user( 1 );
		$added = posthorn_add_endpoint( array( 'url' => $this->other->url(), 'allow_private' => true ) );
		self::assertTrue( $added['allow_private'] );
		wp_set_current_user( $user );
		self::assertTrue( posthorn_change_endpoint( $added['id'], array( 'url' => $this->other->url() . '?moved' ) )['allow_private'], 'the same host and port' );
		self::assertFalse( posthorn_change_endpoint( $added['id'], array( 'url' => 'http://127.0.0.1:1/' ) )['allow_private'] );
		restore_current_blog();
		wp_delete_site( $site );
	}

	public function test_a_deleted_site_sends_no_more(): void {
		$site = wpmu_create_blog( get_network()->domain, '/third/', 'Third', 1 );
		switch_to_blog( $site );
		$this->save_endpoint( array( 'url' => $this->other->url() ) );
		posthorn_dispatch( 'deal.won', array( 'site' => 3 ) );
		$this->other->wait_for( 1 );
		restore_current_blog();
		wp_delete_site( $site );
		self::assertSame( array(), posthorn_queue()->endpoints( (string) $site ) );
	}

	private function save_both(): void {
		$this->save_endpoint();
		switch_to_blog( self::$second );
		$this->save_endpoint( array( 'url' => $this->other->url() ) );
		restore_current_blog();
	}
}
