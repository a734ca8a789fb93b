<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;

/** Endpoints that wp-config.php defines. */
final class ConstantEndpointsTest extends SiteTestCase {

	private const SECRET = 'only-in-wp-config';

	private string $config;
	private Receiver $other;

	protected function setUp(): void {
		parent::setUp();
		$this->config = tempnam( sys_get_temp_dir(), 'posthorn-config' );
		$this->other  = new Receiver( 'constant' );
		posthorn_forget_cached_settings();
		$this->save_endpoint( array( 'events' => array( 'contact.created' ) ) );
	}

	protected function tearDown(): void {
		unlink( $this->config );
		// The constant is gone: a change too. Other processes have saved meanwhile.
		posthorn_forget_cached_settings();
		posthorn_hand_over_if_filter_changed();
		parent::tearDown();
	}

	/** Runs PHP on the bed as if wp-config.php had the constant. */
	private function with( $endpoints, string $code ): Command {
		file_put_contents( $this->config, '<?php define( "POSTHORN_ENDPOINTS", ' . var_export( $endpoints, true ) . ' );' );
		$command = Command::wp( "--require=$this->config", '--user=admin', 'eval', $code );
		self::assertSame( 0, $command->status, $command->errors );
		return $command;
	}

	private function endpoint( array $more = array() ): array {
		return $more + array(
			'url'           => $this->other->url(),
			'events'        => array( 'contact.created', 'deal.*' ),
			'secret'        => self::SECRET,
			'allow_private' => true,
			'description'   => 'The warehouse',
		);
	}

	public function test_they_are_used_beside_the_stored_ones_without_a_save(): void {
		$this->with( array( $this->endpoint() ), 'posthorn_hand_over_if_filter_changed(); posthorn_dispatch( "contact.created", array( "contact_id" => 7 ) );' );
		self::assertSame( 'contact.created', $this->other->wait_for( 1 )[0]['event'] );
		self::assertCount( 1, $this->receiver->wait_for( 1 ) );
		$request = $this->other->requests()[0];
		self::assertSame( hash_hmac( 'sha256', $request['body'], self::SECRET ), array_change_key_case( $request['headers'] )['x-crm-signature'] );
		// A changed constant counts at the next hand-over.
		$this->with( array( $this->endpoint( array( 'events' => array( 'deal.won' ) ) ) ), 'posthorn_hand_over_if_filter_changed(); posthorn_dispatch_many( array( array( "contact.created", array( "contact_id" => 8 ) ), array( "deal.won", array( "deal_id" => 1 ) ) ) );' );
		self::assertSame( 'deal.won', $this->other->wait_for( 2 )[1]['event'] );
		// And so does its absence.
		posthorn_forget_cached_settings();
		posthorn_hand_over_if_filter_changed();
		posthorn_dispatch( 'contact.created', array( 'contact_id' => 9 ) );
		$this->receiver->wait_for( 3 );
		$this->wait_until_sent();
		self::assertCount( 2, $this->other->requests() );
	}

	public function test_they_are_enough_for_a_site_without_settings(): void {
		$this->save_no_endpoint();
		$this->with( array( $this->endpoint() ), 'posthorn_hand_over_if_filter_changed(); posthorn_dispatch( "contact.created", array( "contact_id" => 7 ) );' );
		$this->other->wait_for( 1 );
	}

	public function test_they_are_shown_without_their_secrets_and_cannot_be_changed(): void {
		$shown = $this->with(
			array( $this->endpoint( array( 'id' => 'warehouse', 'headers' => array( 'X-Key' => 'hidden-value' ) ) ) ),
			'require_once WP_PLUGIN_DIR . "/posthorn/includes/endpoints.php";
			require_once WP_PLUGIN_DIR . "/posthorn/includes/admin/constants.php";
			$list = posthorn_list_endpoints();
			posthorn_print_constant_endpoints();
			echo wp_json_encode( array( "list" => $list, "find" => posthorn_find_endpoint( "warehouse" ), "codes" => array( posthorn_change_endpoint( "warehouse", array( "enabled" => false ) )->get_error_code(), posthorn_delete_endpoint( "warehouse" )->get_error_code() ) ) );'
		)->output;
		self::assertStringNotContainsString( self::SECRET, $shown );
		self::assertStringNotContainsString( 'hidden-value', $shown );
		self::assertStringContainsString( 'The warehouse', $shown );
		$told = json_decode( substr( $shown, strpos( $shown, '{"list"' ) ), true );
		self::assertSame( array( false, true ), array_map( static fn( array $one ): bool => $one['read_only'] ?? false, $told['list'] ) );
		self::assertSame( 'warehouse', $told['find']['id'] );
		self::assertSame( array( 'posthorn_read_only', 'posthorn_read_only' ), $told['codes'] );
	}

	/** Mistakes, and what is said of each. */
	public static function mistakes(): array {
		return array(
			'not a list'      => array( 'https://example.com/', 'POSTHORN_ENDPOINTS in wp-config.php has to be a list of arrays, and is of the type string.' ),
			'one endpoint'    => array( array( 'url' => 'https://example.com/' ), 'put another array() around' ),
			'no URL'          => array( array( array( 'events' => '*' ) ), 'POSTHORN_ENDPOINTS[0] in wp-config.php is left out: it has to be an array with a url.' ),
			'an unknown key'  => array( array( 'x' => array( 'url' => 'https://example.com/', 'sekret' => 'x' ) ), 'POSTHORN_ENDPOINTS[\'x\'] in wp-config.php is left out: sekret:' ),
			'a wrong value'   => array( array( array( 'url' => 'https://example.com/', 'timeout' => 'soon' ) ), 'POSTHORN_ENDPOINTS[0] in wp-config.php is left out: timeout:' ),
			'a taken id'      => array( array( array( 'url' => 'https://example.com/', 'id' => 'main' ) ), 'POSTHORN_ENDPOINTS[0] in wp-config.php is left out: id: another endpoint has the id main. Correct it there.' ),
			'an unknown name' => array( array( array( 'url' => 'https://example.com/', 'events' => array( 'contact.creatd' ) ) ), 'POSTHORN_ENDPOINTS[0] in wp-config.php is left out: events:' ),
		);
	}

