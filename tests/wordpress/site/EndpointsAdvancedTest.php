<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Page;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** The part "Advanced" of an endpoint's form: whatever other doors can set, the form can, and it breaks nothing that they set. */
final class EndpointsAdvancedTest extends SiteTestCase {

	private const LIST = '/wp-admin/options-general.php?page=posthorn&tab=endpoints';
	private const FORM = "//form[@id='posthorn-endpoint-form']//input[@name='url']";

	private static Visitor $owner;

	public static function setUpBeforeClass(): void {
		parent::setUpBeforeClass();
		self::$owner = Visitor::logged_in( 'admin', 'admin' );
	}

	protected function setUp(): void {
		parent::setUp();
		$this->begin_without_endpoint();
	}

	protected function tearDown(): void {
		$this->save_no_endpoint();
		parent::tearDown();
	}

	public function test_what_was_set_only_by_programs_is_set_by_the_form(): void {
		$page = $this->submit(
			'new',
			array(
				'allow_private'     => '',
				'max_body_bytes'    => '5 MB',
				'schedule_jitter'   => '12.5%',
				'private_addresses' => '127.0.0.1, n8n.internal, 10.0.8.0/24',
				'proxy'             => 'http://me:hidden-proxy@proxy.internal:3128',
				'ca'                => '/etc/ssl/own-ca.pem',
				'client_cert'       => '/etc/ssl/own-client.pem',
			)
		);
		self::assertStringContainsString( 'Endpoint added', $page->text( "//*[contains(@class,'notice-success')]" ) );
		$sent = posthorn_endpoints()[0];
		self::assertSame(
			array( 5000000, 0.125, array( '127.0.0.1', 'n8n.internal', '10.0.8.0/24' ), 'http://me:hidden-proxy@proxy.internal:3128', '/etc/ssl/own-ca.pem', '/etc/ssl/own-client.pem' ),
			array( $sent['max_body_bytes'], $sent['schedule_jitter'], $sent['allow_private'], $sent['proxy'], $sent['ca'], $sent['client_cert'] )
		);
		$id     = posthorn_list_endpoints()[0]['id'];
		$form   = $this->open( $id );
		$fields = $form->fields( self::FORM );
		self::assertSame( array( '5 MB', '12.5%', '127.0.0.1, n8n.internal, 10.0.8.0/24', 'http://********@proxy.internal:3128' ), array( $fields['max_body_bytes'], $fields['schedule_jitter'], $fields['private_addresses'], $fields['proxy'] ) );
		self::assertCount( 1, $form->find( "//details[contains(@class,'posthorn-advanced')][@open]" ), 'what is set is seen' );
		self::assertStringNotContainsString( 'hidden-proxy', $form->html );
		// Saved as it was opened, nothing changes; emptied, all have their defaults.
		$this->post( $id, array( 'posthorn_save' => '1' ) + $fields );
		self::assertEquals( $sent, posthorn_endpoints()[0] );
		$this->post( $id, array( 'posthorn_save' => '1', 'revision' => posthorn_settings()['revision'] ) + array_fill_keys( array( 'max_body_bytes', 'schedule_jitter', 'private_addresses', 'proxy', 'ca', 'client_cert' ), '' ) + $fields );
		$now = posthorn_find_endpoint( $id );
		self::assertSame( array( null, null, false, null, null, null ), array( $now['max_body_bytes'], $now['schedule_jitter'], $now['allow_private'], $now['proxy'], $now['ca'], $now['client_cert'] ) );
		$this->submit( $id, array( 'proxy' => 'http://me:hidden-proxy@proxy.internal:3128' ) );
		// Its password does not go to another machine.
		$page = $this->submit( $id, array( 'proxy' => 'http://********@elsewhere.internal:3128' ) );
		self::assertStringContainsString( 'password', $page->text_of( 'posthorn-proxy-mistake' ) );
		self::assertSame( 'http://********@proxy.internal:3128', posthorn_find_endpoint( $id )['proxy'] );
		$this->submit( $id, array( 'proxy' => 'none' ) );
		self::assertFalse( posthorn_find_endpoint( $id )['proxy'] );
		self::assertSame( 'none', $this->open( $id )->fields( self::FORM )['proxy'] );
	}

	public function test_each_mistake_stands_beside_its_field_and_no_password_is_shown(): void {
		$stored = get_option( POSTHORN_OPTION );
		$page   = $this->submit(
			'new',
			array(
				'allow_private'     => '',
				'max_body_bytes'    => 'much',
				'schedule_jitter'   => '120%',
				'private_addresses' => '10.0.0.0/99',
				'proxy'             => 'ftp://me:hidden-proxy@proxy.internal:3128',
				'ca'                => 'own-ca.pem',
				'client_cert'       => 'client.pem',
			)
		);
		foreach ( array( 'max_body_bytes' => '“much” is no size', 'schedule_jitter' => '0% to 100%', 'private_addresses' => '10.0.0.0/99', 'proxy' => 'http', 'ca' => 'full path', 'client_cert' => 'full path' ) as $field => $says ) {
			self::assertStringContainsStringIgnoringCase( $says, $page->text_of( "posthorn-$field-mistake" ), $field );
		}
		self::assertStringNotContainsString( 'hidden-proxy', $page->html );
		self::assertSame( $stored, get_option( POSTHORN_OPTION ) );
		// Corrected, it is the proxy that was typed.
		$page   = $this->submit( 'new', array( 'timeout' => 'soon', 'proxy' => 'http://me:hidden-proxy@proxy.internal:3128' ) );
		$fields = $page->fields( self::FORM );
		self::assertSame( 'http://********@proxy.internal:3128', $fields['proxy'] );
		self::assertStringNotContainsString( 'hidden-proxy', $page->html );
		$this->post( 'new', array( 'timeout' => '5s', 'posthorn_save' => '1' ) + $fields );
		self::assertSame( 'http://me:hidden-proxy@proxy.internal:3128', posthorn_endpoints()[0]['proxy'] );
	}

