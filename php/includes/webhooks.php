<?php
/**
 * Webhooks as REST and WP-CLI show and take them: endpoints, with the names that Winnerr's API documents (url, events, secret,
 * enabled, description, filters, createdAt; logs with event, status, responseCode, attempts, nextRetryAt). What that API does
 * not have is called as it is in PHP.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/endpoints.php';
require_once __DIR__ . '/formats.php';

/** A delivery's state => what the log calls it. Of a cancelled one Winnerr's API knows nothing. */
const POSTHORN_LOG_STATUS = array(
	'pending'   => 'pending',
	'delivered' => 'success',
	'dead'      => 'failed',
	'cancelled' => 'cancelled',
);

/** What the engine knows of a webhook, see posthorn_endpoint_standing(). */
const POSTHORN_WEBHOOK_STANDING = array( 'state', 'waiting', 'suspended', 'paused_until', 'failures', 'failing_since', 'last_failure_at', 'last_success_at' );

/**
 * The webhooks of the current site.
 *
 * @return array[] See posthorn_webhook().
 */
function posthorn_webhooks(): array {
	$standing = posthorn_webhook_standing();
	return array_map( static fn( array $shown ): array => posthorn_webhook( $shown, $standing ), posthorn_list_endpoints() );
}

/**
 * One of them.
 *
 * @param string $id Its id.
 * @return array|WP_Error
 */
function posthorn_find_webhook( string $id ) {
	$shown = posthorn_find_endpoint( $id );
	return null === $shown ? posthorn_no_such_endpoint( $id ) : posthorn_webhook( $shown, posthorn_webhook_standing() );
}

/**
 * An endpoint as a webhook.
 *
 * @param array   $shown    What posthorn_shown_endpoint() returned.
 * @param array[] $standing What posthorn_webhook_standing() returned.
 */
function posthorn_webhook( array $shown, array $standing ): array {
	$first   = array( 'id', 'url', 'events', 'enabled', 'description', 'filters' );
	$webhook = array_merge( array_fill_keys( $first, null ), array_diff_key( $shown, array_flip( array( 'created_at', 'updated_at', 'leaving' ) ) ) );
	$now     = $standing[ $shown['id'] ] ?? array();

	$webhook['description'] = (string) $webhook['description'];
	$webhook['format']      = posthorn_effective_format( $webhook );
	$webhook['warnings']    = posthorn_webhook_warnings( $webhook );
	foreach ( POSTHORN_WEBHOOK_STANDING as $key ) {
		$webhook[ $key ] = $now[ $key ] ?? null;
	}
	$webhook['read_only'] = ! empty( $shown['read_only'] );
	$webhook['createdAt'] = $shown['created_at'];
	$webhook['updatedAt'] = $shown['updated_at'];
	return $webhook;
}

/**
 * What of a webhook is allowed and surely not meant.
 *
 * @param array $webhook An endpoint.
 * @return string[] Sentences that begin with the key.
 */
function posthorn_webhook_warnings( array $webhook ): array {
	$warnings = array();
	try {
		foreach ( empty( $webhook['filters'] ) ? array() : posthorn_client_try_filters( (array) $webhook['filters'], array() )['warnings'] as $warning ) {
			/* translators: 1: name of a field, 2: a reason. */
			$warnings[] = sprintf( __( 'filters: the condition on %1$s holds for nothing, so no event is sent: %2$s.', 'posthorn' ), $warning['field'], $warning['why'] );
		}
		$idle = posthorn_idle_pattern( $webhook );
		return null === $idle ? $warnings : array_merge( $warnings, array( "events: $idle" ) );
	} catch ( \Throwable $error ) {
		// One of wp-config.php may be wrong altogether, and is shown all the same.
		return array_merge( $warnings, array( posthorn_readable( $error->getMessage() ) ) );
	}
}

