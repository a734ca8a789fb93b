<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** Settings as JSON without secrets: what is written, what is read again, and what has to be said of it first. */
final class TransferTest extends SiteTestCase {

	protected function setUp(): void {
		parent::setUp();
		require_once WP_PLUGIN_DIR . '/posthorn/includes/transfer.php';
		delete_transient( 'posthorn_import_1' );
		$this->save_endpoint();
		$added = posthorn_add_endpoint(
			array(
				'id'      => 'shop',
				'url'     => 'https://hooks.example.com/shop',
				'events'  => array( 'deal.*' ),
				'secret'  => 'shop-secret-shop-secret',
				'headers' => array( 'X-Key' => 'header-secret' ),
				'filters' => array( 'amount' => array( 'gte' => 1000 ) ),
				'timeout' => 7,
			)
		);
		self::assertIsArray( $added );
	}

	/** The endpoints of the settings as they are shown, by id. */
	private static function shown(): array {
		return array_map( static fn( array $endpoint ): array => array_diff_key( $endpoint, array( 'created_at' => 0, 'updated_at' => 0 ) ), array_column( posthorn_list_endpoints(), null, 'id' ) );
	}

	public function test_an_export_has_everything_but_secrets(): void {
		$json = posthorn_export_json();
		foreach ( array( self::secret(), 'shop-secret', 'header-secret', 'v1:' ) as $secret ) {
			self::assertStringNotContainsString( $secret, $json );
		}
		$file = json_decode( $json, true );
		self::assertSame( array( 'posthorn-settings', 1 ), array( $file['kind'], $file['version'] ) );
		self::assertSame( array( 'main', 'shop' ), array_column( $file['endpoints'], 'id' ) );
		self::assertSame( array( 'gte' => 1000 ), $file['endpoints'][1]['filters']['amount'] );
		self::assertTrue( $file['endpoints'][1]['has_secret'] );
	}

	public function test_on_the_same_site_it_changes_nothing_and_asks_for_nothing(): void {
		$before = self::shown();
		$plan   = posthorn_import( posthorn_export_json(), false );
		self::assertIsArray( $plan );
		self::assertSame( array( 'none', 'none' ), array_column( $plan['steps'], 'action' ) );
		self::assertSame( array( array(), array() ), array_column( $plan['steps'], 'needs' ) );
		self::assertEquals( $before, self::shown() );
	}

	public function test_on_another_site_secrets_are_asked_for_and_the_receiver_is_off_until_then(): void {
		$json = posthorn_export_json();
		$this->save_no_endpoint();
		$plan = posthorn_import_plan( $json );
		self::assertSame( array(), posthorn_settings()['endpoints'], 'a plan changes nothing' );
		self::assertSame( array( array( 'secret' ), array( 'headers', 'secret' ) ), array_column( $plan['steps'], 'needs' ) );
		self::assertSame( array( true, true ), array_column( $plan['steps'], 'off' ) );
		self::assertSame( 'all', $plan['steps'][0]['private'] );
		$refused = posthorn_import( $json, false );
		self::assertSame( 'posthorn_private', $refused->get_error_code() );
		self::assertSame( array(), posthorn_settings()['endpoints'], 'nothing of it was done' );
		self::assertIsArray( posthorn_import( $json, true ) );
		$shown = self::shown();
		self::assertSame( array( false, false ), array_column( $shown, 'enabled' ) );
		self::assertSame( 7, $shown['shop']['timeout'] );
		self::assertSame( array( 'deal.*' ), $shown['shop']['events'] );
		self::assertSame( array(), $shown['shop']['secrets'] );
		self::assertIsArray( posthorn_change_endpoint( 'shop', array( 'secret' => 'shop-secret-shop-secret', 'enabled' => true ) ) );
	}

	public function test_another_address_gets_none_of_the_secrets_that_are_here(): void {
		$file                         = json_decode( posthorn_export_json(), true );
		$file['endpoints'][1]['url']  = 'https://elsewhere.example.com/';
		$plan                         = posthorn_import( wp_json_encode( $file ), false );
		self::assertSame( array( 'headers', 'secret' ), $plan['steps'][1]['needs'] );
		self::assertSame( array(), self::shown()['shop']['secrets'] );
		self::assertFalse( self::shown()['shop']['enabled'] );
	}

