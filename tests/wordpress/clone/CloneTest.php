<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\CopiedSite;
use Posthorn\Tests\SiteTestCase;

/** Real copies of a site, with its database: none sends anything before somebody has looked, and a moved one loses nothing. */
final class CloneTest extends SiteTestCase {

	private const ELSEWHERE = 'https://test.example.com';

	protected function setUp(): void {
		parent::setUp();
		// A copy that shared the queue and was said to have been moved has saved as often as it answered.
		while ( ( posthorn_client_revision() ?? 0 ) > posthorn_settings()['revision'] ) {
			posthorn_replace_settings( posthorn_settings() );
		}
		$this->save_endpoint( array( 'secret' => '', 'events' => array( 'contact.created' ) ) );
		$this->wait_until_sent();
		// The file that is copied is the whole database.
		$GLOBALS['wpdb']->query( 'COMMIT' );
	}

	/** Names of the contacts that the receiver was told of. */
	private function told(): array {
		return array_map( static fn( array $request ): string => json_decode( $request['body'], true )['data']['first_name'], $this->receiver->requests() );
	}

	/** The original sends as ever. */
	private function original_sends( string $name ): void {
		wpestate_crm_insert_contact( array( 'first_name' => $name ) );
		$this->end_request();
		$this->wait_until( "the original tells of $name", fn(): bool => in_array( $name, $this->told(), true ) );
	}

	/** How a site can be copied. */
	public static function copies(): array {
		return array(
			'another address, the queue’s directory shared' => array( array( 'address' => self::ELSEWHERE, 'data' => 'shared' ) ),
			'another address, the queue copied'             => array( array( 'address' => self::ELSEWHERE, 'data' => 'copied' ) ),
			'another address, no queue'                     => array( array( 'address' => self::ELSEWHERE ) ),
			'another database, the address not yet changed' => array( array( 'name' => 'copy', 'data' => 'shared' ) ),
			'another environment'                           => array( array( 'environment' => 'staging', 'data' => 'copied' ) ),
		);
	}

	/** @dataProvider copies */
	public function test_a_copy_sends_nothing_until_it_is_said_to_have_been_moved( array $what ): void {
		$copy = new CopiedSite( $what );
		$copy->create_contact( 'Ada' );
		$copy->create_contact( 'Bo' );
		$status = $copy->status();
		self::assertTrue( $status['held_back'] );
		self::assertSame( 2, $status['events'] );
		$work = $copy->work();
		self::assertSame( 0, $work->status, $work->errors );
		self::assertStringContainsString( 'wp posthorn site moved', $work->errors );
		self::assertSame( 1, $copy->wp( 'posthorn', 'drain', '--now' )->status );
		self::assertSame( 1, $copy->wp( 'posthorn', 'test' )->status );
		$copy->wp( 'cron', 'event', 'run', 'posthorn_cron' );
		$this->original_sends( 'Cleo' );
		self::assertSame( array( 'Cleo' ), $this->told() );

		$moved = $copy->wp( 'posthorn', 'site', 'moved' );
		self::assertSame( 0, $moved->status, $moved->errors );
		self::assertStringContainsString( 'sent now: 2', $moved->output );
		$copy->work();
		$this->receiver->wait_for( 3 );
		self::assertEqualsCanonicalizing( array( 'Cleo', 'Ada', 'Bo' ), $this->told() );
		self::assertFalse( $copy->status()['held_back'] );
		$copy->create_contact( 'Dora' );
		$copy->work();
		$this->receiver->wait_for( 4 );
	}

	/** The queue's directory is the original's, or was copied. */
	public static function queues(): array {
		return array_slice( self::copies(), 0, 2 );
	}

