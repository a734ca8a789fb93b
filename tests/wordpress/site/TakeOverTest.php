<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Page;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** The owner is warned of the CRM's own webhooks and takes them over, with a browser without JavaScript. */
final class TakeOverTest extends SiteTestCase {

	private const PAGE = '/wp-admin/options-general.php?page=posthorn';
	private const FORM = "//input[@name='url']";

	private static Visitor $owner;

	public static function setUpBeforeClass(): void {
		parent::setUpBeforeClass();
		self::$owner = Visitor::logged_in( 'admin', 'admin' );
	}

	protected function setUp(): void {
		parent::setUp();
		require_once WP_PLUGIN_DIR . '/posthorn/includes/admin/native-webhooks.php';
		require_once WP_PLUGIN_DIR . '/posthorn/includes/crm/native-settings.php';
		$this->forget_everything();
		wpestate_crm_set_switches( array( 'native_webhooks' => 'on' ) );
		$this->save_no_endpoint();
	}

	protected function tearDown(): void {
		$this->forget_everything();
		parent::tearDown();
	}

	public function test_a_site_whose_crm_sends_nothing_is_not_warned(): void {
		self::assertStringNotContainsString( 'sends webhooks itself', self::$owner->get( self::PAGE )->html );
		self::assertStringNotContainsString( 'webhooks itself', self::$owner->get( '/wp-admin/' )->html );
	}

	public function test_once_seen_every_page_warns_until_it_is_hidden_and_the_settings_page_goes_on(): void {
		$this->crm_sends( array( 'url' => $this->receiver->url() . '?key=hush-hush' ) );
		$notice = "//*[contains(@class,'notice-warning')][contains(.,'webhooks itself')]";
		$page   = self::$owner->get( '/wp-admin/' );
		self::assertCount( 1, $page->find( $notice ) );
		self::assertStringContainsString( 'twice', $page->text( $notice ) );
		self::assertStringNotContainsString( 'hush-hush', $page->html );
		self::assertStringNotContainsString( basename( $this->receiver->url() ), $page->html );

		$button = "//button[@value='dismiss']";
		$page   = self::$owner->post( $page->form_target( $button ), array( 'posthorn_native' => 'dismiss' ) + $page->fields( $button ) );
		self::assertStringEndsWith( '/wp-admin/', $page->address );
		self::assertCount( 0, $page->find( $notice ) );
		$panel = self::$owner->get( self::PAGE )->text( "//*[contains(@class,'posthorn-panel')]" );
		self::assertStringContainsString( 'twice', $panel );
		self::assertStringContainsString( 'once', $panel );

		// Another address is news.
		$this->crm_sends( array( 'url' => $this->receiver->url() . '/second' ) );
		self::assertCount( 1, self::$owner->get( '/wp-admin/' )->find( $notice ) );
	}

	public function test_a_crm_that_has_stopped_is_not_warned_about(): void {
		$this->crm_sends();
		$seen        = posthorn_native_seen();
		$key         = array_key_first( $seen );
		$seen[ $key ]['last'] -= POSTHORN_NATIVE_WARN_S + 1;
		update_option( POSTHORN_NATIVE_SEEN_OPTION, $seen, false );
		self::assertStringNotContainsString( 'twice', self::$owner->get( self::PAGE )->html );
	}

	public function test_an_editor_sees_no_warning_and_cannot_decide(): void {
		$this->crm_sends();
		$id     = username_exists( 'native-editor' );
		$id     = $id ? $id : wp_create_user( 'native-editor', 'editor', 'native-editor@example.com' );
		get_user_by( 'id', $id )->set_role( 'editor' );
		$editor = Visitor::logged_in( 'native-editor', 'editor' );
		self::assertStringNotContainsString( 'webhooks itself', $editor->get( '/wp-admin/' )->html );
		$key = posthorn_native_key( $this->receiver->url() );
		foreach ( array( 'dismiss', 'silence', 'give_back' ) as $what ) {
			self::assertSame( 403, $editor->post( '/wp-admin/admin-post.php', array( 'action' => 'posthorn_native', 'posthorn_native' => $what, 'key' => $key ) )->status );
		}
		self::assertSame( 403, $editor->post( self::PAGE, array( 'posthorn_native' => 'take_over', 'key' => $key ) )->status );
		self::assertFalse( $this->decided() );
	}

