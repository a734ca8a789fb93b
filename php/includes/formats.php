<?php
/**
 * Formats that code adds beside those of the extension.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/client-catalogue.php';

/** The option, loaded with every page, with the formats of code that were handed over last: name => definition. */
const POSTHORN_FORMATS_OPTION = 'posthorn_formats_kept';

/**
 * What code adds.
 *
 * @return array<string,mixed> Name => definition, which the extension has not looked at yet.
 */
function posthorn_added_formats(): array {
	if ( ! has_filter( 'posthorn_formats' ) ) {
		return array();
	}
	/**
	 * Formats beside Posthorn's own. An endpoint of the current site whose `format` is one of the names is sent in it.
	 *
	 * @param array $formats Name => definition, in the form that the README's section "Formats" describes: an array, or TOML
	 *                       text. A definition without a `name` has the key's. The names of Posthorn's own are taken.
	 */
	try {
		$formats = apply_filters( 'posthorn_formats', array() );
	} catch ( \Throwable $error ) {
		/* translators: %s: an error's message. */
		posthorn_report( new RuntimeException( sprintf( __( 'Code that adds formats by the filter posthorn_formats has failed, so there are none of them: %s. Receivers are sent what they were sent before.', 'posthorn' ), rtrim( $error->getMessage(), '.' ) ) ), false );
		$formats = array();
	}
	$added = array();
	foreach ( is_array( $formats ) ? $formats : array( '' => $formats ) as $name => $definition ) {
		$added[ (string) $name ] = is_array( $definition ) ? $definition + array( 'name' => (string) $name ) : $definition;
	}
	return $added;
}

/**
 * An endpoint with the definition of the format that it names, if code adds one of that name.
 *
 * @param array $endpoint An endpoint as the extension takes it.
 */
function posthorn_with_format( array $endpoint ): array {
	$name = $endpoint['format'] ?? null;
	if ( is_string( $name ) && '' !== $name ) {
		$endpoint['format'] = posthorn_meant_format( $name );
	}
	return $endpoint;
}

/**
 * What is meant by a format's name: the definition that code adds, unless it is a name of the extension's own.
 *
 * @param string $name A name.
 * @return mixed The name itself, where code adds none.
 */
function posthorn_meant_format( string $name ) {
	$definition = posthorn_client_has_format( $name ) ? null : posthorn_added_formats()[ $name ] ?? null;
	if ( ! is_array( $definition ) && ! is_string( $definition ) ) {
		return $name;
	}
	try {
		return posthorn_client_read_format( $definition )['name'] === $name ? $definition : $name;
	} catch ( \Throwable $error ) {
		// Whoever is handed it says what is wrong.
		return $definition;
	}
}

/**
 * Whether what an endpoint has as its format is a whole definition, as an array or as TOML text, and no name.
 *
 * @param mixed $format What it has.
 */
function posthorn_has_own_format( $format ): bool {
	return is_array( $format ) || is_string( $format ) && str_contains( $format, '=' );
}

/**
 * What a format is, by name or by its definition.
 *
 * @param mixed $format A name, empty for the default, or a definition.
 * @return array|null As posthorn_client_read_format() tells of it; null if there is no such format, or it has a mistake.
 */
function posthorn_format_of( $format ): ?array {
	if ( ! posthorn_has_own_format( $format ) ) {
		return posthorn_client_format( is_string( $format ) ? $format : '' );
	}
	try {
		return posthorn_client_read_format( $format );
	} catch ( \Throwable $error ) {
		return null;
	}
}

/**
 * The format that an endpoint is sent: its own, or else its preset's, or else the default.
 *
 * @param array $endpoint An endpoint, with `format` and `preset` if it has them.
 * @return mixed A name, or a definition.
 */
function posthorn_effective_format( array $endpoint ) {
	$preset = $endpoint['preset'] ?? '';
	return $endpoint['format'] ?? array_column( posthorn_client_presets(), 'format', 'name' )[ is_string( $preset ) ? $preset : '' ] ?? posthorn_client_format( '' )['name'];
}

/**
 * What is wrong with subscriptions: a pattern such as `bot.*` means the events that the format has, and may mean none.
 *
 * @param array $endpoint An endpoint that is in order otherwise.
 * @return string|null What is wrong; null if nothing is.
 */
function posthorn_idle_pattern( array $endpoint ): ?string {
	$format = posthorn_effective_format( $endpoint );
	foreach ( (array) ( $endpoint['events'] ?? array() ) as $pattern ) {
		if ( ! is_string( $pattern ) || ! str_ends_with( $pattern, '.*' ) || array() !== array_diff( posthorn_client_wanted( array( $pattern ), $format ), array( 'test' ) ) ) {
			continue;
		}
		$known = array();
		foreach ( posthorn_client_events() as $event ) {
			$known = array_merge( $known, preg_grep( '/^' . preg_quote( substr( $pattern, 0, -1 ), '/' ) . '/', array_merge( array( $event['name'] ), $event['other_names'] ) ) );
		}
		/* translators: 1: a pattern such as bot.*, 2: name of a format, 3: names of events. */
		return sprintf( __( '“%1$s” means the events of that kind that the format %2$s has, and it has none, so nothing would be sent. Name them one by one (%3$s), or choose another format.', 'posthorn' ), $pattern, posthorn_format_of( $format )['title'] ?? '', implode( ', ', array_slice( $known, 0, 4 ) ) . ( count( $known ) > 4 ? ' …' : '' ) );
	}
	return null;
}

