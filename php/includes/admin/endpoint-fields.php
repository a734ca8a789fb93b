<?php
/**
 * The form of an endpoint, field by field. What few owners need is in endpoint-advanced.php.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Prints the form.
 *
 * @param array                $form     What is in it, see posthorn_endpoint_form().
 * @param array|null           $stored   The endpoint as posthorn_find_endpoint() returned it; null for a new one.
 * @param array<string,string> $mistakes Field => message.
 * @param array                $shown    What else there is to show: `result` of a test and `tried` filters (HTML), `generated` (a
 *                                       secret that is not stored yet).
 */
function posthorn_print_endpoint_form( array $form, ?array $stored, array $mistakes, array $shown ): void {
	$address = posthorn_page_url(
		array(
			'tab'      => 'endpoints',
			'endpoint' => null === $stored ? 'new' : $stored['id'],
		)
	);
	echo '<form id="posthorn-endpoint-form" class="posthorn-form" method="post" action="' . esc_url( $address ) . '" novalidate>';
	wp_nonce_field( 'posthorn_endpoint', 'posthorn_nonce' );
	echo '<input type="hidden" name="revision" value="' . esc_attr( (string) $form['revision'] ) . '">';
	// Enter in a field presses the first button there is.
	echo '<input type="submit" class="screen-reader-text" tabindex="-1" aria-hidden="true" name="posthorn_save" value="1">';
	echo '<table class="form-table" role="presentation">';
	posthorn_print_text_row( 'description', __( 'Name', 'posthorn' ), $form, $mistakes, __( 'What you call it, such as “Zapier: new leads”. Only you see it.', 'posthorn' ) );
	posthorn_print_address_row( $form, $mistakes );
	posthorn_print_format_row( $form, $mistakes );
	posthorn_print_endpoint_events_row( $form, $mistakes );
	echo '<tr><th scope="row">' . esc_html__( 'Conditions', 'posthorn' ) . '</th><td>';
	posthorn_print_filter_rows( $form['filters'], posthorn_form_fields_offered( $form ), $mistakes, $shown['tried'] );
	echo '</td></tr>';
	posthorn_print_endpoint_secret_row( $form, $stored, $mistakes, $shown['generated'] );
	printf(
		'<tr><th scope="row">%1$s</th><td><label><input type="checkbox" name="enabled" value="1"%2$s> %3$s</label></td></tr></table>',
		esc_html__( 'Sending', 'posthorn' ),
		checked( $form['enabled'], true, false ),
		esc_html__( 'Send webhooks to this endpoint', 'posthorn' )
	);
	posthorn_print_advanced( $form, $mistakes );
	echo '<p class="submit"><button class="button button-primary" name="posthorn_save" value="1">' . ( null === $stored ? esc_html__( 'Add endpoint', 'posthorn' ) : esc_html__( 'Save changes', 'posthorn' ) ) . '</button> ';
	echo '<button class="button" name="posthorn_test" value="1" formaction="#posthorn-result" data-posthorn-part="posthorn-result">' . esc_html__( 'Test Webhook', 'posthorn' ) . '</button> ';
	echo '<a class="posthorn-cancel" href="' . esc_url( posthorn_page_url( array( 'tab' => 'endpoints' ) ) ) . '">' . esc_html__( 'Cancel', 'posthorn' ) . '</a> ';
	echo '<span class="description">' . esc_html__( 'The test sends a made-up contact to what is entered above, saved or not.', 'posthorn' ) . '</span></p>';
	posthorn_print_test_choice( $mistakes );
	echo '<div id="posthorn-result" aria-live="polite" tabindex="-1">' . wp_kses( $shown['result'], posthorn_result_tags() ) . '</div></form>';
}

/**
 * Prints a line of text with its label, mistake and description.
 *
 * @param string               $field    The field.
 * @param string               $label    Its label.
 * @param array                $form     What is in the form.
 * @param array<string,string> $mistakes Field => message.
 * @param string               $help     What it means.
 * @param string               $inside   Optional. What stands in it while it is empty.
 * @param string               $type     Optional. `regular-text` or `small-text`.
 * @param bool                 $may      Optional. Whether the user may change it.
 */
