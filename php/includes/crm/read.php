<?php
/**
 * Reads rows so that the CRM, which is in the middle of its own work, notices nothing.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Rows that are read at a time. */
const POSTHORN_CRM_ROWS_AT_A_TIME = 500;

/** What the database says to a connection that it has closed. */
const POSTHORN_CRM_CONNECTION_LOST = array( 2006, 2013 );

/** A condition with more bytes is a list of ids, which takes the database longer to read than its rows. */
const POSTHORN_CRM_LONG_CONDITION = 2000;

/**
 * The rows of a table that meet a condition, packed, as a bulk action may touch a great many.
 *
 * @param Posthorn_Crm_Table $table     The table.
 * @param string             $condition SQL that stands after WHERE.
 * @return array<int,string>|null Key => packed row; null if they cannot be read, or are more than memory is left for.
 */
function posthorn_crm_rows( Posthorn_Crm_Table $table, string $condition ): ?array {
	if ( strlen( $condition ) > POSTHORN_CRM_LONG_CONDITION ) {
		$keys = posthorn_crm_row_keys( $table, $condition );
		return null === $keys ? null : posthorn_crm_rows_of_keys( $table, $keys );
	}
	$rows = array();
	$from = '';
	do {
		$some = posthorn_crm_packed_rows( $table, "($condition\n)$from ORDER BY `$table->key` LIMIT " . POSTHORN_CRM_ROWS_AT_A_TIME );
		if ( null === $some || '' !== $from && posthorn_crm_memory_is_short() ) {
			return null;
		}
		$rows += $some;
		$from  = " AND `$table->key` > " . (int) array_key_last( $some );
	} while ( count( $some ) === POSTHORN_CRM_ROWS_AT_A_TIME );
	return $rows;
}

/**
 * The rows of some keys, packed.
 *
 * @param Posthorn_Crm_Table $table The table.
 * @param int[]              $keys  The keys.
 * @return array<int,string>|null Key => packed row; null if they cannot be read, or are more than memory is left for.
 */
function posthorn_crm_rows_of_keys( Posthorn_Crm_Table $table, array $keys ): ?array {
	$rows = array();
	sort( $keys );
	foreach ( array_chunk( $keys, POSTHORN_CRM_ROWS_AT_A_TIME ) as $n => $chunk ) {
		list( $first, $last ) = array( $chunk[0], end( $chunk ) );
		// Keys that lie close together are read with what lies between them: that is quicker than a list.
		$close = count( $chunk ) > 1 && $last - $first < 4 * count( $chunk );
		$some  = posthorn_crm_packed_rows( $table, "`$table->key` " . ( $close ? "BETWEEN $first AND $last" : 'IN (' . implode( ',', $chunk ) . ')' ) );
		if ( null === $some || $n > 0 && posthorn_crm_memory_is_short() ) {
			return null;
		}
		$rows += $close ? array_intersect_key( $some, array_flip( $chunk ) ) : $some;
	}
	return $rows;
}

/**
 * Reads rows with one query.
 *
 * @param Posthorn_Crm_Table $table The table.
 * @param string             $where SQL that stands after WHERE.
 * @return array<int,string>|null Key => packed row; null if they cannot be read.
 */
function posthorn_crm_packed_rows( Posthorn_Crm_Table $table, string $where ): ?array {
	$read = posthorn_crm_query( "SELECT * FROM `$table->name` WHERE $where" );
	if ( null === $read ) {
		return null;
	}
	$rows = array();
	foreach ( $read as $row ) {
		$rows[ (int) $row[ $table->key ] ] = posthorn_crm_pack( $row );
	}
	return $rows;
}

/**
 * The keys of the rows that meet a condition.
 *
 * @param Posthorn_Crm_Table $table     The table.
 * @param string             $condition SQL that stands after WHERE.
 * @return int[]|null Null if they cannot be read.
 */
function posthorn_crm_row_keys( Posthorn_Crm_Table $table, string $condition ): ?array {
	$read = posthorn_crm_query( "SELECT `$table->key` FROM `$table->name` WHERE $condition" );
	return null === $read ? null : array_map( static fn( array $row ): int => (int) current( $row ), $read );
}

/**
 * One number.
 *
 * @param Posthorn_Crm_Table $table The table.
 * @param string             $what  SQL: `MAX(…)`, `COUNT(*)`.
 * @return int|null Null if it cannot be read.
 */
function posthorn_crm_number( Posthorn_Crm_Table $table, string $what ): ?int {
	$read = posthorn_crm_query( "SELECT $what FROM `$table->name`" );
	return $read ? (int) current( $read[0] ) : null;
}

/**
 * Packs a row.
 *
 * @param array<string,string|null> $row A row.
 */
