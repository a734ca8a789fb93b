<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Page;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** What a test sends: of a change, also what changed. */
final class TestEventTest extends SiteTestCase {

	private const NEW  = '/wp-admin/options-general.php?page=posthorn&tab=endpoints&endpoint=new';
	private const FORM = "//form[@id='posthorn-endpoint-form']//input[@name='url']";

	private static Visitor $owner;

	public static function setUpBeforeClass(): void {
		parent::setUpBeforeClass();
		self::$owner = Visitor::logged_in( 'admin', 'admin' );
	}

	protected function setUp(): void {
		parent::setUp();
		require_once WP_PLUGIN_DIR . '/posthorn/includes/trial.php';
	}

	public function test_what_was_typed_is_sent_as_it_is(): void {
		$this->press( 'posthorn_test', array( 'test_event' => 'deal.won', 'test_data' => '{"deal_id": 77001, "more": {}, "none": []}' ) );
		self::assertStringContainsString( '"deal_id":77001,"more":{},"none":[]', $this->receiver->requests()[0]['body'] );
	}

	public function test_a_test_of_a_change_says_what_changed_and_one_of_anything_else_does_not(): void {
		$data = static function ( string $event, ?array $own = null ): array {
			$endpoint = array( 'url' => 'https://receiver.example/', 'format' => 'winnerr', 'secret' => 'x' );
			return json_decode( posthorn_preview( $endpoint, $event, $own )['body'], true )['data'];
		};
		$price = $data( 'property.price_changed' );
		self::assertEquals( array( 'previousPrice' => 750000, 'newPrice' => 725000, 'changeAmount' => -25000, 'changePercentage' => -0.033 ), $price['priceChange'] );
		self::assertEquals( array( array( 'price' ), array( 'price' => 750000 ) ), array( $price['changes'], $price['previousAttributes'] ) );
		self::assertSame( 'Viewing Scheduled', $data( 'deal.stage_changed' )['object']['previousStage'] );
		foreach ( posthorn_client_events() as $event ) {
			$sent = $data( $event['name'] );
			self::assertSame( array_keys( $event['previous'] ) ?: null, $sent['changes'], $event['name'] );
			self::assertEquals( $event['previous'] ?: null, $sent['previousAttributes'], $event['name'] );
		}
		// A name of another system's is the same event.
		self::assertSame( $data( 'deal.won' ), $data( 'deal.closed_won' ) );
		self::assertSame( 412, $data( 'property.inquiry_received' )['object']['property_id'] );
		// Data of one's own: what of it is as before has not changed.
		self::assertSame( array( 'status' ), $data( 'lead.updated', array( 'status' => 'Lost' ) )['changes'] );
		self::assertNull( $data( 'lead.updated', array( 'status' => 'New' ) )['changes'] );
	}

	/** Presses a button of the form. */
	private function press( string $button, array $changes ): Page {
		$usual = array( 'url' => $this->receiver->url(), 'allow_private' => '1', $button => '1' );
		return self::$owner->post( self::NEW, $changes + $usual + self::$owner->get( self::NEW )->fields( self::FORM ) );
	}
}
