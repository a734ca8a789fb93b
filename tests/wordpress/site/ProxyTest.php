<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;

/** The proxy that wp-config.php names. Constants last for a process, so each test has one of its own. */
final class ProxyTest extends SiteTestCase {

	/** @var resource */
	private $process;
	private string $folder;
	private string $address;

	protected function setUp(): void {
		parent::setUp();
		$this->folder = sys_get_temp_dir() . '/posthorn-proxy-' . bin2hex( random_bytes( 6 ) );
		mkdir( $this->folder );
		$program       = dirname( __DIR__, 2 ) . '/receiver/proxy.js';
		$this->process = proc_open( array( 'node', $program, "$this->folder/ready" ), array( array( 'file', '/dev/null', 'r' ) ), $pipes );
		$this->wait_until( 'the proxy starts', fn() => is_file( "$this->folder/ready" ) );
		$this->address = json_decode( file_get_contents( "$this->folder/ready" ), true )['address'];
	}

	protected function tearDown(): void {
		proc_terminate( $this->process, 9 );
		proc_close( $this->process );
		unlink( "$this->folder/ready" );
		rmdir( $this->folder );
		// Other processes have saved.
		posthorn_forget_cached_settings();
		parent::tearDown();
	}

	/** The receiver under a name that only the proxy knows. */
	private function behind_the_proxy(): string {
		return str_replace( '127.0.0.1', 'receiver.test', $this->receiver->url() );
	}

	/** What the proxy was asked for. */
	private function asked( string $key = 'target' ): array {
		return array_column( json_decode( file_get_contents( "$this->address/asked" ), true ), $key );
	}

	/** Runs code in a WordPress whose wp-config.php names the proxy. */
	private function with_proxy( string $code, string $more = '' ): string {
		$port    = parse_url( $this->address, PHP_URL_PORT );
		$command = Command::wordpress( "define( 'WP_PROXY_HOST', '127.0.0.1' ); define( 'WP_PROXY_PORT', '$port' ); $more\n$code" );
		self::assertSame( 0, $command->status, $command->output . $command->errors );
		return trim( $command->output );
	}

	private const WITH_USER = "define( 'WP_PROXY_USERNAME', 'me' ); define( 'WP_PROXY_PASSWORD', 'hu@sh/#' );";

	private const LOOK_IN = "require_once WP_PLUGIN_DIR . '/posthorn/includes/background.php'; posthorn_run_cron();";

	public function test_a_constant_that_was_added_changed_or_removed_is_noticed_without_a_save(): void {
		$this->save_endpoint( array( 'url' => $this->behind_the_proxy() ) );
		$revision = posthorn_settings()['revision'];
		$this->with_proxy( self::LOOK_IN );
		posthorn_forget_cached_settings();
		self::assertSame( $revision + 1, posthorn_settings()['revision'] );
		posthorn_dispatch( 'deal.won', array( 'n' => 1 ) );
		$this->receiver->wait_for( 1 );
		self::assertSame( array( preg_replace( '#^http://([^/]+).*$#', '$1', $this->behind_the_proxy() ) ), $this->asked() );
		// Looked at again, nothing has changed.
		$this->with_proxy( self::LOOK_IN );
		posthorn_forget_cached_settings();
		self::assertSame( $revision + 1, posthorn_settings()['revision'] );
		// Another password, then none of it.
		$this->with_proxy( self::LOOK_IN, self::WITH_USER );
		posthorn_forget_cached_settings();
		self::assertSame( $revision + 2, posthorn_settings()['revision'] );
		posthorn_dispatch( 'deal.lost', array( 'n' => 2 ) );
		$this->receiver->wait_for( 2 );
		self::assertSame( array( null, 'Basic ' . base64_encode( 'me:hu@sh/#' ) ), $this->asked( 'authorization' ) );
		Command::wordpress( self::LOOK_IN );
		posthorn_forget_cached_settings();
		self::assertSame( $revision + 3, posthorn_settings()['revision'] );
		$this->wait_until_sent();
	}

	public function test_a_test_goes_through_it_too(): void {
		$endpoint = var_export( array( 'url' => $this->behind_the_proxy(), 'allow_private' => true ), true );
		$result   = $this->with_proxy( "require_once WP_PLUGIN_DIR . '/posthorn/includes/outcome.php'; echo wp_json_encode( posthorn_test( $endpoint ) );" );
		self::assertTrue( json_decode( $result, true )['ok'], $result );
		self::assertCount( 1, $this->asked() );
	}

	public function test_what_wordpress_calls_directly_is_called_directly(): void {
		$urls   = array( 'https://a.test/', 'https://x.bypass.test/', 'https://127.0.0.1/', 'https://[::1]/', 'https://localhost/', get_option( 'siteurl' ) );
		$result = $this->with_proxy(
			"require_once WP_PLUGIN_DIR . '/posthorn/includes/proxy.php';\n" .
			'echo wp_json_encode( array_map( fn( $url ) => posthorn_with_proxy( array( "url" => $url ) )["proxy"], ' . var_export( $urls, true ) . ' ) );',
			"define( 'WP_PROXY_BYPASS_HOSTS', 'b.test, *.bypass.test' );"
		);
		self::assertSame( array( $this->address, false, false, false, false, false ), json_decode( $result, true ) );
	}

	public function test_an_endpoint_of_code_keeps_its_own(): void {
		$result = $this->with_proxy(
			"add_filter( 'posthorn_endpoints', fn() => array( array( 'url' => 'https://a.test/', 'proxy' => false ), array( 'url' => 'https://b.test/', 'proxy' => 'http://other.test:1' ), array( 'url' => 'https://c.test/' ) ) );
			echo wp_json_encode( array_column( posthorn_endpoints(), 'proxy' ) );"
		);
		self::assertSame( array( false, 'http://other.test:1', $this->address ), json_decode( $result, true ) );
	}

	public function test_its_password_is_not_in_the_database_nor_in_what_is_shown(): void {
		global $wpdb;
		$this->save_endpoint( array( 'url' => 'http://receiver.test:9/', 'schedule' => array() ) );
		$shown = $this->with_proxy( self::LOOK_IN . "posthorn_dispatch( 'deal.won', array() ); echo wp_json_encode( array( posthorn_client_endpoints(), posthorn_client_stats() ) );", self::WITH_USER );
		$this->wait_until_sent();
		$shown .= wp_json_encode( array( $this->deliveries(), $this->problem(), posthorn_client_delivery( $this->deliveries()[0]['id'] ) ) );
		$shown .= wp_json_encode( $wpdb->get_col( "SELECT option_value FROM $wpdb->options" ) );
		self::assertStringNotContainsString( 'hu@sh', $shown );
		self::assertStringNotContainsString( 'hu%40sh', $shown );
		self::assertStringNotContainsString( base64_encode( 'me:hu@sh/#' ), $shown );
		Command::wordpress( self::LOOK_IN );
	}

	public function test_one_that_cannot_be_used_is_told_and_named(): void {
		$result = Command::wordpress(
			"define( 'WP_PROXY_HOST', 'socks5://me:hush@proxy.test' ); define( 'WP_PROXY_PORT', '1080' );
			echo wp_json_encode( posthorn_client_check( array( 'url' => 'https://a.test/' ) ) );"
		)->output;
		self::assertStringContainsString( 'WP_PROXY_HOST', $result );
		self::assertStringContainsString( 'only proxies addressed by http', strtolower( $result ) );
		self::assertStringNotContainsString( 'hush', $result );
	}
}
