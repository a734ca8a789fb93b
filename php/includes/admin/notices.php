<?php
/**
 * What the owner is told on every page of the administration, and the buttons in it.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Prints the notices. Without a fitting extension it is one, and no other.
 */
function posthorn_show_notices(): void {
	if ( ! current_user_can( 'manage_posthorn' ) ) {
		return;
	}
	$requirement = posthorn_requirement_problem();
	if ( '' !== $requirement ) {
		echo '<div class="notice notice-error" style="overflow-wrap:anywhere">';
		posthorn_print_instructions( $requirement );
		echo '</div>';
		return;
	}
	posthorn_guard_notices();
	if ( posthorn_is_held() ) {
		// Whatever else there is to say, this comes first, and nothing else is done before it is answered.
		return;
	}
	if ( get_option( 'posthorn_secret_unreadable' ) ) {
		posthorn_notice_secret();
	}
	if ( get_option( POSTHORN_ASK_OPTION ) ) {
		posthorn_notice_resume();
	}
	$files = posthorn_set_aside_unseen();
	if ( array() !== $files ) {
		posthorn_notice_set_aside( $files );
	}
	$problem = posthorn_stored_problem();
	if ( null !== $problem ) {
		posthorn_notice_problem( $problem );
	}
	posthorn_notice_suspended();
	if ( get_option( 'posthorn_native_seen' ) ) {
		require_once __DIR__ . '/native-webhooks.php';
		posthorn_native_notice();
	}
}

/**
 * The stored secret cannot be read.
 */
function posthorn_notice_secret(): void {
	printf(
		'<div class="notice notice-error" style="overflow-wrap:anywhere"><p><strong>%s</strong> %s</p><p><a class="button" href="%s">%s</a></p></div>',
		esc_html__( 'Posthorn cannot read the secret of your webhook receiver.', 'posthorn' ),
		esc_html__( 'The key that protects it is gone or another one, as after moving to another server. Until you enter the secret again, changes of these settings do not take effect; nothing is sent unsigned.', 'posthorn' ),
		esc_url( posthorn_page_url() ),
		esc_html__( 'Enter the secret', 'posthorn' )
	);
}

/**
 * Deliveries wait from before the plugin was switched off.
 */
function posthorn_notice_resume(): void {
	echo '<div class="notice notice-warning" style="overflow-wrap:anywhere"><p><strong>' . esc_html__( 'Webhooks are waiting since Posthorn was switched off.', 'posthorn' ) . '</strong> '
		. esc_html__( 'Shall they be sent now? Until you say so, new ones wait as well, in order.', 'posthorn' ) . '</p>';
	posthorn_resume_buttons( true );
	echo '</div>';
}

/**
 * The buttons that answer the question above.
 *
 * @param bool $keep Whether "Keep them waiting" is offered too.
 */
function posthorn_resume_buttons( bool $keep ): void {
	echo '<form class="posthorn-buttons" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '">';
	wp_nonce_field( 'posthorn_resume' );
	echo '<input type="hidden" name="action" value="posthorn_resume">'
		. '<button class="button button-primary" name="answer" value="send">' . esc_html__( 'Send them now', 'posthorn' ) . '</button> ';
	if ( $keep ) {
		echo '<button class="button" name="answer" value="keep">' . esc_html__( 'Keep them waiting', 'posthorn' ) . '</button>';
	}
	echo '</form>';
}

/**
 * Something went wrong on Posthorn's side.
 *
 * @param array $problem What posthorn_stored_problem() returned.
 */
function posthorn_notice_problem( array $problem ): void {
	echo '<div class="notice notice-error" style="overflow-wrap:anywhere"><p><strong>';
	if ( $problem['lost'] > 0 ) {
		/* translators: %s: a number. */
		echo esc_html( sprintf( _n( '%s CRM event could not be accepted by Posthorn and will not be sent.', '%s CRM events could not be accepted by Posthorn and will not be sent.', $problem['lost'], 'posthorn' ), number_format_i18n( $problem['lost'] ) ) );
	} else {
		esc_html_e( 'Posthorn has a problem.', 'posthorn' );
	}
	echo '</strong> ' . esc_html( ucfirst( posthorn_readable( $problem['message'] ) ) ) . ' '
		/* translators: %s: a duration, such as 5 minutes. */
		. esc_html( sprintf( __( '(first seen %s ago; the CRM’s own work was not affected)', 'posthorn' ), human_time_diff( $problem['time'] ) ) ) . '</p>';
	require_once __DIR__ . '/remedies.php';
	$steps = posthorn_remedy_steps( $problem['kind'] );
	if ( array() !== $steps ) {
		echo '<p>' . esc_html__( 'Whoever looks after the server can put it right:', 'posthorn' ) . '</p>';
		posthorn_print_steps( $steps );
	}
	posthorn_dismiss_button( 'problem' );
	echo '</div>';
}