function posthorn_print_text_row( string $field, string $label, array $form, array $mistakes, string $help, string $inside = '', string $type = 'regular-text', bool $may = true ): void {
	printf(
		'<tr><th scope="row"><label for="posthorn-%1$s">%2$s</label></th><td><input type="text" class="%3$s" id="posthorn-%1$s" name="%1$s" value="%4$s" placeholder="%5$s" autocomplete="off"%6$s%7$s>',
		esc_attr( $field ),
		esc_html( $label ),
		esc_attr( $type ),
		esc_attr( $form[ $field ] ),
		esc_attr( $inside ),
		posthorn_field_attributes( $field, $mistakes ), // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped there.
		disabled( $may, false, false )
	);
	posthorn_print_mistake( $field, $mistakes );
	echo '<p class="description" id="posthorn-' . esc_attr( $field ) . '-help">' . esc_html( $help ) . '</p></td></tr>';
}

/**
 * Prints a field to choose from.
 *
 * @param string               $field   The field.
 * @param array<string,string> $choices Value => name.
 * @param string               $chosen  The chosen value.
 * @param string               $more    Optional. Attributes, escaped.
 */
function posthorn_print_choice( string $field, array $choices, string $chosen, string $more = '' ): void {
	printf( '<select id="posthorn-%1$s" name="%1$s"%2$s>', esc_attr( $field ), $more ); // phpcs:ignore WordPress.Security.EscapeOutput
	foreach ( $choices as $value => $name ) {
		printf( '<option value="%s"%s>%s</option>', esc_attr( (string) $value ), selected( (string) $value, $chosen, false ), esc_html( $name ) );
	}
	echo '</select>';
}

/**
 * Prints the address, and whose it is.
 *
 * @param array                $form     What is in the form.
 * @param array<string,string> $mistakes Field => message.
 */
function posthorn_print_address_row( array $form, array $mistakes ): void {
	echo '<tr><th scope="row"><label for="posthorn-url">' . esc_html__( 'Webhook URL', 'posthorn' ) . '</label></th><td>';
	printf(
		'<input type="text" inputmode="url" class="large-text code" id="posthorn-url" name="url" value="%s" placeholder="https://" autocomplete="off" autocapitalize="off" spellcheck="false"%s>',
		esc_attr( $form['url'] ),
		posthorn_field_attributes( 'url', $mistakes ) // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped there.
	);
	posthorn_print_mistake( 'url', $mistakes );
	echo '<p class="description" id="posthorn-url-help">' . esc_html__( 'The address that your receiver gave you.', 'posthorn' ) . '</p>';
	printf(
		'<p><label><input type="checkbox" name="allow_private" value="1"%s%s> %s</label></p>',
		checked( $form['allow_private'], true, false ),
		disabled( posthorn_may_allow_private(), false, false ),
		esc_html__( 'This receiver is on my own network (otherwise private addresses are never called)', 'posthorn' )
	);
	echo '</td></tr><tr><th scope="row"><label for="posthorn-preset">' . esc_html__( 'Receiver', 'posthorn' ) . '</label></th><td>';
	$presets = array_column( posthorn_client_presets(), 'title', 'name' );
	posthorn_print_choice( 'preset', array( 'auto' => __( 'Recognise it by its address', 'posthorn' ) ) + $presets, $form['preset'], posthorn_field_attributes( 'preset', $mistakes ) );
	posthorn_print_mistake( 'preset', $mistakes );
	$known = posthorn_preset_words( 'auto' === $form['preset'] ? posthorn_client_preset( $form['url'] ) : array_column( posthorn_client_presets(), null, 'name' )[ $form['preset'] ] ?? null );
	echo '<p class="description" id="posthorn-preset-help">' . esc_html( '' === $known ? __( 'Sets how fast and how much it is sent, where the service has limits.', 'posthorn' ) : $known ) . '</p></td></tr>';
}

/**
 * Prints the format.
 *
 * @param array                $form     What is in the form.
 * @param array<string,string> $mistakes Field => message.
 */
