<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** The capability manage_posthorn: who has it, and what it opens. */
final class CapabilityTest extends SiteTestCase {

	private const PAGE = '/wp-admin/options-general.php?page=posthorn';

	protected function tearDown(): void {
		get_role( 'administrator' )->add_cap( 'manage_posthorn' );
		get_role( 'editor' )->remove_cap( 'manage_posthorn' );
		update_option( 'posthorn_capability', '1', true );
		parent::tearDown();
	}

	public function test_administrators_have_it_since_the_plugin_was_switched_on_and_editors_have_not(): void {
		self::assertTrue( get_role( 'administrator' )->has_cap( 'manage_posthorn' ) );
		self::assertFalse( get_role( 'editor' )->has_cap( 'manage_posthorn' ) );
		self::assertNotEmpty( wp_load_alloptions()['posthorn_capability'] ?? '', 'autoloaded' );
	}

	public function test_an_administrator_of_before_the_update_gets_in_and_is_given_it(): void {
		get_role( 'administrator' )->remove_cap( 'manage_posthorn' );
		delete_option( 'posthorn_capability' );
		self::assertSame( 200, Visitor::logged_in( 'admin', 'admin' )->get( self::PAGE )->status );
		wp_cache_flush();
		wp_roles()->for_site();
		self::assertTrue( get_role( 'administrator' )->has_cap( 'manage_posthorn' ) );
	}

	public function test_an_administrator_it_was_taken_from_stays_out(): void {
		get_role( 'administrator' )->remove_cap( 'manage_posthorn' );
		$visitor = Visitor::logged_in( 'admin', 'admin' );
		self::assertSame( 403, $visitor->get( self::PAGE )->status );
		self::assertStringNotContainsString( 'page=posthorn', $visitor->get( '/wp-admin/plugins.php' )->html );
	}

	public function test_an_editor_who_was_given_it_sees_the_page_and_saves(): void {
		$this->save_endpoint();
		get_role( 'editor' )->add_cap( 'manage_posthorn' );
		if ( ! username_exists( 'editor' ) ) {
			wp_create_user( 'editor', 'editor', 'editor@example.com' );
			get_user_by( 'login', 'editor' )->set_role( 'editor' );
		}
		$editor = Visitor::logged_in( 'editor', 'editor' );
		$page   = $editor->get( self::PAGE );
		self::assertSame( 200, $page->status );
		$saved = $editor->post( self::PAGE, array( 'url' => $this->receiver->url() . '/by-editor', 'posthorn_save' => '1' ) + $page->fields( "//input[@name='url']" ) );
		self::assertStringContainsString( 'saved', $saved->text( "//*[contains(@class,'notice-success')]" ) );
		wp_cache_flush();
		self::assertSame( $this->receiver->url() . '/by-editor', posthorn_main_endpoint( posthorn_settings() )['url'] );
	}
}
