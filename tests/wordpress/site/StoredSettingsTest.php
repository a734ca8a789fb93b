<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;

/** The option posthorn_settings: its shape, its revision, and the secret in it. */
final class StoredSettingsTest extends SiteTestCase {

	/** @dataProvider rubbish */
	public function test_whatever_the_option_holds_the_plugin_reads_settings( $stored, int $endpoints ): void {
		$settings = posthorn_sanitise_settings( $stored );
		self::assertSame( array( 'revision', 'endpoints', 'delete_queue', 'saved_for' ), array_keys( $settings ) );
		self::assertCount( $endpoints, $settings['endpoints'] );
		foreach ( $settings['endpoints'] as $endpoint ) {
			self::assertSame( array(), array_diff( array_keys( posthorn_default_endpoint() ), array_keys( $endpoint ) ) );
		}
	}

	public static function rubbish(): array {
		return array(
			'nothing'             => array( false, 0 ),
			'text'                => array( 'x', 0 ),
			'a number'            => array( 7, 0 ),
			'an empty array'      => array( array(), 0 ),
			'endpoints as text'   => array( array( 'endpoints' => 'x' ), 0 ),
			'an endpoint as text' => array( array( 'endpoints' => array( 'x', null, 3 ) ), 0 ),
			'no URL'              => array( array( 'endpoints' => array( array( 'id' => 'main' ) ) ), 0 ),
			'a URL that is none'  => array( array( 'endpoints' => array( array( 'url' => array() ) ) ), 0 ),
			'only a URL'          => array( array( 'endpoints' => array( array( 'url' => 'https://example.com/' ) ) ), 1 ),
			'a negative revision' => array( array( 'revision' => -3, 'endpoints' => array() ), 0 ),
		);
	}

	public function test_every_save_is_one_revision_higher(): void {
		$before = posthorn_settings()['revision'];
		$this->save_endpoint();
		$this->save_endpoint();
		self::assertSame( $before + 2, posthorn_settings()['revision'] );
		self::assertSame( $before + 2, posthorn_client_revision(), 'the queue has them too' );
	}

	public function test_settings_of_a_restored_database_are_handed_over_though_the_queue_has_later_ones(): void {
		$this->save_endpoint( array( 'url' => 'https://example.com/of-before' ) );
		$restored = get_option( POSTHORN_OPTION );
		posthorn_client_configure( posthorn_endpoints(), $restored['revision'] + 1000 );
		$this->save_endpoint();
		self::assertSame( array( $this->receiver->url() ), array_column( posthorn_client_endpoints(), 'url' ), 'what is saved then' );
		// And where nothing is saved, with the next event.
		update_option( POSTHORN_OPTION, $restored );
		posthorn_forget_cached_settings();
		$command = Command::wordpress( 'posthorn_hand_over_if_needed(); echo posthorn_client_endpoints()[0]["url"], " ", posthorn_settings()["revision"] === posthorn_client_revision() ? "same" : "other";' );
		self::assertSame( 'https://example.com/of-before same', $command->output, $command->errors );
	}

	/** @dataProvider ways_to_change_an_option */
	public function test_a_change_counts_at_once_whoever_makes_it( callable $change, array $expected ): void {
		$this->save_endpoint();
		self::assertNotSame( array( 'https://example.com/other' ), array_column( posthorn_settings()['endpoints'], 'url' ) );
		$before = get_option( POSTHORN_OPTION );
		$undo   = $change( array( 'endpoints' => array( array( 'url' => 'https://example.com/other' ) ) ) + $before );
		try {
			self::assertSame( $expected, array_column( posthorn_settings()['endpoints'], 'url' ) );
			self::assertEquals( posthorn_sanitise_settings( get_option( POSTHORN_OPTION ) ), posthorn_settings() );
		} finally {
			$undo && $undo();
			delete_option( POSTHORN_OPTION );
			add_option( POSTHORN_OPTION, $before );
		}
		self::assertSame( posthorn_sanitise_settings( $before ), posthorn_settings() );
	}

