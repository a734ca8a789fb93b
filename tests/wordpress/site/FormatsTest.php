<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\SiteTestCase;

/**
 * Formats that code adds.
 */
final class FormatsTest extends SiteTestCase {

	private const TOML = '
		name = "ledger"
		title = "Ledger"
		timeout_s = 3
		schedule_s = [1, 2]
		https_only = false
		needs_secret = false
		secret_form = "text"
		user_agent = "Ledger/1"
		body = [{ key = "kind", value = "event_name" }, { key = "row", value = "data" }]
		headers = [{ name = "X-Ledger-Time", value = "{ts}" }]
		[signature]
		header = "X-Ledger"
		signed = "{ts}:{body}"
		each = "{hex}"
	';

	/** What the filter returns; a test changes it as an owner changes code. */
	private $formats;

	protected function setUp(): void {
		parent::setUp();
		$this->formats = array( 'ledger' => self::TOML );
		$this->listen( 'posthorn_formats', fn() => $this->formats );
	}

	/** The same definition as an array that has what a test changes. */
	private function ledger( array $changed = array() ): array {
		$definition = posthorn_client_read_format( self::TOML )['definition'];
		unset( $definition['name'] );
		return array_replace( $definition, $changed );
	}

	/** Dispatches an event and returns the request that it becomes, the nth that arrives. */
	private function nth( int $n ): array {
		self::assertNotNull( posthorn_dispatch( 'deal.won', array( 'deal_id' => $n ) ) );
		return $this->receiver->wait_for( $n )[ $n - 1 ];
	}

	/** Whether a request is in the format, and signed by its recipe. */
	private static function is_ledgers( array $request, int $deal, string $kind = 'deal.won' ): void {
		$headers = array_change_key_case( $request['headers'] );
		self::assertSame( '{"kind":"' . $kind . '","row":{"deal_id":' . $deal . '}}', $request['body'] );
		self::assertSame( hash_hmac( 'sha256', $headers['x-ledger-time'] . ':' . $request['body'], self::secret() ), $headers['x-ledger'] );
		self::assertSame( 'Ledger/1', $headers['user-agent'] );
	}

	public function test_an_endpoint_that_names_one_is_sent_in_it(): void {
		self::assertNull( posthorn_client_check( array( 'url' => 'https://a.example/', 'format' => 'ledger' ) ) );
		$this->save_endpoint( array( 'format' => 'ledger' ) );
		self::is_ledgers( $this->nth( 1 ), 1 );
		// The code changes; nobody saves anything.
		$this->formats = array( 'ledger' => $this->ledger( array( 'headers' => array( array( 'name' => 'X-Ledger-Time', 'value' => '{ts}' ), array( 'name' => 'X-New', 'value' => '{event}' ) ) ) ) );
		posthorn_check_in();
		$request = $this->nth( 2 );
		self::is_ledgers( $request, 2 );
		self::assertSame( 'deal.won', array_change_key_case( $request['headers'] )['x-new'] );
		self::assertSame( '', $this->problem() );
	}

	/** @dataProvider bad_formats */
	public function test_a_bad_one_is_shown_to_the_owner_and_changes_nothing( callable $break, string $message ): void {
		$this->save_endpoint( array( 'format' => 'ledger' ) );
		self::is_ledgers( $this->nth( 1 ), 1 );
		$revision      = posthorn_settings()['revision'];
		$this->formats = $break( $this->ledger() );
		posthorn_check_in();
		self::assertStringContainsString( $message, implode( "\n", posthorn_problems()['messages'] ) );
		self::assertSame( $revision, posthorn_settings()['revision'], 'nothing was saved' );
		self::is_ledgers( $this->nth( 2 ), 2 );
		// Not even where something else was saved meanwhile.
		$settings                                 = posthorn_settings();
		$settings['endpoints'][0]['description'] = 'changed';
		self::assertNotNull( posthorn_replace_settings( $settings ) );
		self::is_ledgers( $this->nth( 3 ), 3 );
		self::assertSame( 0, posthorn_problems()['lost'] );
		posthorn_store_problems();
		ob_start();
		posthorn_notice_problem( posthorn_stored_problem() );
		self::assertStringContainsString( 'endpoints[0].format', strtolower( (string) ob_get_clean() ) );
	}

