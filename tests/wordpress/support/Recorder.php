<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

/**
 * Notes what a program finds in $wpdb: before each of its statements, before and after each action of the CRM, and
 * wherever it is told to. Statements of Posthorn's own are left out.
 */
final class Recorder {

	private array $notes = array();
	private int $queries;
	private bool $over = false;

	public function __construct() {
		global $wpdb;
		$this->queries = $wpdb->num_queries;
		// First of all, while $wpdb still has what the last statement left.
		add_filter( 'query', array( $this, 'before_query' ), PHP_INT_MIN );
		foreach ( array( 'contact', 'lead', 'enquiry', 'deal', 'task' ) as $record ) {
			foreach ( array( 'insert', 'update', 'delete', 'complete' ) as $verb ) {
				$this->around( "wpestate_crm_after_{$verb}_$record" );
			}
		}
		$this->around( 'wpestate_crm_after_record_activity' );
	}

	/** @param string $sql A statement. */
	public function before_query( $sql ) {
		if ( ! $this->over && ! self::is_posthorns() ) {
			$this->note( "before $sql" );
		}
		return $sql;
	}

	/**
	 * Notes the state of $wpdb.
	 *
	 * @param string $when   What just happened.
	 * @param mixed  $result What it returned.
	 */
	public function note( string $when, $result = null ): void {
		global $wpdb, $EZSQL_ERROR; // phpcs:ignore
		if ( $this->over ) {
			return;
		}
		$this->notes[] = array(
			'when'            => $when,
			'result'          => is_wp_error( $result ) ? $result->get_error_message() : $result,
			'last_query'      => $wpdb->last_query,
			'insert_id'       => $wpdb->insert_id,
			'rows_affected'   => $wpdb->rows_affected,
			'num_rows'        => $wpdb->num_rows,
			'last_error'      => $wpdb->last_error,
			'last_result'     => json_decode( json_encode( $wpdb->last_result, JSON_INVALID_UTF8_SUBSTITUTE ), true ),
			'num_queries'     => $wpdb->num_queries - $this->queries,
			'show_errors'     => $wpdb->show_errors,
			'suppress_errors' => $wpdb->suppress_errors,
			'errors'          => count( (array) $EZSQL_ERROR ),
			'last error'      => ( (array) $EZSQL_ERROR )[ count( (array) $EZSQL_ERROR ) - 1 ]['query'] ?? null,
			'saved queries'   => array_column( (array) $wpdb->queries, 0 ),
			'output'          => (string) ob_get_contents(),
		);
		if ( ob_get_level() > 0 ) {
			ob_clean();
		}
	}

	/** Does work and notes the state after it. Returns what the work returned. */
	public function step( string $name, callable $work ) {
		$result = $work();
		$this->note( "after $name", $result );
		return $result;
	}

	/** Ends the notes, and returns them. */
	public function finish(): array {
		$this->over = true;
		return $this->notes;
	}

	private function around( string $hook ): void {
		add_action( $hook, fn() => $this->note( "first in $hook" ), PHP_INT_MIN );
		add_action( $hook, fn() => $this->note( "last in $hook" ), PHP_INT_MAX );
	}

	private static function is_posthorns(): bool {
		foreach ( debug_backtrace( DEBUG_BACKTRACE_IGNORE_ARGS ) as $call ) {
			if ( str_contains( $call['file'] ?? '', '/plugins/posthorn/' ) ) {
				return true;
			}
		}
		return false;
	}
}
