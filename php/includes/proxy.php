<?php
/**
 * The proxy that wp-config.php names (WP_PROXY_HOST, WP_PROXY_PORT and their kin), for whatever Posthorn sends.
 *
 * It is handed to the queue with the endpoints, because the process that sends may have loaded no WordPress.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Whether wp-config.php names a proxy.
 */
function posthorn_has_proxy(): bool {
	return ( new WP_HTTP_Proxy() )->is_enabled();
}

/**
 * An endpoint with the proxy that WordPress would use for its URL, unless it has one of its own (`false` for none).
 *
 * Without one in wp-config.php the endpoint is left as it is, and the environment of the process that sends decides.
 *
 * @param array $endpoint An endpoint as the extension takes it.
 */
function posthorn_with_proxy( array $endpoint ): array {
	if ( ! isset( $endpoint['proxy'] ) && is_string( $endpoint['url'] ?? null ) && posthorn_has_proxy() ) {
		$endpoint['proxy'] = posthorn_sends_through_proxy( $endpoint['url'] ) ? posthorn_proxy_address() : false;
	}
	return $endpoint;
}

/**
 * Whether WordPress would call a URL through its proxy: not this site itself, nor what WP_PROXY_BYPASS_HOSTS lists.
 *
 * @param string $url A URL.
 */
function posthorn_sends_through_proxy( string $url ): bool {
	$host = wp_parse_url( $url, PHP_URL_HOST );
	// Asked for these, the proxy would call itself. WordPress knows `localhost` only.
	if ( ! is_string( $host ) || preg_match( '/^(127\.[\d.]+|\[::1\]|(.+\.)?localhost)$/i', $host ) ) {
		return false;
	}
	return (bool) ( new WP_HTTP_Proxy() )->send_through_proxy( $url );
}

/**
 * The proxy's address, with user name and password where wp-config.php has them.
 */
function posthorn_proxy_address(): string {
	$proxy = new WP_HTTP_Proxy();
	$parts = explode( '://', rtrim( trim( (string) $proxy->host() ), '/' ), 2 );
	// What is not http is refused by the extension, which says so.
	$scheme = isset( $parts[1] ) ? $parts[0] : 'http';
	$who    = $proxy->use_authentication() ? rawurlencode( (string) $proxy->username() ) . ':' . rawurlencode( (string) $proxy->password() ) . '@' : '';
	return "$scheme://$who" . end( $parts ) . ':' . $proxy->port();
}
