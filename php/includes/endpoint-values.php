<?php
/**
 * What of an endpoint is shown, and how what was given becomes what is stored.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** What stands for a value that is not shown. Given back, it means the value that is stored. */
const POSTHORN_MASK = '********';

/** What else of a stored endpoint is shown: when it was made and changed, and whether it goes when nothing waits for it. */
const POSTHORN_ENDPOINT_FACTS = array( 'created_at', 'updated_at', 'leaving' );

/** Keys about the server's own network and files. On a network of sites they are not the site's. */
const POSTHORN_SERVER_KEYS = array( 'allow_private', 'ca', 'client_cert', 'proxy' );

/**
 * An endpoint without its secrets.
 *
 * @param array $stored As it is stored.
 * @return array All keys of an endpoint that the README lists but `site` and `secret`, null where nothing was set. Of `headers`
 *               the values are masked, of `proxy` user name and password. Also `secrets`: for each live one, the newest
 *               first, `until` (ISO 8601, null for no end); `created_at`, `updated_at` (null if not known), `leaving`.
 */
function posthorn_shown_endpoint( array $stored ): array {
	require_once __DIR__ . '/secrets.php';
	$keys  = array_merge( POSTHORN_ENDPOINT_KEYS, POSTHORN_ENDPOINT_FACTS );
	$shown = array_merge( array_fill_keys( $keys, null ), array_intersect_key( $stored, array_flip( $keys ) ) );
	unset( $shown['secret'] );
	$shown['enabled'] = (bool) ( $stored['enabled'] ?? true );
	$shown['leaving'] = ! empty( $stored['leaving'] );
	$shown['secrets'] = array_map( static fn( $entry ): array => array( 'until' => is_array( $entry ) ? $entry['until'] ?? null : null ), posthorn_secret_list( $stored['secret'] ?? '' ) );
	if ( is_array( $shown['headers'] ) ) {
		$shown['headers'] = array_fill_keys( array_keys( $shown['headers'] ), POSTHORN_MASK );
	}
	if ( is_string( $shown['proxy'] ) ) {
		$shown['proxy'] = posthorn_shown_proxy( $shown['proxy'] );
	}
	return $shown;
}

/**
 * A proxy's address without user name and password.
 *
 * @param string $stored As it is stored.
 */
function posthorn_shown_proxy( string $stored ): string {
	$address = str_starts_with( $stored, POSTHORN_SECRET_PREFIX ) ? posthorn_decrypt( $stored ) : $stored;
	return null === $address ? POSTHORN_MASK : (string) preg_replace( '#^([a-z0-9+.-]+://)?.*@#is', '$1' . POSTHORN_MASK . '@', $address );
}

/**
 * Secrets as a list.
 *
 * @param string|array $secret What an endpoint has as `secret`.
 * @return array Of strings, or arrays with `secret` and `until`; what has ended is left out. What is neither stays: the extension
 *               says what is wrong with it.
 */
function posthorn_secret_list( $secret ): array {
	if ( ! is_array( $secret ) ) {
		return '' === (string) $secret ? array() : array( $secret );
	}
	return array_values( array_filter( $secret, static fn( $entry ): bool => ! is_array( $entry ) || ! is_string( $entry['until'] ?? null ) || '' === $entry['until'] || strtotime( $entry['until'] ) > time() ) );
}

/**
 * A stored endpoint with what was given, checked.
 *
 * @param array $stored As it is stored, or the beginning of a new one.
 * @param array $given  Keys and values, see posthorn_change_endpoint().
 * @return array|WP_Error As it is to be stored.
 * @throws RuntimeException When the queue cannot be used (\Posthorn\Exception is one), or a secret neither encrypted nor decrypted.
 */
function posthorn_changed_endpoint( array $stored, array $given ) {
	$plain = posthorn_checked_endpoint( $stored, $given );
	if ( is_wp_error( $plain ) ) {
		return $plain;
	}
	unset( $plain['leaving'] ); // Changed, it is wanted.
	$plain['updated_at'] = posthorn_now();
	return posthorn_encrypt_endpoint( $plain );
}

/**
 * The same with secrets in plain text: for a test or a preview, and never to be shown.
 *
 * @param array $stored As it is stored, or the beginning of a new one.
 * @param array $given  Keys and values.
 * @return array|WP_Error
 * @throws RuntimeException When the queue cannot be used, or a secret not decrypted.
 */
