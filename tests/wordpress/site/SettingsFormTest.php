<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Page;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/**
 * The settings page as a browser without JavaScript uses it: what is saved, and what is refused with a message beside
 * its field, with what was typed kept and nothing stored.
 */
final class SettingsFormTest extends SiteTestCase {

	private const PAGE = '/wp-admin/options-general.php?page=posthorn';
	private const FORM = "//input[@name='url']";

	private static Visitor $owner;

	public static function setUpBeforeClass(): void {
		parent::setUpBeforeClass();
		self::$owner = Visitor::logged_in( 'admin', 'admin' );
	}

	public function test_a_first_save_is_stored_handed_over_and_live(): void {
		$this->save_no_endpoint();
		$page = $this->save( array( 'url' => $this->receiver->url(), 'events' => array( 'deal.won', 'deal.lost' ), 'secret' => self::secret() ) );
		self::assertStringContainsString( 'saved', $page->text( "//*[contains(@class,'notice-success')]" ) );
		posthorn_forget_cached_settings();
		$endpoint = posthorn_main_endpoint( posthorn_settings() );
		self::assertSame( $this->receiver->url(), $endpoint['url'] );
		self::assertSame( array( 'deal.won', 'deal.lost' ), $endpoint['events'] );
		self::assertTrue( $endpoint['allow_private'] );
		self::assertTrue( $endpoint['enabled'] );
		self::assertSame( posthorn_settings()['revision'], posthorn_client_revision() );

		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		self::assertSame( 'ok', $this->receiver->wait_for( 1 )[0]['signature']['state'] );
	}

	public function test_what_is_saved_is_shown_again_but_for_the_secret(): void {
		$this->save( array( 'url' => $this->receiver->url(), 'events' => array( 'deal.won' ), 'other_events' => 'user.created, deal.*', 'secret' => self::secret() ) );
		$page   = self::$owner->get( self::PAGE );
		$fields = $page->fields( self::FORM );
		self::assertSame( $this->receiver->url(), $fields['url'] );
		self::assertSame( array( 'deal.won' ), $fields['events'] );
		self::assertSame( 'user.created, deal.*', $fields['other_events'] );
		self::assertSame( '', $fields['secret'] );
		self::assertStringNotContainsString( self::secret(), $page->html );
		self::assertStringContainsString( 'A secret is saved', $page->html );
	}

	public function test_an_empty_secret_field_keeps_the_secret_and_a_tick_removes_it(): void {
		$this->save( array( 'url' => $this->receiver->url(), 'other_events' => '*', 'secret' => self::secret() ) );
		$this->save( array( 'other_events' => 'deal.won' ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		self::assertSame( 'ok', $this->receiver->wait_for( 1 )[0]['signature']['state'] );
		$this->save( array( 'remove_secret' => '1' ) );
		posthorn_forget_cached_settings();
		self::assertSame( '', posthorn_main_endpoint( posthorn_settings() )['secret'] );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 2 ) );
		self::assertSame( 'missing', $this->receiver->wait_for( 2 )[1]['signature']['state'] );
	}

	/**
	 * Field, what is typed, what the message says.
	 */
	public static function bad_input(): array {
		$long = str_repeat( 'x', 10000 );
		return array(
			'no URL'                  => array( 'url', '', '/address/i' ),
			'not a URL'               => array( 'url', 'my receiver', '/space|URL|address/i' ),
			'a word'                  => array( 'url', 'receiver', '/http/i' ),
			'FTP'                     => array( 'url', 'ftp://example.com/hook', '/http/i' ),
			'JavaScript'              => array( 'url', 'javascript:alert(1)', '/http/i' ),
			'a file'                  => array( 'url', 'file:///etc/passwd', '/http/i' ),
			'user and password'       => array( 'url', 'https://user:hunter2@example.com/hook', '/password|credential|user/i' ),
			'a user'                  => array( 'url', 'https://user@example.com/hook', '/password|credential|user/i' ),
			'a space in it'           => array( 'url', 'https://example.com/my hook', '/space/i' ),
			'a tab in it'             => array( 'url', "https://example.com/my\thook", '/control|space/i' ),
			'a line break in it'      => array( 'url', "https://example.com/\nhook", '/control|line/i' ),
			'a NUL in it'             => array( 'url', "https://example.com/\0hook", '/control/i' ),
			'no host'                 => array( 'url', 'https:///hook', '/host|name|URL/i' ),
			'a port that is none'     => array( 'url', 'https://example.com:99999/', '/port|URL/i' ),
			'markup'                  => array( 'url', '"><script>alert(1)</script>', '/./' ),
			'an unknown event'        => array( 'events', 'deal.won, deal.wonn', '/deal\.wonn/' ),
			'an unknown pattern'      => array( 'events', 'deals.*', '/deals\.\*/' ),
			'no event'                => array( 'events', '', '/at least one/i' ),
			'a secret in two lines'   => array( 'secret', "first\nsecond", '/line break|control/i' ),
			'a secret with a return'  => array( 'secret', "first\rsecond", '/line break|control/i' ),
			'a secret of 10,000'      => array( 'secret', $long, '/10,?000|long/i' ),
		);
	}