	public function test_out_of_range_is_told_at_the_field(): void {
		$page = $this->submit( 'new', array( 'max_body_bytes' => '12' ) );
		self::assertStringContainsString( '1024', $page->text_of( 'posthorn-max_body_bytes-mistake' ) );
	}

	/** @dataProvider sizes */
	public function test_a_size_is_read_and_written( string $typed, int $bytes, string $shown ): void {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/admin/typed-values.php';
		self::assertSame( array( $bytes, $shown, $bytes ), array( posthorn_size_bytes( $typed ), posthorn_size_text( $bytes ), posthorn_size_bytes( $shown ) ) );
	}

	public static function sizes(): array {
		return array(
			array( '5 MB', 5000000, '5 MB' ),
			array( '1.5mb', 1500000, '1500 KB' ),
			array( '16MiB', 16777216, '16 MiB' ),
			array( '64 KiB', 65536, '64 KiB' ),
			array( '2500', 2500, '2500' ),
			array( '1024 B', 1024, '1 KiB' ),
		);
	}

	/** @dataProvider own_formats */
	public function test_a_format_that_a_program_defined_is_named_and_stays( callable $as ): void {
		$definition = array( 'name' => 'ledger', 'title' => 'Ledger form', 'user_agent' => 'Ledger/1', 'events' => array( 'deal.won', 'deal.lost' ) ) + posthorn_client_read_format( 'github' )['definition'];
		$added      = $this->add( array( 'format' => $as( $definition ), 'secret' => self::secret() ) );
		$before     = posthorn_endpoints();
		$page       = $this->open( $added['id'] );
		self::assertStringNotContainsString( 'Warning', $page->text( '//body' ) );
		self::assertStringContainsString( 'Ledger form', $page->text( "//select[@name='format']/option[@selected]" ) );
		$this->post( $added['id'], array( 'posthorn_save' => '1' ) + $page->fields( self::FORM ) );
		self::assertEquals( array( $before[0]['format'], $before[0]['events'], $before[0]['secret'] ), array( posthorn_endpoints()[0]['format'], posthorn_endpoints()[0]['events'], posthorn_endpoints()[0]['secret'] ) );
		$tested = $this->submit( $added['id'], array(), 'posthorn_test' );
		self::assertStringContainsString( 'accepted', $tested->text_of( 'posthorn-result' ) );
		self::assertSame( 'Ledger/1', array_change_key_case( $this->receiver->requests()[0]['headers'] )['user-agent'] );
		// Another one can be chosen.
		$this->submit( $added['id'], array( 'format' => 'github' ) );
		self::assertSame( 'github', posthorn_find_endpoint( $added['id'] )['format'] );
	}

	public static function own_formats(): array {
		return array(
			'as an array' => array( static fn( array $definition ): array => $definition ),
			'as TOML'     => array(
				static fn(): string => 'name = "ledger"
title = "Ledger form"
timeout_s = 3
schedule_s = [1]
https_only = false
needs_secret = false
secret_form = "text"
user_agent = "Ledger/1"
body = [{ key = "kind", value = "event_name" }, { key = "row", value = "data" }]
[signature]
header = "X-Ledger"
signed = "{body}"
each = "{hex}"
',
			),
		);
	}

	/** Code that added a format may be gone for an hour; who saves the form meanwhile has not chosen another one. */
	public function test_a_format_whose_code_is_gone_stays_until_another_is_chosen(): void {
		$definition = posthorn_client_read_format( 'github' )['definition'];
		$this->listen( 'posthorn_formats', fn() => array( 'ledger' => array( 'name' => 'ledger' ) + $definition ) );
		$added = $this->add( array( 'format' => 'ledger', 'secret' => self::secret() ) );
		// The site that serves the page does not have this process's filter.
		$fields = $this->open( $added['id'] )->fields( self::FORM );
		self::assertSame( 'ledger', $fields['format'] );
	}

	private function add( array $given = array() ): array {
		$added = posthorn_add_endpoint( $given + array( 'url' => $this->receiver->url(), 'allow_private' => true ) );
		self::assertIsArray( $added, is_wp_error( $added ) ? $added->get_error_message() : '' );
		return $added;
	}

	private function open( string $id ): Page {
		return self::$owner->get( self::LIST . "&endpoint=$id" );
	}

	/** Opens the form, changes fields, presses a button. */
	private function submit( string $id, array $changes, string $button = 'posthorn_save' ): Page {
		$usual = 'new' === $id ? array( 'url' => $this->receiver->url(), 'allow_private' => '1' ) : array();
		return $this->post( $id, $changes + $usual + array( $button => '1' ) + $this->open( $id )->fields( self::FORM ) );
	}

	private function post( string $id, array $fields ): Page {
		$page = self::$owner->post( self::LIST . "&endpoint=$id", $fields );
		wp_cache_flush();
		return $page;
	}
}
