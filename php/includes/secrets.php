<?php
/**
 * Secrets at rest: a dump of the database alone does not reveal them.
 *
 * They are encrypted (XSalsa20-Poly1305, libsodium's secretbox) with a key that lies beside the queue, outside the
 * database. Changing the salts in wp-config.php therefore does not make a secret unreadable; losing the queue's directory does.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** What an encrypted secret starts with. */
const POSTHORN_SECRET_PREFIX = 'v1:';

/**
 * Encrypts a secret.
 *
 * @param string $secret The secret.
 * @return string ASCII text.
 * @throws RuntimeException When the key cannot be read or made; the message names the remedy.
 */
function posthorn_encrypt( string $secret ): string {
	posthorn_load_sodium();
	$nonce = random_bytes( SODIUM_CRYPTO_SECRETBOX_NONCEBYTES );
	$box   = sodium_crypto_secretbox( $secret, $nonce, posthorn_secret_key( true ) );
	return POSTHORN_SECRET_PREFIX . base64_encode( $nonce . $box ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
}

/**
 * Decrypts a secret.
 *
 * @param string $encrypted What posthorn_encrypt() returned.
 * @return string|null Null if it cannot be read: the key is another one or gone, or the text is damaged.
 */
function posthorn_decrypt( string $encrypted ): ?string {
	posthorn_load_sodium();
	if ( ! str_starts_with( $encrypted, POSTHORN_SECRET_PREFIX ) ) {
		return null;
	}
	$bytes = base64_decode( substr( $encrypted, strlen( POSTHORN_SECRET_PREFIX ) ), true ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
	if ( false === $bytes || strlen( $bytes ) < SODIUM_CRYPTO_SECRETBOX_NONCEBYTES + SODIUM_CRYPTO_SECRETBOX_MACBYTES ) {
		return null;
	}
	try {
		$key = posthorn_secret_key( false );
	} catch ( RuntimeException $error ) {
		return null;
	}
	$nonce  = substr( $bytes, 0, SODIUM_CRYPTO_SECRETBOX_NONCEBYTES );
	$secret = sodium_crypto_secretbox_open( substr( $bytes, SODIUM_CRYPTO_SECRETBOX_NONCEBYTES ), $nonce, $key );
	return false === $secret ? null : $secret;
}

/**
 * What begins the text of a secret that a form carries encrypted to the next attempt: whose form it is.
 */
function posthorn_kept_mark(): string {
	return 'kept by ' . get_current_user_id() . ':';
}

/**
 * Reads what posthorn_kept_secret() made for a form of the current user, and nothing else: else whoever has a dump of the database
 * could have any secret in it decrypted, and sent to a receiver of theirs.
 *
 * @param string $kept What the form carries.
 * @return string Empty if it is nothing of the kind.
 */
function posthorn_secret_kept_in_form( string $kept ): string {
	$text = (string) posthorn_decrypt( $kept );
	$mark = posthorn_kept_mark();
	return str_starts_with( $text, $mark ) ? substr( $text, strlen( $mark ) ) : '';
}

/**
 * Encrypts an endpoint's secrets.
 *
 * @param string|array $secret A secret (empty for none), or the list that an endpoint has while rotating.
 * @return string|array The same with every secret encrypted.
 * @throws RuntimeException When the key cannot be read or made.
 */
function posthorn_encrypt_secrets( $secret ) {
	if ( ! is_array( $secret ) ) {
		return '' === (string) $secret ? '' : posthorn_encrypt( (string) $secret );
	}
	$seal = static fn( $entry ) => is_array( $entry ) ? array( 'secret' => posthorn_encrypt( (string) $entry['secret'] ) ) + $entry : posthorn_encrypt( (string) $entry );
	return array_map( $seal, array_values( $secret ) );
}

/**
 * Decrypts an endpoint's secrets.
 *
 * @param string|array $stored What posthorn_encrypt_secrets() returned.
 * @return string|array|null Null if one cannot be read.
 */
function posthorn_decrypt_secrets( $stored ) {
	if ( ! is_array( $stored ) ) {
		return '' === (string) $stored ? '' : posthorn_decrypt( (string) $stored );
	}
	$secrets = array();
	foreach ( $stored as $entry ) {
		$secret = posthorn_decrypt( (string) ( is_array( $entry ) ? $entry['secret'] ?? '' : $entry ) );
		if ( null === $secret ) {
			return null;
		}
		$secrets[] = is_array( $entry ) ? array( 'secret' => $secret ) + $entry : $secret;
	}
	return $secrets;
}

/**
 * Encrypts all of an endpoint that may be a secret: the secrets, the values of its headers, a proxy with its password.
 *
 * @param array $endpoint An endpoint as the extension takes it.
 * @return array As it is stored.
 * @throws RuntimeException When the key cannot be read or made.
 */
function posthorn_encrypt_endpoint( array $endpoint ): array {
	$endpoint['secret'] = posthorn_encrypt_secrets( $endpoint['secret'] ?? '' );
	if ( is_array( $endpoint['headers'] ?? null ) ) {
		$endpoint['headers'] = array_map( static fn( $value ): string => posthorn_encrypt( (string) $value ), $endpoint['headers'] );
	}
	if ( is_string( $endpoint['proxy'] ?? null ) ) {
		$endpoint['proxy'] = posthorn_encrypt( $endpoint['proxy'] );
	}
	return $endpoint;
}

/**
 * Decrypts what posthorn_encrypt_endpoint() encrypted.
 *
 * @param array $stored An endpoint as it is stored.
 * @return array|null Null if anything of it cannot be read.
 */
function posthorn_decrypt_endpoint( array $stored ): ?array {
	// Code may have put a header into the option as it is.
	$read             = static fn( $value ) => is_string( $value ) && str_starts_with( $value, POSTHORN_SECRET_PREFIX ) ? posthorn_decrypt( $value ) : $value;
	$stored['secret'] = posthorn_decrypt_secrets( $stored['secret'] ?? '' );
	if ( is_array( $stored['headers'] ?? null ) ) {
		$stored['headers'] = array_map( $read, $stored['headers'] );
		if ( in_array( null, $stored['headers'], true ) ) {
			return null;
		}
	}
	if ( is_string( $stored['proxy'] ?? null ) ) {
		$stored['proxy'] = $read( $stored['proxy'] );
		if ( null === $stored['proxy'] ) {
			return null;
		}
	}
	return null === $stored['secret'] ? null : $stored;
}

/**
 * Why a stored secret cannot be read, and what to do.
 */
function posthorn_secret_problem(): string {
	$directory = posthorn_queue_directory();
	foreach ( array( dirname( $directory ), $directory ) as $place ) {
		// A directory that PHP may not search hides whether the key is in it.
		if ( is_dir( $place ) && ! is_executable( $place ) ) {
			/* translators: %s: path of a directory. */
			return sprintf( __( 'The stored secret cannot be read now, because PHP may not open the directory %s, where the key to it lies. Give the directory back to the user that PHP runs as; the secret is then as it was.', 'posthorn' ), $place );
		}
	}
	if ( file_exists( "$directory/secrets.key" ) ) {
		try {
			posthorn_secret_key( false );
		} catch ( RuntimeException $error ) {
			return $error->getMessage();
		}
	}
	return __( 'The stored secret cannot be read, because the key that protects it is gone. Enter it again, or tick “Remove the secret”.', 'posthorn' );
}

/**
 * The key, 32 bytes, from the file `secrets.key` in the queue's directory.
 *
 * @param bool $create Whether to make one if there is none.
 * @throws RuntimeException When it cannot be read or made.
 */
function posthorn_secret_key( bool $create ): string {
	$path = posthorn_queue_directory() . '/secrets.key';
	if ( $create && ! file_exists( $path ) ) {
		posthorn_queue(); // Makes the directory.
		posthorn_make_key_file( $path );
	}
	// phpcs:ignore WordPress.WP.AlternativeFunctions, WordPress.PHP.NoSilencedErrors -- A local file; the failure is reported below.
	$key = @file_get_contents( $path );
	if ( false === $key || SODIUM_CRYPTO_SECRETBOX_KEYBYTES !== strlen( $key ) ) {
		/* translators: %s: path of a file. */
		throw new RuntimeException( sprintf( esc_html__( 'The file %s, which protects the secret, cannot be read. Give it back to the user that PHP runs as.', 'posthorn' ), esc_html( $path ) ) );
	}
	return $key;
}

/**
 * Makes a key file, unless another process was faster.
 *
 * @param string $path Where.
 */
function posthorn_make_key_file( string $path ): void {
	// phpcs:disable WordPress.WP.AlternativeFunctions, WordPress.PHP.NoSilencedErrors -- Must be local, exclusive and private from the first byte; posthorn_secret_key() reports a failure.
	$draft = $path . '.' . bin2hex( random_bytes( 6 ) );
	$umask = umask( 0077 );
	if ( false !== @file_put_contents( $draft, random_bytes( SODIUM_CRYPTO_SECRETBOX_KEYBYTES ) ) ) {
		// As root (WP-CLI), the file goes to the directory's owner, or the web server could not read it.
		if ( 0 === fileowner( $draft ) ) {
			@chown( $draft, fileowner( dirname( $path ) ) );
			@chgrp( $draft, filegroup( dirname( $path ) ) );
		}
		@link( $draft, $path ); // Unlike rename(), it fails if the file exists.
		@unlink( $draft );
	}
	umask( $umask );
	// phpcs:enable
}

/**
 * Makes sure the sodium functions exist: WordPress carries a copy for servers without the PHP extension.
 */
function posthorn_load_sodium(): void {
	if ( ! function_exists( 'sodium_crypto_secretbox' ) ) {
		require_once ABSPATH . WPINC . '/sodium_compat/autoload.php';
	}
}
