<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Api;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** posthorn/v1 deliveries, replay, cancel: from outside, as whoever has an application password. */
final class RestDeliveriesTest extends SiteTestCase {

	private Api $api;

	protected function setUp(): void {
		parent::setUp();
		$this->api = Api::administrator();
		$this->save_endpoint();
		$this->wait_until_sent();
	}

	protected function tearDown(): void {
		$this->leave_no_endpoint();
		parent::tearDown();
	}

	public function test_a_list_is_narrowed_paged_and_counted_as_core_does(): void {
		$record = 'contact:' . random_int( 1, PHP_INT_MAX );
		foreach ( range( 1, 5 ) as $n ) {
			posthorn_dispatch( 'contact.updated', array( 'contact_id' => $n ), compact( 'record' ) );
		}
		$this->wait_until_sent();
		list( $status, $page ) = $this->api->get( '/deliveries', compact( 'record' ) + array( 'per_page' => 2 ) );
		self::assertSame( 200, $status );
		self::assertSame( array( 'data' ), array_keys( $page ) );
		self::assertSame( array( '5', '3' ), array( $this->api->headers['x-wp-total'], $this->api->headers['x-wp-totalpages'] ) );
		self::assertMatchesRegularExpression( '/^<[^>]*[?&]page=2[^>]*>; rel="next"$/', $this->api->headers['link'] );
		$ids = array_column( $page['data'], 'id' );
		foreach ( array( 2, 3 ) as $number ) {
			$ids = array_merge( $ids, array_column( $this->api->get( '/deliveries', compact( 'record' ) + array( 'per_page' => 2, 'page' => $number ) )[1]['data'], 'id' ) );
		}
		self::assertStringContainsString( 'rel="prev"', $this->api->headers['link'] );
		self::assertStringNotContainsString( 'rel="next"', $this->api->headers['link'] );
		self::assertSame( array_column( $this->deliveries( compact( 'record' ) ), 'id' ), $ids );
		list( , $after ) = $this->api->get( '/deliveries', compact( 'record' ) + array( 'per_page' => 2, 'before' => $ids[1] ) );
		self::assertSame( array( $ids[2], $ids[3] ), array_column( $after['data'], 'id' ) );
		self::assertMatchesRegularExpression( '/[?&]before=' . $ids[3] . '[^>]*>; rel="next"/', $this->api->headers['link'] );
		self::assertSame( array(), $this->api->get( '/deliveries', compact( 'record' ) + array( 'state' => 'dead' ) )[1]['data'] );
	}

	public function test_a_list_goes_past_a_thousand_by_page(): void {
		posthorn_client_pause( true );
		$record = 'contact:' . random_int( 1, PHP_INT_MAX );
		posthorn_dispatch_many( array_fill( 0, 1050, array( 'contact.updated', array( 'contact_id' => 1 ), compact( 'record' ) ) ) );
		list( , $page ) = $this->api->get( '/deliveries', compact( 'record' ) + array( 'per_page' => 100, 'page' => 11 ) );
		self::assertCount( 50, $page['data'] );
		self::assertSame( '1050', $this->api->headers['x-wp-total'] );
		self::assertCount( 70, $this->api->get( '/deliveries', compact( 'record' ) + array( 'per_page' => 70, 'page' => 15 ) )[1]['data'] );
		list( $status, $error ) = $this->api->get( '/deliveries', array( 'per_page' => 100, 'page' => 101 ) );
		self::assertSame( array( 400, 'posthorn_invalid' ), array( $status, $error['code'] ) );
		self::assertStringContainsString( 'before', $error['message'] );
		self::assertSame( array( 200, array( 'cancelled' => 1050 ) ), $this->api->post( '/cancel', compact( 'record' ) ) );
	}

