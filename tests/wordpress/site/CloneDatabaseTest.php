<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\CopiedSite;
use Posthorn\Tests\SiteTestCase;

/**
 * Copies of a site in a real MariaDB, as hosters and plugins make them: in a database of its own, or beside the original's tables.
 *
 * @group mariadb
 */
final class CloneDatabaseTest extends SiteTestCase {

	private const ELSEWHERE = 'https://test.example.com';

	protected function setUp(): void {
		parent::setUp();
		$this->save_endpoint( array( 'events' => array( 'contact.created' ) ) );
		$this->wait_until_sent();
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

	/** The copy works until so many contacts are told of; one turn may be too short on a busy machine. */
	private function works_until_told( CopiedSite $copy, int $count ): void {
		$this->wait_until(
			'what was kept is sent',
			function () use ( $copy, $count ): bool {
				$copy->work();
				return count( $this->told() ) >= $count;
			},
			60
		);
	}

	/** How a site is copied, and why it notices. */
	public static function copies(): array {
		return array(
			'another database and address'          => array( array( 'name' => 'copy', 'address' => self::ELSEWHERE, 'data' => 'shared' ), 'address' ),
			'another database, the address as ever' => array( array( 'name' => 'copy', 'data' => 'copied' ), 'installation' ),
			'tables beside the original’s'          => array( array( 'prefix' => 'stage_', 'address' => self::ELSEWHERE, 'data' => 'shared' ), 'address' ),
			'such tables, the address as ever'      => array( array( 'prefix' => 'stage_', 'data' => 'shared' ), 'installation' ),
		);
	}

	/** @dataProvider copies */
	public function test_a_copy_sends_nothing_until_it_is_said_to_have_been_moved( array $what, string $why ): void {
		$this->save_endpoint( array( 'events' => array( 'contact.created' ), 'secret' => '' ) );
		$copy = new CopiedSite( $what );
		$copy->create_contact( 'Ada' );
		$copy->create_contact( 'Bo' );
		$status = $copy->status();
		self::assertSame( array( true, $why, 2 ), array( $status['held_back'], $status['why'], $status['events'] ) );
		self::assertStringContainsString( 'wp posthorn site moved', $copy->work()->errors );
		self::assertSame( 1, $copy->wp( 'posthorn', 'drain', '--now' )->status );
		$copy->wp( 'cron', 'event', 'run', 'posthorn_cron' );
		$this->original_sends( 'Cleo' );
		self::assertSame( array( 'Cleo' ), $this->told() );

		$moved = $copy->wp( 'posthorn', 'site', 'moved' );
		self::assertSame( 0, $moved->status, $moved->errors );
		self::assertStringContainsString( 'sent now: 2', $moved->output );
		$this->works_until_told( $copy, 3 );
		self::assertEqualsCanonicalizing( array( 'Cleo', 'Ada', 'Bo' ), $this->told() );
		self::assertFalse( $copy->status()['held_back'] );
	}

	public function test_a_moved_site_that_cannot_read_its_secret_keeps_its_events_until_it_is_entered(): void {
		$copy = new CopiedSite( array( 'name' => 'copy', 'address' => self::ELSEWHERE ) );
		$copy->create_contact( 'Ada' );
		$moved = $copy->wp( 'posthorn', 'site', 'moved' );
		self::assertSame( 1, $moved->status, $moved->output );
		self::assertStringContainsString( 'secret', $moved->errors );
		$copy->create_contact( 'Bo' );
		$copy->work();
		self::assertSame( array(), $this->told() );
		self::assertSame( 1, $copy->status()['events'] );
		$entered = $copy->wp( 'posthorn', 'webhook', 'update', 'main', '--secret=' . self::secret(), '--porcelain' );
		self::assertSame( 0, $entered->status, $entered->errors );
		$this->works_until_told( $copy, 1 );
		self::assertContains( 'Ada', $this->told() );
		self::assertSame( array( 'ok' ), array_values( array_unique( array_column( array_column( $this->receiver->requests(), 'signature' ), 'state' ) ) ) );
	}

	/** @dataProvider copies */
	public function test_a_copy_stays_silent_and_the_original_goes_on( array $what ): void {
		$copy = new CopiedSite( $what );
		$copy->create_contact( 'Ada' );
		$said = $copy->wp( 'posthorn', 'site', 'copy' );
		self::assertSame( 0, $said->status, $said->errors );
		$copy->create_contact( 'Bo' );
		self::assertSame( 0, $copy->work()->status );
		$status = $copy->status();
		self::assertSame( array( false, true, 0 ), array( $status['held_back'], $status['copy'], $status['events'] ) );
		$this->original_sends( 'Cleo' );
		self::assertSame( array( 'Cleo' ), $this->told() );
		posthorn_forget_cached_settings();
		self::assertTrue( (bool) posthorn_settings()['endpoints'][0]['enabled'] );
	}

	public function test_search_and_replace_over_the_whole_database_hides_nothing_and_breaks_nothing(): void {
		$copy = new CopiedSite( array( 'name' => 'copy', 'data' => 'copied' ) );
		$was  = getenv( 'POSTHORN_SITE' );
		foreach ( array( array( $was, self::ELSEWHERE ), array( preg_replace( '#^https?://#', '', $was ), preg_replace( '#^https?://#', '', self::ELSEWHERE ) ) ) as list( $old, $new ) ) {
			$replaced = $copy->wp( 'search-replace', $old, $new, '--all-tables', '--precise' );
			self::assertSame( 0, $replaced->status, $replaced->errors );
		}
		$copy->is_at( self::ELSEWHERE );
		$copy->create_contact( 'Ada' );
		self::assertSame( array( 'address', 1 ), array( $copy->status()['why'], $copy->status()['events'] ) );
		$copy->work();
		self::assertSame( array(), $this->told() );
		$settings = json_decode( $copy->wp( 'option', 'get', 'posthorn_settings', '--format=json' )->output, true );
		self::assertSame( array( 'contact.created' ), $settings['endpoints'][0]['events'] );
	}
}
