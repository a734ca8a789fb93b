<?php
/**
 * Endpoints that wp-config.php defines: the constant POSTHORN_ENDPOINTS, a list of arrays as the README's table has them. They
 * are used beside the stored ones, shown without their secrets, and changed in wp-config.php only.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The constant's endpoints for the current site, of those that have the shape of one. An entry with a `site` is for that site
 * of a network alone.
 *
 * @return array[] As the extension takes them, each with an `id`.
 */
function posthorn_constant_endpoints(): array {
	return posthorn_constant_read()['endpoints'];
}

/**
 * What is wrong with the constant; what has a mistake is left out.
 *
 * @return string[] Sentences that name the entry.
 * @throws \Posthorn\Exception When the queue cannot be used.
 */
function posthorn_constant_mistakes(): array {
	return array_merge( posthorn_constant_read()['mistakes'], posthorn_constant_checked()['mistakes'] );
}

/**
 * Reads the constant.
 *
 * @return array{endpoints:array[],mistakes:string[]} Of the endpoints the keys are those of the constant's list.
 */
function posthorn_constant_read(): array {
	static $known = array();
	$site         = get_current_blog_id();
	// A bulk action asks for each of its rows. Only a test's value can change within a request.
	$given = posthorn_constant_value();
	if ( isset( $known[ $site ] ) && $known[ $site ][0] === $given ) {
		return $known[ $site ][1];
	}
	$read = array(
		'endpoints' => array(),
		'mistakes'  => array(),
	);
	if ( null !== $given && ! is_array( $given ) ) {
		/* translators: %s: a type of PHP, such as string. */
		$read['mistakes'][] = sprintf( __( 'POSTHORN_ENDPOINTS in wp-config.php has to be a list of arrays, and is of the type %s.', 'posthorn' ), gettype( $given ) );
	} elseif ( is_array( $given ) && isset( $given['url'] ) ) {
		$read['mistakes'][] = __( 'POSTHORN_ENDPOINTS in wp-config.php has to be a list of endpoints: put another array() around the one that is there.', 'posthorn' );
	} else {
		foreach ( (array) $given as $n => $endpoint ) {
			if ( ! is_array( $endpoint ) || ! is_string( $endpoint['url'] ?? null ) || '' === $endpoint['url'] ) {
				/* translators: %s: an entry, such as POSTHORN_ENDPOINTS[1]. */
				$read['mistakes'][] = sprintf( __( '%s in wp-config.php is left out: it has to be an array with a url.', 'posthorn' ), posthorn_constant_name( $n ) );
			} elseif ( '' !== posthorn_constant_strange_key( $endpoint ) ) {
				$key = posthorn_constant_strange_key( $endpoint );
				/* translators: 1: an entry, such as POSTHORN_ENDPOINTS[1], 2: a key of it, such as url, 3: a type of PHP, such as array. */
				$read['mistakes'][] = sprintf( __( '%1$s in wp-config.php is left out: %2$s: a value of the type %3$s means nothing here. Correct it there.', 'posthorn' ), posthorn_constant_name( $n ), $key, get_debug_type( $endpoint[ $key ] ) );
			} elseif ( ! isset( $endpoint['site'] ) || (string) $endpoint['site'] === ( is_multisite() ? (string) $site : '' ) ) {
				unset( $endpoint['site'] );
				// Not by its place in the list: what waits for it belongs to it wherever it stands.
				$read['endpoints'][ $n ] = array( 'id' => (string) ( $endpoint['id'] ?? 'config-' . substr( hash( 'sha256', $endpoint['url'] ), 0, 8 ) ) ) + $endpoint;
			}
		}
	}
	$known[ $site ] = array( $given, $read );
	return $read;
}

/**
 * The key whose value is of a type that pages could not even show. All else that may be wrong the extension says.
 *
 * @param array $endpoint An entry of the constant.
 * @return string Empty if there is none.
 */
