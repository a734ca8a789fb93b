<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;

/** Deleting the plugin removes its options, and the queue only when the owner ticked that. */
final class UninstallTest extends SiteTestCase {

	public function test_uninstall_removes_the_options_and_keeps_the_queue(): void {
		$this->save_endpoint();
		update_option( 'posthorn_problem', array( 'message' => 'x', 'time' => 1, 'lost' => 0 ) );
		update_option( 'posthorn_native', array( 'silenced' => array() ) );
		update_option( 'posthorn_native_seen', array() );
		wp_schedule_event( time() + 300, 'hourly', 'posthorn_cron' );
		self::assertSame( array(), $this->uninstall() );
		self::assertFalse( wp_next_scheduled( 'posthorn_cron' ) );
		self::assertFileExists( posthorn_queue_directory() . '/queue.db' );
	}

	public function test_uninstall_takes_the_capability_from_every_role_that_has_it(): void {
		self::assertTrue( get_role( 'administrator' )->has_cap( 'manage_posthorn' ), 'given when the plugin was switched on' );
		get_role( 'editor' )->add_cap( 'manage_posthorn' );
		$command = Command::wordpress( 'deactivate_plugins( "posthorn/posthorn.php" ); uninstall_plugin( "posthorn/posthorn.php" );' );
		self::assertSame( 0, $command->status, $command->errors . $command->output );
		$roles = Command::wordpress( 'echo get_option( "wp_user_roles" ) ? wp_json_encode( get_option( "wp_user_roles" ) ) : "none";' );
		Command::wordpress( 'activate_plugin( "posthorn/posthorn.php" );' );
		wp_cache_flush();
		wp_roles()->for_site();
		self::assertStringContainsString( 'manage_options', $roles->output );
		self::assertStringNotContainsString( 'manage_posthorn', $roles->output );
	}

	public function test_uninstall_removes_the_queue_when_asked(): void {
		$this->save_endpoint();
		$settings                 = posthorn_settings();
		$settings['delete_queue'] = true;
		self::assertNotNull( posthorn_replace_settings( $settings ) );
		self::assertSame( array(), $this->uninstall() );
		self::assertDirectoryDoesNotExist( posthorn_queue_directory() );
	}

	/** As WordPress does when a plugin is deleted, but for deleting the files that other tests need. Returns the options that are left. */
	private function uninstall(): array {
		$command = Command::wordpress( 'deactivate_plugins( "posthorn/posthorn.php" ); uninstall_plugin( "posthorn/posthorn.php" );' );
		self::assertSame( 0, $command->status, $command->errors . $command->output );
		$left_over = self::left_over();
		// For the next test; the plugin's code is still there.
		Command::wordpress( 'activate_plugin( "posthorn/posthorn.php" ); delete_option( "posthorn_settings" );' );
		wp_cache_flush();
		return $left_over;
	}

	private static function left_over(): array {
		global $wpdb;
		return $wpdb->get_col( "SELECT option_name FROM $wpdb->options WHERE option_name LIKE '%posthorn%'" );
	}
}
