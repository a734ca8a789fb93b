<?php
/**
 * Every action and filter the plugin listens to, on one screen.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * What few pages fire, beside the CRM's actions: hook => the file below includes that is loaded then, and the function in it.
 */
const POSTHORN_SELDOM = array(
	// Not the hooks that have the plugin's name in theirs: it would have to be found out on every page.
	'activate_plugin'              => array( 'lifecycle.php', 'posthorn_plugin_activated' ),
	'deactivate_plugin'            => array( 'lifecycle.php', 'posthorn_plugin_deactivated' ),
	'wp_uninitialize_site'         => array( 'hand-over.php', 'posthorn_forget_site' ),
	'wp_initialize_site'           => array( 'guard-answers.php', 'posthorn_guard_site_made' ),
	// The last resort, and news of what failed.
	'cron_schedules'               => array( 'background.php', 'posthorn_add_cron_schedule' ), // phpcs:ignore WordPress.WP.CronInterval -- Five minutes, the default delay between attempts.
	'posthorn_cron'                => array( 'background.php', 'posthorn_run_cron' ),
	// Site Health runs its tests in REST and cron requests too.
	'site_status_tests'            => array( 'site-health.php', 'posthorn_add_site_health_tests' ),
	'debug_information'            => array( 'site-health.php', 'posthorn_add_debug_information' ),
	// The REST API.
	'rest_api_init'                => array( 'rest/register.php', 'posthorn_register_rest' ),
	// The form about the CRM's own webhooks.
	'admin_post_posthorn_native'   => array( 'admin/native-webhooks.php', 'posthorn_native_decided' ),
	// The buttons in the list of endpoints.
	'admin_post_posthorn_endpoint' => array( 'admin/endpoints-page.php', 'posthorn_endpoint_decided' ),
	'admin_post_posthorn_delivery' => array( 'admin/delivery-actions.php', 'posthorn_delivery_decided' ),
	'admin_post_posthorn_export'   => array( 'admin/transfer.php', 'posthorn_export_asked' ),
	'admin_post_posthorn_import'   => array( 'admin/transfer.php', 'posthorn_import_asked' ),
);

/**
 * Hears what few pages fire.
 *
 * @param mixed ...$arguments What the hook hands over.
 */
function posthorn_seldom( ...$arguments ) {
	list( $file, $callback ) = POSTHORN_SELDOM[ current_filter() ] ?? array( 'crm/actions.php', 'posthorn_crm_heard' );
	posthorn_load();
	require_once __DIR__ . '/' . $file;
	return $callback( ...$arguments );
}

/**
 * Listens to what few pages fire. That many calls of add_action() would be the dearest that the plugin does on a page, so
 * each gets a copy of one hook, which is what add_action() makes where nobody listens yet.
 *
 * @param array $hooks Their names are the keys.
 */
function posthorn_hook_seldom( array $hooks ): void {
	$hook = new WP_Hook();
	$hook->add_filter( 'posthorn', 'posthorn_seldom', 20, 9 );
	foreach ( $hooks as $name => $what ) {
		if ( isset( $GLOBALS['wp_filter'][ $name ] ) ) {
			add_filter( $name, 'posthorn_seldom', 20, 9 );
		} else {
			$GLOBALS['wp_filter'][ $name ] = clone $hook; // phpcs:ignore WordPress.WP.GlobalVariablesOverride -- It is not set.
		}
	}
}

/**
 * Before any HTTP request of the page: looks whether it is one of the CRM's own webhooks.
 *
 * @param mixed ...$arguments See posthorn_native_filter().
 * @return mixed What that returns.
 */
function posthorn_before_http( ...$arguments ) {
	posthorn_load();
	require_once __DIR__ . '/crm/native-webhooks.php';
	return posthorn_native_filter( ...$arguments );
}

/**
 * When a row of the CRM is first written: listens to the end of the request, after everybody else's last writes.
 */
function posthorn_hook_crm_end(): void {
	add_action( 'shutdown', 'posthorn_crm_end', PHP_INT_MAX - 2 );
	// A shutdown action of somebody else may exit, and WordPress's handler of fatal errors does so on the command line.
	add_action( 'shutdown', 'posthorn_crm_hand_over_now', PHP_INT_MIN );
	add_filter( 'wp_php_error_args', 'posthorn_crm_hand_over_now', PHP_INT_MIN );
}

/**
 * When the CRM first sends a webhook of its own: listens to the end of the request, after all events were handed over.
 */
function posthorn_hook_native_end(): void {
	add_action( 'shutdown', 'posthorn_native_end', PHP_INT_MAX - 1 );
}

/**
 * When there is a first problem: listens to the end of the request, after everything that may have one.
 */
function posthorn_hook_problems(): void {
	add_action( 'shutdown', 'posthorn_store_problems', PHP_INT_MAX );
}

// Before anybody asks who may do what.
if ( ! isset( wp_load_alloptions()['posthorn_capability'] ) ) {
	require_once __DIR__ . '/capability.php';
	add_filter( 'user_has_cap', 'posthorn_lend_capability' );
	add_action( 'admin_init', 'posthorn_give_capability' );
}

// Shown with and without the extension; without it, nothing else happens than this notice.
if ( is_admin() ) {
	add_action( 'admin_notices', 'posthorn_show_notices' );
	add_action( 'network_admin_notices', 'posthorn_show_notices' );
	add_action( 'admin_menu', 'posthorn_add_settings_page' );
	add_filter( 'plugin_action_links_' . plugin_basename( POSTHORN_FILE ), 'posthorn_add_settings_link' );
}

// Its commands say themselves what is missing.
if ( defined( 'WP_CLI' ) && WP_CLI ) {
	require __DIR__ . '/cli/commands.php';
}

if ( ! posthorn_is_ready() ) {
	posthorn_hook_seldom( array_flip( array( 'activate_plugin', 'deactivate_plugin' ) ) );
	return;
}

posthorn_hook_seldom( POSTHORN_SELDOM + posthorn_crm_actions() );

// Sending.
add_action( 'init', 'posthorn_keep_sending' );

// The CRM. Last, as $wpdb removes its placeholders from the statement at priority 0.
add_filter( 'query', 'posthorn_crm_notice', PHP_INT_MAX );

// Its own webhooks. Last, so that an answer of another plugin is seen.
add_filter( 'pre_http_request', 'posthorn_before_http', PHP_INT_MAX, 3 );

// WordPress itself, as far as a receiver wants to know of it.
if ( '' !== ( wp_load_alloptions()['posthorn_sources'] ?? '' ) ) {
	require __DIR__ . '/sources/hooks.php';
	posthorn_listen_to_sources( get_option( POSTHORN_SOURCES_OPTION ) );
}

if ( is_admin() ) {
	add_action( 'admin_init', 'posthorn_check_in' );
	add_action( 'admin_init', 'posthorn_suggest_privacy_text' );
	add_action( 'admin_enqueue_scripts', 'posthorn_enqueue_assets' );
	add_action( 'wp_ajax_posthorn_test', 'posthorn_answer_test' );
	add_action( 'admin_post_posthorn_resume', 'posthorn_resume' );
	add_action( 'admin_post_posthorn_dismiss', 'posthorn_dismiss' );
	add_action( 'admin_post_posthorn_adopt', 'posthorn_adopt' );
	add_action( 'admin_post_posthorn_guard', 'posthorn_guard_decided' );
}