	public function test_without_the_nonce_nothing_is_decided_or_sent(): void {
		$this->save_endpoint();
		$this->crm_sends();
		$sent = count( $this->receiver->requests() );
		$key  = posthorn_native_key( $this->receiver->url() );
		foreach ( array( 'dismiss', 'silence', 'give_back' ) as $what ) {
			self::assertSame( 403, self::$owner->post( '/wp-admin/admin-post.php', array( 'action' => 'posthorn_native', 'posthorn_native' => $what, 'key' => $key ) )->status );
		}
		self::assertSame( 403, self::$owner->post( self::PAGE, array( 'posthorn_native' => 'take_over', 'key' => $key ) )->status );
		// A save without it silences nothing either.
		$fields = self::$owner->get( self::PAGE )->fields( self::FORM );
		unset( $fields['posthorn_nonce'] );
		self::assertSame( 403, self::$owner->post( self::PAGE, array( 'taking_over' => $key, 'posthorn_save' => '1' ) + $fields )->status );
		self::assertFalse( $this->decided() );
		self::assertCount( $sent, $this->receiver->requests() );
	}

	public function test_a_receiver_is_taken_over_with_its_events_and_its_secret(): void {
		$this->crm_sends( array( 'events' => array( 'contact.created', 'deal.won', 'moon.landed' ), 'secret' => self::secret() ) );
		$page  = $this->take_over();
		$panel = $page->text( "//*[contains(@class,'posthorn-panel-step')]" );
		foreach ( array( 'Taking over', 'Nothing is changed yet', 'moon.landed', 'Secret: copied', 'ticked as in the CRM' ) as $words ) {
			self::assertStringContainsString( $words, $panel );
		}
		self::assertStringNotContainsString( self::secret(), $page->html );
		self::assertFalse( $this->decided(), 'nothing is stored before the owner saves' );
		self::assertSame( array(), posthorn_settings()['endpoints'] );
		$fields = $this->form( $page );
		self::assertSame( $this->receiver->url(), $fields['url'] );
		self::assertSame( array( 'contact.created', 'deal.won' ), $fields['events'] );

		$page = self::$owner->post( self::PAGE, array( 'allow_private' => '1', 'posthorn_save' => '1' ) + $fields );
		self::assertStringContainsString( 'saved=1', $page->address );
		self::assertStringNotContainsString( self::secret(), $page->html );
		self::assertStringContainsString( 'has not called it since', $page->text( "//*[contains(@class,'posthorn-panel')]" ) );
		wp_cache_flush();
		self::assertSame( self::secret(), posthorn_decrypt( posthorn_main_endpoint( posthorn_settings() )['secret'] ) );

		$before  = count( $this->receiver->requests() );
		$contact = wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		$arrived = array_slice( $this->receiver->wait_for( $before + 1 ), $before );
		$this->wait_until_sent();
		self::assertCount( 1, $arrived );
		self::assertNotNull( $arrived[0]['id'], 'from Posthorn' );
		self::assertSame( 'ok', $arrived[0]['signature']['state'] );
		self::assertSame( $contact, json_decode( $arrived[0]['body'], true )['data']['contact_id'] );
		// What Posthorn was not given stays with the CRM.
		wpestate_crm_dispatch_webhook( 'moon.landed', array( 'contact_id' => $contact ) );
		$this->receiver->wait_for( $before + 2 );
		posthorn_native_end();
		$panel = self::$owner->get( self::PAGE )->text( "//*[contains(@class,'posthorn-panel')]" );
		self::assertStringContainsString( '1 call of the CRM’s own webhook module was answered here', $panel );
		self::assertStringContainsString( 'the CRM still sends itself: moon.landed', $panel );
	}

