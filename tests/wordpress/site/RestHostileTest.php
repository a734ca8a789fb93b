<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\SiteTestCase;

/**
 * posthorn/v1, asked with values that no schema has in mind: each is answered by what is wrong with it, and none breaks a page.
 *
 * @group product
 */
final class RestHostileTest extends SiteTestCase {

	protected function setUp(): void {
		parent::setUp();
		rest_get_server();
		$this->save_no_endpoint();
		self::ask( 'POST', '/webhooks', array( 'id' => 'one', 'url' => 'https://example.com/', 'secret' => 'first', 'headers' => array( 'X-Key' => 'first-value' ) ) );
	}

	protected function tearDown(): void {
		$this->save_no_endpoint();
		parent::tearDown();
	}

	/** Asks, and fails where PHP complains. */
	private static function ask( string $method, string $path, array $sent ): WP_REST_Response {
		$request = new WP_REST_Request( $method, "/posthorn/v1$path" );
		if ( 'GET' === $method ) {
			$request->set_query_params( $sent );
		} else {
			$request->set_header( 'Content-Type', 'application/json' );
			$request->set_body( (string) json_encode( $sent, JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE ) );
		}
		set_error_handler(
			static function ( int $kind, string $what, string $file, int $line ): bool {
				// WordPress 6.1 has some of its own.
				return str_contains( $file, '/posthorn/' ) ? throw new ErrorException( $what, 0, $kind, $file, $line ) : true;
			}
		);
		try {
			$response = rest_ensure_response( rest_do_request( $request ) );
			wp_json_encode( $response->get_data() );
		} finally {
			restore_error_handler();
		}
		return $response;
	}

	private static function values(): array {
		$deep = 'x';
		for ( $level = 0; $level < 400; $level++ ) {
			$deep = array( 'd' => $deep );
		}
		return array(
			null, true, false, 0, -1, 1.5, 1e300, PHP_INT_MAX, '', ' ', '0', 'null', "a\nb", "\u{202e}\0x", '<script>alert(1)</script>', '../../etc/passwd', "' OR 1=1 --", '********', str_repeat( 'x', 70000 ),
			array(), array( null ), array( 1, array( 2 ) ), array( array( 'secret' => array( 'x' ), 'until' => array( 'y' ) ) ), array( array( 'until' => 'x' ) ), array( 'a' => array( 'b' => 1 ) ), array( '0' => 'x', '' => 'y' ), array( "X-A\r\nX-B" => "c\r\nd" ), array( 'Host' => 'x' ),
			array( 'name' => 'ledger' ), $deep, array_fill( 0, 2000, 'deal.won' ),
		);
	}

	public static function fields(): array {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/webhooks.php';
		return array_map( static fn( string $field ): array => array( $field ), array_combine( array_keys( posthorn_webhook_fields() ), array_keys( posthorn_webhook_fields() ) ) );
	}

	/** @dataProvider fields */
	public function test_a_field_of_a_webhook_takes_what_it_means_and_refuses_all_else( string $field ): void {
		foreach ( self::values() as $n => $value ) {
			$made    = self::ask( 'POST', '/webhooks', array( $field => $value ) + array( 'url' => "https://example.com/$n", 'enabled' => false ) );
			$changed = self::ask( 'PATCH', '/webhooks/one', array( $field => $value ) );
			foreach ( array( $made, $changed ) as $answer ) {
				self::assertLessThan( 500, $answer->get_status(), "$field $n: " . json_encode( $answer->get_data() ) );
				self::assertStringNotContainsString( 'first-value', (string) json_encode( $answer->get_data() ) );
			}
			if ( 201 === $made->get_status() ) {
				self::assertSame( 200, self::ask( 'DELETE', '/webhooks/' . rawurlencode( $made->get_data()['id'] ), array() )->get_status(), "$field $n: what was made can be deleted" );
			}
		}
		self::assertSame( '', $this->problem() );
		self::assertSame( 200, self::ask( 'GET', '/webhooks', array() )->get_status() );
	}

	/** What else takes something: method, path, and the arguments. */
	public static function doors(): array {
		return array(
			'test'       => array( 'POST', '/preview', array( 'webhook', 'url', 'format', 'secret', 'headers', 'timeout', 'allow_private', 'event', 'data' ) ),
			'replay'     => array( 'POST', '/replay', array( 'id', 'endpoint', 'event', 'event_id', 'record', 'state', 'since', 'until', 'limit' ) ),
			'cancel'     => array( 'POST', '/cancel', array( 'id', 'endpoint', 'event', 'event_id', 'record', 'state', 'since', 'until', 'limit' ) ),
			'deliveries' => array( 'GET', '/deliveries', array( 'endpoint', 'event', 'event_id', 'record', 'state', 'since', 'until', 'before', 'page', 'per_page' ) ),
			'logs'       => array( 'GET', '/webhooks/one/logs', array( 'startDate', 'endDate', 'status', 'before', 'page', 'per_page' ) ),
			'events'     => array( 'GET', '/events', array( 'group', 'source', 'page', 'per_page' ) ),
		);
	}

	/** @dataProvider doors */
	public function test_an_argument_of_any_type_is_answered( string $method, string $path, array $arguments ): void {
		foreach ( $arguments as $argument ) {
			foreach ( self::values() as $n => $value ) {
				$answer = self::ask( $method, $path, array( $argument => $value ) + ( '/preview' === $path && 'webhook' !== $argument ? array( 'url' => 'https://example.com/' ) : array() ) );
				self::assertLessThan( 500, $answer->get_status(), "$argument $n: " . substr( (string) json_encode( $answer->get_data() ), 0, 500 ) );
			}
		}
	}
}
