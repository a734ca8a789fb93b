<?php
/**
 * The list of deliveries, and one delivery with its attempts.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Deliveries on a page. */
const POSTHORN_DELIVERIES_PER_PAGE = 50;

/**
 * The states of a delivery as the owner reads them.
 *
 * @return array<string,string>
 */
function posthorn_states(): array {
	return array(
		'pending'   => __( 'Waiting', 'posthorn' ),
		'delivered' => __( 'Delivered', 'posthorn' ),
		'dead'      => __( 'Failed', 'posthorn' ),
		'cancelled' => __( 'Cancelled', 'posthorn' ),
	);
}

/**
 * Prints the tab: one delivery if the address names one, the list otherwise.
 */
function posthorn_print_deliveries(): void {
	// phpcs:disable WordPress.Security.NonceVerification -- Only reads.
	$id     = sanitize_text_field( wp_unslash( $_GET['delivery'] ?? '' ) );
	$state  = sanitize_key( wp_unslash( $_GET['state'] ?? '' ) );
	$before = sanitize_text_field( wp_unslash( $_GET['before'] ?? '' ) );
	$only   = sanitize_text_field( wp_unslash( $_GET['endpoint'] ?? '' ) );
	// phpcs:enable
	require_once __DIR__ . '/delivery-actions.php';
	posthorn_print_delivery_news();
	posthorn_print_sender_conditions();
	try {
		if ( '' !== $id ) {
			posthorn_print_delivery( posthorn_client_delivery( $id ) );
			return;
		}
		posthorn_print_delivery_list( isset( posthorn_states()[ $state ] ) ? $state : '', $before, $only );
	} catch ( \Throwable $error ) {
		// Whether the site is a copy is asked above.
		echo posthorn_is_held() ? '<p class="posthorn-empty">' . esc_html__( 'The deliveries are shown when the question above is answered.', 'posthorn' ) . '</p>' : wp_kses_post( posthorn_result_message( ucfirst( posthorn_readable( $error->getMessage() ) ) ) );
	}
}

/**
 * Prints the list.
 *
 * @param string $state  Only this state; empty for all.
 * @param string $before Only deliveries older than the one with this id; empty for the newest.
 * @param string $only   Only those to the endpoint with this id; empty for all.
 */
function posthorn_print_delivery_list( string $state, string $before, string $only ): void {
	$filter = array_filter(
		array(
			'state'    => $state,
			'before'   => $before,
			'endpoint' => $only,
		)
	);
	// One more than is shown, to know whether there are older ones.
	$deliveries = posthorn_client_deliveries( $filter + array( 'limit' => POSTHORN_DELIVERIES_PER_PAGE + 1 ) );
	$more       = count( $deliveries ) > POSTHORN_DELIVERIES_PER_PAGE;
	$deliveries = array_slice( $deliveries, 0, POSTHORN_DELIVERIES_PER_PAGE );

	$endpoints = posthorn_client_endpoints();
	posthorn_print_why_they_wait( $endpoints );
	posthorn_print_state_links( $state );
	foreach ( array_filter( $endpoints, static fn( array $endpoint ): bool => $endpoint['id'] === $only ) as $endpoint ) {
		printf(
			'<p>%s <a href="%s">%s</a></p>',
			/* translators: %s: name of an endpoint. */
			esc_html( sprintf( __( 'Only those to %s.', 'posthorn' ), posthorn_receiver_name( $endpoint, 2 ) ) ),
			esc_url( posthorn_page_url( array_filter( array( 'tab' => 'deliveries', 'state' => $state ) ) ) ), // phpcs:ignore WordPress.Arrays
			esc_html__( 'Show those to all', 'posthorn' )
		);
	}
	if ( array() === $deliveries ) {
		echo '<p class="posthorn-empty">' . esc_html( posthorn_nothing_here( $state ) ) . '</p>';
		return;
	}
	// Not WordPress's class wp-list-table: on a phone it would take the columns apart and leave the headings behind.
	posthorn_print_delivery_choice( $state, $only );
	echo '<div class="posthorn-scroll"><table class="widefat striped posthorn-deliveries"><thead><tr><td class="check-column"><label class="screen-reader-text" for="cb-select-all-1">' . esc_html__( 'Tick all', 'posthorn' ) . '</label><input type="checkbox" id="cb-select-all-1" class="hide-if-no-js"></td>';
	foreach ( posthorn_delivery_headings() as $heading ) {
		echo '<th scope="col">' . esc_html( $heading ) . '</th>';
	}
	echo '</tr></thead><tbody>';
	foreach ( $deliveries as $delivery ) {
		posthorn_print_delivery_row( $delivery, $endpoints );
	}
	echo '</tbody></table></div></form>';
	if ( $more ) {
		$older = array_filter(
			array(
				'tab'      => 'deliveries',
				'state'    => $state,
				'endpoint' => $only,
				'before'   => end( $deliveries )['id'],
			)
		);
		echo '<p><a class="button" href="' . esc_url( posthorn_page_url( $older ) ) . '">' . esc_html__( 'Older deliveries', 'posthorn' ) . '</a></p>';
	}
}