	public static function bad_formats(): array {
		return array(
			'a key is wrong'      => array( static fn( array $ledger ) => array( 'ledger' => array( 'timeout_s' => 0 ) + $ledger ), 'format.timeout_s: must be 0.1 to 120' ),
			'a key is missing'    => array( static fn( array $ledger ) => array( 'ledger' => array_diff_key( $ledger, array( 'body' => 1 ) ) ), 'missing field `body`' ),
			'its signature lacks' => array( static fn( array $ledger ) => array( 'ledger' => array_diff_key( $ledger, array( 'signature' => 1 ) ) ), 'unsigned = true' ),
			'TOML that is none'   => array( static fn() => array( 'ledger' => "name = \"ledger\"\ntitle = " ), 'line 2' ),
			'another name'        => array( static fn( array $ledger ) => array( 'ledger' => array( 'name' => 'other' ) + $ledger ), 'its key is “ledger”, its name “other”' ),
			'no definition'       => array( static fn() => array( 'ledger' => 5 ), 'an array or TOML text' ),
			'no list'             => array( static fn() => 'ledger', 'an array or TOML text' ),
			'it is gone'          => array( static fn() => array(), "'ledger' is no format; known are wpresidence" ),
		);
	}

	public function test_where_the_code_is_gone_everything_else_can_be_changed_and_the_receiver_can_be_switched_off(): void {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/endpoints.php';
		$this->save_endpoint( array( 'format' => 'ledger' ) );
		self::is_ledgers( $this->nth( 1 ), 1 );
		$this->formats = array();
		posthorn_check_in();
		$added = posthorn_add_endpoint( array( 'id' => 'second', 'url' => $this->receiver->url() . '?second', 'allow_private' => true, 'secret' => self::secret(), 'events' => array( 'deal.lost' ) ) );
		self::assertIsArray( $added, is_wp_error( $added ) ? $added->get_error_message() : '' );
		posthorn_dispatch( 'deal.lost', array( 'deal_id' => 2 ) );
		$this->receiver->wait_for( 3 );
		self::is_ledgers( $this->nth( 4 ), 4 );
		self::assertFalse( posthorn_change_endpoint( 'second', array( 'enabled' => false ) )['enabled'] );
		posthorn_dispatch( 'deal.lost', array( 'deal_id' => 5 ) );
		$this->receiver->wait_for( 5 );
		self::is_ledgers( $this->nth( 6 ), 6 );
		// It is told for as long as it is so.
		$this->forget_problems();
		posthorn_check_in();
		self::assertStringContainsString( "'ledger' is no format", $this->problem() );
		self::assertFalse( posthorn_change_endpoint( 'main', array( 'enabled' => false ) )['enabled'] );
		self::assertNull( posthorn_dispatch( 'deal.won', array( 'deal_id' => 7 ) ) );
		self::assertStringContainsString( "'ledger' is no format", posthorn_change_endpoint( 'main', array( 'enabled' => true ) )->get_error_message() );
		$this->wait_until_sent();
		self::assertCount( 6, $this->receiver->requests() );
		self::assertSame( 0, posthorn_problems()['lost'] );
		// And no longer.
		$this->save_endpoint();
		$this->forget_problems();
		posthorn_check_in();
		self::assertSame( '', $this->problem() );
		self::assertSame( array(), posthorn_kept_formats() );
	}

	/** What a filter may return that is no list of definitions. */
	public static function hostile_formats(): array {
		return array(
			'an array in itself' => array(
				static function ( array $ledger ): array {
					$ledger['body'] = &$ledger;
					return array( 'ledger' => $ledger );
				},
				'contains itself',
			),
			'a closure in it'    => array( static fn( array $ledger ) => array( 'ledger' => array( 'title' => static fn() => 'x' ) + $ledger ), 'Closure' ),
			'a closure'          => array( static fn() => array( 'ledger' => static fn() => 'x' ), 'an array or TOML text' ),
			'an object'          => array( static fn( array $ledger ) => array( 'ledger' => (object) ( array( 'name' => 'ledger' ) + $ledger ) ), 'an array or TOML text' ),
			'no number'          => array( static fn( array $ledger ) => array( 'ledger' => array( 'timeout_s' => NAN ) + $ledger ), 'timeout_s' ),
			'a huge one'         => array( static fn( array $ledger ) => array( 'ledger' => array( 'events' => array_fill( 0, 100000, 'deal.won' ) ) + $ledger ), 'events' ),
			'huge TOML'          => array( static fn() => array( 'ledger' => self::TOML . '# ' . str_repeat( 'x', 70000 ) ), 'more than 65536 bytes' ),
			'a list'             => array( static fn( array $ledger ) => array( array( 'name' => 'ledger' ) + $ledger ), 'its key is “0”' ),
			'markup as a name'   => array( static fn( array $ledger ) => array( '<script>alert(1)</script>' => $ledger ), 'must be up to 50 of' ),
			'it throws'          => array( static fn() => throw new \TypeError( 'of the filter' ), 'of the filter' ),
		);
	}

