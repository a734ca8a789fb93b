<?php
/**
 * @package Posthorn\Tests
 */

use PHPUnit\Framework\TestCase;
use Posthorn\Tests\Command;
use Posthorn\Tests\Visitor;

/** A WordPress whose PHP does not have the extension, or has one of another version: nothing but one notice. */
final class WithoutExtensionTest extends TestCase {

	private const NOTICE = "//*[contains(@class,'notice')][contains(.,'Posthorn')]";

	public function test_the_crm_works_and_nothing_is_dispatched(): void {
		self::assertFalse( extension_loaded( 'posthorn' ) );
		$contact = wpestate_crm_insert_contact( array( 'first_name' => 'Ada' ) );
		self::assertSame( 'Ada', wpestate_crm_get_contact( $contact )['first_name'] );
		self::assertTrue( wpestate_crm_update_deal_stage( wpestate_crm_insert_deal( array( 'title' => 'Quay 3' ) ), 'closed_won' ) );
		self::assertNull( posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) ) );
	}

	public function test_no_hook_is_set_but_the_notices_and_the_page(): void {
		foreach ( array( 'wpestate_crm_after_insert_lead', 'wpestate_crm_after_record_activity', 'posthorn_cron', 'site_status_tests', 'wp_ajax_posthorn_test' ) as $hook ) {
			self::assertFalse( has_action( $hook ), $hook );
		}
		self::assertFalse( has_filter( 'query', 'posthorn_crm_notice' ) );
	}

	public function test_an_administrator_sees_exactly_one_notice_with_the_steps(): void {
		$owner = Visitor::logged_in( 'admin', 'admin' );
		foreach ( array( '/wp-admin/', '/wp-admin/plugins.php', '/wp-admin/options-general.php?page=posthorn' ) as $address ) {
			$page = $owner->get( $address );
			self::assertSame( 200, $page->status );
			self::assertCount( 1, $page->find( self::NOTICE ), $address );
			$notice = $page->text( self::NOTICE );
			self::assertStringContainsString( 'not loaded in the PHP ' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION, $notice );
			foreach ( array( 'PHP-FPM', 'Apache', 'WP-CLI', 'extension=posthorn.so', '/var/lib/posthorn' ) as $word ) {
				self::assertStringContainsString( $word, $notice );
			}
			self::assertGreaterThanOrEqual( 5, count( $page->find( self::NOTICE . '//li' ) ) );
		}
		self::assertCount( 0, $page->find( "//input[@name='url']" ), 'no form without the extension' );
	}

	public function test_an_editor_sees_no_notice(): void {
		wp_create_user( 'editor', 'editor', 'editor@example.com' );
		get_user_by( 'login', 'editor' )->set_role( 'editor' );
		self::assertCount( 0, Visitor::logged_in( 'editor', 'editor' )->get( '/wp-admin/' )->find( self::NOTICE ) );
	}

	public function test_an_extension_of_another_version_is_told_in_one_notice_and_not_used(): void {
		$file   = WP_PLUGIN_DIR . '/posthorn/posthorn.php';
		$source = file_get_contents( $file );
		self::assertSame( 1, preg_match( "/define\( 'POSTHORN_VERSION', '([\d.]+)' \)/", $source, $version ) );
		file_put_contents( $file, str_replace( $version[0], "define( 'POSTHORN_VERSION', '9.9.9' )", $source ) );
		try {
			$command = Command::wordpress(
				'wp_set_current_user( 1 );
				$contact = wpestate_crm_insert_contact( array( "first_name" => "Grace" ) );
				var_dump( is_int( $contact ), posthorn_dispatch( "deal.won", array() ), has_action( "wpestate_crm_after_insert_lead" ) );
				do_action( "admin_notices" );',
				array( 'extension=' . getenv( 'POSTHORN_LIBRARY' ) )
			);
		} finally {
			file_put_contents( $file, $source );
		}
		self::assertStringStartsWith( "bool(true)\nNULL\nbool(false)\n", $command->output, $command->errors );
		self::assertSame( 1, substr_count( $command->output, 'notice-error' ) );
		self::assertStringContainsString( "the plugin is version 9.9.9, the PHP extension that is loaded is version {$version[1]}", $command->output );
		self::assertMatchesRegularExpression( '/reload php.*-fpm/', $command->output );
	}

	/** @dataProvider commands */
	public function test_the_command_line_says_that_the_extension_is_missing( string $command ): void {
		$run = Command::wp( 'posthorn', $command );
		self::assertSame( 1, $run->status );
		self::assertStringContainsString( 'extension posthorn is not loaded', $run->errors );
	}

	public static function commands(): array {
		return array( array( 'work' ), array( 'status' ), array( 'test' ) );
	}

	public function test_the_plugin_can_be_switched_off_and_on(): void {
		deactivate_plugins( 'posthorn/posthorn.php' );
		self::assertNull( activate_plugin( 'posthorn/posthorn.php' ) );
	}
}
