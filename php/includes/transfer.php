<?php
/**
 * Settings as JSON, without secrets: exported, and imported on another site.
 *
 * An import is checked whole before anything changes. It adds endpoints, or replaces those with the same id; the others stay.
 * What the file cannot have is named for each endpoint: a secret, the value of a header, the password of a proxy. An endpoint
 * that lacks one is switched off, as nothing may go out unsigned that was signed before.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/endpoints.php';
require_once __DIR__ . '/secrets.php';

/** What an export calls itself, and the version of its form. */
const POSTHORN_EXPORT_KIND    = 'posthorn-settings';
const POSTHORN_EXPORT_VERSION = 1;

/** A file larger than this is no export: an endpoint takes a few kilobytes. */
const POSTHORN_IMPORT_MOST_BYTES = 2097152;

/** More endpoints at once are a mistake: each is checked by the extension while the page waits, and every page loads them. */
const POSTHORN_IMPORT_MOST_ENDPOINTS = 500;

/**
 * The current site's settings as they are exported. Addresses of receivers are in it, secrets are not.
 *
 * @return array{kind:string,version:int,plugin:string,exported_at:string,delete_queue:bool,endpoints:array[]}
 */
function posthorn_export(): array {
	$settings  = posthorn_settings();
	$endpoints = array();
	foreach ( $settings['endpoints'] as $stored ) {
		$shown = posthorn_shown_endpoint( $stored );
		$keys  = array_intersect_key( $shown, array_flip( POSTHORN_ENDPOINT_KEYS ) );
		if ( isset( $keys['filters'] ) ) {
			$keys['filters'] = (object) $keys['filters'];
		}
		$endpoints[] = array_filter( $keys, static fn( $value ): bool => null !== $value ) + array( 'has_secret' => array() !== $shown['secrets'] );
	}
	return array(
		'kind'         => POSTHORN_EXPORT_KIND,
		'version'      => POSTHORN_EXPORT_VERSION,
		'plugin'       => POSTHORN_VERSION,
		'exported_at'  => posthorn_now(),
		'delete_queue' => $settings['delete_queue'],
		'endpoints'    => $endpoints,
	);
}

/**
 * An export as text.
 */
function posthorn_export_json(): string {
	return wp_json_encode( posthorn_export(), JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION ) . "\n";
}

/**
 * What an import would do. Nothing is changed.
 *
 * @param string $json What posthorn_export_json() wrote, perhaps edited by hand.
 * @return array|WP_Error `steps`: for each endpoint of the file `id`, `url`, `action` (add, replace or none), `needs` (what has
 *                        to be entered: secret, headers, proxy), `off` (it is switched off until then), `private` (which private
 *                        addresses it may call in addition), and `endpoint` (as it is stored, not to be shown); `settings`,
 *                        with all of it in place, not to be shown either. A WP_Error lists every mistake.
 */
function posthorn_import_plan( string $json ) {
	$file = posthorn_read_export( $json );
	if ( is_wp_error( $file ) ) {
		return $file;
	}
	$settings = posthorn_settings();
	$mistakes = array();
	$steps    = array();
	try {
		foreach ( $file['endpoints'] as $n => $given ) {
			$step = posthorn_import_step( $settings, $given );
			if ( is_wp_error( $step ) ) {
				foreach ( $step->get_error_data()['mistakes'] as $key => $message ) {
					$mistakes[ "endpoints[$n].$key" ] = $message;
				}
				continue;
			}
			if ( in_array( $step['id'], array_column( $steps, 'id' ), true ) ) {
				/* translators: %s: an id. */
				$mistakes[ "endpoints[$n].id" ] = sprintf( __( '%s is the id of two endpoints in the file.', 'posthorn' ), $step['id'] );
			}
			$steps[] = $step;
		}
	} catch ( \Throwable $error ) {
		return posthorn_endpoints_unavailable( $error );
	}
	if ( array() !== $mistakes ) {
		return posthorn_endpoint_mistakes_error( $mistakes );
	}
	foreach ( $steps as $step ) {
		$at = array_search( $step['id'], array_map( 'strval', array_column( $settings['endpoints'], 'id' ) ), true );

		$settings['endpoints'][ false === $at ? count( $settings['endpoints'] ) : $at ] = $step['endpoint'];
	}
	$settings['delete_queue'] = (bool) ( $file['delete_queue'] ?? $settings['delete_queue'] );
	return compact( 'steps', 'settings' );
}

/**
 * Carries an import out, all of it or nothing.
 *
 * @param string   $json          The file.
 * @param bool     $allow_private Whether the private addresses that it adds, which the plan showed, may be called.
 * @param int|null $revision      Optional. Only if the settings still have this revision: those that the plan was made from.
 * @return array|WP_Error The plan that was carried out.
 */
