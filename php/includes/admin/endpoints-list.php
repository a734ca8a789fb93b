<?php
/**
 * The list of endpoints, and the question before one is deleted.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** So many events of an endpoint are named in the list. */
const POSTHORN_NAMED_EVENTS = 3;

/**
 * What an endpoint is called, however few there are.
 *
 * @param array $endpoint An endpoint.
 */
function posthorn_endpoint_name( array $endpoint ): string {
	return posthorn_receiver_name( $endpoint, 2 );
}

/**
 * Prints the list.
 */
function posthorn_print_endpoint_list(): void {
	posthorn_print_endpoint_news();
	$standing = array();
	try {
		posthorn_hand_over_if_needed();
		posthorn_delete_endpoints_that_left();
		$standing = posthorn_endpoint_standing();
	} catch ( \Throwable $error ) {
		// Whether the site is a copy is asked above.
		echo posthorn_is_held() ? '' : wp_kses_post( posthorn_result_message( ucfirst( posthorn_readable( $error->getMessage() ) ) ) );
	}
	$endpoints = posthorn_list_endpoints();
	$add       = posthorn_page_url( array( 'tab' => 'endpoints', 'endpoint' => 'new' ) ); // phpcs:ignore WordPress.Arrays
	if ( array() === $endpoints ) {
		echo '<div class="posthorn-empty"><p>' . esc_html__( 'No endpoint yet. An endpoint is a receiver of your webhooks: an address, which events it is sent, and how.', 'posthorn' ) . '</p>';
		echo '<p><a class="button button-primary" href="' . esc_url( $add ) . '">' . esc_html__( 'Add an endpoint', 'posthorn' ) . '</a></p></div>';
		return;
	}
	echo '<p class="posthorn-list-head">' . esc_html__( 'Every endpoint is sent its own events, in its own format. One that is slow or down holds up no other.', 'posthorn' ) . ' <a class="button" href="' . esc_url( $add ) . '">' . esc_html__( 'Add an endpoint', 'posthorn' ) . '</a></p>';
	echo '<form class="posthorn-buttons" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><input type="hidden" name="action" value="posthorn_endpoint">';
	wp_nonce_field( 'posthorn_endpoint' );
	echo '<div class="posthorn-scroll"><table class="widefat striped posthorn-endpoints"><thead><tr>';
	foreach ( posthorn_endpoint_headings() as $heading ) {
		echo '<th scope="col">' . esc_html( $heading ) . '</th>';
	}
	echo '</tr></thead><tbody>';
	foreach ( $endpoints as $n => $endpoint ) {
		posthorn_print_endpoint_row( $endpoint, $standing[ $endpoint['id'] ] ?? null );
	}
	echo '</tbody></table></div></form>';
}

/**
 * The list's columns.
 *
 * @return string[]
 */
function posthorn_endpoint_headings(): array {
	return array( __( 'Endpoint', 'posthorn' ), __( 'Events', 'posthorn' ), __( 'State', 'posthorn' ), __( 'Last success', 'posthorn' ), __( 'Waiting', 'posthorn' ), __( 'Failing since', 'posthorn' ) );
}

/**
 * Prints a row.
 *
 * @param array      $endpoint What posthorn_list_endpoints() has of it.
 * @param array|null $standing What posthorn_endpoint_standing() has of it; null if the queue cannot be asked.
 */
