<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;

/** The model of endpoints that screens, REST API and WP-CLI share: what is stored, handed over, refused, and never shown. */
final class EndpointsTest extends SiteTestCase {

	protected function setUp(): void {
		parent::setUp();
		$this->begin_without_endpoint();
	}

	protected function tearDown(): void {
		$this->leave_no_endpoint();
		parent::tearDown();
	}

	public function test_the_first_that_is_added_is_the_one_the_settings_page_edits_and_the_second_has_an_id_of_its_own(): void {
		$first  = $this->add( array( 'description' => 'First' ) );
		$second = $this->add( array( 'description' => 'Second' ) );
		self::assertSame( POSTHORN_MAIN_ENDPOINT, $first['id'] );
		self::assertMatchesRegularExpression( '/^[0-9a-f]{12}$/', $second['id'] );
		self::assertSame( array( 'First', 'Second' ), array_column( posthorn_list_endpoints(), 'description' ) );
		self::assertSame( $second, posthorn_find_endpoint( $second['id'] ) );
		self::assertNull( posthorn_find_endpoint( 'no-such' ) );
		self::assertMatchesRegularExpression( '/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/', $second['created_at'] );
		self::assertSame( array( $first['id'], $second['id'] ), array_column( posthorn_client_endpoints(), 'id' ), 'the queue has both' );
	}

	public function test_every_key_of_the_manual_is_stored_and_shown_as_it_was_given(): void {
		$given = array(
			'events'          => array( 'deal.*', 'contact.created' ),
			'filters'         => array( 'amount' => array( 'gte' => 1000 ) ),
			'format'          => 'github',
			'enabled'         => false,
			'description'     => "Two\nlines",
			'timeout'         => 5,
			'schedule'        => array( 1, 60 ),
			'max_concurrency' => 2,
			'rate_per_second' => 0.5,
			'ordered'         => true,
			'allow_private'   => array( '10.0.0.0/8' ),
			'ca'              => '/etc/ssl/receiver.pem',
			'client_cert'     => '/etc/ssl/own.pem',
			'max_age'         => 3600,
			'circuit_breaker' => true,
			'preset'          => 'plain',
			'schedule_jitter' => 0.1,
			'max_body_bytes'  => 5000,
			'omit'            => array(),
		);
		$added = $this->add( $given );
		self::assertSame( $given, array_intersect_key( array_merge( $given, $added ), $given ) );
		self::assertSame( array(), array_diff( POSTHORN_ENDPOINT_KEYS, array_keys( $added ), array( 'secret' ) ), 'all keys are shown but the secret' );
		self::assertNull( posthorn_change_endpoint( $added['id'], array( 'timeout' => null ) )['timeout'], 'null is the default again' );
	}

	public function test_an_endpoint_that_was_added_gets_events_beside_the_first(): void {
		$this->add( array( 'secret' => self::secret() ) );
		$this->add( array( 'url' => $this->receiver->url() . '?second', 'secret' => self::secret(), 'filters' => array( 'amount' => array( 'gt' => 5 ) ) ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1, 'amount' => 3 ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 2, 'amount' => 9 ) );
		$requests = $this->receiver->wait_for( 3 );
		$this->wait_until_sent();
		self::assertCount( 3, $this->receiver->requests() );
		self::assertSame( array( 'ok' ), array_values( array_unique( array_column( array_column( $requests, 'signature' ), 'state' ) ) ) );
	}

