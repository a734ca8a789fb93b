<?php
/**
 * The clone guard's question to the owner, its buttons, and what a copy says of itself.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Prints the question where it is open.
 */
function posthorn_guard_notices(): void {
	if ( posthorn_is_held() ) {
		$words = posthorn_guard_words();
		posthorn_guard_question( $words['title'], $words['text'], '' );
		return;
	}
	foreach ( posthorn_guard_open_questions() as $name => $place ) {
		posthorn_guard_question(
			/* translators: 1: an address such as www.example.com, 2: name of a database's host and database, such as 3f2a…. */
			sprintf( __( 'CRM webhooks of some events are held back: this site was also met at %1$s (%2$s), which is not where its receivers were saved.', 'posthorn' ), $place['address'], $place['environment'] ),
			__( 'Does that belong to this site, as another of its names or the command line? Then what was held back there is sent. If not, it is thrown away.', 'posthorn' ),
			$name
		);
	}
	$screen = get_current_screen();
	if ( posthorn_is_copy() && null !== $screen && str_contains( $screen->id, 'posthorn' ) ) {
		posthorn_guard_copy_notice();
	}
}

/**
 * The places that are asked about, without those that have become the site's own meanwhile.
 *
 * @return array[] See posthorn_guard_questions().
 */
function posthorn_guard_open_questions(): array {
	if ( '' === ( wp_load_alloptions()['posthorn_question'] ?? '' ) ) {
		return array();
	}
	require_once dirname( __DIR__ ) . '/held-events.php';
	$saved_for = posthorn_settings()['saved_for'];
	return array_filter( posthorn_guard_questions(), static fn( array $place ): bool => '' !== posthorn_guard_reason( $saved_for, $place ) );
}

/**
 * Prints a question with its two answers.
 *
 * @param string $title What is the matter.
 * @param string $text  What is asked.
 * @param string $place The name of another place; empty for this one.
 */
function posthorn_guard_question( string $title, string $text, string $place ): void {
	require_once dirname( __DIR__ ) . '/held-events.php';
	$count = posthorn_held_count( '' === $place ? null : posthorn_guard_place_of( $place ) );
	echo '<div class="notice notice-warning posthorn-guard" style="overflow-wrap:anywhere"><p><strong>' . esc_html( $title ) . '</strong></p><p>' . esc_html( $text );
	if ( $count > 0 ) {
		/* translators: %s: a number. */
		echo ' ' . esc_html( sprintf( _n( '%s event waits for your answer.', '%s events wait for your answer.', $count, 'posthorn' ), number_format_i18n( $count ) ) );
	}
	echo '</p><form class="posthorn-buttons" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '">';
	wp_nonce_field( 'posthorn_guard' );
	echo '<input type="hidden" name="action" value="posthorn_guard"><input type="hidden" name="place" value="' . esc_attr( $place ) . '">';
	$answers = '' === $place
		? array(
			'moved' => array( __( 'This site was moved here', 'posthorn' ), __( 'What waits is sent, and webhooks go out from here.', 'posthorn' ) ),
			'copy'  => array( __( 'This is a copy', 'posthorn' ), __( 'What waits here is thrown away, and the receivers are switched off. They stay in the settings.', 'posthorn' ) ),
		)
		: array(
			'moved' => array( __( 'It belongs to this site', 'posthorn' ), __( 'What waits is sent.', 'posthorn' ) ),
			'copy'  => array( __( 'It does not', 'posthorn' ), __( 'What waits is thrown away.', 'posthorn' ) ),
		);
	foreach ( $answers as $answer => list( $button, $meaning ) ) {
		$id = "posthorn-guard-$answer-" . ( '' === $place ? 'here' : $place );
		printf(
			'<p><button class="button" name="answer" value="%s" aria-describedby="%s">%s</button><br><span class="description" id="%s">%s</span></p>',
			esc_attr( $answer ),
			esc_attr( $id ),
			esc_html( $button ),
			esc_attr( $id ),
			esc_html( $meaning )
		);
	}
	echo '</form></div>';
}

/**
 * What a copy says on Posthorn's own pages.
 */
function posthorn_guard_copy_notice(): void {
	echo '<div class="notice notice-info posthorn-guard" style="overflow-wrap:anywhere"><p><strong>' . esc_html__( 'This site is a copy.', 'posthorn' ) . '</strong> '
		. esc_html__( 'The receivers that it came with are switched off. Events that happen here are not kept for them. To try webhooks here, enter a receiver that is meant for tests and switch it on.', 'posthorn' ) . '</p>'
		. '<form class="posthorn-buttons" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '">';
	wp_nonce_field( 'posthorn_guard' );
	echo '<input type="hidden" name="action" value="posthorn_guard"><p><button class="button" name="answer" value="moved">' . esc_html__( 'It is not a copy: send from here', 'posthorn' ) . '</button></p></form></div>';
}

/**
 * A place that is asked about.
 *
 * @param string $name Its name.
 * @return array|null Null if there is none.
 */
function posthorn_guard_place_of( string $name ): ?array {
	require_once dirname( __DIR__ ) . '/guard-answers.php';
	$place = posthorn_guard_questions()[ $name ] ?? null;
	return null === $place ? null : posthorn_guard_place( $place );
}

/**
 * Takes the answer.
 */
function posthorn_guard_decided(): void {
	posthorn_require_owner( 'posthorn_guard' );
	require_once dirname( __DIR__ ) . '/guard-answers.php';
	// phpcs:disable WordPress.Security.NonceVerification -- Checked above.
	$answer = sanitize_key( wp_unslash( $_POST['answer'] ?? '' ) );
	$name   = sanitize_key( wp_unslash( $_POST['place'] ?? '' ) );
	// phpcs:enable
	$place = '' === $name ? null : posthorn_guard_place_of( $name );
	if ( null === $place && is_multisite() && ! posthorn_guard_network_is_home() && ! current_user_can( 'manage_network_options' ) ) {
		wp_die( esc_html__( 'The whole network was copied or moved, so its administrator has to say which of the two.', 'posthorn' ), '', array( 'response' => 403 ) );
	}
	try {
		if ( '' !== $name && null === $place ) {
			$answer = '';
		}
		if ( 'moved' === $answer ) {
			posthorn_say_moved( $place );
		} elseif ( 'copy' === $answer && ( null !== $place || posthorn_is_held() ) ) {
			posthorn_say_copy( $place );
		}
	} catch ( \Throwable $error ) {
		posthorn_report( $error, false );
	}
	wp_safe_redirect( posthorn_page_url() );
	exit;
}
