<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Api;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;

/** What whoever knows WordPress's own REST API tries first, and what goes wrong at the first attempt. */
final class RestHabitsTest extends SiteTestCase {

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

	public function test_fields_are_those_of_what_is_listed(): void {
		$this->add( 'one' );
		$this->add( 'two' );
		$wanted = array( array( 'id' => 'one', 'url' => 'https://example.com/one' ), array( 'id' => 'two', 'url' => 'https://example.com/two' ) );
		foreach ( array( 'id,url', 'data.id,data.url' ) as $fields ) {
			list( $status, $list ) = $this->api->get( '/webhooks', array( '_fields' => $fields ) );
			self::assertSame( array( 200, array( 'data' => $wanted ) ), array( $status, $list ), $fields );
		}
		self::assertCount( 2, $this->api->get( '/webhooks', array( '_fields' => 'data' ) )[1]['data'] );
		self::assertArrayHasKey( 'state', $this->api->get( '/webhooks', array( '_fields' => 'data' ) )[1]['data'][0] );
		self::assertSame( array( 'data' => array( array( 'id' => 'two' ) ) ), $this->api->get( '/webhooks', array( '_fields' => 'id', 'per_page' => 1, 'page' => 2 ) )[1] );
		self::assertStringContainsString( '_fields=id', $this->api->headers['link'] );
		self::assertSame( array( 'id' => 'one' ), $this->api->get( '/webhooks/one', array( '_fields' => 'id' ) )[1] );
		self::assertSame( array( 'name', 'sample' ), array_keys( $this->api->get( '/events', array( '_fields' => 'name,sample.deal_id' ) )[1]['data'][0] ) );
	}

	/** A misspelt argument would cancel what was to be sent, or send again more than was meant. */
	public function test_an_argument_in_the_address_that_is_none_is_refused_where_something_changes(): void {
		$this->add( 'one' );
		list( $status, $error ) = $this->api->delete( '/webhooks/one', array( 'wating' => 'send' ) );
		self::assertSame( array( 400, 'posthorn_invalid' ), array( $status, $error['code'] ?? null ), json_encode( $error ) );
		self::assertStringContainsString( 'wating', $error['message'] );
		self::assertSame( 200, $this->api->get( '/webhooks/one' )[0], 'it is still there' );
		self::assertSame( 400, $this->api->ask( 'POST', '/replay', array( 'staet' => 'dead' ), array( 'endpoint' => 'one' ) )[0] );
		self::assertSame( 200, $this->api->delete( '/webhooks/one', array( 'waiting' => 'cancel', '_locale' => 'user', '_fields' => 'deleted' ) )[0] );
	}

	/** @dataProvider bodies */
	public function test_a_body_that_cannot_be_read_says_how_it_should_be( string $type, string $body, string $says ): void {
		$curl = curl_init( getenv( 'POSTHORN_SITE' ) . '/index.php?rest_route=/posthorn/v1/webhooks' );
		list( $password ) = WP_Application_Passwords::create_new_application_password( 1, array( 'name' => 'bodies ' . bin2hex( random_bytes( 4 ) ) ) );
		curl_setopt_array( $curl, array( CURLOPT_USERPWD => "admin:$password", CURLOPT_POSTFIELDS => $body, CURLOPT_HTTPHEADER => array( "Content-Type: $type" ), CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 60 ) );
		$error = json_decode( (string) curl_exec( $curl ), true );
		self::assertSame( 400, curl_getinfo( $curl, CURLINFO_RESPONSE_CODE ), json_encode( $error ) );
		self::assertMatchesRegularExpression( $says, $error['message'] . json_encode( $error['data'] ?? '' ) );
		self::assertSame( array(), $this->api->get( '/webhooks' )[1]['data'] );
	}

