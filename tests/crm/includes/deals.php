<?php
/**
 * Deals. The CRM keeps an old and a new column for several facts and writes both.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/** Old column → new column. */
const WPESTATE_CRM_DEAL_PAIRS = array(
	'deal_title'       => 'title',
	'deal_stage'       => 'stage',
	'deal_status'      => 'status',
	'deal_probability' => 'probability',
	'deal_value'       => 'amount',
	'handler_agent_id' => 'assigned_agent_id',
);

/** The stages, as set in `crm_deal_stages`: key → label. `Closed Won` has the key `closed_won`. */
function wpestate_crm_deal_stages(): array {
	$stages = array();
	foreach ( preg_split( '/[\r\n,]+/', (string) get_option( 'crm_deal_stages', '' ), -1, PREG_SPLIT_NO_EMPTY ) as $label ) {
		$stages[ str_replace( '-', '_', sanitize_title( $label ) ) ] = trim( $label );
	}
	return $stages;
}

/** `closed_won` makes a deal `won`, `closed_lost` `lost`, any other stage `open`. */
function wpestate_crm_deal_status_of( string $stage ): string {
	$statuses = array(
		'closed_won'  => 'won',
		'closed_lost' => 'lost',
	);
	return $statuses[ $stage ] ?? 'open';
}

/** Completes what is to be written: both names of each fact, and what follows from the stage. */
function wpestate_crm_complete_deal( array $data, ?array $old ): array {
	$now   = wpestate_crm_now();
	$stage = $data['stage'] ?? $data['deal_stage'] ?? null;
	if ( null !== $stage && ( null === $old || $stage !== $old['stage'] ) ) {
		$status = wpestate_crm_deal_status_of( $stage );
		$data   = array(
			'status'           => $status,
			'stage_changed_at' => $now,
			// Invented: when it was won or lost, and what that makes of the probability.
			'won_at'           => 'won' === $status ? $now : null,
			'lost_at'          => 'lost' === $status ? $now : null,
		) + $data;
		if ( 'open' !== $status ) {
			$data['probability'] = 'won' === $status ? 100 : 0;
		}
	}
	foreach ( WPESTATE_CRM_DEAL_PAIRS as $before => $after ) {
		if ( array_key_exists( $after, $data ) ) {
			$data[ $before ] = $data[ $after ];
		} elseif ( array_key_exists( $before, $data ) ) {
			$data[ $after ] = $data[ $before ];
		}
	}
	return $data;
}

/**
 * Adds a deal.
 *
 * @return int|WP_Error Its id.
 */
function wpestate_crm_insert_deal( array $data ) {
	$data = wpestate_crm_complete_deal( $data + array( 'stage' => $data['deal_stage'] ?? 'new', 'user_id' => get_current_user_id() ), null );
	$id   = wpestate_crm_insert_row( 'deals', $data );
	if ( is_wp_error( $id ) ) {
		return $id;
	}
	$row = wpestate_crm_get_deal( $id );
	wpestate_crm_record_activity_v2( 'deal_created', array( 'deal_id' => $id, 'contact_id' => $row['contact_id'] ) );
	wpestate_crm_announce( 'insert_deal', $id, $data, null, $row );
	wpestate_crm_dispatch_webhook( 'deal.created', $row );
	return $id;
}

/** A deal's row, or null. */
function wpestate_crm_get_deal( int $id ): ?array {
	return wpestate_crm_get_row( 'deals', $id );
}

/** Deals; see wpestate_crm_get_rows(). */
function wpestate_crm_get_deals( array $args = array() ) {
	return wpestate_crm_get_rows( 'deals', $args + array( 'columns' => array( 'title', 'description' ) ) );
}

/**
 * Changes a deal.
 *
 * @return true|WP_Error
 */
function wpestate_crm_update_deal( int $id, array $data ) {
	return wpestate_crm_write_deal( $id, $data, true );
}

/**
 * Moves a deal to another stage: what the board calls.
 *
 * @return true|WP_Error
 */
function wpestate_crm_update_deal_stage( int $id, string $stage ) {
	return wpestate_crm_write_deal( $id, array( 'stage' => $stage ), 'on' === wpestate_crm_switch( 'stage_announces' ) );
}

/** What both have in common. */
function wpestate_crm_write_deal( int $id, array $data, bool $announce ) {
	return wpestate_crm_in_transaction( static fn() => wpestate_crm_write_one_deal( $id, $data, $announce ), 'all' === wpestate_crm_switch( 'transaction' ) );
}

/** And that inside a transaction, maybe. */
function wpestate_crm_write_one_deal( int $id, array $data, bool $announce ) {
	$old = wpestate_crm_get_deal( $id );
	if ( null === $old ) {
		return new WP_Error( 'deal', "There is no deal $id." );
	}
	$data = wpestate_crm_complete_deal( $data, $old );
	$done = wpestate_crm_update_row( 'deals', $id, $data );
	if ( is_wp_error( $done ) ) {
		return $done;
	}
	$row   = wpestate_crm_get_deal( $id );
	$moved = $row['stage'] !== $old['stage'];
	if ( $moved ) {
		wpestate_crm_record_activity_v2(
			'open' === $row['status'] ? 'deal_stage_changed' : 'deal_' . $row['status'],
			array( 'deal_id' => $id, 'contact_id' => $row['contact_id'], 'subject' => $old['stage'] . ' → ' . $row['stage'] )
		);
	}
	if ( $announce ) {
		wpestate_crm_announce( 'update_deal', $id, $data, $old, $row );
	}
	if ( $moved ) {
		wpestate_crm_dispatch_webhook( 'deal.stage_changed', $row );
		if ( 'open' !== $row['status'] ) {
			wpestate_crm_dispatch_webhook( 'deal.' . $row['status'], $row );
		}
	}
	return true;
}

/** Deletes a deal, and nothing else. */
function wpestate_crm_delete_deal( int $id ): bool {
	$old = wpestate_crm_get_deal( $id );
	if ( null === $old || ! wpestate_crm_delete_row( 'deals', $id ) ) {
		return false;
	}
	if ( 'on' === wpestate_crm_switch( 'announce_deletes' ) ) {
		wpestate_crm_announce( 'delete_deal', $id, $old, $old, $old );
	}
	return true;
}
