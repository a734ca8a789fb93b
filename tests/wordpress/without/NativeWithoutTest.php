<?php
/**
 * @package Posthorn\Tests
 */

use PHPUnit\Framework\TestCase;
use Posthorn\Tests\Receiver;

/** Without the extension the CRM sends its webhooks itself, whatever was taken over before. */
final class NativeWithoutTest extends TestCase {

	public function test_a_call_to_a_receiver_that_was_taken_over_goes_out(): void {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/crm/native-record.php';
		$receiver = new Receiver( 'native-without' );
		$url      = $receiver->url();
		posthorn_native_decide( array( 'silenced' => array( posthorn_native_key( $url ) => array( 'url' => $url, 'target' => $url, 'time' => time() ) ), 'dismissed' => array() ) );
		wp_remote_post( $url, array( 'body' => wp_json_encode( array( 'event' => 'deal.won', 'timestamp' => gmdate( 'c' ), 'data' => array( 'deal_id' => 1 ), 'site_url' => home_url() ) ) ) );
		delete_option( POSTHORN_NATIVE_OPTION );
		self::assertSame( array( 'deal.won' ), $receiver->events() );
	}
}