function posthorn_import( string $json, bool $allow_private, ?int $revision = null ) {
	$plan = posthorn_import_plan( $json );
	if ( is_wp_error( $plan ) ) {
		return $plan;
	}
	$wider = array_filter( $plan['steps'], static fn( array $step ): bool => '' !== $step['private'] );
	if ( array() !== $wider && ! $allow_private ) {
		/* translators: %s: ids of endpoints. */
		return new WP_Error( 'posthorn_private', sprintf( __( 'Nothing was changed: the file lets these endpoints call addresses of a private network that they may not call now: %s. Say that this is meant.', 'posthorn' ), implode( ', ', array_map( static fn( array $step ): string => "{$step['id']} ({$step['private']})", $wider ) ) ), array( 'status' => 400 ) );
	}
	$made_from = $plan['settings']['revision'];
	if ( null !== $revision && $revision !== $made_from ) {
		return new WP_Error( 'posthorn_conflict', __( 'Nothing was changed: the settings were saved somewhere else after you were shown what the import would do. Start it again.', 'posthorn' ), array( 'status' => 409 ) );
	}
	$saved = posthorn_store_endpoints( static fn(): array => $plan['settings'], $made_from );
	return is_wp_error( $saved ) ? $saved : $plan;
}

/**
 * Reads a file.
 *
 * @param string $json Its text.
 * @return array|WP_Error
 */
function posthorn_read_export( string $json ) {
	$wrong = static fn( string $message ): WP_Error => new WP_Error( 'posthorn_invalid', $message, array( 'status' => 400, 'mistakes' => array( 'file' => $message ) ) ); // phpcs:ignore WordPress.Arrays
	if ( strlen( $json ) > POSTHORN_IMPORT_MOST_BYTES ) {
		return $wrong( __( 'The file is larger than 2 MB, so it is no export of Posthorn.', 'posthorn' ) );
	}
	$file = json_decode( (string) preg_replace( '/^\xEF\xBB\xBF/', '', $json ), true );
	if ( JSON_ERROR_NONE !== json_last_error() ) {
		/* translators: %s: what is wrong, in English. */
		return $wrong( sprintf( __( 'The file is no JSON: %s.', 'posthorn' ), json_last_error_msg() ) );
	}
	if ( ! is_array( $file ) || POSTHORN_EXPORT_KIND !== ( $file['kind'] ?? null ) ) {
		return $wrong( __( 'The file is no export of Posthorn: it does not say "kind": "posthorn-settings".', 'posthorn' ) );
	}
	if ( POSTHORN_EXPORT_VERSION !== ( $file['version'] ?? null ) ) {
		/* translators: %s: a number. */
		return $wrong( sprintf( __( 'The file has the version %s, and this Posthorn reads version 1.', 'posthorn' ), is_scalar( $file['version'] ?? null ) ? (string) $file['version'] : '?' ) );
	}
	if ( ! is_array( $file['endpoints'] ?? null ) || array_filter( $file['endpoints'], 'is_array' ) !== $file['endpoints'] ) {
		return $wrong( __( 'The file has no list of endpoints.', 'posthorn' ) );
	}
	if ( count( $file['endpoints'] ) > POSTHORN_IMPORT_MOST_ENDPOINTS ) {
		/* translators: 1, 2: numbers. */
		return $wrong( sprintf( __( 'The file has %1$s endpoints; at most %2$s are imported at once. Divide it.', 'posthorn' ), count( $file['endpoints'] ), POSTHORN_IMPORT_MOST_ENDPOINTS ) );
	}
	if ( ! is_bool( $file['delete_queue'] ?? false ) ) {
		// "false" would be true, and uninstalling would delete the queue.
		return $wrong( __( 'delete_queue has to be true or false, without quotation marks.', 'posthorn' ) );
	}
	$file['endpoints'] = array_values( $file['endpoints'] );
	return $file;
}

/**
 * What an import does with one endpoint.
 *
 * @param array $settings The settings as they are.
 * @param array $given    The endpoint in the file.
 * @return array|WP_Error A step, see posthorn_import_plan().
 * @throws RuntimeException When the queue cannot be used, or a secret neither encrypted nor decrypted.
 */
