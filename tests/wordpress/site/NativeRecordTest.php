<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\SiteTestCase;

/** What is remembered of the CRM's own webhooks: bounded, of the right shape, and shown without what opens a receiver. */
final class NativeRecordTest extends SiteTestCase {

	protected function setUp(): void {
		parent::setUp();
		require_once WP_PLUGIN_DIR . '/posthorn/includes/crm/native-webhooks.php';
		$this->forget_everything();
	}

	protected function tearDown(): void {
		$this->forget_everything();
		parent::tearDown();
	}

	public function test_of_many_urls_the_last_called_are_remembered(): void {
		for ( $n = 0; $n < 25; $n++ ) {
			posthorn_native_count( "https://example.com/$n", false );
		}
		posthorn_native_end();
		self::assertCount( POSTHORN_NATIVE_MOST_URLS, posthorn_native_seen() );
		self::assertContains( $this->autoload_of( POSTHORN_NATIVE_SEEN_OPTION ), array( 'no', 'off' ) );
	}

	public function test_whatever_the_options_hold_nothing_breaks(): void {
		foreach ( array( 'text', 7, array( 'silenced' => 'x' ), array( 'silenced' => array( 'k' => 'x' ), 'dismissed' => 7 ), array( 'k' => array( 'url' => array() ) ) ) as $nonsense ) {
			update_option( POSTHORN_NATIVE_OPTION, $nonsense, true );
			update_option( POSTHORN_NATIVE_SEEN_OPTION, $nonsense, false );
			self::assertSame( array(), posthorn_native_decisions()['silenced'] );
			self::assertSame( array(), posthorn_native_seen() );
			posthorn_native_count( 'https://example.com/hook', false );
			posthorn_native_end();
			self::assertCount( 1, posthorn_native_seen() );
		}
		self::assertSame( '', $this->problem() );
	}

	/** URLs and how they are shown. */
	public static function urls(): array {
		return array(
			array( 'https://hooks.zapier.com/hooks/catch/1234567/abcdefg/', 'hooks.zapier.com/hooks/…defg' ),
			array( 'https://hook.eu1.make.com/3kx9vq8r2m5t7w1z4y6u0s', 'hook.eu1.make.com/3kx9…6u0s' ),
			array( 'https://example.com/', 'example.com' ),
			array( 'https://example.com/in?key=secret', 'example.com/in/…' ),
			array( 'http://127.0.0.1:8080/hook/x', '127.0.0.1:8080/hook/…' ),
			array( 'https://example.com/in', 'example.com/in' ),
			array( 'https://example.com/abcdefghijklm', 'example.com/abcd…' ),
			array( 'nonsense', '…' ),
		);
	}

	/** @dataProvider urls */
	public function test_an_address_is_shown_without_what_opens_it( string $url, string $shown ): void {
		self::assertSame( $shown, posthorn_native_short_url( $url ) );
	}

	private function autoload_of( string $option ): ?string {
		global $wpdb;
		return $wpdb->get_var( $wpdb->prepare( "SELECT autoload FROM $wpdb->options WHERE option_name = %s", $option ) );
	}

	private function forget_everything(): void {
		posthorn_native_end();
		delete_option( POSTHORN_NATIVE_OPTION );
		delete_option( POSTHORN_NATIVE_SEEN_OPTION );
	}
}
