<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** What the owner sees and answers where the site is not where its receivers were saved. Real copies are in clone/. */
final class GuardTest extends SiteTestCase {

	private const ELSEWHERE = 'https://elsewhere.example.com';

	protected function setUp(): void {
		parent::setUp();
		require_once WP_PLUGIN_DIR . '/posthorn/includes/guard-answers.php';
		$this->save_endpoint( array( 'events' => array( 'contact.created' ) ) );
	}

	protected function tearDown(): void {
		posthorn_drop_held();
		delete_option( POSTHORN_QUESTION_OPTION );
		delete_option( POSTHORN_COPY_OPTION );
		self::assertNotNull( posthorn_replace_settings( posthorn_settings(), posthorn_guard_mark( posthorn_here() ) ) );
		parent::tearDown();
	}

	/** The database is as it would be if the receivers had been saved at another address. */
	private function saved_elsewhere(): void {
		$mark = posthorn_guard_mark( array( 'address' => 'elsewhere.example.com' ) + posthorn_here() );
		self::assertNotNull( posthorn_replace_settings( posthorn_settings(), $mark ) );
	}

	/** Answers the question as the form on a page does. */
	private function press( Visitor $owner, string $answer, string $page ): string {
		self::assertSame( 1, preg_match( '/<input type="hidden" id="_wpnonce" name="_wpnonce" value="(\w+)" \/>(?:(?!<\/form>).)*name="action" value="posthorn_guard"(?:(?!<\/form>).)*name="place" value="(\w*)"/s', $page, $form ), $page );
		return $owner->post(
			'/wp-admin/admin-post.php',
			array(
				'_wpnonce' => $form[1],
				'action'   => 'posthorn_guard',
				'place'    => $form[2],
				'answer'   => $answer,
			)
		)->html;
	}

	/** Addresses that are the same site, and such as are not. */
	public static function addresses(): array {
		return array(
			'https'              => array( 'http://example.com', 'https://example.com', true ),
			'slash'              => array( 'http://example.com/', 'https://Example.com', true ),
			'port of the scheme' => array( 'http://example.com:80', 'https://example.com:443/', true ),
			'folder'             => array( 'http://example.com/blog', 'https://example.com/blog/', true ),
			'www'                => array( 'https://example.com', 'https://www.example.com', false ),
			'port'               => array( 'https://example.com', 'https://example.com:8443', false ),
			'another folder'     => array( 'https://example.com', 'https://example.com/staging', false ),
		);
	}

	/** @dataProvider addresses */
	public function test_an_address_is_the_same_whatever_its_scheme( string $one, string $other, bool $same ): void {
		self::assertSame( $same, posthorn_guard_address( $one ) === posthorn_guard_address( $other ) );
	}

	public function test_the_address_is_not_stored_in_clear(): void {
		self::assertStringNotContainsString( preg_replace( '#^https?://#', '', home_url() ), serialize( posthorn_settings()['saved_for'] ) );
	}

	public function test_the_owner_is_asked_on_every_page_and_moved_sends_what_was_kept(): void {
		$this->saved_elsewhere();
		self::assertNull( posthorn_dispatch( 'contact.created', array( 'contact_id' => 7, 'score' => 1.0 ), array( 'record' => 'contact:7' ) ) );
		posthorn_dispatch_many( array( array( 'contact.created', array( 'contact_id' => 8 ) ), array( 'contact.created', array( 'contact_id' => 9 ) ) ) );
		self::assertSame( 3, posthorn_held_count() );
		self::assertSame( array(), $this->receiver->requests() );
		$owner = Visitor::logged_in( 'admin', 'admin' );
		foreach ( array( '/wp-admin/index.php', '/wp-admin/options-general.php?page=posthorn', '/wp-admin/options-general.php?page=posthorn&tab=deliveries' ) as $address ) {
			$page = $owner->get( $address );
			self::assertSame( 200, $page->status );
			self::assertStringContainsString( 'its receivers were saved for elsewhere.example.com', $page->html );
			self::assertStringContainsString( '3 events wait for your answer.', $page->html );
			self::assertSame( 1, substr_count( $page->html, 'This site was moved here</button>' ) );
		}
		self::assertStringContainsString( 'held back', posthorn_test_sending()['label'] );
		$after = $this->press( $owner, 'moved', $page->html );
		self::assertStringNotContainsString( 'This site was moved here', $after );
		posthorn_forget_cached_settings();
		$requests = $this->receiver->wait_for( 3 );
		self::assertEqualsCanonicalizing( array( 7, 8, 9 ), array_map( static fn( array $request ): int => json_decode( $request['body'], true )['data']['contact_id'], $requests ) );
		self::assertNotNull( posthorn_dispatch( 'contact.created', array( 'contact_id' => 10 ) ) );
		$this->wait_until_sent();
	}

