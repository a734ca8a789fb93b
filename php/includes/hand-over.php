<?php
/**
 * WordPress holds the settings, the queue holds a copy: how the copy is made and kept up to date.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Option with the fingerprint of what was handed over last. */
const POSTHORN_HANDED_OVER_OPTION = 'posthorn_handed_over';

/**
 * Hands the settings over if the queue does not have them yet: it is new, was restored, or another server saved them.
 *
 * The queue is asked once per request and site. While it is not known whether the site is a copy, it gets nothing.
 *
 * @param array|null $settings Optional. The settings, if they are at hand.
 * @throws RuntimeException When the queue cannot be used (\Posthorn\Exception), or knows no receiver and cannot be given
 *                          one. An endpoint that it refuses is reported, and it keeps what it has.
 */
function posthorn_hand_over_if_needed( ?array $settings = null ): void {
	static $checked = array();
	$site           = posthorn_copy_name() . ':' . posthorn_site_key();
	$settings     ??= posthorn_settings();
	if ( ( $checked[ $site ] ?? -1 ) >= $settings['revision'] && null !== $settings['saved_for'] || posthorn_is_held( $settings ) ) {
		return;
	}
	$revision = posthorn_guard_remember( $settings )['revision'];
	$known    = posthorn_client_revision();
	try {
		if ( $known !== $revision && ! posthorn_hand_over( $revision ) && null === $known ) {
			// Accepting an event now would mean to send it to nobody.
			throw new RuntimeException( 'the queue has no receiver, because the secret in the settings cannot be read; enter it again under Settings → CRM Webhooks' );
		}
	} catch ( \Throwable $error ) {
		if ( null === $known || null === posthorn_client_argument( $error ) ) {
			throw $error;
		}
		// What code says of an endpoint is wrong. The queue has what was right before, and no event is lost over it.
		posthorn_report( $error, false );
	}
	$checked[ $site ] = posthorn_settings()['revision'];
}

/**
 * Hands the settings over under a revision.
 *
 * @param int $revision The settings' revision.
 * @return bool False if a secret cannot be read; the queue then keeps what it has.
 * @throws \Posthorn\Exception When the queue cannot be used or refuses an endpoint.
 */
function posthorn_hand_over( int $revision ): bool {
	$endpoints = posthorn_endpoints();
	if ( null === $endpoints ) {
		return false;
	}
	posthorn_client_configure( $endpoints, $revision );
	if ( posthorn_client_revision() > $revision ) {
		return posthorn_overtake_queue();
	}
	posthorn_keep_formats( $endpoints );
	require_once __DIR__ . '/sources/hooks.php';
	posthorn_note_sources( $endpoints );
	update_option( POSTHORN_HANDED_OVER_OPTION, posthorn_fingerprint( $endpoints ), false );
	return true;
}

/**
 * Where the queue has a later revision than the settings: hands these over under one that is later still.
 *
 * That is so after a backup of the database was restored, and after the plugin was deleted and installed anew: what
 * WordPress holds is what counts.
 *
 * @return bool As posthorn_hand_over().
 */
function posthorn_overtake_queue(): bool {
	// Perhaps only what this process read is old.
	posthorn_forget_cached_settings();
	$settings = posthorn_settings();
	$known    = (int) posthorn_client_revision();
	$saved    = $settings['revision'] < $known ? posthorn_replace_settings( $settings, null, $known ) : null;
	return null === $saved || posthorn_hand_over( $saved['revision'] );
}

/**
 * Hands over anew if what code says of the endpoints is something else than last time: the filters `posthorn_endpoints` and
 * `posthorn_formats`, the constant POSTHORN_ENDPOINTS, or the proxy in wp-config.php. What is wrong is reported and changes
 * nothing.
 *
 * Code can change without a save. So this is looked at when an administrator opens a page, and by WP-Cron.
 */
function posthorn_hand_over_if_filter_changed(): void {
	$handed_over = (string) get_option( POSTHORN_HANDED_OVER_OPTION );
	// Code that is gone is a change too.
	if ( ! posthorn_code_has_a_say() && ! str_starts_with( $handed_over, 'filtered:' ) ) {
		return;
	}
	require_once __DIR__ . '/formats.php';
	posthorn_report_bad_formats();
	$endpoints = posthorn_endpoints();
	if ( null === $endpoints || posthorn_fingerprint( $endpoints ) === $handed_over ) {
		return;
	}
	foreach ( $endpoints as $at => $endpoint ) {
		$mistake = is_array( $endpoint ) ? posthorn_client_check( $endpoint ) : null;
		if ( null !== $mistake ) {
			posthorn_report( new RuntimeException( "endpoints[$at].{$mistake['key']}: {$mistake['message']}" ), false );
			return;
		}
	}
	$settings = posthorn_replace_settings( posthorn_settings() );
	if ( null !== $settings ) {
		posthorn_hand_over( $settings['revision'] );
	}
}

