<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

/**
 * The CRM's six watched tables, over a database connection of the test's own: it sees only what is committed, and
 * nothing of it passes WordPress or the plugin.
 */
final class Tables {

	/** Record name => table without its prefix. */
	public const RECORDS = array(
		'contact'  => 'contacts',
		'lead'     => 'leads',
		'enquiry'  => 'enquiries',
		'deal'     => 'deals',
		'task'     => 'tasks',
		'activity' => 'activities',
	);

	private const JSON_COLUMNS = array( 'meta', 'enquiry_meta' );

	/** Whether the bed's database is MariaDB, and not the SQLite drop-in. */
	public static function on_mariadb(): bool {
		return ! class_exists( 'WP_SQLite_DB', false );
	}

	/**
	 * Every row of every watched table.
	 *
	 * @param string|null $prefix The site's; the main site's by default.
	 * @return array<string,array<int,array<string,string|null>>> Record => key => row as text.
	 */
	public static function dump( ?string $prefix = null ): array {
		$dump = array();
		foreach ( array_keys( self::RECORDS ) as $record ) {
			$dump[ $record ] = array();
			$statement       = self::connection()->query( 'SELECT * FROM ' . self::name( $record, $prefix ) );
			foreach ( $statement->fetchAll( \PDO::FETCH_ASSOC ) as $row ) {
				$dump[ $record ][ (int) $row[ self::key( $record ) ] ] = $row;
			}
		}
		return $dump;
	}

	/** A committed row, or null. */
	public static function row( string $record, int $id ): ?array {
		$row = self::connection()->query( 'SELECT * FROM ' . self::name( $record ) . ' WHERE ' . self::key( $record ) . " = $id" )->fetch( \PDO::FETCH_ASSOC );
		return is_array( $row ) ? $row : null;
	}

	/** Empties the watched tables behind WordPress's back. Keys keep rising, so that none is used twice. */
	public static function clear( ?string $prefix = null ): void {
		foreach ( array_keys( self::RECORDS ) as $record ) {
			self::connection()->exec( 'DELETE FROM ' . self::name( $record, $prefix ) );
		}
	}

	/**
	 * Inserts a row behind WordPress's back, as another program would.
	 *
	 * @return int Its key.
	 */
	public static function insert( string $record, array $row ): int {
		$columns = implode( ', ', array_keys( $row ) );
		$values  = implode( ', ', array_map( static fn( $value ): string => null === $value ? 'NULL' : self::connection()->quote( (string) $value ), $row ) );
		self::connection()->exec( 'INSERT INTO ' . self::name( $record ) . " ($columns) VALUES ($values)" );
		return (int) self::connection()->lastInsertId();
	}

	/** Runs any statement behind WordPress's back. */
	public static function run( string $sql ): void {
		self::connection()->exec( $sql );
	}

	/** A record's table with its prefix. */
	public static function name( string $record, ?string $prefix = null ): string {
		global $wpdb;
		return ( $prefix ?? $wpdb->base_prefix ) . 'wpresidence_crm_' . self::RECORDS[ $record ];
	}

	/** A record's key column. */
	public static function key( string $record ): string {
		return wpestate_crm_key( self::RECORDS[ $record ] );
	}

	/** The event data of a row: every value in the type of its column. */
	public static function typed( string $record, array $row ): array {
		$types = wpestate_crm_schema()[ self::RECORDS[ $record ] ];
		foreach ( $row as $column => $value ) {
			$row[ $column ] = null === $value ? null : self::typed_value( $column, $types[ $column ] ?? 'text', (string) $value );
		}
		return $row;
	}

	/** @return mixed */
	private static function typed_value( string $column, string $type, string $value ) {
		if ( in_array( $column, self::JSON_COLUMNS, true ) ) {
			$decoded = json_decode( $value, true );
			return is_array( $decoded ) ? $decoded : $value;
		}
		if ( preg_match( '/^(big|tiny)?int/', $type ) ) {
			return (int) $value;
		}
		return str_starts_with( $type, 'decimal' ) ? (float) $value : $value;
	}

	/** A connection that WordPress does not know. */
	private static function connection(): \PDO {
		static $connection = null;
		if ( null === $connection ) {
			$connection = self::connect();
		}
		return $connection;
	}

	private static function connect(): \PDO {
		$options = array(
			\PDO::ATTR_ERRMODE           => \PDO::ERRMODE_EXCEPTION,
			\PDO::ATTR_STRINGIFY_FETCHES => true,
			\PDO::ATTR_TIMEOUT           => 10,
		);
		if ( ! self::on_mariadb() ) {
			return new \PDO( 'sqlite:' . FQDB, null, null, $options );
		}
		$socket = substr( DB_HOST, strpos( DB_HOST, ':' ) + 1 );
		return new \PDO( "mysql:unix_socket=$socket;dbname=" . DB_NAME . ';charset=utf8mb4', DB_USER, DB_PASSWORD, $options );
	}
}
