<?php
/**
 * What the columns of a row say where the CRM leaves it to be judged: a deal's stage and outcome, whether a task is
 * done.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The stage that a deal was moved to.
 *
 * The stage is kept under a new and an old name. If the old one is written after the new one, that is no second move.
 *
 * @param array $old The row before.
 * @param array $new The row after.
 * @return string|null Its slug; null if it was not moved.
 */
function posthorn_crm_new_stage( array $old, array $new ): ?string {
	$stage = static fn( array $deal, string $column ): string => posthorn_crm_slug( $deal[ $column ] ?? '' );
	if ( $stage( $new, 'stage' ) !== $stage( $old, 'stage' ) ) {
		return $stage( $new, 'stage' );
	}
	$moved = $stage( $new, 'deal_stage' );
	return $moved !== $stage( $old, 'deal_stage' ) && $moved !== $stage( $new, 'stage' ) ? $moved : null;
}

/**
 * What a deal has become: `won` or `lost`.
 *
 * Stages are free text; the documented ones for the two ends are `closed_won` and `closed_lost`, shown as "Closed Won"
 * and "Closed Lost". A status says so too, and is no news if the stage had said it before, nor the other way round.
 *
 * @param array       $old   The row before.
 * @param array       $new   The row after.
 * @param string|null $stage The stage that it was moved to, from posthorn_crm_new_stage().
 * @return string|null Null if it has become neither.
 */
function posthorn_crm_new_outcome( array $old, array $new, ?string $stage ): ?string {
	$of_stage = array(
		'closed_won'  => 'won',
		'closed_lost' => 'lost',
	);
	$outcome  = $of_stage[ (string) $stage ] ?? null;
	foreach ( array( 'status', 'deal_status' ) as $column ) {
		$status = posthorn_crm_slug( $new[ $column ] ?? '' );
		if ( null === $outcome && in_array( $status, $of_stage, true ) && posthorn_crm_slug( $old[ $column ] ?? '' ) !== $status ) {
			$outcome = $status;
		}
	}
	$known = array( posthorn_crm_slug( $old['status'] ?? $old['deal_status'] ?? '' ), $of_stage[ posthorn_crm_slug( $old['stage'] ?? $old['deal_stage'] ?? '' ) ] ?? null );
	return in_array( $outcome, $known, true ) ? null : $outcome;
}

/**
 * Whether a task is done, as far as its columns tell: their names are not documented, so this guesses.
 *
 * @param array $task A row.
 */
function posthorn_crm_is_done( array $task ): bool {
	foreach ( $task as $column => $value ) {
		if ( preg_match( '/(^|_)(status|state)$/', $column ) && in_array( posthorn_crm_slug( $value ), array( 'done', 'complete', 'completed', 'finished', 'closed' ), true ) ) {
			return true;
		}
		// A flag, or the time of completion.
		if ( preg_match( '/^(task_)?((is_)?(done|completed?|finished)|(done|completed|finished)_(at|on|date)|date_completed|completion_date)$/', $column ) && '' !== trim( (string) $value, "0 \t-:." ) ) {
			return true;
		}
	}
	return false;
}

/**
 * Text as a name for comparison: "Closed Won" and `closed_won` are the same.
 *
 * @param mixed $text Text.
 */
function posthorn_crm_slug( $text ): string {
	return trim( (string) preg_replace( '/[^\p{L}\p{N}]+/u', '_', strtolower( (string) $text ) ), '_' );
}
