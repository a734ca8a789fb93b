<?php
/**
 * The tab "Endpoints": which of its screens is open, what was posted to it, and the buttons in its list.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/endpoints.php';
require_once dirname( __DIR__ ) . '/secrets.php';
require_once __DIR__ . '/fields.php';
require_once __DIR__ . '/endpoint-form.php';
require_once __DIR__ . '/endpoint-fields.php';
require_once __DIR__ . '/endpoint-advanced.php';
require_once __DIR__ . '/endpoints-list.php';

/**
 * The endpoint that the address names.
 *
 * @return string Its id, `new`, or empty for the list.
 */
function posthorn_named_endpoint(): string {
	// phpcs:ignore WordPress.Security.NonceVerification -- Only reads.
	return sanitize_text_field( wp_unslash( $_GET['endpoint'] ?? '' ) );
}

/**
 * What this request has to show in the form.
 *
 * @param array|null $set Optional. What it is from now on.
 * @return array|null form, mistakes, result, tried, generated; null if nothing was posted.
 */
function posthorn_endpoint_page_state( ?array $set = null ): ?array {
	static $state = null;
	$state        = $set ?? $state;
	return $state;
}

/**
 * Handles what was posted to the form.
 */
function posthorn_handle_endpoint_post(): void {
	// phpcs:disable WordPress.Security.NonceVerification -- It is what this looks at first.
	$genuine  = (bool) wp_verify_nonce( sanitize_key( wp_unslash( $_POST['posthorn_nonce'] ?? '' ) ), 'posthorn_endpoint' );
	$form     = posthorn_endpoint_form_typed( wp_unslash( $_POST ) );
	$pressed  = isset( $_POST['use_address'] ) ? 'posthorn_test' : array_values( array_intersect( array( 'posthorn_try', 'posthorn_test', 'posthorn_preview', 'posthorn_sample', 'posthorn_generate' ), array_keys( $_POST ) ) )[0] ?? 'posthorn_save';
	// phpcs:enable
	$id         = posthorn_named_endpoint();
	$id         = 'new' === $id ? '' : $id;
	$form['id'] = $id;
	$state      = array(
		'form'      => $form,
		'mistakes'  => array(),
		'result'    => '',
		'tried'     => '',
		'generated' => '',
	);
	$given      = posthorn_endpoint_given( $form, $state['mistakes'] );
	if ( ! $genuine ) {
		status_header( 403 );
		$state['mistakes'] = array( 'form' => posthorn_expired_message() );
	} elseif ( 'posthorn_try' === $pressed ) {
		$state['mistakes'] = array_intersect_key( $state['mistakes'], array( 'filters' => true ) );
		$state['tried']    = array() === $state['mistakes'] ? posthorn_tried_filters( $given['filters'], $given['events'], posthorn_form_format( $form ) ) : '';
	} elseif ( 'posthorn_generate' === $pressed ) {
		$state['mistakes']  = array();
		$state['generated'] = posthorn_client_generate_secret( null === posthorn_format_of( posthorn_form_format( $form ) ) ? '' : posthorn_form_format( $form ) );
	} elseif ( 'posthorn_sample' === $pressed ) {
		$state['mistakes'] = array(); // The form shows it.
	} elseif ( 'posthorn_test' === $pressed || 'posthorn_preview' === $pressed ) {
		list( $state['result'], $state['mistakes'] ) = posthorn_test_typed_endpoint( $id, $given, $state['mistakes'] );
	} else {
		$state['mistakes'] = posthorn_save_typed_endpoint( $form, $given, $state['mistakes'] );
		// A second "Save changes" is then meant to replace what somebody else saved.
		$state['form']['revision'] = posthorn_settings()['revision'];
	}
	posthorn_endpoint_page_state( $state );
}

/**
 * Saves what was typed, and goes to the list.
 *
 * @param array                $form     A form.
 * @param array                $given    What the model takes of it.
 * @param array<string,string> $mistakes Those that are known already.
 * @return array<string,string> Field => message; `form` for what belongs to none.
 */
