<?php
/**
 * How the receivers are doing, in words: who asked to wait until when, who has failed since when, whom the engine sends
 * nothing any more.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * How a receiver is doing, in one line.
 *
 * @param array      $endpoint An entry of posthorn_client_endpoints().
 * @param array|null $waiting  What waits for it, see posthorn_client_waiting(); null if nothing does.
 * @return array{0:string,1:string} `good`, `note` or `bad`, and the line.
 */
function posthorn_receiver_state( array $endpoint, ?array $waiting ): array {
	if ( ! $endpoint['enabled'] ) {
		return array( 'note', posthorn_switched_off_words( $waiting ) );
	}
	if ( '' !== (string) $endpoint['suspended'] ) {
		/* translators: %s: a reason. */
		return array( 'bad', sprintf( __( 'Posthorn has stopped sending to it: %s. Webhooks are kept and wait.', 'posthorn' ), rtrim( (string) $endpoint['suspended'], '.' ) ) );
	}
	if ( null !== $endpoint['paused_until'] ) {
		/* translators: %s: date and time. */
		return array( 'note', sprintf( __( 'paused until %s, the receiver asked for it. Webhooks wait, none is lost by that.', 'posthorn' ), posthorn_local_time( $endpoint['paused_until'] ) ) );
	}
	if ( 0 === (int) $endpoint['failures'] ) {
		return null === $endpoint['last_success_at']
			? array( 'note', __( 'nothing has been sent to it yet', 'posthorn' ) )
			/* translators: %s: a duration such as 5 minutes. */
			: array( 'good', sprintf( __( 'answers; a webhook arrived %s ago', 'posthorn' ), human_time_diff( (int) strtotime( $endpoint['last_success_at'] ) ) ) );
	}
	$failed = sprintf(
		/* translators: 1: a number, 2: date and time. */
		_n( '%1$s attempt has failed, on %2$s.', '%1$s attempts in a row have failed, since %2$s.', (int) $endpoint['failures'], 'posthorn' ),
		number_format_i18n( (int) $endpoint['failures'] ),
		posthorn_local_time( $endpoint['failing_since'] )
	);
	$error = null === $waiting || empty( $waiting['last_error'] ) ? '' : ' ' . sprintf(
		/* translators: %s: an error. */
		__( 'The last error: %s.', 'posthorn' ),
		rtrim( posthorn_readable( (string) $waiting['last_error'] ), '.' )
	);
	return array( 'closed' === $endpoint['circuit'] ? 'note' : 'bad', $failed . posthorn_when_tried_again( $endpoint, $waiting ) . $error );
}

/**
 * When what waits for a receiver that fails is tried again; empty if nothing waits, or nothing is tried while the owner says no.
 *
 * @param array      $endpoint An entry of posthorn_client_endpoints().
 * @param array|null $waiting  What waits for it; null if nothing does.
 */
function posthorn_when_tried_again( array $endpoint, ?array $waiting ): string {
	if ( null === $waiting || 'paused' === $waiting['held_back'] ) {
		return '';
	}
	if ( 'open' === $endpoint['circuit'] ) {
		/* translators: %s: date and time. */
		return ' ' . sprintf( __( 'To spare it, webhooks wait; one tries again at %s.', 'posthorn' ), posthorn_local_time( $endpoint['circuit_open_until'] ) );
	}
	if ( 'half_open' === $endpoint['circuit'] ) {
		return ' ' . __( 'To spare it, webhooks wait; the next one tries whether it is back.', 'posthorn' );
	}
	if ( (int) $waiting['due'] > 0 || null === $waiting['next_attempt_at'] ) {
		return ' ' . __( 'Webhooks that wait are being sent.', 'posthorn' );
	}
	/* translators: %s: date and time. */
	return ' ' . sprintf( __( 'What waits is tried again by the schedule, next at %s.', 'posthorn' ), posthorn_local_time( $waiting['next_attempt_at'] ) );
}

/**
 * That the owner has switched a receiver off, and what that means.
 *
 * @param array|null $waiting What waits for it; null if nothing does.
 */
function posthorn_switched_off_words( ?array $waiting ): string {
	$words = __( 'switched off: “Send webhooks to this receiver” is not ticked. Events that happen now are not kept for it and will not be sent later.', 'posthorn' );
	if ( null === $waiting ) {
		return $words;
	}
	/* translators: %s: a number of deliveries. */
	return $words . ' ' . sprintf( _n( '%s delivery from before waits until it is switched on again.', '%s deliveries from before wait until it is switched on again.', (int) $waiting['pending'], 'posthorn' ), number_format_i18n( (int) $waiting['pending'] ) );
}

/**
 * What waits for each receiver. Asked only where a receiver's line needs it: it counts all that waits.
 *
 * @param array[] $endpoints What posthorn_client_endpoints() returned.
 * @return array<string,array> Endpoint id => its entry of posthorn_client_waiting().
 */
function posthorn_waiting_for( array $endpoints ): array {
	$needed = array_filter( $endpoints, static fn( array $endpoint ) => ! $endpoint['enabled'] || (int) $endpoint['failures'] > 0 );
	return array() === $needed ? array() : array_column( posthorn_client_waiting(), null, 'endpoint' );
}

/**
 * Prints a line for every receiver in the status panel.
 *
 * @param array[] $endpoints What posthorn_client_endpoints() returned.
 */
function posthorn_print_receivers( array $endpoints ): void {
	$waiting = posthorn_waiting_for( $endpoints );
	foreach ( $endpoints as $endpoint ) {
		list( $state, $text ) = posthorn_receiver_state( $endpoint, $waiting[ $endpoint['id'] ] ?? null );
		posthorn_print_fact( $state, posthorn_receiver_name( $endpoint, count( $endpoints ) ), $text );
	}
}

