<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

/** A copy of the bed's WordPress: its files, its database, its settings. Nobody serves it; WP-CLI is on it. */
final class CopiedSite {

	public string $folder;
	private string $data;

	/**
	 * @param array $what `address`: its new one, null for the original's; `name`: of its database, null for the original's;
	 *                    `data`: where its queue is: `shared` (the same directory), `copied` or `fresh`; `environment`: its type.
	 */
	public function __construct( private array $what ) {
		$bed          = getenv( 'POSTHORN_BED' );
		$this->what  += array( 'address' => null, 'name' => null, 'data' => 'fresh', 'environment' => null );
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
		if ( null !== $this->what['name'] ) {
			$config = preg_replace( "/define\( 'DB_NAME', '\w+' \)/", "define( 'DB_NAME', '{$this->what['name']}' )", $config );
		}
		file_put_contents( "$this->folder/wordpress/wp-config.php", $config );
		$drop_in = "$this->folder/wordpress/wp-content/db.php";
		file_put_contents( $drop_in, str_replace( "$bed/wordpress", "$this->folder/wordpress", file_get_contents( $drop_in ) ) );
	}

	public function __destruct() {
		self::shell( 'rm -rf', $this->folder );
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
