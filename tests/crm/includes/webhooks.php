<?php
/**
 * The CRM's own webhook module: a blocking POST in the page, two retries through WP-Cron five minutes apart, then
 * nothing. Switched off unless the switch `native_webhooks` is on.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

const WPESTATE_CRM_WEBHOOK_ATTEMPTS = 3;

/**
 * The webhooks: the list in the option, and the simple settings as one more. Where those live is invented.
 *
 * @return array[] Each with url, events, active, secret.
 */
function wpestate_crm_get_webhook_config(): array {
	$webhooks = get_option( 'wpestate_crm_webhooks', array() );
	$webhooks = is_array( $webhooks ) ? $webhooks : array();
	$url      = (string) get_option( 'crm_webhook_url', '' );
	if ( '' !== $url ) {
		$webhooks[] = array(
			'url'    => $url,
			'events' => (string) get_option( 'crm_webhook_events', '' ),
			'active' => true,
			'secret' => (string) get_option( 'crm_webhook_secret', '' ),
		);
	}
	return $webhooks;
}

/** Sends an event to every webhook that wants it, while the page waits. */
function wpestate_crm_dispatch_webhook( string $event, ?array $data ): void {
	if ( 'on' !== wpestate_crm_switch( 'native_webhooks' ) ) {
		return;
	}
	$payload = wp_json_encode(
		array(
			'event'     => $event,
			'timestamp' => gmdate( 'Y-m-d\TH:i:s\Z' ),
			'data'      => $data,
			'site_url'  => home_url(),
		)
	);
	foreach ( wpestate_crm_get_webhook_config() as $webhook ) {
		$events = is_array( $webhook['events'] ) ? $webhook['events'] : array_filter( array_map( 'trim', explode( ',', $webhook['events'] ) ) );
		if ( ! empty( $webhook['active'] ) && ( ! $events || in_array( $event, $events, true ) ) ) {
			wpestate_crm_send_webhook( $webhook['url'], $payload, 1 );
		}
	}
}

/** One POST; a failure is scheduled again. */
function wpestate_crm_send_webhook( string $url, string $payload, int $attempt ): void {
	$headers = array( 'Content-Type' => 'application/json' );
	$secret  = wp_list_pluck( wpestate_crm_get_webhook_config(), 'secret', 'url' )[ $url ] ?? '';
	if ( '' !== $secret ) {
		$headers['X-CRM-Signature'] = hash_hmac( 'sha256', $payload, $secret );
	}
	$answer = wp_remote_post( $url, array( 'body' => $payload, 'headers' => $headers, 'timeout' => 15 ) );
	$failed = is_wp_error( $answer ) || wp_remote_retrieve_response_code( $answer ) >= 400;
	if ( $failed && $attempt < WPESTATE_CRM_WEBHOOK_ATTEMPTS ) {
		wp_schedule_single_event( time() + 5 * MINUTE_IN_SECONDS, 'wpestate_crm_webhook_retry_event', array( $url, $payload, $attempt + 1 ) );
	}
}
add_action( 'wpestate_crm_webhook_retry_event', 'wpestate_crm_send_webhook', 10, 3 );