function posthorn_checked_endpoint( array $stored, array $given ) {
	require_once __DIR__ . '/secrets.php';
	// What is given anew need not be readable as it was.
	$plain = posthorn_decrypt_endpoint( isset( $given['secret'] ) && ! isset( $given['keep_secrets_until'] ) ? array( 'secret' => '' ) + $stored : $stored );
	if ( null === $plain ) {
		throw new RuntimeException( esc_html( posthorn_secret_problem() ) );
	}
	$mistakes = posthorn_strange_keys( $given ) + posthorn_keys_not_allowed( $plain, $given );
	$plain    = posthorn_with_given( $plain, $given, $mistakes );
	$checked  = array_intersect_key( $plain, array_flip( POSTHORN_ENDPOINT_KEYS ) );
	// One whose format is gone can still be switched off.
	$only_off = array( 'enabled' => false ) === array_diff_key( $given, array( 'id' => true ) );
	$mistakes = $only_off ? $mistakes : $mistakes + posthorn_endpoint_mistakes( array_diff_key( $checked, $mistakes ), array_keys( $mistakes ) );
	// Only of what is chosen now: one that was stored before can be switched off all the same.
	if ( array() === array_intersect_key( $mistakes, array_flip( array( 'events', 'format', 'preset' ) ) ) && array() !== array_intersect_key( $given, array_flip( array( 'events', 'format', 'preset' ) ) ) ) {
		$mistakes += array_filter( array( 'events' => posthorn_idle_pattern( $checked ) ) );
	}
	return array() === $mistakes ? $plain : posthorn_endpoint_mistakes_error( $mistakes );
}

/**
 * An endpoint with what was given, secrets in plain text.
 *
 * @param array                $plain    The endpoint before.
 * @param array                $given    Keys and values.
 * @param array<string,string> $mistakes Field => message; is added to.
 */
function posthorn_with_given( array $plain, array $given, array &$mistakes ): array {
	$before = $plain;
	$plain  = array_merge( $plain, array_intersect_key( $given, array_flip( POSTHORN_ENDPOINT_KEYS ) ) );
	if ( is_string( $plain['events'] ) ) {
		$plain['events'] = preg_split( '/[\s,]+/', $plain['events'], -1, PREG_SPLIT_NO_EMPTY );
	}
	$plain['events']  = $plain['events'] ?? array( '*' );
	$plain['enabled'] = $plain['enabled'] ?? true;
	$plain['secret']  = $plain['secret'] ?? '';
	if ( isset( $given['keep_secrets_until'] ) ) {
		$plain['secret'] = posthorn_rotated_secrets( $before['secret'], $given['secret'] ?? '', $given['keep_secrets_until'] );
	}
	if ( is_array( $given['headers'] ?? null ) ) {
		$plain['headers'] = posthorn_unmasked_headers( (array) ( $before['headers'] ?? array() ), $given['headers'], $mistakes );
	}
	$left = posthorn_headers_left_behind( $before, $plain['url'], $given['headers'] ?? $plain['headers'] ?? array() );
	if ( array() !== $left && ! isset( $mistakes['headers'] ) ) {
		/* translators: %s: names of headers. */
		$mistakes['headers'] = sprintf( __( 'The address leads to another receiver now, and what these headers say was entered for the one before: %s. Enter their values again, or remove them.', 'posthorn' ), implode( ', ', $left ) );
	}
	if ( is_string( $given['proxy'] ?? null ) && is_string( $before['proxy'] ?? null ) && posthorn_shown_proxy( $before['proxy'] ) === $given['proxy'] ) {
		$plain['proxy'] = $before['proxy'];
	} elseif ( is_string( $given['proxy'] ?? null ) && str_contains( $given['proxy'], POSTHORN_MASK ) ) {
		$mistakes['proxy'] = __( 'Enter the proxy’s user name and password too: those that are saved belong to the address that is saved.', 'posthorn' );
	}
	foreach ( array_keys( $given, null, true ) as $key ) {
		if ( ! isset( $plain[ $key ] ) && 'preset' !== $key ) {
			unset( $plain[ $key ] ); // Its default.
		}
	}
	// Who is allowed one machine of a network is not allowed the others.
	if ( ! posthorn_may_allow_private() && ! isset( $mistakes['url'] ) && is_string( $plain['url'] ) && posthorn_place_of( (string) $before['url'] ) !== posthorn_place_of( $plain['url'] ) ) {
		$plain['allow_private'] = false;
	}
	return $plain;
}

/**
 * Secrets of which all but the newest end.
 *
 * @param string|array $before What the endpoint has as `secret`, in plain text.
 * @param mixed        $newest A new secret; empty for the newest that there is.
 * @param mixed        $until  ISO 8601; what is wrong with it the extension says.
 */
