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
	foreach ( $table->kinds() as $column => $kind ) {
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
			$decoded = json_decode( $value, true, 512, JSON_BIGINT_AS_STRING );
			if ( ! is_array( $decoded ) ) {
				return $value;
			}
			// As an array, {} would become a list, and so would {"0": …}.
			$exact = json_decode( $value, false, 512, JSON_BIGINT_AS_STRING );
			return wp_json_encode( $exact ) === wp_json_encode( $decoded ) ? $decoded : $exact;
		case 'integer':
			// What PHP cannot hold (an unsigned bigint) stays text.
			return (string) (int) $value === $value ? (int) $value : $value;
		case 'decimal':
			return posthorn_crm_decimal( $value );
	}
	return is_numeric( $value ) ? (float) $value : $value;
}

/**
 * What a column holds.
 *
 * @param string $type Its type as the database calls it.
 * @return string|null As posthorn_crm_value() takes it; null for text.
 */
function posthorn_crm_kind( string $type ): ?string {
	$kinds = array(
		'json'    => '/^json/i',
		'integer' => '/^(tiny|small|medium|big)?int|^year/i',
		'decimal' => '/^(decimal|numeric)/i',
		'float'   => '/^(float|double|real)/i',
	);
	foreach ( $kinds as $kind => $pattern ) {
		if ( preg_match( $pattern, $type ) ) {
			return $kind;
		}
	}
	return null;
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
 * What a column of JSON holds, to look into; as an object it is where an array would not print the same.
 *
 * @param mixed $value What posthorn_crm_value() returned.
 */
function posthorn_crm_meta( $value ): array {
	return is_array( $value ) || $value instanceof stdClass ? (array) $value : array();
}
