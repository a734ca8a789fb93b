<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;

/**
 * The CRM's own webhook calls: noticed, answered where Posthorn sends instead, let through wherever it does not. What
 * the CRM sends itself has no Webhook-Id.
 */
final class NativeWebhooksTest extends SiteTestCase {

	protected function setUp(): void {
		parent::setUp();
		wpestate_crm_set_switches( array( 'native_webhooks' => 'on' ) );
		$this->forget_everything();
		$this->crm_sends_to( $this->receiver->url() );
	}

	protected function tearDown(): void {
		$this->forget_everything();
		delete_option( 'wpestate_crm_webhooks' );
		posthorn_client_pause( false );
		parent::tearDown();
	}

	public function test_a_call_is_noticed_and_goes_out(): void {
		$this->save_no_endpoint();
		$before = time();
		wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		wpestate_crm_insert_contact( array( 'first_name' => 'Grace' ) );
		self::assertSame( array( 'contact.created', 'contact.created' ), $this->native() );
		$seen = $this->seen();
		self::assertSame( array( $this->receiver->url(), 2, 0 ), array( $seen['url'], $seen['sent'], $seen['answered'] ) );
		self::assertGreaterThanOrEqual( $before, $seen['first'] );
		self::assertGreaterThanOrEqual( $seen['first'], $seen['last'] );
	}

	public function test_counts_of_several_requests_add_up(): void {
		$this->save_no_endpoint();
		$this->call( 'deal.won' );
		$this->seen();
		$this->call( 'deal.won' );
		self::assertSame( 2, $this->seen()['sent'] );
	}

	/** Arguments of requests that are not the CRM's webhook. */
	public static function other_requests(): array {
		$body = array( 'event' => 'deal.won', 'timestamp' => '2026-04-17T12:34:56Z', 'data' => array( 'deal_id' => 1 ), 'site_url' => 'https://example.com' );
		$json = static fn( $value ): string => (string) wp_json_encode( $value );
		return array(
			'a form'                  => array( array( 'body' => $body ) ),
			'no body'                 => array( array() ),
			'a GET'                   => array( array( 'method' => 'GET' ) ),
			'a PUT'                   => array( array( 'method' => 'PUT', 'body' => $json( $body ) ) ),
			'no JSON'                 => array( array( 'body' => '"event" "site_url"' ) ),
			'broken JSON'             => array( array( 'body' => substr( $json( $body ), 0, -1 ) ) ),
			'without a timestamp'     => array( array( 'body' => $json( array_diff_key( $body, array( 'timestamp' => 1 ) ) ) ) ),
			'without data'            => array( array( 'body' => $json( array_diff_key( $body, array( 'data' => 1 ) ) ) ) ),
			'the keys deeper inside'  => array( array( 'body' => $json( array( 'inside' => $body ) ) ) ),
			'the keys as values'      => array( array( 'body' => $json( array_keys( $body ) ) ) ),
			'an event that is a list' => array( array( 'body' => $json( array( 'event' => array( 'a' ) ) + $body ) ) ),
			'more than a mebibyte'    => array( array( 'body' => $json( array( 'data' => str_repeat( 'x', 1048576 ) ) + $body ) ) ),
		);
	}

	/** @dataProvider other_requests */
	public function test_any_other_request_is_left_alone( array $arguments ): void {
		$this->in_charge();
		$arguments += array( 'method' => 'POST' );
		wp_remote_request( $this->receiver->url(), $arguments );
		posthorn_native_end();
		self::assertCount( 1, $this->receiver->requests(), 'it was sent' );
		self::assertSame( array(), posthorn_native_seen() );
	}

	public function test_taken_over_a_change_reaches_the_receiver_once_and_from_posthorn(): void {
		$this->in_charge();
		$contact = wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		wpestate_crm_update_deal_stage( wpestate_crm_insert_deal( array( 'title' => 'Quay 3', 'contact_id' => $contact ) ), 'closed_won' );
		$this->receiver->wait_for( 4 );
		$this->wait_until_sent();
		self::assertSame( array(), $this->native() );
		$events = $this->receiver->events();
		sort( $events );
		self::assertSame( array( 'contact.created', 'deal.created', 'deal.stage_changed', 'deal.won' ), $events );
		self::assertSame( array( 0, 4 ), array( $this->seen()['sent'], $this->seen()['answered'] ) );
	}