	public function test_no_secret_header_or_proxy_password_is_shown_or_readable_in_the_database(): void {
		global $wpdb;
		$hidden = array( 'hidden-secret-1', 'hidden-header-2', 'hidden-password-3' );
		$added  = $this->add(
			array(
				'secret'  => $hidden[0],
				'headers' => array( 'X-Token' => $hidden[1] ),
				'proxy'   => "http://someone:$hidden[2]@proxy.example.com:3128",
			)
		);
		$shown  = array( $added, posthorn_list_endpoints(), posthorn_find_endpoint( $added['id'] ), posthorn_change_endpoint( $added['id'], array( 'timeout' => 3 ) ), posthorn_duplicate_endpoint( $added['id'] ) );
		$stored = (string) $wpdb->get_var( "SELECT option_value FROM $wpdb->options WHERE option_name = 'posthorn_settings'" );
		foreach ( $hidden as $text ) {
			self::assertStringNotContainsString( $text, wp_json_encode( $shown ) );
			self::assertStringNotContainsString( $text, $stored );
			self::assertStringContainsString( $text, wp_json_encode( posthorn_endpoints(), JSON_UNESCAPED_SLASHES ), 'the queue is handed it' );
		}
		self::assertSame( array( 'X-Token' => POSTHORN_MASK ), $added['headers'] );
		self::assertSame( 'http://' . POSTHORN_MASK . '@proxy.example.com:3128', $added['proxy'] );
		self::assertSame( array( array( 'until' => null ) ), $added['secrets'] );
		self::assertArrayNotHasKey( 'secret', $added );
	}

	public function test_what_is_shown_can_be_given_back_and_changes_nothing(): void {
		$added  = $this->add( array( 'secret' => 's-1', 'headers' => array( 'X-Token' => 'h-1' ), 'proxy' => 'http://u:p@proxy.example.com:3128' ) );
		$before = posthorn_endpoints();
		$given  = array_diff_key( $added, array_flip( array( 'id', 'secrets', 'created_at', 'updated_at', 'leaving' ) ) );
		self::assertIsArray( posthorn_change_endpoint( $added['id'], $given ) );
		self::assertEquals( $before, posthorn_endpoints() );
		$mistake = posthorn_change_endpoint( $added['id'], array( 'headers' => array( 'X-Other' => POSTHORN_MASK ) ) );
		self::assertStringContainsString( 'X-Other', $mistake->get_error_data()['mistakes']['headers'] );
	}

	public function test_a_new_secret_signs_at_once_and_the_old_one_until_its_end(): void {
		$added = $this->add( array( 'format' => 'stripe', 'secret' => 'old-secret' ) );
		$until = gmdate( 'Y-m-d\TH:i:s\Z', time() + DAY_IN_SECONDS );
		$shown = posthorn_change_endpoint( $added['id'], array( 'secret' => 'new-secret', 'keep_secrets_until' => $until ) );
		self::assertSame( array( array( 'until' => null ), array( 'until' => $until ) ), $shown['secrets'] );
		$preview = posthorn_queue()->preview( posthorn_endpoints()[0], 'deal.won', array( 'deal_id' => 1 ) );
		self::assertSame( 2, substr_count( $preview['headers']['Stripe-Signature'], 'v1=' ) );
		// The owner ends it early.
		posthorn_change_endpoint( $added['id'], array( 'keep_secrets_until' => '2020-01-01T00:00:00Z' ) );
		self::assertCount( 1, posthorn_find_endpoint( $added['id'] )['secrets'] );
		$preview = posthorn_queue()->preview( posthorn_endpoints()[0], 'deal.won', array( 'deal_id' => 1 ) );
		self::assertSame( 1, substr_count( $preview['headers']['Stripe-Signature'], 'v1=' ) );
		// Without it, the new one replaces all.
		posthorn_change_endpoint( $added['id'], array( 'secret' => 'newest-secret' ) );
		self::assertSame( 'newest-secret', posthorn_endpoints()[0]['secret'] );
	}

	/**
	 * Key, value, what the message says.
	 */
	public static function mistakes(): array {
		return array(
			'a URL that is none'      => array( 'url', 'receiver', '/http/' ),
			'an unknown event'        => array( 'events', array( 'deal.wonn' ), '/deal\.wonn/' ),
			'no event'                => array( 'events', array(), '/no event/' ),
			'an unknown format'       => array( 'format', 'morse', '/morse.*wpresidence/' ),
			'filters as text'         => array( 'filters', 'amount > 5', '/condition/' ),
			'a timeout of an hour'    => array( 'timeout', 3600, '/120/' ),
			'a negative rate'         => array( 'rate_per_second', -1, '/more than 0/' ),
			'a header of our own'     => array( 'headers', array( 'Content-Type' => 'text/plain' ), '/./' ),
			'a secret in two lines'   => array( 'secret', "a\nb", '/line break/' ),
			'an end that is no time'  => array( 'secret', array( 'a', array( 'secret' => 'b', 'until' => 'soon' ) ), '/ISO 8601/' ),
			'a key that is none'      => array( 'colour', 'red', '/colour.*url, events/' ),
			'a preset that is none'   => array( 'preset', 'telex', '/telex/' ),
		);
	}

