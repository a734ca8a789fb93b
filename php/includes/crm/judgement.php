<?php
/**
 * What the columns of a row say where the CRM leaves it to be judged: a deal's stage and outcome, whether a task is
 * done, whether an activity is a submitted form.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Whether a deal was moved to another stage.
 *
 * The stage is kept under an old and a new name. If they are written one after the other, the second write, which
 * brings nothing new, is no move.
 *
 * @param array $old The row before.
 * @param array $new The row after.
 */
function posthorn_crm_stage_changed( array $old, array $new ): bool {
	$stages = static fn( array $deal ): array => array_map( 'posthorn_crm_slug', array_intersect_key( $deal, array( 'stage' => 0, 'deal_stage' => 0 ) ) );
	$before = $stages( $old );
	foreach ( $stages( $new ) as $column => $stage ) {
		if ( ( $before[ $column ] ?? '' ) !== $stage && ! in_array( $stage, $before, true ) ) {
			return true;
		}
	}
	return false;
}

/**
 * What became of a deal: `won`, `lost` or `open`.
 *
 * Stages are free text; the documented ones for the two ends are `closed_won` and `closed_lost`, shown as "Closed Won"
 * and "Closed Lost". At any other stage the status says it.
 *
 * @param array $deal A row.
 */
function posthorn_crm_deal_outcome( array $deal ): string {
	$outcomes = array(
		'closed_won'  => 'won',
		'closed_lost' => 'lost',
	);
	foreach ( array( 'stage', 'deal_stage' ) as $column ) {
		$outcome = $outcomes[ posthorn_crm_slug( $deal[ $column ] ?? '' ) ] ?? null;
		if ( null !== $outcome ) {
			return $outcome;
		}
	}
	foreach ( array( 'status', 'deal_status' ) as $column ) {
		$status = posthorn_crm_slug( $deal[ $column ] ?? '' );
		if ( in_array( $status, array( 'won', 'lost' ), true ) ) {
			return $status;
		}
	}
	return 'open';
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
		if ( preg_match( '/(^|_)(done|completed|complete|finished)(_at|_on|_date)?$/', $column ) && '' !== trim( (string) $value, "0 \t-:." ) ) {
			return true;
		}
	}
	return false;
}

/**
 * Whether an activity is a form that was submitted.
 *
 * @param array $activity A row.
 */
function posthorn_crm_is_form( array $activity ): bool {
	return 'form_submission' === ( $activity['type'] ?? '' ) || 'form_submission' === ( $activity['action'] ?? '' );
}

/**
 * Text as a name for comparison: "Closed Won" and `closed_won` are the same.
 *
 * @param mixed $text Text.
 */
function posthorn_crm_slug( $text ): string {
	return trim( (string) preg_replace( '/[^\p{L}\p{N}]+/u', '_', strtolower( (string) $text ) ), '_' );
}
