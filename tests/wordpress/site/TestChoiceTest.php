<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Page;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** A test with any event and data of one's own, from both forms; and the request, to be looked at. */
final class TestChoiceTest extends SiteTestCase {

	private const FORM = "//input[@name='url']";

	private static Visitor $owner;

	public static function setUpBeforeClass(): void {
		parent::setUpBeforeClass();
		self::$owner = Visitor::logged_in( 'admin', 'admin' );
	}

	protected function tearDown(): void {
		Receiver::reset();
		posthorn_forget_cached_settings();
		$this->save_no_endpoint();
		parent::tearDown();
	}

	public static function forms(): array {
		return array(
			'the first page' => array( '/wp-admin/options-general.php?page=posthorn' ),
			'the endpoint'   => array( '/wp-admin/options-general.php?page=posthorn&tab=endpoints&endpoint=main' ),
		);
	}

	/** @dataProvider forms */
	public function test_any_event_is_tested_with_its_sample_or_data_of_ones_own( string $form ): void {
		$this->save_endpoint( array( 'filters' => array( 'no' => 'such' ) ) );
		$page = $this->press( $form, array( 'test_event' => 'deal.won', 'posthorn_test' => '1' ) );
		self::assertStringContainsString( 'accepted', $page->text_of( 'posthorn-result' ) );
		$this->press( $form, array( 'test_event' => 'bot.created', 'test_data' => '{"bot_id": 7, "price": 1.5, "big": 12345678901234567890}', 'posthorn_test' => '1' ) );
		$requests = $this->receiver->requests();
		self::assertSame( array( 'deal.won', true, 'ok' ), array( $requests[0]['event'], $requests[0]['test'], $requests[0]['signature']['state'] ) );
		self::assertSame( json_decode( wp_json_encode( posthorn_client_sample( 'deal.won' ) ), true )['deal_id'], json_decode( $requests[0]['body'], true )['data']['deal_id'] );
		self::assertSame( array( 'bot.created', '{"bot_id":7,"price":1.5,"big":"12345678901234567890"}' ), array( $requests[1]['event'], wp_json_encode( json_decode( $requests[1]['body'], true )['data'] ) ) );
		self::assertSame( array(), $this->deliveries( array( 'state' => 'pending' ) ) );
	}

	/** @dataProvider forms */
	public function test_the_sample_is_shown_to_be_edited_and_what_was_chosen_stays( string $form ): void {
		$this->save_endpoint();
		$page = $this->press( $form, array( 'test_event' => 'deal.lost', 'posthorn_sample' => '1' ) );
		$data = json_decode( $page->text_of( 'posthorn-test_data' ), true );
		self::assertSame( posthorn_client_sample( 'deal.lost' )['deal_id'], $data['deal_id'] ?? null, $page->text_of( 'posthorn-test_data' ) );
		$fields = $page->fields( self::FORM );
		self::assertSame( 'deal.lost', $fields['test_event'] );
		self::assertCount( 1, $page->find( "//details[@id='posthorn-test-choice'][@open]" ) );
		self::assertSame( $this->receiver->url(), $fields['url'] );
		self::assertSame( array(), $this->receiver->requests(), 'nothing was sent' );
		// Straight from there.
		self::$owner->post( $form, array( 'posthorn_test' => '1' ) + $fields );
		self::assertSame( 'deal.lost', $this->receiver->requests()[0]['event'] );
	}

	/** @dataProvider forms */
	public function test_the_request_is_shown_and_not_sent( string $form ): void {
		$this->save_endpoint();
		$page = $this->press( $form, array( 'test_event' => 'deal.won', 'test_data' => '{"deal_id": 7}', 'posthorn_preview' => '1' ) );
		$said = $page->text_of( 'posthorn-result' );
		self::assertStringContainsString( 'Nothing was sent', $said );
		self::assertStringContainsString( '"data":{"deal_id":7}', $said );
		preg_match( '/X-CRM-Signature: ([0-9a-f]{64})/', $said, $signature );
		preg_match( '/\{"event":.*\}/', $said, $body );
		self::assertSame( hash_hmac( 'sha256', $body[0] ?? '', self::secret() ), $signature[1] ?? null );
		self::assertStringNotContainsString( self::secret(), $page->html );
		self::assertSame( array(), $this->receiver->requests() );
	}

	/** @dataProvider wrong_data */
	public function test_what_is_no_object_is_told_beside_it_and_kept( string $form, string $data, string $says ): void {
		$this->save_endpoint();
		$page = $this->press( $form, array( 'test_event' => 'deal.won', 'test_data' => $data, 'posthorn_test' => '1' ) );
		self::assertMatchesRegularExpression( $says, $page->text_of( 'posthorn-test_data-mistake' ) );
		self::assertSame( $data, $page->text_of( 'posthorn-test_data' ) );
		self::assertSame( array(), $this->receiver->requests() );
		$page = $this->press( $form, array( 'test_event' => 'no.such', 'posthorn_test' => '1' ) );
		self::assertStringContainsString( 'no.such', $page->text_of( 'posthorn-result' ) );
		// A mistake in what is tested keeps nobody from saving.
		$page = $this->press( $form, array( 'test_data' => $data, 'posthorn_save' => '1' ) );
		self::assertCount( 1, $page->find( "//*[contains(@class,'notice-success')]" ), $page->text( "//*[contains(@class,'notice')]" ) );
	}

	public static function wrong_data(): array {
		$wrong = array();
		foreach ( self::forms() as $name => list( $form ) ) {
			$wrong[ "$name: no JSON" ]   = array( $form, '{"deal_id": 7', '/no JSON/' );
			$wrong[ "$name: a list" ]    = array( $form, '[1, 2]', '/object/' );
			$wrong[ "$name: <script>" ]  = array( $form, '<script>alert(1)</script>', '/no JSON/' );
		}
		return $wrong;
	}

	/** Opens the form, changes fields, presses a button. */
	private function press( string $form, array $changes ): Page {
		$page = self::$owner->post( $form, $changes + self::$owner->get( $form )->fields( self::FORM ) );
		posthorn_forget_cached_settings();
		return $page;
	}
}
