<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** On a network, each site notices and decides about its own CRM. */
final class NativeNetworkTest extends SiteTestCase {

	private static int $second;

	public static function setUpBeforeClass(): void {
		parent::setUpBeforeClass();
		self::$second = wpmu_create_blog( get_network()->domain, '/native/', 'Native', 1 );
	}

	protected function setUp(): void {
		parent::setUp();
		require_once WP_PLUGIN_DIR . '/posthorn/includes/admin/native-webhooks.php';
		posthorn_native_end();
	}

	protected function tearDown(): void {
		posthorn_native_end();
		foreach ( array( 1, self::$second ) as $site ) {
			switch_to_blog( $site );
			delete_option( POSTHORN_NATIVE_OPTION );
			delete_option( POSTHORN_NATIVE_SEEN_OPTION );
			restore_current_blog();
		}
		parent::tearDown();
	}

	public function test_a_call_counts_and_is_answered_on_its_own_site_only(): void {
		$url = $this->receiver->url();
		$this->save_endpoint();
		posthorn_native_silence( posthorn_native_key( $url ), $url, $url );
		$this->call();
		switch_to_blog( self::$second );
		$this->save_endpoint();
		$this->call();
		$this->call();
		restore_current_blog();
		self::assertCount( 2, $this->receiver->requests(), 'only the first site has taken the receiver over' );

		posthorn_native_end();
		self::assertSame( 1, get_current_blog_id() );
		self::assertSame( array( 0, 1 ), $this->counted() );
		switch_to_blog( self::$second );
		self::assertSame( array( 2, 0 ), $this->counted() );
		restore_current_blog();

		$owner = Visitor::logged_in( 'admin', 'admin' );
		self::assertStringContainsString( 'gets everything twice', $owner->get( '/native/wp-admin/options-general.php?page=posthorn' )->html );
		$page = $owner->get( '/wp-admin/options-general.php?page=posthorn' )->html;
		self::assertStringNotContainsString( 'gets everything twice', $page );
		self::assertStringContainsString( '1 call of the CRM’s own webhook module', $page );
	}

	private function call(): void {
		wp_remote_post( $this->receiver->url(), array( 'body' => wp_json_encode( array( 'event' => 'deal.won', 'timestamp' => gmdate( 'c' ), 'data' => array( 'deal_id' => 1 ), 'site_url' => home_url() ) ) ) );
	}

	private function counted(): array {
		$seen = posthorn_native_seen()[ posthorn_native_key( $this->receiver->url() ) ];
		return array( $seen['sent'], $seen['answered'] );
	}
}
