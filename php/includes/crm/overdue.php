<?php
/**
 * Tasks that are not done in time. That is no change of a row: WP-Cron looks every five minutes.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Option: until when it was looked for tasks that fell due, in Unix seconds. */
const POSTHORN_CRM_OVERDUE_OPTION = 'posthorn_overdue_seen';

/** Tasks that are read at a time. */
const POSTHORN_CRM_TASKS_AT_A_TIME = 200;

/**
 * When a task is due. A day without a time is over when it ends.
 *
 * @param array $task A row.
 * @return int|null Unix seconds; null if it has no such time.
 */
function posthorn_crm_due( array $task ): ?int {
	$due = trim( (string) ( $task['due_date'] ?? '' ) );
	if ( '' === $due || str_starts_with( $due, '0000' ) ) {
		return null;
	}
	$time = date_create_immutable( $due, wp_timezone() );
	if ( ! $time ) {
		return null;
	}
	return $time->format( 'His' ) === '000000' ? $time->modify( '+1 day' )->getTimestamp() : $time->getTimestamp();
}

/**
 * Whether a write made a task overdue that fell due before it was last looked; WP-Cron finds the others.
 *
 * @param Posthorn_Crm_Table $table The row's table.
 * @param array|null         $old   The row before; null if it was not there.
 * @param array              $new   The row after.
 */
function posthorn_crm_became_overdue( Posthorn_Crm_Table $table, ?array $old, array $new ): bool {
	if ( 'task' !== $table->record ) {
		return false;
	}
	$seen = (int) get_option( POSTHORN_CRM_OVERDUE_OPTION );
	$is   = static function ( ?array $task ) use ( $seen ): bool {
		$due = null === $task || posthorn_crm_is_done( $task ) ? null : posthorn_crm_due( $task );
		return null !== $due && $due <= $seen;
	};
	return $is( $new ) && ! $is( $old );
}

/**
 * Announces the tasks that fell due since the last look and are not done. The first look only notes when it was: what is
 * overdue for months is no news.
 *
 * @param int|null $now Optional. Unix seconds.
 */
function posthorn_crm_look_for_overdue( ?int $now = null ): void {
	if ( ! posthorn_subscribes( array( 'task.overdue' ) ) ) {
		delete_option( POSTHORN_CRM_OVERDUE_OPTION );
		return;
	}
	$now ??= time();
	$seen  = (int) get_option( POSTHORN_CRM_OVERDUE_OPTION );
	try {
		posthorn_crm_watch();
		$table = Posthorn_Crm_Table::of( 'task' );
		if ( 0 !== $seen && null !== $table ) {
			posthorn_crm_announce_overdue( $table, $seen, $now );
		}
		update_option( POSTHORN_CRM_OVERDUE_OPTION, max( $now, $seen ) );
	} catch ( \Throwable $error ) {
		// Looked for again from the same time on.
		posthorn_report( $error, false );
	}
}

/**
 * Announces the tasks that fell due in a time and are not done.
 *
 * @param Posthorn_Crm_Table $table The table of tasks.
 * @param int                $from  Unix seconds, exclusive.
 * @param int                $to    Unix seconds, inclusive.
 * @throws RuntimeException When the table cannot be read.
 */
function posthorn_crm_announce_overdue( Posthorn_Crm_Table $table, int $from, int $to ): void {
	if ( ! $table->is_there() ) {
		return;
	}
	// Days without a time fell due up to a day later than they say.
	$day   = static fn( int $time ): string => ( new DateTimeImmutable( "@$time" ) )->setTimezone( wp_timezone() )->format( 'Y-m-d H:i:s' );
	$range = sprintf( "due_date >= '%s' AND due_date <= '%s'", $day( $from - DAY_IN_SECONDS - HOUR_IN_SECONDS ), $day( $to ) );
	$after = 0;
	do {
		$rows = posthorn_crm_packed_rows( $table, "$range AND `$table->key` > $after ORDER BY `$table->key` LIMIT " . POSTHORN_CRM_TASKS_AT_A_TIME );
		if ( null === $rows ) {
			throw new RuntimeException( __( 'The CRM’s tasks could not be read, so it is not known which are overdue.', 'posthorn' ) );
		}
		$events = array();
		foreach ( $rows as $key => $packed ) {
			$row = posthorn_crm_unpack( $packed );
			$due = posthorn_crm_is_done( $row ) ? null : posthorn_crm_due( $row );
			if ( null !== $due && $due > $from && $due <= $to ) {
				$context = array(
					'record'      => posthorn_crm_record( $table, $key, $row ),
					'occurred_at' => gmdate( 'Y-m-d\TH:i:s\Z', $due ),
				);
				array_push( $events, ...posthorn_crm_named( $table, 'overdue', posthorn_crm_typed( $table, $row ), $context ) );
			}
		}
		posthorn_dispatch_many( $events );
		$after = (int) array_key_last( $rows );
	} while ( count( $rows ) === POSTHORN_CRM_TASKS_AT_A_TIME );
}
