<?php
/**
 * The CRM's own webhooks as the owner sees them: the warning, taking a receiver over, and what became of it.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/crm/native-webhooks.php';
require_once __DIR__ . '/native-take-over.php';

/** The CRM is warned about for this long after its last call; after that it has stopped. */
const POSTHORN_NATIVE_WARN_S = 30 * DAY_IN_SECONDS;

/**
 * The receivers that the CRM sends to by itself, without those that were taken over.
 *
 * @return array<string,array> What posthorn_native_seen() holds of them.
 */
function posthorn_native_open_cases(): array {
	$silenced = posthorn_native_decisions()['silenced'];
	return array_filter(
		array_diff_key( posthorn_native_seen(), $silenced ),
		static fn( array $seen ): bool => $seen['sent'] > 0 && time() - $seen['last'] < POSTHORN_NATIVE_WARN_S
	);
}

/**
 * Whether Posthorn sends to no receiver, to this one, or to another one.
 *
 * @param string $url The URL that the CRM calls.
 * @return string `none`, `same` or `another`.
 */
function posthorn_native_our_receiver( string $url ): string {
	$same = posthorn_native_endpoint( $url );
	if ( null !== $same && ( $same['enabled'] ?? true ) ) {
		return 'same';
	}
	return null !== $same || null === posthorn_main_endpoint( posthorn_settings() ) ? 'none' : 'another';
}

/**
 * Prints the notice on the other pages of the administration, until the matter is settled or the owner hides it.
 */
function posthorn_native_notice(): void {
	$cases = array_diff_key( posthorn_native_open_cases(), array_flip( posthorn_native_decisions()['dismissed'] ) );
	$page  = get_current_screen();
	if ( array() === $cases || ( null !== $page && 'settings_page_posthorn' === $page->id ) ) {
		return;
	}
	$same = array_filter( $cases, static fn( array $case ): bool => 'same' === posthorn_native_our_receiver( $case['url'] ) );
	$urls = implode( ', ', array_map( static fn( array $case ): string => posthorn_native_address( $case['url'] ), $cases ) );
	echo '<div class="notice notice-warning" style="overflow-wrap:anywhere"><p><strong>'
		. esc_html( array() === $same ? __( 'Your CRM also sends webhooks itself.', 'posthorn' ) : __( 'Your receiver gets every webhook twice.', 'posthorn' ) ) . '</strong> ';
	if ( array() === $same ) {
		/* translators: %s: addresses. */
		printf( esc_html__( 'It was seen calling %s. If Posthorn sends to the same receiver, that gets everything twice. Posthorn can take it over.', 'posthorn' ), $urls ); // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped above.
	} else {
		/* translators: %s: addresses. */
		printf( esc_html__( 'Posthorn sends to it, and the CRM’s own webhook module was seen calling %s as well.', 'posthorn' ), $urls ); // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped above.
	}
	echo '</p><form class="posthorn-buttons" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><p>'
		. '<a class="button button-primary" href="' . esc_url( posthorn_page_url() ) . '">' . esc_html__( 'Settle it', 'posthorn' ) . '</a> ';
	posthorn_native_hidden_fields( '', 'posthorn_native' );
	echo '<button class="button" name="posthorn_native" value="dismiss">' . esc_html__( 'Hide this notice', 'posthorn' ) . '</button></p></form></div>';
}

/**
 * Prints the warnings of the settings page: what the CRM sends by itself.
 *
 * @param string $except A receiver that is being taken over; empty for none.
 */
function posthorn_native_print_warnings( string $except ): void {
	foreach ( posthorn_native_open_cases() as $key => $case ) {
		if ( (string) $key !== $except ) {
			posthorn_native_print_warning( (string) $key, $case );
		}
	}
}

/**
 * Prints a warning with its button.
 *
 * @param string $key  The receiver's key.
 * @param array  $case What posthorn_native_seen() holds of it.
 */
