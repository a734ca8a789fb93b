<?php
/**
 * The clone guard: WordPress sites get copied, to test servers and from backups, and a copy must not send what its original
 * sends. Where a site is not where its receivers were saved, nothing leaves it until somebody has said what it is.
 *
 * While the question is open the queue is not even opened: it may be a copy, or the original's own, where both sites name
 * the same directory. Events are written down beside it (held-events.php). What the answers do is in guard-answers.php.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** So many addresses, environments and databases are remembered; some sites have an address for each of their names. */
const POSTHORN_GUARD_MOST = 20;

/** The option, loaded with every page, that a copy has: what its queue's directory is called beside the original's. */
const POSTHORN_COPY_OPTION = 'posthorn_copy';

/** The option with the places at which this site was met and that are not its own: see posthorn_guard_questions(). */
const POSTHORN_QUESTION_OPTION = 'posthorn_question';

/** A process that lives long looks this often whether the question was asked or answered meanwhile. */
const POSTHORN_GUARD_LOOK_S = 5;

/**
 * Where the current site is: the part of its address that tells it from others, its environment, its database.
 *
 * The option and not home_url(), which plugins filter to the visitor's language. The database is part of it because a copy
 * runs under its own before its address is changed: `wp search-replace` rewrites the CRM's tables first.
 *
 * @return array{address:string,environment:string,installation:string}
 */
function posthorn_here(): array {
	return array(
		'address'      => posthorn_guard_address( (string) get_option( 'home' ) ),
		'environment'  => wp_get_environment_type(),
		'installation' => posthorn_installation_key() . ( is_multisite() ? ' ' . get_network()->domain . get_network()->path : '' ),
	);
}

/**
 * An address without what may change and leave it the same site: its scheme and that scheme's port. www. is a name of its own.
 *
 * @param string $url A URL.
 */
function posthorn_guard_address( string $url ): string {
	$address = strtolower( (string) preg_replace( '#^https?:/*#i', '', $url ) );
	return rtrim( (string) preg_replace( '#^([^/]*):(80|443)(?=/|$)#', '$1', $address ), '/' );
}

/**
 * A place as it is stored. Never in clear: whoever copies a site has its address replaced everywhere in the database.
 *
 * @param array $here What posthorn_here() returned.
 * @return array{addresses:string[],environments:string[],installations:string[],known_as:string,copy:bool,off:string[]}
 *         `known_as`: the address, to be shown; `off`: the endpoints that were on before the answer "This is a copy".
 */
function posthorn_guard_mark( array $here ): array {
	return array(
		'addresses'     => array( posthorn_guard_hash( $here['address'] ) ),
		'environments'  => array( $here['environment'] ),
		'installations' => array( posthorn_guard_hash( $here['installation'] ) ),
		'known_as'      => base64_encode( $here['address'] ), // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions -- See above.
		'copy'          => false,
		'off'           => array(),
	);
}

/**
 * What is stored in place of a text.
 *
 * @param string $text A text.
 */
function posthorn_guard_hash( string $text ): string {
	return substr( hash( 'sha256', "posthorn\0$text" ), 0, 16 );
}

/**
 * Gives what is stored of a place its shape.
 *
 * @param mixed $stored What the settings hold.
 * @return array|null See posthorn_guard_mark(); null if nothing is remembered yet.
 */
function posthorn_guard_sanitise( $stored ): ?array {
	if ( ! is_array( $stored ) || empty( $stored['addresses'] ) ) {
		return null;
	}
	$texts = static fn( string $key ): array => array_values( array_filter( (array) ( $stored[ $key ] ?? array() ), 'is_string' ) );
	return array(
		'addresses'     => $texts( 'addresses' ),
		'environments'  => $texts( 'environments' ),
		'installations' => $texts( 'installations' ),
		'known_as'      => is_string( $stored['known_as'] ?? null ) ? $stored['known_as'] : '',
		'copy'          => ! empty( $stored['copy'] ),
		'off'           => $texts( 'off' ),
	);
}

/**
 * What tells that the current site is not where its receivers were saved.
 *
 * @param array|null $saved_for What is remembered, see posthorn_guard_mark().
 * @param array|null $here      Optional. Another place than this one.
 * @return string `address`, `environment` (it is not production any more), `installation` (another database), or empty.
 */
function posthorn_guard_reason( ?array $saved_for, ?array $here = null ): string {
	if ( null === $saved_for ) {
		return '';
	}
	$here ??= posthorn_here();
	if ( ! in_array( posthorn_guard_hash( $here['address'] ), $saved_for['addresses'], true ) ) {
		return 'address';
	}
	if ( 'production' !== $here['environment'] && in_array( 'production', $saved_for['environments'], true ) && ! in_array( $here['environment'], $saved_for['environments'], true ) ) {
		return 'environment';
	}
	return in_array( posthorn_guard_hash( $here['installation'] ), $saved_for['installations'], true ) ? '' : 'installation';
}

/**
 * Whether everything of the current site is held back until somebody says what it is.
 *
 * @param array|null $settings Optional. The settings, if they are at hand.
 */