/**
 * Prints the links that choose a state.
 *
 * @param string $current The chosen one.
 */
function posthorn_print_state_links( string $current ): void {
	$stats = posthorn_client_stats();
	$links = array();
	foreach ( array( '' => __( 'All', 'posthorn' ) ) + posthorn_states() as $state => $name ) {
		if ( 'cancelled' === $state && 0 === (int) $stats['cancelled'] ) {
			continue;
		}
		$count   = '' === $state ? '' : ' <span class="count">(' . esc_html( number_format_i18n( (int) $stats[ $state ] ) ) . ')</span>';
		$links[] = sprintf(
			'<li><a href="%s"%s>%s%s</a></li>',
			esc_url( posthorn_page_url( array_filter( array( 'tab' => 'deliveries', 'state' => $state ) ) ) ), // phpcs:ignore WordPress.Arrays
			$current === $state ? ' class="current" aria-current="page"' : '',
			esc_html( $name ),
			$count
		);
	}
	echo '<ul class="subsubsub posthorn-states">' . implode( ' | ', $links ) . '</ul><br class="clear">'; // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped above.
}

/**
 * What an empty list says.
 *
 * @param string $state The chosen state.
 */
function posthorn_nothing_here( string $state ): string {
	switch ( $state ) {
		case 'dead':
			return __( 'Nothing has failed for good. Deliveries that were tried in vain to the end are kept here with their error.', 'posthorn' );
		case 'pending':
			return __( 'Nothing waits: every event has reached your receiver, failed for good, or was cancelled.', 'posthorn' );
	}
	return __( 'Nothing here yet. As soon as something changes in your CRM that your receiver wants to know, it appears here.', 'posthorn' );
}

/**
 * The list's columns.
 *
 * @return string[]
 */
function posthorn_delivery_headings(): array {
	return array( __( 'Event', 'posthorn' ), __( 'Record', 'posthorn' ), __( 'State', 'posthorn' ), __( 'Attempts', 'posthorn' ), __( 'Next attempt', 'posthorn' ), __( 'Last answer or error', 'posthorn' ), __( 'Happened', 'posthorn' ) );
}

/**
 * Prints a row.
 *
 * @param array   $delivery  A delivery.
 * @param array[] $endpoints What posthorn_client_endpoints() returned.
 */
function posthorn_print_delivery_row( array $delivery, array $endpoints ): void {
	$link = posthorn_page_url( array( 'tab' => 'deliveries', 'delivery' => $delivery['id'] ) ); // phpcs:ignore WordPress.Arrays
	$last = '';
	if ( 'delivered' === $delivery['state'] && ! empty( $delivery['last_status'] ) ) {
		$last = trim( $delivery['last_status'] . ' ' . get_status_header_desc( (int) $delivery['last_status'] ) );
	} else {
		$last = posthorn_delivery_error( $delivery );
	}
	$to    = '';
	$known = array_column( $endpoints, null, 'id' )[ $delivery['endpoint'] ] ?? null;
	if ( null === $known || count( $endpoints ) > 1 ) {
		/* translators: %s: name of an endpoint. */
		$to = '<br><span class="description">' . esc_html( null === $known ? __( 'to an endpoint that was deleted', 'posthorn' ) : sprintf( __( 'to %s', 'posthorn' ), posthorn_receiver_name( $known, 2 ) ) ) . '</span>';
	}
	$cells = array(
		'<a href="' . esc_url( $link ) . '"><strong>' . esc_html( $delivery['event'] ) . '</strong></a>' . $to,
		esc_html( (string) $delivery['record'] ),
		posthorn_state_mark( $delivery['state'] ),
		esc_html( number_format_i18n( (int) $delivery['attempts'] ) ),
		esc_html( 'pending' === $delivery['state'] ? posthorn_next_attempt( $delivery, $endpoints ) : '–' ),
		esc_html( ucfirst( $last ) ),
		esc_html( posthorn_local_time( $delivery['created_at'] ) ),
	);
	printf(
		'<tr><th scope="row" class="check-column"><label class="screen-reader-text" for="posthorn-tick-%1$s">%2$s</label><input type="checkbox" id="posthorn-tick-%1$s" name="ids[]" value="%1$s"></th>',
		esc_attr( $delivery['id'] ),
		/* translators: %s: name of an event. */
		esc_html( sprintf( __( 'Tick %s', 'posthorn' ), trim( $delivery['event'] . ' ' . $delivery['record'] ) ) )
	);
	foreach ( posthorn_delivery_headings() as $n => $heading ) {
		// On a narrow screen each cell is a line, and its heading stands before it.
		echo '<td data-heading="' . esc_attr( $heading ) . '"><span>' . $cells[ $n ] . '</span></td>'; // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped above.
	}
	echo '</tr>';
}

