<?php
/**
 * The settings of one site: default, stored, changed.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** The option that holds them. */
const POSTHORN_OPTION = 'posthorn_settings';

/** The id of the endpoint that the settings page edits. */
const POSTHORN_MAIN_ENDPOINT = 'main';

/** What of a stored endpoint the queue is handed. Whatever else is stored with it stays in the option. */
const POSTHORN_ENDPOINT_KEYS = array( 'id', 'url', 'events', 'filters', 'format', 'secret', 'enabled', 'description', 'timeout', 'schedule', 'max_concurrency', 'rate_per_second', 'headers', 'ordered', 'allow_private', 'ca', 'client_cert', 'max_age', 'circuit_breaker', 'proxy', 'preset', 'schedule_jitter', 'max_body_bytes', 'omit' );

/**
 * The settings of a site that has none yet.
 *
 * `revision` counts the saves; `endpoints` is a list, of which the settings page edits the one called `main`;
 * `delete_queue` is whether uninstalling deletes the queue too; `saved_for` is where the site was when they were saved (see
 * posthorn_guard_mark()), null if that is not known.
 *
 * @return array{revision:int,endpoints:array,delete_queue:bool,saved_for:?array}
 */
function posthorn_default_settings(): array {
	return array(
		'revision'     => 0,
		'endpoints'    => array(),
		'delete_queue' => false,
		'saved_for'    => null,
	);
}

/**
 * The stored settings of the current site.
 *
 * @return array{revision:int,endpoints:array,delete_queue:bool} An endpoint has `id`, `url`, `events` (list of names),
 *               `secret` (encrypted, see secrets.php; empty for none; a list while rotating), `allow_private` (bool, or list of hosts and ranges), `enabled` (bool), `preset`
 *               (what is known of the receiver at its address; null for nothing), and whatever else of an endpoint's
 *               keys was set, see endpoints.php.
 */
function posthorn_settings(): array {
	static $raw, $settings;
	// Asked for every event of a bulk action. What WordPress has of the option, as text, says whether anything changed;
	// unless code filters it, when anything may.
	$stored = posthorn_settings_are_filtered() ? null : ( posthorn_loaded_options()[ POSTHORN_OPTION ] ?? null );
	if ( null === $stored ) {
		return posthorn_sanitise_settings( get_option( POSTHORN_OPTION ) );
	}
	if ( $stored !== $raw ) {
		$settings = posthorn_sanitise_settings( maybe_unserialize( $stored ) );
		$raw      = $stored;
	}
	return $settings;
}

/**
 * Whether somebody has a say in what get_option() returns for the settings.
 */
function posthorn_settings_are_filtered(): bool {
	global $wp_filter;
	return isset( $wp_filter[ 'pre_option_' . POSTHORN_OPTION ] ) || isset( $wp_filter[ 'option_' . POSTHORN_OPTION ] )
		|| isset( $wp_filter['pre_option'] ) || isset( $wp_filter['alloptions'] ) || isset( $wp_filter['pre_wp_load_alloptions'] );
}

/**
 * Gives stored settings the shape that the rest of the plugin relies on, whatever the database holds.
 *
 * @param mixed $stored What the option holds.
 * @return array{revision:int,endpoints:array,delete_queue:bool}
 */
function posthorn_sanitise_settings( $stored ): array {
	$settings = posthorn_default_settings();
	if ( ! is_array( $stored ) ) {
		return $settings;
	}
	$settings['revision']     = max( 0, (int) ( $stored['revision'] ?? 0 ) );
	$settings['delete_queue'] = ! empty( $stored['delete_queue'] );
	$settings['saved_for']    = posthorn_guard_sanitise( $stored['saved_for'] ?? null );
	foreach ( is_array( $stored['endpoints'] ?? null ) ? $stored['endpoints'] : array() as $endpoint ) {
		if ( is_array( $endpoint ) && is_string( $endpoint['url'] ?? null ) && '' !== $endpoint['url'] ) {
			$settings['endpoints'][] = array_merge( posthorn_default_endpoint(), $endpoint );
		}
	}
	return $settings;
}

/**
 * An endpoint as the settings page first shows it.
 */
function posthorn_default_endpoint(): array {
	return array(
		'id'            => POSTHORN_MAIN_ENDPOINT,
		'url'           => '',
		'events'        => array(),
		'secret'        => '',
		'allow_private' => false,
		'enabled'       => true,
		'preset'        => null,
	);
}

/**
 * The endpoint that the settings page edits: the one called so, or else the first. Null if none was saved.
 *
 * @param array $settings Settings.
 */
function posthorn_main_endpoint( array $settings ): ?array {
	foreach ( $settings['endpoints'] as $endpoint ) {
		if ( POSTHORN_MAIN_ENDPOINT === $endpoint['id'] ) {
			return $endpoint;
		}
	}
	return $settings['endpoints'][0] ?? null;
}

/**
 * Host and port of a URL.
 *
 * @param string $url A URL.
 */
function posthorn_place_of( string $url ): string {
	$parts = (array) wp_parse_url( $url );
	$port  = $parts['port'] ?? ( 'http' === strtolower( $parts['scheme'] ?? '' ) ? 80 : 443 );
	return strtolower( $parts['host'] ?? '' ) . ':' . $port;
}

/**
 * Whether an address is that of the same receiver: its host and port, and encrypted if it was.
 *
 * @param string $before A URL.
 * @param string $after  Another.
 */
