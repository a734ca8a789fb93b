<?php
/**
 * Every action and filter the plugin listens to, on one screen.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * A callback whose file is loaded when it is first called.
 *
 * @param string $file     A file below includes.
 * @param string $callback The function in it.
 */
function posthorn_lazily( string $file, string $callback ): Closure {
	return static function ( ...$arguments ) use ( $file, $callback ) {
		require_once __DIR__ . '/' . $file;
		return $callback( ...$arguments );
	};
}

// What register_activation_hook() and register_deactivation_hook() do, but the name is looked up once; and only a plugin
// behind a symbolic link, which WordPress has noted then, needs the slow way.
$posthorn_plugin = empty( $GLOBALS['wp_plugin_paths'] ) ? basename( dirname( POSTHORN_FILE ) ) . '/' . basename( POSTHORN_FILE ) : plugin_basename( POSTHORN_FILE );
add_action( "activate_$posthorn_plugin", posthorn_lazily( 'lifecycle.php', 'posthorn_activate' ) );
add_action( "deactivate_$posthorn_plugin", posthorn_lazily( 'lifecycle.php', 'posthorn_deactivate' ) );

// Shown with and without the extension; without it, nothing else happens than this notice.
if ( is_admin() ) {
	add_action( 'admin_notices', 'posthorn_show_notices' );
	add_action( 'network_admin_notices', 'posthorn_show_notices' );
	add_action( 'admin_menu', 'posthorn_add_settings_page' );
	add_filter( "plugin_action_links_$posthorn_plugin", 'posthorn_add_settings_link' );
}

// Its commands say themselves what is missing.
if ( defined( 'WP_CLI' ) && WP_CLI ) {
	require_once __DIR__ . '/outcome.php';
	require __DIR__ . '/class-cli-command.php';
	WP_CLI::add_command( 'posthorn', 'Posthorn_CLI_Command' );
}

if ( ! posthorn_is_ready() ) {
	return;
}

// Sending.
add_action( 'init', 'posthorn_keep_sending' );
add_action( 'wp_uninitialize_site', 'posthorn_forget_site' );
add_action( 'shutdown', 'posthorn_store_problems', PHP_INT_MAX );

// The CRM.
$posthorn_hears = posthorn_lazily( 'crm/actions.php', 'posthorn_crm_heard' );
foreach ( array_keys( posthorn_crm_actions() ) as $posthorn_action ) {
	add_action( $posthorn_action, $posthorn_hears, 20, 9 );
}
unset( $posthorn_action, $posthorn_hears, $posthorn_plugin );
// Last, as $wpdb removes its placeholders from the statement at priority 0.
add_filter( 'query', 'posthorn_crm_notice', PHP_INT_MAX );
add_action( 'shutdown', 'posthorn_crm_end', PHP_INT_MAX - 1 );
// A shutdown action of somebody else may exit, and WordPress's handler of fatal errors does so on the command line.
add_action( 'shutdown', 'posthorn_crm_hand_over_now', PHP_INT_MIN );
add_filter( 'wp_php_error_args', 'posthorn_crm_hand_over_now', PHP_INT_MIN );

// Its own webhooks. Last, so that an answer of another plugin is seen; and at the end after all events were handed over.
add_filter( 'pre_http_request', posthorn_lazily( 'crm/native-webhooks.php', 'posthorn_native_filter' ), PHP_INT_MAX, 3 );
add_action(
	'shutdown',
	static function (): void {
		if ( function_exists( 'posthorn_native_end' ) ) {
			posthorn_native_end();
		}
	},
	PHP_INT_MAX - 1
);

// The last resort, and news of what failed.
add_filter( 'cron_schedules', posthorn_lazily( 'background.php', 'posthorn_add_cron_schedule' ) ); // phpcs:ignore WordPress.WP.CronInterval -- Five minutes, the default delay between attempts.
add_action( 'posthorn_cron', posthorn_lazily( 'background.php', 'posthorn_run_cron' ) );

// Site Health runs its tests in REST and cron requests too.
add_filter( 'site_status_tests', posthorn_lazily( 'site-health.php', 'posthorn_add_site_health_tests' ) );
add_filter( 'debug_information', posthorn_lazily( 'site-health.php', 'posthorn_add_debug_information' ) );

if ( is_admin() ) {
	add_action( 'admin_init', 'posthorn_check_in' );
	add_action( 'admin_init', 'posthorn_suggest_privacy_text' );
	add_action( 'admin_enqueue_scripts', 'posthorn_enqueue_assets' );
	add_action( 'wp_ajax_posthorn_test', 'posthorn_answer_test' );
	add_action( 'admin_post_posthorn_resume', 'posthorn_resume' );
	add_action( 'admin_post_posthorn_dismiss', 'posthorn_dismiss' );
	add_action( 'admin_post_posthorn_adopt', 'posthorn_adopt' );
	add_action( 'admin_post_posthorn_native', posthorn_lazily( 'admin/native-webhooks.php', 'posthorn_native_decided' ) );
}