	/** @dataProvider bad_input */
	public function test_bad_input_has_a_message_beside_its_field_and_changes_nothing( string $field, string $typed, string $says ): void {
		$this->save_endpoint( array( 'events' => array( 'deal.won' ) ) );
		$stored = get_option( POSTHORN_OPTION );
		$name   = 'events' === $field ? 'other_events' : $field;
		$page   = $this->save( array( 'url' => 'https://example.com/another', 'events' => array(), $name => $typed ) + array( 'other_events' => 'deal.lost' ) );
		self::assertMatchesRegularExpression( $says, $page->text_of( "posthorn-$field-mistake" ) );
		foreach ( array_diff( array( 'url', 'events', 'secret' ), array( $field ) ) as $other ) {
			self::assertSame( '', $page->text_of( "posthorn-$other-mistake" ), "nothing is wrong with $other" );
		}
		self::assertCount( 1, $page->find( "//*[@name='$name'][@aria-invalid='true'][contains(@aria-describedby,'posthorn-$field-mistake')]" ) );
		self::assertStringContainsString( 'Nothing was saved', $page->text( "//*[contains(@class,'notice-error')]" ) );
		$kept = $page->fields( self::FORM );
		if ( 'secret' !== $field ) {
			self::assertSame( str_replace( "\0", "\u{FFFD}", $typed ), $kept[ $name ], 'what was typed is kept' );
		} else {
			self::assertStringNotContainsString( $typed, $page->html );
		}
		self::assertStringNotContainsString( '<script>alert(1)', $page->html );
		posthorn_forget_cached_settings();
		self::assertSame( $stored, get_option( POSTHORN_OPTION ) );
	}

	public function test_each_bad_input_has_a_message_of_its_own(): void {
		$messages = array();
		foreach ( array( 'no URL', 'FTP', 'user and password', 'a space in it', 'a line break in it', 'an unknown event', 'no event', 'a secret in two lines', 'a secret of 10,000' ) as $name ) {
			list( $field, $typed ) = self::bad_input()[ $name ];
			$form              = posthorn_form_typed( array( 'url' => 'https://example.com/', 'other_events' => '*' ) );
			$form[ 'events' === $field ? 'other_events' : $field ] = $typed;
			$messages[ $name ] = posthorn_form_mistakes( $form )[ $field ] ?? '';
		}
		self::assertSame( $messages, array_unique( $messages ) );
		self::assertNotContains( '', $messages );
	}

	public function test_several_mistakes_are_told_at_once_and_a_typed_secret_is_kept_unseen(): void {
		$this->save_endpoint();
		$secret = 'typed-but-not-saved-' . uniqid();
		$page   = $this->save( array( 'url' => 'ftp://example.com/', 'events' => array(), 'other_events' => 'no.such', 'secret' => $secret ) );
		self::assertNotSame( '', $page->text_of( 'posthorn-url-mistake' ) );
		self::assertNotSame( '', $page->text_of( 'posthorn-events-mistake' ) );
		self::assertStringNotContainsString( $secret, $page->html );
		$again = $this->post( array( 'url' => $this->receiver->url(), 'other_events' => '*' ) + $page->fields( self::FORM ) );
		self::assertStringContainsString( 'saved', $again->text( "//*[contains(@class,'notice-success')]" ) );
		posthorn_forget_cached_settings();
		self::assertSame( $secret, posthorn_decrypt( posthorn_main_endpoint( posthorn_settings() )['secret'] ) );
	}

	public function test_a_wrong_password_in_the_url_is_not_echoed_in_the_message(): void {
		$page = $this->save( array( 'url' => 'https://user:hunter2@example.com/hook' ) );
		self::assertStringNotContainsString( 'hunter2', $page->text_of( 'posthorn-url-mistake' ) );
	}

	public function test_a_post_without_the_nonce_changes_nothing_and_keeps_what_was_typed(): void {
		$this->save_endpoint();
		$stored = get_option( POSTHORN_OPTION );
		$fields = array( 'url' => 'https://example.com/another' ) + self::$owner->get( self::PAGE )->fields( self::FORM );
		unset( $fields['posthorn_nonce'] );
		$page = $this->post( $fields );
		self::assertSame( 403, $page->status );
		self::assertStringContainsString( 'Nothing was saved', $page->text( "//*[contains(@class,'notice-error')]" ) );
		self::assertSame( 'https://example.com/another', $page->fields( self::FORM )['url'] );
		posthorn_forget_cached_settings();
		self::assertSame( $stored, get_option( POSTHORN_OPTION ) );
	}

