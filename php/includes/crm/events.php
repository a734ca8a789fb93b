<?php
/**
 * What a change means: from the row before and the row after to events.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The events of a change. A write that changed nothing makes none.
 *
 * @param Posthorn_Crm_Table $table  The row's table.
 * @param int                $key    Its key.
 * @param string|null        $before The packed row before; null if it was not there.
 * @param string|null        $after  The packed row after; null if it is gone.
 * @param string             $hint   `completed` if an action said so; `announced …` if nothing but an action is known.
 * @return array[] Lists of event, data, context.
 */
function posthorn_crm_events( Posthorn_Crm_Table $table, int $key, ?string $before, ?string $after, string $hint ): array {
	if ( str_starts_with( $hint, 'announced ' ) ) {
		return posthorn_crm_events_of_announcement( $table, $key, $before, $after, substr( $hint, strlen( 'announced ' ) ) );
	}
	if ( $before === $after && 'completed' !== $hint ) {
		return array();
	}
	$old     = posthorn_crm_unpack( $before );
	$new     = posthorn_crm_unpack( $after );
	$record  = posthorn_crm_record( $table, $key, $new ?? $old ?? array() );
	$context = array( 'record' => $record );
	if ( null === $old || null === $new ) {
		return posthorn_crm_events_of_end( $table, null === $old ? 'created' : 'deleted', $new ?? $old, $context );
	}
	$previous = posthorn_crm_previous( $old, $new );
	// The CRM notes when a record was saved last, also where nothing else of it changed.
	if ( ! array_diff_key( $previous, array( 'updated_at' => '' ) ) && 'completed' !== $hint ) {
		return array();
	}
	$events = posthorn_crm_events_of_appointment( $table, $old, $new, $context );
	// Typed once: as many events as a deal that is won makes are three.
	$data     = posthorn_crm_typed( $table, $new );
	$context += array(
		'previous' => posthorn_crm_typed( $table, $previous ),
		'changes'  => array_keys( $previous ),
	);
	foreach ( array( 'updated', ...posthorn_crm_turns( $table, $old, $new, $hint ) ) as $change ) {
		array_push( $events, ...posthorn_crm_named( $table, $change, $data, $context ) );
	}
	return $events;
}

/**
 * The events of a row that appeared or is gone.
 *
 * @param Posthorn_Crm_Table $table   The row's table.
 * @param string             $change  `created` or `deleted`.
 * @param array              $row     The row.
 * @param array              $context The events' context.
 * @return array[] Lists of event, data, context.
 */
function posthorn_crm_events_of_end( Posthorn_Crm_Table $table, string $change, array $row, array $context ): array {
	if ( 'activity' === $table->record ) {
		return 'created' === $change ? posthorn_crm_events_of_activity( $table, $row, $context ) : array();
	}
	$events = posthorn_crm_named( $table, $change, posthorn_crm_typed( $table, $row ), $context );
	if ( 'created' === $change ) {
		array_push( $events, ...posthorn_crm_events_of_appointment( $table, null, $row, $context ) );
		if ( posthorn_crm_became_overdue( $table, null, $row ) ) {
			array_push( $events, ...posthorn_crm_named( $table, 'overdue', posthorn_crm_typed( $table, $row ), $context ) );
		}
	}
	return $events;
}

/**
 * The event that an action alone tells of: its row was written past $wpdb, or not at all.
 *
 * @param Posthorn_Crm_Table $table  The row's table.
 * @param int                $key    Its key.
 * @param string|null        $told   The packed row that the action handed over, of one that it says is gone.
 * @param string|null        $now    The packed row as it is.
 * @param string             $change The change.
 * @return array[] Lists of event, data, context.
 */
function posthorn_crm_events_of_announcement( Posthorn_Crm_Table $table, int $key, ?string $told, ?string $now, string $change ): array {
	$is_gone = 'deleted' === $change;
	// What is there was not deleted, what is not was not created; and of what never was, nothing is known but a number.
	$row = posthorn_crm_unpack( $is_gone ? $told : $now );
	if ( ! $row || $is_gone !== ( null === $now ) ) {
		return array();
	}
	$row += array( $table->key => (string) $key );
	$context = array( 'record' => posthorn_crm_record( $table, $key, $row ) );
	if ( 'created' === $change || $is_gone ) {
		return posthorn_crm_events_of_end( $table, $change, $row, $context );
	}
	return posthorn_crm_named( $table, $change, posthorn_crm_typed( $table, $row ), $context );
}

/**
 * The event of a change, if the contract has one.
 *
 * @param Posthorn_Crm_Table $table   The row's table.
 * @param string             $change  `created`, `updated`, `deleted` or one of posthorn_crm_turns().
 * @param array              $data    What the event carries.
 * @param array              $context The event's context.
 * @return array[] None or one list of event, data, context.
 */
function posthorn_crm_named( Posthorn_Crm_Table $table, string $change, array $data, array $context ): array {
	$event = $table->events()[ $change ] ?? null;
	return null === $event ? array() : array( array( $event, $data, $context ) );
}

/**
 * The record whose events are kept in order with this one's.
 *
 * @param Posthorn_Crm_Table $table The row's table.
 * @param int                $key   Its key.
 * @param array              $row   The row.
 */
function posthorn_crm_record( Posthorn_Crm_Table $table, int $key, array $row ): string {
	// What a contact did belongs to the contact.
	if ( 'activity' === $table->record && ! empty( $row['contact_id'] ) ) {
		return 'contact:' . (int) $row['contact_id'];
	}
	return "$table->record:$key";
}

/**
 * The columns that changed, with what they held before.
 *
 * @param array $old The row before.
 * @param array $new The row after.
 * @return array<string,string|null>
 */
function posthorn_crm_previous( array $old, array $new ): array {
	$previous = array();
	foreach ( $old as $column => $value ) {
		if ( array_key_exists( $column, $new ) && $value !== $new[ $column ] ) {
			$previous[ $column ] = $value;
		}
	}
	return $previous;
}
