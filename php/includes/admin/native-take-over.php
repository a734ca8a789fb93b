<?php
/**
 * Taking a receiver over from the CRM: its settings go into the form, a test is sent, and saving the form decides.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Answers "Take over": fills the form and tests it. Nothing is stored.
 */
function posthorn_native_take_over(): void {
	posthorn_require_owner( 'posthorn_native' );
	$key = sanitize_key( wp_unslash( $_POST['key'] ?? '' ) ); // phpcs:ignore WordPress.Security.NonceVerification -- Checked above.
	$url = posthorn_native_seen()[ $key ]['url'] ?? '';
	if ( '' === $url ) {
		return;
	}
	require_once dirname( __DIR__ ) . '/crm/native-settings.php';
	$copied                    = posthorn_native_form( $url );
	list( $result, $mistakes ) = posthorn_run_test( $copied['form'] );
	unset( $mistakes['form'] ); // It is in the result.
	posthorn_page_state(
		array(
			'form'     => $copied['form'],
			'mistakes' => $mistakes,
			'result'   => $result,
		)
	);
	posthorn_native_copied( $copied );
}

/**
 * What this request has copied from the CRM's settings.
 *
 * @param array|null $set Optional. What posthorn_native_form() returned.
 */
function posthorn_native_copied( ?array $set = null ): ?array {
	static $copied = null;
	$copied        = $set ?? $copied;
	return $copied;
}

/**
 * The receiver that is being taken over.
 *
 * @return string Its key; empty if none is.
 */
function posthorn_native_taking_over(): string {
	// phpcs:disable WordPress.Security.NonceVerification -- Only words; the doors that change something check it.
	$key = sanitize_key( wp_unslash( $_POST['taking_over'] ?? '' ) );
	if ( null !== posthorn_native_copied() ) {
		$key = sanitize_key( wp_unslash( $_POST['key'] ?? '' ) );
	}
	// phpcs:enable
	return isset( posthorn_native_seen()[ $key ] ) ? $key : '';
}

/**
 * The form was saved: if a receiver was being taken over, the CRM's calls to it are answered from now on.
 *
 * @param string $target The URL that was saved.
 */
function posthorn_native_saved( string $target ): void {
	$key = posthorn_native_taking_over();
	if ( '' !== $key ) {
		posthorn_native_silence( $key, posthorn_native_seen()[ $key ]['url'], $target );
	}
}

/**
 * Prints the panel that leads through taking a receiver over, if one is.
 *
 * @param string $result A test's result as HTML.
 * @return string The receiver's key; empty if none is being taken over.
 */
function posthorn_native_print_take_over( string $result ): string {
	$key = posthorn_native_taking_over();
	if ( '' === $key ) {
		return '';
	}
	$url = posthorn_native_seen()[ $key ]['url'];
	echo '<section class="posthorn-panel posthorn-panel-step" aria-labelledby="posthorn-take-over-heading"><h2 id="posthorn-take-over-heading">';
	/* translators: %s: an address. */
	echo esc_html( sprintf( __( 'Taking over %s from the CRM', 'posthorn' ), posthorn_native_short_url( $url ) ) ) . '</h2>';
	$copied = posthorn_native_copied();
	if ( null !== $copied ) {
		echo '<p>' . esc_html__( 'What could be read of the CRM’s settings was put into the form below:', 'posthorn' ) . '</p><ul>';
		foreach ( posthorn_native_copied_words( $copied, $url ) as $words ) {
			echo '<li>' . wp_kses( $words, array( 'code' => array() ) ) . '</li>';
		}
		echo '</ul>';
	}
	// Before the test's result: Enter in a field presses the form's first button, and that must be this one.
	echo '<p>' . wp_kses( __( '<strong>Nothing is changed yet.</strong> Check the form below, then save: from then on Posthorn sends to this receiver, and the CRM’s own calls to it are answered here instead of being sent.', 'posthorn' ), array( 'strong' => array() ) ) . '</p>'
		. '<p><button form="posthorn-form" class="button button-primary" name="posthorn_save" value="1">' . esc_html__( 'Save and take over', 'posthorn' ) . '</button> '
		. '<a class="button" href="' . esc_url( posthorn_page_url() ) . '">' . esc_html__( 'Leave it to the CRM', 'posthorn' ) . '</a></p>'
		. wp_kses( $result, posthorn_result_tags() );
	// Belongs to the form below, wherever it stands.
	echo '<input type="hidden" form="posthorn-form" name="taking_over" value="' . esc_attr( $key ) . '"></section>';
	return $key;
}

/**
 * What was copied, in words, HTML.
 *
 * @param array  $copied What posthorn_native_form() returned.
 * @param string $url    The URL that the CRM calls.
 * @return string[]
 */
function posthorn_native_copied_words( array $copied, string $url ): array {
	$words = array( esc_html__( 'URL: the address that the CRM was seen calling.', 'posthorn' ) );
	if ( 'another' === posthorn_native_our_receiver( $url ) ) {
		/* translators: %s: an address. */
		$words[0] .= ' ' . sprintf( esc_html__( 'It takes the place of the receiver that is saved here (%s).', 'posthorn' ), posthorn_native_address( posthorn_main_endpoint( posthorn_settings() )['url'] ) );
	}
	$words[] = $copied['all']
		? esc_html__( 'Events: the CRM’s choice could not be read, or is all of them, so all are ticked. Untick what this receiver does not want.', 'posthorn' )
		: esc_html__( 'Events: ticked as in the CRM.', 'posthorn' );
	if ( array() !== $copied['unknown'] ) {
		/* translators: %s: names of events. */
		$words[] = sprintf( esc_html__( 'Events that Posthorn does not make: %s. The CRM goes on to send these itself.', 'posthorn' ), '<code>' . implode( '</code> <code>', array_map( 'esc_html', $copied['unknown'] ) ) . '</code>' );
	}
	$words[] = array(
		'copied'  => esc_html__( 'Secret: copied. It is not shown, and is stored encrypted when you save.', 'posthorn' ),
		'none'    => esc_html__( 'Secret: the CRM has none for this receiver.', 'posthorn' ),
		'unknown' => esc_html__( 'Secret: it could not be read. If the CRM signs its webhooks, paste its secret into the field.', 'posthorn' ),
	)[ $copied['secret'] ];
	return $words;
}
