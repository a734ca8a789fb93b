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
	foreach ( posthorn_crm_kinds( $table->name ) as $column => $kind ) {
		if ( is_string( $row[ $column ] ?? null ) ) {
			$row[ $column ] = posthorn_crm_value( $row[ $column ], $kind );
		}
	}
	return $row;
}

/**
 * Gives one value its type.
 *
 * @param string $value The value as text.
 * @param string $kind  `json`, `integer`, `decimal` or `float`.
 * @return mixed
 */
function posthorn_crm_value( string $value, string $kind ) {
	switch ( $kind ) {
		case 'json':
			$decoded = json_decode( $value, true );
			return is_array( $decoded ) ? $decoded : $value;
		case 'integer':
			// What PHP cannot hold (an unsigned bigint) stays text.
			return (string) (int) $value === $value ? (int) $value : $value;
		case 'decimal':
			return posthorn_crm_decimal( $value );
	}
	return is_numeric( $value ) ? (float) $value : $value;
}

/**
 * The columns of a table that hold something else than text.
 *
 * @param string $table The table's full name.
 * @return array<string,string> Column => kind, as posthorn_crm_value() takes it.
 */
function posthorn_crm_kinds( string $table ): array {
	static $known = array();
	if ( ! isset( $known[ $table ] ) ) {
		$types = array(
			'json'    => '/^json/',
			'integer' => '/^(tiny|small|medium|big)?int|^year/',
			'decimal' => '/^(decimal|numeric)/',
			'float'   => '/^(float|double|real)/',
		);
		$kinds = array();
		foreach ( array_column( posthorn_crm_query( "SHOW COLUMNS FROM `$table`" ) ?? array(), 'Type', 'Field' ) as $column => $type ) {
			foreach ( $types as $kind => $pattern ) {
				if ( preg_match( $pattern, strtolower( $type ) ) ) {
					$kinds[ $column ] = $kind;
				}
			}
			if ( in_array( $column, posthorn_crm_json_columns(), true ) ) {
				$kinds[ $column ] = 'json';
			}
		}
		$known[ $table ] = $kinds;
	}
	return $known[ $table ];
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