	public static function bodies(): array {
		return array(
			'no JSON'                 => array( 'application/json', '{"url":', '/JSON/' ),
			'nothing'                 => array( 'application/json', '', '/url/' ),
			'an empty object'         => array( 'application/json', '{}', '/url/' ),
			'a list'                  => array( 'application/json', '["https://example.com/"]', '/url|JSON object/' ),
			'JSON that says it is not' => array( 'application/x-www-form-urlencoded', '{"url":"https://example.com/"}', '/url|Content-Type: application\/json/' ),
		);
	}

	public function test_whatever_is_not_there_is_not_found_whatever_it_looks_like(): void {
		foreach ( array( '/webhooks/no such', '/deliveries/nonsense', '/deliveries/019DBA6E-3AD8-7A0E-8F4E-0C7B7D9A2F11', '/events/deal-won', '/formats/morse.code' ) as $path ) {
			list( $status, $error ) = $this->api->get( $path );
			self::assertSame( array( 404, 'posthorn_not_found' ), array( $status, $error['code'] ?? null ), $path );
		}
		foreach ( array( '/deliveries/nonsense/replay', '/deliveries/nonsense/cancel' ) as $path ) {
			self::assertSame( 404, $this->api->post( $path )[0], $path );
		}
	}

	public function test_every_route_describes_itself_to_options(): void {
		foreach ( array( '/webhooks' => 'webhook', '/deliveries' => 'delivery', '/events' => 'event', '/formats' => 'format', '/test' => 'test-result' ) as $path => $title ) {
			list( $status, $about ) = $this->api->ask( 'OPTIONS', $path );
			self::assertSame( array( 200, $title ), array( $status, $about['schema']['title'] ?? null ), $path );
			self::assertNotEmpty( $about['endpoints'][0]['args'] ?? null, $path );
		}
	}

	/** Or whoever changes an answer and gives it back would have the receiver sent something else. */
	public function test_the_format_that_is_shown_is_the_one_that_is_sent(): void {
		list( $status, $created ) = $this->api->post( '/webhooks', array( 'id' => 'chat', 'url' => 'https://hooks.slack.com/services/x', 'preset' => 'slack' ) );
		self::assertSame( array( 201, 'slack' ), array( $status, $created['format'] ?? null ), json_encode( $created ) );
		$body = $this->api->post( '/preview', array( 'webhook' => 'chat', 'event' => 'deal.won' ) )[1]['body'];
		self::assertSame( 200, $this->api->ask( 'PUT', '/webhooks/chat', array(), array( 'description' => 'Chat' ) + $created )[0] );
		self::assertSame( $body, $this->api->post( '/preview', array( 'webhook' => 'chat', 'event' => 'deal.won' ) )[1]['body'] );
	}

	/** “bot.*” in the default format would be accepted, and nothing ever sent. */
	public function test_a_pattern_that_means_no_event_of_the_format_is_refused_with_the_names(): void {
		list( $status, $error ) = $this->api->post( '/webhooks', array( 'id' => 'bots', 'url' => 'https://example.com/', 'events' => array( 'deal.*', 'bot.*' ) ) );
		self::assertSame( 400, $status, json_encode( $error ) );
		self::assertMatchesRegularExpression( '/^events: .*bot\.\*.*bot\.created/', $error['message'] );
		list( $status, $created ) = $this->api->post( '/webhooks', array( 'id' => 'bots', 'url' => 'https://example.com/', 'events' => array( 'bot.created' ) ) );
		self::assertSame( array( 201, array() ), array( $status, $created['warnings'] ?? null ) );
		self::assertSame( 201, $this->api->post( '/webhooks', array( 'id' => 'ours', 'url' => 'https://example.com/', 'format' => 'realtorbot', 'events' => array( 'bot.*' ) ) )[0] );
		self::assertSame( 400, $this->api->patch( '/webhooks/ours', array( 'format' => 'wpresidence' ) )[0] );
		// What was stored before can be switched off, and is warned of.
		$this->save_endpoint( array( 'events' => array( 'bot.*' ) ) );
		list( $status, $changed ) = $this->api->patch( '/webhooks/main', array( 'enabled' => false ) );
		self::assertSame( array( 200, false, 1 ), array( $status, $changed['enabled'], count( $changed['warnings'] ) ), json_encode( $changed ) );
	}

