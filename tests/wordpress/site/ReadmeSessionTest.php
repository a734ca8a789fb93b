<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Api;
use Posthorn\Tests\Command;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;

/** The README's two sessions, command for command, as a new administrator types them. */
final class ReadmeSessionTest extends SiteTestCase {

	private string $structure;

	protected function setUp(): void {
		parent::setUp();
		$this->save_no_endpoint();
		$this->structure = (string) get_option( 'permalink_structure' );
		$this->permalinks( '/%postname%/' );
	}

	protected function tearDown(): void {
		Receiver::reset();
		$this->permalinks( $this->structure );
		posthorn_forget_cached_settings();
		$this->save_no_endpoint();
		parent::tearDown();
	}

	public function test_the_session_by_curl(): void {
		list( $password ) = WP_Application_Passwords::create_new_application_password( 1, array( 'name' => 'README ' . bin2hex( random_bytes( 4 ) ) ) );
		$session          = self::session( 'api() {' );
		$command          = Command::bash( self::with( $session, array( 'SITE' => getenv( 'POSTHORN_SITE' ), 'AUTH' => "admin:$password", 'RECEIVER' => $this->receiver->url() ) ) );
		self::assertSame( 0, $command->status, $command->output . $command->errors );
		$answers = array_map( static fn( string $line ) => json_decode( $line, true ), array_filter( explode( "\n", trim( $command->output ) ) ) );
		self::assertNotContains( null, $answers, $command->output );
		self::assertSame( array( 'warehouse', 'warehouse', array( 'value' => array( 'gte' => 250000 ) ), true ), array( $answers[0]['id'], $answers[1]['data'][0]['id'], $answers[2]['filters'], $answers[3]['ok'] ), $command->output );
		self::assertTrue( end( $answers )['deleted'] );
		self::assertSame( array( 'deal.won' ), $this->receiver->events() );
		self::assertStringNotContainsString( 'long-and-random', $command->output );
	}

	public function test_the_session_by_wp_cli(): void {
		$command = Command::bash( self::with( self::session( 'wp posthorn webhook create' ), array( 'RECEIVER' => $this->receiver->url() ) ) );
		self::assertSame( 0, $command->status, $command->output . $command->errors );
		self::assertStringContainsString( 'The receiver accepted the test.', $command->output );
		self::assertStringContainsString( 'Webhook warehouse was deleted.', $command->output );
		self::assertSame( array( 'deal.won' ), $this->receiver->events() );
		self::assertStringNotContainsString( 'long-and-random', $command->output . $command->errors );
	}

	/** The block of the README that has some text in it. */
	private static function session( string $text ): string {
		preg_match_all( '/^```sh\n(.*?)^```$/ms', file_get_contents( dirname( __DIR__, 3 ) . '/README.md' ), $blocks );
		$found = array_values( array_filter( $blocks[1], static fn( string $block ): bool => str_contains( $block, $text ) ) );
		self::assertCount( 1, $found );
		// The README's receiver is on the internet, this one is not.
		$private = strtr( $found[0], array( '"id":"warehouse",' => '"id":"warehouse","allow_private":true,', '--id=warehouse' => '--id=warehouse --allow_private=true' ) );
		self::assertNotSame( $found[0], $private );
		return $private;
	}

	/** A session with other values in its first line. */
	private static function with( string $session, array $values ): string {
		list( $first, $rest ) = explode( "\n", $session, 2 );
		self::assertSame( array_keys( $values ), preg_match_all( '/\b([A-Z]+)=/', $first, $names ) ? $names[1] : array() );
		return implode( "\n", array_map( static fn( string $name, string $value ): string => $name . '=' . escapeshellarg( $value ), array_keys( $values ), $values ) ) . "\n$rest";
	}

	private function permalinks( string $structure ): void {
		$GLOBALS['wp_rewrite']->set_permalink_structure( $structure );
		$GLOBALS['wp_rewrite']->flush_rules( false );
	}
}