function posthorn_is_same_receiver( string $before, string $after ): bool {
	$scheme = static fn( string $url ): string => strtolower( (string) wp_parse_url( $url, PHP_URL_SCHEME ) );
	return posthorn_place_of( $before ) === posthorn_place_of( $after ) && ( 'https' !== $scheme( $before ) || 'http' !== $scheme( $after ) );
}

/**
 * Whether the current user may allow a receiver on a private network: on a network of sites they are not the site's, but
 * those of whoever runs the server.
 */
function posthorn_may_allow_private(): bool {
	return ! is_multisite() || current_user_can( 'manage_network_options' ) || ( defined( 'WP_CLI' ) && WP_CLI );
}

/**
 * Whether the current site has a receiver that is switched on.
 *
 * @param array|null $settings Optional. The settings, if they are at hand.
 */
function posthorn_has_receiver( ?array $settings = null ): bool {
	$settings ??= posthorn_settings();
	foreach ( posthorn_guarded_endpoints( $settings ) as $endpoint ) {
		if ( $endpoint['enabled'] ) {
			return true;
		}
	}
	if ( ! posthorn_has_code_endpoints() || posthorn_is_copy( $settings ) ) {
		return false;
	}
	return has_filter( 'posthorn_endpoints' ) || array() !== array_filter( posthorn_constant_endpoints(), static fn( array $endpoint ): bool => (bool) ( $endpoint['enabled'] ?? true ) );
}

/**
 * Whether code may add receivers to those that are stored.
 */
function posthorn_has_code_endpoints(): bool {
	return defined( 'POSTHORN_ENDPOINTS' ) && array() !== posthorn_constant_endpoints() || has_filter( 'posthorn_endpoints' );
}

/**
 * Whether a receiver of the current site that is switched on subscribes to any of some events.
 *
 * @param string[] $events Names of the catalogue.
 */
function posthorn_subscribes( array $events ): bool {
	static $asked, $wanted;
	// What code adds is not asked for every row.
	if ( has_filter( 'posthorn_endpoints' ) && ! posthorn_is_copy() ) {
		return true;
	}
	// A bulk action asks for each of its rows.
	$endpoints = posthorn_guarded_endpoints( posthorn_settings() );
	if ( defined( 'POSTHORN_ENDPOINTS' ) && ! posthorn_is_copy() ) {
		$endpoints = array_merge( $endpoints, array_values( posthorn_constant_endpoints() ) );
	}
	if ( $asked !== $endpoints ) {
		$wanted = posthorn_wanted( $endpoints );
		$asked  = $endpoints;
	}
	return array() !== array_intersect( $events, $wanted );
}

/**
 * The events that some receivers may be sent, whatever names they subscribed to them by.
 *
 * @param array[] $endpoints Endpoints.
 * @return string[] Names of the catalogue.
 */
function posthorn_wanted( array $endpoints ): array {
	$wanted = array();
	foreach ( $endpoints as $endpoint ) {
		if ( $endpoint['enabled'] ?? true ) {
			array_push( $wanted, ...posthorn_client_wanted( $endpoint['events'] ?? null, $endpoint['format'] ?? null ) );
		}
	}
	return array_values( array_unique( $wanted ) );
}

/**
 * Replaces the settings, if nobody else did in between.
 *
 * @param array      $settings  The new settings; `revision` is the one they were made from.
 * @param array|null $saved_for Optional. What is remembered of where the site is; by default what was before.
 * @param int        $above     Optional. Their revision is higher than this one too.
 * @return array|null The settings as stored, one revision higher; null if the stored revision was another, and then
 *                    nothing was changed.
 */
function posthorn_replace_settings( array $settings, ?array $saved_for = null, int $above = 0 ): ?array {
	global $wpdb;
	add_option( POSTHORN_OPTION, posthorn_default_settings() );
	// update_option() compares with what this process read long ago. Only the database can tell who came first.
	// phpcs:disable WordPress.DB.DirectDatabaseQuery
	$stored  = (string) $wpdb->get_var( $wpdb->prepare( "SELECT option_value FROM $wpdb->options WHERE option_name = %s", POSTHORN_OPTION ) );
	$current = posthorn_sanitise_settings( maybe_unserialize( $stored ) );
	if ( $current['revision'] !== $settings['revision'] ) {
		posthorn_forget_cached_settings();
		return null;
	}
	$settings['revision']  = max( $settings['revision'], $above ) + 1;
	$settings['saved_for'] = $saved_for ?? posthorn_guard_of_saved( $current );
	$replaced = $wpdb->query(
		$wpdb->prepare(
			"UPDATE $wpdb->options SET option_value = %s WHERE option_name = %s AND option_value = %s",
			maybe_serialize( $settings ),
			POSTHORN_OPTION,
			$stored
		)
	);
	// phpcs:enable
	posthorn_forget_cached_settings();
	return $replaced ? $settings : null;
}

/**
 * The time, as settings keep it: ISO 8601 in UTC with milliseconds.
 */
function posthorn_now(): string {
	return ( new DateTimeImmutable( 'now', new DateTimeZone( 'UTC' ) ) )->format( 'Y-m-d\TH:i:s.v\Z' );
}

/**
 * Makes WordPress read the option afresh.
 */
function posthorn_forget_cached_settings(): void {
	wp_cache_delete( POSTHORN_OPTION, 'options' );
	wp_cache_delete( 'alloptions', 'options' );
	wp_cache_delete( 'notoptions', 'options' );
}