/**
 * What the engine knows of all webhooks; nothing while the queue cannot be used: what is saved can be shown all the same.
 *
 * @return array[] Id => what posthorn_endpoint_standing() has of it.
 */
function posthorn_webhook_standing(): array {
	try {
		return posthorn_endpoint_standing();
	} catch ( \Throwable $error ) {
		posthorn_report( $error, false );
		return array();
	}
}

/**
 * A delivery as an entry of a webhook's log.
 *
 * @param array $delivery A delivery.
 */
function posthorn_log_entry( array $delivery ): array {
	return array(
		'id'           => $delivery['id'],
		'event'        => $delivery['event'],
		'status'       => POSTHORN_LOG_STATUS[ $delivery['state'] ],
		'responseCode' => $delivery['last_status'],
		'attempts'     => $delivery['attempts'],
		'nextRetryAt'  => $delivery['next_attempt_at'],
		'createdAt'    => $delivery['created_at'],
	);
}

/**
 * The filter of a webhook's log.
 *
 * @param string $id    The webhook.
 * @param array  $given `startDate`, `endDate` (ISO 8601; a day alone is the whole of it, in UTC), `status`.
 * @return array A filter as the extension takes it.
 * @throws InvalidArgumentException When a date cannot be read; the message begins with its name.
 */
function posthorn_log_filter( string $id, array $given ): array {
	foreach ( array( 'startDate', 'endDate' ) as $name ) {
		if ( '' !== (string) ( $given[ $name ] ?? '' ) && 1 !== preg_match( '/^\d{4}-\d\d-\d\d(T.*)?$/', (string) $given[ $name ] ) ) {
			/* translators: 1: startDate or endDate, 2: what was given. */
			throw new InvalidArgumentException( sprintf( __( '%1$s: “%2$s” is neither a day, such as 2026-04-17, nor a time, such as 2026-04-17T12:34:56Z.', 'posthorn' ), $name, (string) $given[ $name ] ) ); // phpcs:ignore WordPress.Security.EscapeOutput -- No page shows it.
		}
	}
	$day   = static fn( string $date, string $plus ): string => preg_match( '/^\d{4}-\d\d-\d\d$/', $date ) && strtotime( $date ) ? gmdate( 'Y-m-d\TH:i:s\Z', (int) strtotime( "$date UTC $plus" ) ) : $date;
	$state = array_search( $given['status'] ?? '', POSTHORN_LOG_STATUS, true );
	return posthorn_delivery_filter(
		array(
			'endpoint' => $id,
			'state'    => false === $state ? null : $state,
			'since'    => $day( (string) ( $given['startDate'] ?? '' ), '+0 day' ),
			'until'    => $day( (string) ( $given['endDate'] ?? '' ), '+1 day' ),
		)
	);
}

/**
 * What can be set of a webhook: key => JSON Schema in WordPress's dialect. The keys are the endpoint's, see the README.
 *
 * @return array<string,array>
 */