function posthorn_save_typed_endpoint( array $form, array $given, array $mistakes ): array {
	if ( array() !== $mistakes ) {
		// All at once, with those that the model finds.
		return $mistakes + posthorn_model_mistakes( posthorn_checked_or_error( $form['id'], $given ) );
	}
	$saved = '' === $form['id'] ? posthorn_add_endpoint( $given, $form['revision'] ) : posthorn_change_endpoint( $form['id'], $given, $form['revision'] );
	if ( is_wp_error( $saved ) ) {
		return posthorn_model_mistakes( $saved );
	}
	wp_safe_redirect( posthorn_page_url( array( 'tab' => 'endpoints', 'done' => '' === $form['id'] ? 'added' : 'saved' ) ) ); // phpcs:ignore WordPress.Arrays
	exit;
}

/**
 * A typed endpoint, checked and in plain text.
 *
 * @param string $id    The endpoint's id; empty for a new one.
 * @param array  $given What the model takes.
 * @return array|WP_Error
 */
function posthorn_checked_or_error( string $id, array $given ) {
	$stored = posthorn_stored_endpoint( posthorn_settings(), $id );
	if ( null === $stored && '' !== $id ) {
		return posthorn_no_such_endpoint( $id );
	}
	try {
		return posthorn_checked_endpoint( $stored ?? posthorn_default_endpoint(), $given );
	} catch ( \Throwable $error ) {
		return posthorn_endpoints_unavailable( $error );
	}
}

/**
 * Mistakes by the form's fields.
 *
 * @param array|WP_Error $answer What the model said.
 * @return array<string,string> Field => message; `form` for what belongs to none.
 */
function posthorn_model_mistakes( $answer ): array {
	if ( ! is_wp_error( $answer ) ) {
		return array();
	}
	$mistakes = (array) ( $answer->get_error_data()['mistakes'] ?? array( 'form' => $answer->get_error_message() ) );
	if ( isset( $mistakes['allow_private'] ) ) {
		// Beside the tick nothing can be wrong with it.
		$mistakes['private_addresses'] = $mistakes['allow_private'];
		unset( $mistakes['allow_private'] );
	}
	$strange  = array_diff_key( $mistakes, posthorn_endpoint_form( null ), array( 'form' => true ) );
	foreach ( $strange as $key => $message ) {
		// Set by another door, and not in the form. What was kept for later is all that there is of a rotation's end.
		$mistakes['form'] = "$key: $message";
	}
	return array_diff_key( $mistakes, $strange );
}

/**
 * Tests what was typed.
 *
 * @param string               $id       The endpoint's id; empty for a new one.
 * @param array                $given    What the model takes.
 * @param array<string,string> $mistakes Those that are known already.
 * @return array{0:string,1:array<string,string>} The result as HTML, and field => mistake.
 */
function posthorn_test_typed_endpoint( string $id, array $given, array $mistakes ): array {
	// Which events and records are chosen does not matter for a test.
	unset( $mistakes['events'], $mistakes['filters'] );
	$endpoint = posthorn_checked_or_error( $id, array( 'events' => array( '*' ), 'filters' => array() ) + $given ); // phpcs:ignore WordPress.Arrays
	$mistakes = $mistakes + posthorn_model_mistakes( $endpoint );
	if ( array() !== $mistakes ) {
		$message = $mistakes['form'] ?? __( 'The test was not sent: see the message beside the field.', 'posthorn' );
		return array( posthorn_result_message( $message ), array_diff_key( $mistakes, array( 'form' => true ) ) );
	}
	$result = posthorn_try_choice( array_intersect_key( $endpoint, array_flip( POSTHORN_ENDPOINT_KEYS ) ), $mistakes );
	return array( str_replace( 'form="posthorn-form"', 'form="posthorn-endpoint-form"', $result ), $mistakes );
}

/**
 * Prints the tab.
 */
