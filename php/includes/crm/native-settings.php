<?php
/**
 * The settings of the CRM's own webhook module, as far as they can be read. Where they live and how they look is not
 * documented, so nothing found here is trusted: it is put into the form, and checked there like what is typed.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Conventional names of what a webhook's settings hold, the likeliest first. */
const POSTHORN_NATIVE_SETTING_NAMES = array(
	'url'    => array( 'url', 'webhook_url', 'crm_webhook_url', 'endpoint', 'endpoint_url', 'target_url', 'target', 'delivery_url' ),
	'events' => array( 'events', 'webhook_events', 'crm_webhook_events', 'event', 'topics', 'triggers' ),
	'secret' => array( 'secret', 'webhook_secret', 'crm_webhook_secret', 'secret_key', 'signing_secret' ),
);

/** Settings are not looked for deeper than this. */
const POSTHORN_NATIVE_DEPTH = 4;

/**
 * What the CRM's settings say about a receiver.
 *
 * @param string $url The receiver's URL.
 * @return array{events:?string[],secret:?string} Its own names of the events, null if they cannot be read or if it
 *               names none; its secret, null if it cannot be read, empty if there is none.
 */
function posthorn_native_settings_of( string $url ): array {
	$key   = posthorn_native_key( $url );
	$found = array(
		'events' => null,
		'secret' => null,
	);
	foreach ( posthorn_native_sources() as $source ) {
		foreach ( posthorn_native_webhooks_in( $source ) as $webhook ) {
			if ( posthorn_native_key( $webhook['url'] ) !== $key ) {
				continue;
			}
			$found['events'] = $found['events'] ?? $webhook['events'];
			// An empty one is believed only if no other place has one.
			$found['secret'] = '' === (string) $found['secret'] ? $webhook['secret'] ?? $found['secret'] : $found['secret'];
		}
	}
	return $found;
}

/**
 * Where webhook settings may be: what the CRM's function returns, its option, and the options that hold its simple
 * settings, by themselves or among others.
 *
 * @return array[]
 */
function posthorn_native_sources(): array {
	$sources = array();
	if ( function_exists( 'wpestate_crm_get_webhook_config' ) ) {
		try {
			$sources[] = wpestate_crm_get_webhook_config();
		} catch ( \Throwable $error ) {
			$sources[] = null; // It may want arguments that nobody knows.
		}
	}
	$sources[] = get_option( 'wpestate_crm_webhooks' );
	$simple    = array();
	foreach ( array( 'crm_webhook_url', 'crm_webhook_events', 'crm_webhook_secret' ) as $name ) {
		$simple[ $name ] = get_option( $name, null );
	}
	$sources[] = array_filter( $simple, 'is_scalar' );
	foreach ( wp_load_alloptions() as $name => $value ) {
		if ( is_string( $value ) && str_contains( $value, 'crm_webhook_url' ) ) {
			$sources[] = get_option( $name );
		}
	}
	return array_filter( array_map( 'posthorn_native_as_array', $sources ) );
}

/**
 * Settings as an array, whether they are one, an object, or JSON.
 *
 * @param mixed $value Anything.
 */
function posthorn_native_as_array( $value ): array {
	if ( is_string( $value ) && '' !== $value && in_array( $value[0], array( '[', '{' ), true ) ) {
		$value = json_decode( $value, true );
	}
	if ( is_object( $value ) ) {
		$value = get_object_vars( $value );
	}
	return is_array( $value ) ? $value : array();
}

/**
 * The webhooks in settings of any shape: one, a list, or deeper inside.
 *
 * @param array $settings Settings.
 * @param int   $depth    How deep this is.
 * @return array<int,array{url:string,events:?string[],secret:?string}>
 */
function posthorn_native_webhooks_in( array $settings, int $depth = 0 ): array {
	$url = posthorn_native_setting( $settings, 'url' );
	if ( is_string( $url ) && '' !== trim( $url ) ) {
		$secret = posthorn_native_setting( $settings, 'secret' );
		return array(
			array(
				'url'    => trim( $url ),
				'events' => posthorn_native_event_names( posthorn_native_setting( $settings, 'events' ) ),
				'secret' => is_string( $secret ) && ! posthorn_native_is_masked( $secret ) ? $secret : null,
			),
		);
	}
	$webhooks = array();
	foreach ( $depth < POSTHORN_NATIVE_DEPTH ? $settings : array() as $value ) {
		$inside = posthorn_native_as_array( $value );
		if ( array() !== $inside ) {
			array_push( $webhooks, ...posthorn_native_webhooks_in( $inside, $depth + 1 ) );
		}
	}
	return $webhooks;
}