function posthorn_print_format_row( array $form, array $mistakes ): void {
	$titles = array_column( posthorn_client_formats(), 'title', 'name' );
	$usual  = posthorn_form_format( array( 'format' => '' ) + $form );
	/* translators: %s: name of a format. */
	$choices = array( '' => sprintf( __( 'The usual one (%s)', 'posthorn' ), $titles[ $usual ] ?? $usual ) ) + $titles;
	if ( POSTHORN_OWN_FORMAT === $form['format'] ) {
		/* translators: %s: name of a format. */
		$choices[ POSTHORN_OWN_FORMAT ] = sprintf( __( 'Its own definition (%s)', 'posthorn' ), posthorn_format_of( posthorn_form_format( $form ) )['title'] ?? '' );
	} elseif ( ! isset( $choices[ $form['format'] ] ) ) {
		// Not what is chosen instead, unless the owner does.
		/* translators: %s: name of a format. */
		$choices[ $form['format'] ] = sprintf( __( '%s (not known here any more)', 'posthorn' ), $form['format'] );
	}
	echo '<tr><th scope="row"><label for="posthorn-format">' . esc_html__( 'Format', 'posthorn' ) . '</label></th><td>';
	posthorn_print_choice( 'format', $choices, $form['format'], posthorn_field_attributes( 'format', $mistakes ) );
	posthorn_print_mistake( 'format', $mistakes );
	echo '<p class="description" id="posthorn-format-help">' . esc_html__( 'How the webhook is written and signed. Choose another one only for a receiver that was made for it.', 'posthorn' ) . '</p></td></tr>';
}

/**
 * Prints the events: all, or those that are ticked, by group.
 *
 * @param array                $form     What is in the form.
 * @param array<string,string> $mistakes Field => message.
 */
function posthorn_print_endpoint_events_row( array $form, array $mistakes ): void {
	echo '<tr><th scope="row">' . esc_html__( 'Events', 'posthorn' ) . '</th><td><fieldset><legend class="screen-reader-text">' . esc_html__( 'Events', 'posthorn' ) . '</legend>';
	foreach ( array( '1' => __( 'Every event that the format has', 'posthorn' ), '0' => __( 'Only these:', 'posthorn' ) ) as $value => $label ) { // phpcs:ignore WordPress.Arrays
		printf( '<p><label><input type="radio" name="all_events" value="%s"%s> %s</label></p>', esc_attr( (string) $value ), checked( $form['all_events'], '1' === (string) $value, false ), esc_html( $label ) );
	}
	echo '</fieldset><div class="posthorn-chosen-events">';
	$groups = array();
	foreach ( posthorn_client_events() as $event ) {
		if ( 'test' !== $event['name'] ) {
			$groups[ $event['group'] ][] = $event;
		}
	}
	foreach ( $groups as $group => $events ) {
		$ticked = count( array_intersect( array_column( $events, 'name' ), $form['events'] ) );
		printf(
			'<details%s><summary>%s <span class="count">%s</span></summary><div class="posthorn-events">',
			$ticked > 0 ? ' open' : '',
			esc_html( $group ),
			/* translators: 1, 2: numbers. */
			esc_html( sprintf( __( '%1$s of %2$s', 'posthorn' ), number_format_i18n( $ticked ), number_format_i18n( count( $events ) ) ) )
		);
		foreach ( $events as $event ) {
			printf(
				'<label><input type="checkbox" name="events[]" value="%1$s"%2$s><span><code>%1$s</code> <span class="posthorn-meaning">%3$s</span></span></label>',
				esc_attr( $event['name'] ),
				checked( in_array( $event['name'], $form['events'], true ), true, false ),
				esc_html( $event['meaning'] )
			);
		}
		echo '</div></details>';
	}
	printf(
		'<p><label for="posthorn-other-events">%1$s</label><br><input type="text" class="large-text code" id="posthorn-other-events" name="other_events" value="%2$s" autocomplete="off" autocapitalize="off" spellcheck="false"%3$s></p></div>',
		esc_html__( 'Other names and patterns (separate with commas)', 'posthorn' ),
		esc_attr( $form['other_events'] ),
		posthorn_field_attributes( 'events', $mistakes ) // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped there.
	);
	posthorn_print_mistake( 'events', $mistakes );
	echo '<p class="description" id="posthorn-events-help">' . wp_kses( __( '<code>deal.*</code> means every event about deals.', 'posthorn' ), array( 'code' => array() ) ) . '</p></td></tr>';
}

/**
 * The names of fields that are offered for conditions; none while the events have a mistake.
 *
 * @param array $form What is in the form.
 * @return string[]
 */