function posthorn_crm_pack( array $row ): string {
	return serialize( $row ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions -- Strings and nulls, never stored.
}

/**
 * Unpacks a row.
 *
 * @param string|null $packed What posthorn_crm_pack() made.
 * @return array<string,string|null>|null
 */
function posthorn_crm_unpack( ?string $packed ): ?array {
	return null === $packed ? null : unserialize( $packed, array( 'allowed_classes' => false ) ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions -- As above.
}

/**
 * Runs a query of ours.
 *
 * @param string $sql A statement that reads.
 * @return array<array<string,?string>>|null Its rows; null if it failed.
 */
function posthorn_crm_query( string $sql ): ?array {
	global $wpdb;
	if ( wpdb::class === get_class( $wpdb ) && $wpdb->dbh instanceof mysqli ) {
		$rows = posthorn_crm_query_connection( $wpdb->dbh, $sql );
		if ( null === $rows && in_array( mysqli_errno( $wpdb->dbh ), POSTHORN_CRM_CONNECTION_LOST, true ) && $wpdb->check_connection( false ) ) { // phpcs:ignore WordPress.DB.RestrictedFunctions -- $wpdb does the same.
			$rows = posthorn_crm_query_connection( $wpdb->dbh, $sql );
		}
		return $rows;
	}
	// Another database object may choose among connections, or translate.
	return posthorn_crm_preserving(
		static function () use ( $wpdb, $sql ): ?array {
			$suppressed = $wpdb->suppress_errors( true );
			$reading    = posthorn_crm_is_reading( true );
			$errors     = $GLOBALS['EZSQL_ERROR'] ?? null;
			try {
				// $wpdb would ask for the character sets of a table whose statement is not ASCII.
				posthorn_crm_set_wpdb( array( 'check_current_query' => false ) );
				// phpcs:ignore WordPress.DB -- Names from the contract, the condition from a statement that runs anyway.
				$read = $wpdb->query( $sql );
				return false === $read ? null : array_map( static fn( $row ): array => (array) $row, (array) $wpdb->last_result );
			} finally {
				posthorn_crm_is_reading( $reading );
				$wpdb->suppress_errors( $suppressed );
				if ( null !== $errors ) {
					$GLOBALS['EZSQL_ERROR'] = $errors; // phpcs:ignore WordPress.WP.GlobalVariablesOverride -- As it was.
				}
			}
		}
	);
}

/**
 * Runs a query of ours on the connection that WordPress's own database object has: that object is not touched, and a bulk
 * action that reads two rows for each that it writes feels the difference.
 *
 * @param mysqli $connection The connection.
 * @param string $sql        A statement that reads.
 * @return array<array<string,?string>>|null Its rows; null if it failed.
 */
function posthorn_crm_query_connection( mysqli $connection, string $sql ): ?array {
	// phpcs:disable WordPress.DB.RestrictedFunctions -- See above.
	try {
		$result = mysqli_query( $connection, $sql );
	} catch ( mysqli_sql_exception $error ) {
		return null;
	}
	return $result instanceof mysqli_result ? mysqli_fetch_all( $result, MYSQLI_ASSOC ) : null;
	// phpcs:enable
}

/**
 * Does something that queries, and leaves $wpdb as it was.
 *
 * @param callable $work What to do.
 * @return mixed What it returned.
 */
function posthorn_crm_preserving( callable $work ) {
	global $wpdb;
	$state = array();
	foreach ( array( 'insert_id', 'rows_affected', 'num_rows', 'num_queries', 'last_query', 'last_error', 'last_result', 'func_call', 'result', 'check_current_query', 'checking_collation' ) as $name ) {
		$state[ $name ] = $wpdb->$name ?? null;
	}
	// $wpdb frees the result of the query before.
	posthorn_crm_set_wpdb( array( 'result' => null ) );
	try {
		return $work();
	} finally {
		posthorn_crm_set_wpdb( $state );
	}
}

/**
 * Sets properties of $wpdb, also those that it keeps to itself.
 *
 * @param array<string,mixed> $values Property => value.
 */
function posthorn_crm_set_wpdb( array $values ): void {
	global $wpdb;
	static $set = null;
	$set      ??= Closure::bind(
		static function ( wpdb $db, array $values ): void {
			foreach ( $values as $name => $value ) {
				$db->$name = $value;
			}
		},
		null,
		wpdb::class
	);
	$set( $wpdb, $values );
}

/**
 * Whether less than a quarter of the memory that the request may use is left, even after WordPress raised the limit to
 * what it gives to heavy work.
 */
function posthorn_crm_memory_is_short(): bool {
	$is_short = static function (): bool {
		$limit = wp_convert_hr_to_bytes( (string) ini_get( 'memory_limit' ) );
		return $limit > 0 && memory_get_usage() > $limit * 3 / 4;
	};
	if ( $is_short() ) {
		wp_raise_memory_limit( 'admin' );
	}
	return $is_short();
}