	/** @dataProvider hostile_formats */
	public function test_whatever_a_filter_returns_costs_neither_an_event_nor_a_page( callable $break, string $message ): void {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/endpoints.php';
		$this->save_endpoint( array( 'format' => 'ledger' ) );
		self::is_ledgers( $this->nth( 1 ), 1 );
		$ledger = $this->ledger();
		$this->listen( 'posthorn_formats', static fn() => $break( $ledger ), 99 );
		posthorn_check_in();
		self::assertStringContainsString( $message, implode( "\n", posthorn_problems()['messages'] ) );
		self::is_ledgers( $this->nth( 2 ), 2 );
		self::assertNotContains( 'ledger', array_column( posthorn_client_formats(), 'name' ) );
		self::assertIsArray( posthorn_add_endpoint( array( 'id' => 'second', 'url' => 'https://example.com/', 'enabled' => false ) ) );
		self::is_ledgers( $this->nth( 3 ), 3 );
		self::assertSame( 0, posthorn_problems()['lost'] );
		posthorn_store_problems();
		ob_start();
		posthorn_notice_problem( posthorn_stored_problem() );
		self::assertStringNotContainsString( '<script', (string) ob_get_clean() );
	}

	public function test_the_extensions_own_cannot_be_replaced(): void {
		$this->save_endpoint();
		$this->formats = array( 'github' => array( 'name' => 'github' ) + $this->ledger(), 'wpresidence' => $this->ledger() );
		posthorn_check_in();
		self::assertStringContainsString( "'github' is a format of Posthorn's own", implode( "\n", posthorn_problems()['messages'] ) );
		self::assertSame( 'ok', $this->nth( 1 )['signature']['state'] );
		self::assertSame( array(), posthorn_usable_added_formats() );
		self::assertSame( 'github', posthorn_meant_format( 'github' ) );
	}

	public function test_who_saves_an_endpoint_is_told_where_the_mistake_is(): void {
		$this->formats = array( 'ledger' => $this->ledger( array( 'body' => array( array( 'key' => 'a', 'value' => 'date' ) ) ) ) );
		$mistake       = posthorn_client_check( array( 'url' => 'https://a.example/', 'format' => 'ledger' ) );
		self::assertSame( 'format', $mistake['key'] );
		self::assertStringStartsWith( 'Format.body[0].value: unknown variant `date`', $mistake['message'] );
		$this->formats = array( 'ledger' => $this->ledger() );
		self::assertNull( posthorn_client_check( array( 'url' => 'https://a.example/', 'format' => 'ledger' ) ) );
	}

	public function test_screens_and_doors_list_it_and_its_secrets_have_its_form(): void {
		$this->formats = array( 'ledger' => $this->ledger( array( 'secret_form' => 'whsec' ) ), 'bad' => array() );
		$own           = array_column( \Posthorn\formats(), 'name' );
		self::assertSame( array( ...$own, 'ledger' ), array_column( posthorn_client_formats(), 'name' ) );
		self::assertSame( array_keys( posthorn_client_format( 'github' ) ), array_keys( posthorn_client_format( 'ledger' ) ) );
		self::assertStringStartsWith( 'whsec_', posthorn_client_generate_secret( 'ledger' ) );
	}

	public function test_what_it_does_not_know_is_not_asked_of_the_crm(): void {
		$this->formats = array( 'ledger' => $this->ledger( array( 'events' => array( 'deal.closed_won' ) ) ) );
		self::assertSame( array( 'deal.won' ), array_values( array_diff( posthorn_client_wanted( null, 'ledger' ), array( 'test' ) ) ) );
		$this->save_endpoint( array( 'format' => 'ledger', 'events' => array( 'deal.*' ) ) );
		self::is_ledgers( $this->nth( 1 ), 1, 'deal.closed_won' );
	}
}