	public function test_it_can_be_given_back(): void {
		$this->crm_sends( array( 'secret' => self::secret() ) );
		self::$owner->post( self::PAGE, array( 'allow_private' => '1', 'posthorn_save' => '1' ) + $this->form( $this->take_over() ) );
		wp_cache_flush();
		$page   = self::$owner->get( self::PAGE );
		$button = "//button[@value='give_back']";
		$page   = self::$owner->post( $page->form_target( $button ), array( 'posthorn_native' => 'give_back' ) + $page->fields( $button ) );
		wp_cache_flush();
		self::assertFalse( $this->decided() );
		$before = $this->natives();
		wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		self::assertSame( $before + 1, $this->natives() );
		posthorn_native_end();
		self::assertStringContainsString( 'gets everything twice', self::$owner->get( self::PAGE )->text( "//*[contains(@class,'posthorn-panel')]" ) );
		$this->wait_until_sent();
	}

	public function test_the_same_receiver_in_both_is_silenced_with_one_click(): void {
		$this->save_endpoint();
		$this->crm_sends();
		$this->wait_until_sent();
		self::assertStringContainsString( 'Your receiver gets every webhook twice', self::$owner->get( '/wp-admin/' )->html );
		$page = self::$owner->get( self::PAGE );
		self::assertStringContainsString( 'gets everything twice', $page->text( "//*[contains(@class,'posthorn-panel')]" ) );
		$button = "//button[@value='silence']";
		$page   = self::$owner->post( $page->form_target( $button ), array( 'posthorn_native' => 'silence' ) + $page->fields( $button ) );
		wp_cache_flush();
		self::assertTrue( $this->decided() );
		self::assertStringNotContainsString( 'twice', $page->html );
		$before = $this->natives();
		wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		$this->wait_until_sent();
		self::assertSame( $before, $this->natives() );
	}

	public function test_a_redirect_is_named_and_its_target_put_in_and_tested_with_one_click(): void {
		$moved = new Receiver( 'moved' );
		$this->receiver->behave( array( 'mode' => 'redirect', 'status' => 307, 'location' => $moved->url() ) );
		$this->save_endpoint( array( 'url' => 'https://example.com/before' ) ); // The tick for private addresses is kept.
		$this->crm_sends( array( 'secret' => self::secret() ) );
		$page = $this->take_over();
		self::assertStringContainsString( 'redirects to ' . $moved->url(), $page->text( "//*[contains(@class,'posthorn-panel-step')]" ) );
		self::assertStringContainsString( 'takes the place of the receiver that is saved here (example.com', $page->text( "//*[contains(@class,'posthorn-panel-step')]" ) );
		$button = $page->find( "//button[@name='use_address'][@form='posthorn-form']" );
		self::assertSame( $moved->url(), $button[0]->getAttribute( 'value' ) );
		$page = self::$owner->post( self::PAGE, array( 'use_address' => $moved->url() ) + $this->form( $page ) );
		self::assertSame( $moved->url(), $this->form( $page )['url'] );
		self::assertStringContainsString( 'accepted', $page->text( "//*[contains(@class,'posthorn-panel-step')]" ) );
		$test = array_values( array_filter( $moved->requests(), static fn( array $request ) => $request['test'] ) );
		self::assertCount( 1, $test );
		self::assertSame( 'ok', $test[0]['signature']['state'], 'the copied secret went along, unseen' );

		self::$owner->post( self::PAGE, array( 'posthorn_save' => '1' ) + $this->form( $page ) );
		wp_cache_flush();
		self::assertTrue( $this->decided() );
		$before = count( $this->receiver->requests() );
		wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		$this->wait_until( 'Posthorn sends to the new address', static fn() => in_array( 'contact.created', array_column( array_filter( $moved->requests(), static fn( array $request ) => null !== $request['id'] ), 'event' ), true ) );
		$this->wait_until_sent();
		self::assertCount( $before, $this->receiver->requests(), 'the CRM’s call to the old address was answered' );
	}

