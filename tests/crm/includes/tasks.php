<?php
/**
 * Tasks. Their functions are invented; the two actions are the CRM's.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Adds a task.
 *
 * @return int|WP_Error Its id.
 */
function wpestate_crm_insert_task( array $data ) {
	$data += array( 'status' => 'pending', 'priority' => 'normal', 'user_id' => get_current_user_id() );
	$id    = wpestate_crm_insert_row( 'tasks', $data );
	if ( ! is_wp_error( $id ) ) {
		wpestate_crm_record_activity_v2( 'task_created', array( 'task_id' => $id, 'contact_id' => (int) ( $data['contact_id'] ?? 0 ) ) );
		wpestate_crm_announce( 'insert_task', $id, $data, null, wpestate_crm_get_task( $id ) );
	}
	return $id;
}

/** A task's row, or null. */
function wpestate_crm_get_task( int $id ): ?array {
	return wpestate_crm_get_row( 'tasks', $id );
}

/** Tasks; see wpestate_crm_get_rows(). */
function wpestate_crm_get_tasks( array $args = array() ) {
	return wpestate_crm_get_rows( 'tasks', $args + array( 'columns' => array( 'title', 'description' ) ) );
}

/**
 * Changes a task; announces nothing, as far as anybody knows.
 *
 * @return true|WP_Error
 */
function wpestate_crm_update_task( int $id, array $data ) {
	return wpestate_crm_update_row( 'tasks', $id, $data );
}

/**
 * Completes a task; false if it does not exist or is complete.
 */
function wpestate_crm_complete_task( int $id ): bool {
	$old = wpestate_crm_get_task( $id );
	if ( null === $old || 'completed' === $old['status'] ) {
		return false;
	}
	$data = array(
		'status'       => 'completed',
		'completed_at' => wpestate_crm_now(),
		'completed_by' => get_current_user_id(),
	);
	if ( is_wp_error( wpestate_crm_update_row( 'tasks', $id, $data ) ) ) {
		return false;
	}
	$row = wpestate_crm_get_task( $id );
	wpestate_crm_record_activity_v2( 'task_completed', array( 'task_id' => $id, 'contact_id' => $row['contact_id'] ) );
	wpestate_crm_announce( 'complete_task', $id, $data, $old, $row );
	wpestate_crm_dispatch_webhook( 'task.completed', $row );
	return true;
}

/** Deletes a task. */
function wpestate_crm_delete_task( int $id ): bool {
	$old = wpestate_crm_get_task( $id );
	if ( null === $old || ! wpestate_crm_delete_row( 'tasks', $id ) ) {
		return false;
	}
	if ( 'on' === wpestate_crm_switch( 'announce_deletes' ) ) {
		wpestate_crm_announce( 'delete_task', $id, $old, $old, $old );
	}
	return true;
}
