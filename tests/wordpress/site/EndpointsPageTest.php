<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Page;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** The tab Endpoints as a browser without JavaScript uses it. */
final class EndpointsPageTest extends SiteTestCase {

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
		$this->leave_no_endpoint();
		parent::tearDown();
	}

	public function test_without_an_endpoint_the_list_says_what_one_is_and_offers_to_add_it(): void {
		$page = self::$owner->get( self::LIST );
		self::assertStringContainsString( 'No endpoint yet', $page->text( "//*[contains(@class,'posthorn-empty')]" ) );
		self::assertCount( 1, $page->find( "//a[contains(@href,'endpoint=new')]" ) );
		self::assertNotSame( array(), $page->find( "//a[contains(@class,'nav-tab-active')][contains(@href,'tab=endpoints')]" ) );
	}

	public function test_an_endpoint_is_added_by_the_form_and_gets_only_what_meets_its_conditions(): void {
		$page = $this->submit(
			'new',
			array(
				'description' => 'Big deals',
				'all_events'  => '0',
				'events'      => array( 'deal.won' ),
				'filters'     => array( array( 'field' => 'amount', 'operator' => 'gte', 'value' => '1000' ) ),
				'secret'      => self::secret(),
				'schedule'    => '30s, 5m',
				'headers'     => array( array( 'name' => 'X-Token', 'value' => 'hidden-header', 'kept' => '' ) ),
			)
		);
		self::assertStringContainsString( 'Endpoint added', $page->text( "//*[contains(@class,'notice-success')]" ) );
		self::assertStringContainsString( 'Big deals', $page->text( "//table[contains(@class,'posthorn-endpoints')]" ) );
		$added = posthorn_list_endpoints()[0];
		self::assertSame( array( 'deal.won' ), $added['events'] );
		self::assertSame( array( 'amount' => array( 'gte' => 1000 ) ), $added['filters'] );
		self::assertEquals( array( 30, 300 ), $added['schedule'] );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1, 'amount' => 999 ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 2, 'amount' => 1000 ) );
		$request = $this->receiver->wait_for( 1 )[0];
		$this->wait_until_sent();
		self::assertCount( 1, $this->receiver->requests() );
		self::assertSame( 'ok', $request['signature']['state'] );
		self::assertSame( 'hidden-header', array_change_key_case( $request['headers'] )['x-token'] );
	}

	public function test_a_form_that_is_opened_and_saved_changes_nothing_and_shows_no_secret(): void {
		$given = array(
			'description'     => 'Everything',
			'format'          => 'stripe',
			'events'          => array( 'contact.created', 'deal.*', 'user.registered' ),
			'filters'         => array( 'status' => array( 'in' => array( 'Active', 'Hot' ) ), 'amount' => 5 ),
			'secret'          => 'hidden-secret-1',
			'headers'         => array( 'X-Token' => 'hidden-header-2' ),
			'omit'            => array( 'email' ),
			'timeout'         => 7.5,
			'schedule'        => array( 60, 3600 ),
			'max_age'         => 86400,
			'rate_per_second' => 2.5,
			'max_concurrency' => 3,
			'ordered'         => true,
			'circuit_breaker' => false,
			'preset'          => 'plain',
			'allow_private'   => array( '127.0.0.1' ),
			'ca'              => '/etc/ssl/ca.pem',
		);
		$added  = $this->add( $given );
		$before = posthorn_endpoints();
		$page   = $this->open( $added['id'] );
		self::assertStringNotContainsString( 'hidden-', $page->html );
		$this->post( $added['id'], array( 'posthorn_save' => '1' ) + $page->fields( self::FORM ) );
		self::assertEquals( $before, posthorn_endpoints() );
	}

	public function test_mistakes_stand_beside_their_fields_and_what_was_typed_is_kept(): void {
		$stored = get_option( POSTHORN_OPTION );
		$page   = $this->submit(
			'new',
			array(
				'url'             => 'ftp://example.com/',
				'all_events'      => '0',
				'other_events'    => 'deal.wonn',
				'filters'         => array( array( 'field' => '', 'operator' => 'eq', 'value' => 'Hot' ) ),
				'secret'          => 'typed-secret',
				'headers'         => array( array( 'name' => 'Content-Type', 'value' => 'typed-header', 'kept' => '' ) ),
				'timeout'         => 'soon',
				'rate_per_second' => '-1',
			)
		);
		foreach ( array( 'url' => 'http', 'events' => 'deal.wonn', 'filters' => 'Hot', 'headers' => 'sets this header itself', 'timeout' => '“soon” is no duration', 'rate_per_second' => 'more than 0' ) as $field => $says ) {
			self::assertStringContainsStringIgnoringCase( $says, $page->text_of( "posthorn-$field-mistake" ), $field );
		}
		self::assertSame( '', $page->text_of( 'posthorn-secret-mistake' ) );
		self::assertCount( 1, $page->find( "//details[contains(@class,'posthorn-advanced')][@open]" ), 'the mistakes in it are seen' );
		$fields = $page->fields( self::FORM );
		self::assertSame( array( 'ftp://example.com/', 'deal.wonn', 'soon' ), array( $fields['url'], $fields['other_events'], $fields['timeout'] ) );
		self::assertSame( 'Hot', $fields['filters'][0]['value'] );
		self::assertStringNotContainsString( 'typed-', $page->html );
		self::assertSame( $stored, get_option( POSTHORN_OPTION ) );
		// Corrected and saved, secret and header are those that were typed.
		$fields['headers'][0]['name'] = 'X-Other';
		$this->post( 'new', array( 'url' => $this->receiver->url(), 'other_events' => 'deal.won', 'timeout' => '', 'rate_per_second' => '', 'filters' => array(), 'posthorn_save' => '1' ) + $fields );
		self::assertSame( array( 'typed-secret', 'typed-header' ), array( posthorn_endpoints()[0]['secret'], posthorn_endpoints()[0]['headers']['X-Other'] ) );
	}

	public function test_a_test_is_sent_to_what_is_typed_in_the_chosen_format_and_nothing_is_stored(): void {
		$page = $this->submit( 'new', array( 'format' => 'github', 'secret' => self::secret(), 'filters' => array( array( 'field' => 'no', 'operator' => 'eq', 'value' => 'such' ) ) ), 'posthorn_test' );
		self::assertStringContainsString( 'accepted', $page->text_of( 'posthorn-result' ) );
		self::assertArrayHasKey( 'x-hub-signature-256', array_change_key_case( $this->receiver->requests()[0]['headers'] ) );
		self::assertSame( array(), posthorn_list_endpoints() );
		self::assertSame( 'github', $page->fields( self::FORM )['format'] );
	}

	public function test_what_is_encrypted_in_the_database_is_not_decrypted_by_a_form(): void {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/admin/endpoints-page.php';
		$stored = posthorn_encrypt( 'of-another-endpoint' );
		$form   = posthorn_endpoint_form_typed( array( 'kept_secret' => $stored, 'headers' => array( array( 'name' => 'X-Token', 'value' => '', 'kept' => $stored ) ) ) );
		self::assertSame( array( '', '' ), array( $form['secret'], $form['headers'][0]['value'] ) );
		self::assertSame( '', posthorn_form_typed( array( 'kept_secret' => $stored ) )['secret'] );
		$kept = posthorn_kept_secret( 'typed' );
		self::assertSame( 'typed', posthorn_form_typed( array( 'kept_secret' => $kept ) )['secret'] );
		wp_set_current_user( 0 );
		self::assertSame( '', posthorn_form_typed( array( 'kept_secret' => $kept ) )['secret'], 'it is another user’s' );
	}

	public function test_conditions_are_tried_on_the_last_events_without_storing_them(): void {
		$this->add( array( 'events' => array( 'deal.*' ) ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1, 'amount' => 77001 ) );
		$page = $this->submit( 'new', array( 'all_events' => '0', 'other_events' => 'deal.*', 'filters' => array( array( 'field' => 'amount', 'operator' => 'eq', 'value' => '77001' ) ) ), 'posthorn_try' );
		self::assertStringContainsString( '1 would have been sent', $page->text_of( 'posthorn-tried' ) );
		self::assertCount( 1, posthorn_list_endpoints() );
	}

	public function test_a_generated_secret_is_shown_once_and_has_the_formats_form(): void {
		$page   = $this->submit( 'new', array( 'format' => 'standard-webhooks' ), 'posthorn_generate' );
		$fields = $page->fields( self::FORM );
		self::assertStringStartsWith( 'whsec_', $fields['secret'] );
		$this->post( 'new', array( 'url' => $this->receiver->url(), 'posthorn_save' => '1' ) + $fields );
		$stored = posthorn_list_endpoints()[0];
		self::assertSame( $fields['secret'], posthorn_endpoints()[0]['secret'] );
		self::assertStringNotContainsString( $fields['secret'], $this->open( $stored['id'] )->html );
	}

	public function test_the_usual_format_is_the_receivers_and_formats_of_code_can_be_chosen(): void {
		$page = $this->submit( 'new', array( 'url' => 'https://hooks.slack.com/services/x', 'allow_private' => '' ) );
		self::assertStringContainsString( 'Endpoint added', $page->text( "//*[contains(@class,'notice-success')]" ) );
		$added = posthorn_list_endpoints()[0];
		self::assertSame( array( 'slack', null ), array( $added['preset'], $added['format'] ) );
		$options = array_map( static fn( $option ): string => $option->textContent, $this->open( $added['id'] )->find( "//select[@name='format']/option" ) );
		self::assertMatchesRegularExpression( '/usual.*slack/i', $options[0] );
		self::assertContains( 'Standard Webhooks', $options );
	}

	public function test_a_new_secret_lets_the_old_one_sign_for_the_chosen_days(): void {
		$added = $this->add( array( 'format' => 'stripe', 'secret' => 'old-secret' ) );
		$this->submit( $added['id'], array( 'secret' => 'new-secret', 'keep_for' => '7' ) );
		$secrets = posthorn_find_endpoint( $added['id'] )['secrets'];
		self::assertCount( 2, $secrets );
		self::assertEqualsWithDelta( time() + 7 * DAY_IN_SECONDS, strtotime( $secrets[1]['until'] ), 60 );
		self::assertStringContainsString( 'An older secret signs too', $this->open( $added['id'] )->html );
		$this->submit( $added['id'], array( 'end_older' => '1' ) );
		self::assertCount( 1, posthorn_find_endpoint( $added['id'] )['secrets'] );
		self::assertSame( 'new-secret', posthorn_queue()->preview( posthorn_endpoints()[0], 'deal.won', array() ) ? posthorn_endpoints()[0]['secret'][0] : '' );
	}

	public function test_the_buttons_of_the_list_switch_off_and_on_and_duplicate(): void {
		$added = $this->add();
		$page  = $this->press( "disable:$added[id]" );
		self::assertStringContainsString( 'switched off', $page->text( "//*[contains(@class,'notice-success')]" ) );
		self::assertFalse( posthorn_find_endpoint( $added['id'] )['enabled'] );
		$this->press( "enable:$added[id]" );
		self::assertTrue( posthorn_find_endpoint( $added['id'] )['enabled'] );
		$this->press( "duplicate:$added[id]" );
		self::assertCount( 2, posthorn_list_endpoints() );
		self::assertStringContainsString( 'no endpoint with the id', $this->press( 'enable:no-such' )->text( "//*[contains(@class,'notice-error')]" ) );
	}

	public function test_before_an_endpoint_is_deleted_it_is_asked_what_becomes_of_what_waits(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$added = $this->add( array( 'schedule' => array( 3600 ) ) );
		$event = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->receiver->wait_for( 1 );
		$this->wait_until( 'it failed once', fn() => 1 === posthorn_endpoint_standing()[ $added['id'] ]['failures'] );
		$list = self::$owner->get( self::LIST );
		self::assertStringContainsString( 'Failing', $list->text( "//table[contains(@class,'posthorn-endpoints')]" ) );
		$link = $list->find( "//a[contains(@class,'posthorn-delete')]" )[0]->getAttribute( 'href' );
		$page = self::$owner->get( $link );
		self::assertStringContainsString( '1 delivery waits for it', $page->text( "//legend" ) );
		self::assertSame( 'send', $page->fields( "//input[@name='waiting']" )['waiting'] );
		$answer = self::$owner->post( $page->form_target( "//input[@name='waiting']" ), array( 'do' => "delete:$added[id]", 'waiting' => 'cancel' ) + $page->fields( "//input[@name='waiting']" ) );
		self::assertStringContainsString( 'Endpoint deleted', $answer->text( "//*[contains(@class,'notice-success')]" ) );
		wp_cache_flush();
		self::assertSame( array(), posthorn_list_endpoints() );
		$this->wait_until( 'it is cancelled', fn() => 'cancelled' === $this->delivery_of( $event )['state'] );
	}

	public function test_without_the_nonce_or_the_capability_nothing_changes(): void {
		$added  = $this->add();
		$stored = get_option( POSTHORN_OPTION );
		$fields = array( 'url' => 'https://example.com/forged', 'posthorn_save' => '1' ) + $this->open( $added['id'] )->fields( self::FORM );
		self::assertSame( 403, $this->post( $added['id'], array( 'posthorn_nonce' => 'x' ) + $fields )->status );
		$list = self::$owner->get( self::LIST )->fields( "//input[@name='action'][@value='posthorn_endpoint']" );
		self::assertSame( 403, self::$owner->post( '/wp-admin/admin-post.php', array( 'do' => "delete:$added[id]", '_wpnonce' => 'x' ) + $list )->status );
		if ( ! username_exists( 'editor' ) ) {
			wp_create_user( 'editor', 'editor', 'editor@example.com' );
			get_user_by( 'login', 'editor' )->set_role( 'editor' );
		}
		$editor = Visitor::logged_in( 'editor', 'editor' );
		self::assertSame( 403, $editor->get( self::LIST )->status );
		self::assertSame( 403, $editor->post( self::LIST . "&endpoint=$added[id]", $fields )->status );
		self::assertSame( 403, $editor->post( '/wp-admin/admin-post.php', array( 'do' => "delete:$added[id]" ) + $list )->status );
		posthorn_forget_cached_settings();
		self::assertSame( $stored, get_option( POSTHORN_OPTION ) );
	}

	public function test_of_two_forms_opened_at_once_the_second_is_told(): void {
		$added  = $this->add();
		$fields = $this->open( $added['id'] )->fields( self::FORM );
		$this->post( $added['id'], array( 'description' => 'First', 'posthorn_save' => '1' ) + $fields );
		$page = $this->post( $added['id'], array( 'description' => 'Second', 'posthorn_save' => '1' ) + $fields );
		self::assertStringContainsString( 'Nothing was saved', $page->text( "//*[contains(@class,'notice-error')]" ) );
		self::assertSame( 'First', posthorn_find_endpoint( $added['id'] )['description'] );
		// Told, the owner may still insist.
		$this->post( $added['id'], array( 'posthorn_save' => '1' ) + $page->fields( self::FORM ) );
		self::assertSame( 'Second', posthorn_find_endpoint( $added['id'] )['description'] );
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

	/** Presses a button of the list. */
	private function press( string $do ): Page {
		$fields = self::$owner->get( self::LIST )->fields( "//input[@name='action'][@value='posthorn_endpoint']" );
		$page   = self::$owner->post( '/wp-admin/admin-post.php', array( 'do' => $do ) + $fields );
		wp_cache_flush();
		return $page;
	}
}
