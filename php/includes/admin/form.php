<?php
/**
 * What the settings form holds: as stored, as typed, checked, saved.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** How many mistakes are looked for in one go; the form has fewer fields. */
const POSTHORN_MOST_MISTAKES = 6;

/**
 * The form as the stored settings fill it.
 *
 * @return array{revision:int,url:string,events:string[],other_events:string,secret:string,remove_secret:bool,
 *               allow_private:bool,enabled:bool,delete_queue:bool}
 */
function posthorn_form_stored(): array {
	$settings = posthorn_settings();
	$endpoint = posthorn_main_endpoint( $settings ) ?? posthorn_default_endpoint();
	$offered  = array_column( posthorn_offered_events(), 'name' );
	return array(
		'revision'      => $settings['revision'],
		'url'           => $endpoint['url'],
		'events'        => array_values( array_intersect( $offered, $endpoint['events'] ) ),
		'other_events'  => implode( ', ', array_diff( $endpoint['events'], $offered ) ),
		'secret'        => '',
		'remove_secret' => false,
		'allow_private' => true === $endpoint['allow_private'],
		'enabled'       => (bool) $endpoint['enabled'],
		'delete_queue'  => $settings['delete_queue'],
	);
}

/**
 * The form as it was posted. Nothing is cleaned up but white space around values: what is wrong is told, not removed.
 *
 * @param array $post Unslashed POST data.
 * @return array The keys of posthorn_form_stored().
 */
function posthorn_form_typed( array $post ): array {
	$text  = static fn( string $key ): string => is_scalar( $post[ $key ] ?? null ) ? (string) $post[ $key ] : '';
	$typed = array(
		'revision'      => (int) $text( 'revision' ),
		// Blanks only: a pasted line break within or around is told, as it may have cut the address short.
		// The button beside a redirect puts the redirect's target in its place.
		'url'           => trim( $text( isset( $post['use_address'] ) ? 'use_address' : 'url' ), ' ' ),
		'events'        => array_values( array_filter( (array) ( $post['events'] ?? array() ), 'is_string' ) ),
		'other_events'  => trim( $text( 'other_events' ) ),
		'secret'        => $text( 'secret' ),
		'remove_secret' => '' !== $text( 'remove_secret' ),
		'allow_private' => '' !== $text( 'allow_private' ),
		'enabled'       => '' !== $text( 'enabled' ),
		'delete_queue'  => '' !== $text( 'delete_queue' ),
	);
	if ( '' === $typed['secret'] && '' !== $text( 'kept_secret' ) ) {
		require_once dirname( __DIR__ ) . '/secrets.php';
		$typed['secret'] = posthorn_secret_kept_in_form( $text( 'kept_secret' ) );
	}
	return $typed;
}

/**
 * The events of a form: what is ticked and what is typed.
 *
 * @param array $form A form.
 * @return string[]
 */
function posthorn_form_events( array $form ): array {
	$typed = preg_split( '/[\s,]+/', $form['other_events'], -1, PREG_SPLIT_NO_EMPTY );
	return array_values( array_unique( array_merge( $form['events'], $typed ) ) );
}

/**
 * The endpoint that a form describes, as the extension takes it.
 *
 * @param array $form A form.
 * @return array
 * @throws RuntimeException When the stored secret is needed and cannot be read.
 */
function posthorn_form_endpoint( array $form ): array {
	$secret = $form['secret'];
	$main   = posthorn_main_endpoint( posthorn_settings() );
	$stored = $main['secret'] ?? '';
	if ( '' === $secret && ! $form['remove_secret'] && '' !== $stored ) {
		require_once dirname( __DIR__ ) . '/secrets.php';
		$secret = posthorn_decrypt_secrets( $stored );
		if ( null === $secret ) {
			throw new RuntimeException( esc_html( posthorn_secret_problem() ) );
		}
	}
	// Code may have chosen another one for this address.
	$preset = null !== $main && $main['url'] === $form['url'] ? $main['preset'] : null;
	// What else the endpoint has was set on its own page.
	$others = null === $main ? array() : posthorn_for_queue( array( 'secret' => '' ) + $main ) ?? array();
	if ( null !== $main && ! posthorn_is_same_receiver( $main['url'], $form['url'] ) ) {
		unset( $others['headers'] );
	}
	return array(
		'id'            => $main['id'] ?? POSTHORN_MAIN_ENDPOINT,
		'url'           => $form['url'],
		'preset'        => $preset ?? posthorn_client_preset( $form['url'] )['name'] ?? null,
		'events'        => posthorn_form_events( $form ),
		'secret'        => $secret,
		'allow_private' => posthorn_form_allow_private( $form ),
		'enabled'       => $form['enabled'],
	) + $others;
}

/**
 * Which private addresses the endpoint of a form may call.
 *
 * Where the user may not decide that, it is what was allowed before for the same host and port: who is allowed
 * one machine of a network is not allowed the others. A list, which the form does not show, stays until the box is ticked.
 *
 * @param array $form A form.
 * @return bool|string[]
 */
function posthorn_form_allow_private( array $form ) {
	$stored = posthorn_main_endpoint( posthorn_settings() );
	$same   = null !== $stored && posthorn_place_of( $stored['url'] ) === posthorn_place_of( $form['url'] );
	$before = $same ? $stored['allow_private'] : false;
	if ( ! posthorn_may_allow_private() ) {
		return $before;
	}
	return $form['allow_private'] ? true : ( is_array( $before ) ? $before : false );
}