function posthorn_rotated_secrets( $before, $newest, $until ): array {
	$older = posthorn_secret_list( $before );
	$fresh = '' !== $newest;
	$first = $fresh ? $newest : array_shift( $older );
	foreach ( $older as $n => $entry ) {
		$own         = is_array( $entry ) ? $entry['until'] ?? null : null;
		$ends_before = $fresh && null !== $own && is_string( $until ) && strtotime( $own ) < strtotime( $until );
		$older[ $n ] = array(
			'secret' => is_array( $entry ) ? $entry['secret'] : $entry,
			'until'  => $ends_before ? $own : $until,
		);
	}
	return null === $first ? array() : array_merge( array( $first ), $older );
}

/**
 * Headers, with the stored value where the mask was given.
 *
 * @param array                $stored   Name => value.
 * @param array                $given    Name => value or mask.
 * @param array<string,string> $mistakes Field => message; is added to.
 */
function posthorn_unmasked_headers( array $stored, array $given, array &$mistakes ): array {
	$known = array_change_key_case( $stored );
	foreach ( $given as $name => $value ) {
		if ( POSTHORN_MASK !== $value ) {
			continue;
		}
		if ( isset( $known[ strtolower( (string) $name ) ] ) ) {
			$given[ $name ] = $known[ strtolower( (string) $name ) ];
		} else {
			/* translators: %s: name of a header. */
			$mistakes['headers'] = sprintf( __( 'There is no stored value of the header %s: enter one.', 'posthorn' ), (string) $name );
		}
	}
	return $given;
}

/**
 * The headers whose stored values would go to another receiver than the one they were entered for: whoever may change an
 * address could read them there. Whoever has the command line has the key to them anyway.
 *
 * @param array $before  The endpoint before, in plain text.
 * @param mixed $url     Its new address.
 * @param mixed $headers Its new headers: name => value, or the mask for the stored one.
 * @return string[] Names.
 */
function posthorn_headers_left_behind( array $before, $url, $headers ): array {
	$stored = array_filter( (array) ( $before['headers'] ?? array() ), 'is_string' );
	if ( defined( 'WP_CLI' ) && WP_CLI || array() === $stored || '' === (string) $before['url'] || ! is_string( $url ) || ! is_array( $headers ) || posthorn_is_same_receiver( $before['url'], $url ) ) {
		return array();
	}
	$stored = array_change_key_case( $stored );
	$kept   = array_filter( array_keys( $headers ), static fn( $name ): bool => isset( $stored[ strtolower( (string) $name ) ] ) && in_array( $headers[ $name ], array( POSTHORN_MASK, $stored[ strtolower( (string) $name ) ] ), true ) );
	return array_values( array_map( 'strval', $kept ) );
}

/**
 * What is given and no key of an endpoint.
 *
 * @param array $given Keys and values.
 * @return array<string,string> Key => message.
 */
function posthorn_strange_keys( array $given ): array {
	$mistakes = array();
	foreach ( array_diff( array_keys( $given ), POSTHORN_ENDPOINT_KEYS, array( 'keep_secrets_until' ) ) as $key ) {
		/* translators: 1: what was given, 2: a list of names. */
		$mistakes[ (string) $key ] = sprintf( __( 'An endpoint has no key “%1$s”. Its keys are: %2$s.', 'posthorn' ), (string) $key, implode( ', ', POSTHORN_ENDPOINT_KEYS ) );
	}
	return $mistakes;
}

/**
 * What is given and not the user's to decide: on a network of sites, what is about the server.
 *
 * @param array $before The endpoint before, in plain text.
 * @param array $given  Keys and values.
 * @return array<string,string> Key => message.
 */
function posthorn_keys_not_allowed( array $before, array $given ): array {
	$mistakes = array();
	foreach ( posthorn_may_allow_private() ? array() : POSTHORN_SERVER_KEYS as $key ) {
		$stored = $before[ $key ] ?? null;
		$same   = ( $given[ $key ] ?? null ) === $stored || ( 'proxy' === $key && is_string( $stored ) && posthorn_shown_proxy( $stored ) === ( $given[ $key ] ?? null ) );
		if ( array_key_exists( $key, $given ) && ! $same && ( ! empty( $given[ $key ] ) || ! empty( $stored ) ) ) {
			$mistakes[ $key ] = __( 'Only the network’s administrator can change this.', 'posthorn' );
		}
	}
	return $mistakes;
}