function posthorn_constant_strange_key( array $endpoint ): string {
	$is_text    = static fn( $value ): bool => is_string( $value ) || is_int( $value );
	$is_texts   = static fn( $value ): bool => is_string( $value ) || is_array( $value ) && array_filter( $value, 'is_string' ) === $value;
	$is_secret  = static fn( $value ): bool => is_string( $value ) || is_array( $value ) && is_string( $value['secret'] ?? null );
	$is_secrets = static fn( $value ): bool => is_string( $value ) || is_array( $value ) && array_filter( $value, $is_secret ) === $value;
	$rules      = array_fill_keys( array( 'id', 'site', 'description' ), $is_text ) + array( 'events' => $is_texts, 'secret' => $is_secrets ); // phpcs:ignore WordPress.Arrays
	foreach ( $rules as $key => $rule ) {
		if ( isset( $endpoint[ $key ] ) && ! $rule( $endpoint[ $key ] ) ) {
			return $key;
		}
	}
	return '';
}

/**
 * The constant's value; null if it is not defined.
 *
 * @return mixed
 */
function posthorn_constant_value() {
	return defined( 'POSTHORN_ENDPOINTS' ) ? POSTHORN_ENDPOINTS : null;
}

/**
 * The constant's endpoints that are in order, as they are handed over.
 *
 * @return array{endpoints:array[],mistakes:string[]}
 * @throws \Posthorn\Exception When the queue cannot be used.
 */
function posthorn_constant_checked(): array {
	$checked = array(
		'endpoints' => array(),
		'mistakes'  => array(),
	);
	$ids     = array_map( 'strval', array_column( posthorn_settings()['endpoints'], 'id' ) );
	foreach ( posthorn_constant_read()['endpoints'] as $n => $endpoint ) {
		$mistake = in_array( $endpoint['id'], $ids, true )
			/* translators: %s: an id. */
			? array( 'id', sprintf( __( 'another endpoint has the id %s', 'posthorn' ), $endpoint['id'] ) )
			: posthorn_constant_mistake( $endpoint );
		if ( null !== $mistake ) {
			/* translators: 1: an entry, such as POSTHORN_ENDPOINTS[1], 2: a key of it, such as url, 3: what is wrong. */
			$checked['mistakes'][] = sprintf( __( '%1$s in wp-config.php is left out: %2$s: %3$s. Correct it there.', 'posthorn' ), posthorn_constant_name( $n ), $mistake[0], rtrim( $mistake[1], '.' ) );
			continue;
		}
		$ids[]                  = $endpoint['id'];
		$checked['endpoints'][] = $endpoint;
	}
	return $checked;
}

/**
 * What is wrong with one of them.
 *
 * @param array $endpoint An entry of the constant.
 * @return array{string,string}|null Key and message; null if nothing is.
 */
function posthorn_constant_mistake( array $endpoint ): ?array {
	require_once __DIR__ . '/endpoints.php';
	$mistakes = posthorn_strange_keys( $endpoint );
	$mistakes = $mistakes + posthorn_endpoint_mistakes( array_diff_key( $endpoint, $mistakes ) );
	$key      = array_key_first( $mistakes );
	return null === $key ? null : array( (string) $key, $mistakes[ $key ] );
}

/**
 * What an entry is called in a message.
 *
 * @param int|string $key Its key in the list.
 */
function posthorn_constant_name( $key ): string {
	return 'POSTHORN_ENDPOINTS[' . ( is_int( $key ) ? $key : "'$key'" ) . ']';
}

/**
 * An endpoint of the constant as it is shown: without its secrets, and marked as not to be changed here.
 *
 * @param array $endpoint One of posthorn_constant_endpoints().
 * @return array See posthorn_shown_endpoint(); `read_only` is true.
 */
function posthorn_shown_constant_endpoint( array $endpoint ): array {
	require_once __DIR__ . '/endpoint-values.php';
	$shown = posthorn_shown_endpoint( $endpoint + array( 'events' => array( '*' ) ) );
	if ( is_string( $shown['events'] ) ) {
		$shown['events'] = preg_split( '/[\s,]+/', $shown['events'], -1, PREG_SPLIT_NO_EMPTY );
	}
	return array( 'read_only' => true ) + $shown;
}
