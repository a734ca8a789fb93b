<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Api;
use Posthorn\Tests\Command;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;

/** The OpenAPI document that the API serves, and whether the API keeps to it: judged by libraries that others wrote. */
final class OpenApiTest extends SiteTestCase {

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

	public function test_every_operation_answers_as_the_document_says(): void {
		Api::$exchanges = array();
		$document       = $this->document();
		$this->use_everything();
		$judged = $this->judge( $document, Api::$exchanges );
		self::assertSame( 0, $judged->status, $judged->errors );
		self::assertMatchesRegularExpression( '/^\d+ operations, \d+ answers, in order/', $judged->output );
	}

	/** The judge must be able to say no, or the test above says nothing. */
	public function test_an_answer_that_is_not_in_the_document_is_found(): void {
		Api::$exchanges = array();
		$document       = $this->document();
		$this->use_everything();
		$wrong = array(
			'a property that is missing'   => static function ( array $all ): array {
				return self::with_answer( $all, 'GET', '/formats', static fn( $body ) => (object) array( 'data' => array( (object) array_diff_key( (array) $body->data[0], array( 'title' => true ) ) ) ) );
			},
			'a property that is not named' => static function ( array $all ): array {
				return self::with_answer( $all, 'GET', '/formats', static fn( $body ) => (object) array( 'data' => array( (object) ( (array) $body->data[0] + array( 'colour' => 'red' ) ) ) ) );
			},
			'a value of another type'      => static function ( array $all ): array {
				return self::with_answer( $all, 'POST', '/replay', static fn() => (object) array( 'replayed' => 'some' ) );
			},
			'an operation nobody used'     => static fn( array $all ): array => array_values( array_filter( $all, static fn( array $one ): bool => '/preview' !== $one['path'] ) ),
		);
		foreach ( $wrong as $what => $change ) {
			self::assertSame( 1, $this->judge( $document, $change( Api::$exchanges ) )->status, $what );
		}
	}

	private static function with_answer( array $all, string $method, string $path, callable $change ): array {
		foreach ( $all as $n => $one ) {
			if ( array( $method, $path, 200 ) === array( $one['method'], $one['path'], $one['status'] ) ) {
				$all[ $n ]['body'] = $change( $one['body'] );
				return $all;
			}
		}
		self::fail( "no $method $path" );
	}

	private function document(): stdClass {
		self::assertSame( 200, $this->api->get( '/openapi' )[0] );
		return end( Api::$exchanges )['body'];
	}

	/** Every operation once or more, well and badly. */
	private function use_everything(): void {
		$api     = $this->api;
		$webhook = array( 'id' => 'contract', 'url' => $this->receiver->url(), 'allow_private' => true, 'secret' => self::secret(), 'schedule' => array(), 'headers' => array( 'X-Key' => '1' ), 'filters' => array( 'deal_id' => array( 'gt' => 0 ) ), 'omit' => array( 'note' ) );
		$api->post( '/webhooks', $webhook );
		$api->post( '/webhooks', array( 'url' => 'nonsense' ) );
		$api->post( '/webhooks', array( 'url' => 'https://example.com/', 'enabled' => false ) );
		$api->get( '/webhooks' );
		$api->get( '/webhooks/contract' );
		$api->get( '/webhooks/nobody' );
		$api->patch( '/webhooks/contract', array( 'description' => 'x', 'timeout' => 5, 'rate_per_second' => 100 ) );
		$api->post( '/webhooks/contract/duplicate' );
		$api->post( '/webhooks/nobody/duplicate' );
		$api->post( '/webhooks/contract/test', array( 'event' => 'deal.won' ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->receiver->wait_for( 2 );
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$event = posthorn_dispatch( 'deal.lost', array( 'deal_id' => 2 ) );
		$this->wait_until( 'it is dead', fn() => 'dead' === ( $this->delivery_of( $event )['state'] ?? '' ) );
		$id = $this->delivery_of( $event )['id'];
		$api->post( '/webhooks/contract/resume' );
		$api->post( '/webhooks/nobody/resume' );
		$api->post( '/events/deal.won/dispatch', array( 'data' => array( 'deal_id' => 0 ), 'record' => 'deal:0', 'previous' => array( 'stage' => 'new' ), 'changes' => array( 'stage' ) ) );
		$api->post( '/events/deal.won/dispatch', array( 'data' => 'nothing' ) );
		$api->get( '/webhooks/contract/logs' );
		$api->get( '/deliveries' );
		$api->get( '/deliveries', array( 'state' => 'lost' ) );
		$api->get( "/deliveries/$id" );
		posthorn_client_pause( true );
		$api->post( "/deliveries/$id/replay" );
		$api->post( "/deliveries/$id/cancel" );
		$api->post( "/deliveries/$id/cancel" );
		$api->get( "/deliveries/$id" );
		$api->post( '/replay', array( 'event_id' => $event ) );
		$api->post( '/replay', array() );
		$api->post( '/cancel', array( 'event_id' => $event ) );
		$api->get( '/events', array( 'group' => 'Contacts' ) );
		$api->get( '/events/deal.won' );
		$api->get( '/formats' );
		foreach ( posthorn_find_formats() as $format ) {
			$api->get( "/formats/$format[name]" );
		}
		$api->post( '/test', array( 'url' => $this->receiver->url(), 'allow_private' => true ) );
		$api->post( '/preview', array( 'webhook' => 'contract', 'data' => array( 'deal_id' => 1 ) ) );
		( new Api() )->get( '/webhooks' );
		$api->delete( '/webhooks/contract' );
	}

	private function judge( stdClass $document, array $exchanges ): Command {
		$files = array();
		foreach ( array( $document, $exchanges ) as $what ) {
			$files[] = tempnam( sys_get_temp_dir(), 'posthorn-contract' );
			file_put_contents( end( $files ), json_encode( $what ) );
		}
		try {
			return Command::bash( 'node "$JUDGE" "$DOCUMENT" "$EXCHANGES"', array( 'JUDGE' => dirname( __DIR__ ) . '/contract/contract.mjs', 'DOCUMENT' => $files[0], 'EXCHANGES' => $files[1] ) );
		} finally {
			array_map( 'unlink', $files );
		}
	}
}
