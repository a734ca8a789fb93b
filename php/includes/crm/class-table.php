<?php
/**
 * A watched table.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** One of the CRM's tables on one site of this WordPress. */
final class Posthorn_Crm_Table {

	/**
	 * What the database has said of tables: name => `keys`, `kinds`.
	 *
	 * @var array<string,array<string,array>>
	 */
	private static array $descriptions = array();

	/**
	 * Made by named() only.
	 *
	 * @param string $name   The table's full name.
	 * @param string $record What one of its rows is called: `contact`.
	 * @param string $key    Its key column.
	 * @param int    $site   The site that it belongs to.
	 */
	private function __construct(
		public readonly string $name,
		public readonly string $record,
		public readonly string $key,
		public readonly int $site
	) {}

	/**
	 * The table of a name, whichever site's it is: the prefix tells, not the site that is being shown.
	 *
	 * @param string      $name   A table's full name.
	 * @param string|null $schema Optional. The database that the statement named.
	 * @return self|null Null if it belongs to no site of this WordPress.
	 */
	public static function named( string $name, ?string $schema = null ): ?self {
		global $wpdb;
		if ( null !== $schema && 0 !== strcasecmp( $schema, (string) $wpdb->dbname ) ) {
			return null;
		}
		foreach ( posthorn_crm_tables() as $record => $table ) {
			$prefix = substr( $name, 0, -strlen( $table['table'] ) );
			if ( 0 !== strcasecmp( $name, $prefix . $table['table'] ) ) {
				continue;
			}
			$site = self::site_of( $prefix );
			return null === $site ? null : new self( $name, $record, $table['key'], $site );
		}
		return null;
	}

	/**
	 * The current site's table of a record.
	 *
	 * @param string $record Record name.
	 */
	public static function of( string $record ): ?self {
		global $wpdb;
		return self::named( $wpdb->prefix . posthorn_crm_tables()[ $record ]['table'] );
	}

	/**
	 * The site whose tables have a prefix.
	 *
	 * @param string $prefix A prefix.
	 */
	private static function site_of( string $prefix ): ?int {
		global $wpdb;
		if ( ! is_multisite() ) {
			return 0 === strcasecmp( $prefix, $wpdb->prefix ) ? get_current_blog_id() : null;
		}
		if ( 0 === strcasecmp( $prefix, $wpdb->base_prefix ) ) {
			return 1; // As wpdb::get_blog_prefix() has it.
		}
		$site = substr( $prefix, strlen( $wpdb->base_prefix ), -1 );
		return ctype_digit( $site ) && 0 === strcasecmp( $prefix, "$wpdb->base_prefix{$site}_" ) ? (int) $site : null;
	}

	/**
	 * Its unique keys as read_statement() takes them: lists of columns, the primary key first.
	 *
	 * @return array<string[]>
	 */
	public function unique_keys(): array {
		if ( ! isset( self::$descriptions[ $this->name ]['keys'] ) ) {
			$keys = array( 'PRIMARY' => array() );
			foreach ( posthorn_crm_query( "SHOW INDEX FROM `$this->name`" ) ?? array() as $column ) {
				if ( ! (int) $column['Non_unique'] ) {
					$keys[ $column['Key_name'] ][ (int) $column['Seq_in_index'] ] = $column['Column_name'];
				}
			}
			$keys['PRIMARY'] = $keys['PRIMARY'] ? $keys['PRIMARY'] : array( $this->key );

			self::$descriptions[ $this->name ]['keys'] = array_map( 'array_values', array_values( $keys ) );
		}
		return self::$descriptions[ $this->name ]['keys'];
	}

	/**
	 * Its columns that hold something else than text.
	 *
	 * @return array<string,string> Column => kind, as posthorn_crm_value() takes it.
	 */
	public function kinds(): array {
		if ( ! isset( self::$descriptions[ $this->name ]['kinds'] ) ) {
			$columns = array_column( posthorn_crm_query( "SHOW COLUMNS FROM `$this->name`" ) ?? array(), 'Type', 'Field' );
			$kinds   = array_filter( array_map( 'posthorn_crm_kind', $columns ) );

			self::$descriptions[ $this->name ]['kinds'] = array_merge( $kinds, array_fill_keys( array_intersect( posthorn_crm_json_columns(), array_keys( $columns ) ), 'json' ) );
		}
		return self::$descriptions[ $this->name ]['kinds'];
	}

	/**
	 * Forgets what the database said of all tables: a statement may have changed them.
	 */
	public static function forget_descriptions(): void {
		self::$descriptions = array();
	}

	/**
	 * The events that its rows can make: change => event.
	 *
	 * @return array<string,string>
	 */
	public function events(): array {
		return posthorn_crm_tables()[ $this->record ]['events'];
	}

	/**
	 * Whether the database has it.
	 */
	public function is_there(): bool {
		return (bool) posthorn_crm_query( "SHOW TABLES LIKE '" . addcslashes( esc_sql( $this->name ), '_%' ) . "'" );
	}

	/**
	 * Whether a receiver of its site wants any of its events.
	 */
	public function is_wanted(): bool {
		return posthorn_at_site( $this->site, fn(): bool => posthorn_subscribes( $this->events() ) );
	}
}

/**
 * Does something as another site of the network.
 *
 * @param int      $site The site.
 * @param callable $work What to do.
 * @return mixed What it returned.
 */
function posthorn_at_site( int $site, callable $work ) {
	if ( get_current_blog_id() === $site ) {
		return $work();
	}
	switch_to_blog( $site );
	try {
		return $work();
	} finally {
		restore_current_blog();
	}
}
