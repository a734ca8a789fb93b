<?php
/** A database of its own in the MariaDB that run.sh started. */

declare(strict_types=1);

final class Mariadb {
	private mysqli $link;
	private string $name;

	public function __construct() {
		mysqli_report( MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT );
		$this->name = 'bed_ext_' . getmypid();
		$this->link = new mysqli( null, 'root', '', '', 0, (string) getenv( 'POSTHORN_MARIADB_SOCKET' ) );
		$this->run( "CREATE DATABASE {$this->name} CHARACTER SET utf8mb4" );
		$this->run( "USE {$this->name}" );
		// As WordPress sets it: neither strict nor ANSI.
		$this->run( "SET NAMES utf8mb4, sql_mode = 'NO_ENGINE_SUBSTITUTION'" );
	}

	public function run( string $sql ): void {
		$result = $this->link->query( $sql );
		if ( $result instanceof mysqli_result ) {
			$result->free();
		}
		// A block of statements has a result for each of them.
		while ( $this->link->more_results() ) {
			$this->link->next_result();
		}
	}

	/** @return list<array<string, ?string>> */
	public function rows( string $sql ): array {
		return $this->link->query( $sql )->fetch_all( MYSQLI_ASSOC );
	}

	public function drop(): void {
		$this->run( "DROP DATABASE {$this->name}" );
	}
}
