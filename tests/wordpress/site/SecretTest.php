<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** Where the secret could show, it does not. */
final class SecretTest extends SiteTestCase {

	public function test_the_secret_is_on_no_page_in_no_log_and_in_no_answer(): void {
		$secret = self::secret();
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 401 ) );
		$this->save_endpoint( array( 'schedule' => array() ) );
		$id = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until( 'it is dead', fn() => 'dead' === $this->delivery_of( $id )['state'] );

		$owner = Visitor::logged_in( 'admin', 'admin' );
		$pages = array(
			'/wp-admin/',
			'/wp-admin/options-general.php?page=posthorn',
			'/wp-admin/options-general.php?page=posthorn&tab=deliveries',
			'/wp-admin/options-general.php?page=posthorn&tab=deliveries&delivery=' . $this->delivery_of( $id )['id'],
			'/wp-admin/site-health.php',
			'/wp-admin/site-health.php?tab=debug',
			'/wp-admin/options.php',
			'/?rest_route=/',
			'/?rest_route=/wp/v2/settings',
		);
		foreach ( $pages as $address ) {
			$page = $owner->get( $address );
			self::assertStringNotContainsString( $secret, $page->html, $address );
			self::assertLessThan( 500, $page->status, $address );
		}
		$logs = array_merge( glob( posthorn_queue_directory() . '/*.log*' ), glob( getenv( 'POSTHORN_BED' ) . '/run/*.log' ) );
		self::assertNotSame( array(), $logs );
		foreach ( array_filter( $logs, 'is_readable' ) as $log ) {
			self::assertStringNotContainsString( $secret, file_get_contents( $log ), $log );
		}
		$attempt = posthorn_client_delivery( $this->delivery_of( $id )['id'] )['attempts_log'][0];
		self::assertStringNotContainsString( $secret, wp_json_encode( $attempt ) );
	}

	public function test_the_plugin_registers_its_option_nowhere_that_rest_shows(): void {
		$registered = get_registered_settings();
		self::assertEmpty( $registered[ POSTHORN_OPTION ]['show_in_rest'] ?? false );
	}

	public function test_a_page_and_the_log_name_no_secret_when_the_engine_refuses_it(): void {
		$secret = "refused-\x01-secret-" . uniqid();
		$form   = posthorn_form_typed( array( 'url' => $this->receiver->url(), 'other_events' => '*', 'allow_private' => '1', 'secret' => $secret ) );
		$told   = implode( ' ', posthorn_form_mistakes( $form ) );
		self::assertNotSame( '', $told );
		self::assertStringNotContainsString( 'refused-', $told );
	}
}