function posthorn_native_print_warning( string $key, array $case ): void {
	$ours    = posthorn_native_our_receiver( $case['url'] );
	$heading = array(
		'none'    => __( 'Your CRM sends webhooks itself', 'posthorn' ),
		'same'    => __( 'Your receiver gets everything twice', 'posthorn' ),
		'another' => __( 'Your CRM also sends webhooks itself', 'posthorn' ),
	)[ $ours ];
	$meaning = array(
		'none'    => esc_html__( 'Whoever works in the CRM waits for each of these calls, and after three attempts they are lost. Posthorn can take this receiver over. If you enter the receiver below without doing so, it gets everything twice.', 'posthorn' ),
		'same'    => esc_html__( 'Posthorn sends to it as well. Silence the CRM’s: Posthorn then answers its calls to this receiver here, on this site, and sends everything itself. Nothing in the CRM is changed.', 'posthorn' ),
		/* translators: %s: an address. */
		'another' => sprintf( esc_html__( 'If that leads to the receiver that is saved here (%s), it gets everything twice. Take it over, and Posthorn sends to this address instead of that one.', 'posthorn' ), posthorn_native_address( posthorn_main_endpoint( posthorn_settings() )['url'] ?? '' ) ),
	)[ $ours ];
	echo '<section class="posthorn-panel posthorn-panel-warning"><h2>' . esc_html( $heading ) . '</h2>'
		. '<p>' . posthorn_native_seen_words( $case ) . ' ' . $meaning . '</p>'; // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped above.
	if ( 'same' === $ours ) {
		posthorn_native_print_button( $key, 'silence', __( 'Silence the CRM’s own webhook', 'posthorn' ), admin_url( 'admin-post.php' ) );
	} else {
		posthorn_native_print_button( $key, 'take_over', __( 'Take over…', 'posthorn' ), posthorn_page_url(), 'button-primary', __( 'Copies what can be read of the CRM’s settings into the form below and sends a test. Nothing changes until you save.', 'posthorn' ) );
	}
	echo '</section>';
}

/**
 * What was seen of a receiver, HTML.
 *
 * @param array $seen What posthorn_native_seen() holds of it.
 */
function posthorn_native_seen_words( array $seen ): string {
	return sprintf(
		/* translators: 1: a number, 2: an address, 3: a duration such as 5 minutes. */
		esc_html( _n( 'The CRM’s own webhook module has called %2$s once, %3$s ago.', 'The CRM’s own webhook module has called %2$s %1$s times, the last time %3$s ago.', $seen['sent'], 'posthorn' ) ),
		esc_html( number_format_i18n( $seen['sent'] ) ),
		posthorn_native_address( $seen['url'] ),
		esc_html( human_time_diff( $seen['last'] ) )
	);
}

/**
 * An address as it is shown, HTML.
 *
 * @param string $url A URL.
 */
function posthorn_native_address( string $url ): string {
	return '<code>' . esc_html( posthorn_native_short_url( $url ) ) . '</code>';
}

/**
 * Prints a form of one button.
 *
 * @param string $key    The receiver's key.
 * @param string $what   What the button does.
 * @param string $label  Its label.
 * @param string $action Where it goes.
 * @param string $kind   Optional. Its class.
 * @param string $help   Optional. What stands beside it.
 */
function posthorn_native_print_button( string $key, string $what, string $label, string $action, string $kind = 'button-primary', string $help = '' ): void {
	echo '<form method="post" action="' . esc_url( $action ) . '"><p>';
	posthorn_native_hidden_fields( $key, 'posthorn_native' );
	printf( '<button class="button %s" name="posthorn_native" value="%s">%s</button> <span class="description">%s</span></p></form>', esc_attr( $kind ), esc_attr( $what ), esc_html( $label ), esc_html( $help ) );
}

/**
 * Prints what every form here carries.
 *
 * @param string $key    The receiver's key.
 * @param string $action The action for admin-post.php, and the nonce's.
 */
function posthorn_native_hidden_fields( string $key, string $action ): void {
	wp_nonce_field( $action, '_wpnonce', true );
	echo '<input type="hidden" name="action" value="' . esc_attr( $action ) . '"><input type="hidden" name="key" value="' . esc_attr( $key ) . '">';
}

/**
 * Prints what became of the receivers that were taken over.
 */
function posthorn_native_print_silenced(): void {
	$silenced = posthorn_native_decisions()['silenced'];
	if ( array() === $silenced ) {
		return;
	}
	$seen = posthorn_native_seen();
	foreach ( $silenced as $key => $decision ) {
		$hindrance = posthorn_native_hindrance( $decision['target'] );
		echo '<section class="posthorn-panel' . ( '' === $hindrance ? '' : ' posthorn-panel-warning' ) . '"><h2>' . esc_html__( 'The CRM’s own webhooks', 'posthorn' ) . '</h2>';
		posthorn_native_print_silenced_words( $decision, $seen[ $key ] ?? null, $hindrance );
		posthorn_native_print_button( (string) $key, 'give_back', __( 'Let the CRM send again', 'posthorn' ), admin_url( 'admin-post.php' ), '' );
		echo '</section>';
	}
}

/**
 * Prints how it is with a receiver that was taken over.
 *
 * @param array      $decision  What the owner decided.
 * @param array|null $seen      What was seen since.
 * @param string     $hindrance Why Posthorn does not send to it; empty if it does.
 */