/**
 * The formats that code adds and the extension accepts.
 *
 * @return array[] As posthorn_client_read_format() tells of each.
 */
function posthorn_usable_added_formats(): array {
	$added = posthorn_added_formats();
	return array_values( array_filter( array_map( 'posthorn_read_added_format', array_map( 'strval', array_keys( $added ) ), $added ), 'is_array' ) );
}

/**
 * Reports what is wrong with formats that code adds, used or not.
 */
function posthorn_report_bad_formats(): void {
	foreach ( posthorn_added_formats() as $name => $definition ) {
		$mistake = posthorn_read_added_format( (string) $name, $definition );
		if ( is_string( $mistake ) ) {
			posthorn_report(
				new RuntimeException(
					/* translators: 1: name of a format. 2: what is wrong with it. */
					sprintf( __( 'The format “%1$s”, which the filter posthorn_formats adds, has a mistake and is not used: %2$s. Receivers are sent what they were sent before.', 'posthorn' ), $name, $mistake )
				),
				false
			);
		}
	}
}

/**
 * Reads a format that code adds.
 *
 * @param string $name       What it is called.
 * @param mixed  $definition Its definition.
 * @return array|string What the extension tells of it, or what is wrong with it.
 */
function posthorn_read_added_format( string $name, $definition ) {
	if ( ! is_array( $definition ) && ( ! is_string( $definition ) || ! str_contains( $definition, '=' ) ) ) {
		return __( 'a definition is an array or TOML text', 'posthorn' );
	}
	try {
		$read = posthorn_client_read_format( $definition );
	} catch ( \Throwable $error ) {
		return $error->getMessage();
	}
	if ( $read['name'] !== $name ) {
		/* translators: 1, 2: names of a format. */
		return sprintf( __( 'its key is “%1$s”, its name “%2$s”', 'posthorn' ), $name, $read['name'] );
	}
	return $read;
}

/**
 * The definitions that were handed over last.
 *
 * @return array<string,array|string>
 */
function posthorn_kept_formats(): array {
	// Not get_option(): it would ask the database for an option that few sites have.
	return isset( wp_load_alloptions()[ POSTHORN_FORMATS_OPTION ] ) ? (array) get_option( POSTHORN_FORMATS_OPTION ) : array();
}

/**
 * Endpoints that name a format of code which is gone or wrong, with the definition that they had before: their receivers are
 * sent what they were sent, and the others can be changed. Reports each.
 *
 * @param array $named     Endpoints as they were before posthorn_completed().
 * @param array $completed The same after it.
 */
function posthorn_with_kept_formats( array $named, array $completed ): array {
	$kept = posthorn_kept_formats();
	foreach ( array() === $kept ? array() : $completed as $at => $endpoint ) {
		$name = $named[ $at ]['format'] ?? null;
		if ( ! is_string( $name ) || ! isset( $kept[ $name ] ) || posthorn_client_has_format( $name ) ) {
			continue;
		}
		try {
			posthorn_client_read_format( $endpoint['format'] );
		} catch ( \Throwable $error ) {
			$mistake = posthorn_client_argument( $error ) ?? array( 'message' => $error->getMessage() );
			posthorn_report( new RuntimeException( "endpoints[$at].format: {$mistake['message']}" ), false );
			$completed[ $at ]['format'] = $kept[ $name ];
		}
	}
	return $completed;
}

/**
 * Keeps the definitions that were handed over.
 *
 * @param array[] $endpoints Endpoints as they were handed over.
 */
function posthorn_keep_formats( array $endpoints ): void {
	$kept  = posthorn_kept_formats();
	$known = posthorn_added_formats() + $kept;
	$used  = array();
	foreach ( $endpoints as $endpoint ) {
		$format = $endpoint['format'] ?? null;
		if ( posthorn_has_own_format( $format ) ) {
			$name = posthorn_client_read_format( $format )['name'];
			// As JSON, because code may have put objects into it.
			$used += isset( $known[ $name ] ) ? array( $name => is_array( $format ) ? json_decode( (string) wp_json_encode( $format ), true ) : $format ) : array();
		}
	}
	if ( $used !== $kept && array() === $used ) {
		delete_option( POSTHORN_FORMATS_OPTION );
	} elseif ( $used !== $kept ) {
		update_option( POSTHORN_FORMATS_OPTION, $used, true );
	}
}