	/** @dataProvider mistakes */
	public function test_a_mistake_is_told_by_its_key_and_nothing_is_stored( string $key, $value, string $says ): void {
		$added  = $this->add();
		$stored = get_option( POSTHORN_OPTION );
		foreach ( array( posthorn_add_endpoint( array( $key => $value, 'url' => 'url' === $key ? $value : $this->receiver->url() ) ), posthorn_change_endpoint( $added['id'], array( $key => $value ) ) ) as $answer ) {
			self::assertSame( 'posthorn_invalid', $answer->get_error_code() );
			self::assertSame( 400, $answer->get_error_data()['status'] );
			self::assertSame( array( $key ), array_keys( $answer->get_error_data()['mistakes'] ) );
			self::assertMatchesRegularExpression( $says, $answer->get_error_data()['mistakes'][ $key ] );
		}
		self::assertSame( $stored, get_option( POSTHORN_OPTION ) );
	}

	public function test_several_mistakes_are_told_at_once(): void {
		$answer = posthorn_add_endpoint( array( 'url' => 'ftp://example.com/', 'events' => array( 'no.such' ), 'timeout' => 0, 'preset' => 'telex', 'colour' => 'red' ) );
		self::assertEqualsCanonicalizing( array( 'url', 'events', 'timeout', 'preset', 'colour' ), array_keys( $answer->get_error_data()['mistakes'] ) );
	}

	public function test_a_format_that_signs_every_webhook_is_not_saved_without_a_secret(): void {
		$answer = posthorn_add_endpoint( array( 'url' => 'https://example.com/', 'format' => 'winnerr' ) );
		self::assertSame( array( 'secret' ), array_keys( $answer->get_error_data()['mistakes'] ) );
		self::assertIsArray( posthorn_add_endpoint( array( 'url' => 'https://example.com/', 'format' => 'winnerr', 'secret' => posthorn_client_generate_secret( 'winnerr' ) ) ) );
	}

	public function test_a_copy_has_everything_and_is_switched_off(): void {
		$added = $this->add( array( 'description' => 'Zap', 'secret' => self::secret(), 'filters' => array( 'amount' => 5 ) ) );
		$copy  = posthorn_duplicate_endpoint( $added['id'] );
		self::assertNotSame( $added['id'], $copy['id'] );
		self::assertFalse( $copy['enabled'] );
		self::assertSame( 'Zap (copy)', $copy['description'] );
		self::assertSame( array( 'amount' => 5 ), $copy['filters'] );
		self::assertSame( self::secret(), posthorn_endpoints()[1]['secret'] );
		self::assertSame( 404, posthorn_duplicate_endpoint( 'no-such' )->get_error_data()['status'] );
	}

	public function test_a_key_that_this_version_does_not_know_stays_and_is_neither_shown_nor_handed_over(): void {
		$added                              = $this->add();
		$settings                           = posthorn_settings();
		$settings['endpoints'][0]['future'] = 'kept';
		posthorn_replace_settings( $settings );
		$shown = posthorn_change_endpoint( $added['id'], array( 'timeout' => 9 ) );
		self::assertSame( 'kept', posthorn_settings()['endpoints'][0]['future'] );
		self::assertArrayNotHasKey( 'future', $shown );
		self::assertArrayNotHasKey( 'future', posthorn_endpoints()[0] );
		self::assertSame( posthorn_settings()['revision'], posthorn_client_revision() );
	}

