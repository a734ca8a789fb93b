<?php
/**
 * Emptying the queue: what is due is sent here until nothing more can be, and what is left is told with its reason.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** How long a turn takes: the last one is waited for though nothing is left. */
const POSTHORN_DRAIN_TURN_S = 0.5;

/** If nothing is settled for so long although something is due, it never will be: no receiver is waited for longer than 120 s. */
const POSTHORN_DRAIN_STUCK_S = 180;

/**
 * Sends what is due, of all sites of a network: they share the queue.
 *
 * @param float|null $seconds  For how long at most, waiting for retries too; null: until nothing more is due.
 * @param callable   $stopped  Whether to end early: fn(): bool.
 * @param callable   $progress Told after a turn that settled something: fn( int $settled ).
 * @return array{settled:int,left:array[]} `left`: see posthorn_client_waiting().
 */
function posthorn_drain( ?float $seconds, callable $stopped, callable $progress ): array {
	$end     = null === $seconds ? INF : microtime( true ) + $seconds;
	$settled = 0;
	$moved   = microtime( true );
	while ( true ) {
		$left  = posthorn_client_waiting( true );
		$total = array_sum( array_column( $left, 'pending' ) );
		if ( 0 === $total || $stopped() || microtime( true ) >= $end ) {
			break;
		}
		if ( null === $seconds && ( 0 === posthorn_drain_due( $left ) || microtime( true ) - $moved > POSTHORN_DRAIN_STUCK_S ) ) {
			break;
		}
		$done     = posthorn_client_work( max( 0.01, min( POSTHORN_DRAIN_TURN_S, $end - microtime( true ) ) ) );
		$settled += $done;
		// The service may be the one that sends.
		if ( $done > 0 || array_sum( array_column( posthorn_client_waiting( true ), 'pending' ) ) < $total ) {
			$moved = microtime( true );
			$progress( $settled );
		}
	}
	return compact( 'settled', 'left' );
}

/**
 * How many deliveries may be sent now.
 *
 * @param array[] $waiting What waits.
 */
function posthorn_drain_due( array $waiting ): int {
	$open = array_filter( $waiting, static fn( array $one ) => null === $one['held_back'] || 'removed' === $one['held_back'] );
	return (int) array_sum( array_column( $open, 'due' ) );
}

/**
 * Why something waits, in one line.
 *
 * @param array $one An entry of what waits.
 */
function posthorn_left_reason( array $one ): string {
	switch ( $one['held_back'] ) {
		case 'paused':
			return 'sending is paused since the plugin was switched off; “wp posthorn site resume” ends that';
		case 'suspended':
			return 'stopped: ' . rtrim( (string) $one['suspended'], '.' ) . '; “wp posthorn site resume” tries again';
		case 'disabled':
			return 'the receiver is switched off';
		case 'removed':
			return 'the receiver was removed; these are being cancelled';
		case 'asked_to_wait':
			return 'the receiver asked to wait until ' . $one['paused_until'];
		case 'circuit_open':
			return 'the receiver has failed five times in a row or more and is left alone until ' . $one['circuit_open_until'] . ( $one['last_error'] ? '; the last attempt failed: ' . $one['last_error'] : '' );
	}
	if ( $one['due'] > 0 ) {
		return 'not sent yet' . ( $one['last_error'] ? '; the last attempt failed: ' . $one['last_error'] : '' );
	}
	return 'failed and tried again: ' . ( $one['last_error'] ?? 'no reason is known' );
}

/**
 * A receiver's name without what may be secret in its URL.
 *
 * @param array $one An entry of what waits.
 */
function posthorn_left_receiver( array $one ): string {
	return $one['endpoint'] . ' (' . (string) wp_parse_url( (string) $one['url'], PHP_URL_HOST ) . ')';
}
