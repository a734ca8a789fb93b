<?php
/**
 * Sending deliveries again and cancelling them, from the list and from the page of one.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/deliveries.php';

/**
 * What can be done with the ticked ones of a list.
 *
 * @return array<string,string> What posthorn_delivery_decided() takes => as the owner reads it.
 */
function posthorn_delivery_acts(): array {
	return array(
		'replay' => __( 'Send again', 'posthorn' ),
		'cancel' => __( 'Cancel', 'posthorn' ),
	);
}

/**
 * Begins the form around a list, with the choice above it, as WordPress's own lists have it.
 *
 * @param string $state The state that is shown; empty for all.
 * @param string $only  The endpoint whose deliveries are shown; empty for all.
 */
function posthorn_print_delivery_choice( string $state, string $only ): void {
	echo '<form class="posthorn-buttons" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><input type="hidden" name="action" value="posthorn_delivery">';
	wp_nonce_field( 'posthorn_delivery' );
	echo '<input type="hidden" name="state" value="' . esc_attr( $state ) . '"><input type="hidden" name="endpoint" value="' . esc_attr( $only ) . '">';
	echo '<div class="tablenav top"><div class="alignleft actions bulkactions"><label for="posthorn-act" class="screen-reader-text">' . esc_html__( 'What to do with the ticked deliveries', 'posthorn' ) . '</label><select name="act" id="posthorn-act"><option value="">' . esc_html__( 'Bulk actions', 'posthorn' ) . '</option>';
	foreach ( posthorn_delivery_acts() as $act => $name ) {
		echo '<option value="' . esc_attr( $act ) . '">' . esc_html( $name ) . '</option>';
	}
	echo '</select> <button class="button action" name="do" value="ticked">' . esc_html__( 'Apply', 'posthorn' ) . '</button>';
	if ( 'dead' === $state ) {
		echo ' <button class="button" name="do" value="replay-all">' . esc_html( '' === $only ? __( 'Send all failed ones again', 'posthorn' ) : __( 'Send all failed ones of this endpoint again', 'posthorn' ) ) . '</button>';
	}
	echo '</div></div>';
}

/**
 * Prints the buttons on the page of a delivery.
 *
 * @param array $delivery A delivery.
 */
function posthorn_print_delivery_buttons( array $delivery ): void {
	$act  = 'pending' === $delivery['state'] ? 'cancel' : 'replay';
	$help = 'cancel' === $act
		? __( 'What waits is then never sent.', 'posthorn' )
		: __( 'It is sent with the same id and the same body, so a receiver that has it already can tell.', 'posthorn' );
	echo '<form class="posthorn-buttons" method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><input type="hidden" name="action" value="posthorn_delivery"><input type="hidden" name="one" value="' . esc_attr( $delivery['id'] ) . '">';
	wp_nonce_field( 'posthorn_delivery' );
	echo '<p><button class="button" name="do" value="' . esc_attr( $act ) . '">' . esc_html( posthorn_delivery_acts()[ $act ] ) . '</button> <span class="description">' . esc_html( $help ) . '</span></p></form>';
}

/**
 * Answers the buttons.
 */
function posthorn_delivery_decided(): void {
	posthorn_require_owner( 'posthorn_delivery' );
	// phpcs:disable WordPress.Security.NonceVerification -- Checked above.
	$text = static fn( string $key ): string => is_string( $_POST[ $key ] ?? null ) ? sanitize_text_field( wp_unslash( $_POST[ $key ] ) ) : '';
	$ids  = '' === $text( 'one' ) ? array_filter( wp_unslash( (array) ( $_POST['ids'] ?? array() ) ), 'is_string' ) : array( $text( 'one' ) );
	// phpcs:enable
	$act  = 'ticked' === $text( 'do' ) ? $text( 'act' ) : $text( 'do' );
	$back = '' === $text( 'one' ) ? array_filter( array( 'state' => $text( 'state' ), 'endpoint' => $text( 'endpoint' ) ) ) : array( 'delivery' => $text( 'one' ) ); // phpcs:ignore WordPress.Arrays
	try {
		$done = posthorn_do_with_deliveries( $act, $ids, $text( 'endpoint' ) );
		$news = array( $done > 0 ? 'success' : 'warning', posthorn_delivery_news( $act, $done, count( $ids ) ) );
	} catch ( \Throwable $error ) {
		$news = array( 'error', ucfirst( posthorn_readable( $error->getMessage() ) ) );
	}
	set_transient( 'posthorn_delivery_news_' . get_current_user_id(), $news, MINUTE_IN_SECONDS );
	wp_safe_redirect( posthorn_page_url( array( 'tab' => 'deliveries' ) + $back ) );
	exit;
}

/**
 * Does it.
 *
 * @param string   $act  `replay`, `cancel`, or `replay-all` for all that failed.
 * @param string[] $ids  The deliveries that are meant.
 * @param string   $only Of all, only those to the endpoint with this id; empty for every endpoint.
 * @return int How many there were.
 * @throws \Posthorn\Exception When the queue cannot be used.
 */
function posthorn_do_with_deliveries( string $act, array $ids, string $only ): int {
	if ( 'replay-all' === $act ) {
		return posthorn_replay( array_filter( array( 'state' => 'dead', 'endpoint' => $only ) ) ); // phpcs:ignore WordPress.Arrays
	}
	$done = 0;
	foreach ( isset( posthorn_delivery_acts()[ $act ] ) ? $ids : array() as $id ) {
		// One that was forgotten meanwhile is no mistake.
		if ( null !== posthorn_client_delivery( $id ) ) {
			$done += 'replay' === $act ? posthorn_replay( compact( 'id' ) ) : posthorn_cancel( compact( 'id' ) );
		}
	}
	return $done;
}

/**
 * What was done, in words.
 *
 * @param string $act   See posthorn_do_with_deliveries().
 * @param int    $done  How many there were.
 * @param int    $meant How many were ticked.
 */
function posthorn_delivery_news( string $act, int $done, int $meant ): string {
	if ( '' === $act || ( 0 === $meant && 'replay-all' !== $act ) ) {
		return __( 'Nothing was done: tick deliveries and choose what to do with them.', 'posthorn' );
	}
	if ( 0 === $done ) {
		return 'cancel' === $act
			? __( 'Nothing was cancelled: only what waits can be.', 'posthorn' )
			: __( 'Nothing is sent again: what still waits is sent anyway, and what belongs to an endpoint that was deleted cannot be.', 'posthorn' );
	}
	return 'cancel' === $act
		/* translators: %s: a number. */
		? sprintf( _n( '%s delivery was cancelled.', '%s deliveries were cancelled.', $done, 'posthorn' ), number_format_i18n( $done ) )
		/* translators: %s: a number. */
		: sprintf( _n( '%s delivery is sent again.', '%s deliveries are sent again.', $done, 'posthorn' ), number_format_i18n( $done ) );
}

/**
 * Prints what has just been done.
 */
function posthorn_print_delivery_news(): void {
	$key  = 'posthorn_delivery_news_' . get_current_user_id();
	$news = get_transient( $key );
	if ( is_array( $news ) ) {
		delete_transient( $key );
		printf( '<div class="notice notice-%s is-dismissible" role="status" style="overflow-wrap:anywhere"><p>%s</p></div>', esc_attr( $news[0] ), esc_html( $news[1] ) );
	}
}