function posthorn_import_step( array $settings, array $given ) {
	$id         = '' === ( $given['id'] ?? '' ) ? posthorn_new_endpoint_id() : $given['id'];
	$stored     = is_scalar( $id ) ? posthorn_stored_endpoint( $settings, (string) $id ) : null;
	$wrong_id   = null === $stored ? posthorn_id_mistake( $id ) : '';
	if ( '' !== $wrong_id ) {
		return posthorn_endpoint_mistakes_error( array( 'id' => $wrong_id ) );
	}
	$id         = (string) $id;
	if ( null === $stored && null !== posthorn_find_endpoint( $id ) ) {
		return posthorn_endpoint_mistakes_error( array( 'id' => posthorn_no_such_endpoint( $id )->get_error_message() ) );
	}
	$had_secret = ! empty( $given['has_secret'] ) || isset( $given['secret'] );
	unset( $given['has_secret'], $given['id'] );
	if ( isset( $given['secret'] ) ) {
		// Written by hand: an export has none.
		return posthorn_endpoint_mistakes_error( array( 'secret' => __( 'Secrets are not imported: take it out of the file and enter it here afterwards.', 'posthorn' ) ) );
	}
	// What is not in the file has its default, and not what an endpoint of the same id had.
	$base = array( 'id' => $id, 'events' => array( '*' ), 'secret' => '', 'created_at' => $stored['created_at'] ?? posthorn_now() ) + posthorn_default_endpoint(); // phpcs:ignore WordPress.Arrays
	$same = null !== $stored && is_string( $given['url'] ?? null ) && posthorn_place_of( $stored['url'] ) === posthorn_place_of( $given['url'] );
	$own  = $same ? posthorn_decrypt_endpoint( $stored ) : null;
	if ( null !== $own ) {
		// The same receiver keeps what only this site knows of it.
		$base = array_merge( $base, array_intersect_key( $own, array_flip( array( 'secret', 'headers', 'proxy', 'allow_private' ) ) ) );
	}
	$needs = array();
	$given = posthorn_import_masked( $base, $given, $needs );
	if ( $had_secret && array() === posthorn_secret_list( $base['secret'] ) ) {
		$needs[] = 'secret';
	}
	$before = $base['allow_private'];
	$plain  = posthorn_import_checked( $base, $given, in_array( 'secret', $needs, true ) );
	if ( is_wp_error( $plain ) ) {
		return $plain;
	}
	$plain['id']         = $id;
	$plain['enabled']    = $plain['enabled'] && array() === $needs;
	$plain['updated_at'] = posthorn_now();
	$unchanged           = null !== $own && array() === $needs && array_intersect_key( $own, array_flip( POSTHORN_ENDPOINT_KEYS ) ) == array_intersect_key( $plain, array_flip( POSTHORN_ENDPOINT_KEYS ) ); // phpcs:ignore Universal.Operators.StrictComparisons -- Whatever the order of the keys.
	return array(
		'id'       => $id,
		'url'      => $plain['url'],
		'action'   => null === $stored ? 'add' : ( $unchanged ? 'none' : 'replace' ),
		'needs'    => $needs,
		'off'      => ! $plain['enabled'],
		'private'  => posthorn_import_wider( $before, $plain['allow_private'] ?? false ),
		'endpoint' => $unchanged ? $stored : posthorn_encrypt_endpoint( $plain ),
	);
}

/**
 * An endpoint of the file with what was masked in it: kept where this site has it, else left out and asked for.
 *
 * @param array    $base  The endpoint that it is put on, in plain text.
 * @param array    $given The endpoint in the file.
 * @param string[] $needs What has to be entered; is added to.
 */
function posthorn_import_masked( array $base, array $given, array &$needs ): array {
	if ( is_array( $given['headers'] ?? null ) ) {
		$known = array_change_key_case( (array) ( $base['headers'] ?? array() ) );
		foreach ( $given['headers'] as $name => $value ) {
			if ( POSTHORN_MASK !== $value || isset( $known[ strtolower( (string) $name ) ] ) ) {
				continue;
			}
			unset( $given['headers'][ $name ] );
			$needs[] = 'headers';
		}
	}
	if ( is_string( $given['proxy'] ?? null ) && str_contains( $given['proxy'], POSTHORN_MASK ) && ! ( is_string( $base['proxy'] ?? null ) && posthorn_shown_proxy( $base['proxy'] ) === $given['proxy'] ) ) {
		$given['proxy'] = null;
		$needs[]        = 'proxy';
	}
	$needs = array_values( array_unique( $needs ) );
	return $given;
}

/**
 * Checks an endpoint of the file as any other is checked; a secret that is still to be entered is no mistake.
 *
 * @param array $base         The endpoint that it is put on, in plain text.
 * @param array $given        The endpoint in the file.
 * @param bool  $needs_secret Whether its secret is still to be entered.
 * @return array|WP_Error In plain text.
 * @throws RuntimeException When the queue cannot be used.
 */
function posthorn_import_checked( array $base, array $given, bool $needs_secret ) {
	$mistakes = posthorn_strange_keys( $given ) + posthorn_keys_not_allowed( $base, $given );
	$plain    = posthorn_with_given( $base, $given, $mistakes );
	$checked  = array_intersect_key( $plain, array_flip( POSTHORN_ENDPOINT_KEYS ) );
	$format   = is_string( $checked['format'] ?? null ) ? $checked['format'] : '';
	if ( $needs_secret && null !== posthorn_client_format( $format ) ) {
		$checked['secret'] = posthorn_client_generate_secret( $format );
	}
	$mistakes = $mistakes + posthorn_endpoint_mistakes( array_diff_key( $checked, $mistakes ), array_keys( $mistakes ) );
	return array() === $mistakes ? $plain : posthorn_endpoint_mistakes_error( $mistakes );
}

/**
 * Which private addresses may be called now and might not before.
 *
 * @param mixed $before What `allow_private` was.
 * @param mixed $after  What it is to be.
 * @return string `all`, or hosts and ranges with commas; empty for none.
 */
function posthorn_import_wider( $before, $after ): string {
	if ( true === $before || empty( $after ) ) {
		return '';
	}
	return true === $after ? 'all' : implode( ', ', array_diff( array_map( 'strval', (array) $after ), is_array( $before ) ? array_map( 'strval', $before ) : array() ) );
}
