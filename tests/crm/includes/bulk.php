<?php
/**
 * Work on many rows: in a loop over the single functions, or as one statement; the switches say which.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/** Runs bulk work, inside a transaction where that is switched on. */
function wpestate_crm_in_bulk( callable $work ): int {
	return (int) wpestate_crm_in_transaction( $work, 'off' !== wpestate_crm_switch( 'transaction' ) );
}

/**
 * Runs work inside a transaction.
 *
 * @param callable $work        The work. One that ends with a WP_Error is taken back.
 * @param bool     $transaction Whether to, indeed.
 * @return mixed What the work returned.
 */
function wpestate_crm_in_transaction( callable $work, bool $transaction ) {
	global $wpdb;
	if ( $transaction ) {
		$wpdb->query( 'START TRANSACTION' );
	}
	$done = $work();
	if ( $transaction ) {
		$wpdb->query( is_wp_error( $done ) ? 'ROLLBACK' : 'COMMIT' );
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
			$data = wpestate_crm_clean_row( $table, $data ) + array( 'updated_at' => wpestate_crm_now() );
			return wpestate_crm_update_statement( $table, $ids, $data );
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
			return wpestate_crm_delete_statement( $table, $ids );
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
				return wpestate_crm_insert_statement( 'contacts', $rows );
			}
			$done = 0;
			foreach ( $rows as $row ) {
				$done += is_wp_error( wpestate_crm_insert_contact( $row ) ) ? 0 : 1;
			}
			return $done;
		}
	);
}

/** Copies contacts, as new ones without an address to write to; returns how many. Invented. */
function wpestate_crm_duplicate_contacts( array $ids ): int {
	$ids = array_values( array_unique( array_map( 'intval', $ids ) ) );
	if ( ! $ids ) {
		return 0;
	}
	return wpestate_crm_in_bulk(
		static function () use ( $ids ): int {
			if ( 'statement' === wpestate_crm_switch( 'bulk' ) ) {
				return wpestate_crm_copy_statement( 'contacts', $ids, array( 'email' => '' ) );
			}
			$copy = static function ( int $id ): bool {
				$row = wpestate_crm_get_contact( $id );
				return null !== $row && is_int( wpestate_crm_insert_contact( array( 'email' => '' ) + $row ) );
			};
			return wpestate_crm_one_by_one( $ids, $copy );
		}
	);
}
