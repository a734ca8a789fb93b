<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Page;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** "Test Webhook": works on what is typed, and names what is wrong in words. */
final class WebhookButtonTest extends SiteTestCase {

	private const PAGE = '/wp-admin/options-general.php?page=posthorn';
	private const FORM = "//input[@name='url']";

	private static Visitor $owner;

	public static function setUpBeforeClass(): void {
		parent::setUpBeforeClass();
		self::$owner = Visitor::logged_in( 'admin', 'admin' );
	}

	public function test_a_receiver_that_answers_200_passes(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 200, 'body' => 'thank you' ) );
		$result = $this->result();
		self::assertStringContainsString( 'accepted', $result );
		self::assertStringContainsString( '200 OK', $result );
		self::assertStringContainsString( 'thank you', $result );
		self::assertMatchesRegularExpression( '/Time taken\s*[\d.,]+ m?s/', $result );
		$request = $this->receiver->requests()[0];
		self::assertTrue( $request['test'] );
		self::assertSame( 'test', $request['event'] );
		self::assertSame( 'ok', $request['signature']['state'] );
	}

	public function test_what_is_typed_is_tested_and_nothing_is_stored(): void {
		$this->save_endpoint( array( 'url' => 'https://example.com/stored' ) );
		$stored = get_option( POSTHORN_OPTION );
		self::assertStringContainsString( 'accepted', $this->result( array( 'secret' => 'another-one' ) ) );
		self::assertSame( 'wrong', $this->receiver->requests()[0]['signature']['state'], 'it is signed with what is typed' );
		wp_cache_flush();
		self::assertSame( $stored, get_option( POSTHORN_OPTION ) );
	}

	public function test_the_stored_secret_is_used_where_none_is_typed(): void {
		$this->save_endpoint();
		$this->result( array( 'secret' => '' ) );
		self::assertSame( 'ok', $this->receiver->requests()[0]['signature']['state'] );
	}

	/** How the receiver answers (`clock`: by how many seconds its Date is off), and what the page says. */
	public static function bad_answers(): array {
		return array(
			'500'               => array( array( 'mode' => 'status', 'status' => 500, 'body' => 'oops' ), '/500 Internal Server Error.*at the receiver.*oops/s' ),
			'404'               => array( array( 'mode' => 'status', 'status' => 404 ), '/404 Not Found.*compare the URL/s' ),
			'410'               => array( array( 'mode' => 'status', 'status' => 410 ), '/410 Gone/' ),
			'429'               => array( array( 'mode' => 'status', 'status' => 429 ), '/429 Too Many Requests/' ),
			'a redirect'        => array( array( 'mode' => 'redirect', 'location' => 'https://example.org/new' ), '#redirects to https://example\.org/new#' ),
			'a reset'           => array( array( 'mode' => 'reset' ), '/broke off/' ),
			'no HTTP'           => array( array( 'mode' => 'garbage' ), '/not HTTP/' ),
			'401'               => array( array( 'mode' => 'status', 'status' => 401 ), '/401.*signature.*secret/s' ),
			'401, clock behind' => array(
				array( 'mode' => 'status', 'status' => 401, 'clock' => -420 ),
				'/clock is 7 min(ute)?s behind/',
			),
			'401, clock ahead'  => array(
				array( 'mode' => 'status', 'status' => 401, 'clock' => 11400 ),
				'/clock is 3 hours ahead/',
			),
		);
	}

	/** @dataProvider bad_answers */
	public function test_what_goes_wrong_is_told_in_words( array $rule, string $says ): void {
		if ( isset( $rule['clock'] ) ) {
			// Only now: providers run before the first test.
			$rule['headers'] = array( 'date' => gmdate( 'D, d M Y H:i:s', time() + $rule['clock'] ) . ' GMT' );
		}
		$this->receiver->behave( $rule );
		self::assertMatchesRegularExpression( $says, $this->result() );
	}

	public function test_a_closed_port_is_told_as_refused(): void {
		Receiver::refuse();
		self::assertMatchesRegularExpression( '/could not be reached.*refused/si', $this->result() );
	}

	public function test_a_name_that_does_not_exist_is_told(): void {
		self::assertMatchesRegularExpression( '/no-such-host\.invalid/i', $this->result( array( 'url' => 'https://no-such-host.invalid/hook' ) ) );
	}

	public function test_a_private_address_is_refused_unless_ticked(): void {
		self::assertMatchesRegularExpression( '/private|own network/i', $this->result( array( 'allow_private' => null ) ) );
		self::assertSame( array(), $this->receiver->requests() );
	}

	public function test_of_a_long_answer_200_characters_are_shown_escaped(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 200, 'body' => '<b>é</b>' . str_repeat( 'ü', 500 ) ) );
		$page  = $this->press( array() );
		$shown = $page->text( "//*[@id='posthorn-result']//code" );
		self::assertSame( '<b>é</b>' . str_repeat( 'ü', 192 ), $shown );
		self::assertStringContainsString( '&lt;b&gt;é&lt;/b&gt;', $page->html );
	}

	public function test_a_receiver_that_answers_with_the_secret_does_not_make_the_page_show_more_than_the_answer(): void {
		$page = $this->press( array( 'secret' => 'top-secret-' . uniqid() ) );
		self::assertStringNotContainsString( 'top-secret-', $page->html );
	}

	public function test_a_bad_url_is_told_beside_its_field_and_nothing_is_sent(): void {
		$page = $this->press( array( 'url' => 'ftp://example.com/' ) );
		self::assertNotSame( '', $page->text_of( 'posthorn-url-mistake' ) );
		self::assertStringContainsString( 'not sent', $page->text_of( 'posthorn-result' ) );
		self::assertSame( 'ftp://example.com/', $page->fields( self::FORM )['url'] );
	}

	public function test_no_event_needs_to_be_chosen_for_a_test(): void {
		self::assertStringContainsString( 'accepted', $this->result( array( 'events' => array(), 'other_events' => '' ) ) );
	}

	public function test_the_answer_to_the_script_holds_the_same_result_and_no_secret(): void {
		$fields = $this->fields( array() );
		$page   = self::$owner->post( '/wp-admin/admin-ajax.php', array( 'action' => 'posthorn_test' ) + $fields );
		$answer = json_decode( $page->html, true );
		self::assertTrue( $answer['success'] );
		self::assertStringContainsString( 'accepted', $answer['data']['html'] );
		self::assertSame( array(), $answer['data']['mistakes'] );
		self::assertStringNotContainsString( self::secret(), $page->html );

		$page   = self::$owner->post( '/wp-admin/admin-ajax.php', array( 'action' => 'posthorn_test', 'url' => 'nonsense' ) + $fields );
		$answer = json_decode( $page->html, true );
		self::assertArrayHasKey( 'url', $answer['data']['mistakes'] );
		self::assertStringNotContainsString( self::secret(), $page->html );
	}

	public function test_without_the_nonce_nothing_is_sent(): void {
		$fields = $this->fields( array() );
		unset( $fields['posthorn_nonce'] );
		self::assertSame( 403, self::$owner->post( self::PAGE, array( 'posthorn_test' => '1' ) + $fields )->status );
		self::assertSame( 403, self::$owner->post( '/wp-admin/admin-ajax.php', array( 'action' => 'posthorn_test' ) + $fields )->status );
		self::assertSame( array(), $this->receiver->requests() );
	}

	/** The form as it is after changes; null removes a field. */
	private function fields( array $changes ): array {
		return array_filter(
			$changes + array(
				'url'           => $this->receiver->url(),
				'secret'        => self::secret(),
				'allow_private' => '1',
			) + self::$owner->get( self::PAGE )->fields( self::FORM ),
			static fn( $value ) => null !== $value
		);
	}

	private function press( array $changes ): Page {
		return self::$owner->post( self::PAGE, $this->fields( $changes ) + array( 'posthorn_test' => 'Test Webhook' ) );
	}

	private function result( array $changes = array() ): string {
		return $this->press( $changes )->text_of( 'posthorn-result' );
	}
}