	/** Data that JSON, PHP and the extension could take for different things. */
	public static function hostile_data(): array {
		$deep = 'bottom';
		for ( $level = 0; $level < 505; $level++ ) {
			$deep = array( 'd' => $deep );
		}
		return array(
			'numbers'    => array( array( 'a' => 1.0, 'b' => -0.0, 'c' => 1e21, 'd' => 0.1 + 0.2, 'e' => PHP_INT_MAX, 'f' => 1e-7, 'g' => 5e-324 ) ),
			'no numbers' => array( array( 'a' => INF, 'b' => -INF, 'c' => NAN, 'd' => (object) array( 'e' => INF ), 'f' => array( NAN ) ) ),
			'dates'      => array( array( 'a' => new DateTimeImmutable( '2026-04-17T12:34:56.789+02:00' ), 'b' => (object) array( 'c' => new DateTime( '2026-01-01 UTC' ) ) ) ),
			'keys'       => array( array( 'o' => array( '0' => 'a', '10' => 'b', '9' => 'c', 'x' => 'd' ), 'l' => array( 'a', 'b' ), 'e' => array(), 'c' => new stdClass(), 'z' => (object) array( '0' => 'a' ), '' => 'nothing', '__proto__' => 1 ) ),
			'hidden'     => array( array( 'a' => 1, "\0*\0b" => 2, 'c' => array( "\0x" => 3, 'd' => 4 ), 'e' => (object) array( 'f' => array( "\0g" => 5 ) ) ) ),
			'bytes'      => array( array( 'a' => "\xff\xfe ok \xc3\x28", "k\xff" => 'b', 'c' => "\u{2028}\u{1F600} </script>\x00\x7f/" ) ),
			'deep'       => array( array( 'a' => $deep ) ),
			'objects'    => array(
				array(
					'a' => new class() implements JsonSerializable {
						public function jsonSerialize(): array {
							return array( 'at' => new DateTimeImmutable( '2026-04-17T12:34:56Z' ), 'n' => 1.0 );
						}
					},
					'b' => new class() {
						public int $seen     = 1;
						protected int $guarded = 2;
						private int $hidden  = 3;
					},
					'c' => new ArrayObject( array( 'x' => 1 ) ),
				),
			),
		);
	}

	/** @dataProvider hostile_data */
	public function test_what_was_kept_is_sent_just_as_it_would_have_been_at_once( array $data ): void {
		$context = array( 'occurred_at' => '2026-04-17T12:34:56.789Z', 'record' => 'contact:7', 'previous' => array( '0' => 'a', 'n' => 1.0 ) + $data, 'changes' => array( 'n' ) );
		self::assertNotNull( posthorn_dispatch( 'contact.created', $data, $context ), $this->problem() );
		$at_once = $this->receiver->wait_for( 1 )[0]['body'];
		$this->saved_elsewhere();
		self::assertNull( posthorn_dispatch( 'contact.created', $data, $context ) );
		self::assertSame( array( 'sites' => 1, 'events' => 1 ), posthorn_say_moved(), $this->problem() );
		self::assertSame( $at_once, $this->receiver->wait_for( 2 )[1]['body'] );
		self::assertSame( '', $this->problem() );
		self::assertJson( $at_once, 'and it is JSON' );
		$this->wait_until_sent();
	}

	public function test_data_that_contains_itself_is_told_of_and_costs_nothing_else(): void {
		$this->saved_elsewhere();
		$data         = array( 'contact_id' => 7 );
		$data['self'] = &$data;
		self::assertNull( posthorn_dispatch( 'contact.created', $data ) );
		self::assertSame( 1, posthorn_problems()['lost'] );
		self::assertStringContainsString( 'contains itself', $this->problem() );
		self::assertSame( 0, posthorn_held_count() );
		$this->forget_problems();
	}

	public function test_a_copy_s_receivers_are_switched_off_and_can_be_switched_on_again(): void {
		$this->saved_elsewhere();
		posthorn_dispatch( 'contact.created', array( 'contact_id' => 7 ) );
		$owner = Visitor::logged_in( 'admin', 'admin' );
		$this->press( $owner, 'copy', $owner->get( '/wp-admin/index.php' )->html );
		posthorn_forget_cached_settings();
		self::assertFalse( posthorn_is_held() );
		self::assertTrue( posthorn_is_copy() );
		self::assertSame( array( false ), array_column( posthorn_settings()['endpoints'], 'enabled' ) );
		self::assertSame( 0, posthorn_held_count() );
		self::assertNull( posthorn_dispatch( 'contact.created', array( 'contact_id' => 8 ) ) );
		self::assertStringContainsString( 'This site is a copy.', $owner->get( '/wp-admin/options-general.php?page=posthorn' )->html );
		self::assertStringNotContainsString( 'This site is a copy.', $owner->get( '/wp-admin/index.php' )->html );
		posthorn_say_moved();
		self::assertSame( array( true ), array_column( posthorn_settings()['endpoints'], 'enabled' ) );
		self::assertSame( array(), $this->receiver->requests() );
	}

