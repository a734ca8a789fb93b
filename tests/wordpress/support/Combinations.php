<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

/** Combinations of the stand-in's switches. An axis is a switch's name => its values. */
final class Combinations {

	/** Every combination. */
	public static function all( array $axes ): array {
		$combinations = array( array() );
		foreach ( $axes as $name => $values ) {
			$longer = array();
			foreach ( $combinations as $combination ) {
				foreach ( $values as $value ) {
					$longer[] = $combination + array( $name => $value );
				}
			}
			$combinations = $longer;
		}
		return $combinations;
	}

	/**
	 * So few combinations that any two values of two axes meet in one of them. The same ones every time.
	 *
	 * Greedy: each next one begins with a pair that has not met yet, and takes on each further axis the value that
	 * makes most such pairs.
	 */
	public static function pairwise( array $axes ): array {
		$open = array();
		foreach ( self::pairs_of_axes( array_keys( $axes ) ) as list( $a, $b ) ) {
			foreach ( $axes[ $a ] as $x ) {
				foreach ( $axes[ $b ] as $y ) {
					$open[ self::pair( $a, $x, $b, $y ) ] = array( $a => $x, $b => $y );
				}
			}
		}
		$combinations = array();
		while ( array() !== $open ) {
			$combination = reset( $open );
			foreach ( array_diff_key( $axes, $combination ) as $name => $values ) {
				$best = array_map( static fn( $value ): int => self::gain( $open, $combination, $name, $value ), $values );
				arsort( $best );
				$combination[ $name ] = $values[ array_key_first( $best ) ];
			}
			foreach ( self::pairs_of_axes( array_keys( $combination ) ) as list( $a, $b ) ) {
				unset( $open[ self::pair( $a, $combination[ $a ], $b, $combination[ $b ] ) ] );
			}
			$combinations[] = $combination;
		}
		return $combinations;
	}

	/** A combination in words: `arguments=id bulk=loop`. */
	public static function name( array $combination ): string {
		return urldecode( http_build_query( $combination, '', ' ' ) );
	}

	/** How many open pairs a value would close. */
	private static function gain( array $open, array $combination, string $name, $value ): int {
		$gain = 0;
		foreach ( $combination as $other => $its ) {
			$gain += isset( $open[ self::pair( $name, $value, $other, $its ) ] ) ? 1 : 0;
		}
		return $gain;
	}

	private static function pairs_of_axes( array $names ): array {
		$pairs = array();
		foreach ( $names as $n => $a ) {
			foreach ( array_slice( $names, $n + 1 ) as $b ) {
				$pairs[] = array( $a, $b );
			}
		}
		return $pairs;
	}

	/** The same text in either order. */
	private static function pair( string $a, $x, string $b, $y ): string {
		$sides = array( "$a=$x", "$b=$y" );
		sort( $sides );
		return implode( '&', $sides );
	}
}