function posthorn_is_held( ?array $settings = null ): bool {
	static $known = array();
	$settings   ??= posthorn_settings();
	$saved_for    = $settings['saved_for'];
	if ( null === $saved_for ) {
		return false;
	}
	// Worked out once, unless the address changes within the request, as it may where a plugin gives a site several.
	$home = has_filter( 'pre_option_home' ) ? null : posthorn_loaded_options()['home'] ?? null;
	$key  = ( $home ?? get_option( 'home' ) ) . ' ' . wp_get_environment_type() . ' ' . get_current_blog_id() . ' ' . $settings['revision'];
	if ( ! isset( $known[ $key ] ) || $known[ $key ][0] !== $saved_for ) {
		$known[ $key ] = array( $saved_for, '' !== posthorn_guard_reason( $saved_for ) );
	}
	return $known[ $key ][1] && ( array() !== $settings['endpoints'] || posthorn_has_code_endpoints() );
}

/**
 * Whether the current site was said to be a copy: only what was switched on here, since, is sent.
 *
 * @param array|null $settings Optional. The settings, if they are at hand.
 */
function posthorn_is_copy( ?array $settings = null ): bool {
	$saved_for = ( $settings ?? posthorn_settings() )['saved_for'];
	return null !== $saved_for && $saved_for['copy'] && '' === posthorn_guard_reason( $saved_for );
}

/**
 * The stored receivers as they count for events: where a copy has become something else, perhaps its original, those that were
 * switched off with it are asked about, and so what they want is kept.
 *
 * @param array $settings The settings.
 * @return array[]
 */
function posthorn_guarded_endpoints( array $settings ): array {
	$saved_for = $settings['saved_for'];
	if ( null === $saved_for || ! $saved_for['copy'] || ! posthorn_is_held( $settings ) ) {
		return $settings['endpoints'];
	}
	return array_map( static fn( array $endpoint ): array => array( 'enabled' => $endpoint['enabled'] || in_array( $endpoint['id'], $saved_for['off'], true ) ) + $endpoint, $settings['endpoints'] );
}

/**
 * What is remembered with settings that are being saved: this place, unless another is known.
 *
 * @param array $stored The settings that they replace.
 */
function posthorn_guard_of_saved( array $stored ): array {
	$saved_for = $stored['saved_for'];
	// Before there was a receiver there was nothing to guard.
	return null === $saved_for || ! $saved_for['copy'] && array() === $stored['endpoints'] && ! posthorn_has_code_endpoints() ? posthorn_guard_mark( posthorn_here() ) : $saved_for;
}

/**
 * Remembers this place for settings that were saved before there was a guard, or that are in wp-config.php only.
 *
 * @param array $settings The settings.
 * @return array The settings as they are then.
 */
function posthorn_guard_remember( array $settings ): array {
	if ( null !== $settings['saved_for'] ) {
		return $settings;
	}
	return posthorn_replace_settings( $settings ) ?? posthorn_settings();
}

/**
 * The error that whoever wants the queue gets while the question is open.
 */
function posthorn_guard_error(): RuntimeException {
	return new RuntimeException( esc_html( posthorn_guard_words()['title'] . ' ' . __( 'Nothing is sent until you say what it is: Settings → CRM Webhooks asks, or run “wp posthorn site moved” or “wp posthorn site copy”.', 'posthorn' ) ) );
}

/**
 * The question in words.
 *
 * @return array{title:string,text:string}
 */
function posthorn_guard_words(): array {
	$saved_for = posthorn_settings()['saved_for'];
	$here      = posthorn_here();
	$was       = (string) base64_decode( $saved_for['known_as'] ?? '' ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions -- See posthorn_guard_mark().
	switch ( posthorn_guard_reason( $saved_for, $here ) ) {
		case 'environment':
			/* translators: %s: a kind of environment, such as staging. */
			$title = sprintf( __( 'CRM webhooks are held back: this site calls itself “%s” now, and its receivers were saved on a production site.', 'posthorn' ), $here['environment'] );
			break;
		case 'installation':
			$title = __( 'CRM webhooks are held back: this site has another database than the one in which its receivers were saved.', 'posthorn' );
			break;
		default:
			/* translators: 1: an address such as test.example.com, 2: another. */
			$title = sprintf( __( 'CRM webhooks are held back: this site is at %1$s, and its receivers were saved for %2$s.', 'posthorn' ), $here['address'], $was );
	}
	return array(
		'title' => $title,
		'text'  => __( 'Was the site moved here, or is it a copy, for tests or from a backup? A copy must not send: its receivers would take what is tried out here for real. Until you say so, nothing is sent and nothing is lost.', 'posthorn' ),
	);
}

/**
 * In a process that lives long: reads again what other processes may have changed.
 */
function posthorn_guard_look_again(): void {
	static $looked = 0;
	if ( time() - $looked >= POSTHORN_GUARD_LOOK_S ) {
		$looked = time();
		posthorn_forget_cached_settings();
		wp_cache_delete( 'home', 'options' );
	}
}
