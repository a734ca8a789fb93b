<?php
/**
 * The settings form, field by field.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Prints the form.
 *
 * @param array                $form     What is in it.
 * @param array<string,string> $mistakes Field => message.
 * @param string               $result   A test's result as HTML.
 */
function posthorn_print_form( array $form, array $mistakes, string $result ): void {
	// WordPress's own validation only; the browser's would hide ours.
	echo '<form id="posthorn-form" method="post" action="' . esc_url( posthorn_page_url() ) . '" novalidate>';
	wp_nonce_field( 'posthorn_settings', 'posthorn_nonce' );
	echo '<input type="hidden" name="revision" value="' . esc_attr( (string) $form['revision'] ) . '">';
	echo '<table class="form-table" role="presentation">';
	posthorn_print_url_row( $form, $mistakes );
	posthorn_print_events_row( $form, $mistakes );
	posthorn_print_secret_row( $form, $mistakes );
	posthorn_print_switches( $form );
	echo '</table>';
	echo '<p class="submit">';
	submit_button( __( 'Save changes', 'posthorn' ), 'primary', 'posthorn_save', false );
	echo ' ';
	submit_button( __( 'Test Webhook', 'posthorn' ), 'secondary', 'posthorn_test', false, array( 'aria-describedby' => 'posthorn-test-help' ) );
	echo ' <span id="posthorn-test-help" class="description">' . esc_html__( 'Sends a made-up contact to what is entered above, saved or not.', 'posthorn' ) . '</span></p>';
	posthorn_print_test_choice( $mistakes );
	echo '<div id="posthorn-result" aria-live="polite">' . wp_kses( $result, posthorn_result_tags() ) . '</div></form>';
}

/**
 * The HTML that a test's result may consist of.
 */
function posthorn_result_tags(): array {
	$tags                   = wp_kses_allowed_html( 'post' );
	$tags['button']['form'] = true;
	return $tags;
}

/**
 * Prints a mistake beside its field, and the place for one that a test finds.
 *
 * @param string               $field    The field.
 * @param array<string,string> $mistakes Field => message.
 */
function posthorn_print_mistake( string $field, array $mistakes ): void {
	$message = $mistakes[ $field ] ?? '';
	printf( '<p class="posthorn-mistake" id="posthorn-%1$s-mistake"%2$s>%3$s</p>', esc_attr( $field ), '' === $message ? ' hidden' : '', esc_html( $message ) );
}

/**
 * The attributes that tie a field to its mistake and its description.
 *
 * @param string               $field    The field.
 * @param array<string,string> $mistakes Field => message.
 */
function posthorn_field_attributes( string $field, array $mistakes ): string {
	return sprintf( ' aria-describedby="posthorn-%1$s-mistake posthorn-%1$s-help"%2$s', esc_attr( $field ), isset( $mistakes[ $field ] ) ? ' aria-invalid="true"' : '' );
}

/**
 * Prints the URL.
 *
 * @param array                $form     What is in the form.
 * @param array<string,string> $mistakes Field => message.
 */
function posthorn_print_url_row( array $form, array $mistakes ): void {
	echo '<tr><th scope="row"><label for="posthorn-url">' . esc_html__( 'Webhook URL', 'posthorn' ) . '</label></th><td>';
	// Type text: with type url, browsers remove what the owner should be told about.
	printf(
		'<input type="text" inputmode="url" class="large-text code" id="posthorn-url" name="url" value="%s" placeholder="https://" autocomplete="off" autocapitalize="off" spellcheck="false"%s>',
		esc_attr( $form['url'] ),
		posthorn_field_attributes( 'url', $mistakes ) // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped there.
	);
	posthorn_print_mistake( 'url', $mistakes );
	echo '<p class="description" id="posthorn-url-help">' . esc_html__( 'The address that your receiver gave you: Zapier, Make, n8n, another CRM.', 'posthorn' ) . '</p>';
	$known = posthorn_preset_words( posthorn_client_preset( $form['url'] ) );
	if ( '' !== $known ) {
		echo '<p class="description posthorn-preset">' . esc_html( $known ) . '</p>';
	}
	$may = posthorn_may_allow_private();
	printf(
		'<p><label><input type="checkbox" name="allow_private" value="1"%s%s> %s</label></p>',
		checked( $form['allow_private'], true, false ),
		disabled( $may, false, false ),
		esc_html__( 'This receiver is on my own network (otherwise private addresses are never called)', 'posthorn' )
	);
	if ( ! $may ) {
		echo '<p class="description">' . esc_html__( 'Only the network’s administrator can change this. It then holds for this host and port.', 'posthorn' ) . '</p>';
	}
	echo '</td></tr>';
}

/**
 * What follows from who the receiver is, in one line; empty if nothing does.
 *
 * @param array|null $preset What posthorn_client_preset() returned.
 */
function posthorn_preset_words( ?array $preset ): string {
	if ( 'slack' === ( $preset['format'] ?? null ) ) {
		return __( 'This is the address of a chat: it is sent one line of text for each event, at most one a second, and no signature.', 'posthorn' );
	}
	if ( null !== $preset && null !== $preset['rate_per_second'] ) {
		/* translators: 1: name of a service such as Zapier, 2: a number. */
		return sprintf( __( 'This is a %1$s address: at most %2$s requests a second.', 'posthorn' ), $preset['title'], number_format_i18n( $preset['rate_per_second'] ) );
	}
	if ( null !== $preset && null !== $preset['max_body_bytes'] ) {
		/* translators: 1: name of a service such as Make, 2: a size such as 5 MB. */
		return sprintf( __( 'This is a %1$s address: it takes %2$s at most, larger events fail.', 'posthorn' ), $preset['title'], size_format( $preset['max_body_bytes'] ) );
	}
	return '';
}

