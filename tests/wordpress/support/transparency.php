<?php
/**
 * Does everything in the stand-in CRM and notes what it finds in $wpdb. Run with Posthorn and without it by
 * TransparencyTest, which compares.
 *
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

require_once __DIR__ . '/Recorder.php';
require_once __DIR__ . '/Tables.php';
require_once __DIR__ . '/Operations.php';
require_once __DIR__ . '/Statements.php';

// Times are part of statements.
define( 'WPESTATE_CRM_NOW', '2026-04-17 12:34:56' );
wp_set_current_user( 1 );
ob_start();

/** The same tables each time, down to the next key. */
function posthorn_tests_reset(): void {
	global $wpdb;
	foreach ( array_keys( wpestate_crm_schema() ) as $table ) {
		$wpdb->query( 'TRUNCATE TABLE ' . wpestate_crm_table( $table ) );
	}
	$wpdb->query( 'DROP TABLE IF EXISTS ' . wpestate_crm_table( 'contacts' ) . '_backup' );
}

/** Switches, then all operations. */
function posthorn_tests_operations( array $switches ): array {
	$set = wpestate_crm_set_switches( $switches + array_map( static fn( array $switch ) => array_key_first( $switch['choices'] ), wpestate_crm_switch_list() ) );
	if ( true !== $set ) {
		throw new \RuntimeException( $set->get_error_message() );
	}
	posthorn_tests_reset();
	$recorder = new Recorder();
	Operations::all( array( $recorder, 'step' ) );
	return $recorder->finish();
}

/** All statements one after another, over the rows that they are made for. */
function posthorn_tests_statements( bool $show_errors ): array {
	global $wpdb;
	posthorn_tests_reset();
	$names = array( '{db}' => DB_NAME, '{o}' => $wpdb->options, '{free}' => 900, '{c1}' => 1, '{c2}' => 2, '{c3}' => 3, '{c4}' => 4, '{c5}' => 5 );
	foreach ( Tables::RECORDS as $record => $table ) {
		$names[ '{' . $record[0] . '}' ] = wpestate_crm_table( $table );
	}
	$recorder = new Recorder();
	$show_errors ? $wpdb->show_errors() : $wpdb->hide_errors();
	$all = array_merge( array_values( Statements::inserts() ), array_values( Statements::updates() ), array_values( Statements::deletes() ), array_values( Statements::others() ) );
	foreach ( $all as $n => list( $statement ) ) {
		if ( str_contains( $statement, 'RAND' ) || str_contains( $statement, '@oracle' ) ) {
			continue;
		}
		// Rows for the next one, whatever the last left.
		$wpdb->query( $wpdb->prepare( "REPLACE INTO {$names['{c}']} (contact_id, first_name, city, lead_score) VALUES (1, 'Contact 1', 'Cork', 1), (2, %s, 'Cork', 2), (3, 'Contact 3', 'Cork', 3)", "Contact $n" ) );
		$wpdb->query( "REPLACE INTO {$names['{l}']} (lead_id, contact_id, message) VALUES (1, 1, 'A house'), (2, 1, 'A flat')" );
		$wpdb->query( "DELETE FROM {$names['{c}']} WHERE contact_id > 5" );
		$sql = strtr( ltrim( $statement, '!' ), $names );
		if ( 0 === $n % 3 ) {
			$recorder->step( $sql, static fn() => $wpdb->get_results( $sql, ARRAY_A ) );
		} else {
			$recorder->step( $sql, static fn() => $wpdb->query( $sql ) );
		}
	}
	$wpdb->query( "DROP TABLE IF EXISTS {$names['{c}']}_backup" );
	return $recorder->finish();
}

/** Asks the database itself, right after a write, for what it remembers of it. */
function posthorn_tests_questions(): array {
	global $wpdb;
	posthorn_tests_reset();
	$table    = wpestate_crm_table( 'contacts' );
	$recorder = new Recorder();
	$ask      = static function ( string ...$statements ) use ( $recorder, $wpdb ): void {
		foreach ( $statements as $sql ) {
			$recorder->step( $sql, static fn() => preg_match( '/^(SELECT|SHOW)/', $sql ) ? $wpdb->get_results( $sql, ARRAY_A ) : $wpdb->query( $sql ) );
		}
	};
	$insert   = "INSERT INTO $table (first_name, city) VALUES ('Ada', 'Cork'), ('Grace', 'Cork'), ('Ida', 'Cork')";
	$update   = "UPDATE $table SET city = 'Cobh' WHERE first_name <> 'Ida'";
	$warning  = "INSERT IGNORE INTO $table (contact_id, first_name) VALUES (1, 'Ada')";
	$ask( $insert, 'SELECT LAST_INSERT_ID()', $insert, 'SELECT ROW_COUNT()', $update, 'SELECT ROW_COUNT() AS n', $update, 'SELECT ROW_COUNT()' );
	$ask( $warning, 'SHOW WARNINGS', $warning, 'SELECT @@warning_count', $warning, 'SHOW COUNT(*) WARNINGS' );
	$ask( "UPDATE $table SET lead_score = LAST_INSERT_ID(lead_score + 7) WHERE contact_id = 1", 'SELECT LAST_INSERT_ID()' );
	$ask( $update, "SELECT SQL_CALC_FOUND_ROWS * FROM $table LIMIT 1", 'SELECT FOUND_ROWS()' );
	$ask( "SET @n := 0", "UPDATE $table SET city = 'Kinsale' WHERE (@n := @n + (contact_id > 0)) <= 2", 'SELECT @n' );
	$ask( "DELETE FROM $table WHERE first_name = 'Ida'", 'SELECT ROW_COUNT()' );
	return $recorder->finish();
}
