<?php
/**
 * Test and preview at every door but the settings page, whose form has its own: an endpoint that is saved or described, an
 * event, and its sample or data of one's own.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/endpoints.php';
require_once __DIR__ . '/outcome.php';
require_once __DIR__ . '/secrets.php';

/** What of an endpoint can be described for a trial. */
const POSTHORN_TRIAL_KEYS = array( 'url', 'format', 'secret', 'headers', 'timeout', 'allow_private' );

/**
 * The endpoint that is tried. It takes every event and its filters are left out: a trial is asked for by name.
 *
 * @param array       $given  `webhook`: the id of a saved one; or `url` and any of POSTHORN_TRIAL_KEYS. Neither: the one that the
 *                            settings page edits.
 * @param string|null $secret Optional. Signs in the place of the saved one's secret.
 * @return array An endpoint as the extension takes it, with its secret.
 * @throws InvalidArgumentException When it cannot be told which, or may not be called; the message begins with the key.
 * @throws RuntimeException         When a saved secret cannot be read; the message names the remedy.
 */
function posthorn_trial_endpoint( array $given, ?string $secret = null ): array {
	$described = array_intersect_key( $given, array_flip( POSTHORN_TRIAL_KEYS ) );
	if ( ! empty( $described['allow_private'] ) && ! posthorn_may_allow_private() ) {
		throw new InvalidArgumentException( __( 'allow_private: only the network’s administrator may allow a receiver on a private network.', 'posthorn' ) ); // phpcs:ignore WordPress.Security.EscapeOutput -- No page shows it.
	}
	if ( ! isset( $described['url'] ) ) {
		return posthorn_saved_trial_endpoint( $given['webhook'] ?? null, $described, $secret );
	}
	if ( isset( $given['webhook'] ) ) {
		throw new InvalidArgumentException( __( 'url: give either a webhook that is saved or a URL. What is saved with a webhook, its secret above all, is sent to its own URL only.', 'posthorn' ) ); // phpcs:ignore WordPress.Security.EscapeOutput -- No page shows it.
	}
	return array( 'events' => array( '*' ) ) + $described;
}

/**
 * A saved endpoint for a trial.
 *
 * @param string|null $id        Its id; null for the one that the settings page edits.
 * @param array       $described What was described beside it.
 * @param string|null $secret    Signs in the place of its own; null for its own.
 * @return array An endpoint as the extension takes it.
 * @throws InvalidArgumentException When there is none.
 * @throws RuntimeException         When its secret cannot be read.
 */
function posthorn_saved_trial_endpoint( ?string $id, array $described, ?string $secret ): array {
	if ( array() !== array_diff_key( $described, array( 'allow_private' => true ) ) ) {
		/* translators: %s: name of an argument. */
		throw new InvalidArgumentException( sprintf( __( '%s: goes with a URL. A webhook that is saved is tried as it is saved.', 'posthorn' ), array_key_first( array_diff_key( $described, array( 'allow_private' => true ) ) ) ) ); // phpcs:ignore WordPress.Security.EscapeOutput -- No page shows it.
	}
	$settings = posthorn_settings();
	$stored   = null === $id ? posthorn_main_endpoint( $settings ) : posthorn_stored_endpoint( $settings, $id );
	if ( null === $stored && null !== $id && defined( 'POSTHORN_ENDPOINTS' ) ) {
		// As the extension takes it, its secret in plain text.
		$constant = array_column( posthorn_constant_endpoints(), null, 'id' )[ $id ] ?? null;
		$stored   = $constant;
	}
	if ( null === $stored ) {
		/* translators: %s: an id. */
		throw new InvalidArgumentException( null === $id ? __( 'url: no webhook is saved. Give a URL.', 'posthorn' ) : sprintf( __( 'webhook: there is none with the id “%s”.', 'posthorn' ), $id ) ); // phpcs:ignore WordPress.Security.EscapeOutput -- No page shows it.
	}
	$endpoint = isset( $constant ) ? $stored : posthorn_for_queue( null === $secret ? $stored : array( 'secret' => '' ) + $stored );
	if ( null === $endpoint ) {
		throw new RuntimeException( posthorn_secret_problem() ); // phpcs:ignore WordPress.Security.EscapeOutput -- No page shows it.
	}
	$endpoint = ( null === $secret ? array() : compact( 'secret' ) ) + $endpoint;
	unset( $endpoint['filters'] );
	return array( 'events' => array( '*' ) ) + ( empty( $described['allow_private'] ) ? array() : $described ) + $endpoint;
}

/**
 * The request that would be made, unsent.
 *
 * @param array      $endpoint An endpoint as the extension takes it.
 * @param string     $event    A name of the catalogue.
 * @param array|null $data     The record; null for the event's sample.
 * @return array{url:string,headers:array<string,string>,body:string} Values of headers of one's own are masked.
 * @throws \Posthorn\Exception When endpoint or event break a rule.
 */
function posthorn_preview( array $endpoint, string $event, ?array $data = null ): array {
	$data ??= posthorn_client_sample( $event );
	return posthorn_queue()->preview( posthorn_completed( $endpoint ), $event, $data, posthorn_client_sample_change( $event, $data ) + posthorn_context() );
}