	public function test_a_condition_that_holds_for_nothing_is_warned_of(): void {
		list( $status, $created ) = $this->api->post( '/webhooks', array( 'id' => 'one', 'url' => 'https://example.com/', 'filters' => array( 'value' => array( 'between' => array( 1, 2 ) ) ) ) );
		self::assertSame( 201, $status );
		self::assertMatchesRegularExpression( '/^filters: .*value.*between/', $created['warnings'][0] ?? json_encode( $created ) );
		self::assertSame( array(), $this->api->patch( '/webhooks/one', array( 'filters' => array( 'value' => array( 'gte' => 1 ) ) ) )[1]['warnings'] );
	}

	public function test_a_date_that_is_none_is_named_as_it_was_given(): void {
		$this->add( 'one' );
		foreach ( array( 'startDate', 'endDate' ) as $name ) {
			list( $status, $error ) = $this->api->get( '/webhooks/one/logs', array( $name => 'soon' ) );
			self::assertSame( array( 400, true ), array( $status, str_starts_with( $error['message'], "$name: “soon”" ) ), $error['message'] );
		}
	}

	public function test_a_group_is_found_in_any_case_and_one_that_is_none_is_an_error(): void {
		self::assertSame( $this->api->get( '/events', array( 'group' => 'Contacts' ) ), $this->api->get( '/events', array( 'group' => 'contacts' ) ) );
		list( $status, $error ) = $this->api->get( '/events', array( 'group' => 'Contatcs' ) );
		self::assertSame( 400, $status );
		self::assertStringContainsString( 'Contacts', $error['message'] );
	}

	public function test_a_format_has_all_that_php_tells_of_it_and_is_listed_once(): void {
		$definition = posthorn_client_read_format( 'github' )['definition'];
		$this->listen( 'posthorn_formats', fn() => array( 'ledger' => array( 'name' => 'ledger' ) + $definition ) );
		$names = array_column( posthorn_find_formats(), 'name' );
		self::assertSame( array_unique( $names ), $names );
		self::assertContains( 'ledger', $names );
		list( , $github ) = $this->api->get( '/formats/github' );
		self::assertEquals( json_decode( wp_json_encode( posthorn_client_read_format( 'github' ) ), true ), $github );
		self::assertSame( array( 'text', false ), array( $github['secret_form'], $github['signs_with_each_secret'] ) );
		list( , $standard ) = $this->api->get( '/formats/standard-webhooks' );
		self::assertSame( array( 'whsec', true ), array( $standard['secret_form'], $standard['signs_with_each_secret'] ) );
		// It is a beginning for one's own.
		$own = array( 'name' => 'ledger', 'user_agent' => 'Ledger/1' ) + $github['definition'];
		list( $status, $created ) = $this->api->post( '/webhooks', array( 'id' => 'own', 'url' => 'https://example.com/', 'secret' => self::secret(), 'format' => $own ) );
		self::assertSame( 201, $status, json_encode( $created ) );
		self::assertSame( 'Ledger/1', $this->api->post( '/preview', array( 'webhook' => 'own' ) )[1]['headers']['User-Agent'] );
		$needy = array( 'needs_secret' => true ) + $own;
		list( $status, $error ) = $this->api->post( '/webhooks', array( 'id' => 'unsigned', 'url' => 'https://example.com/', 'format' => $needy ) );
		self::assertSame( array( 400, true ), array( $status, str_contains( $error['message'], 'secret' ) ), json_encode( $error ) );
	}

	private function add( string $id ): void {
		self::assertSame( 201, $this->api->post( '/webhooks', array( 'id' => $id, 'url' => "https://example.com/$id" ) )[0] );
	}
}
