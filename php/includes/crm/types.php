<?php
/**
 * Gives every value of a row the type of its column.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Gives every value the type of its column: numbers where the column has numbers, text everywhere else.
 *
 * @param Posthorn_Crm_Table $table The row's table.
 * @param array              $row   Column => value as the database driver gives it.
 */
function posthorn_crm_typed( Posthorn_Crm_Table $table, array $row ): array {
	$columns = posthorn_crm_columns( $table->name );
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
 * The columns of a table: name => type in lower case. Empty if the database does not tell.
 *
 * @param string $table The table's full name.
 * @return array<string,string>
 */
function posthorn_crm_columns( string $table ): array {
	static $known = array();
	if ( ! isset( $known[ $table ] ) ) {
		$described       = posthorn_crm_query( "SHOW COLUMNS FROM `$table`" ) ?? array();
		$known[ $table ] = array_map( 'strtolower', array_column( $described, 'Type', 'Field' ) );
	}
	return $known[ $table ];
}