function posthorn_print_endpoint_row( array $endpoint, ?array $standing ): void {
	$edit    = posthorn_page_url( array( 'tab' => 'endpoints', 'endpoint' => $endpoint['id'] ) ); // phpcs:ignore WordPress.Arrays
	$waiting = (int) ( $standing['waiting'] ?? 0 );
	$name    = posthorn_endpoint_name( $endpoint );
	$cells   = array(
		( empty( $endpoint['read_only'] ) ? '<a class="row-title" href="' . esc_url( $edit ) . '">' . esc_html( $name ) . '</a>' : '<strong>' . esc_html( $name ) . '</strong>' ) . '<br><code class="posthorn-address">' . esc_html( posthorn_short_address( $endpoint['url'] ) ) . '</code>' . posthorn_endpoint_actions( $endpoint, $edit, $name ),
		esc_html( posthorn_events_words( (array) $endpoint['events'] ) ) . ( empty( $endpoint['filters'] ) ? '' : '<br><span class="description">' . esc_html__( 'with conditions', 'posthorn' ) . '</span>' ),
		posthorn_endpoint_state_mark( null === $standing && ! $endpoint['enabled'] ? array( 'state' => 'disabled' ) : $standing ) . posthorn_resume_button( $endpoint, $standing, $name ),
		/* translators: %s: a duration such as 5 minutes. */
		empty( $standing['last_success_at'] ) ? '–' : esc_html( sprintf( __( '%s ago', 'posthorn' ), human_time_diff( (int) strtotime( $standing['last_success_at'] ) ) ) ),
		0 === $waiting ? ( null === $standing ? '–' : '0' ) : '<a href="' . esc_url( posthorn_page_url( array( 'tab' => 'deliveries', 'state' => 'pending', 'endpoint' => $endpoint['id'] ) ) ) . '">' . esc_html( number_format_i18n( $waiting ) ) . '</a>', // phpcs:ignore WordPress.Arrays
		empty( $standing['failing_since'] ) ? '–' : esc_html( posthorn_local_time( $standing['failing_since'] ) ),
	);
	echo '<tr>';
	foreach ( posthorn_endpoint_headings() as $n => $heading ) {
		// On a narrow screen each cell is a line, and its heading stands before it.
		echo '<td data-heading="' . esc_attr( $heading ) . '"><span>' . $cells[ $n ] . '</span></td>'; // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped above.
	}
	echo '</tr>';
}

/**
 * An address without what may be a secret in it: of paths and queries, the beginning.
 *
 * @param string $url A URL.
 */
function posthorn_short_address( string $url ): string {
	$parts = (array) wp_parse_url( $url );
	$path  = (string) ( $parts['path'] ?? '' ) . ( isset( $parts['query'] ) ? '?' . $parts['query'] : '' );
	return ( $parts['host'] ?? $url ) . ( isset( $parts['port'] ) ? ':' . $parts['port'] : '' ) . ( strlen( $path ) > 20 ? substr( $path, 0, 18 ) . '…' : $path );
}

/**
 * The actions of a row as HTML: links that only lead somewhere, buttons that change something.
 *
 * @param array  $endpoint What posthorn_list_endpoints() has of it.
 * @param string $edit     Where it is edited.
 * @param string $name     What it is called.
 */
function posthorn_endpoint_actions( array $endpoint, string $edit, string $name ): string {
	$button  = '<button class="button-link" name="do" value="%s">%s<span class="screen-reader-text"> %s</span></button>';
	$link    = '<a href="%s"%s>%s<span class="screen-reader-text"> %s</span></a>';
	if ( ! empty( $endpoint['read_only'] ) ) {
		return '<span class="posthorn-actions description">' . esc_html__( 'defined in wp-config.php', 'posthorn' ) . '</span>';
	}
	$actions = array(
		sprintf( $link, esc_url( $edit ), '', esc_html__( 'Edit', 'posthorn' ), esc_html( $name ) ),
		sprintf( $button, esc_attr( 'duplicate:' . $endpoint['id'] ), esc_html__( 'Duplicate', 'posthorn' ), esc_html( $name ) ),
		$endpoint['enabled']
			? sprintf( $button, esc_attr( 'disable:' . $endpoint['id'] ), esc_html__( 'Switch off', 'posthorn' ), esc_html( $name ) )
			: sprintf( $button, esc_attr( 'enable:' . $endpoint['id'] ), esc_html__( 'Switch on', 'posthorn' ), esc_html( $name ) ),
		sprintf( $link, esc_url( add_query_arg( 'delete', '1', $edit ) ), ' class="posthorn-delete"', esc_html__( 'Delete', 'posthorn' ), esc_html( $name ) ),
	);
	return '<span class="posthorn-actions">' . implode( ' | ', $actions ) . '</span>';
}

