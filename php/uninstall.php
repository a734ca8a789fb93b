<?php
/**
 * Removes the plugin's options, and the queue if the owner ticked that beforehand.
 *
 * On a network the sites share one queue, so it goes only if every site that has settings ticked it.
 *
 * @package Posthorn
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require_once __DIR__ . '/includes/settings.php';
require_once __DIR__ . '/includes/guard.php';
require_once __DIR__ . '/includes/constants.php';
require_once __DIR__ . '/includes/client.php';
require_once __DIR__ . '/includes/lifecycle.php';
require_once __DIR__ . '/includes/capability.php';

/**
 * Removes the current site's options.
 *
 * @return bool|null Whether the site wants the queue deleted; null if it had no settings.
 */
function posthorn_uninstall_site(): ?bool {
	$stored = get_option( POSTHORN_OPTION );
	// A copy may name the directory of its original.
	$held = posthorn_is_held();
	foreach ( array( POSTHORN_OPTION, 'posthorn_handed_over', 'posthorn_problem', 'posthorn_failures_seen', 'posthorn_secret_unreadable', 'posthorn_set_aside_seen', 'posthorn_native', 'posthorn_native_seen', 'posthorn_waited', 'posthorn_overdue_seen', 'posthorn_sources', 'posthorn_question', 'posthorn_copy', 'posthorn_formats_kept', POSTHORN_ASK_OPTION ) as $option ) {
		delete_option( $option );
	}
	wp_clear_scheduled_hook( 'posthorn_cron' );
	posthorn_take_capability();
	return is_array( $stored ) && ! empty( $stored['endpoints'] ) ? ! empty( $stored['delete_queue'] ) && ! $held : null;
}

/**
 * Deletes this installation's queue: the files in its directory, and the directory.
 *
 * @param string $directory Where it is.
 */
function posthorn_delete_queue( string $directory ): void {
	// phpcs:disable WordPress.WP.AlternativeFunctions, WordPress.PHP.NoSilencedErrors -- Local files; what cannot be removed stays.
	$entries = is_dir( $directory ) ? scandir( $directory ) : false;
	foreach ( $entries ? $entries : array() as $entry ) {
		if ( ! is_dir( "$directory/$entry" ) ) {
			@unlink( "$directory/$entry" );
		}
	}
	@rmdir( $directory );
	// phpcs:enable
}

$posthorn_wishes    = array();
$posthorn_directory = posthorn_queue_directory();
posthorn_on_sites(
	true,
	static function () use ( &$posthorn_wishes ): void {
		$posthorn_wishes[] = posthorn_uninstall_site();
	}
);
$posthorn_wishes = array_filter( $posthorn_wishes, 'is_bool' );
if ( array() !== $posthorn_wishes && ! in_array( false, $posthorn_wishes, true ) ) {
	posthorn_delete_queue( $posthorn_directory );
}