	public function test_after_the_receiver_was_changed_again_the_crm_sends_and_the_page_says_so(): void {
		$this->crm_sends();
		self::$owner->post( self::PAGE, array( 'allow_private' => '1', 'posthorn_save' => '1' ) + $this->form( $this->take_over() ) );
		wp_cache_flush();
		$other = new Receiver( 'other' );
		self::$owner->post( self::PAGE, array( 'url' => $other->url(), 'allow_private' => '1', 'posthorn_save' => '1' ) + self::$owner->get( self::PAGE )->fields( self::FORM ) );
		wp_cache_flush();
		self::assertStringContainsString( 'calls go out by themselves', self::$owner->get( self::PAGE )->text( "//*[contains(@class,'posthorn-panel-warning')]" ) );
		$before = $this->natives();
		wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		self::assertSame( $before + 1, $this->natives() );
		$this->wait_until_sent();
	}

	public function test_a_mistake_in_what_was_copied_stands_beside_its_field(): void {
		$this->crm_sends( array( 'secret' => "two\nlines" ) );
		$page = $this->take_over();
		self::assertNotSame( '', $page->text_of( 'posthorn-secret-mistake' ) );
		self::assertStringContainsString( 'not sent', $page->text( "//*[contains(@class,'posthorn-panel-step')]" ) );
	}

	/** Settings of the CRM in any shape, and what is read of them: events, secret. */
	public static function settings(): array {
		$url = 'https://example.com/hook';
		return array(
			'documented list'     => array( array( array( 'url' => $url, 'events' => array( 'deal.won' ), 'active' => true, 'secret' => 's' ) ), array( 'deal.won' ), 's' ),
			'one webhook'         => array( array( 'url' => $url, 'events' => 'deal.won, deal.lost', 'secret' => '' ), array( 'deal.won', 'deal.lost' ), '' ),
			'objects'             => array( array( (object) array( 'webhook_url' => $url, 'topics' => array( 'deal.won' ), 'signing_secret' => 's' ) ), array( 'deal.won' ), 's' ),
			'JSON'                => array( '[{"endpoint":"https://example.com/hook","events":"[\"deal.won\"]"}]', array( 'deal.won' ), null ),
			'deeper inside'       => array( array( 'webhooks' => array( 'list' => array( 'a' => array( 'url' => $url, 'events' => array( 'deal.won' => '1', 'deal.lost' => '0' ) ) ) ) ), array( 'deal.won' ), null ),
			'another spelling'    => array( array( array( 'url' => 'HTTPS://EXAMPLE.com:443/hook', 'secret' => 's' ) ), null, 's' ),
			'all'                 => array( array( array( 'url' => $url, 'events' => '*' ) ), null, null ),
			'a masked secret'     => array( array( array( 'url' => $url, 'secret' => '••••••••' ) ), null, null ),
			'the simple settings' => array( array( 'crm_webhook_url' => $url, 'crm_webhook_events' => 'lead.created', 'crm_webhook_secret' => 's' ), array( 'lead.created' ), 's' ),
			'others only'         => array( array( array( 'url' => 'https://example.com/other', 'secret' => 's' ) ), null, null ),
			'nonsense'            => array( array( 7, null, array( 'url' => array( 'x' ) ), array( 'url' => '' ), 'x' ), null, null ),
			'secrets of any type' => array( array( array( 'url' => $url, 'secret' => array( 's' ), 'events' => 7 ) ), null, null ),
			'text'                => array( 'nothing', null, null ),
		);
	}