/**
 * A setting under one of its conventional names.
 *
 * @param array  $settings Settings.
 * @param string $what     `url`, `events` or `secret`.
 * @return mixed Null if there is none.
 */
function posthorn_native_setting( array $settings, string $what ) {
	foreach ( POSTHORN_NATIVE_SETTING_NAMES[ $what ] as $name ) {
		if ( isset( $settings[ $name ] ) ) {
			return $settings[ $name ];
		}
	}
	return null;
}

/**
 * Names of events from a comma list, a list, or a map of name => on or off.
 *
 * @param mixed $value Anything.
 * @return string[]|null Null if it names none.
 */
function posthorn_native_event_names( $value ): ?array {
	$list  = posthorn_native_as_array( $value );
	$names = array();
	foreach ( $list as $name => $entry ) {
		if ( is_string( $name ) && ! is_array( $entry ) ) {
			$names[] = in_array( $entry, array( false, 0, '0', '', 'off', 'no', null ), true ) ? '' : $name;
		} elseif ( is_string( $entry ) ) {
			$names[] = $entry;
		}
	}
	if ( array() === $list && is_string( $value ) ) {
		$names = preg_split( '/[\s,;]+/', $value );
	}
	$names = array_values( array_unique( array_filter( array_map( 'trim', (array) $names ), 'strlen' ) ) );
	return array() === $names || array() !== array_intersect( $names, array( '*', 'all' ) ) ? null : $names;
}

/**
 * Whether a secret is only the dots or stars that stand for one.
 *
 * @param string $secret What was read.
 */
function posthorn_native_is_masked( string $secret ): bool {
	return 1 === preg_match( '/^[*•●·.xX]{3,}$|[*•●]{3,}/u', $secret );
}

/**
 * The CRM's names of events as Posthorn's.
 *
 * @param string[]|null $names The CRM's names; null for all.
 * @return array{0:string[],1:string[]} Names of the catalogue; those that Posthorn does not know or does not make.
 */
function posthorn_native_map_events( ?array $names ): array {
	if ( null === $names ) {
		return array( array_column( posthorn_offered_events(), 'name' ), array() );
	}
	$known   = array();
	$unknown = array();
	foreach ( $names as $name ) {
		$event = posthorn_native_event( $name );
		if ( null === $event ) {
			$unknown[] = $name;
		} else {
			$known[] = $event;
		}
	}
	return array( array_values( array_unique( $known ) ), $unknown );
}

/**
 * The settings form with what the CRM's settings say about a receiver put in.
 *
 * @param string $url The receiver's URL.
 * @return array{form:array,unknown:string[],all:bool,secret:string} The form; events that the CRM goes on to send
 *               itself; whether all events were chosen because the CRM names none; and whether its secret was `copied`,
 *               there is `none`, or it is `unknown`.
 */
function posthorn_native_form( string $url ): array {
	$found                  = posthorn_native_settings_of( $url );
	list( $known, $unknown ) = posthorn_native_map_events( $found['events'] );
	$form                   = posthorn_form_stored();
	$stored                 = posthorn_main_endpoint( posthorn_settings() );
	$same                   = null !== $stored && posthorn_native_key( $stored['url'] ) === posthorn_native_key( $url );
	$form                   = array_merge(
		$form,
		array(
			'url'          => $url,
			'events'       => $known,
			'other_events' => '',
			'enabled'      => true,
		)
	);
	$secret                 = 'unknown';
	if ( '' !== (string) $found['secret'] ) {
		$form['secret'] = $found['secret'];
		$secret         = 'copied';
	} elseif ( '' === $found['secret'] ) {
		// The stored one is another receiver's.
		$form['remove_secret'] = ! $same && '' !== ( $stored['secret'] ?? '' );
		$secret                = 'none';
	}
	return array(
		'form'    => $form,
		'unknown' => $unknown,
		'all'     => null === $found['events'],
		'secret'  => $secret,
	);
}
