<?php
/**
 * The panel that says how sending is going.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Prints the panel.
 */
function posthorn_print_status(): void {
	// The question above the page says what is wrong.
	$is_held = posthorn_is_held();
	$shown   = $is_held ? array() : posthorn_print_conditions();
	echo '<section class="posthorn-status" aria-labelledby="posthorn-status-heading"><h2 id="posthorn-status-heading">' . esc_html__( 'Status', 'posthorn' ) . '</h2><dl>';
	/* translators: %s: a version. */
	posthorn_print_fact( 'good', __( 'PHP extension', 'posthorn' ), sprintf( __( 'loaded, version %s', 'posthorn' ), (string) phpversion( 'posthorn' ) ) );
	if ( $is_held ) {
		posthorn_print_fact( 'bad', __( 'Sending', 'posthorn' ), __( 'held back until the question above is answered', 'posthorn' ) );
		echo '</dl></section>';
		return;
	}
	try {
		$stats     = posthorn_client_stats();
		$paused    = posthorn_client_paused();
		$dead      = posthorn_client_deliveries( array( 'state' => 'dead', 'limit' => 1 ) ); // phpcs:ignore WordPress.Arrays
		$endpoints = posthorn_client_endpoints();
	} catch ( \Throwable $error ) {
		posthorn_print_fact( 'bad', __( 'Queue', 'posthorn' ), ucfirst( posthorn_readable( $error->getMessage() ) ) );
		echo '</dl></section>';
		return;
	}
	/* translators: %s: a size such as 12 MB. */
	posthorn_print_fact( 'good', __( 'Queue', 'posthorn' ), sprintf( __( 'writable, %s on disk', 'posthorn' ), size_format( (int) $stats['bytes'] ) ) );
	posthorn_print_sender( $stats, $shown );
	posthorn_print_receivers( $endpoints );
	posthorn_print_waiting( $stats );
	posthorn_print_last_failure( $dead[0] ?? null, (int) $stats['dead'] );
	echo '</dl>';
	// A question above the page already asks the same after the plugin was switched on again.
	$suspended = array_filter( array_column( $endpoints, 'suspended' ) );
	if ( array() !== $suspended || ( $paused && ! get_option( POSTHORN_ASK_OPTION ) ) ) {
		posthorn_print_held_back( array() !== $suspended );
	}
	echo '</section>';
}

/**
 * Prints one line.
 *
 * @param string $state `good`, `note` or `bad`.
 * @param string $name  What it is about.
 * @param string $text  How it is.
 * @param string $link  Optional. Where more is to be seen.
 */
function posthorn_print_fact( string $state, string $name, string $text, string $link = '' ): void {
	$icons = array(
		'good' => array( 'yes-alt', __( 'All right:', 'posthorn' ) ),
		'note' => array( 'info', __( 'Note:', 'posthorn' ) ),
		'bad'  => array( 'warning', __( 'Problem:', 'posthorn' ) ),
	);
	printf(
		'<div class="posthorn-fact posthorn-%1$s"><dt><span class="dashicons dashicons-%2$s" aria-hidden="true"></span><span class="screen-reader-text">%3$s</span> %4$s</dt><dd>%5$s%6$s</dd></div>',
		esc_attr( $state ),
		esc_attr( $icons[ $state ][0] ),
		esc_html( $icons[ $state ][1] ),
		esc_html( $name ),
		esc_html( $text ),
		'' === $link ? '' : ' <a href="' . esc_url( $link ) . '">' . esc_html__( 'Show', 'posthorn' ) . '</a>'
	);
}

/**
 * Prints what is wrong with who sends, the queue's place and its room, with what to do. What the panel says anyway, in
 * words and with a button, is left out.
 *
 * @return string[] The ids of what was printed.
 */
function posthorn_print_conditions(): array {
	require_once dirname( __DIR__ ) . '/conditions.php';
	try {
		$conditions = array_filter( posthorn_conditions(), static fn( array $condition ) => ! in_array( $condition['id'], array( 'paused', 'suspended', 'failing', 'switched_off' ), true ) );
	} catch ( \Throwable $error ) {
		// A frozen process that holds the lock may be the reason; the panel shows the error.
		$look       = posthorn_client_inspect();
		$conditions = array_merge( posthorn_sender_conditions( $look ), posthorn_place_conditions( $look ) );
	}
	posthorn_print_these_conditions( $conditions );
	return array_column( $conditions, 'id' );
}

/**
 * Prints whether the process that sends answers, above the list of deliveries that wait for it.
 */
function posthorn_print_sender_conditions(): void {
	require_once dirname( __DIR__ ) . '/conditions.php';
	posthorn_print_these_conditions( posthorn_sender_conditions( posthorn_client_inspect() ) );
}

/**
 * Prints conditions as notices.
 *
 * @param array[] $conditions See posthorn_condition().
 */