/**
 * The button that has what waits for an endpoint sent now, HTML; empty where nothing is held back.
 *
 * @param array      $endpoint What posthorn_list_endpoints() has of it.
 * @param array|null $standing What posthorn_endpoint_standing() has of it; null if the queue cannot be asked.
 * @param string     $name     What it is called.
 */
function posthorn_resume_button( array $endpoint, ?array $standing, string $name ): string {
	$state = $standing['state'] ?? '';
	if ( 'suspended' !== $state && ( ! in_array( $state, array( 'asked_to_wait', 'circuit_open', 'failing' ), true ) || 0 === $standing['waiting'] ) ) {
		return '';
	}
	return sprintf( '<br><button class="button-link" name="do" value="%s">%s<span class="screen-reader-text"> %s</span></button>', esc_attr( 'resume:' . $endpoint['id'] ), esc_html__( 'Send now', 'posthorn' ), esc_html( $name ) );
}

/**
 * Subscriptions in a few words.
 *
 * @param string[] $events Names and patterns.
 */
function posthorn_events_words( array $events ): string {
	if ( in_array( '*', $events, true ) || array() === $events ) {
		return __( 'every event', 'posthorn' );
	}
	$more = count( $events ) - POSTHORN_NAMED_EVENTS;
	$text = implode( ', ', array_slice( $events, 0, POSTHORN_NAMED_EVENTS ) );
	/* translators: 1: names, 2: a number. */
	return $more > 0 ? sprintf( _n( '%1$s and %2$s more', '%1$s and %2$s more', $more, 'posthorn' ), $text, number_format_i18n( $more ) ) : $text;
}

/**
 * How an endpoint is doing, as a coloured word with the reason, HTML.
 *
 * @param array|null $standing What posthorn_endpoint_standing() has of it; null if the queue cannot be asked.
 */
function posthorn_endpoint_state_mark( ?array $standing ): string {
	$marks               = array(
		'active'        => array( 'delivered', __( 'On', 'posthorn' ), '' ),
		'disabled'      => array( 'cancelled', __( 'Off', 'posthorn' ), '' ),
		'suspended'     => array( 'dead', __( 'Stopped', 'posthorn' ), (string) ( $standing['suspended'] ?? '' ) ),
		/* translators: %s: date and time. */
		'asked_to_wait' => array( 'pending', __( 'Waits', 'posthorn' ), sprintf( __( 'the receiver asked for it, until %s', 'posthorn' ), posthorn_local_time( $standing['paused_until'] ?? null ) ) ),
		'circuit_open'  => array( 'dead', __( 'Failing', 'posthorn' ), __( 'one webhook a minute tries it', 'posthorn' ) ),
		/* translators: %s: a number. */
		'failing'       => array( 'dead', __( 'Failing', 'posthorn' ), sprintf( _n( '%s attempt has failed', '%s attempts in a row have failed', (int) ( $standing['failures'] ?? 0 ), 'posthorn' ), number_format_i18n( (int) ( $standing['failures'] ?? 0 ) ) ) ),
		'leaving'       => array( 'pending', __( 'Leaving', 'posthorn' ), __( 'deleted when nothing waits for it', 'posthorn' ) ),
	);
	list( $look, $word, $why ) = $marks[ $standing['state'] ?? '' ] ?? array( 'cancelled', __( 'Not known', 'posthorn' ), '' );
	return '<span class="posthorn-state posthorn-state-' . esc_attr( $look ) . '">' . esc_html( $word ) . '</span>' . ( '' === $why ? '' : '<br><span class="description">' . esc_html( $why ) . '</span>' );
}

/**
 * Prints what has just been done.
 */
