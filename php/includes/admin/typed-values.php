<?php
/**
 * Values as they are typed and as they are stored: durations, sizes, shares, lists of words.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Seconds of the units in which durations are typed. */
const POSTHORN_UNITS_S = array(
	'd' => DAY_IN_SECONDS,
	'h' => HOUR_IN_SECONDS,
	'm' => MINUTE_IN_SECONDS,
	's' => 1,
);

/** Bytes of the units in which sizes are typed: as receivers give their limits, and as machines count. */
const POSTHORN_UNITS_BYTES = array(
	'GB'  => 1000000000,
	'MB'  => 1000000,
	'KB'  => 1000,
	'GIB' => GB_IN_BYTES,
	'MIB' => MB_IN_BYTES,
	'KIB' => KB_IN_BYTES,
	''    => 1,
	'B'   => 1,
);

/**
 * What was typed and cannot be read: such a value is still text.
 *
 * @param array $given Keys of an endpoint.
 * @return array<string,string> Field => message.
 */
function posthorn_mistyped( array $given ): array {
	/* translators: %s: what was typed. */
	$duration = __( '“%s” is no duration. Write a number and its unit: 30s, 5m, 2h or 1d.', 'posthorn' );
	/* translators: %s: what was typed. */
	$number   = __( '“%s” is no number.', 'posthorn' );
	$rules    = array(
		'timeout'         => $duration,
		'max_age'         => $duration,
		'schedule'        => $duration,
		'rate_per_second' => $number,
		'max_concurrency' => $number,
		/* translators: %s: what was typed. */
		'max_body_bytes'  => __( '“%s” is no size. Write a number and its unit: 64 KB or 5 MB.', 'posthorn' ),
		/* translators: %s: what was typed. */
		'schedule_jitter' => __( '“%s” is no share. Write 0% to 100%.', 'posthorn' ),
	);
	$mistakes = array();
	foreach ( $rules as $field => $rule ) {
		$wrong = array_filter( (array) $given[ $field ], 'is_string' );
		if ( array() !== $wrong ) {
			$mistakes[ $field ] = str_replace( '%s', reset( $wrong ), $rule );
		}
	}
	return $mistakes;
}

/**
 * Words with commas or blanks between them.
 *
 * @param string $text What was typed.
 * @return string[]
 */
function posthorn_words( string $text ): array {
	return array_values( array_unique( preg_split( '/[\s,]+/', $text, -1, PREG_SPLIT_NO_EMPTY ) ) );
}

/**
 * A typed number; what is none stays text.
 *
 * @param string $text What was typed.
 * @return int|float|string
 */
function posthorn_number( string $text ) {
	return is_numeric( $text ) ? $text + 0 : $text;
}

/**
 * A typed duration in seconds: `90`, `5m`, `2h`, `1d`; what is none stays text.
 *
 * @param string $text What was typed.
 * @return int|float|string
 */
function posthorn_duration_s( string $text ) {
	return 1 === preg_match( '/^(\d+(?:\.\d+)?) ?([smhd]?)$/i', $text, $parts ) ? $parts[1] * POSTHORN_UNITS_S[ strtolower( '' === $parts[2] ? 's' : $parts[2] ) ] : $text;
}

/**
 * Typed delays in seconds.
 *
 * @param string $text What was typed; `none` for none at all.
 * @return array|null Null for the format's own.
 */
function posthorn_schedule_s( string $text ): ?array {
	if ( 'none' === $text ) {
		return array();
	}
	return '' === $text ? null : array_map( 'posthorn_duration_s', preg_split( '/\s*,\s*|\s+(?=\d)/', $text, -1, PREG_SPLIT_NO_EMPTY ) );
}

/**
 * A duration as it is typed.
 *
 * @param int|float $seconds Seconds.
 */
function posthorn_duration_text( $seconds ): string {
	foreach ( POSTHORN_UNITS_S as $unit => $length ) {
		if ( $seconds >= $length && 0.0 === fmod( (float) $seconds, (float) $length ) ) {
			return (string) ( $seconds / $length ) . $unit;
		}
	}
	return (string) $seconds . 's';
}

/**
 * A typed size in bytes: `64 KB`, `5 MB`, `16 MiB`, `2000`; what is none stays text.
 *
 * @param string $text What was typed.
 * @return int|string
 */
function posthorn_size_bytes( string $text ) {
	$unit = 1 === preg_match( '/^(\d{1,12}(?:\.\d+)?)\s*([a-z]*)$/i', $text, $parts ) ? POSTHORN_UNITS_BYTES[ strtoupper( $parts[2] ) ] ?? null : null;
	return null === $unit ? $text : (int) round( $parts[1] * $unit );
}

/**
 * A size as it is typed.
 *
 * @param int $bytes Bytes.
 */
function posthorn_size_text( int $bytes ): string {
	foreach ( array( 'GB', 'MB', 'KB', 'GiB', 'MiB', 'KiB' ) as $name ) {
		$unit = POSTHORN_UNITS_BYTES[ strtoupper( $name ) ];
		if ( $bytes >= $unit && 0 === $bytes % $unit ) {
			return intdiv( $bytes, $unit ) . " $name";
		}
	}
	return (string) $bytes;
}

/**
 * A typed share: `20%` and `20` are 0.2; what is none stays text.
 *
 * @param string $text What was typed.
 * @return float|string
 */
function posthorn_share( string $text ) {
	return 1 === preg_match( '/^(\d+(?:\.\d+)?)\s*%?$/', $text, $parts ) && $parts[1] <= 100 ? $parts[1] / 100 : $text;
}

/**
 * A share as it is typed.
 *
 * @param int|float $share From 0 to 1.
 */
function posthorn_share_text( $share ): string {
	return round( 100 * $share, 4 ) . '%';
}