	public function test_nobody_else_may_answer(): void {
		$this->saved_elsewhere();
		$fields = array( 'action' => 'posthorn_guard', 'answer' => 'moved' );
		foreach ( array( new Visitor(), Visitor::logged_in( 'admin', 'admin' ) ) as $visitor ) {
			$visitor->post( '/wp-admin/admin-post.php', $fields );
			posthorn_forget_cached_settings();
			self::assertTrue( posthorn_is_held() );
		}
	}

	public function test_nothing_is_tested_or_saved_past_the_question(): void {
		$this->saved_elsewhere();
		$test = Command::wp( 'posthorn', 'test', $this->receiver->url(), '--allow-private' );
		self::assertSame( 1, $test->status );
		self::assertStringContainsString( 'wp posthorn site copy', $test->errors );
		$add = Command::wp( 'eval', 'require_once WP_PLUGIN_DIR . "/posthorn/includes/endpoints.php"; echo posthorn_add_endpoint( array( "url" => "https://example.com/" ) )->get_error_code();' );
		self::assertSame( 'posthorn_unavailable', $add->output, $add->errors );
		self::assertSame( array(), $this->receiver->requests() );
	}

	public function test_a_site_with_several_addresses_is_asked_once_for_each(): void {
		$this->listen( 'pre_option_home', $other = static fn(): string => self::ELSEWHERE );
		posthorn_dispatch( 'contact.created', array( 'contact_id' => 7 ) );
		self::assertSame( 1, posthorn_held_count() );
		// The request's end.
		$question = array( 'since' => time() ) + posthorn_here();
		update_option( POSTHORN_QUESTION_OPTION, array( posthorn_guard_hash( implode( "\0", posthorn_here() ) ) => $question ) );
		remove_filter( 'pre_option_home', $other );
		self::assertFalse( posthorn_is_held() );
		$owner = Visitor::logged_in( 'admin', 'admin' );
		$page  = $owner->get( '/wp-admin/index.php' )->html;
		self::assertStringContainsString( 'this site was also met at elsewhere.example.com', $page );
		$this->press( $owner, 'moved', $page );
		posthorn_forget_cached_settings();
		self::assertSame( 7, json_decode( $this->receiver->wait_for( 1 )[0]['body'], true )['data']['contact_id'] );
		self::assertFalse( posthorn_is_held() );
		add_filter( 'pre_option_home', $other );
		self::assertFalse( posthorn_is_held() );
		self::assertNotNull( posthorn_dispatch( 'contact.created', array( 'contact_id' => 8 ) ) );
		remove_filter( 'pre_option_home', $other );
		self::assertStringNotContainsString( 'was also met', $owner->get( '/wp-admin/index.php' )->html );
		$this->wait_until_sent();
	}

	public function test_visitors_who_choose_the_site_s_address_neither_fill_the_disk_nor_lock_the_site_out(): void {
		// As where wp-config.php has WP_HOME follow the request.
		$met = Command::wp(
			'eval',
			'$n = 0; add_filter( "pre_option_home", static function () use ( &$n ) { return "https://chosen-$n.example.com"; } );
			for ( $n = 0; $n < 30; $n++ ) { posthorn_dispatch( "contact.created", array( "contact_id" => $n ) ); }
			echo posthorn_problems()["lost"], " ", posthorn_problems()["message"]; $n = 0; posthorn_dispatch( "contact.created", array( "contact_id" => 30 ) ); echo " ", posthorn_held_count();'
		);
		self::assertSame( 0, $met->status, $met->errors );
		self::assertCount( POSTHORN_GUARD_MOST, glob( posthorn_original_directory() . '/held-*.jsonl' ) );
		self::assertMatchesRegularExpression( '/^10 .*WP_HOME.* 2$/', $met->output, 'ten are told of, and where there is a file it goes on' );
		wp_cache_flush();
		self::assertCount( POSTHORN_GUARD_MOST, posthorn_guard_questions() );
		$moved = Command::wp( 'posthorn', 'site', 'moved' );
		self::assertStringContainsString( 'sent now: 21', $moved->output, $moved->errors );
		wp_cache_flush();
		self::assertFalse( posthorn_is_held(), 'this address is the site’s as ever' );
		self::assertSame( array(), glob( posthorn_original_directory() . '/held-*.jsonl' ) );
		$this->receiver->wait_for( 21 );
		$this->wait_until_sent();
		$this->forget_problems();
	}

	public function test_the_crm_s_own_webhook_that_was_silenced_stays_so(): void {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/crm/native-webhooks.php';
		$url = $this->receiver->url() . '-native';
		posthorn_native_decide( array( 'silenced' => array( posthorn_native_key( $url ) => array( 'url' => $url, 'target' => $this->receiver->url(), 'time' => time() ) ), 'dismissed' => array() ) );
		$this->saved_elsewhere();
		$answer = posthorn_native_filter( false, array( 'method' => 'POST', 'body' => '{"event":"contact.created","timestamp":"2026-04-17T12:34:56Z","data":{"contact_id":7},"site_url":"https://example.com"}' ), $url );
		delete_option( POSTHORN_NATIVE_OPTION );
		self::assertSame( 200, $answer['response']['code'] );
		self::assertSame( array(), $this->receiver->requests() );
	}
}