function posthorn_print_these_conditions( array $conditions ): void {
	foreach ( $conditions as $condition ) {
		printf( '<div class="notice notice-%s inline posthorn-condition" style="overflow-wrap:anywhere"><p><strong>%s</strong></p><p>%s</p>', 'critical' === $condition['level'] ? 'error' : 'warning', esc_html( $condition['title'] ), esc_html( $condition['text'] ) );
		if ( 'moved' === $condition['id'] ) {
			posthorn_adopt_button();
		} elseif ( array() !== $condition['steps'] ) {
			echo '<p>' . esc_html__( 'Whoever looks after the server can put it right:', 'posthorn' ) . '</p>';
			posthorn_print_steps( $condition['steps'] );
		}
		echo '</div>';
	}
}

/**
 * The button that says that the queue was moved on purpose.
 */
function posthorn_adopt_button(): void {
	echo '<form class="posthorn-buttons" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '">';
	wp_nonce_field( 'posthorn_adopt' );
	echo '<p><input type="hidden" name="action" value="posthorn_adopt"><button class="button">' . esc_html__( 'It was moved here', 'posthorn' ) . '</button></p></form>';
}

/**
 * Prints who is sending.
 *
 * @param array    $stats The queue's numbers.
 * @param string[] $shown The ids of the conditions that are shown above.
 */
function posthorn_print_sender( array $stats, array $shown ): void {
	if ( array_intersect( array( 'frozen', 'silent' ), $shown ) ) {
		posthorn_print_fact( 'bad', __( 'Sender', 'posthorn' ), __( 'does not answer, see above', 'posthorn' ) );
		return;
	}
	if ( ! $stats['dispatcher'] ) {
		posthorn_print_fact( $stats['pending'] > 0 ? 'bad' : 'note', __( 'Sender', 'posthorn' ), __( 'nobody at the moment; the next visitor or WP-Cron starts it. Run “wp posthorn work” as a service to be independent of visitors.', 'posthorn' ) );
		return;
	}
	$from_command_line = 'cli' === ( $stats['dispatcher_kind'] ?? '' );
	posthorn_print_fact( 'good', __( 'Sender', 'posthorn' ), $from_command_line ? __( 'a process of the command line is sending (the posthorn service, or WP-CLI)', 'posthorn' ) : __( 'a PHP process of this site is sending in the background', 'posthorn' ) );
}

/**
 * Prints how many deliveries wait.
 *
 * @param array $stats The site's numbers.
 */
function posthorn_print_waiting( array $stats ): void {
	$pending = (int) $stats['pending'];
	if ( 0 === $pending ) {
		posthorn_print_fact( 'good', __( 'Waiting', 'posthorn' ), __( 'no delivery waits', 'posthorn' ) );
		return;
	}
	posthorn_print_fact(
		'note',
		__( 'Waiting', 'posthorn' ),
		sprintf(
			/* translators: 1: a number, 2: a duration such as 5 minutes. */
			_n( '%1$s delivery, for %2$s', '%1$s deliveries, the oldest for %2$s', $pending, 'posthorn' ),
			number_format_i18n( $pending ),
			human_time_diff( time() - (int) ( $stats['oldest_pending_s'] ?? 0 ) )
		),
		posthorn_page_url( array( 'tab' => 'deliveries', 'state' => 'pending' ) ) // phpcs:ignore WordPress.Arrays
	);
}

/**
 * Prints what failed last.
 *
 * @param array|null $delivery The newest dead delivery.
 * @param int        $count    How many there are.
 */
function posthorn_print_last_failure( ?array $delivery, int $count ): void {
	if ( null === $delivery ) {
		posthorn_print_fact( 'good', __( 'Failed', 'posthorn' ), __( 'nothing has failed for good', 'posthorn' ) );
		return;
	}
	posthorn_print_fact(
		'bad',
		__( 'Failed', 'posthorn' ),
		sprintf(
			/* translators: 1: a number, 2: name of an event, 3: a duration such as 5 minutes, 4: an error. */
			_n( '%1$s delivery has failed for good: %2$s of %3$s ago: %4$s', '%1$s deliveries have failed for good, the last was %2$s of %3$s ago: %4$s', max( 1, $count ), 'posthorn' ),
			number_format_i18n( max( 1, $count ) ),
			$delivery['event'],
			human_time_diff( (int) strtotime( (string) $delivery['created_at'] ) ),
			posthorn_delivery_error( $delivery )
		),
		posthorn_page_url( array( 'tab' => 'deliveries', 'state' => 'dead' ) ) // phpcs:ignore WordPress.Arrays
	);
}

/**
 * Prints that nothing is sent at present, and the button that ends it.
 *
 * @param bool $suspended Whether the engine stopped, for the reason above; otherwise it is the plugin's deactivation.
 */
function posthorn_print_held_back( bool $suspended ): void {
	echo '<div class="notice notice-warning inline" style="overflow-wrap:anywhere" id="posthorn-resume"><p>';
	if ( $suspended ) {
		esc_html_e( 'Put right what is wrong at the receiver, press Test Webhook to see whether it is, then have what waits sent. Entering another address resumes sending too. What waits for three days fails, unless set otherwise.', 'posthorn' );
	} else {
		esc_html_e( 'Sending is paused since the plugin was switched off. Webhooks are kept and wait, old and new, until you send them.', 'posthorn' );
	}
	echo '</p>';
	posthorn_resume_buttons( false );
	echo '</div>';
}