/**
 * The current site's endpoints as the extension takes them.
 *
 * @return array[]|null Null if a secret cannot be read: nothing may then be handed over, as the receiver would get
 *                      unsigned requests. The queue keeps its copy, and the owner is asked for the secret.
 */
function posthorn_endpoints(): ?array {
	require_once __DIR__ . '/secrets.php';
	$endpoints = array();
	foreach ( posthorn_settings()['endpoints'] as $stored ) {
		$endpoint = posthorn_for_queue( $stored );
		if ( null === $endpoint && ! $stored['enabled'] && posthorn_is_copy() ) {
			// The key to its secret is the original's. Nothing is sent there, so nobody need enter it.
			continue;
		}
		if ( null === $endpoint ) {
			update_option( 'posthorn_secret_unreadable', 1 );
			return null;
		}
		$endpoints[] = $endpoint;
	}
	if ( get_option( 'posthorn_secret_unreadable' ) ) {
		delete_option( 'posthorn_secret_unreadable' );
	}
	if ( defined( 'POSTHORN_ENDPOINTS' ) ) {
		$constant = posthorn_constant_checked();
		array_push( $endpoints, ...$constant['endpoints'] );
		foreach ( array_merge( posthorn_constant_read()['mistakes'], $constant['mistakes'] ) as $mistake ) {
			posthorn_report( new RuntimeException( $mistake ), false );
		}
	}
	/**
	 * The endpoints of the current site, before they are handed to the queue.
	 *
	 * Runs when the settings were saved, when the queue does not have them, and whenever an administrator opens a page
	 * or WP-Cron runs, so a change of the code arrives within minutes. Secrets are in it in plain text.
	 *
	 * @param array[] $endpoints Endpoints: `url` and what else the README's table lists.
	 */
	$endpoints = posthorn_endpoints_of_copy( array_values( (array) apply_filters( 'posthorn_endpoints', $endpoints ) ) );
	require_once __DIR__ . '/formats.php';
	return posthorn_with_kept_formats( $endpoints, array_map( static fn( $endpoint ) => is_array( $endpoint ) ? posthorn_completed( $endpoint ) : $endpoint, $endpoints ) );
}

/**
 * On a copy, leaves out the receivers that are not switched on in its own settings: code was copied too.
 *
 * @param array $endpoints Endpoints.
 */
function posthorn_endpoints_of_copy( array $endpoints ): array {
	if ( ! posthorn_is_copy() ) {
		return $endpoints;
	}
	$on = array_column( wp_list_filter( posthorn_settings()['endpoints'], array( 'enabled' => true ) ), 'id' );
	return array_values( array_filter( $endpoints, static fn( $endpoint ): bool => is_array( $endpoint ) && in_array( $endpoint['id'] ?? null, $on, true ) ) );
}

/**
 * Whether code, beside the settings, says what the endpoints are.
 */
function posthorn_code_has_a_say(): bool {
	require_once __DIR__ . '/proxy.php';
	require_once __DIR__ . '/formats.php';
	// A format whose code is gone is told of until it is mended.
	return defined( 'POSTHORN_ENDPOINTS' ) || has_filter( 'posthorn_endpoints' ) || has_filter( 'posthorn_formats' ) || array() !== posthorn_kept_formats() || posthorn_has_proxy();
}

/**
 * An endpoint with what code says of it: its proxy, and the definition of its format.
 *
 * @param array $endpoint An endpoint as the extension takes it.
 */
function posthorn_completed( array $endpoint ): array {
	require_once __DIR__ . '/proxy.php';
	require_once __DIR__ . '/formats.php';
	return posthorn_with_format( posthorn_with_proxy( $endpoint ) );
}

/**
 * A stored endpoint as the extension takes it.
 *
 * @param array $stored An endpoint of the settings.
 * @return array|null Null if its secret cannot be read.
 */
function posthorn_for_queue( array $stored ): ?array {
	require_once __DIR__ . '/secrets.php';
	$endpoint = posthorn_decrypt_endpoint( $stored );
	if ( null === $endpoint ) {
		return null;
	}
	if ( ! empty( $stored['leaving'] ) ) {
		// A condition without an operator holds for nothing: what waits is sent, and nothing is added to it.
		$endpoint['filters'] = array( 'leaving' => array() );
	}
	return array_intersect_key( $endpoint, array_flip( POSTHORN_ENDPOINT_KEYS ) );
}

/**
 * What changes when endpoints change, and reveals nothing of them but whether code had a say.
 *
 * @param array[] $endpoints Endpoints.
 */
function posthorn_fingerprint( array $endpoints ): string {
	return ( posthorn_code_has_a_say() ? 'filtered:' : 'plain:' ) . hash_hmac( 'sha256', (string) wp_json_encode( $endpoints ), wp_salt() );
}

/**
 * A site of the network is being deleted: nothing of it is sent any more.
 *
 * @param WP_Site $site The site.
 */
function posthorn_forget_site( WP_Site $site ): void {
	try {
		posthorn_client_forget( (int) $site->blog_id );
	} catch ( \Throwable $error ) {
		posthorn_report( $error, false );
	}
}
