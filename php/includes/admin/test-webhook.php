<?php
/**
 * The button "Test Webhook": sends to what is typed, saved or not.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/test-choice.php';

/**
 * Answers the button where there is JavaScript: with the result as HTML and, per field, what is wrong.
 */
function posthorn_answer_test(): void {
	if ( ! current_user_can( 'manage_posthorn' ) ) {
		wp_send_json_error( array( 'html' => posthorn_result_message( __( 'Only administrators may test the receiver.', 'posthorn' ) ) ), 403 );
	}
	if ( ! check_ajax_referer( 'posthorn_settings', 'posthorn_nonce', false ) ) {
		wp_send_json_error( array( 'html' => posthorn_result_message( posthorn_expired_message() ) ), 403 );
	}
	$form                    = posthorn_form_typed( wp_unslash( $_POST ) );
	list( $html, $mistakes ) = posthorn_run_test( $form );
	wp_send_json_success(
		array(
			'html'     => $html,
			'mistakes' => $mistakes,
		)
	);
}

/**
 * Tests what a form describes.
 *
 * @param array $form A form.
 * @return array{0:string,1:array<string,string>} The result as HTML, and field => mistake.
 */
function posthorn_run_test( array $form ): array {
	// Which events are chosen does not matter for a test.
	$mistakes = array_diff_key( posthorn_form_mistakes( $form ), array( 'events' => true ) );
	if ( array() !== $mistakes ) {
		$message = $mistakes['form'] ?? __( 'The test was not sent: see the message beside the field.', 'posthorn' );
		return array( posthorn_result_message( $message ), $mistakes );
	}
	try {
		$endpoint = posthorn_form_endpoint( $form );
	} catch ( \Throwable $error ) {
		return array( posthorn_result_message( posthorn_readable( $error->getMessage() ) ), array() );
	}
	$result = posthorn_try_choice( $endpoint, $mistakes );
	return array( $result, $mistakes );
}

/**
 * A test's result as HTML.
 *
 * @param array $result What posthorn_test() returned.
 */
function posthorn_result_html( array $result ): string {
	$html  = '<div class="notice inline ' . ( $result['ok'] ? 'notice-success' : 'notice-error' ) . '">';
	$html .= '<p><strong>' . esc_html( $result['title'] ) . '</strong></p>';
	if ( '' !== $result['advice'] ) {
		$html .= '<p>' . esc_html( ucfirst( $result['advice'] ) ) . '</p>';
	}
	if ( '' !== $result['location'] ) {
		$html .= '<p><button form="posthorn-form" class="button" name="use_address" value="' . esc_attr( $result['location'] ) . '">' . esc_html__( 'Use that address', 'posthorn' ) . '</button></p>';
	}
	$html .= '<dl class="posthorn-facts">';
	if ( null !== $result['status'] ) {
		$html .= '<dt>' . esc_html__( 'Status', 'posthorn' ) . '</dt><dd>' . esc_html( posthorn_status_name( $result['status'] ) ) . '</dd>';
	}
	$html .= '<dt>' . esc_html__( 'Time taken', 'posthorn' ) . '</dt><dd>' . esc_html( posthorn_duration( $result['duration_ms'] ) ) . '</dd>';
	if ( null !== $result['status'] ) {
		$answer = '' === $result['answer'] ? '<em>' . esc_html__( '(empty)', 'posthorn' ) . '</em>' : '<code>' . esc_html( $result['answer'] ) . '</code>';
		$html  .= '<dt>' . esc_html__( 'Answer', 'posthorn' ) . '</dt><dd>' . $answer . '</dd>';
	}
	return $html . '</dl></div>';
}

/**
 * Why no test was sent, as HTML.
 *
 * @param string $message The reason.
 */
function posthorn_result_message( string $message ): string {
	return '<div class="notice inline notice-error"><p>' . esc_html( $message ) . '</p></div>';
}

/**
 * A duration as text.
 *
 * @param float $ms Milliseconds.
 */
function posthorn_duration( float $ms ): string {
	if ( $ms < 1000 ) {
		/* translators: %s: a number of milliseconds. */
		return sprintf( __( '%s ms', 'posthorn' ), number_format_i18n( $ms, $ms < 10 ? 1 : 0 ) );
	}
	/* translators: %s: a number of seconds. */
	return sprintf( __( '%s s', 'posthorn' ), number_format_i18n( $ms / 1000, 1 ) );
}

/**
 * What is said to a form whose nonce is missing or too old.
 */
function posthorn_expired_message(): string {
	return __( 'Nothing was saved or sent: this form was open for too long, or was not sent from this page. Check what is below and press the button again.', 'posthorn' );
}