	/** Files with a mistake, and where it is said to be. */
	public static function mistakes(): array {
		$endpoint = array( 'id' => 'x', 'url' => 'https://example.com/' );
		$file     = static fn( array $endpoints ): string => json_encode( array( 'kind' => 'posthorn-settings', 'version' => 1, 'endpoints' => $endpoints ) );
		return array(
			'no JSON'         => array( '{', 'file' ),
			'something else'  => array( '{"kind":"other"}', 'file' ),
			'another version' => array( '{"kind":"posthorn-settings","version":2,"endpoints":[]}', 'file' ),
			'no list'         => array( $file( array( 'x' ) ), 'file' ),
			'a wrong URL'     => array( $file( array( $endpoint, array( 'url' => 'example' ) ) ), 'endpoints[1].url' ),
			'an unknown key'  => array( $file( array( array( 'sekret' => 1 ) + $endpoint ) ), 'endpoints[0].sekret' ),
			'a secret'        => array( $file( array( array( 'secret' => 'x' ) + $endpoint ) ), 'endpoints[0].secret' ),
			'an id twice'     => array( $file( array( $endpoint, $endpoint ) ), 'endpoints[1].id' ),
			'null'            => array( 'null', 'file' ),
			'too deep'        => array( str_repeat( '[', 5000 ) . str_repeat( ']', 5000 ), 'file' ),
			'too large'       => array( '{"kind":"posthorn-settings","x":"' . str_repeat( 'x', 2100000 ) . '"}', 'file' ),
			'too many'        => array( $file( array_map( static fn( int $n ): array => array( 'id' => "e$n", 'url' => 'https://example.com/' ), range( 0, 500 ) ) ), 'file' ),
			'text for a switch' => array( json_encode( array( 'kind' => 'posthorn-settings', 'version' => 1, 'delete_queue' => 'false', 'endpoints' => array() ) ), 'file' ),
			'a list as id'    => array( $file( array( array( 'id' => array( 'x' ) ) + $endpoint ) ), 'endpoints[0].id' ),
			'an id that is an address' => array( $file( array( array( 'id' => '../x?a=b' ) + $endpoint ) ), 'endpoints[0].id' ),
			'an id of the form' => array( $file( array( array( 'id' => 'new' ) + $endpoint ) ), 'endpoints[0].id' ),
			'facts of ours'   => array( $file( array( array( 'created_at' => '1999-01-01T00:00:00Z', 'leaving' => true ) + $endpoint ) ), 'endpoints[0].created_at' ),
			'another site'    => array( $file( array( array( 'site' => '7' ) + $endpoint ) ), 'endpoints[0].site' ),
			'a wrong format'  => array( $file( array( array( 'format' => 'nonsense', 'has_secret' => true ) + $endpoint ) ), 'endpoints[0].format' ),
		);
	}

	/** @dataProvider mistakes */
	public function test_a_mistake_is_named_and_nothing_is_imported( string $json, string $where ): void {
		$before = self::shown();
		$error  = posthorn_import( $json, true );
		self::assertTrue( is_wp_error( $error ) );
		self::assertArrayHasKey( $where, $error->get_error_data()['mistakes'] );
		self::assertEquals( $before, self::shown() );
	}

