<?php
/**
 * What a change of a row is besides an update: a deal that is won, a contact that is tagged.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * What a change is besides an update.
 *
 * @param Posthorn_Crm_Table $table The row's table.
 * @param array              $old   The row before.
 * @param array              $new   The row after.
 * @param string             $hint  `completed` if an action said so.
 * @return string[] Keys of the contract's events, in the order of sending.
 */
function posthorn_crm_turns( Posthorn_Crm_Table $table, array $old, array $new, string $hint ): array {
	switch ( $table->record ) {
		case 'contact':
			return posthorn_crm_turns_of_contact( $old, $new );
		case 'lead':
			return posthorn_crm_turns_of_lead( $old, $new );
		case 'deal':
			return posthorn_crm_turns_of_deal( $old, $new );
		case 'task':
			if ( 'completed' === $hint || posthorn_crm_is_done( $new ) && ! posthorn_crm_is_done( $old ) ) {
				return array( 'completed' );
			}
			return posthorn_crm_became_overdue( $table, $old, $new ) ? array( 'overdue' ) : array();
	}
	return array();
}

/**
 * What became of a contact: tags are text with commas, of which order and blanks do not matter. One that nobody is
 * responsible for any more was not given to an agent.
 *
 * @param array $old The row before.
 * @param array $new The row after.
 * @return string[]
 */
function posthorn_crm_turns_of_contact( array $old, array $new ): array {
	$tags  = static fn( array $contact ): array => array_filter( array_map( 'trim', explode( ',', (string) ( $contact['tags'] ?? '' ) ) ), 'strlen' );
	$agent = static fn( array $contact ): int => (int) ( $contact['assigned_agent_id'] ?? 0 );
	return array_keys(
		array_filter(
			array(
				'tagged'   => array_diff( $tags( $new ), $tags( $old ) ),
				'untagged' => array_diff( $tags( $old ), $tags( $new ) ),
				'assigned' => $agent( $new ) && $agent( $new ) !== $agent( $old ),
			)
		)
	);
}

/**
 * What became of a lead. No column for a score is documented, so one that is called so is taken for it.
 *
 * @param array $old The row before.
 * @param array $new The row after.
 * @return string[]
 */
function posthorn_crm_turns_of_lead( array $old, array $new ): array {
	$is_qualified = static fn( array $lead ): bool => 1 === preg_match( '/^((sales|marketing)_)?qualified(_lead)?$/', posthorn_crm_slug( $lead['status'] ?? '' ) );
	$turns        = $is_qualified( $new ) && ! $is_qualified( $old ) ? array( 'qualified' ) : array();
	foreach ( array( 'score', 'lead_score' ) as $column ) {
		if ( isset( $new[ $column ] ) && (float) $new[ $column ] !== (float) ( $old[ $column ] ?? 0 ) ) {
			$turns[] = 'scored';
			break;
		}
	}
	return $turns;
}

/**
 * What became of a deal.
 *
 * @param array $old The row before.
 * @param array $new The row after.
 * @return string[]
 */
function posthorn_crm_turns_of_deal( array $old, array $new ): array {
	$stage   = posthorn_crm_new_stage( $old, $new );
	$outcome = posthorn_crm_new_outcome( $old, $new, $stage );
	return array_merge( null === $stage ? array() : array( 'stage_changed' ), null === $outcome ? array() : array( $outcome ) );
}