function posthorn_form_fields_offered( array $form ): array {
	return posthorn_fields_of_events( posthorn_endpoint_form_events( $form ), posthorn_form_format( $form ) );
}

/**
 * Prints the secret, which is never printed itself, but for one that was just generated and is not stored.
 *
 * @param array                $form      What is in the form.
 * @param array|null           $stored    The endpoint as it is shown; null for a new one.
 * @param array<string,string> $mistakes  Field => message.
 * @param string               $generated A secret that was just generated; empty for none.
 */
function posthorn_print_endpoint_secret_row( array $form, ?array $stored, array $mistakes, string $generated ): void {
	$secrets = $stored['secrets'] ?? array();
	$kept    = '' !== $generated || isset( $mistakes['secret'] ) ? '' : posthorn_kept_secret( $form['secret'] );
	$inside  = array() === $secrets ? '' : __( 'A secret is saved', 'posthorn' );
	echo '<tr><th scope="row"><label for="posthorn-secret">' . esc_html__( 'Secret', 'posthorn' ) . '</label></th><td id="posthorn-secret-cell">';
	printf(
		'<input type="%s" class="regular-text code" id="posthorn-secret" name="secret" value="%s" placeholder="%s" autocomplete="new-password" spellcheck="false"%s> ',
		'' === $generated ? 'password' : 'text',
		esc_attr( $generated ),
		esc_attr( '' === $kept ? $inside : __( 'What you typed is kept', 'posthorn' ) ),
		posthorn_field_attributes( 'secret', $mistakes ) // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped there.
	);
	echo '<button class="button" name="posthorn_generate" value="1" formaction="#posthorn-secret-cell" data-posthorn-part="posthorn-secret-cell">' . esc_html__( 'Generate secret', 'posthorn' ) . '</button>';
	echo '<input type="hidden" name="kept_secret" value="' . esc_attr( $kept ) . '">';
	posthorn_print_mistake( 'secret', $mistakes );
	if ( '' !== $generated ) {
		echo '<p class="posthorn-copy">' . esc_html__( 'Copy it to your receiver before you save: it is not shown again.', 'posthorn' ) . '</p>';
	}
	echo '<p class="description" id="posthorn-secret-help">' . esc_html__( 'With it, every webhook is signed, so your receiver can tell that it comes from you. Leave the field empty to keep what is saved.', 'posthorn' ) . '</p>';
	if ( array() !== $secrets ) {
		posthorn_print_rotation( $form, $secrets );
	}
	echo '</td></tr>';
}

/**
 * Prints what becomes of the secrets that are saved.
 *
 * @param array   $form    What is in the form.
 * @param array[] $secrets The live ones, the newest first, each with its end.
 */
function posthorn_print_rotation( array $form, array $secrets ): void {
	$days = array( '0' => __( 'ends at once', 'posthorn' ) );
	foreach ( array( 1, 7, 30 ) as $count ) {
		/* translators: %s: a number of days. */
		$days[ (string) $count ] = sprintf( _n( 'goes on signing for %s day', 'goes on signing for %s days', $count, 'posthorn' ), number_format_i18n( $count ) );
	}
	echo '<p><label for="posthorn-keep_for">' . esc_html__( 'When I enter a new one, the old one', 'posthorn' ) . '</label> ';
	posthorn_print_choice( 'keep_for', $days, $form['keep_for'] );
	echo '</p><p class="description">' . esc_html__( 'Where the format has room for several signatures (Standard Webhooks, Stripe style), both sign meanwhile; elsewhere the new one alone does.', 'posthorn' ) . '</p>';
	foreach ( array_filter( array_column( $secrets, 'until' ) ) as $until ) {
		/* translators: %s: date and time. */
		echo '<p>' . esc_html( sprintf( __( 'An older secret signs too, until %s.', 'posthorn' ), posthorn_local_time( $until ) ) ) . '</p>';
	}
	if ( count( $secrets ) > 1 ) {
		printf( '<p><label><input type="checkbox" name="end_older" value="1"%s> %s</label></p>', checked( $form['end_older'], true, false ), esc_html__( 'End the older secrets now', 'posthorn' ) );
	}
	printf( '<p><label><input type="checkbox" name="remove_secret" value="1"%s> %s</label></p>', checked( $form['remove_secret'], true, false ), esc_html__( 'Remove the secret and send unsigned', 'posthorn' ) );
}