	public function test_a_change_made_from_an_older_revision_is_refused_and_one_without_a_revision_goes_on_top(): void {
		$added    = $this->add();
		$revision = posthorn_settings()['revision'];
		$other    = Command::wordpress( '$s = posthorn_settings(); $s["endpoints"][0]["description"] = "Other"; posthorn_replace_settings( $s );' );
		self::assertSame( 0, $other->status, $other->errors );
		wp_cache_flush();
		$answer = posthorn_change_endpoint( $added['id'], array( 'timeout' => 9 ), $revision );
		self::assertSame( array( 'posthorn_conflict', 409 ), array( $answer->get_error_code(), $answer->get_error_data()['status'] ) );
		$shown = posthorn_change_endpoint( $added['id'], array( 'timeout' => 9 ) );
		self::assertSame( array( 'Other', 9 ), array( $shown['description'], $shown['timeout'] ) );
	}

	public function test_what_waits_for_a_deleted_endpoint_is_cancelled_and_the_others_is_not(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$kept    = $this->add( array( 'url' => $this->receiver->url() . '?kept', 'schedule' => array( 3600 ) ) );
		$deleted = $this->add( array( 'schedule' => array( 3600 ) ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->receiver->wait_for( 2 );
		$this->wait_until( 'both have failed once', fn() => 2 === count( array_filter( array_column( posthorn_endpoint_standing(), 'failures' ) ) ) );
		self::assertSame( array( $kept['id'] => 1, $deleted['id'] => 1 ), array_column( posthorn_endpoint_standing(), 'waiting', 'id' ) );
		self::assertSame( $deleted['id'], posthorn_delete_endpoint( $deleted['id'] )['id'] );
		$this->wait_until( 'it is cancelled', fn() => 1 === count( $this->deliveries( array( 'state' => 'cancelled', 'endpoint' => $deleted['id'] ) ) ) );
		self::assertCount( 1, $this->deliveries( array( 'state' => 'pending', 'endpoint' => $kept['id'] ) ) );
		self::assertSame( array( $kept['id'] ), array_column( posthorn_list_endpoints(), 'id' ) );
		self::assertSame( 404, posthorn_delete_endpoint( $deleted['id'] )->get_error_data()['status'] );
	}

	public function test_an_endpoint_that_is_to_send_what_waits_gets_nothing_new_and_then_goes(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$this->add( array( 'url' => 'https://example.com/other', 'events' => array( 'task.completed' ) ) );
		$added = $this->add( array( 'schedule' => array( 3600 ) ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->receiver->wait_for( 1 );
		$this->wait_until( 'it failed once', fn() => 1 === posthorn_endpoint_standing()[ $added['id'] ]['failures'] );
		self::assertTrue( posthorn_delete_endpoint( $added['id'], 'send' )['leaving'] );
		self::assertSame( 'leaving', posthorn_endpoint_standing()[ $added['id'] ]['state'] );
		posthorn_delete_endpoints_that_left();
		self::assertNotNull( posthorn_find_endpoint( $added['id'] ), 'one still waits' );

		posthorn_dispatch( 'deal.won', array( 'deal_id' => 2 ) );
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 200 ) );
		posthorn_client_resume( $added['id'] );
		$this->wait_until( 'it is sent', fn() => 0 === posthorn_endpoint_standing()[ $added['id'] ]['waiting'] );
		self::assertCount( 1, $this->deliveries( array( 'endpoint' => $added['id'] ) ), 'nothing new' );
		posthorn_delete_endpoints_that_left();
		self::assertNull( posthorn_find_endpoint( $added['id'] ) );
	}

	public function test_an_endpoint_for_which_nothing_waits_goes_at_once_whatever_was_chosen(): void {
		$added = $this->add();
		self::assertFalse( posthorn_delete_endpoint( $added['id'], 'send' )['leaving'] );
		self::assertSame( array(), posthorn_list_endpoints() );
		self::assertSame( 'posthorn_invalid', posthorn_delete_endpoint( $added['id'], 'burn' )->get_error_code() );
	}

	public function test_the_settings_page_tests_with_all_the_endpoint_has(): void {
		$this->add( array( 'format' => 'github', 'headers' => array( 'X-Token' => 'h-1' ), 'secret' => self::secret() ) );
		$form = posthorn_form_stored();
		self::assertSame( 'h-1', posthorn_form_endpoint( $form )['headers']['X-Token'] );
		self::assertSame( array(), posthorn_form_save( $form ) );
		self::assertSame( array( 'github', 'h-1' ), array( posthorn_endpoints()[0]['format'], posthorn_endpoints()[0]['headers']['X-Token'] ) );
		self::assertStringStartsWith( POSTHORN_SECRET_PREFIX, posthorn_settings()['endpoints'][0]['headers']['X-Token'] );
	}

	/** Ids that an endpoint cannot be given. */
	public static function ids(): array {
		return array( array( 'new' ), array( 'a b' ), array( 'a&endpoint=b' ), array( '../x' ), array( 'a%41' ), array( '<b>' ), array( '-x' ), array( "x\n" ), array( str_repeat( 'x', 101 ) ), array( 'Größe' ), array( array( 'x' ) ), array( true ), array( 1.5 ) );
	}

	/** @dataProvider ids */
	public function test_an_id_that_means_something_in_an_address_or_command_is_refused( $id ): void {
		$error = posthorn_add_endpoint( array( 'id' => $id, 'url' => 'https://example.com/' ) );
		self::assertTrue( is_wp_error( $error ) );
		self::assertSame( array( 'id' ), array_keys( $error->get_error_data()['mistakes'] ) );
		self::assertSame( array(), posthorn_list_endpoints() );
	}

	/** Addresses that are another receiver's than https://a.example.com/hook, and such as are not. */
	public static function addresses(): array {
		return array(
			'another host'  => array( 'https://b.example.com/hook', true ),
			'another port'  => array( 'https://a.example.com:8443/hook', true ),
			'not encrypted' => array( 'http://a.example.com:443/hook', true ),
			'another path'  => array( 'https://A.example.com:443/other?x=1', false ),
		);
	}

	/** @dataProvider addresses */
	public function test_stored_values_of_headers_go_to_no_other_receiver( string $url, bool $other ): void {
		$this->add( array( 'url' => 'https://a.example.com/hook', 'allow_private' => false, 'headers' => array( 'Authorization' => 'Bearer h-1', 'X-Env' => 'live' ) ) );
		foreach ( array( array(), array( 'headers' => array( 'authorization' => POSTHORN_MASK ) ) ) as $headers ) {
			$answer = posthorn_change_endpoint( 'main', compact( 'url' ) + $headers );
			if ( ! $other ) {
				self::assertIsArray( $answer, is_wp_error( $answer ) ? $answer->get_error_message() : '' );
				continue;
			}
			self::assertTrue( is_wp_error( $answer ), 'it was stored' );
			self::assertStringContainsString( 'uthorization', $answer->get_error_data()['mistakes']['headers'] );
			self::assertSame( 'https://a.example.com/hook', posthorn_find_endpoint( 'main' )['url'] );
		}
		// The simple page, which shows no headers, tells and tests without them.
		$form = array( 'url' => $url ) + posthorn_form_stored();
		self::assertSame( $other, isset( posthorn_form_mistakes( $form )['url'] ) );
		self::assertSame( ! $other, isset( posthorn_form_endpoint( $form )['headers'] ) );
		// Entered anew, or removed, they are what the owner means.
		self::assertIsArray( posthorn_change_endpoint( 'main', compact( 'url' ) + array( 'headers' => array( 'Authorization' => 'Bearer h-2' ) ) ) );
		self::assertIsArray( posthorn_change_endpoint( 'main', array( 'url' => 'https://c.example.com/', 'headers' => null ) ) );
	}

	private function add( array $given = array() ): array {
		$added = posthorn_add_endpoint( $given + array( 'url' => $this->receiver->url(), 'allow_private' => true ) );
		self::assertIsArray( $added, is_wp_error( $added ) ? $added->get_error_message() : '' );
		return $added;
	}
}
