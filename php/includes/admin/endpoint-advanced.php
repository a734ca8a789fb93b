<?php
/**
 * The fields of an endpoint that few owners need.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** What belongs here: with a mistake in one of these, or another value than usual, the part is open. */
const POSTHORN_ADVANCED_FIELDS = array( 'omit', 'headers', 'max_body_bytes', 'timeout', 'schedule', 'schedule_jitter', 'max_age', 'rate_per_second', 'max_concurrency', 'ordered', 'circuit_breaker', 'private_addresses', 'proxy', 'ca', 'client_cert' );

/**
 * Prints the part.
 *
 * @param array                $form     What is in the form.
 * @param array<string,string> $mistakes Field => message.
 */
function posthorn_print_advanced( array $form, array $mistakes ): void {
	$usual = posthorn_endpoint_form( null );
	$open  = false;
	// Rows that were left free.
	$form['headers'] = array_values( array_filter( $form['headers'], static fn( array $row ): bool => '' !== $row['name'] . $row['value'] ) );
	foreach ( POSTHORN_ADVANCED_FIELDS as $field ) {
		$open = $open || isset( $mistakes[ $field ] ) || $usual[ $field ] !== $form[ $field ];
	}
	$format = posthorn_format_of( posthorn_form_format( $form ) ) ?? posthorn_client_format( '' );
	echo '<details class="posthorn-advanced"' . ( $open ? ' open' : '' ) . '><summary>' . esc_html__( 'Advanced', 'posthorn' ) . '</summary>';
	posthorn_print_advanced_part( __( 'What is sent', 'posthorn' ) );
	posthorn_print_text_row( 'omit', __( 'Leave out', 'posthorn' ), $form, $mistakes, __( 'Fields that this receiver is not sent, separated with commas: private_note, address.street. They are left out of old values too.', 'posthorn' ) );
	posthorn_print_header_rows( $form, $mistakes );
	posthorn_print_text_row( 'max_body_bytes', __( 'Largest webhook', 'posthorn' ), $form, $mistakes, __( 'A larger one is not sent and is listed as failed: 64 KB, 5 MB. Empty: what the receiver is known to take, or no limit.', 'posthorn' ), posthorn_usual_size( $form ), 'small-text' );
	echo '</table>';
	posthorn_print_advanced_part( __( 'Attempts', 'posthorn' ) );
	posthorn_print_attempt_rows( $form, $mistakes, $format );
	echo '</table>';
	posthorn_print_advanced_part( __( 'Network', 'posthorn' ) );
	posthorn_print_network_rows( $form, $mistakes );
	echo '</table></details>';
}

/**
 * Prints the heading of a group of fields and begins their table.
 *
 * @param string $heading The heading.
 */
function posthorn_print_advanced_part( string $heading ): void {
	echo '<h3>' . esc_html( $heading ) . '</h3><table class="form-table" role="presentation">';
}

/**
 * The most that the receiver is known to take, as it is typed; empty if nothing is known.
 *
 * @param array $form What is in the form.
 */
function posthorn_usual_size( array $form ): string {
	$preset = 'auto' === $form['preset'] ? posthorn_client_preset( $form['url'] ) : array_column( posthorn_client_presets(), null, 'name' )[ $form['preset'] ] ?? null;
	return null === ( $preset['max_body_bytes'] ?? null ) ? '' : posthorn_size_text( $preset['max_body_bytes'] );
}

/**
 * Prints when and how often it is tried.
 *
 * @param array                $form     What is in the form.
 * @param array<string,string> $mistakes Field => message.
 * @param array                $format   What is known of the format.
 */
function posthorn_print_attempt_rows( array $form, array $mistakes, array $format ): void {
	posthorn_print_text_row( 'timeout', __( 'Answer within', 'posthorn' ), $form, $mistakes, __( 'An attempt without an answer by then has failed. 0.1s to 120s.', 'posthorn' ), posthorn_duration_text( $format['timeout'] ), 'small-text' );
	posthorn_print_text_row( 'schedule', __( 'Try again after', 'posthorn' ), $form, $mistakes, __( 'The delay after each failed attempt, separated with commas: 30s, 5m, 2h, 1d. “none” for a single attempt.', 'posthorn' ), implode( ', ', array_map( 'posthorn_duration_text', $format['schedule'] ) ) );
	posthorn_print_text_row( 'schedule_jitter', __( 'Spread the delays', 'posthorn' ), $form, $mistakes, __( 'Each is longer by up to this share of it, so that what failed together does not come back all at once: 0% to 100%.', 'posthorn' ), posthorn_share_text( '' === $form['schedule'] ? $format['schedule_jitter'] : 0 ), 'small-text' );
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
	echo '<p class="description" id="posthorn-circuit_breaker-help">' . esc_html__( 'After five failures in a row, one webhook a minute tries whether it is back; the others wait.', 'posthorn' ) . '</p></td></tr>';
}

/**
 * Prints what is about the server's own network and files. On a network of sites they are its administrator's.
 *
 * @param array                $form     What is in the form.
 * @param array<string,string> $mistakes Field => message.
 */
function posthorn_print_network_rows( array $form, array $mistakes ): void {
	$may = posthorn_may_allow_private();
	if ( ! $may ) {
		echo '<tr><td colspan="2"><p class="description">' . esc_html__( 'Only the network’s administrator can change this.', 'posthorn' ) . '</p></td></tr>';
	}
	// The password of a proxy that is not stored yet is carried along unseen.
	$shown = posthorn_shown_proxy( $form['proxy'] );
	$kept  = $shown === $form['proxy'] || str_contains( $form['proxy'], POSTHORN_MASK ) ? '' : posthorn_kept_secret( $form['proxy'] );
	posthorn_print_text_row( 'private_addresses', __( 'Private addresses', 'posthorn' ), $form, $mistakes, __( 'Hosts and ranges of your own network where it may be, separated with commas: n8n.internal, 10.0.8.0/24. Not needed where “on my own network” above is ticked, which allows any.', 'posthorn' ), '', 'regular-text', $may );
	posthorn_print_text_row( 'proxy', __( 'Proxy', 'posthorn' ), array( 'proxy' => $shown ) + $form, $mistakes, __( 'http://host:port, with user:password@ before the host if it asks for them. “none” calls the receiver directly. Empty: the one of wp-config.php (WP_PROXY_HOST), or of the server.', 'posthorn' ), '', 'regular-text', $may );
	echo '<input type="hidden" name="kept_proxy" value="' . esc_attr( $kept ) . '">';
	posthorn_print_text_row( 'ca', __( 'Certificate authority', 'posthorn' ), $form, $mistakes, __( 'For a receiver whose certificate is signed by an authority of your own: path of its PEM file on this server. It is trusted instead of the usual ones.', 'posthorn' ), '', 'regular-text', $may );
	posthorn_print_text_row( 'client_cert', __( 'Client certificate', 'posthorn' ), $form, $mistakes, __( 'For a receiver that asks for one (mTLS): path of a PEM file on this server with certificate and key.', 'posthorn' ), '', 'regular-text', $may );
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