/**
 * What is wrong with an endpoint. The extension names one thing at a time, so each key with a mistake is taken out until
 * nothing is left to find.
 *
 * @param array    $endpoint An endpoint as the extension takes it.
 * @param string[] $known    Keys whose mistake is known already.
 * @return array<string,string> Key => message; the key is `endpoint` for what belongs to none.
 * @throws \Posthorn\Exception When the queue cannot be used.
 */
function posthorn_endpoint_mistakes( array $endpoint, array $known = array() ): array {
	require_once __DIR__ . '/formats.php';
	$mistakes = array();
	$format   = posthorn_format_of( $endpoint['format'] ?? '' );
	if ( null !== $format && $format['needs_secret'] && array() === posthorn_secret_list( $endpoint['secret'] ?? '' ) && ! in_array( 'secret', $known, true ) ) {
		/* translators: %s: name of a format. */
		$mistakes['secret'] = sprintf( __( 'The format %s signs every webhook: enter a secret, or have one generated.', 'posthorn' ), $format['title'] );
	}
	$tries = count( $endpoint ) + 1;
	while ( $tries-- > 0 ) {
		$mistake = posthorn_client_check( array( 'url' => in_array( 'url', $known, true ) ? 'https://example.com/' : $endpoint['url'] ?? null ) + $endpoint );
		if ( null === $mistake ) {
			break;
		}
		$key = '' === $mistake['key'] ? 'endpoint' : $mistake['key'];
		// What is left out cannot be wrong; if it is all the same, nothing more can be told.
		if ( isset( $mistakes[ $key ] ) && 'secret' !== $key ) {
			break;
		}
		$mistakes[ $key ] = $mistakes[ $key ] ?? $mistake['message'];
		$known[]          = $key;
		unset( $endpoint[ $key ] );
	}
	return $mistakes;
}

/**
 * The endpoint with an id, as it is stored.
 *
 * @param array  $settings Settings.
 * @param string $id       Its id.
 */
function posthorn_stored_endpoint( array $settings, string $id ): ?array {
	foreach ( $settings['endpoints'] as $endpoint ) {
		if ( (string) $endpoint['id'] === $id ) {
			return $endpoint;
		}
	}
	return null;
}

/**
 * What is wrong with an id of one's own. It stands in addresses and on command lines, so it may be nothing that means something
 * else there; `new` is the form for an endpoint that is added.
 *
 * @param mixed $id What was given.
 * @return string Empty if nothing is.
 */
function posthorn_id_mistake( $id ): string {
	$is_text = is_int( $id ) || is_string( $id );
	if ( $is_text && 'new' !== $id && 1 === preg_match( '/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/D', (string) $id ) ) {
		return '';
	}
	/* translators: %s: what was given. */
	return sprintf( __( '“%s” cannot be an id: up to 100 letters (A to Z), digits, dots, hyphens and underscores, the first one a letter or digit, and not “new”. Leave it out to have one made up.', 'posthorn' ), is_scalar( $id ) ? mb_substr( wp_check_invalid_utf8( (string) $id, true ), 0, 60 ) : gettype( $id ) );
}

/**
 * An id that no endpoint has.
 */
function posthorn_new_endpoint_id(): string {
	return bin2hex( random_bytes( 6 ) );
}

/**
 * The error of an endpoint that has mistakes.
 *
 * @param array<string,string> $mistakes Key => message.
 */
function posthorn_endpoint_mistakes_error( array $mistakes ): WP_Error {
	$told = array();
	foreach ( $mistakes as $key => $message ) {
		$told[] = "$key: $message";
	}
	return new WP_Error( 'posthorn_invalid', implode( ' ', $told ), array( 'status' => 400 ) + compact( 'mistakes' ) );
}

/**
 * The error of an id that no endpoint has.
 *
 * @param string $id The id.
 */
function posthorn_no_such_endpoint( string $id ): WP_Error {
	if ( null !== posthorn_find_endpoint( $id ) ) {
		return new WP_Error( 'posthorn_read_only', __( 'This endpoint is defined in wp-config.php, by the constant POSTHORN_ENDPOINTS, and can be changed there only.', 'posthorn' ), array( 'status' => 403 ) );
	}
	/* translators: %s: an id. */
	return new WP_Error( 'posthorn_not_found', sprintf( __( 'There is no endpoint with the id %s on this site.', 'posthorn' ), $id ), array( 'status' => 404 ) );
}

/**
 * The error of a queue that cannot be used, or a secret that cannot be read.
 *
 * @param \Throwable $error What happened.
 */
function posthorn_endpoints_unavailable( \Throwable $error ): WP_Error {
	return new WP_Error( 'posthorn_unavailable', ucfirst( posthorn_readable( $error->getMessage() ) ), array( 'status' => 503 ) );
}
