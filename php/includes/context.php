<?php
/**
 * Where and by whom an event was caused.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * What every event of the current site and user has in common.
 *
 * @return array{site:string,site_url:string,organization:array,user:?array,source:string}
 */
function posthorn_context(): array {
	static $known = array();
	// A bulk action asks thousands of times.
	$key             = get_current_blog_id() . ':' . get_current_user_id();
	$known[ $key ] ??= array(
		'site'         => posthorn_site_key(),
		'site_url'     => site_url(),
		'organization' => posthorn_organization(),
		'user'         => posthorn_acting_user(),
	);
	// An import may begin and end within a request.
	return $known[ $key ] + array( 'source' => posthorn_source() );
}

/**
 * The site as the organisation that formats carry. Its id is the address without scheme, which tells sites apart
 * across installations.
 *
 * @return array{id:string,name:string}
 */
function posthorn_organization(): array {
	return array(
		'id'   => (string) preg_replace( '#^https?://#', '', untrailingslashit( home_url() ) ),
		'name' => wp_specialchars_decode( get_bloginfo( 'name' ), ENT_QUOTES ),
	);
}

/**
 * The user who acts.
 *
 * @return array{id:int,name:string,email:string}|null Null if nobody is logged in.
 */
function posthorn_acting_user(): ?array {
	$user = wp_get_current_user();
	if ( ! $user->exists() ) {
		return null;
	}
	return array(
		'id'    => (int) $user->ID,
		'name'  => $user->display_name,
		'email' => $user->user_email,
	);
}

/**
 * Who set it off: `import`, `cron`, `cli` or `person`. An import is one, whoever runs it.
 */
function posthorn_source(): string {
	if ( posthorn_is_importing() ) {
		return 'import';
	}
	// Action Scheduler works in requests that WordPress makes to itself, where WP-Cron is not known to run.
	if ( wp_doing_cron() || did_action( 'action_scheduler_before_process_queue' ) > did_action( 'action_scheduler_after_process_queue' ) ) {
		return 'cron';
	}
	return defined( 'WP_CLI' ) && WP_CLI ? 'cli' : 'person';
}

/**
 * Whether an import is under way: WordPress's importers say so with a constant, WP All Import with its actions, and a page,
 * AJAX or form action of anybody else (the CRM's import of contacts) by its name, or by the table that is uploaded to it.
 */
function posthorn_is_importing(): bool {
	if ( defined( 'WP_IMPORTING' ) && WP_IMPORTING || did_action( 'pmxi_before_xml_import' ) > did_action( 'pmxi_after_xml_import' ) ) {
		return true;
	}
	if ( ! is_admin() ) {
		return false;
	}
	// phpcs:disable WordPress.Security.NonceVerification -- Only looked at.
	$action = $_REQUEST['action'] ?? '';
	$page   = 'POST' === ( $_SERVER['REQUEST_METHOD'] ?? '' ) ? $_GET['page'] ?? '' : '';
	$names  = array_column( $_FILES, 'name' );
	// phpcs:enable
	if ( is_string( $action ) && 1 === preg_match( '/(^|_)import(_|$)/', $action )
		&& ( doing_action( "wp_ajax_$action" ) || doing_action( "wp_ajax_nopriv_$action" ) || doing_action( "admin_post_$action" ) ) ) {
		return true;
	}
	if ( is_string( $page ) && 1 === preg_match( '/(^|[_-])import([_-]|$)/', $page ) ) {
		return true;
	}
	$is_table = false;
	array_walk_recursive(
		$names,
		static function ( $name ) use ( &$is_table ): void {
			$is_table = $is_table || 1 === preg_match( '/\.(csv|tsv|xlsx?)$/i', (string) $name );
		}
	);
	return $is_table;
}