/**
 * What a receiver is called where there are several: as the owner calls it, or its host.
 *
 * @param array $endpoint An entry of posthorn_client_endpoints().
 * @param int   $count    How many there are.
 */
function posthorn_receiver_name( array $endpoint, int $count ): string {
	if ( $count < 2 ) {
		return __( 'Receiver', 'posthorn' );
	}
	$names = array_column( posthorn_settings()['endpoints'], 'description', 'id' ) + ( defined( 'POSTHORN_ENDPOINTS' ) ? array_column( posthorn_constant_endpoints(), 'description', 'id' ) : array() );
	$name  = trim( explode( "\n", (string) ( $names[ $endpoint['id'] ] ?? '' ) )[0] );
	// The rest of an address may be a secret.
	return '' === $name ? (string) wp_parse_url( $endpoint['url'], PHP_URL_HOST ) : $name;
}

/**
 * Prints above the list of deliveries why they wait, if a receiver makes all of them wait, and that a receiver is switched off.
 *
 * @param array[] $endpoints What posthorn_client_endpoints() returned.
 */
function posthorn_print_why_they_wait( array $endpoints ): void {
	$waiting = posthorn_waiting_for( $endpoints );
	foreach ( $endpoints as $endpoint ) {
		// One of several that is switched off and holds up nothing, a copy for example, is no news here.
		if ( $endpoint['enabled'] ? ! posthorn_receiver_holds( $endpoint ) : count( $endpoints ) > 1 && ! isset( $waiting[ $endpoint['id'] ] ) ) {
			continue;
		}
		printf(
			'<div class="notice notice-warning inline" style="overflow-wrap:anywhere"><p><strong>%s:</strong> %s%s</p></div>',
			esc_html( posthorn_receiver_name( $endpoint, count( $endpoints ) ) ),
			esc_html( posthorn_receiver_state( $endpoint, $waiting[ $endpoint['id'] ] ?? null )[1] ),
			'' === (string) $endpoint['suspended'] ? '' : ' <a href="' . esc_url( posthorn_page_url() . '#posthorn-resume' ) . '">' . esc_html__( 'See to it', 'posthorn' ) . '</a>'
		);
	}
	// After the plugin was switched on again, a question above the page says the same.
	if ( posthorn_client_paused() && ! get_option( POSTHORN_ASK_OPTION ) ) {
		printf(
			'<div class="notice notice-warning inline" style="overflow-wrap:anywhere"><p>%s <a href="%s">%s</a></p></div>',
			esc_html__( 'Sending is paused since the plugin was switched off. Webhooks are kept and wait, old and new, until you send them.', 'posthorn' ),
			esc_url( posthorn_page_url() . '#posthorn-resume' ),
			esc_html__( 'See to it', 'posthorn' )
		);
	}
}

/**
 * Whether everything for a receiver waits.
 *
 * @param array $endpoint An entry of posthorn_client_endpoints().
 */
function posthorn_receiver_holds( array $endpoint ): bool {
	return '' !== (string) $endpoint['suspended'] || null !== $endpoint['paused_until'] || 'closed' !== $endpoint['circuit'];
}

/**
 * When a delivery that waits is tried next, as the owner reads it.
 *
 * @param array   $delivery  A delivery that is pending.
 * @param array[] $endpoints What posthorn_client_endpoints() returned.
 */
function posthorn_next_attempt( array $delivery, array $endpoints ): string {
	foreach ( $endpoints as $endpoint ) {
		if ( $endpoint['id'] !== $delivery['endpoint'] ) {
			continue;
		}
		if ( ! $endpoint['enabled'] || '' !== (string) $endpoint['suspended'] ) {
			return __( 'when sending is resumed', 'posthorn' );
		}
		// Times of one form sort as text.
		return posthorn_local_time( max( (string) $delivery['next_attempt_at'], (string) $endpoint['paused_until'], (string) $endpoint['circuit_open_until'] ) );
	}
	return posthorn_local_time( $delivery['next_attempt_at'] );
}

/**
 * The receivers that the engine sends nothing any more. Empty if the queue cannot be asked: that is told elsewhere.
 *
 * @return array[] Entries of posthorn_client_endpoints().
 */
function posthorn_suspended_receivers(): array {
	try {
		return array_values( array_filter( posthorn_client_endpoints(), static fn( array $endpoint ) => '' !== (string) $endpoint['suspended'] ) );
	} catch ( \Throwable $error ) {
		return array();
	}
}

/**
 * The notice on every page of the administration that sending to a receiver has stopped.
 */
function posthorn_notice_suspended(): void {
	$screen = get_current_screen();
	// On its own page the panel says so, beside the button.
	if ( null !== $screen && 'settings_page_posthorn' === $screen->id || ! posthorn_has_receiver() ) {
		return;
	}
	foreach ( posthorn_suspended_receivers() as $endpoint ) {
		printf(
			'<div class="notice notice-error" style="overflow-wrap:anywhere"><p><strong>%s</strong> %s</p><p><a class="button" href="%s">%s</a></p></div>',
			/* translators: %s: a host, such as hooks.example.com. */
			esc_html( sprintf( __( 'CRM webhooks are no longer sent to %s.', 'posthorn' ), (string) wp_parse_url( $endpoint['url'], PHP_URL_HOST ) ) ),
			/* translators: %s: a reason. */
			esc_html( ucfirst( sprintf( __( '%s. They are kept and wait, three days each unless set otherwise, until you have them sent or enter another address.', 'posthorn' ), rtrim( (string) $endpoint['suspended'], '.' ) ) ) ),
			esc_url( posthorn_page_url() . '#posthorn-resume' ),
			esc_html__( 'See to it', 'posthorn' )
		);
	}
}