	public function test_an_editor_can_neither_see_the_page_nor_save_nor_test(): void {
		$this->save_endpoint();
		$stored = get_option( POSTHORN_OPTION );
		if ( ! username_exists( 'editor' ) ) {
			wp_create_user( 'editor', 'editor', 'editor@example.com' );
			get_user_by( 'login', 'editor' )->set_role( 'editor' );
		}
		$editor = Visitor::logged_in( 'editor', 'editor' );
		self::assertSame( 403, $editor->get( self::PAGE )->status );
		// With the owner's own nonce: what stops an editor is the capability.
		$fields = array( 'url' => 'https://example.com/another' ) + self::$owner->get( self::PAGE )->fields( self::FORM );
		$page   = $editor->post( self::PAGE, $fields );
		self::assertSame( 403, $page->status );
		$page = $editor->post( '/wp-admin/admin-ajax.php', array( 'action' => 'posthorn_test', 'url' => $this->receiver->url() ) + $fields );
		self::assertSame( 403, $page->status );
		self::assertStringNotContainsString( self::secret(), $page->html );
		posthorn_forget_cached_settings();
		self::assertSame( $stored, get_option( POSTHORN_OPTION ) );
		self::assertSame( array(), $this->receiver->events() );
	}

	public function test_of_two_forms_opened_at_once_the_second_is_told_and_changes_nothing(): void {
		$this->save_endpoint();
		$first  = self::$owner->get( self::PAGE )->fields( self::FORM );
		$second = self::$owner->get( self::PAGE )->fields( self::FORM );
		$this->post( array( 'url' => $this->receiver->url() . '/first' ) + $first );
		$page = $this->post( array( 'url' => $this->receiver->url() . '/second' ) + $second );
		self::assertStringContainsString( 'Nothing was saved', $page->text( "//*[contains(@class,'notice-error')]" ) );
		self::assertSame( $this->receiver->url() . '/second', $page->fields( self::FORM )['url'] );
		posthorn_forget_cached_settings();
		self::assertSame( $this->receiver->url() . '/first', posthorn_main_endpoint( posthorn_settings() )['url'] );
		// Told, the owner may still insist.
		$this->post( $page->fields( self::FORM ) );
		posthorn_forget_cached_settings();
		self::assertSame( $this->receiver->url() . '/second', posthorn_main_endpoint( posthorn_settings() )['url'] );
	}

	public function test_of_ten_posts_at_the_same_moment_one_is_stored(): void {
		$this->save_endpoint();
		$revision = posthorn_settings()['revision'];
		$fields   = self::$owner->get( self::PAGE )->fields( self::FORM );
		$posts    = array();
		for ( $n = 0; $n < 10; $n++ ) {
			$posts[] = array( 'url' => $this->receiver->url() . "/$n" ) + $fields;
		}
		$answers = self::$owner->post_at_once( self::PAGE, $posts );
		$saved   = array_filter( $answers, static fn( Page $page ) => str_contains( $page->address, 'saved=1' ) );
		self::assertCount( 1, $saved );
		posthorn_forget_cached_settings();
		self::assertSame( $revision + 1, posthorn_settings()['revision'] );
		self::assertStringEndsWith( '/' . array_key_first( $saved ), posthorn_main_endpoint( posthorn_settings() )['url'] );
	}

	public function test_quotes_and_markup_in_a_valid_url_come_back_as_they_were(): void {
		$url = $this->receiver->url() . "?a=it%27s&b='quoted'&c=%3Cb%3E";
		$this->save( array( 'url' => $url ) );
		self::assertSame( $url, self::$owner->get( self::PAGE )->fields( self::FORM )['url'] );
	}

	public function test_a_secret_of_quotes_and_backslashes_is_stored_as_typed(): void {
		$secret = 'a\\b\'c"d<e>&f é';
		$this->save( array( 'url' => $this->receiver->url(), 'secret' => $secret ) );
		posthorn_forget_cached_settings();
		self::assertSame( $secret, posthorn_decrypt( posthorn_main_endpoint( posthorn_settings() )['secret'] ) );
	}

	public function test_the_page_is_under_settings_and_linked_in_the_plugins_list(): void {
		$plugins = self::$owner->get( '/wp-admin/plugins.php' );
		self::assertCount( 1, $plugins->find( "//tr[@data-slug='posthorn']//a[contains(@href,'page=posthorn')][text()='Settings']" ) );
		self::assertNotSame( array(), $plugins->find( "//*[@id='menu-settings']//a[contains(@href,'page=posthorn')][text()='CRM Webhooks']" ) );
	}

	public function test_the_page_says_what_is_loaded_who_sends_and_what_waits(): void {
		$this->save_endpoint();
		$status = self::$owner->get( self::PAGE )->text( "//*[contains(@class,'posthorn-status')]" );
		foreach ( array( 'loaded, version ' . phpversion( 'posthorn' ), 'writable', 'is sending', 'no delivery waits' ) as $fact ) {
			self::assertStringContainsString( $fact, $status );
		}
	}

	/** Opens the page, changes fields, saves. */
	private function save( array $changes ): Page {
		return $this->post( $changes + array( 'allow_private' => '1', 'enabled' => '1' ) + self::$owner->get( self::PAGE )->fields( self::FORM ) );
	}

	private function post( array $fields ): Page {
		$page = self::$owner->post( self::PAGE, $fields + array( 'posthorn_save' => 'Save changes' ) );
		wp_cache_flush();
		return $page;
	}
}