/**
 * What is wrong with a form.
 *
 * @param array $form A form.
 * @return array<string,string> Field (`url`, `events`, `secret`, or `form` for what belongs to none) => message.
 */
function posthorn_form_mistakes( array $form ): array {
	$mistakes = array();
	if ( '' === $form['url'] ) {
		$mistakes['url'] = __( 'Enter the address that your receiver gave you. It starts with https://', 'posthorn' );
	}
	$main = posthorn_main_endpoint( posthorn_settings() );
	if ( ! isset( $mistakes['url'] ) && ! empty( $main['headers'] ) && ! posthorn_is_same_receiver( $main['url'], $form['url'] ) ) {
		$mistakes['url'] = __( 'This address leads to another receiver than the one that is saved, for which headers with passwords may have been entered. Change it under Endpoints, where their values are entered again.', 'posthorn' );
	}
	if ( array() === posthorn_form_events( $form ) ) {
		$mistakes['events'] = __( 'Choose at least one event, or type * for all.', 'posthorn' );
	}
	if ( $form['remove_secret'] && '' !== $form['secret'] ) {
		$mistakes['secret'] = __( 'You entered a secret and ticked that it be removed: do only one of the two.', 'posthorn' );
	}
	try {
		$endpoint = posthorn_form_endpoint( $form );
		$mistakes = $mistakes + posthorn_mistakes_of_endpoint( $endpoint, array_keys( $mistakes ) );
		require_once dirname( __DIR__ ) . '/formats.php';
		return isset( $mistakes['events'] ) ? $mistakes : $mistakes + array_filter( array( 'events' => posthorn_idle_pattern( $endpoint ) ) );
	} catch ( RuntimeException $error ) {
		// Of the queue (\Posthorn\Exception is one), or of the stored secret.
		$field = str_starts_with( get_class( $error ), 'Posthorn\\' ) ? 'form' : 'secret';
		return $mistakes + array( $field => ucfirst( $error->getMessage() ) );
	}
}

/**
 * Asks the extension what is wrong with an endpoint. It names one thing at a time, so each field with a mistake is
 * replaced by one that is in order, until nothing is left to find.
 *
 * @param array    $endpoint An endpoint.
 * @param string[] $known    Fields whose mistake is known already.
 * @return array<string,string> Field => message.
 */
function posthorn_mistakes_of_endpoint( array $endpoint, array $known ): array {
	$in_order = array(
		'url'    => 'https://example.com/',
		'events' => array( '*' ),
		'secret' => '',
	);
	$endpoint = array_merge( $endpoint, array_intersect_key( $in_order, array_flip( $known ) ) );
	$mistakes = array();
	for ( $i = 0; $i < POSTHORN_MOST_MISTAKES; $i++ ) {
		$mistake = posthorn_client_check( $endpoint );
		if ( null === $mistake ) {
			break;
		}
		if ( ! isset( $in_order[ $mistake['key'] ] ) || isset( $mistakes[ $mistake['key'] ] ) ) {
			$mistakes['form'] = $mistake['message'];
			break;
		}
		$mistakes[ $mistake['key'] ] = $mistake['message'];
		$endpoint[ $mistake['key'] ] = $in_order[ $mistake['key'] ];
	}
	return $mistakes;
}

/**
 * Saves a form that has no mistakes and hands it to the queue.
 *
 * @param array $form A form.
 * @return array<string,string> Empty if it was saved; otherwise `form` => why not.
 * @throws RuntimeException When a secret can neither be encrypted nor decrypted.
 */
function posthorn_form_save( array $form ): array {
	$settings = posthorn_settings();
	$stored   = posthorn_main_endpoint( $settings ) ?? posthorn_default_endpoint();
	$typed    = array_intersect_key( posthorn_form_endpoint( $form ), array_flip( array( 'url', 'preset', 'events', 'allow_private', 'enabled' ) ) );
	$endpoint = array_merge( $stored, $typed, array( 'updated_at' => posthorn_now() ) );
	unset( $endpoint['leaving'] ); // Saved, it is wanted.
	if ( $form['remove_secret'] ) {
		$endpoint['secret'] = '';
	} elseif ( '' !== $form['secret'] ) {
		require_once dirname( __DIR__ ) . '/secrets.php';
		$endpoint['secret'] = posthorn_encrypt( $form['secret'] );
	}
	$others = array_filter( $settings['endpoints'], static fn( array $other ): bool => $endpoint['id'] !== $other['id'] );

	$settings['revision']     = $form['revision'];
	$settings['endpoints']    = array_merge( array( $endpoint ), array_values( $others ) );
	$settings['delete_queue'] = $form['delete_queue'];

	$saved = posthorn_replace_settings( $settings );
	if ( null === $saved ) {
		return array( 'form' => __( 'Nothing was saved: these settings were saved somewhere else after you opened this page. What you typed is still below. Compare it with the stored settings (open this page in a second window), then press “Save changes” again to replace them.', 'posthorn' ) );
	}
	posthorn_hand_over( $saved['revision'] );
	return array();
}

/**
 * The events that the page offers to tick: those of the CRM's own webhooks.
 *
 * @return array[] Entries of the catalogue.
 */
function posthorn_offered_events(): array {
	$offered = static fn( array $event ): bool => in_array( 'wpresidence', (array) $event['systems'], true );
	return array_values( array_filter( posthorn_client_events(), $offered ) );
}
