<?php
/**
 * What happens now and then: WP-Cron as the last resort to send, news of deliveries that failed, settings that changed in code.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** The option that holds which dead deliveries were announced, and when was looked last. */
const POSTHORN_FAILURES_OPTION = 'posthorn_failures_seen';

/** An administrator's pages look for failures this often at most. */
const POSTHORN_LOOK_EVERY_S = 60;

/** For how long WP-Cron sends if nobody else does. */
const POSTHORN_CRON_WORK_S = 8.0;

/** How long it sends before it looks whether anything is left. */
const POSTHORN_CRON_TURN_S = 0.5;

/** Deliveries read at once, and how many of those at most in one look. */
const POSTHORN_FAILURES_PAGE  = 100;
const POSTHORN_FAILURES_PAGES = 5;

/**
 * Adds the interval of five minutes, the default delay between attempts.
 *
 * @param array $schedules WP-Cron's intervals.
 */
function posthorn_add_cron_schedule( array $schedules ): array {
	$schedules['posthorn_five_minutes'] = array(
		'interval' => 300,
		'display'  => __( 'Every five minutes (Posthorn)', 'posthorn' ),
	);
	return $schedules;
}

/**
 * When an administrator opens a page: what has to be in place is, and news of failures is told.
 */
function posthorn_check_in(): void {
	if ( ! current_user_can( 'manage_posthorn' ) || wp_doing_ajax() || ! posthorn_has_receiver() || posthorn_is_held() ) {
		return;
	}
	try {
		if ( ! wp_next_scheduled( 'posthorn_cron' ) ) {
			wp_schedule_event( time() + 300, 'posthorn_five_minutes', 'posthorn_cron' );
		}
		posthorn_hand_over_if_needed();
		posthorn_hand_over_if_filter_changed();
		posthorn_release_left();
		if ( posthorn_nobody_sent() ) {
			require_once __DIR__ . '/conditions.php';
			posthorn_note_waiting();
		}
		if ( time() - posthorn_failures_seen()['looked'] >= POSTHORN_LOOK_EVERY_S ) {
			posthorn_tell_failures();
		}
	} catch ( \Throwable $error ) {
		posthorn_report( $error, false );
	}
}

/**
 * WP-Cron, every five minutes: sends for a few seconds if nobody else is sending, and tells failures.
 */
function posthorn_run_cron(): void {
	if ( ! posthorn_has_receiver() || posthorn_is_held() ) {
		return;
	}
	try {
		posthorn_hand_over_if_needed();
		posthorn_hand_over_if_filter_changed();
		posthorn_release_left();
		if ( posthorn_nobody_sent() ) {
			require_once __DIR__ . '/conditions.php';
			posthorn_note_waiting();
		}
		require_once __DIR__ . '/crm/overdue.php';
		posthorn_crm_look_for_overdue();
		require_once __DIR__ . '/endpoints.php';
		posthorn_delete_endpoints_that_left();
		$stats = posthorn_client_stats();
		if ( ! $stats['dispatcher'] ) {
			posthorn_work_while_pending( POSTHORN_CRON_WORK_S );
		}
		posthorn_tell_failures();
	} catch ( \Throwable $error ) {
		posthorn_report( $error, false );
	}
}

/**
 * Sends what waits, in short turns, so that it ends as soon as nothing does.
 *
 * @param float $seconds For how long at most.
 */
function posthorn_work_while_pending( float $seconds ): void {
	$end = microtime( true ) + $seconds;
	while ( posthorn_client_stats()['pending'] > 0 && microtime( true ) < $end ) {
		posthorn_client_work( POSTHORN_CRON_TURN_S );
	}
}

/**
 * Fires `posthorn_delivery_failed` for every delivery that died since the last look, at most 500 a look.
 */
function posthorn_tell_failures(): void {
	$seen = posthorn_failures_seen()['ids'];
	$new  = posthorn_new_failures( $seen );
	// Stored before anything is fired, or a listener that fails would be called for ever.
	update_option(
		POSTHORN_FAILURES_OPTION,
		array(
			'looked' => time(),
			'ids'    => array_slice( array_merge( array_column( $new, 'id' ), $seen ), 0, POSTHORN_FAILURES_PAGE * POSTHORN_FAILURES_PAGES ),
		),
		false
	);
	foreach ( array_reverse( $new ) as $delivery ) {
		/**
		 * A delivery is dead: its schedule is used up, or it became too old. It is kept in the queue.
		 *
		 * Fired by WP-Cron, and at most once a minute when an administrator opens a page; so it comes minutes after the
		 * failure, never in the request that caused the event.
		 *
		 * @param array $delivery id, event_id, event, record, endpoint, site, state, attempts, created_at,
		 *                        next_attempt_at, last_status, last_error.
		 */
		do_action( 'posthorn_delivery_failed', $delivery );
	}
}

/**
 * The dead deliveries that were not told yet, newest first.
 *
 * @param string[] $seen Ids that were.
 * @return array[]
 */
function posthorn_new_failures( array $seen ): array {
	$seen   = array_flip( $seen );
	$new    = array();
	$filter = array(
		'state' => 'dead',
		'limit' => POSTHORN_FAILURES_PAGE,
	);
	for ( $page = 0; $page < POSTHORN_FAILURES_PAGES; $page++ ) {
		$deliveries = posthorn_client_deliveries( $filter );
		foreach ( $deliveries as $delivery ) {
			if ( ! isset( $seen[ $delivery['id'] ] ) ) {
				$new[] = $delivery;
			}
		}
		if ( count( $deliveries ) < POSTHORN_FAILURES_PAGE ) {
			break;
		}
		$filter['before'] = end( $deliveries )['id'];
	}
	return $new;
}

/**
 * What was told already.
 *
 * @return array{looked:int,ids:string[]}
 */
function posthorn_failures_seen(): array {
	$stored = get_option( POSTHORN_FAILURES_OPTION );
	return array(
		'looked' => (int) ( $stored['looked'] ?? 0 ),
		'ids'    => array_filter( (array) ( $stored['ids'] ?? array() ), 'is_string' ),
	);
}