	public function test_the_crm_is_told_that_it_worked_and_schedules_nothing(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$this->in_charge();
		$answer = $this->call( 'deal.won' );
		self::assertSame( 200, wp_remote_retrieve_response_code( $answer ) );
		self::assertSame( '', wp_remote_retrieve_body( $answer ) );
		self::assertStringContainsString( 'Posthorn', wp_remote_retrieve_response_message( $answer ) );
		self::assertSame( '', wp_remote_retrieve_header( $answer, 'content-type' ) );
		self::assertSame( array(), wp_remote_retrieve_cookies( $answer ) );
		self::assertSame( array(), $this->receiver->requests() );
		wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		self::assertSame( array(), self::scheduled_retries() );
	}

	/** Shapes that the same call may have. */
	public static function shapes(): array {
		return array(
			'method in capitals'      => array( array( 'method' => 'POST' ) ),
			'method in small letters' => array( array( 'method' => 'post' ) ),
			'nobody waits'            => array( array( 'blocking' => false ) ),
			'no redirects'            => array( array( 'redirection' => 0, 'timeout' => 3 ) ),
			'headers as text'         => array( array( 'headers' => "Content-Type: application/json\r\nX-CRM-Signature: 00" ) ),
		);
	}

	/** @dataProvider shapes */
	public function test_the_call_is_recognised_in_every_shape( array $arguments ): void {
		$this->in_charge();
		$this->call( 'deal.won', array(), $arguments );
		self::assertSame( 1, $this->seen()['answered'] );
		self::assertSame( array(), $this->receiver->requests() );
	}

	/** Ways to write the same address. */
	public static function spellings(): array {
		return array(
			'scheme in capitals' => array( static fn( string $url ): string => preg_replace( '#^http#', 'HTTP', $url ) ),
			'blanks around it' => array( static fn( string $url ): string => " $url " ),
			'a fragment'       => array( static fn( string $url ): string => "$url#top" ),
		);
	}

	/** @dataProvider spellings */
	public function test_another_spelling_of_the_address_is_the_same_address( callable $spell ): void {
		$this->in_charge();
		self::assertIsArray( apply_filters( 'pre_http_request', false, array( 'method' => 'POST', 'body' => self::body( 'deal.won' ) ), $spell( $this->receiver->url() ) ) );
	}

	public function test_a_call_to_another_address_is_never_answered(): void {
		$this->in_charge();
		foreach ( array( '/other', '?other', '/' ) as $other ) {
			self::assertFalse( apply_filters( 'pre_http_request', false, array( 'method' => 'POST', 'body' => self::body( 'deal.won' ) ), $this->receiver->url() . $other ) );
		}
	}

	public function test_what_another_plugin_has_answered_stays_its_answer(): void {
		$this->in_charge();
		$answer = array( 'response' => array( 'code' => 418, 'message' => 'teapot' ) );
		$this->listen( 'pre_http_request', static fn() => $answer );
		self::assertSame( $answer, $this->call( 'deal.won' ) );
		self::assertSame( array(), self::stored() );
	}

	public function test_what_other_plugins_hand_over_does_no_harm(): void {
		$this->in_charge();
		foreach ( array( null, 'text', array( 'method' => array() ), array( 'body' => new stdClass() ), array( 'method' => 'POST', 'body' => null ) ) as $arguments ) {
			self::assertFalse( apply_filters( 'pre_http_request', false, $arguments, $this->receiver->url() ) );
			self::assertFalse( apply_filters( 'pre_http_request', false, $arguments, null ) );
		}
		self::assertFalse( apply_filters( 'pre_http_request', false ) );
		self::assertSame( '', $this->problem() );
	}

	public function test_the_database_is_not_touched_while_the_crm_works(): void {
		global $wpdb;
		$this->in_charge();
		$this->call( 'deal.won' );
		$wpdb->query( 'SELECT 42' );
		$queries = $wpdb->num_queries;
		$this->call( 'deal.won' );
		$this->call( 'contact.updated' );
		self::assertSame( array( $queries, 'SELECT 42' ), array( $wpdb->num_queries, $wpdb->last_query ) );
	}

	/** What keeps Posthorn from sending to the receiver. */
	public static function hindrances(): array {
		return array(
			'no receiver'               => array( 'receiver', static fn( self $test ) => $test->save_no_endpoint() ),
			'another receiver'          => array( 'receiver', static fn( self $test ) => $test->save_endpoint( array( 'url' => $test->receiver->url() . '/elsewhere' ) ) ),
			'switched off'              => array( 'disabled', static fn( self $test ) => $test->save_endpoint( array( 'enabled' => false ) ) ),
			'paused'                    => array( 'paused', static fn() => posthorn_client_pause( true ) ),
			'settings not handed over'  => array(
				'queue',
				static function ( self $test ): void {
					// A secret that cannot be read keeps the queue at what it has.
					$settings                           = posthorn_settings();
					$settings['endpoints'][0]['secret'] = 'v1:unreadable';
					posthorn_replace_settings( $settings );
				},
			),
			'code takes it away'        => array( 'receiver', static fn( self $test ) => $test->listen( 'posthorn_endpoints', '__return_empty_array' ) ),
		);
	}