	public static function ways_to_change_an_option(): array {
		$other  = array( 'https://example.com/other' );
		$filter = static function ( string $hook ): callable {
			return static function ( array $settings ) use ( $hook ): callable {
				$callback = static fn() => $settings;
				add_filter( $hook, $callback );
				return static fn() => remove_filter( $hook, $callback );
			};
		};
		return array(
			'update_option()'                  => array( static fn( $settings ) => update_option( POSTHORN_OPTION, $settings ) && false, $other ),
			'delete_option()'                  => array( static fn() => delete_option( POSTHORN_OPTION ) && false, array() ),
			'an option that is not autoloaded' => array(
				static fn( $settings ) => delete_option( POSTHORN_OPTION ) && add_option( POSTHORN_OPTION, $settings, '', 'no' ) && false,
				$other,
			),
			'the database, then a flush'       => array(
				static function ( $settings ): void {
					global $wpdb;
					$wpdb->update( $wpdb->options, array( 'option_value' => maybe_serialize( $settings ) ), array( 'option_name' => POSTHORN_OPTION ) );
					wp_cache_flush();
				},
				$other,
			),
			'a filter before'                  => array( $filter( 'pre_option_' . POSTHORN_OPTION ), $other ),
			'a filter after'                   => array( $filter( 'option_' . POSTHORN_OPTION ), $other ),
		);
	}

	public function test_settings_made_from_an_older_revision_change_nothing(): void {
		$this->save_endpoint();
		$mine = posthorn_settings();
		$this->save_endpoint( array( 'url' => $this->receiver->url() . '/newer' ) );
		$stored = get_option( POSTHORN_OPTION );
		self::assertNull( posthorn_replace_settings( array( 'endpoints' => array() ) + $mine ) );
		self::assertSame( $stored, get_option( POSTHORN_OPTION ) );
	}

	public function test_a_save_in_another_process_is_noticed_although_the_option_is_cached_here(): void {
		$this->save_endpoint();
		$mine  = posthorn_settings();
		$other = Command::wordpress( '$s = posthorn_settings(); echo posthorn_replace_settings( $s )["revision"];' );
		self::assertSame( (string) ( $mine['revision'] + 1 ), $other->output, $other->errors );
		self::assertNull( posthorn_replace_settings( $mine ) );
		self::assertSame( $mine['revision'] + 1, posthorn_settings()['revision'], 'the other save is what counts now' );
	}

	public function test_a_secret_is_encrypted_in_the_database_and_comes_back(): void {
		global $wpdb;
		$this->save_endpoint();
		$raw = $wpdb->get_var( "SELECT option_value FROM $wpdb->options WHERE option_name = 'posthorn_settings'" );
		self::assertStringNotContainsString( self::secret(), $raw );
		self::assertStringNotContainsString( base64_encode( self::secret() ), $raw );
		self::assertSame( self::secret(), posthorn_decrypt( posthorn_settings()['endpoints'][0]['secret'] ) );
		foreach ( $wpdb->get_col( "SELECT option_value FROM $wpdb->options" ) as $value ) {
			self::assertStringNotContainsString( self::secret(), (string) $value );
		}
	}

	public function test_the_key_and_the_queue_are_readable_by_their_owner_only(): void {
		$this->save_endpoint();
		$directory = posthorn_queue_directory();
		self::assertSame( 0700, fileperms( $directory ) & 0777 );
		foreach ( array_diff( scandir( $directory ), array( '.', '..' ) ) as $name ) {
			self::assertSame( 0, fileperms( "$directory/$name" ) & 0077, $name );
		}
	}

	public function test_a_key_that_cannot_be_read_is_told_from_one_that_is_gone(): void {
		$this->save_endpoint();
		$key  = posthorn_queue_directory() . '/secrets.key';
		$kept = file_get_contents( $key );
		try {
			file_put_contents( $key, 'cut' );
			self::assertStringContainsString( $key, posthorn_secret_problem() );
			unlink( $key );
			self::assertStringContainsString( 'is gone', posthorn_secret_problem() );
		} finally {
			file_put_contents( $key, $kept );
		}
		chmod( $key, 0600 );
		chown( $key, fileowner( posthorn_queue_directory() ) );
	}

	public function test_a_secret_that_cannot_be_read_sends_nothing_unsigned(): void {
		$this->save_endpoint();
		$key    = posthorn_queue_directory() . '/secrets.key';
		$kept   = file_get_contents( $key );
		$bumped = posthorn_replace_settings( posthorn_settings() );
		file_put_contents( $key, random_bytes( 32 ) );
		try {
			posthorn_hand_over( $bumped['revision'] );
			ob_start();
			do_action( 'admin_notices' );
			self::assertStringContainsString( 'cannot read the secret', ob_get_clean() );
			posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
			self::assertSame( 'ok', $this->receiver->wait_for( 1 )[0]['signature']['state'], 'the queue keeps its copy' );
		} finally {
			file_put_contents( $key, $kept );
		}
		posthorn_hand_over( $bumped['revision'] );
		self::assertFalse( get_option( 'posthorn_secret_unreadable' ) );
	}
}
