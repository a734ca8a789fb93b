<?php
/**
 * Notices every statement before it runs.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Looks at a statement, at the filter `query` of $wpdb, and never changes it.
 *
 * What other databases of the page are asked passes here too; a table of theirs that has the name of a watched one is
 * compared with ours before and after, and no change is found.
 *
 * @param mixed $query A statement.
 * @return mixed The same.
 */
function posthorn_crm_notice( $query ) {
	static $watching = false;
	// Nearly every statement of a page ends here, without a further call.
	if ( ! $watching && is_string( $query ) && 0 === strncasecmp( $query, 'SELECT', 6 ) ) {
		return $query;
	}
	if ( ! is_string( $query ) || ( ! $watching && posthorn_crm_is_nothing( $query ) ) || posthorn_crm_is_reading() ) {
		return $query;
	}
	posthorn_load();
	try {
		$statement = posthorn_crm_is_nothing( $query ) ? null : posthorn_crm_statement( $query );
		if ( $watching || null !== $statement ) {
			$watching = true;
			posthorn_crm_watch()->before( $statement );
		}
	} catch ( \Throwable $error ) {
		posthorn_report( $error, true );
	}
	return $query;
}

/**
 * What a statement writes.
 *
 * @param string $sql A statement.
 * @return array|null As read_statement() tells it.
 */
function posthorn_crm_statement( string $sql ): ?array {
	$statement = posthorn_client_read_statement( $sql, posthorn_crm_keys() );
	if ( empty( $statement['replaces'] ) ) {
		return $statement;
	}
	// What it replaces is found by every unique key, and a table may have more of them than the contract names.
	posthorn_crm_watch()->ran();
	$table = Posthorn_Crm_Table::named( $statement['table'], $statement['schema'] );
	return null === $table ? $statement : posthorn_client_read_statement( $sql, array( $table->name => $table->unique_keys() ) );
}

/**
 * Whether a statement is certainly of no interest, told by its first word and by what all watched tables are called.
 *
 * @param string $query A statement.
 */
function posthorn_crm_is_nothing( string $query ): bool {
	// Many a statement begins on a new line: WordPress 6.1's search for posts, and most that are written by hand.
	$word = strtoupper( substr( $query, strspn( $query, " \t\r\n(" ), 6 ) );
	return 'SELECT' === $word
		|| ( ( 'UPDATE' === $word || 'INSERT' === $word || 'DELETE' === $word ) && false === stripos( $query, POSTHORN_CRM_TABLES ) );
}

/**
 * Whether the statement that passes the filter is one of ours.
 *
 * @param bool|null $reading Optional. Says so from now on.
 * @return bool What was said before.
 */
function posthorn_crm_is_reading( ?bool $reading = null ): bool {
	static $now = false;
	$before     = $now;
	$now        = $reading ?? $now;
	return $before;
}

/**
 * What this request has written so far. Its files are loaded with the first write.
 */
function posthorn_crm_watch(): Posthorn_Crm_Watch {
	static $watch = null;
	if ( null === $watch ) {
		foreach ( array( 'class-table', 'read', 'types', 'class-write', 'class-changes', 'class-transaction', 'judgement', 'turns', 'activities', 'appointments', 'overdue', 'events', 'hand-over', 'class-watch' ) as $room ) {
			require_once __DIR__ . "/$room.php";
		}
		$watch = new Posthorn_Crm_Watch();
		posthorn_hook_crm_end();
		if ( did_action( 'shutdown' ) ) {
			posthorn_crm_has_ended( true );
		}
	}
	return $watch;
}

/**
 * Before anything that may end the request without a further word: hands over what waits.
 *
 * @param mixed $passed What a filter passes on.
 * @return mixed The same.
 */
function posthorn_crm_hand_over_now( $passed = null ) {
	if ( class_exists( 'Posthorn_Crm_Watch', false ) ) {
		try {
			posthorn_crm_watch()->hand_over_now();
		} catch ( \Throwable $error ) {
			posthorn_report( $error, true );
		}
	}
	return $passed;
}

/**
 * Whether the end of the request was reached; code that runs later still may write.
 *
 * @param bool|null $ended Optional. Says so.
 */
function posthorn_crm_has_ended( ?bool $ended = null ): bool {
	static $has_ended = false;
	$has_ended        = $ended ?? $has_ended;
	return $has_ended;
}

/**
 * At the end of the request: hands over what is left.
 */
function posthorn_crm_end(): void {
	posthorn_crm_has_ended( true );
	if ( ! class_exists( 'Posthorn_Crm_Watch', false ) ) {
		return;
	}
	try {
		if ( str_starts_with( error_get_last()['message'] ?? '', 'Allowed memory size' ) ) {
			// What the page died of must not keep it from telling what it wrote.
			ini_set( 'memory_limit', '-1' ); // phpcs:ignore WordPress.PHP.IniSet
		}
		posthorn_crm_watch()->end();
	} catch ( \Throwable $error ) {
		posthorn_report( $error, true );
	}
}