	/** @dataProvider hindrances */
	public function test_while_posthorn_cannot_send_the_call_goes_out( string $because, callable $hinder ): void {
		$this->in_charge();
		$this->call( 'deal.won' );
		self::assertSame( array(), $this->native() );
		$hinder( $this );
		$url = $this->receiver->url();
		$this->wait_until( 'it is noticed', static fn() => posthorn_native_hindrance( $url ) === $because );
		$this->call( 'deal.won' );
		self::assertSame( array( 'deal.won' ), $this->native() );
		self::assertSame( array( 1, 1 ), array( $this->seen()['sent'], $this->seen()['answered'] ) );
		delete_option( 'posthorn_secret_unreadable' );
	}

	public function test_a_receiver_that_posthorn_has_stopped_sending_to_gets_the_crms_calls(): void {
		$this->in_charge( array( '*' ), array( 'schedule' => array( 0.1, 0.1 ) ) );
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 410 ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$url = $this->receiver->url();
		$this->wait_until( 'it is suspended', static fn() => 'suspended' === posthorn_native_hindrance( $url ) );
		$this->receiver->behave( array( 'mode' => 'ok' ) );
		$this->call( 'deal.lost' );
		self::assertSame( array( 'deal.lost' ), $this->native() );
		posthorn_client_resume( POSTHORN_MAIN_ENDPOINT );
		$this->wait_until_sent();
	}

	public function test_without_a_queue_the_call_goes_out(): void {
		$this->in_charge();
		$code    = sprintf( 'wp_remote_post( %s, array( "body" => %s ) ); echo posthorn_native_hindrance( %1$s );', var_export( $this->receiver->url(), true ), var_export( self::body( 'deal.won' ), true ) );
		$command = Command::wordpress( $code, array( 'posthorn.data_dir=/proc/nowhere' ) );
		self::assertSame( 'queue', trim( $command->output ), $command->errors );
		self::assertSame( array( 'deal.won' ), $this->native() );
	}

	public function test_with_posthorn_switched_off_the_call_goes_out(): void {
		$this->in_charge();
		$code = sprintf( 'wp_remote_post( %s, array( "body" => %s ) );', var_export( $this->receiver->url(), true ), var_export( self::body( 'deal.won' ), true ) );
		Command::wordpress( 'deactivate_plugins( "posthorn/posthorn.php" );' );
		try {
			Command::wordpress( $code );
		} finally {
			Command::wordpress( 'activate_plugin( "posthorn/posthorn.php" );' );
			wp_cache_flush();
		}
		self::assertSame( array( 'deal.won' ), $this->native() );
	}

	public function test_an_event_that_the_receiver_does_not_want_of_posthorn_or_that_posthorn_does_not_make_goes_out(): void {
		$this->in_charge( array( 'deal.*', 'contact.created' ) );
		foreach ( array( 'deal.won', 'contact.created', 'contact.updated', 'task.created', 'user.created', 'moon.landed', '<script>' ) as $event ) {
			$this->call( $event );
		}
		self::assertSame( array( 'contact.updated', 'task.created', 'user.created', 'moon.landed', '<script>' ), $this->native() );
		self::assertSame( array( 'contact.updated', 'task.created', 'user.created', 'moon.landed' ), $this->seen()['events'] );
	}

	public function test_a_retry_of_what_the_queue_holds_is_answered(): void {
		$this->in_charge();
		$contact = wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		$this->receiver->wait_for( 1 );
		do_action( 'wpestate_crm_webhook_retry_event', $this->receiver->url(), self::body( 'contact.created', array( 'contact_id' => (string) $contact ) ), 2 );
		self::assertSame( array(), $this->native() );
		self::assertSame( 2, $this->seen()['answered'] );
		self::assertSame( array(), self::scheduled_retries() );
	}

	public function test_a_retry_of_what_the_queue_never_had_goes_out(): void {
		$this->in_charge();
		$contact = wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		$this->receiver->wait_for( 1 );
		$url = $this->receiver->url();
		foreach ( array(
			self::body( 'contact.updated', array( 'contact_id' => $contact ) ),
			self::body( 'contact.created', array( 'contact_id' => $contact + 1 ) ),
			self::body( 'contact.created', array( 'contact_id' => $contact ), gmdate( 'Y-m-d\TH:i:s\Z', time() - 300 ) ),
			self::body( 'contact.created', array( 'contact_id' => $contact ), 'yesterday-ish' ),
			self::body( 'contact.created', array( 'name' => 'nobody' ) ),
		) as $body ) {
			do_action( 'wpestate_crm_webhook_retry_event', $url, $body, 2 );
		}
		self::assertCount( 5, $this->native() );
	}