	public function test_one_has_its_attempts_and_no_secret(): void {
		$this->save_endpoint( array( 'headers' => array( 'X-Key' => 'header-' . self::secret() ) ) );
		$id = $this->dead();
		list( $status, $delivery ) = $this->api->get( "/deliveries/$id" );
		self::assertSame( array( 200, 'dead', 1 ), array( $status, $delivery['state'], count( $delivery['attempts_log'] ) ) );
		self::assertSame( 500, $delivery['attempts_log'][0]['status'] );
		self::assertStringContainsString( '"deal_id":7', $delivery['attempts_log'][0]['request_body'] );
		self::assertStringNotContainsString( self::secret(), json_encode( $delivery ) );
		list( $status, $error ) = $this->api->get( '/deliveries/' . wp_generate_uuid4() );
		self::assertSame( array( 404, 'posthorn_not_found' ), array( $status, $error['code'] ) );
	}

	public function test_what_a_receiver_repeats_of_the_owners_headers_is_not_shown(): void {
		$token = 't0ken/' . self::secret();
		$this->save_endpoint( array( 'headers' => array( 'Authorization' => "Bearer $token" ), 'schedule' => array() ) );
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500, 'body' => wp_json_encode( array( 'authorization' => "Bearer $token" ) ), 'headers' => array( 'x-was' => $token ) ) );
		$event = posthorn_dispatch( 'deal.won', array( 'deal_id' => 7 ) );
		$this->wait_until( 'it is dead', fn() => 'dead' === $this->delivery_of( $event )['state'] );
		list( , $delivery ) = $this->api->get( '/deliveries/' . $this->delivery_of( $event )['id'] );
		self::assertSame( '{"authorization":"********"}', $delivery['attempts_log'][0]['response_body'] );
		self::assertSame( '********', $delivery['attempts_log'][0]['response_headers']['x-was'] );
		self::assertSame( "Bearer $token", array_change_key_case( $this->receiver->requests()[0]['headers'] )['authorization'] );
		list( , $tested ) = $this->api->post( '/webhooks/main/test' );
		self::assertSame( '{"authorization":"********"}', $tested['answer'] );
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 200 ) );
	}

	public function test_a_dead_one_is_sent_again_by_its_id(): void {
		$id = $this->dead();
		list( $status, $delivery ) = $this->api->post( "/deliveries/$id/replay" );
		self::assertSame( 200, $status );
		self::assertContains( $delivery['state'], array( 'pending', 'delivered' ) );
		$this->wait_until_sent();
		self::assertSame( 'delivered', posthorn_client_delivery( $id )['state'] );
		self::assertSame( 404, $this->api->post( '/deliveries/' . wp_generate_uuid4() . '/replay' )[0] );
	}

	public function test_dead_ones_are_sent_again_by_a_filter_that_must_name_something(): void {
		$record = 'deal:' . random_int( 1, PHP_INT_MAX );
		$id     = $this->dead( $record );
		foreach ( array( array(), array( 'limit' => 5 ) ) as $nothing ) {
			list( $status, $error ) = $this->api->post( '/replay', $nothing );
			self::assertSame( array( 400, 'posthorn_invalid' ), array( $status, $error['code'] ) );
			self::assertStringContainsString( 'endpoint', $error['message'] );
		}
		list( $status, $error ) = $this->api->post( '/replay', array( 'state' => 'dead', 'recrod' => $record ) );
		self::assertSame( array( 400, true ), array( $status, str_contains( $error['message'], 'recrod' ) ), 'a misspelt filter selects more than was meant' );
		self::assertSame( 'dead', posthorn_client_delivery( $id )['state'] );
		self::assertSame( array( 200, array( 'replayed' => 1 ) ), $this->api->post( '/replay', compact( 'record' ) ) );
		$this->wait_until_sent();
		self::assertSame( 'delivered', posthorn_client_delivery( $id )['state'] );
	}

	public function test_what_waits_is_cancelled_and_what_does_not_is_left_alone(): void {
		posthorn_client_pause( true );
		$event = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$id    = $this->delivery_of( $event )['id'];
		list( $status, $delivery ) = $this->api->post( "/deliveries/$id/cancel" );
		self::assertSame( array( 200, 'cancelled' ), array( $status, $delivery['state'] ) );
		list( $status, $error ) = $this->api->post( "/deliveries/$id/cancel" );
		self::assertSame( array( 409, 'posthorn_conflict' ), array( $status, $error['code'] ) );
		self::assertStringContainsString( 'cancelled', $error['message'] );
	}

	/** @dataProvider wrong_questions */
	public function test_a_wrong_argument_is_named( array $query, string $says ): void {
		list( $status, $error ) = $this->api->get( '/deliveries', $query );
		self::assertSame( 400, $status );
		self::assertMatchesRegularExpression( $says, json_encode( $error ) );
	}

	public static function wrong_questions(): array {
		return array(
			'a state'  => array( array( 'state' => 'lost' ), '/state.*pending/' ),
			'a time'   => array( array( 'since' => 'yesterday' ), '/since.*ISO 8601/' ),
			'an id'    => array( array( 'event_id' => 'x' ), '/event_id/' ),
			'per_page' => array( array( 'per_page' => 101 ), '/per_page/' ),
			'before'   => array( array( 'before' => 'x' ), '/before/' ),
		);
	}

	public function test_nobody_without_the_capability_gets_in_at_any_route(): void {
		$editor = username_exists( 'api-editor' ) ?: wp_insert_user( array( 'user_login' => 'api-editor', 'user_pass' => 'api-editor', 'role' => 'editor' ) );
		$routes = array_filter( rest_get_server()->get_routes( 'posthorn/v1' ), static fn( string $route ): bool => '/posthorn/v1' !== $route, ARRAY_FILTER_USE_KEY );
		self::assertGreaterThan( 10, count( $routes ) );
		$someone = Api::user( $editor );
		foreach ( $routes as $route => $handlers ) {
			$path = preg_replace( '/\(\?P<[^)]*\)/', 'main', substr( $route, strlen( '/posthorn/v1' ) ) );
			foreach ( $handlers as $handler ) {
				foreach ( array_keys( $handler['methods'] ) as $method ) {
					// Arguments that are required are asked for before who asks.
					$sent = 'GET' === $method ? null : array( 'url' => 'https://example.com/', 'data' => array( 'deal_id' => 1 ) );
					foreach ( array( 401 => new Api(), 403 => $someone ) as $expected => $who ) {
						list( $status, $error ) = $who->ask( $method, $path, array(), $sent );
						self::assertSame( array( $expected, 'posthorn_forbidden' ), array( $status, $error['code'] ), "$method $path" );
					}
				}
			}
		}
	}

	public function test_a_cookie_alone_is_not_enough_and_with_a_nonce_it_is(): void {
		$visitor = Visitor::logged_in( 'admin', 'admin' );
		$address = '/index.php?rest_route=/posthorn/v1/deliveries';
		self::assertSame( 401, $visitor->get( $address )->status );
		$id = $this->dead();
		self::assertSame( 401, $visitor->post( "/index.php?rest_route=/posthorn/v1/deliveries/$id/replay", array() )->status );
		self::assertSame( 'dead', posthorn_client_delivery( $id )['state'] );
		self::assertSame( 1, preg_match( '/^\w+$/', trim( $visitor->get( '/wp-admin/admin-ajax.php?action=rest-nonce' )->html ), $nonce ) );
		self::assertSame( 200, $visitor->get( "$address&_wpnonce=$nonce[0]" )->status );
		self::assertSame( 200, $visitor->post( "/index.php?rest_route=/posthorn/v1/deliveries/$id/replay&_wpnonce=$nonce[0]", array() )->status );
	}

	/** A delivery that has failed for good. */
	private function dead( string $record = 'deal:7' ): string {
		$this->save_endpoint( array( 'schedule' => array() ) + posthorn_main_endpoint( posthorn_settings() ) );
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$event = posthorn_dispatch( 'deal.won', array( 'deal_id' => 7 ), compact( 'record' ) );
		$this->wait_until( 'it is dead', fn() => 'dead' === ( $this->delivery_of( $event )['state'] ?? '' ) );
		$this->receiver->behave( array( 'mode' => 'ok' ) );
		return $this->delivery_of( $event )['id'];
	}
}