/**
 * Prints the events: those of the CRM to tick, and a line for others.
 *
 * @param array                $form     What is in the form.
 * @param array<string,string> $mistakes Field => message.
 */
function posthorn_print_events_row( array $form, array $mistakes ): void {
	echo '<tr><th scope="row">' . esc_html__( 'Events', 'posthorn' ) . '</th><td>';
	$groups = array();
	foreach ( posthorn_offered_events() as $event ) {
		$groups[ $event['group'] ][] = $event;
	}
	echo '<div class="posthorn-events">';
	foreach ( $groups as $group => $events ) {
		echo '<fieldset><legend>' . esc_html( $group ) . '</legend>';
		foreach ( $events as $event ) {
			printf(
				'<label><input type="checkbox" name="events[]" value="%1$s"%2$s><span><code>%3$s</code> <span class="posthorn-meaning">%4$s</span></span></label>',
				esc_attr( $event['name'] ),
				checked( in_array( $event['name'], $form['events'], true ), true, false ),
				esc_html( $event['name'] ),
				esc_html( $event['meaning'] )
			);
		}
		echo '</fieldset>';
	}
	echo '</div>';
	printf(
		'<p><label for="posthorn-other-events">%1$s</label><br><input type="text" class="large-text code" id="posthorn-other-events" name="other_events" value="%2$s" autocomplete="off" autocapitalize="off" spellcheck="false"%3$s></p>',
		esc_html__( 'Other events (separate with commas)', 'posthorn' ),
		esc_attr( $form['other_events'] ),
		posthorn_field_attributes( 'events', $mistakes ) // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped there.
	);
	posthorn_print_mistake( 'events', $mistakes );
	echo '<p class="description" id="posthorn-events-help">' . wp_kses( __( 'Ticked and typed events count together. <code>deal.*</code> means every event about deals, <code>*</code> every event there is.', 'posthorn' ), array( 'code' => array() ) ) . '</p></td></tr>';
}

/**
 * Prints the secret, which is never printed itself.
 *
 * @param array                $form     What is in the form.
 * @param array<string,string> $mistakes Field => message.
 */
function posthorn_print_secret_row( array $form, array $mistakes ): void {
	$stored = '' !== ( posthorn_main_endpoint( posthorn_settings() )['secret'] ?? '' );
	$kept   = isset( $mistakes['secret'] ) ? '' : posthorn_kept_secret( $form['secret'] );
	$inside = '';
	if ( '' !== $kept ) {
		$inside = __( 'What you typed is kept', 'posthorn' );
	} elseif ( $stored ) {
		$inside = __( 'A secret is saved', 'posthorn' );
	}
	echo '<tr><th scope="row"><label for="posthorn-secret">' . esc_html__( 'Secret', 'posthorn' ) . '</label></th><td>';
	printf(
		'<input type="password" class="regular-text code" id="posthorn-secret" name="secret" value="" placeholder="%s" autocomplete="new-password" spellcheck="false"%s> ',
		esc_attr( $inside ),
		posthorn_field_attributes( 'secret', $mistakes ) // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped there.
	);
	echo '<button type="button" class="button hide-if-no-js" id="posthorn-make-secret">' . esc_html__( 'Generate secret', 'posthorn' ) . '</button>';
	echo '<input type="hidden" name="kept_secret" value="' . esc_attr( $kept ) . '">';
	posthorn_print_mistake( 'secret', $mistakes );
	echo '<p class="posthorn-copy" id="posthorn-copy" aria-live="polite"></p>';
	echo '<p class="description" id="posthorn-secret-help">' . esc_html__( 'Optional. With it, every webhook is signed (header X-CRM-Signature), so your receiver can tell that it comes from you. Leave the field empty to keep what is saved.', 'posthorn' ) . '</p>';
	if ( $stored ) {
		printf(
			'<p><label><input type="checkbox" name="remove_secret" value="1"%s> %s</label></p>',
			checked( $form['remove_secret'], true, false ),
			esc_html__( 'Remove the secret and send unsigned', 'posthorn' )
		);
	}
	echo '</td></tr>';
}

/**
 * A typed secret that is not saved yet, encrypted, so that the page can carry it to the next attempt without showing it.
 *
 * @param string $secret What was typed.
 * @return string Empty if nothing was, or if it cannot be encrypted; then it has to be typed again.
 */
function posthorn_kept_secret( string $secret ): string {
	if ( '' === $secret ) {
		return '';
	}
	require_once dirname( __DIR__ ) . '/secrets.php';
	try {
		return posthorn_encrypt( posthorn_kept_mark() . $secret );
	} catch ( \Throwable $error ) {
		return '';
	}
}

/**
 * Prints the switches.
 *
 * @param array $form What is in the form.
 */
function posthorn_print_switches( array $form ): void {
	$switches = array(
		'enabled'      => array( __( 'Sending', 'posthorn' ), __( 'Send webhooks to this receiver', 'posthorn' ) ),
		'delete_queue' => array( __( 'Uninstalling', 'posthorn' ), __( 'When the plugin is deleted, delete the queue too, with everything that was not delivered', 'posthorn' ) ),
	);
	foreach ( $switches as $name => list( $heading, $label ) ) {
		printf(
			'<tr><th scope="row">%1$s</th><td><label><input type="checkbox" name="%2$s" value="1"%3$s> %4$s</label></td></tr>',
			esc_html( $heading ),
			esc_attr( $name ),
			checked( $form[ $name ], true, false ),
			esc_html( $label )
		);
	}
}