	public function test_after_an_event_that_the_queue_did_not_accept_calls_go_out(): void {
		$this->in_charge();
		$this->listen(
			'posthorn_event_data',
			static function (): void {
				throw new RuntimeException( 'a defect in a filter' );
			}
		);
		wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		self::assertSame( array( 'contact.created' ), $this->native() );
	}

	public function test_a_call_that_was_answered_before_the_queue_failed_is_given_back_to_the_crm(): void {
		$this->in_charge();
		$held = wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		$this->call( 'contact.created', array( 'contact_id' => $held + 1000 ) );
		posthorn_report( new RuntimeException( 'the disk is full' ), true );
		self::assertSame( array(), $this->native() );
		posthorn_native_end();
		$retries = self::scheduled_retries();
		self::assertCount( 1, $retries, 'what the queue holds is not given back' );
		$this->forget_problems();
		do_action_ref_array( 'wpestate_crm_webhook_retry_event', $retries[0] );
		self::assertSame( array( 'contact.created' ), $this->native() );
		self::assertStringContainsString( (string) ( $held + 1000 ), $this->natives()[0]['body'] );
	}

	public function test_given_back_the_crm_sends_again(): void {
		$this->in_charge();
		$this->call( 'deal.won' );
		posthorn_native_decide( array( 'silenced' => array(), 'dismissed' => array() ) );
		$this->call( 'deal.won' );
		self::assertSame( array( 'deal.won' ), $this->native() );
	}

	/** Posthorn has the receiver, and the CRM's calls to it are silenced. */
	private function in_charge( array $events = array( '*' ), array $endpoint = array() ): void {
		$this->save_endpoint( array( 'events' => $events ) + $endpoint );
		require_once WP_PLUGIN_DIR . '/posthorn/includes/admin/native-webhooks.php';
		$url = $this->receiver->url();
		posthorn_native_silence( posthorn_native_key( $url ), $url, $url );
		$this->wait_until( 'nothing hinders', static fn() => '' === posthorn_native_hindrance( $url ) );
	}

	private function crm_sends_to( string $url ): void {
		update_option( 'wpestate_crm_webhooks', array( array( 'url' => $url, 'events' => array(), 'active' => true, 'secret' => '' ) ) );
	}

	/** The call as the CRM's module makes it. */
	private function call( string $event, array $data = array( 'deal_id' => 7 ), array $arguments = array() ) {
		return wp_remote_request( $this->receiver->url(), $arguments + array( 'method' => 'POST', 'timeout' => 15, 'headers' => array( 'Content-Type' => 'application/json' ), 'body' => self::body( $event, $data ) ) );
	}

	private static function body( string $event, array $data = array( 'deal_id' => 7 ), ?string $timestamp = null ): string {
		return wp_json_encode( array( 'event' => $event, 'timestamp' => $timestamp ?? gmdate( 'Y-m-d\TH:i:s\Z' ), 'data' => $data, 'site_url' => home_url() ) );
	}

	/** What the CRM itself has sent. */
	private function natives(): array {
		return array_values( array_filter( $this->receiver->requests(), static fn( array $request ) => null === $request['id'] ) );
	}

	private function native(): array {
		return array_column( $this->natives(), 'event' );
	}

	/** What is stored of this test's receiver at the request's end. */
	private function seen(): array {
		return self::stored()[ posthorn_native_key( $this->receiver->url() ) ];
	}

	private static function stored(): array {
		if ( function_exists( 'posthorn_native_end' ) ) {
			posthorn_native_end();
		}
		return posthorn_native_seen();
	}

	private static function scheduled_retries(): array {
		$found = array();
		foreach ( _get_cron_array() as $hooks ) {
			foreach ( $hooks['wpestate_crm_webhook_retry_event'] ?? array() as $event ) {
				$found[] = $event['args'];
			}
		}
		return $found;
	}

	private function forget_everything(): void {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/crm/native-webhooks.php';
		$this->forget_problems();
		posthorn_native_end();
		delete_option( POSTHORN_NATIVE_OPTION );
		delete_option( POSTHORN_NATIVE_SEEN_OPTION );
		wp_unschedule_hook( 'wpestate_crm_webhook_retry_event' );
	}
}
