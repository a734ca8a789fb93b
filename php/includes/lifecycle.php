<?php
/**
 * Switching the plugin on and off. What is uninstalled is in uninstall.php.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Set while deliveries of before a deactivation wait for the owner's word. */
const POSTHORN_ASK_OPTION = 'posthorn_ask_to_resume';

/**
 * A plugin is switched on: perhaps this one.
 *
 * @param mixed $plugin       Its name: folder and file.
 * @param mixed $network_wide Whether for all sites of a network.
 */
function posthorn_plugin_activated( $plugin, $network_wide = false ): void {
	if ( plugin_basename( POSTHORN_FILE ) === $plugin ) {
		posthorn_activate( (bool) $network_wide );
	}
}

/**
 * A plugin is switched off: perhaps this one.
 *
 * @param mixed $plugin       Its name: folder and file.
 * @param mixed $network_wide Whether for all sites of a network.
 */
function posthorn_plugin_deactivated( $plugin, $network_wide = false ): void {
	if ( plugin_basename( POSTHORN_FILE ) === $plugin ) {
		posthorn_deactivate( (bool) $network_wide );
	}
}

/**
 * Switches on: if deliveries wait from before, the owner is asked before they are sent.
 *
 * @param bool $network_wide Whether for all sites of a network.
 */
function posthorn_activate( bool $network_wide = false ): void {
	posthorn_on_sites( $network_wide, 'posthorn_activate_site' );
}

/**
 * Switches off: sending stops within a second, the queue is kept.
 *
 * @param bool $network_wide Whether for all sites of a network.
 */
function posthorn_deactivate( bool $network_wide = false ): void {
	posthorn_on_sites( $network_wide, 'posthorn_deactivate_site' );
}

/**
 * Does something on the current site, or on every site of the network.
 *
 * @param bool     $all  Whether on every site.
 * @param callable $what What to do.
 */
function posthorn_on_sites( bool $all, callable $what ): void {
	if ( ! $all || ! is_multisite() ) {
		$what();
		return;
	}
	$sites = get_sites(
		array(
			'fields' => 'ids',
			'number' => 0,
		)
	);
	foreach ( $sites as $site ) {
		switch_to_blog( (int) $site );
		$what();
		restore_current_blog();
	}
}

/**
 * Whether the current site may have deliveries: it has a receiver, switched on or off, or code adds one.
 */
function posthorn_had_receiver(): bool {
	return array() !== posthorn_settings()['endpoints'] || posthorn_has_code_endpoints();
}

/**
 * Switches the current site on.
 */
function posthorn_activate_site(): void {
	add_option( POSTHORN_OPTION, posthorn_default_settings() );
	require_once __DIR__ . '/capability.php';
	posthorn_give_capability();
	if ( ! posthorn_is_ready() || ! posthorn_had_receiver() || posthorn_is_held() ) {
		return;
	}
	try {
		if ( ! posthorn_client_paused() ) {
			return;
		}
		if ( array() === posthorn_client_deliveries( array( 'state' => 'pending', 'limit' => 1 ) ) ) { // phpcs:ignore WordPress.Arrays
			posthorn_client_pause( false );
		} else {
			update_option( POSTHORN_ASK_OPTION, 1 );
			if ( defined( 'WP_CLI' ) && WP_CLI ) {
				WP_CLI::warning( 'Webhooks are waiting since Posthorn was switched off, and new ones wait as well. Run “wp posthorn site resume” to send them.' );
			}
		}
	} catch ( \Throwable $error ) {
		posthorn_report( $error, false );
	}
}

/**
 * Switches the current site off.
 */
function posthorn_deactivate_site(): void {
	wp_clear_scheduled_hook( 'posthorn_cron' );
	delete_option( POSTHORN_ASK_OPTION );
	if ( ! posthorn_is_ready() || ! posthorn_had_receiver() || posthorn_is_held() ) {
		return;
	}
	try {
		posthorn_client_pause( true );
	} catch ( \Throwable $error ) {
		posthorn_report( $error, false );
	}
}

/**
 * Sends what waits on the current site since the plugin was switched off, and what waits for receivers that sending to was
 * stopped. Nobody is asked any more.
 *
 * @throws \Posthorn\Exception When the queue cannot be used.
 */
function posthorn_resume_sending(): void {
	posthorn_client_pause( false );
	foreach ( posthorn_client_endpoints() as $endpoint ) {
		if ( '' !== (string) $endpoint['suspended'] ) {
			posthorn_client_resume( $endpoint['id'] );
		}
	}
	delete_option( POSTHORN_ASK_OPTION );
}