	public function test_a_file_that_waits_to_be_confirmed_is_not_readable_in_the_database(): void {
		$hidden = 'written-by-hand-' . bin2hex( random_bytes( 4 ) );
		$file   = array( 'kind' => 'posthorn-settings', 'version' => 1, 'endpoints' => array( array( 'id' => 'x', 'url' => 'https://example.com/', 'secret' => $hidden, 'headers' => array( 'X-Key' => $hidden ) ) ) );
		$owner  = Visitor::logged_in( 'admin', 'admin' );
		self::assertSame( 1, preg_match( '/name="action" value="posthorn_import">\s*<input type="hidden" id="_wpnonce" name="_wpnonce" value="(\w+)"/', $owner->get( '/wp-admin/options-general.php?page=posthorn' )->html, $nonce ) );
		$plan = $owner->upload( '/wp-admin/admin-post.php', array( 'action' => 'posthorn_import', '_wpnonce' => $nonce[1] ), 'file', wp_json_encode( $file ) )->html;
		self::assertStringContainsString( 'Secrets are not imported', $plan );
		self::assertStringNotContainsString( $hidden, $plan );
		global $wpdb;
		$stored = implode( "\n", $wpdb->get_col( "SELECT option_value FROM $wpdb->options WHERE option_name LIKE '%posthorn%'" ) );
		self::assertStringContainsString( POSTHORN_SECRET_PREFIX, $stored );
		self::assertStringNotContainsString( $hidden, $stored );
	}

	public function test_the_command_line_exports_and_imports(): void {
		$file = tempnam( sys_get_temp_dir(), 'posthorn-export' );
		self::assertSame( 0, Command::wp( 'posthorn', 'export', $file )->status );
		self::assertEquals( json_decode( file_get_contents( $file ), true )['endpoints'], json_decode( posthorn_export_json(), true )['endpoints'] );
		$this->save_no_endpoint();
		self::assertSame( 0, Command::wp( 'posthorn', 'import', $file, '--dry-run' )->status );
		$refused = Command::wp( 'posthorn', 'import', $file );
		self::assertSame( 1, $refused->status );
		self::assertStringContainsString( '--allow-private', $refused->errors );
		posthorn_forget_cached_settings();
		self::assertSame( array(), posthorn_settings()['endpoints'] );
		$done = Command::wp( 'posthorn', 'import', $file, '--allow-private' );
		self::assertSame( 0, $done->status, $done->errors );
		self::assertStringContainsString( 'shop is switched off until', $done->errors );
		posthorn_forget_cached_settings();
		self::assertCount( 2, posthorn_settings()['endpoints'] );
		file_put_contents( $file, '{' );
		self::assertSame( 1, Command::wp( 'posthorn', 'import', $file )->status );
		unlink( $file );
	}

	public function test_the_page_exports_shows_a_plan_and_imports_when_it_is_confirmed(): void {
		$owner  = Visitor::logged_in( 'admin', 'admin' );
		$nonce  = static function ( string $page, string $action ): string {
			self::assertSame( 1, preg_match( '/name="action" value="' . $action . '">\s*<input type="hidden" id="_wpnonce" name="_wpnonce" value="(\w+)"/', $page, $found ), $action );
			return $found[1];
		};
		$page   = $owner->get( '/wp-admin/options-general.php?page=posthorn' )->html;
		$export = $owner->post( '/wp-admin/admin-post.php', array( 'action' => 'posthorn_export', '_wpnonce' => $nonce( $page, 'posthorn_export' ) ) );
		self::assertEquals( json_decode( posthorn_export_json(), true )['endpoints'], json_decode( $export->html, true )['endpoints'] );
		$this->save_no_endpoint();
		$plan = $owner->upload( '/wp-admin/admin-post.php', array( 'action' => 'posthorn_import', '_wpnonce' => $nonce( $page, 'posthorn_import' ) ), 'file', $export->html )->html;
		self::assertStringContainsString( 'Nothing has been changed yet.', $plan );
		self::assertStringContainsString( 'Its secret has to be entered', $plan );
		self::assertStringContainsString( 'It may call any address of your own network', $plan );
		$fields = array( 'action' => 'posthorn_import', '_wpnonce' => $nonce( $plan, 'posthorn_import' ), 'step' => 'confirm', 'revision' => (string) posthorn_settings()['revision'] );
		$told   = $owner->post( '/wp-admin/admin-post.php', $fields )->html;
		self::assertStringContainsString( 'Nothing was changed', $told );
		$told = $owner->post( '/wp-admin/admin-post.php', $fields + array( 'allow_private' => '1' ) )->html;
		self::assertStringContainsString( 'The settings were imported.', $told );
		posthorn_forget_cached_settings();
		self::assertSame( array( 'main', 'shop' ), array_column( posthorn_settings()['endpoints'], 'id' ) );
	}
}