/**
 * The queue's file was damaged.
 *
 * @param array[] $files What posthorn_set_aside_unseen() returned.
 */
function posthorn_notice_set_aside( array $files ): void {
	require_once __DIR__ . '/remedies.php';
	echo '<div class="notice notice-error" style="overflow-wrap:anywhere"><p><strong>' . esc_html__( 'The file of Posthorn’s webhook queue was damaged.', 'posthorn' ) . '</strong> '
		. esc_html__( 'It has been set aside, not deleted. Posthorn has begun a new one and goes on: new webhooks are accepted and sent, and the CRM’s own work was not affected. What was waiting has been taken over as far as the old file could be read; the record of webhooks sent before has not. Some may be sent twice, with the same id.', 'posthorn' ) . '</p><ul class="ul-disc">';
	foreach ( $files as $file ) {
		echo '<li><code>' . esc_html( $file['path'] ) . '</code><br>' . esc_html(
			null === $file['taken']
				/* translators: 1: a duration such as 5 minutes, 2: a size such as 12 MB. */
				? sprintf( __( 'set aside %1$s ago, %2$s; what was waiting in it is being taken over', 'posthorn' ), human_time_diff( $file['time'] ), size_format( $file['bytes'] ) )
				/* translators: 1: a duration such as 5 minutes, 2: a size such as 12 MB, 3: a number. */
				: sprintf( _n( 'set aside %1$s ago, %2$s; %3$s waiting webhook was taken over', 'set aside %1$s ago, %2$s; %3$s waiting webhooks were taken over', $file['taken'], 'posthorn' ), human_time_diff( $file['time'] ), size_format( $file['bytes'] ), number_format_i18n( $file['taken'] ) )
		) . '</li>';
	}
	echo '</ul><p>' . esc_html__( 'What to do now:', 'posthorn' ) . '</p>';
	posthorn_print_steps( posthorn_set_aside_steps( $files ) );
	/* translators: %s: path of a file. */
	echo '<p>' . esc_html( sprintf( __( 'The cause is in %s.', 'posthorn' ), posthorn_queue_directory() . '/posthorn.log' ) ) . '</p>';
	posthorn_dismiss_button( 'set_aside' );
	echo '</div>';
}

/**
 * The button that ends a notice.
 *
 * @param string $notice `problem` or `set_aside`.
 */
function posthorn_dismiss_button( string $notice ): void {
	echo '<form class="posthorn-buttons" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '">';
	wp_nonce_field( 'posthorn_dismiss' );
	echo '<input type="hidden" name="action" value="posthorn_dismiss"><button class="button" name="notice" value="' . esc_attr( $notice ) . '">' . esc_html__( 'Dismiss', 'posthorn' ) . '</button></form>';
}

/**
 * Answers "Send them now" and "Keep them waiting".
 */
function posthorn_resume(): void {
	posthorn_require_owner( 'posthorn_resume' );
	// phpcs:ignore WordPress.Security.NonceVerification -- Checked above.
	if ( 'send' === sanitize_key( wp_unslash( $_POST['answer'] ?? '' ) ) ) {
		try {
			posthorn_resume_sending();
		} catch ( \Throwable $error ) {
			posthorn_report( $error, false );
		}
	}
	delete_option( POSTHORN_ASK_OPTION );
	wp_safe_redirect( posthorn_page_url() );
	exit;
}

/**
 * Answers "Dismiss".
 */
function posthorn_dismiss(): void {
	posthorn_require_owner( 'posthorn_dismiss' );
	// phpcs:ignore WordPress.Security.NonceVerification -- Checked above.
	if ( 'set_aside' === sanitize_key( wp_unslash( $_POST['notice'] ?? '' ) ) ) {
		posthorn_set_aside_seen();
	} else {
		delete_option( POSTHORN_PROBLEM_OPTION );
	}
	$back = wp_get_referer();
	wp_safe_redirect( $back ? $back : posthorn_page_url() );
	exit;
}

/**
 * Answers "It was moved here".
 */
function posthorn_adopt(): void {
	posthorn_require_owner( 'posthorn_adopt' );
	try {
		posthorn_client_adopt();
	} catch ( \Throwable $error ) {
		posthorn_report( $error, false );
	}
	wp_safe_redirect( posthorn_page_url() );
	exit;
}

/**
 * Ends the request unless the owner sent it from one of our forms.
 *
 * @param string $action The nonce's action.
 */
function posthorn_require_owner( string $action ): void {
	if ( ! current_user_can( 'manage_posthorn' ) ) {
		wp_die( esc_html__( 'Only administrators may do this.', 'posthorn' ), '', array( 'response' => 403 ) );
	}
	check_admin_referer( $action );
}