function posthorn_print_endpoint_news(): void {
	// phpcs:ignore WordPress.Security.NonceVerification -- Only words.
	$done = sanitize_key( wp_unslash( $_GET['done'] ?? '' ) );
	$news = array(
		'added'     => __( 'Endpoint added.', 'posthorn' ),
		'saved'     => __( 'Endpoint saved.', 'posthorn' ),
		'duplicate' => __( 'The copy is the last in the list. It is switched off, so that nothing is sent twice: edit it, then switch it on.', 'posthorn' ),
		'enable'    => __( 'Endpoint switched on.', 'posthorn' ),
		'disable'   => __( 'Endpoint switched off. Events that happen from now on are not sent to it later either; what waits from before is kept until it is switched on.', 'posthorn' ),
		'resume'    => __( 'What waits for the endpoint is sent now.', 'posthorn' ),
		'delete'    => __( 'Endpoint deleted.', 'posthorn' ),
		'leaving'   => __( 'The endpoint is sent nothing new any more. It is deleted as soon as nothing waits for it.', 'posthorn' ),
	);
	$key  = 'posthorn_endpoint_error_' . get_current_user_id();
	$text = 'error' === $done ? (string) get_transient( $key ) : $news[ $done ] ?? '';
	delete_transient( $key );
	if ( '' !== $text ) {
		printf( '<div class="notice notice-%s is-dismissible" style="overflow-wrap:anywhere"><p>%s</p></div>', 'error' === $done ? 'error' : 'success', esc_html( $text ) );
	}
}

/**
 * Prints the question before an endpoint is deleted: what becomes of what waits for it.
 *
 * @param array $endpoint What posthorn_find_endpoint() returned.
 */
function posthorn_print_delete_question( array $endpoint ): void {
	try {
		$standing = posthorn_endpoint_standing()[ $endpoint['id'] ] ?? null;
	} catch ( \Throwable $error ) {
		$standing = null;
	}
	$waiting = (int) ( $standing['waiting'] ?? 0 );
	$held    = in_array( $standing['state'] ?? 'disabled', array( 'disabled', 'suspended' ), true );
	/* translators: %s: name of an endpoint. */
	echo '<h2>' . esc_html( sprintf( __( 'Delete %s?', 'posthorn' ), posthorn_endpoint_name( $endpoint ) ) ) . '</h2>';
	echo '<form class="posthorn-panel" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><input type="hidden" name="action" value="posthorn_endpoint">';
	wp_nonce_field( 'posthorn_endpoint' );
	if ( 0 === $waiting ) {
		echo '<p>' . esc_html__( 'Nothing waits to be sent to it.', 'posthorn' ) . '</p>';
	} else {
		/* translators: %s: a number of deliveries. */
		echo '<fieldset><legend><strong>' . esc_html( sprintf( _n( '%s delivery waits for it. What shall become of it?', '%s deliveries wait for it. What shall become of them?', $waiting, 'posthorn' ), number_format_i18n( $waiting ) ) ) . '</strong></legend>';
		$choices = array(
			'send'   => $held ? __( 'Send first, then delete: not possible, because sending to it is switched off or stopped', 'posthorn' ) : __( 'Send first, then delete. It gets nothing new from now on, and goes by itself when nothing waits any more', 'posthorn' ),
			'cancel' => __( 'Cancel. What waits is never sent; the list of deliveries keeps it as cancelled', 'posthorn' ),
		);
		foreach ( $choices as $value => $label ) {
			printf( '<p><label><input type="radio" name="waiting" value="%s"%s%s> %s</label></p>', esc_attr( $value ), checked( $held ? 'cancel' : 'send', $value, false ), disabled( $held && 'send' === $value, true, false ), esc_html( $label ) );
		}
		echo '</fieldset>';
	}
	echo '<p class="description">' . esc_html__( 'What has failed for good cannot be sent again once its endpoint is deleted. To stop sending for a while, switch it off instead.', 'posthorn' ) . '</p>';
	echo '<p><button class="button button-primary" name="do" value="' . esc_attr( 'delete:' . $endpoint['id'] ) . '">' . esc_html__( 'Delete endpoint', 'posthorn' ) . '</button> ';
	echo '<a class="button" href="' . esc_url( posthorn_page_url( array( 'tab' => 'endpoints' ) ) ) . '">' . esc_html__( 'Keep it', 'posthorn' ) . '</a></p></form>';
}
