<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Api;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;

/** posthorn/v1 events, formats, test, preview. */
final class RestCatalogueTest extends SiteTestCase {

	private Api $api;

	protected function setUp(): void {
		parent::setUp();
		$this->api = Api::administrator();
	}

	protected function tearDown(): void {
		Receiver::reset();
		parent::tearDown();
	}

	public function test_the_catalogue_is_listed_narrowed_and_found_by_any_name(): void {
		list( $status, $all ) = $this->api->get( '/events' );
		self::assertSame( 200, $status );
		self::assertSame( (string) count( posthorn_client_events() ), $this->api->headers['x-wp-total'] );
		self::assertContains( 'deal.won', array_column( $all['data'], 'name' ) );
		list( , $contacts ) = $this->api->get( '/events', array( 'group' => 'Contacts', 'source' => 'crm' ) );
		self::assertSame( array( array( 'Contacts' ), array( 'crm' ) ), array( array_values( array_unique( array_column( $contacts['data'], 'group' ) ) ), array_values( array_unique( array_column( $contacts['data'], 'source' ) ) ) ) );
		self::assertSame( 'deal.won', $this->api->get( '/events/deal.closed_won' )[1]['name'] );
		self::assertSame( 7, $this->api->get( '/events/contact.created' )[1]['sample']['contact_id'] );
		self::assertSame( 404, $this->api->get( '/events/no.such' )[0] );
	}

	public function test_the_formats_are_listed_and_shown(): void {
		list( $status, $formats ) = $this->api->get( '/formats' );
		self::assertSame( array( 200, 'wpresidence' ), array( $status, $formats['data'][0]['name'] ) );
		self::assertSame( 'X-Winnerr-Signature', $this->api->get( '/formats/winnerr' )[1]['signature_header'] );
		list( $status, $error ) = $this->api->get( '/formats/morse' );
		self::assertSame( array( 404, true ), array( $status, str_contains( $error['message'], 'wpresidence' ) ) );
	}

	public function test_any_event_goes_to_any_url_signed_like_the_real_one(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 202, 'body' => 'thanks' ) );
		list( $status, $result ) = $this->api->post( '/test', array( 'url' => $this->receiver->url(), 'secret' => self::secret(), 'event' => 'deal.won', 'data' => array( 'deal_id' => 42 ), 'allow_private' => true ) );
		self::assertSame( array( 200, true, 202 ), array( $status, $result['ok'], $result['status'] ), json_encode( $result ) );
		$request = $this->receiver->requests()[0];
		self::assertSame( array( 'deal.won', 'ok', true ), array( $request['event'], $request['signature']['state'], $request['test'] ) );
		self::assertSame( array( 'deal_id' => 42 ), json_decode( $request['body'], true )['data'] );
		self::assertStringNotContainsString( self::secret(), json_encode( $result ) );
	}

	public function test_a_test_that_fails_is_an_answer_and_not_an_error(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		list( $status, $result ) = $this->api->post( '/test', array( 'url' => $this->receiver->url(), 'allow_private' => true ) );
		self::assertSame( array( 200, false, 500 ), array( $status, $result['ok'], $result['status'] ) );
		list( $status, $result ) = $this->api->post( '/test', array( 'url' => $this->receiver->url() ) );
		self::assertSame( array( 200, false, null ), array( $status, $result['ok'], $result['status'] ), 'a private address' );
		self::assertStringContainsString( 'allow_private', $result['advice'] );
	}

	/** @dataProvider wrong_tests */
	public function test_a_wrong_test_names_what_is_wrong( array $sent, string $says ): void {
		$this->save_endpoint();
		list( $status, $error ) = $this->api->post( '/test', $sent );
		self::assertSame( 400, $status, json_encode( $error ) );
		self::assertMatchesRegularExpression( $says, $error['message'] . json_encode( $error['data'] ) );
	}

	public static function wrong_tests(): array {
		return array(
			'a URL that is none'          => array( array( 'url' => 'nonsense' ), '/url/' ),
			'an unknown event'            => array( array( 'url' => 'https://example.com/', 'event' => 'no.such' ), '/no\.such/' ),
			'an unknown format'           => array( array( 'url' => 'https://example.com/', 'format' => 'morse' ), '/format.*wpresidence/' ),
			'an unknown webhook'          => array( array( 'webhook' => 'nobody' ), '/webhook.*nobody/' ),
			'a saved one at another URL'  => array( array( 'webhook' => 'main', 'url' => 'https://example.com/' ), '/url/' ),
			'a saved one with a header'   => array( array( 'webhook' => 'main', 'headers' => array( 'X-Key' => '1' ) ), '/headers/' ),
			'an argument that is none'    => array( array( 'uri' => 'https://example.com/' ), '/uri/' ),
			'a URL that is not text'      => array( array( 'url' => array( 'a' ) ), '/url/' ),
		);
	}

	public function test_a_preview_is_what_a_test_sends_and_sends_nothing(): void {
		$this->save_endpoint( array( 'headers' => array( 'X-Key' => 'header-' . self::secret() ) ) );
		list( $status, $preview ) = $this->api->post( '/preview', array( 'webhook' => 'main', 'event' => 'contact.created' ) );
		self::assertSame( array( 200, $this->receiver->url() ), array( $status, $preview['url'] ) );
		self::assertSame( hash_hmac( 'sha256', $preview['body'], self::secret() ), $preview['headers']['X-CRM-Signature'] );
		self::assertSame( 'contact.created', json_decode( $preview['body'], true )['event'] );
		self::assertStringNotContainsString( self::secret(), json_encode( $preview ) );
		self::assertSame( array(), $this->receiver->requests() );
		list( , $stripe ) = $this->api->post( '/preview', array( 'url' => 'https://example.com/', 'format' => 'stripe', 'secret' => 'whsec_' . str_repeat( 'a', 32 ) ) );
		self::assertMatchesRegularExpression( '/^t=\d+,v1=[0-9a-f]{64}$/', $stripe['headers']['Stripe-Signature'] );
	}
}
