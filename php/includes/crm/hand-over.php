<?php
/**
 * Hands changes over to be sent: the rows after are read, events made, and all put into the queue.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Changes that are handed over at a time; more would be felt in memory. */
const POSTHORN_CRM_CHANGES_AT_A_TIME = 500;

/**
 * Hands over the changes that wait.
 *
 * @param Posthorn_Crm_Changes $changes The request's changes.
 */
function posthorn_crm_hand_over( Posthorn_Crm_Changes $changes ): void {
	$waiting = $changes->waiting();
	// Before anything else: what a filter writes meanwhile is a change of its own.
	$changes->clear();
	foreach ( array_chunk( $waiting, POSTHORN_CRM_CHANGES_AT_A_TIME ) as $some ) {
		posthorn_crm_dispatch( posthorn_crm_make_events( $some, $changes ) );
	}
}

/**
 * The events of the changes that wait, and still do.
 *
 * @param Posthorn_Crm_Changes $changes The request's changes.
 * @return array[] What posthorn_crm_dispatch() takes.
 */
function posthorn_crm_events_of_changes( Posthorn_Crm_Changes $changes ): array {
	$events = array();
	foreach ( array_chunk( $changes->waiting(), POSTHORN_CRM_CHANGES_AT_A_TIME ) as $some ) {
		array_push( $events, ...posthorn_crm_make_events( $some, $changes ) );
	}
	return $events;
}

/**
 * Makes events of changes.
 *
 * @param array                $some    Changes, as Posthorn_Crm_Changes has them.
 * @param Posthorn_Crm_Changes $changes The request's changes.
 * @return array[] Lists of site, event, data, context.
 */
function posthorn_crm_make_events( array $some, Posthorn_Crm_Changes $changes ): array {
	$after  = posthorn_crm_rows_after( $some );
	$events = array();
	foreach ( $some as list( $table, $key, $first, $last, $hint ) ) {
		$now = $after[ $table->name ][ $key ] ?? null;
		// Of a row that is gone, what it was last is told, unless it had never been there.
		$before = null === $now && null !== $first ? $last : $first;
		foreach ( posthorn_crm_events( $table, $key, $before, $now, $hint ) as $event ) {
			if ( 'task.completed' === $event[0] ) {
				$changes->was_completed( $table, $key );
			}
			$events[] = array( $table->site, ...$event );
		}
	}
	return $events;
}

/**
 * The rows as they are now, read with one query a table.
 *
 * @param array $some Changes, as Posthorn_Crm_Changes has them.
 * @return array<string,array<int,string>> Table => key => packed row.
 */
function posthorn_crm_rows_after( array $some ): array {
	$tables = array();
	$keys   = array();
	foreach ( $some as list( $table, $key ) ) {
		$tables[ $table->name ] = $table;
		$keys[ $table->name ][] = $key;
	}
	$after = array();
	foreach ( $tables as $name => $table ) {
		$rows = posthorn_crm_rows_of_keys( $table, $keys[ $name ] );
		if ( null === $rows ) {
			// An empty answer would read as if all were deleted.
			/* translators: %s: name of a database table. */
			throw new RuntimeException( sprintf( __( 'The rows of %s that were changed could not be read, so no events were made of them.', 'posthorn' ), $name ) );
		}
		$after[ $name ] = $rows;
	}
	return $after;
}

/**
 * Puts events into the queue, each for its own site.
 *
 * @param array[] $events Lists of site, event, data, context.
 */
function posthorn_crm_dispatch( array $events ): void {
	$of_site = array();
	foreach ( $events as $event ) {
		$of_site[ $event[0] ][] = array_slice( $event, 1 );
	}
	foreach ( $of_site as $site => $list ) {
		posthorn_at_site( $site, static fn() => posthorn_dispatch_many( posthorn_crm_wanted( $list ) ) );
	}
}

/**
 * Those of some events that a receiver of the current site wants.
 *
 * @param array[] $events Lists of event, data, context.
 * @return array[]
 */
function posthorn_crm_wanted( array $events ): array {
	$wanted = array();
	return array_filter(
		$events,
		static function ( array $event ) use ( &$wanted ): bool {
			return $wanted[ $event[0] ] ??= posthorn_subscribes( array( $event[0] ) );
		}
	);
}
