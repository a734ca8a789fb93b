<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Api;
use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** A network: no door shows or changes what is another site's. */
final class RestNetworkTest extends SiteTestCase {

	private static int $second;

	public static function setUpBeforeClass(): void {
		parent::setUpBeforeClass();
		self::$second = wpmu_create_blog( get_network()->domain, '/second-doors/', 'Second', 1 );
	}

	protected function tearDown(): void {
		while ( ms_is_switched() ) {
			restore_current_blog();
		}
		$this->save_no_endpoint();
		parent::tearDown();
	}

	public function test_a_delivery_of_another_site_is_neither_shown_nor_changed(): void {
		$this->save_endpoint();
		switch_to_blog( self::$second );
		$this->save_endpoint();
		$event = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until_sent();
		$id = $this->delivery_of( $event )['id'];
		restore_current_blog();
		$api = Api::administrator();
		self::assertSame( 404, $api->get( "/deliveries/$id" )[0] );
		self::assertSame( array(), $api->get( '/deliveries', array( 'event_id' => $event ) )[1]['data'] );
		self::assertSame( '0', $api->headers['x-wp-total'] );
		self::assertSame( 404, $api->post( "/deliveries/$id/replay" )[0] );
		foreach ( array( array( 'event_id' => $event ), compact( 'id' ) ) as $filter ) {
			self::assertSame( array( 200, array( 'replayed' => 0 ) ), $api->post( '/replay', $filter + array( 'state' => 'delivered' ) ) );
		}
		self::assertSame( 1, Command::wp( 'posthorn', 'delivery', 'get', $id )->status );
		$there = Command::wp( '--url=' . get_home_url( self::$second ), 'posthorn', 'delivery', 'get', $id, '--field=state' );
		self::assertSame( array( 0, "delivered\n" ), array( $there->status, $there->output ), $there->errors );
	}

	public function test_a_webhook_of_another_site_is_neither_shown_tested_changed_nor_deleted(): void {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/endpoints.php';
		switch_to_blog( self::$second );
		$this->save_endpoint( array( 'id' => 'theirs', 'headers' => array( 'X-Key' => 'theirs-alone' ) ) );
		$event = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->receiver->wait_for( 1 );
		$this->wait_until_sent();
		restore_current_blog();
		$api = Api::administrator();
		self::assertSame( array( 404, 404, 404 ), array( $api->get( '/webhooks/theirs' )[0], $api->patch( '/webhooks/theirs', array( 'enabled' => false ) )[0], $api->delete( '/webhooks/theirs' )[0] ) );
		self::assertSame( array( 404, 404 ), array( $api->post( '/webhooks/theirs/test' )[0], $api->get( '/webhooks/theirs/logs' )[0] ) );
		self::assertSame( 400, $api->post( '/preview', array( 'webhook' => 'theirs' ) )[0] );
		self::assertSame( array( 200, array() ), array( $api->get( '/deliveries', array( 'endpoint' => 'theirs' ) )[0], $api->get( '/deliveries', array( 'endpoint' => 'theirs' ) )[1]['data'] ) );
		self::assertSame( array( 200, array( 'replayed' => 0 ) ), $api->post( '/replay', array( 'endpoint' => 'theirs', 'state' => 'delivered' ) ) );
		// Nor by naming a site.
		self::assertSame( 400, $api->post( '/replay', array( 'site' => (string) self::$second, 'state' => 'delivered' ) )[0] );
		self::assertSame( 400, $api->post( '/webhooks', array( 'url' => 'https://example.com/', 'site' => (string) self::$second ) )[0] );
		// One of the same name here is another one.
		self::assertSame( 201, $api->post( '/webhooks', array( 'id' => 'theirs', 'url' => 'https://example.com/' ) )[0] );
		self::assertSame( 200, $api->delete( '/webhooks/theirs' )[0] );
		switch_to_blog( self::$second );
		self::assertSame( 'active', posthorn_endpoint_standing()['theirs']['state'] );
		self::assertSame( 'delivered', $this->delivery_of( $event )['state'] );
		self::assertCount( 1, $this->receiver->requests() );
	}

	public function test_a_sites_owner_may_manage_webhooks_and_not_the_servers_network(): void {
		$owner = username_exists( 'doors-owner' ) ?: wp_insert_user( array( 'user_login' => 'doors-owner', 'user_pass' => 'doors-owner' ) );
		add_user_to_blog( get_main_site_id(), $owner, 'administrator' );
		$api = Api::user( $owner );
		list( $status, $error ) = $api->post( '/webhooks', array( 'url' => $this->receiver->url(), 'allow_private' => true ) );
		self::assertSame( array( 400, true ), array( $status, str_contains( $error['message'], 'allow_private' ) ), json_encode( $error ) );
		list( $status, $error ) = $api->post( '/test', array( 'url' => $this->receiver->url(), 'allow_private' => true ) );
		self::assertSame( array( 400, true ), array( $status, str_contains( $error['message'], 'allow_private' ) ), json_encode( $error ) );
		self::assertSame( 201, $api->post( '/webhooks', array( 'url' => 'https://example.com/' ) )[0] );
		self::assertSame( array(), $this->receiver->requests() );
	}

	public function test_a_sites_owner_sees_what_is_the_servers_in_the_form_and_cannot_change_it(): void {
		$owner = username_exists( 'doors-owner' ) ?: wp_insert_user( array( 'user_login' => 'doors-owner', 'user_pass' => 'doors-owner' ) );
		add_user_to_blog( get_main_site_id(), $owner, 'administrator' );
		require_once WP_PLUGIN_DIR . '/posthorn/includes/endpoints.php';
		$theirs = array( 'ca' => '/etc/ssl/own.pem', 'client_cert' => '/etc/ssl/client.pem', 'proxy' => 'http://me:hidden@proxy.internal:3128', 'allow_private' => array( '10.0.8.0/24' ) );
		$added  = posthorn_add_endpoint( array( 'id' => 'servers', 'url' => 'https://example.com/', 'max_body_bytes' => 65536 ) + $theirs );
		self::assertIsArray( $added, is_wp_error( $added ) ? $added->get_error_message() : '' );
		$visitor = Visitor::logged_in( 'doors-owner', 'doors-owner' );
		$address = '/wp-admin/options-general.php?page=posthorn&tab=endpoints&endpoint=servers';
		$page    = $visitor->get( $address );
		foreach ( array( 'private_addresses', 'proxy', 'ca', 'client_cert' ) as $field ) {
			self::assertCount( 1, $page->find( "//input[@id='posthorn-$field'][@disabled]" ), $field );
		}
		self::assertStringNotContainsString( 'hidden', $page->text( "//input[@id='posthorn-proxy']/@value" ) );
		$forged = array( 'max_body_bytes' => '1 MB', 'ca' => '/etc/passwd', 'client_cert' => '/etc/passwd', 'proxy' => 'http://elsewhere.example:3128', 'private_addresses' => '0.0.0.0/0', 'allow_private' => '1' );
		$visitor->post( $address, $forged + array( 'posthorn_save' => '1' ) + $page->fields( "//input[@name='url']" ) );
		posthorn_forget_cached_settings();
		$now = posthorn_for_queue( posthorn_stored_endpoint( posthorn_settings(), 'servers' ) );
		self::assertSame( 1000000, $now['max_body_bytes'], 'what is the owner’s is saved' );
		self::assertSame( $theirs, array_intersect_key( array_replace( $theirs, $now ), $theirs ) );
	}
}
