<?php
/**
 * Reading and writing one row: what the functions of all entities share.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The time that is written into rows, in UTC. A test that compares two runs holds it still: WPESTATE_CRM_NOW.
 */
function wpestate_crm_now(): string {
	return defined( 'WPESTATE_CRM_NOW' ) ? WPESTATE_CRM_NOW : current_time( 'mysql', true );
}

/** A row, or null. */
function wpestate_crm_get_row( string $table, int $id ): ?array {
	global $wpdb;
	// phpcs:ignore WordPress.DB.PreparedSQL -- names come from the schema.
	$row = $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM ' . wpestate_crm_table( $table ) . ' WHERE ' . wpestate_crm_key( $table ) . ' = %d', $id ), ARRAY_A );
	return is_array( $row ) ? $row : null;
}

/**
 * Rows, newest first.
 *
 * @param string $table Without prefix.
 * @param array  $args  `search` (in `columns`), any column => value, `number` (20; -1 for all), `offset`,
 *                      `orderby` (the key), `order`, `count` (only how many), `fields` = `ids`.
 * @return array|int
 */
function wpestate_crm_get_rows( string $table, array $args = array() ) {
	global $wpdb;
	$columns = wpestate_crm_schema()[ $table ];
	$key     = wpestate_crm_key( $table );
	$where   = array( '1 = 1' );
	foreach ( array_intersect_key( $args, $columns ) as $column => $value ) {
		$where[] = $wpdb->prepare( "$column = %s", $value ); // phpcs:ignore WordPress.DB.PreparedSQL
	}
	if ( '' !== (string) ( $args['search'] ?? '' ) ) {
		$like    = '%' . $wpdb->esc_like( $args['search'] ) . '%';
		$matches = array();
		foreach ( $args['columns'] ?? array() as $column ) {
			$matches[] = $wpdb->prepare( "$column LIKE %s", $like ); // phpcs:ignore WordPress.DB.PreparedSQL
		}
		$where[] = '(' . implode( ' OR ', $matches ) . ')';
	}
	$from = 'FROM ' . wpestate_crm_table( $table ) . ' WHERE ' . implode( ' AND ', $where );
	// phpcs:disable WordPress.DB.PreparedSQL
	if ( ! empty( $args['count'] ) ) {
		return (int) $wpdb->get_var( "SELECT COUNT(*) $from" );
	}
	$orderby = isset( $columns[ $args['orderby'] ?? '' ] ) ? $args['orderby'] : $key;
	$order   = 'asc' === strtolower( $args['order'] ?? 'desc' ) ? 'ASC' : 'DESC';
	$from   .= " ORDER BY $orderby $order";
	$number  = (int) ( $args['number'] ?? 20 );
	if ( $number >= 0 ) {
		$from .= $wpdb->prepare( ' LIMIT %d OFFSET %d', $number, (int) ( $args['offset'] ?? 0 ) );
	}
	if ( 'ids' === ( $args['fields'] ?? '' ) ) {
		return array_map( 'intval', $wpdb->get_col( "SELECT $key $from" ) );
	}
	return $wpdb->get_results( "SELECT * $from", ARRAY_A );
	// phpcs:enable
}

/** Only what is a column, without the key; lists become comma lists, as the CRM keeps tags. */
function wpestate_crm_clean_row( string $table, array $data ): array {
	$columns = wpestate_crm_schema()[ $table ];
	unset( $columns[ wpestate_crm_key( $table ) ] );
	$data = array_intersect_key( $data, $columns );
	foreach ( $data as $column => $value ) {
		if ( is_array( $value ) ) {
			$data[ $column ] = in_array( $column, array( 'meta', 'enquiry_meta', 'settings' ), true ) ? wp_json_encode( $value ) : implode( ',', $value );
		}
	}
	return $data;
}

/**
 * Inserts a row.
 *
 * @return int|WP_Error Its key.
 */
function wpestate_crm_insert_row( string $table, array $data ) {
	global $wpdb;
	$data = wpestate_crm_clean_row( $table, $data );
	wpestate_crm_clutter( $table );
	foreach ( array( 'created_at', 'updated_at' ) as $column ) {
		if ( isset( wpestate_crm_schema()[ $table ][ $column ] ) && ! isset( $data[ $column ] ) ) {
			$data[ $column ] = wpestate_crm_now();
		}
	}
	if ( false === $wpdb->insert( wpestate_crm_table( $table ), $data ) ) {
		return new WP_Error( 'db_insert', 'The record could not be saved: ' . $wpdb->last_error );
	}
	return (int) $wpdb->insert_id;
}

/**
 * Updates a row.
 *
 * @return true|WP_Error
 */
function wpestate_crm_update_row( string $table, int $id, array $data ) {
	global $wpdb;
	$data = wpestate_crm_clean_row( $table, $data );
	wpestate_crm_clutter( $table );
	if ( isset( wpestate_crm_schema()[ $table ]['updated_at'] ) ) {
		$data['updated_at'] = wpestate_crm_now();
	}
	if ( false === $wpdb->update( wpestate_crm_table( $table ), $data, array( wpestate_crm_key( $table ) => $id ) ) ) {
		return new WP_Error( 'db_update', 'The record could not be saved: ' . $wpdb->last_error );
	}
	return true;
}

/** Deletes a row, for good; nothing cascades. True if there was one. */
function wpestate_crm_delete_row( string $table, int $id ): bool {
	global $wpdb;
	wpestate_crm_clutter( $table );
	return (bool) $wpdb->delete( wpestate_crm_table( $table ), array( wpestate_crm_key( $table ) => $id ) );
}