function posthorn_print_endpoints_tab(): void {
	$id = posthorn_named_endpoint();
	// phpcs:ignore WordPress.Security.NonceVerification -- Only reads.
	$deleting = isset( $_GET['delete'] );
	if ( '' === $id ) {
		posthorn_print_endpoint_list();
		return;
	}
	$stored = 'new' === $id ? null : posthorn_find_endpoint( $id );
	echo '<p><a href="' . esc_url( posthorn_page_url( array( 'tab' => 'endpoints' ) ) ) . '">' . esc_html__( '← All endpoints', 'posthorn' ) . '</a></p>';
	if ( null === $stored && 'new' !== $id ) {
		echo '<p class="posthorn-empty">' . esc_html__( 'There is no such endpoint any more.', 'posthorn' ) . '</p>';
		return;
	}
	if ( ! empty( $stored['read_only'] ) ) {
		echo '<p class="posthorn-empty">' . esc_html__( 'This endpoint is defined in wp-config.php and can be changed there only.', 'posthorn' ) . '</p>';
		return;
	}
	if ( $deleting && null !== $stored ) {
		posthorn_print_delete_question( $stored );
		return;
	}
	$state = posthorn_endpoint_page_state() ?? array(
		'form'      => posthorn_endpoint_form( $stored ),
		'mistakes'  => array(),
		'result'    => '',
		'tried'     => empty( $stored['filters'] ) ? '' : posthorn_tried_filters( $stored['filters'], (array) $stored['events'], posthorn_form_format( posthorn_endpoint_form( $stored ) ) ),
		'generated' => '',
	);
	/* translators: %s: name of an endpoint. */
	echo '<h2>' . esc_html( null === $stored ? __( 'Add an endpoint', 'posthorn' ) : sprintf( __( 'Edit %s', 'posthorn' ), posthorn_endpoint_name( $stored ) ) ) . '</h2>';
	if ( array() !== $state['mistakes'] && '' === $state['result'] ) {
		$message = $state['mistakes']['form'] ?? __( 'Nothing was saved: see the message beside the field.', 'posthorn' );
		echo '<div class="notice notice-error inline" role="alert" style="overflow-wrap:anywhere"><p>' . esc_html( $message ) . '</p></div>';
	}
	if ( ! empty( $stored['leaving'] ) ) {
		echo '<div class="notice notice-warning inline"><p>' . esc_html__( 'This endpoint is sent what waits and is then deleted. If you save it, it stays.', 'posthorn' ) . '</p></div>';
	}
	posthorn_print_endpoint_form( $state['form'], $stored, $state['mistakes'], $state );
}

/**
 * Answers the buttons of the list and of the question before deleting.
 */
function posthorn_endpoint_decided(): void {
	posthorn_require_owner( 'posthorn_endpoint' );
	// phpcs:disable WordPress.Security.NonceVerification -- Checked above.
	list( $what, $id ) = array_pad( explode( ':', sanitize_text_field( wp_unslash( $_POST['do'] ?? '' ) ), 2 ), 2, '' );
	$waiting           = sanitize_key( wp_unslash( $_POST['waiting'] ?? 'cancel' ) );
	// phpcs:enable
	switch ( $what ) {
		case 'enable':
		case 'disable':
			$answer = posthorn_change_endpoint( $id, array( 'enabled' => 'enable' === $what ) );
			break;
		case 'duplicate':
			$answer = posthorn_duplicate_endpoint( $id );
			break;
		case 'resume':
			$answer = posthorn_resume_endpoint( $id );
			break;
		case 'delete':
			$answer = posthorn_delete_endpoint( $id, $waiting );
			break;
		default:
			$answer = posthorn_no_such_endpoint( $id );
	}
	$done = array( 'tab' => 'endpoints' );
	if ( is_wp_error( $answer ) ) {
		set_transient( 'posthorn_endpoint_error_' . get_current_user_id(), $answer->get_error_message(), MINUTE_IN_SECONDS );
		$done['done'] = 'error';
	} else {
		$done['done'] = 'delete' === $what && $answer['leaving'] ? 'leaving' : $what;
	}
	wp_safe_redirect( posthorn_page_url( $done ) );
	exit;
}
