<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

/** A copy of the bed's WordPress: its files, its database, its settings. Nobody serves it; WP-CLI is on it. */
final class CopiedSite {

	public string $folder;
	private string $data;

	/** What of the copy lies in the MariaDB: a database of its own, or tables beside the original's. */
	private ?string $database = null;
	private array $tables     = array();

	/**
	 * @param array $what `address`: its new one, null for the original's; `name`: of its database, null for the original's;
	 *                    `prefix`: of its tables in the original's database (MariaDB); `data`: where its queue is: `shared` (the
	 *                    same directory), `copied` or `fresh`; `environment`: its type.
	 */
	public function __construct( private array $what ) {
		$bed          = getenv( 'POSTHORN_BED' );
		$this->what  += array( 'address' => null, 'name' => null, 'prefix' => null, 'data' => 'fresh', 'environment' => null );
		$this->folder = $bed . '/run/copy-' . bin2hex( random_bytes( 4 ) );
		mkdir( $this->folder );
		self::shell( 'cp -a', "$bed/wordpress", "$this->folder/wordpress" );
		$this->data = 'shared' === $this->what['data'] ? "$bed/data" : "$this->folder/data";
		if ( 'copied' === $this->what['data'] ) {
			self::shell( 'cp -a', "$bed/data", $this->data );
		} elseif ( 'fresh' === $this->what['data'] ) {
			mkdir( $this->data, 0700 );
		}
		file_put_contents( "$this->folder/address", $this->what['address'] ?? trim( file_get_contents( "$bed/address" ) ) );
		$config = file_get_contents( "$this->folder/wordpress/wp-config.php" );
		$config = str_replace( "'$bed/address'", "'$this->folder/address'", $config );
		$drop_in = "$this->folder/wordpress/wp-content/db.php";
		$name    = $this->what['name'];
		if ( is_file( $drop_in ) ) {
			file_put_contents( $drop_in, str_replace( "$bed/wordpress", "$this->folder/wordpress", file_get_contents( $drop_in ) ) );
		} elseif ( null !== $name ) {
			// The bed's user may make databases whose names begin so.
			$name = $this->database = DB_NAME . '_' . $name . '_' . bin2hex( random_bytes( 3 ) );
			$this->copy_tables( "`$name`.", '' );
		} else {
			$this->copy_tables( '', $this->what['prefix'] );
			$config = str_replace( "\$table_prefix = '{$GLOBALS['wpdb']->base_prefix}'", "\$table_prefix = '{$this->what['prefix']}'", $config );
		}
		if ( null !== $name ) {
			$config = preg_replace( "/define\( 'DB_NAME', '\w+' \)/", "define( 'DB_NAME', '$name' )", $config );
		}
		file_put_contents( "$this->folder/wordpress/wp-config.php", $config );
	}

	public function __destruct() {
		self::shell( 'rm -rf', $this->folder );
		if ( null !== $this->database ) {
			self::query( "DROP DATABASE `$this->database`" );
		}
		foreach ( $this->tables as $table ) {
			self::query( "DROP TABLE $table" );
		}
	}

	/** Copies the original's tables into another database, or beside themselves with another prefix. */
	private function copy_tables( string $database, string $prefix ): void {
		global $wpdb;
		if ( '' !== $database ) {
			self::query( "CREATE DATABASE `$this->database` CHARACTER SET utf8mb4" );
		}
		foreach ( $wpdb->get_col( "SHOW TABLES LIKE '{$wpdb->base_prefix}%'" ) as $table ) {
			$copy = $database . '`' . ( '' === $prefix ? $table : $prefix . substr( $table, strlen( $wpdb->base_prefix ) ) ) . '`';
			self::query( "CREATE TABLE $copy LIKE `$table`" );
			self::query( "INSERT INTO $copy SELECT * FROM `$table`" );
			if ( '' === $database ) {
				$this->tables[] = $copy;
			}
		}
	}

	private static function query( string $statement ): void {
		global $wpdb;
		if ( false === $wpdb->query( $statement ) ) {
			throw new \RuntimeException( "$statement: $wpdb->last_error" );
		}
	}

	/** Gives it another address. */
	public function is_at( string $address ): void {
		file_put_contents( "$this->folder/address", $address );
	}

	/** Runs `wp …` on it to its end. */
	public function wp( string ...$arguments ): Command {
		$environment = null === $this->what['environment'] ? array() : array( 'WP_ENVIRONMENT_TYPE' => $this->what['environment'] );
		return Command::start_wp_at( "$this->folder/wordpress", array( "posthorn.data_dir=$this->data" ), $environment, ...$arguments )->finish();
	}

	/** A contact is created there. */
	public function create_contact( string $name ): void {
		$command = $this->wp( 'eval', 'wpestate_crm_insert_contact( array( "first_name" => "' . $name . '" ) );' );
		if ( 0 !== $command->status ) {
			throw new \RuntimeException( $command->output . $command->errors );
		}
	}

	/** What `wp posthorn site status` says. */
	public function status(): array {
		return json_decode( $this->wp( 'posthorn', 'site', 'status', '--format=json' )->output, true );
	}

	/** What runs as a service there does for a moment. */
	public function work(): Command {
		return $this->wp( 'posthorn', 'work', '--seconds=1' );
	}

	private static function shell( string $command, string ...$arguments ): void {
		exec( $command . ' ' . implode( ' ', array_map( 'escapeshellarg', $arguments ) ) . ' 2>&1', $output, $status );
		if ( 0 !== $status ) {
			throw new \RuntimeException( "$command: " . implode( "\n", $output ) );
		}
	}
}
