<?php
/**
 * What the extension knows without a queue, for screens and doors: formats, presets, secrets, filters. Like client.php, one of
 * the few callers of the extension.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The formats: a list, each with name, title, timeout, schedule, schedule_jitter, circuit_breaker, https_only, needs_secret,
 * signature_header, events (empty for no limit). The default is the first.
 *
 * @return array[]
 */
function posthorn_client_formats(): array {
	static $formats = null;
	if ( null === $formats ) {
		$formats = \Posthorn\formats();
		usort( $formats, static fn( array $one, array $other ): int => ( 'wpresidence' === $other['name'] ) <=> ( 'wpresidence' === $one['name'] ) );
	}
	return $formats;
}

/**
 * One format.
 *
 * @param string $name Its name; empty for the default.
 * @return array|null Null if there is none of this name.
 */
function posthorn_client_format( string $name ): ?array {
	$formats = posthorn_client_formats();
	return '' === $name ? $formats[0] : array_column( $formats, null, 'name' )[ $name ] ?? null;
}

/**
 * The presets: a list, each with name, title, hosts, format, rate_per_second, timeout, max_body_bytes (null where it sets none).
 *
 * @return array[]
 */
function posthorn_client_presets(): array {
	return \Posthorn\presets();
}

/**
 * A new random secret in the form that a format wants.
 *
 * @param string $format A format's name; empty for the default.
 * @throws \Posthorn\InvalidArgument When there is no such format.
 */
function posthorn_client_generate_secret( string $format ): string {
	return '' === $format ? \Posthorn\generate_secret() : \Posthorn\generate_secret( $format );
}

/**
 * What filters do.
 *
 * @param array   $filters Field => condition.
 * @param array[] $events  Lists of event and data.
 * @return array{warnings:array[],passes:bool[]} `warnings`: conditions that hold for nothing, each with field and why; `passes`: for
 *                         each event whether it would be sent.
 * @throws \Posthorn\InvalidArgument When the filters are such as no endpoint may have.
 */
function posthorn_client_try_filters( array $filters, array $events ): array {
	return \Posthorn\try_filters( $filters, $events );
}
