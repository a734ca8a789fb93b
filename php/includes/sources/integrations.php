<?php
/**
 * Integrations: the plugins that are switched on and off.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Hears that a plugin is about to be switched on or off.
 *
 * @param mixed $plugin Its file below the folder of plugins.
 */
function posthorn_integrations_switched( $plugin ): void {
	if ( is_string( $plugin ) && plugin_basename( POSTHORN_FILE ) !== $plugin ) {
		posthorn_source_changes( 'integrations', $plugin );
	}
}

/**
 * A plugin as its events carry it.
 *
 * @param string $plugin Its file below the folder of plugins.
 * @return array|null Null if it is not switched on.
 */
function posthorn_integrations_look( string $plugin ): ?array {
	require_once ABSPATH . 'wp-admin/includes/plugin.php';
	if ( ! is_plugin_active( $plugin ) ) {
		return null;
	}
	$file = WP_PLUGIN_DIR . "/$plugin";
	$says = is_readable( $file ) ? get_plugin_data( $file, false, false ) : array();
	$slug = dirname( $plugin );
	return array(
		'integration_id' => '.' === $slug ? basename( $plugin, '.php' ) : $slug,
		'name'           => (string) ( $says['Name'] ?? '' ),
		'provider'       => wp_strip_all_tags( (string) ( $says['AuthorName'] ?? $says['Author'] ?? '' ) ),
		'version'        => (string) ( $says['Version'] ?? '' ),
	);
}

/**
 * The event of what became of a plugin.
 *
 * @param string     $plugin Its file below the folder of plugins.
 * @param array|null $before What it was; null if it was not switched on.
 * @param array|null $after  What it is.
 * @return array[] Lists of event, data, context.
 */
function posthorn_integrations_events( string $plugin, ?array $before, ?array $after ): array {
	if ( ( null === $before ) === ( null === $after ) ) {
		return array();
	}
	$data = $after ?? $before;
	return array( array( null === $before ? 'integration.connected' : 'integration.disconnected', $data, array( 'record' => "integration:{$data['integration_id']}" ) ) );
}