	/** @dataProvider settings */
	public function test_the_crms_settings_are_read_in_any_shape( $stored, ?array $events, ?string $secret ): void {
		update_option( 'wpestate_crm_webhooks', $stored );
		// The stand-in's own function would want its documented list.
		$found = array( 'events' => null, 'secret' => null );
		foreach ( posthorn_native_webhooks_in( posthorn_native_as_array( $stored ) ) as $webhook ) {
			if ( posthorn_native_key( $webhook['url'] ) === posthorn_native_key( 'https://example.com/hook' ) ) {
				$found = $webhook;
			}
		}
		self::assertSame( array( $events, $secret ), array( $found['events'], $found['secret'] ) );
	}

	public function test_simple_settings_are_found_among_others(): void {
		update_option( 'my_theme_settings', array( 'colour' => 'red', 'crm' => array( 'crm_webhook_url' => 'https://example.com/hook', 'crm_webhook_events' => 'deal.won,deal_lost' ) ) );
		$found = posthorn_native_settings_of( 'https://example.com/hook' );
		delete_option( 'my_theme_settings' );
		self::assertSame( array( 'deal.won', 'deal_lost' ), $found['events'] );
		self::assertSame( array( array( 'deal.won', 'deal.lost' ), array() ), posthorn_native_map_events( $found['events'] ) );
	}

	public function test_events_are_mapped_to_the_catalogue_and_the_unknown_named(): void {
		self::assertSame(
			array( array( 'deal.won', 'contact.created', 'deal.stage_changed' ), array( 'task.created', 'moon.landed' ) ),
			posthorn_native_map_events( array( 'deal.closed_won', 'Contact Created', 'deal.won', 'task.created', 'deal_stage_changed', 'moon.landed' ) )
		);
		list( $all, $unknown ) = posthorn_native_map_events( null );
		self::assertCount( 13, $all );
		self::assertSame( array(), $unknown );
	}

	/** The CRM has a webhook, and has sent one event. */
	private function crm_sends( array $webhook = array() ): void {
		$webhook += array( 'url' => $this->receiver->url(), 'events' => array(), 'active' => true, 'secret' => '' );
		update_option( 'wpestate_crm_webhooks', array( $webhook ) );
		wp_remote_post(
			$webhook['url'],
			array(
				'redirection' => 0,
				'body'        => wp_json_encode( array( 'event' => 'contact.created', 'timestamp' => gmdate( 'Y-m-d\TH:i:s\Z' ), 'data' => array( 'contact_id' => 1 ), 'site_url' => home_url() ) ),
			)
		);
		posthorn_native_end();
	}

	/** Presses "Take over". */
	private function take_over(): Page {
		$page   = self::$owner->get( self::PAGE );
		$button = "//button[@value='take_over']";
		return self::$owner->post( $page->form_target( $button ), array( 'posthorn_native' => 'take_over' ) + $page->fields( $button ) );
	}

	/** The form's fields, with the one that stands outside of it. */
	private function form( Page $page ): array {
		$outside = $page->find( "//input[@form='posthorn-form'][@name='taking_over']" );
		self::assertCount( 1, $outside );
		return array( 'taking_over' => $outside[0]->getAttribute( 'value' ) ) + $page->fields( self::FORM );
	}

	private function decided(): bool {
		wp_cache_flush();
		return array() !== posthorn_native_decisions()['silenced'];
	}

	/** How many requests the CRM itself has sent. */
	private function natives(): int {
		return count( array_filter( $this->receiver->requests(), static fn( array $request ) => null === $request['id'] && ! $request['test'] ) );
	}

	private function forget_everything(): void {
		posthorn_native_end();
		foreach ( array( POSTHORN_NATIVE_OPTION, POSTHORN_NATIVE_SEEN_OPTION, 'wpestate_crm_webhooks' ) as $option ) {
			delete_option( $option );
		}
	}
}
