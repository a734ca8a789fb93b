<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

use PHPUnit\Framework\TestCase;

/**
 * A test inside a WordPress that has Posthorn and the stand-in CRM. Every test has a receiver of its own.
 */
abstract class SiteTestCase extends TestCase {

	protected Receiver $receiver;

	/** Hooks that the test added: name, callback, priority. */
	private array $hooks = array();

	protected function setUp(): void {
		parent::setUp();
		$this->receiver = new Receiver( strtolower( preg_replace( '/^.*\\\\|Test$/', '', static::class ) ) );
		Receiver::reset();
		// A visitor of the test's may have made the site save something.
		posthorn_forget_cached_settings();
		$this->forget_problems();
		delete_option( 'posthorn_ask_to_resume' );
		wp_set_current_user( 1 );
		wpestate_crm_set_switches( array_map( static fn( array $switch ) => array_key_first( $switch['choices'] ), wpestate_crm_switch_list() ) );
	}

	protected function tearDown(): void {
		foreach ( $this->hooks as $hook ) {
			remove_filter( ...$hook );
		}
		$this->hooks = array();
		$this->end_request();
		parent::tearDown();
	}

	/** What Posthorn does at the end of every request; all tests of a suite run in one. */
	protected function end_request(): void {
		posthorn_crm_end();
	}

	/** The secret that the receiver verifies with. */
	protected static function secret(): string {
		return trim( file_get_contents( __DIR__ . '/secret.txt' ) );
	}

	/** Adds a filter or action that ends with the test. */
	protected function listen( string $hook, callable $callback, int $priority = 10, int $arguments = 9 ): void {
		add_filter( $hook, $callback, $priority, $arguments );
		$this->hooks[] = array( $hook, $callback, $priority );
	}

	/**
	 * Saves settings with one endpoint, which goes to this test's receiver unless told otherwise.
	 *
	 * @param array $endpoint What differs from the endpoint that the settings page would save.
	 */
	protected function save_endpoint( array $endpoint = array() ): void {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/secrets.php';
		$settings              = posthorn_settings();
		$settings['endpoints'] = array(
			$endpoint + array(
				'url'           => $this->receiver->url(),
				'events'        => array( '*' ),
				'secret'        => posthorn_encrypt( self::secret() ),
				'allow_private' => true,
			) + posthorn_default_endpoint(),
		);
		$saved                 = posthorn_replace_settings( $settings );
		self::assertNotNull( $saved, 'somebody else saved settings during the test' );
		posthorn_hand_over( $saved['revision'] );
	}

	/** Saves settings without any endpoint. */
	protected function save_no_endpoint(): void {
		$settings              = posthorn_settings();
		$settings['endpoints'] = array();
		$saved                 = posthorn_replace_settings( $settings );
		posthorn_hand_over( $saved['revision'] );
	}

	/** For tests that add their own endpoints. */
	protected function begin_without_endpoint(): void {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/endpoints.php';
		require_once WP_PLUGIN_DIR . '/posthorn/includes/catalogue.php';
		$this->save_no_endpoint();
	}

	/** Takes back what a test did to the receiver, the site's pause and its endpoints, with what waits for them. */
	protected function leave_no_endpoint(): void {
		Receiver::reset();
		posthorn_client_pause( false );
		posthorn_forget_cached_settings();
		$this->save_no_endpoint();
	}

	/** Waits until a condition holds. */
	protected function wait_until( string $what, callable $condition, float $seconds = 15.0 ): void {
		$deadline = microtime( true ) + $seconds;
		while ( ! $condition() ) {
			if ( microtime( true ) > $deadline ) {
				self::fail( "not within $seconds s: $what" );
			}
			usleep( 5000 );
		}
	}

	/** Waits until nothing is left to send to this site's receivers. */
	protected function wait_until_sent( float $seconds = 15.0 ): void {
		$this->wait_until( 'everything is sent', fn() => array() === $this->deliveries( array( 'state' => 'pending' ) ), $seconds );
	}

	/** This site's deliveries, newest first. */
	protected function deliveries( array $filter = array() ): array {
		return posthorn_client_deliveries( $filter + array( 'limit' => 1000 ) );
	}

	/** The delivery of an event. */
	protected function delivery_of( string $event_id ): ?array {
		return $this->deliveries( array( 'event_id' => $event_id ) )[0] ?? null;
	}

	/** What an event carried when it arrived; there must be exactly one such event. */
	protected function data_of( string $event ): array {
		$found = array_values( array_filter( $this->receiver->requests(), static fn( array $request ) => $request['event'] === $event ) );
		self::assertCount( 1, $found, "requests for $event" );
		return json_decode( $found[0]['body'], true )['data'];
	}

	/** The problem that this request has noted so far; empty if none. */
	protected function problem(): string {
		return posthorn_problems()['message'];
	}

	protected function forget_problems(): void {
		$problems             = &posthorn_problems();
		$problems['message']  = '';
		$problems['messages'] = array();
		$problems['lost']     = 0;
		delete_option( 'posthorn_problem' );
	}
}
