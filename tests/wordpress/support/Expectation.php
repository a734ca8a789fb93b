<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

/**
 * What has to be announced, told from two dumps of the tables alone: what a row was and what it is.
 *
 * An event is an array with `event`, `record` (contact:7), `data`, `previous` and `changes`. The last two are null where
 * nothing changed (a row that appeared or is gone).
 */
final class Expectation {

	private const CREATED = array(
		'contact' => 'contact.created',
		'lead'    => 'lead.created',
		'enquiry' => 'enquiry.created',
		'deal'    => 'deal.created',
	);

	private const UPDATED = array(
		'contact' => 'contact.updated',
		'lead'    => 'lead.updated',
	);

	private const DELETED = array(
		'contact' => 'contact.deleted',
		'lead'    => 'lead.deleted',
	);

	/**
	 * The events that lie between two dumps. Those of one record are in their order, records in that of their keys.
	 *
	 * @param array $before A dump, see Tables::dump().
	 * @param array $after  Another.
	 * @return array[]
	 */
	public static function between( array $before, array $after ): array {
		$events = array();
		foreach ( array_keys( Tables::RECORDS ) as $record ) {
			$keys = array_keys( $before[ $record ] + $after[ $record ] );
			sort( $keys );
			foreach ( $keys as $key ) {
				array_push( $events, ...self::of_row( $record, $key, $before[ $record ][ $key ] ?? null, $after[ $record ][ $key ] ?? null ) );
			}
		}
		return $events;
	}

	/** The events of one row, which was and is; null for a row that was not, or is no more. */
	public static function of_row( string $record, int $key, ?array $was, ?array $is ): array {
		if ( $was === $is ) {
			return array();
		}
		if ( null === $was ) {
			return self::of_new_row( $record, $key, $is );
		}
		if ( null === $is ) {
			return isset( self::DELETED[ $record ] ) ? array( self::event( self::DELETED[ $record ], $record, $key, $was ) ) : array();
		}
		// That it was saved again is no news.
		if ( array_diff_key( $was, array( 'updated_at' => '' ) ) === array_diff_key( $is, array( 'updated_at' => '' ) ) ) {
			return array();
		}
		$names = isset( self::UPDATED[ $record ] ) ? array( self::UPDATED[ $record ] ) : array();
		if ( 'deal' === $record ) {
			$names = self::of_changed_deal( $was, $is );
		}
		if ( 'task' === $record && self::is_done( $is ) && ! self::is_done( $was ) ) {
			$names = array( 'task.completed' );
		}
		return array_map( static fn( string $name ): array => self::event( $name, $record, $key, $is, $was ), $names );
	}

	private static function of_new_row( string $record, int $key, array $is ): array {
		if ( 'activity' === $record ) {
			return in_array( 'form_submission', array( $is['type'], $is['action'] ), true ) ? array( self::event( 'form_submitted', $record, $key, $is ) ) : array();
		}
		return isset( self::CREATED[ $record ] ) ? array( self::event( self::CREATED[ $record ], $record, $key, $is ) ) : array();
	}

	/** @return string[] */
	private static function of_changed_deal( array $was, array $is ): array {
		$names = array();
		if ( self::plain( $was['deal_stage'] ) !== self::plain( $is['deal_stage'] ) || self::plain( $was['stage'] ) !== self::plain( $is['stage'] ) ) {
			$names[] = 'deal.stage_changed';
		}
		$outcome = self::outcome( $is );
		if ( 'open' !== $outcome && self::outcome( $was ) !== $outcome ) {
			$names[] = "deal.$outcome";
		}
		return $names;
	}

	/** `won`, `lost` or `open`. The stand-in keeps status and stage in step, so that one of them tells. */
	private static function outcome( array $deal ): string {
		foreach ( array( $deal['status'], $deal['deal_status'], $deal['stage'], $deal['deal_stage'] ) as $value ) {
			if ( preg_match( '/^(?:closed_)?(won|lost)$/', self::plain( $value ), $found ) ) {
				return $found[1];
			}
		}
		return 'open';
	}

	/** A stage's label and its key are the same stage: `Closed Won`, `closed_won`. */
	private static function plain( ?string $stage ): string {
		return str_replace( ' ', '_', strtolower( trim( (string) $stage ) ) );
	}

	private static function is_done( array $task ): bool {
		return in_array( strtolower( (string) $task['status'] ), array( 'done', 'complete', 'completed' ), true );
	}

	private static function event( string $name, string $record, int $key, array $row, ?array $was = null ): array {
		$previous = null === $was ? null : array_filter( $was, static fn( $value, string $column ): bool => $value !== $row[ $column ], ARRAY_FILTER_USE_BOTH );
		$previous = null === $previous ? null : Tables::typed( $record, $previous );
		return array(
			'event'    => $name,
			'record'   => "$record:$key",
			'data'     => Tables::typed( $record, $row ),
			'previous' => $previous,
			'changes'  => null === $previous ? null : array_keys( $previous ),
		);
	}
}
