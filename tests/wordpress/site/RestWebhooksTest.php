<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Api;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;

/** posthorn/v1 webhooks: the fields that Winnerr's API documents, from outside. */
final class RestWebhooksTest extends SiteTestCase {

	private const SECRET = 'a-secret-that-may-not-leave-through-any-door';

	private Api $api;

	protected function setUp(): void {
		parent::setUp();
		$this->api = Api::administrator();
		$this->begin_without_endpoint();
	}

	protected function tearDown(): void {
		$this->leave_no_endpoint();
		parent::tearDown();
	}

	public function test_one_is_created_live_at_once_and_shown_without_its_secret(): void {
		$sent = array(
			'url'           => $this->receiver->url(),
			'events'        => array( 'deal.*', 'contact.created' ),
			'secret'        => self::SECRET,
			'description'   => 'Warehouse',
			'filters'       => array( 'value' => array( 'gte' => 250000 ) ),
			'headers'       => array( 'X-Key' => self::SECRET ),
			'allow_private' => true,
		);
		list( $status, $created ) = $this->api->post( '/webhooks', $sent );
		self::assertSame( 201, $status, json_encode( $created ) );
		self::assertStringEndsWith( '/webhooks/' . $created['id'], rawurldecode( $this->api->headers['location'] ) );
		foreach ( array( 'url', 'events', 'description', 'filters' ) as $field ) {
			self::assertSame( $sent[ $field ], $created[ $field ], $field );
		}
		self::assertSame( array( true, 'wpresidence', 'active', 0 ), array( $created['enabled'], $created['format'], $created['state'], $created['waiting'] ) );
		self::assertEqualsWithDelta( time(), strtotime( $created['createdAt'] ), 60 );
		self::assertArrayNotHasKey( 'secret', $created );
		self::assertSame( array( 'X-Key' => '********' ), $created['headers'] );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1, 'value' => 300000 ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 2, 'value' => 100 ) );
		posthorn_dispatch( 'task.completed', array( 'task_id' => 3 ) );
		$request = $this->receiver->wait_for( 1 )[0];
		$this->wait_until_sent();
		self::assertCount( 1, $this->receiver->requests() );
		self::assertSame( hash_hmac( 'sha256', $request['body'], self::SECRET ), array_change_key_case( $request['headers'] )['x-crm-signature'] );
		list( , $list ) = $this->api->get( '/webhooks' );
		self::assertSame( array( $created['id'] ), array_column( $list['data'], 'id' ) );
		self::assertSame( array( '1', '1' ), array( $this->api->headers['x-wp-total'], $this->api->headers['x-wp-totalpages'] ) );
		foreach ( Api::$exchanges as $exchange ) {
			self::assertStringNotContainsString( self::SECRET, json_encode( $exchange['body'] ), "{$exchange['method']} {$exchange['path']}" );
		}
	}

	public function test_several_are_listed_by_page(): void {
		foreach ( array( 'a', 'b', 'c' ) as $id ) {
			self::assertSame( 201, $this->api->post( '/webhooks', compact( 'id' ) + array( 'url' => "https://example.com/$id" ) )[0] );
		}
		list( , $page ) = $this->api->get( '/webhooks', array( 'per_page' => 2, 'page' => 2 ) );
		self::assertSame( array( 'c' ), array_column( $page['data'], 'id' ) );
		self::assertSame( array( '3', '2' ), array( $this->api->headers['x-wp-total'], $this->api->headers['x-wp-totalpages'] ) );
		self::assertStringContainsString( 'rel="prev"', $this->api->headers['link'] );
		list( $status, $error ) = $this->api->post( '/webhooks', array( 'id' => 'b', 'url' => 'https://example.com/' ) );
		self::assertSame( array( 400, true ), array( $status, str_contains( $error['message'], 'b' ) ) );
	}

	public function test_one_is_changed_in_part_and_what_was_answered_can_be_given_back(): void {
		list( , $created ) = $this->api->post( '/webhooks', array( 'id' => 'one', 'url' => 'https://example.com/', 'secret' => self::SECRET, 'timeout' => 7, 'headers' => array( 'X-Key' => self::SECRET ) ) );
		list( $status, $changed ) = $this->api->patch( '/webhooks/one', array( 'enabled' => false, 'description' => 'Off' ) );
		self::assertSame( array( 200, false, 'Off', 7 ), array( $status, $changed['enabled'], $changed['description'], $changed['timeout'] ), json_encode( $changed ) );
		self::assertSame( 'disabled', $changed['state'] );
		list( $status, $again ) = $this->api->ask( 'PUT', '/webhooks/one', array(), array( 'enabled' => true ) + $changed );
		self::assertSame( array( 200, true ), array( $status, $again['enabled'] ), json_encode( $again ) );
		self::assertSame( array_diff_key( $created, array_flip( array( 'updatedAt', 'description' ) ) ), array_diff_key( $again, array_flip( array( 'updatedAt', 'description' ) ) ) );
		$stored = posthorn_for_queue( posthorn_stored_endpoint( posthorn_settings(), 'one' ) );
		self::assertSame( array( self::SECRET, array( 'X-Key' => self::SECRET ) ), array( $stored['secret'], $stored['headers'] ) );
		self::assertNull( $this->api->patch( '/webhooks/one', array( 'timeout' => null ) )[1]['timeout'] );
		list( $status, $elsewhere ) = $this->api->patch( '/webhooks/one', array( 'id' => 'two' ) );
		self::assertSame( array( 200, 'one' ), array( $status, $elsewhere['id'] ), 'an id stays' );
		self::assertSame( 404, $this->api->patch( '/webhooks/nobody', array( 'enabled' => true ) )[0] );
	}

	public function test_a_secret_is_rotated_with_an_end(): void {
		$until = gmdate( 'Y-m-d\TH:i:s\Z', time() + 3600 );
		$this->api->post( '/webhooks', array( 'id' => 'one', 'url' => $this->receiver->url(), 'allow_private' => true, 'format' => 'stripe', 'secret' => 'whsec_' . self::SECRET ) );
		list( $status, $changed ) = $this->api->patch( '/webhooks/one', array( 'secret' => 'whsec_new-' . self::SECRET, 'keep_secrets_until' => $until ) );
		self::assertSame( array( 200, 2 ), array( $status, count( $changed['secrets'] ) ), json_encode( $changed ) );
		self::assertNull( $changed['secrets'][0]['until'] );
		self::assertSame( strtotime( $until ), strtotime( $changed['secrets'][1]['until'] ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		self::assertSame( 2, substr_count( array_change_key_case( $this->receiver->wait_for( 1 )[0]['headers'] )['stripe-signature'], 'v1=' ) );
	}

	/** @dataProvider wrong_webhooks */
	public function test_what_is_wrong_is_named_and_nothing_is_stored( array $sent, string $says ): void {
		list( $status, $error ) = $this->api->post( '/webhooks', $sent );
		self::assertSame( 400, $status, json_encode( $error ) );
		self::assertMatchesRegularExpression( $says, $error['message'] . json_encode( $error['data'], JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) );
		self::assertStringNotContainsString( self::SECRET, json_encode( $error ) );
		self::assertSame( array(), $this->api->get( '/webhooks' )[1]['data'] );
	}

	public static function wrong_webhooks(): array {
		$url = array( 'url' => 'https://example.com/' );
		return array(
			'no URL'              => array( array( 'events' => array( '*' ) ), '/url/' ),
			'a URL that is none'  => array( array( 'url' => 'nonsense' ), '/url/' ),
			'a URL not of https'  => array( array( 'url' => 'http://example.com/', 'format' => 'winnerr', 'secret' => self::SECRET ), '/url.*https/' ),
			'an unknown event'    => array( $url + array( 'events' => array( 'no.such' ) ), '/events.*no\.such/' ),
			'an unknown format'   => array( $url + array( 'format' => 'morse' ), '/format.*morse/' ),
			'enabled as a word'   => array( $url + array( 'enabled' => 'perhaps' ), '/enabled/' ),
			'filters as a word'   => array( $url + array( 'filters' => 'vip' ), '/filters/' ),
			'a timeout too long'  => array( $url + array( 'timeout' => 9999 ), '/timeout/' ),
			'an unknown field'    => array( $url + array( 'colour' => 'red', 'secret' => self::SECRET ), '/colour/' ),
			'no secret'           => array( $url + array( 'format' => 'winnerr' ), '/secret/' ),
			'a secret of a number' => array( $url + array( 'secret' => array( 'secret' => array( self::SECRET ) ) ), '/secret/' ),
		);
	}

	public function test_one_is_deleted_and_what_waits_is_cancelled_or_sent_first(): void {
		foreach ( array( 'cancel', 'send' ) as $waiting ) {
			$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
			list( , $created ) = $this->api->post( '/webhooks', array( 'id' => $waiting, 'url' => $this->receiver->url(), 'allow_private' => true ) );
			$event             = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
			$this->wait_until( 'it has failed once', fn() => 1 === ( $this->delivery_of( $event )['attempts'] ?? 0 ) );
			list( $status, $answer ) = $this->api->delete( "/webhooks/$waiting", compact( 'waiting' ) );
			self::assertSame( array( 200, 'cancel' === $waiting, $created['id'] ), array( $status, $answer['deleted'], $answer['previous']['id'] ), json_encode( $answer ) );
			$this->receiver->behave( array( 'mode' => 'ok' ) );
			posthorn_client_hurry();
			$this->wait_until( 'it is settled', fn() => 'pending' !== $this->delivery_of( $event )['state'] );
			self::assertSame( 'cancel' === $waiting ? 'cancelled' : 'delivered', $this->delivery_of( $event )['state'] );
			$this->wait_until( 'it is gone', fn() => array() === $this->api->get( '/webhooks' )[1]['data'] );
			self::assertSame( 404, $this->api->delete( "/webhooks/$waiting" )[0] );
		}
	}

	public function test_one_is_tested_with_an_event_and_data_of_ones_own(): void {
		$this->api->post( '/webhooks', array( 'id' => 'one', 'url' => $this->receiver->url(), 'allow_private' => true, 'secret' => self::secret(), 'events' => array( 'contact.created' ), 'filters' => array( 'x' => 1 ) ) );
		list( $status, $result ) = $this->api->post( '/webhooks/one/test', array( 'event' => 'deal.won', 'data' => array( 'deal_id' => 42 ) ) );
		self::assertSame( array( 200, true, 200 ), array( $status, $result['ok'], $result['status'] ), json_encode( $result ) );
		$request = $this->receiver->requests()[0];
		self::assertSame( array( 'deal.won', 'ok', array( 'deal_id' => 42 ) ), array( $request['event'], $request['signature']['state'], json_decode( $request['body'], true )['data'] ) );
		self::assertSame( 404, $this->api->post( '/webhooks/nobody/test' )[0] );
	}

	public function test_the_log_has_the_documented_fields_and_is_narrowed_by_status_and_day(): void {
		$this->api->post( '/webhooks', array( 'id' => 'one', 'url' => $this->receiver->url(), 'allow_private' => true, 'schedule' => array( 300 ) ) );
		$good = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until_sent();
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 503 ) );
		$bad = posthorn_dispatch( 'deal.lost', array( 'deal_id' => 2 ) );
		$this->wait_until( 'it has failed once', fn() => 1 === ( $this->delivery_of( $bad )['attempts'] ?? 0 ) );
		list( $status, $log ) = $this->api->get( '/webhooks/one/logs', array( 'per_page' => 2 ) );
		self::assertSame( 200, $status );
		$waits = $log['data'][0];
		self::assertSame( array( $this->delivery_of( $bad )['id'], 'deal.lost', 'pending', 503, 1 ), array( $waits['id'], $waits['event'], $waits['status'], $waits['responseCode'], $waits['attempts'] ) );
		self::assertEqualsWithDelta( time() + 300, strtotime( $waits['nextRetryAt'] ), 60 );
		self::assertSame( array( 'deal.won', 'success', 200, null ), array( $log['data'][1]['event'], $log['data'][1]['status'], $log['data'][1]['responseCode'], $log['data'][1]['nextRetryAt'] ) );
		$day = gmdate( 'Y-m-d', strtotime( $log['data'][1]['createdAt'] ) );
		$ids = fn( array $query ): array => array_column( $this->api->get( '/webhooks/one/logs', $query )[1]['data'], 'id' );
		self::assertContains( $this->delivery_of( $good )['id'], $ids( array( 'status' => 'success', 'startDate' => $day, 'endDate' => $day ) ) );
		self::assertNotContains( $waits['id'], $ids( array( 'status' => 'success' ) ) );
		self::assertSame( array(), $ids( array( 'endDate' => gmdate( 'Y-m-d', time() - 3 * DAY_IN_SECONDS ) ) ) );
		self::assertSame( array(), $ids( array( 'startDate' => gmdate( 'Y-m-d\TH:i:s\Z', time() + 60 ) ) ) );
		self::assertSame( 400, $this->api->get( '/webhooks/one/logs', array( 'status' => 'lost' ) )[0] );
		self::assertSame( 400, $this->api->get( '/webhooks/one/logs', array( 'startDate' => 'soon' ) )[0] );
		self::assertSame( 404, $this->api->get( '/webhooks/nobody/logs' )[0] );
	}
}