function posthorn_native_print_silenced_words( array $decision, ?array $seen, string $hindrance ): void {
	$where    = posthorn_native_address( $decision['url'] );
	$answered = (int) ( $seen['answered'] ?? 0 );
	echo '<p>';
	if ( 0 === $answered ) {
		/* translators: %s: an address. */
		printf( esc_html__( 'Posthorn has taken %s over. The CRM’s own webhook module has not called it since.', 'posthorn' ), $where ); // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped above.
	} else {
		printf(
			/* translators: 1: a number, 2: an address, 3: a duration such as 5 minutes. */
			esc_html( _n( 'Posthorn has taken %2$s over. %1$s call of the CRM’s own webhook module was answered here instead of being sent, %3$s ago.', 'Posthorn has taken %2$s over. %1$s calls of the CRM’s own webhook module were answered here instead of being sent, the last %3$s ago.', $answered, 'posthorn' ) ),
			esc_html( number_format_i18n( $answered ) ),
			$where, // phpcs:ignore WordPress.Security.EscapeOutput -- Escaped above.
			esc_html( human_time_diff( $seen['last'] ) )
		);
	}
	echo '</p>';
	if ( '' !== $hindrance ) {
		echo '<p><strong>' . esc_html__( 'At present the CRM’s calls go out by themselves, so that nothing is lost.', 'posthorn' ) . '</strong> ' . esc_html( posthorn_native_hindrance_words( $hindrance ) ) . '</p>';
		return;
	}
	$theirs = array_filter(
		$seen['events'] ?? array(),
		static function ( string $name ) use ( $decision ): bool {
			$event = posthorn_native_event( $name );
			return null === $event || ! posthorn_native_is_subscribed( $decision['target'], $event );
		}
	);
	if ( array() !== $theirs ) {
		/* translators: %s: names of events. */
		echo '<p>' . esc_html( sprintf( __( 'What Posthorn does not send to this receiver, the CRM still sends itself: %s.', 'posthorn' ), implode( ', ', $theirs ) ) ) . '</p>';
	}
}

/**
 * Why Posthorn does not send to a receiver.
 *
 * @param string $hindrance What posthorn_native_hindrance() returned.
 */
function posthorn_native_hindrance_words( string $hindrance ): string {
	switch ( $hindrance ) {
		case 'receiver':
			return __( 'The receiver that replaced it is no longer the one that is saved here.', 'posthorn' );
		case 'disabled':
			return __( 'Sending to this receiver is switched off below.', 'posthorn' );
		case 'suspended':
			return __( 'Posthorn has stopped sending to this receiver; the reason stands under Status.', 'posthorn' );
		case 'paused':
			return __( 'Sending is paused since the plugin was switched off.', 'posthorn' );
	}
	return __( 'The queue cannot be used, or does not have these settings.', 'posthorn' );
}

/**
 * Answers "Silence", "Let the CRM send again" and "Hide this notice".
 */
function posthorn_native_decided(): void {
	posthorn_require_owner( 'posthorn_native' );
	// phpcs:disable WordPress.Security.NonceVerification -- Checked above.
	$what = sanitize_key( wp_unslash( $_POST['posthorn_native'] ?? '' ) );
	$key  = sanitize_key( wp_unslash( $_POST['key'] ?? '' ) );
	// phpcs:enable
	$back      = posthorn_page_url();
	$decisions = posthorn_native_decisions();
	$url       = posthorn_native_seen()[ $key ]['url'] ?? '';
	if ( 'dismiss' === $what ) {
		$decisions['dismissed'] = array_merge( $decisions['dismissed'], array_map( 'strval', array_keys( posthorn_native_open_cases() ) ) );
		posthorn_native_decide( $decisions );
		$back = wp_get_referer() ? wp_get_referer() : $back;
	} elseif ( 'silence' === $what && '' !== $url && 'same' === posthorn_native_our_receiver( $url ) ) {
		posthorn_native_silence( $key, $url, posthorn_native_endpoint( $url )['url'] );
	} elseif ( 'give_back' === $what && isset( $decisions['silenced'][ $key ] ) ) {
		unset( $decisions['silenced'][ $key ] );
		// The owner wants it so; the settings page goes on to say what it means.
		$decisions['dismissed'][] = $key;
		posthorn_native_decide( $decisions );
		posthorn_native_forget( $key );
	}
	wp_safe_redirect( $back );
	exit;
}

/**
 * Silences the CRM's calls to a receiver.
 *
 * @param string $key    The receiver's key.
 * @param string $url    The URL that the CRM calls.
 * @param string $target The URL of Posthorn's receiver that replaces it.
 */
function posthorn_native_silence( string $key, string $url, string $target ): void {
	$decisions                     = posthorn_native_decisions();
	$decisions['silenced'][ $key ] = array(
		'url'    => $url,
		'target' => $target,
		'time'   => time(),
	);
	$decisions['dismissed']        = array_values( array_diff( $decisions['dismissed'], array( $key ) ) );
	posthorn_native_decide( $decisions );
	posthorn_native_forget( $key );
}
