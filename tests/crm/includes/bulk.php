<?php
/**
 * Work on many rows: in a loop over the single functions, or as one statement; the switches say which.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/** Runs bulk work, inside a transaction where that is switched on. */
function wpestate_crm_in_bulk( callable $work ): int {
	global $wpdb;
	$transaction = 'on' === wpestate_crm_switch( 'transaction' );
	if ( $transaction ) {
		$wpdb->query( 'START TRANSACTION' );
	}
	$done = (int) $work();
	if ( $transaction ) {
		$wpdb->query( 'COMMIT' );
	}
	return $done;
}

/** Calls the single-row function for each id; counts those that worked. */
function wpestate_crm_one_by_one( array $ids, callable $single ): int {
	$done = 0;
	foreach ( $ids as $id ) {
		$done += true === $single( (int) $id ) ? 1 : 0;
	}
	return $done;
}

/** Updates rows; returns how many. */
function wpestate_crm_bulk_update( string $table, array $ids, array $data, callable $single ): int {
	$ids = array_values( array_unique( array_map( 'intval', $ids ) ) );
	if ( ! $ids ) {
		return 0;
	}
	return wpestate_crm_in_bulk(
		static function () use ( $table, $ids, $data, $single ): int {
			if ( 'loop' === wpestate_crm_switch( 'bulk' ) ) {
				return wpestate_crm_one_by_one( $ids, static fn( int $id ) => $single( $id, $data ) );
			}
			global $wpdb;
			$set    = array();
			$values = array();
			foreach ( wpestate_crm_clean_row( $table, $data ) + array( 'updated_at' => current_time( 'mysql', true ) ) as $column => $value ) {
				$set[]    = "$column = %s";
				$values[] = $value;
			}
			$sql = 'UPDATE ' . wpestate_crm_table( $table ) . ' SET ' . implode( ', ', $set )
				. ' WHERE ' . wpestate_crm_key( $table ) . ' IN (' . implode( ',', $ids ) . ')';
			// phpcs:ignore WordPress.DB.PreparedSQL -- names come from the schema, ids are integers.
			return (int) $wpdb->query( $wpdb->prepare( $sql, $values ) );
		}
	);
}

/** Deletes rows; returns how many. */
function wpestate_crm_bulk_delete( string $table, array $ids, callable $single ): int {
	$ids = array_values( array_unique( array_map( 'intval', $ids ) ) );
	if ( ! $ids ) {
		return 0;
	}
	return wpestate_crm_in_bulk(
		static function () use ( $table, $ids, $single ): int {
			if ( 'loop' === wpestate_crm_switch( 'bulk' ) ) {
				return wpestate_crm_one_by_one( $ids, $single );
			}
			global $wpdb;
			// phpcs:ignore WordPress.DB.PreparedSQL -- names come from the schema, ids are integers.
			return (int) $wpdb->query( 'DELETE FROM ' . wpestate_crm_table( $table ) . ' WHERE ' . wpestate_crm_key( $table ) . ' IN (' . implode( ',', $ids ) . ')' );
		}
	);
}

/** Invented name, as are its arguments. */
function wpestate_crm_bulk_update_contacts( array $ids, array $data ): int {
	return wpestate_crm_bulk_update( 'contacts', $ids, $data, 'wpestate_crm_update_contact' );
}

/** Invented name. */
function wpestate_crm_bulk_delete_contacts( array $ids ): int {
	return wpestate_crm_bulk_delete( 'contacts', $ids, 'wpestate_crm_delete_contact' );
}

/** Invented name; the AJAX action is the CRM's. */
function wpestate_crm_bulk_update_leads( array $ids, array $data ): int {
	return wpestate_crm_bulk_update( 'leads', $ids, $data, 'wpestate_crm_update_lead' );
}

/** Deletes leads. */
function wpestate_crm_bulk_delete_leads( array $ids ): int {
	return wpestate_crm_bulk_delete( 'leads', $ids, 'wpestate_crm_delete_lead' );
}

/** Deletes deals. */
function wpestate_crm_bulk_delete_deals( array $ids ): int {
	return wpestate_crm_bulk_delete( 'deals', $ids, 'wpestate_crm_delete_deal' );
}

/**
 * Imports contacts: one by one, or as one INSERT with many rows. Invented name.
 *
 * @param array[] $rows Column → value; every row has the same columns.
 * @return int How many were added.
 */
function wpestate_crm_import_contacts( array $rows ): int {
	if ( ! $rows ) {
		return 0;
	}
	return wpestate_crm_in_bulk(
		static function () use ( $rows ): int {
			if ( 'statement' === wpestate_crm_switch( 'bulk' ) ) {
				return wpestate_crm_insert_many( 'contacts', $rows );
			}
			$done = 0;
			foreach ( $rows as $row ) {
				$done += is_wp_error( wpestate_crm_insert_contact( $row ) ) ? 0 : 1;
			}
			return $done;
		}
	);
}

/** Inserts rows with one statement and no ceremony; returns how many. */
function wpestate_crm_insert_many( string $table, array $rows ): int {
	global $wpdb;
	$columns = array_keys( wpestate_crm_clean_row( $table, $rows[0] ) );
	$values  = array();
	foreach ( $rows as $row ) {
		$row = wpestate_crm_clean_row( $table, $row );
		$one = array();
		foreach ( $columns as $column ) {
			$one[] = null === ( $row[ $column ] ?? null ) ? 'NULL' : $wpdb->prepare( '%s', $row[ $column ] );
		}
		$values[] = '(' . implode( ', ', $one ) . ')';
	}
	// phpcs:ignore WordPress.DB.PreparedSQL -- names come from the schema, every value is prepared above.
	return (int) $wpdb->query( 'INSERT INTO ' . wpestate_crm_table( $table ) . ' (' . implode( ', ', $columns ) . ') VALUES ' . implode( ', ', $values ) );
}