/**
 * A state as a coloured word, HTML.
 *
 * @param string $state A delivery's state.
 */
function posthorn_state_mark( string $state ): string {
	return '<span class="posthorn-state posthorn-state-' . esc_attr( $state ) . '">' . esc_html( posthorn_states()[ $state ] ?? $state ) . '</span>';
}

/**
 * Prints one delivery with its attempts.
 *
 * @param array|null $delivery A delivery.
 */
function posthorn_print_delivery( ?array $delivery ): void {
	echo '<p><a href="' . esc_url( posthorn_page_url( array( 'tab' => 'deliveries' ) ) ) . '">' . esc_html__( '← All deliveries', 'posthorn' ) . '</a></p>';
	if ( null === $delivery ) {
		echo '<p class="posthorn-empty">' . esc_html__( 'There is no such delivery any more. Delivered ones are removed after a while.', 'posthorn' ) . '</p>';
		return;
	}
	echo '<h2>' . esc_html( $delivery['event'] ) . ' ' . posthorn_state_mark( $delivery['state'] ) . '</h2><dl class="posthorn-facts">'; // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped there.
	$endpoints = posthorn_client_endpoints();
	$known     = array_column( $endpoints, null, 'id' )[ $delivery['endpoint'] ] ?? null;
	$facts     = array(
		__( 'Endpoint', 'posthorn' )     => null === $known ? __( 'deleted', 'posthorn' ) : posthorn_receiver_name( $known, 2 ),
		__( 'Record', 'posthorn' )       => (string) $delivery['record'],
		__( 'Happened', 'posthorn' )     => posthorn_local_time( $delivery['created_at'] ),
		__( 'Next attempt', 'posthorn' ) => 'pending' === $delivery['state'] ? posthorn_next_attempt( $delivery, $endpoints ) : '',
		__( 'Event id', 'posthorn' )     => (string) $delivery['event_id'],
	);
	foreach ( array_filter( $facts ) as $name => $text ) {
		echo '<dt>' . esc_html( $name ) . '</dt><dd>' . esc_html( $text ) . '</dd>';
	}
	echo '</dl>';
	if ( null !== $known ) {
		posthorn_print_delivery_buttons( $delivery );
	}
	$attempts = (array) ( $delivery['attempts_log'] ?? array() );
	if ( array() === $attempts ) {
		$why = posthorn_delivery_error( $delivery );
		echo '<p class="posthorn-empty">' . esc_html( '' === $why ? __( 'Not tried yet.', 'posthorn' ) : ucfirst( $why ) ) . '</p>';
		return;
	}
	foreach ( array_reverse( $attempts ) as $attempt ) {
		posthorn_print_attempt( $attempt );
	}
	echo '<details><summary>' . esc_html__( 'What was sent', 'posthorn' ) . '</summary><pre class="posthorn-body">' . esc_html( (string) ( $attempts[0]['request_body'] ?? '' ) ) . '</pre></details>';
}

/**
 * Prints an attempt.
 *
 * @param array $attempt An attempt.
 */
function posthorn_print_attempt( array $attempt ): void {
	/* translators: 1: number of an attempt, 2: date and time. */
	echo '<h3>' . esc_html( sprintf( __( 'Attempt %1$s, %2$s', 'posthorn' ), number_format_i18n( (int) $attempt['n'] ), posthorn_local_time( $attempt['started_at'] ) ) ) . '</h3><dl class="posthorn-facts">';
	$facts = array(
		__( 'Status', 'posthorn' )     => $attempt['status'] ? posthorn_status_name( (int) $attempt['status'] ) : '',
		__( 'Error', 'posthorn' )      => $attempt['status'] ? '' : posthorn_readable( (string) $attempt['error'] ),
		__( 'Time taken', 'posthorn' ) => posthorn_duration( (float) $attempt['duration_ms'] ),
		__( 'Answer', 'posthorn' )     => posthorn_answer_excerpt( (string) ( $attempt['response_body'] ?? '' ) ),
	);
	foreach ( array_filter( $facts ) as $name => $text ) {
		echo '<dt>' . esc_html( $name ) . '</dt><dd>' . esc_html( $text ) . '</dd>';
	}
	echo '</dl>';
}

/**
 * A time in the site's own zone and form; empty for none.
 *
 * @param string|null $time ISO 8601.
 */
function posthorn_local_time( ?string $time ): string {
	$at = null === $time ? false : strtotime( $time );
	return false === $at ? '' : (string) wp_date( get_option( 'date_format' ) . ' H:i:s', $at );
}
