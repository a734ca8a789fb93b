<?php
/**
 * Many rows in one statement, written in each of the ways that the switch `statements` offers. All invented.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

// phpcs:disable WordPress.DB.PreparedSQL -- names come from the schema, ids are integers, every value is prepared.

/** A value as it stands in a statement. */
function wpestate_crm_literal( $value ): string {
	global $wpdb;
	return null === $value ? 'NULL' : $wpdb->prepare( '%s', $value );
}

/** `a = 1, b = 2`, with something before each column's name. */
function wpestate_crm_assignments( array $data, string $before = '' ): string {
	$set = array();
	foreach ( $data as $column => $value ) {
		$set[] = "$before$column = " . wpestate_crm_literal( $value );
	}
	return implode( ', ', $set );
}

/** `a = VALUES(a), b = VALUES(b)`. */
function wpestate_crm_as_inserted( array $columns ): string {
	return implode( ', ', array_map( static fn( string $column ): string => "$column = VALUES($column)", $columns ) );
}

/** Updates rows with one statement; returns how many it affected. */
function wpestate_crm_update_statement( string $name, array $ids, array $data ): int {
	global $wpdb;
	$table = wpestate_crm_table( $name );
	$key   = wpestate_crm_key( $name );
	$set   = wpestate_crm_assignments( $data );
	$in    = implode( ',', $ids );
	switch ( wpestate_crm_switch( 'statements' ) ) {
		case 'comments':
			return (int) $wpdb->query( "/* one of the CRM's; all at once */ UPDATE /* not DELETE */ $table\n-- these columns:\nSET $set\nWHERE $key IN ($in) # and no other" );
		case 'join':
			$set = wpestate_crm_assignments( $data, 'target.' );
			return (int) $wpdb->query( "UPDATE $table AS target JOIN (SELECT $key FROM $table WHERE $key IN ($in)) AS chosen ON chosen.$key = target.$key SET $set" );
		case 'select':
			return (int) $wpdb->query( "UPDATE $table SET $set WHERE $key IN (SELECT $key FROM (SELECT $key FROM $table WHERE $key IN ($in)) AS chosen)" );
		case 'replace':
			$columns = array_keys( wpestate_crm_schema()[ $name ] );
			$values  = array_map( static fn( string $column ): string => isset( $data[ $column ] ) ? wpestate_crm_literal( $data[ $column ] ) : $column, $columns );
			return (int) $wpdb->query( "REPLACE INTO $table (" . implode( ', ', $columns ) . ') SELECT ' . implode( ', ', $values ) . " FROM $table WHERE $key IN ($in)" );
		case 'upsert':
			$values = implode( ', ', array_map( 'wpestate_crm_literal', $data ) );
			$rows   = array_map( static fn( int $id ): string => "($id, $values)", $ids );
			return (int) $wpdb->query( "INSERT INTO $table ($key, " . implode( ', ', array_keys( $data ) ) . ') VALUES ' . implode( ', ', $rows ) . ' ON DUPLICATE KEY UPDATE ' . wpestate_crm_as_inserted( array_keys( $data ) ) );
	}
	return (int) $wpdb->query( "UPDATE $table SET $set WHERE $key IN ($in)" );
}

/** Deletes rows with one statement; returns how many it affected. */
function wpestate_crm_delete_statement( string $name, array $ids ): int {
	global $wpdb;
	$table = wpestate_crm_table( $name );
	$key   = wpestate_crm_key( $name );
	$in    = implode( ',', $ids );
	switch ( wpestate_crm_switch( 'statements' ) ) {
		case 'comments':
			return (int) $wpdb->query( "/* one of the CRM's; all at once */ DELETE /* not UPDATE */ FROM $table\n-- these:\nWHERE $key IN ($in) # and no other" );
		case 'join':
			return (int) $wpdb->query( "DELETE target FROM $table AS target JOIN (SELECT $key FROM $table WHERE $key IN ($in)) AS chosen ON chosen.$key = target.$key" );
		case 'select':
			return (int) $wpdb->query( "DELETE FROM $table WHERE $key IN (SELECT $key FROM (SELECT $key FROM $table WHERE $key IN ($in)) AS chosen)" );
		case 'replace':
			return (int) $wpdb->query( "DELETE FROM $table WHERE $key = " . implode( " OR $key = ", $ids ) );
		case 'upsert':
			return (int) $wpdb->query( "DELETE FROM $table WHERE $key IN ($in) ORDER BY $key DESC LIMIT " . count( $ids ) );
	}
	return (int) $wpdb->query( "DELETE FROM $table WHERE $key IN ($in)" );
}

/** Inserts rows with one statement; returns how many. Every row has the columns of the first. */
function wpestate_crm_insert_statement( string $name, array $rows ): int {
	global $wpdb;
	$table   = wpestate_crm_table( $name );
	$columns = array_keys( wpestate_crm_clean_row( $name, $rows[0] ) );
	$rows    = array_map( static fn( array $row ): array => wpestate_crm_clean_row( $name, $row ) + array( 'created_at' => wpestate_crm_now() ), $rows );
	$columns = array_unique( array_merge( $columns, array( 'created_at' ) ) );
	$lists   = array();
	foreach ( $rows as $row ) {
		$lists[] = implode( ', ', array_map( static fn( string $column ): string => wpestate_crm_literal( $row[ $column ] ?? null ), $columns ) );
	}
	$into   = "INTO $table (" . implode( ', ', $columns ) . ')';
	$values = 'VALUES (' . implode( '), (', $lists ) . ')';
	switch ( wpestate_crm_switch( 'statements' ) ) {
		case 'comments':
			return (int) $wpdb->query( "/* one of the CRM's; all at once */ INSERT /* not REPLACE */ $into\n-- these:\n$values # and no other" );
		case 'join':
		case 'select':
			return (int) $wpdb->query( "INSERT $into SELECT " . implode( ' UNION ALL SELECT ', $lists ) );
		case 'replace':
			return (int) $wpdb->query( "REPLACE $into $values" );
		case 'upsert':
			return (int) $wpdb->query( "INSERT $into $values ON DUPLICATE KEY UPDATE " . wpestate_crm_as_inserted( $columns ) );
	}
	return (int) $wpdb->query( "INSERT $into $values" );
}

/** Copies rows with one INSERT … SELECT; `$data` differs from the original. Returns how many. */
function wpestate_crm_copy_statement( string $name, array $ids, array $data ): int {
	global $wpdb;
	$table   = wpestate_crm_table( $name );
	$key     = wpestate_crm_key( $name );
	$columns = array_diff( array_keys( wpestate_crm_schema()[ $name ] ), array( $key ) );
	$values  = array_map( static fn( string $column ): string => isset( $data[ $column ] ) ? wpestate_crm_literal( $data[ $column ] ) : $column, $columns );
	$comment = 'comments' === wpestate_crm_switch( 'statements' ) ? "/* copies */ -- of contacts\n" : '';
	return (int) $wpdb->query( "{$comment}INSERT INTO $table (" . implode( ', ', $columns ) . ') SELECT ' . implode( ', ', $values ) . " FROM $table WHERE $key IN (" . implode( ',', $ids ) . ')' );
}

/** Inserts rows with one plain statement and no ceremony, for the seed; returns how many. */
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
	return (int) $wpdb->query( 'INSERT INTO ' . wpestate_crm_table( $table ) . ' (' . implode( ', ', $columns ) . ') VALUES ' . implode( ', ', $values ) );
}