	/** @dataProvider queues */
	public function test_what_is_said_to_be_a_copy_keeps_its_receivers_switched_off_and_no_events( array $what ): void {
		$copy = new CopiedSite( $what );
		$copy->create_contact( 'Ada' );
		$said = $copy->wp( 'posthorn', 'site', 'copy' );
		self::assertSame( 0, $said->status, $said->errors );
		$copy->create_contact( 'Bo' );
		self::assertSame( 0, $copy->work()->status );
		$status = $copy->status();
		self::assertFalse( $status['held_back'] );
		self::assertTrue( $status['copy'] );
		self::assertSame( 0, $status['events'] );
		$settings = json_decode( $copy->wp( 'option', 'get', 'posthorn_settings', '--format=json' )->output, true );
		self::assertSame( array( $this->receiver->url(), false ), array( $settings['endpoints'][0]['url'], $settings['endpoints'][0]['enabled'] ) );
		$this->original_sends( 'Cleo' );
		self::assertSame( array( 'Cleo' ), $this->told() );
	}

	public function test_what_waits_in_a_copied_queue_is_not_sent_by_the_copy_and_is_by_the_moved_site(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		$this->end_request();
		$this->receiver->wait_for( 1 );
		$this->wait_until( 'the attempt is stored', fn(): bool => 1 === ( $this->deliveries( array( 'state' => 'pending' ) )[0]['attempts'] ?? 0 ) );
		$is_copy = new CopiedSite( array( 'address' => self::ELSEWHERE, 'data' => 'copied' ) );
		$moved   = new CopiedSite( array( 'address' => self::ELSEWHERE, 'data' => 'copied' ) );
		$shared  = new CopiedSite( array( 'address' => self::ELSEWHERE, 'data' => 'shared' ) );
		$this->receiver->behave( array( 'mode' => 'ok' ) );
		foreach ( array( $is_copy, $moved, $shared ) as $copy ) {
			self::assertSame( 1, $copy->wp( 'posthorn', 'drain', '--now' )->status );
			$copy->work();
		}
		foreach ( array( $is_copy, $shared ) as $copy ) {
			self::assertSame( 0, $copy->wp( 'posthorn', 'site', 'copy' )->status );
			$copy->wp( 'posthorn', 'drain', '--now' );
			$copy->work();
		}
		self::assertCount( 1, $this->receiver->requests() );
		self::assertCount( 1, $this->deliveries( array( 'state' => 'pending' ) ), 'what waits is the original’s, where the directory is shared' );
		self::assertSame( 0, $moved->wp( 'posthorn', 'site', 'moved' )->status );
		self::assertSame( 0, $moved->wp( 'posthorn', 'drain', '--now' )->status );
		self::assertCount( 2, $this->receiver->wait_for( 2 ) );
		posthorn_client_hurry();
		$this->wait_until_sent();
	}

	public function test_search_and_replace_over_the_whole_database_hides_nothing(): void {
		$copy = new CopiedSite( array( 'name' => 'copy', 'data' => 'copied' ) );
		$was  = getenv( 'POSTHORN_SITE' );
		$copy->wp( 'search-replace', $was, self::ELSEWHERE, '--all-tables' );
		$copy->wp( 'search-replace', preg_replace( '#^https?://#', '', $was ), preg_replace( '#^https?://#', '', self::ELSEWHERE ), '--all-tables' );
		$copy->is_at( self::ELSEWHERE );
		$copy->create_contact( 'Ada' );
		self::assertSame( 'address', $copy->status()['why'] );
		$copy->work();
		self::assertSame( array(), $this->told() );
	}

	public function test_a_copy_that_comes_back_to_its_original_s_address_is_asked_and_then_sends_again(): void {
		$copy = new CopiedSite( array( 'address' => self::ELSEWHERE, 'data' => 'copied' ) );
		$copy->wp( 'posthorn', 'site', 'copy' );
		$copy->is_at( getenv( 'POSTHORN_SITE' ) );
		$copy->create_contact( 'Ada' );
		self::assertSame( array(), $this->told() );
		self::assertSame( 0, $copy->wp( 'posthorn', 'site', 'moved' )->status );
		$copy->create_contact( 'Bo' );
		$copy->work();
		$this->receiver->wait_for( 1 );
		self::assertContains( 'Bo', $this->told() );
	}
}