function posthorn_webhook_fields(): array {
	$texts  = array( 'items' => array( 'type' => 'string' ) );
	$fields = array(
		'id'                 => array( 'string', __( 'Its id. One is made up if none is given; it stays.', 'posthorn' ) ),
		'url'                => array( 'string', __( 'Where webhooks go.', 'posthorn' ) ),
		'events'             => array( array( 'array', 'null' ), __( 'The events it subscribes to: names of the catalogue, deal.*, or * for all.', 'posthorn' ), $texts ),
		'enabled'            => array( array( 'boolean', 'null' ), __( 'Whether it is switched on.', 'posthorn' ) ),
		'description'        => array( array( 'string', 'null' ), __( 'A name or note of your own.', 'posthorn' ) ),
		'filters'            => array( array( 'object', 'null' ), __( 'Field to value, or to operators eq ne gt gte lt lte in nin: all must hold.', 'posthorn' ) ),
		'secret'             => array( array( 'string', 'array', 'null' ), __( 'Signs what is sent. While rotating a list, the newest first, each a secret or one with until, its end. Never shown.', 'posthorn' ), array( 'items' => array( 'type' => array( 'string', 'object' ) ), 'writeonly' => true ) ), // phpcs:ignore WordPress.Arrays
		'keep_secrets_until' => array( array( 'string', 'null' ), __( 'With a new secret: the ones before sign too, until then (ISO 8601).', 'posthorn' ), array( 'writeonly' => true ) ),
		'format'             => array( array( 'string', 'object', 'null' ), __( 'How requests look: the name of a format, or a definition of one’s own; wpresidence without it.', 'posthorn' ) ),
		'preset'             => array( array( 'string', 'null' ), sprintf( /* translators: %s: names. */ __( 'What is known of the receiver: %s.', 'posthorn' ), implode( ', ', array_column( posthorn_client_presets(), 'name' ) ) ) ),
		'omit'               => array( array( 'array', 'null' ), __( 'Fields of a record that are not sent; private_note without it.', 'posthorn' ), $texts ),
		'headers'            => array( array( 'object', 'null' ), __( 'Headers of your own, name to value. Values are shown as ********; given back so, they stay.', 'posthorn' ) ),
		'timeout'            => array( array( 'number', 'null' ), __( 'Seconds that it has to answer.', 'posthorn' ) ),
		'schedule'           => array( array( 'array', 'null' ), __( 'Seconds between attempts.', 'posthorn' ), array( 'items' => array( 'type' => 'number' ) ) ),
		'schedule_jitter'    => array( array( 'number', 'null' ), __( 'Each delay is longer by up to this share of it, 0 to 1.', 'posthorn' ) ),
		'max_age'            => array( array( 'number', 'null' ), __( 'Seconds after which a delivery is given up.', 'posthorn' ) ),
		'max_concurrency'    => array( array( 'integer', 'null' ), __( 'Requests in flight at most.', 'posthorn' ) ),
		'rate_per_second'    => array( array( 'number', 'null' ), __( 'Requests a second at most.', 'posthorn' ) ),
		'max_body_bytes'     => array( array( 'integer', 'null' ), __( 'A larger event is not sent.', 'posthorn' ) ),
		'ordered'            => array( array( 'boolean', 'null' ), __( 'Whether events of a record wait until the earlier is delivered.', 'posthorn' ) ),
		'circuit_breaker'    => array( array( 'boolean', 'null' ), __( 'Whether it is left alone for a while after five failures in a row.', 'posthorn' ) ),
		'allow_private'      => array( array( 'boolean', 'array', 'null' ), __( 'Whether addresses of private networks may be called, or which hosts and ranges.', 'posthorn' ), $texts ),
		'ca'                 => array( array( 'string', 'null' ), __( 'Path of a PEM file with the authority of its certificate.', 'posthorn' ) ),
		'client_cert'        => array( array( 'string', 'null' ), __( 'Path of a PEM file with a certificate and key of your own.', 'posthorn' ) ),
		'proxy'              => array( array( 'string', 'boolean', 'null' ), __( 'A proxy’s address, false for none. User name and password are not shown.', 'posthorn' ) ),
	);
	return array_map(
		static fn( array $field ): array => array(
			'type'        => $field[0],
			'description' => $field[1],
		) + ( $field[2] ?? array() ),
		$fields
	);
}

/**
 * Numbers as they were meant: WordPress makes 10.0 of the 10 that was given where a fraction is allowed too.
 *
 * @param array $given Field => value.
 */
function posthorn_whole_numbers( array $given ): array {
	$whole = static fn( $value ) => is_float( $value ) && floor( $value ) === $value && abs( $value ) < 1e15 ? (int) $value : $value;
	foreach ( $given as $field => $value ) {
		$given[ $field ] = 'schedule' === $field && is_array( $value ) ? array_map( $whole, $value ) : $whole( $value );
	}
	return $given;
}