	/** @dataProvider mistakes */
	public function test_a_mistake_is_named_and_leaves_the_others_alone( $constant, string $message ): void {
		$told = $this->with( is_array( $constant ) && ! isset( $constant['url'] ) ? array_merge( $constant, array( $this->endpoint() ) ) : $constant, 'posthorn_hand_over_if_filter_changed(); require_once WP_PLUGIN_DIR . "/posthorn/includes/conditions.php"; echo implode( "\n", array_column( posthorn_constant_conditions(), "text" ) ); posthorn_dispatch( "contact.created", array( "contact_id" => 7 ) );' );
		self::assertStringContainsString( $message, $told->output );
		$this->receiver->wait_for( 1 );
		if ( is_array( $constant ) && ! isset( $constant['url'] ) ) {
			$this->other->wait_for( 1 );
		}
		$this->forget_problems();
	}

	/** Values that no key of an endpoint has, by key. */
	public static function strange_values(): array {
		$values = array();
		foreach ( array( 'id', 'events', 'filters', 'format', 'secret', 'site', 'enabled', 'description', 'headers', 'allow_private', 'ca', 'proxy', 'preset', 'omit', 'timeout', 'schedule' ) as $key ) {
			$values[ $key ] = array( $key );
		}
		return $values;
	}

	/** @dataProvider strange_values */
	public function test_a_value_of_any_type_costs_neither_a_page_nor_an_event( string $key ): void {
		$endpoints = array();
		$deep      = array( 'until' => array( 'x' ), 'secret' => array( array( array( 'y' ) ) ) );
		foreach ( array( 5, 1.5, true, '', "\xff", array(), array( array() ), array( 5, null, array( 'x' ) ), array( $deep ), $deep, (object) array( 'a' => 1 ), str_repeat( 'x', 20000 ) ) as $n => $value ) {
			$endpoints[] = array( $key => $value, 'url' => "https://example.com/$n", 'enabled' => 'enabled' === $key ? $value : false );
		}
		$told = $this->with(
			array_merge( $endpoints, array( array( 'url' => array( 'x' ) ), 7, null, $this->endpoint( array( 'id' => 'good' ) ) ) ),
			'set_error_handler( static function ( int $kind, string $what, string $file, int $line ): bool { if ( str_contains( $file, "/posthorn/" ) ) { echo "[$what in $file:$line]"; } return false; } );
			require_once ABSPATH . "wp-admin/includes/admin.php";
			foreach ( array( "endpoints", "webhooks", "site-health", "conditions", "outcome", "background", "lifecycle" ) as $file ) { require_once WP_PLUGIN_DIR . "/posthorn/includes/$file.php"; }
			foreach ( glob( WP_PLUGIN_DIR . "/posthorn/includes/admin/*.php" ) as $file ) { require_once $file; }
			set_current_screen( "settings_page_posthorn" );
			posthorn_hand_over_if_filter_changed();
			ob_start();
			posthorn_print_constant_endpoints(); posthorn_print_endpoint_list(); posthorn_print_delivery_list( "", "", "" );
			$html = ob_get_clean();
			$list = posthorn_webhooks();
			posthorn_subscribes( array( "deal.won" ) );
			posthorn_conditions(); posthorn_test_sending(); posthorn_test_failures();
			foreach ( $list as $one ) { posthorn_find_endpoint( (string) $one["id"] ); }
			echo "<" . substr_count( $html, "<td" ) . "|" . count( $list ) . ">";
			posthorn_dispatch( "contact.created", array( "contact_id" => 7 ) );'
		);
		self::assertStringNotContainsString( '[', $told->output );
		self::assertMatchesRegularExpression( '/^<\d+\|\d+>$/', trim( $told->output ) );
		self::assertStringNotContainsString( 'Warning', $told->errors );
		self::assertSame( 'contact.created', $this->other->wait_for( 1 )[0]['event'] );
		$this->receiver->wait_for( 1 );
		$this->forget_problems();
	}

	public function test_one_of_wp_config_does_not_give_way_to_one_that_is_added_under_its_id(): void {
		$told = $this->with(
			array( $this->endpoint( array( 'id' => 'warehouse' ) ) ),
			'require_once WP_PLUGIN_DIR . "/posthorn/includes/transfer.php";
			$mistake = static fn( $answer, $key ) => is_wp_error( $answer ) ? $answer->get_error_data()["mistakes"][ $key ] : "it was stored";
			$file = array( "kind" => "posthorn-settings", "version" => 1, "endpoints" => array( array( "id" => "warehouse", "url" => "https://example.com/" ) ) );
			echo wp_json_encode( array( $mistake( posthorn_add_endpoint( array( "id" => "warehouse", "url" => "https://example.com/" ) ), "id" ), $mistake( posthorn_import( wp_json_encode( $file ), true ), "endpoints[0].id" ), count( posthorn_constant_mistakes() ) ) );'
		);
		list( $added, $imported, $mistakes ) = json_decode( $told->output, true );
		self::assertStringContainsString( 'warehouse', $added );
		self::assertStringContainsString( 'wp-config.php', $imported );
		self::assertSame( 0, $mistakes );
	}
}
