<?php
/**
 * What a test carries: any event of the catalogue, with its sample or data of one's own; and the request, to be looked at.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * What was chosen in this request's form.
 *
 * @return array{event:string,data:string} The name of an event, and its data as typed; empty for the event's sample.
 */
function posthorn_test_choice(): array {
	// phpcs:disable WordPress.Security.NonceVerification, WordPress.Security.ValidatedSanitizedInput -- Shown again, escaped; whoever sends it checks the nonce.
	$event = is_string( $_POST['test_event'] ?? null ) ? sanitize_text_field( wp_unslash( $_POST['test_event'] ) ) : '';
	$data  = is_string( $_POST['test_data'] ?? null ) ? trim( wp_unslash( $_POST['test_data'] ) ) : '';
	// phpcs:enable
	return array(
		'event' => '' === $event ? 'test' : $event,
		'data'  => $data,
	);
}

/**
 * The data that was chosen.
 *
 * @param array                $choice   What posthorn_test_choice() returned.
 * @param array<string,string> $mistakes Field => message; is added to.
 * @return array|null Null for the event's sample.
 */
function posthorn_chosen_data( array $choice, array &$mistakes ): ?array {
	if ( '' === $choice['data'] ) {
		return null;
	}
	// As objects, so that {} does not become a list.
	$data = json_decode( $choice['data'], false, 512, JSON_BIGINT_AS_STRING );
	if ( $data instanceof stdClass ) {
		return (array) $data;
	}
	$mistakes['test_data'] = JSON_ERROR_NONE === json_last_error()
		? __( 'The data has to be a JSON object: {"deal_id": 7}.', 'posthorn' )
		/* translators: %s: an error, in English. */
		: sprintf( __( 'The data is no JSON: %s. An object looks like {"deal_id": 7}.', 'posthorn' ), json_last_error_msg() );
	return null;
}

/**
 * Prints the choice.
 *
 * @param array<string,string> $mistakes Field => message.
 */
function posthorn_print_test_choice( array $mistakes ): void {
	$choice = posthorn_test_choice();
	// phpcs:ignore WordPress.Security.NonceVerification -- Only shows what everybody may know.
	if ( isset( $_POST['posthorn_sample'] ) ) {
		$choice['data'] = (string) wp_json_encode( (object) posthorn_client_sample( $choice['event'] ), JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE );
	}
	$open = 'test' !== $choice['event'] || '' !== $choice['data'] || isset( $mistakes['test_data'] );
	echo '<details class="posthorn-more" id="posthorn-test-choice"' . ( $open ? ' open' : '' ) . '><summary>' . esc_html__( 'Test another event, or data of your own', 'posthorn' ) . '</summary>';
	echo '<p><label for="posthorn-test_event">' . esc_html__( 'Event', 'posthorn' ) . '</label><br><select id="posthorn-test_event" name="test_event">';
	$group = null;
	foreach ( posthorn_events_by_group() as $event ) {
		if ( $event['group'] !== $group ) {
			echo ( null === $group ? '' : '</optgroup>' ) . '<optgroup label="' . esc_attr( $event['group'] ) . '">';
			$group = $event['group'];
		}
		printf( '<option value="%1$s"%2$s>%1$s – %3$s</option>', esc_attr( $event['name'] ), selected( $event['name'], $choice['event'], false ), esc_html( $event['title'] ) );
	}
	echo '</optgroup></select> <button class="button" name="posthorn_sample" value="1" formaction="#posthorn-test-choice" data-posthorn-part="posthorn-test-choice">' . esc_html__( 'Show its sample', 'posthorn' ) . '</button></p>';
	echo '<p><label for="posthorn-test_data">' . esc_html__( 'Data (JSON)', 'posthorn' ) . '</label><br>';
	printf( '<textarea class="large-text code" rows="8" id="posthorn-test_data" name="test_data" spellcheck="false" autocomplete="off"%s>%s</textarea></p>', posthorn_field_attributes( 'test_data', $mistakes ), esc_textarea( $choice['data'] ) ); // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped there.
	posthorn_print_mistake( 'test_data', $mistakes );
	echo '<p class="description" id="posthorn-test_data-help">' . esc_html__( 'Empty: the event’s sample. A test is sent once and at once, whatever events and conditions are chosen above, with the header Webhook-Test; it is not in the list of deliveries.', 'posthorn' ) . '</p>';
	echo '<p><button class="button" name="posthorn_preview" value="1" formaction="#posthorn-result" data-posthorn-part="posthorn-result">' . esc_html__( 'Show the request, unsent', 'posthorn' ) . '</button></p></details>';
}

/**
 * The events of the catalogue, those of a group together, the one that tests carry by default first.
 *
 * @return array[]
 */
function posthorn_events_by_group(): array {
	$groups = array();
	foreach ( posthorn_client_events() as $event ) {
		$groups[ $event['group'] ][] = $event;
	}
	$test = array_filter( $groups, static fn( array $events ): bool => in_array( 'test', array_column( $events, 'name' ), true ) );
	return array_merge( ...array_values( $test + $groups ) );
}

/**
 * Sends what was chosen, or shows the request that would be made.
 *
 * @param array                $endpoint An endpoint as the extension takes it.
 * @param array<string,string> $mistakes Field => message; is added to.
 * @return string The result as HTML.
 */
function posthorn_try_choice( array $endpoint, array &$mistakes ): string {
	$choice = posthorn_test_choice();
	$data   = posthorn_chosen_data( $choice, $mistakes );
	if ( isset( $mistakes['test_data'] ) ) {
		return posthorn_result_message( __( 'The test was not sent: see the message beside the field.', 'posthorn' ) );
	}
	// A test goes to whoever is asked to take it.
	unset( $endpoint['filters'] );
	$endpoint = array( 'events' => array( '*' ) ) + $endpoint;
	try {
		// phpcs:ignore WordPress.Security.NonceVerification -- Checked by whoever calls.
		if ( isset( $_POST['posthorn_preview'] ) ) {
			require_once dirname( __DIR__ ) . '/trial.php';
			return posthorn_request_html( posthorn_preview( $endpoint, $choice['event'], $data ) );
		}
		return posthorn_result_html( posthorn_test( $endpoint, $choice['event'], $data ) );
	} catch ( \Throwable $error ) {
		return posthorn_result_message( ucfirst( posthorn_readable( $error->getMessage() ) ) );
	}
}

/**
 * A request as HTML.
 *
 * @param array $request What posthorn_preview() returned.
 */
function posthorn_request_html( array $request ): string {
	$lines = 'POST ' . $request['url'];
	foreach ( $request['headers'] as $name => $value ) {
		$lines .= "\n$name: $value";
	}
	return '<div class="notice inline notice-info"><p><strong>' . esc_html__( 'This is what a test would send. Nothing was sent.', 'posthorn' ) . '</strong></p><pre class="posthorn-body">' . esc_html( "$lines\n\n" . $request['body'] ) . '</pre></div>';
}
