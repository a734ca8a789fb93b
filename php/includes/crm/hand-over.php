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
	foreach ( array_chunk( $waiting, POSTHORN_CRM_CHANGES_AT_A_TIME ) as $n => $some ) {
		try {
			$pairs = posthorn_crm_pairs( $some );
		} catch ( \Throwable $error ) {
			$changes->put_back( array_slice( $waiting, $n * POSTHORN_CRM_CHANGES_AT_A_TIME ) );
			throw $error;
		}
		posthorn_crm_announce( $pairs, $changes );
	}
}

/**
 * The pairs of all changes that wait, to be announced when the transaction has been committed.
 *
 * @param Posthorn_Crm_Changes $changes The request's changes.
 * @return array[] What posthorn_crm_announce() takes.
 * @throws RuntimeException When the page has not enough memory for so many.
 */
function posthorn_crm_pairs_to_commit( Posthorn_Crm_Changes $changes ): array {
	$pairs = array();
	foreach ( array_chunk( $changes->waiting(), POSTHORN_CRM_CHANGES_AT_A_TIME ) as $n => $some ) {
		if ( $n > 0 && posthorn_crm_memory_is_short() ) {
			throw new RuntimeException( __( 'A transaction changed more rows than fit into the memory that PHP gives a page (memory_limit), so no events were made of them.', 'posthorn' ) );
		}
		array_push( $pairs, ...posthorn_crm_pairs( $some ) );
	}
	return $pairs;
}

/**
 * Puts the row after to each change, and leaves out what has not changed.
 *
 * @param array $some Changes, as Posthorn_Crm_Changes has them.
 * @return array<array{0:Posthorn_Crm_Table,1:int,2:?string,3:?string,4:string}> Table, key, packed row before and
 *                                                                               after, hint.
 */
function posthorn_crm_pairs( array $some ): array {
	$after = posthorn_crm_rows_after( $some );
	$pairs = array();
	foreach ( $some as list( $table, $key, $first, $last, $hint ) ) {
		$now = $after[ $table->name ][ $key ] ?? null;
		// Of a row that is gone, what it was last is told, unless it had never been there.
		$before = null === $now && null !== $first ? ( $last ?? $first ) : $first;
		// What came and went was never there, whatever an action said of it.
		if ( $before !== $now || ( null !== $now && '' !== $hint ) ) {
			$pairs[] = array( $table, $key, $before, $now, $hint );
		}
	}
	return $pairs;
}

/**
 * Makes events of pairs and puts them into the queue.
 *
 * @param array[]              $pairs   From posthorn_crm_pairs().
 * @param Posthorn_Crm_Changes $changes The request's changes.
 */
function posthorn_crm_announce( array $pairs, Posthorn_Crm_Changes $changes ): void {
	foreach ( array_chunk( $pairs, POSTHORN_CRM_CHANGES_AT_A_TIME ) as $some ) {
		$events = array();
		foreach ( $some as list( $table, $key, $before, $after, $hint ) ) {
			foreach ( posthorn_crm_events( $table, $key, $before, $after, $hint ) as $event ) {
				if ( 'task.completed' === $event[0] ) {
					$changes->was_completed( $table, $key );
				}
				$events[] = array( $table->site, ...$event );
			}
		}
		posthorn_crm_dispatch( $events );
	}
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
