<?php
/**
 * Reads rows of the CRM's tables and gives every value the type of its column.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The full name of a record's table on the current site.
 *
 * @param string $record Record name.
 */
function posthorn_crm_table( string $record ): string {
	global $wpdb;
	return $wpdb->prefix . posthorn_crm_tables()[ $record ]['table'];
}

/**
 * The id that an action's first argument names: a number, or a row that has the key column.
 *
 * @param string $record   Record name.
 * @param mixed  $argument The argument.
 * @return int|null Null if it names none.
 */
function posthorn_crm_id( string $record, $argument ): ?int {
	if ( is_object( $argument ) || is_array( $argument ) ) {
		$row      = (array) $argument;
		$argument = $row[ posthorn_crm_tables()[ $record ]['key'] ] ?? $row['id'] ?? null;
	}
	return is_numeric( $argument ) && (int) $argument > 0 ? (int) $argument : null;
}

/**
 * Reads a row.
 *
 * @param string $record Record name.
 * @param int    $id     Its key.
 * @return array|null The row, typed; null if there is none.
 */
function posthorn_crm_read( string $record, int $id ): ?array {
	$row = posthorn_crm_quietly(
		static function ( wpdb $db ) use ( $record, $id ) {
			// phpcs:ignore WordPress.DB -- Names from the contract; the CRM's rows must not come from a cache.
			return $db->get_row( $db->prepare( 'SELECT * FROM `' . posthorn_crm_table( $record ) . '` WHERE `' . posthorn_crm_tables()[ $record ]['key'] . '` = %d', $id ), ARRAY_A );
		}
	);
	return is_array( $row ) ? posthorn_crm_typed( $record, $row ) : null;
}

/**
 * The row that an action handed over, for one that is gone from its table; at least the key.
 *
 * @param string $record    Record name.
 * @param int    $id        The row's key.
 * @param array  $arguments What the action handed over.
 */
function posthorn_crm_row_in( string $record, int $id, array $arguments ): array {
	$row = array( posthorn_crm_tables()[ $record ]['key'] => $id );
	foreach ( $arguments as $argument ) {
		if ( is_object( $argument ) || is_array( $argument ) ) {
			$row += posthorn_crm_typed( $record, (array) $argument );
		}
	}
	return $row;
}

/**
 * The row as it was, if an action handed it over: the last argument that is a row, after the one that names the new.
 *
 * The shapes are (id, data, old row) and (row, old row). Data alone is not taken for an old row.
 *
 * @param array $arguments What the action handed over.
 */
function posthorn_crm_old_row( array $arguments ): ?array {
	$first = is_scalar( $arguments[0] ?? null ) ? 2 : 1;
	$old   = $arguments[ $first ] ?? null;
	return is_object( $old ) || is_array( $old ) ? (array) $old : null;
}

/**
 * Gives every value the type of its column: numbers where the column has numbers, text everywhere else.
 *
 * @param string $record Record name.
 * @param array  $row    Column => value as the database driver gives it.
 */
function posthorn_crm_typed( string $record, array $row ): array {
	$columns = posthorn_crm_columns( $record );
	foreach ( $row as $column => $value ) {
		if ( is_string( $value ) ) {
			$row[ $column ] = posthorn_crm_typed_value( $value, $columns[ $column ] ?? '', in_array( $column, posthorn_crm_json_columns(), true ) );
		}
	}
	return $row;
}

/**
 * Gives one value the type of its column.
 *
 * @param string $value The value as text.
 * @param string $type  The column's type as the database calls it, in lower case; empty if unknown.
 * @param bool   $json  Whether the column is known to hold JSON.
 * @return mixed
 */
function posthorn_crm_typed_value( string $value, string $type, bool $json ) {
	if ( $json || 'json' === $type ) {
		$decoded = json_decode( $value, true );
		return is_array( $decoded ) ? $decoded : $value;
	}
	if ( preg_match( '/^(tiny|small|medium|big)?int|^year/', $type ) ) {
		// What PHP cannot hold (an unsigned bigint) stays text.
		return (string) (int) $value === $value ? (int) $value : $value;
	}
	if ( preg_match( '/^(decimal|numeric)/', $type ) ) {
		return posthorn_crm_decimal( $value );
	}
	return is_numeric( $value ) && preg_match( '/^(float|double|real)/', $type ) ? (float) $value : $value;
}

/**
 * A decimal as a number if a double holds it, as text otherwise.
 *
 * @param string $value Such as `450000.00`.
 * @return float|string
 */
function posthorn_crm_decimal( string $value ) {
	if ( ! preg_match( '/^-?\d+(?:\.(\d+))?$/', $value, $parts ) ) {
		return $value;
	}
	$digits = strlen( trim( str_replace( '.', '', ltrim( $value, '-' ) ), '0' ) );
	// A double holds any 15 significant digits; longer ones only if they come back as they went in.
	if ( $digits <= 15 || number_format( (float) $value, strlen( $parts[1] ?? '' ), '.', '' ) === $value ) {
		return (float) $value;
	}
	return $value;
}

/**
 * The columns of a record's table: name => type in lower case. Empty if the database does not tell.
 *
 * @param string $record Record name.
 * @return array<string,string>
 */
function posthorn_crm_columns( string $record ): array {
	static $known = array();
	$table        = posthorn_crm_table( $record );
	if ( ! isset( $known[ $table ] ) ) {
		$known[ $table ] = array();
		$described       = posthorn_crm_quietly(
			static function ( wpdb $db ) use ( $table ) {
				return $db->get_results( "SHOW COLUMNS FROM `$table`", ARRAY_A ); // phpcs:ignore WordPress.DB -- A name from the contract.
			}
		);
		foreach ( (array) $described as $column ) {
			$known[ $table ][ $column['Field'] ] = strtolower( $column['Type'] );
		}
	}
	return $known[ $table ];
}

/**
 * Runs a query of ours so that the CRM, which is in the middle of its own, finds $wpdb as it left it.
 *
 * @param callable $query Takes $wpdb.
 * @return mixed What it returned.
 */
function posthorn_crm_quietly( callable $query ) {
	global $wpdb;
	$names = array( 'insert_id', 'rows_affected', 'num_rows', 'num_queries', 'last_query', 'last_error', 'last_result' );
	$state = array();
	foreach ( $names as $name ) {
		$state[ $name ] = $wpdb->$name;
	}
	$suppressed = $wpdb->suppress_errors( true );
	try {
		return $query( $wpdb );
	} finally {
		$wpdb->suppress_errors( $suppressed );
		foreach ( $state as $name => $value ) {
			$wpdb->$name = $value;
		}
	}
}
