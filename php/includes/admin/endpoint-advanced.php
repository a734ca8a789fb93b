<?php
/**
 * The fields of an endpoint that few owners need.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** What belongs here: with a mistake in one of these, the part is open. */
const POSTHORN_ADVANCED_FIELDS = array( 'omit', 'headers', 'timeout', 'schedule', 'max_age', 'rate_per_second', 'max_concurrency', 'ordered', 'circuit_breaker' );

/**
 * Prints the part.
 *
 * @param array                $form     What is in the form.
 * @param array<string,string> $mistakes Field => message.
 */
function posthorn_print_advanced( array $form, array $mistakes ): void {
	$usual = posthorn_endpoint_form( null );
	$open  = false;
	foreach ( POSTHORN_ADVANCED_FIELDS as $field ) {
		$open = $open || isset( $mistakes[ $field ] ) || $usual[ $field ] !== $form[ $field ];
	}
	$format = posthorn_client_format( posthorn_form_format( $form ) ) ?? posthorn_client_format( '' );
	echo '<details class="posthorn-advanced"' . ( $open ? ' open' : '' ) . '><summary>' . esc_html__( 'More settings', 'posthorn' ) . '</summary><table class="form-table" role="presentation">';
	posthorn_print_text_row( 'omit', __( 'Leave out', 'posthorn' ), $form, $mistakes, __( 'Fields that this receiver is not sent, separated with commas: private_note, address.street. They are left out of old values too.', 'posthorn' ) );
	posthorn_print_header_rows( $form, $mistakes );
	posthorn_print_text_row( 'timeout', __( 'Answer within', 'posthorn' ), $form, $mistakes, __( 'An attempt without an answer by then has failed. 0.1s to 120s.', 'posthorn' ), posthorn_duration_text( $format['timeout'] ), 'small-text' );
	posthorn_print_text_row( 'schedule', __( 'Try again after', 'posthorn' ), $form, $mistakes, __( 'The delay after each failed attempt, separated with commas: 30s, 5m, 2h, 1d. “none” for a single attempt.', 'posthorn' ), implode( ', ', array_map( 'posthorn_duration_text', $format['schedule'] ) ) );
	posthorn_print_text_row( 'max_age', __( 'Give up after', 'posthorn' ), $form, $mistakes, __( 'What is older has failed, whatever the delays say.', 'posthorn' ), '3d', 'small-text' );
	posthorn_print_text_row( 'rate_per_second', __( 'Requests a second', 'posthorn' ), $form, $mistakes, __( 'At most. Empty: what the receiver is known to take, or no limit.', 'posthorn' ), '', 'small-text' );
	posthorn_print_text_row( 'max_concurrency', __( 'Requests at once', 'posthorn' ), $form, $mistakes, __( 'At most. 1 sends one after the other.', 'posthorn' ), '', 'small-text' );
	printf(
		'<tr><th scope="row">%1$s</th><td><label><input type="checkbox" name="ordered" value="1"%2$s> %3$s</label>',
		esc_html__( 'Order', 'posthorn' ),
		checked( $form['ordered'], true, false ),
		esc_html__( 'Events about a record wait until the one before has arrived or failed for good', 'posthorn' )
	);
	echo '</td></tr><tr><th scope="row"><label for="posthorn-circuit_breaker">' . esc_html__( 'Spare it when it fails', 'posthorn' ) . '</label></th><td>';
	$choices = array(
		/* translators: %s: “on” or “off”. */
		''  => sprintf( __( 'As the format says (%s)', 'posthorn' ), $format['circuit_breaker'] ? __( 'on', 'posthorn' ) : __( 'off', 'posthorn' ) ),
		'1' => __( 'On', 'posthorn' ),
		'0' => __( 'Off', 'posthorn' ),
	);
	posthorn_print_choice( 'circuit_breaker', $choices, $form['circuit_breaker'], ' aria-describedby="posthorn-circuit_breaker-help"' );
	echo '<p class="description" id="posthorn-circuit_breaker-help">' . esc_html__( 'After five failures in a row, one webhook a minute tries whether it is back; the others wait.', 'posthorn' ) . '</p></td></tr></table></details>';
}

/**
 * Prints the headers. Values that are stored are not shown.
 *
 * @param array                $form     What is in the form.
 * @param array<string,string> $mistakes Field => message.
 */
function posthorn_print_header_rows( array $form, array $mistakes ): void {
	echo '<tr><th scope="row">' . esc_html__( 'Headers', 'posthorn' ) . '</th><td><div class="posthorn-rows" id="posthorn-header-rows">';
	$rows = array_values( array_filter( $form['headers'], static fn( array $row ): bool => '' !== $row['name'] . $row['value'] ) );
	for ( $n = 0; $n < count( $rows ) + 2; $n++ ) { // phpcs:ignore Squiz.PHP.DisallowSizeFunctionsInLoops -- It does not change.
		$row    = $rows[ $n ] ?? array( 'name' => '', 'value' => '', 'kept' => '' ); // phpcs:ignore WordPress.Arrays
		$kept   = '' === $row['value'] ? $row['kept'] : posthorn_kept_secret( $row['value'] );
		$inside = POSTHORN_MASK === $kept ? __( 'A value is saved', 'posthorn' ) : __( 'What you typed is kept', 'posthorn' );
		printf(
			'<div class="posthorn-row"><label><span>%1$s</span> <input type="text" class="code" name="headers[%2$d][name]" value="%3$s" autocomplete="off" autocapitalize="off" spellcheck="false"%4$s></label><label><span>%5$s</span> <input type="password" class="code" name="headers[%2$d][value]" value="" placeholder="%6$s" autocomplete="new-password"%4$s></label><input type="hidden" name="headers[%2$d][kept]" value="%7$s"></div>',
			esc_html__( 'Name', 'posthorn' ),
			(int) $n,
			esc_attr( $row['name'] ),
			posthorn_field_attributes( 'headers', $mistakes ), // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped there.
			esc_html__( 'Value', 'posthorn' ),
			esc_attr( '' === $kept ? '' : $inside ),
			esc_attr( $kept )
		);
	}
	echo '</div>';
	posthorn_print_mistake( 'headers', $mistakes );
	echo '<p><button type="button" class="button hide-if-no-js" data-posthorn-add="posthorn-header-rows">' . esc_html__( 'Add a header', 'posthorn' ) . '</button></p>';
	echo '<p class="description" id="posthorn-headers-help">' . esc_html__( 'Sent with every webhook, such as Authorization. Values are stored encrypted and shown nowhere. Empty the name to remove one.', 'posthorn' ) . '</p></td></tr>';
}
