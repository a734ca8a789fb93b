<?php
/**
 * Whether what the page has written can still be taken back.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** The state of $wpdb's connection, from the statements that change it. */
final class Posthorn_Crm_Transaction {

	/** MariaDB and MySQL undo the whole transaction of the one that loses a deadlock. */
	private const DEADLOCK = 1213;

	/**
	 * Whether a transaction was begun.
	 *
	 * @var bool
	 */
	private bool $begun = false;

	/**
	 * Whether every statement is a transaction of its own.
	 *
	 * @var bool
	 */
	private bool $autocommit = true;

	/**
	 * Whether what is written now can be taken back.
	 */
	public function is_open(): bool {
		global $wpdb;
		// The SQLite drop-in says so itself: it does not know autocommit, and ends a transaction in which a statement fails.
		if ( ! $wpdb->dbh instanceof mysqli && is_callable( array( $wpdb->dbh, 'inTransaction' ) ) ) {
			return $wpdb->dbh->inTransaction();
		}
		return $this->begun || ! $this->autocommit;
	}

	/**
	 * The same as the database itself says: a deadlock in a table that nobody watches ends a transaction unseen, and another
	 * connection's BEGIN begins none of ours.
	 */
	public function is_really_open(): bool {
		global $wpdb;
		if ( ! $this->is_open() || ! $wpdb->dbh instanceof mysqli ) {
			return $this->is_open();
		}
		// MySQL has no such variable, and the answer is null.
		$answer = posthorn_crm_query( 'SELECT @@in_transaction AS is_open' );
		if ( $answer && ! (int) $answer[0]['is_open'] ) {
			$this->begun = false;
			return false;
		}
		return true;
	}

	/**
	 * Whether a statement makes what was written last for good. It does so before it does anything else.
	 *
	 * @param array $statement What read_statement() says of it.
	 */
	public function commits( array $statement ): bool {
		switch ( $statement['verb'] ) {
			case 'begin':
			case 'commit':
				return true;
			case 'autocommit':
				// Switched on where it is on, it commits nothing.
				return self::switches_on( $statement ) && ! $this->autocommit;
		}
		return ! empty( $statement['implicit_commit'] );
	}

	/**
	 * Whether a SET autocommit switches it on; a value that is not written out is taken for what it was before.
	 *
	 * @param array $statement What read_statement() says of it.
	 */
	private static function switches_on( array $statement ): bool {
		return $statement['on'] ?? true;
	}

	/**
	 * Whether a statement takes back everything.
	 *
	 * @param array $statement What read_statement() says of it.
	 */
	public function takes_back( array $statement ): bool {
		return 'rollback' === $statement['verb'] && ! isset( $statement['savepoint'] );
	}

	/**
	 * A statement has run.
	 *
	 * @param array $statement What read_statement() says of it.
	 */
	public function ran( array $statement ): void {
		if ( 'autocommit' === $statement['verb'] ) {
			$this->begun      = $this->begun && ! $this->commits( $statement );
			$this->autocommit = self::switches_on( $statement );
		} elseif ( 'begin' === $statement['verb'] ) {
			$this->begun = true;
		} elseif ( $this->commits( $statement ) || $this->takes_back( $statement ) ) {
			$this->begun = ! empty( $statement['chain'] );
		}
	}

	/**
	 * Whether the statement that has just run failed and took the whole transaction with it; if so, it is over.
	 */
	public function was_lost(): bool {
		global $wpdb;
		$lost        = $wpdb->dbh instanceof mysqli ? self::DEADLOCK === mysqli_errno( $wpdb->dbh ) : ( $this->begun && ! $this->is_open() );
		$this->begun = $this->begun && ! $lost;
		return $lost;
	}

	/**
	 * Whether a statement that commits, or takes back, has done so. Not told by last_error: $wpdb sets that too when it
	 * refuses to run a statement at all.
	 *
	 * @param array $statement What read_statement() says of it.
	 */
	public function has_worked( array $statement ): bool {
		global $wpdb;
		if ( ! $wpdb->dbh instanceof mysqli ) {
			return ! is_callable( array( $wpdb->dbh, 'inTransaction' ) ) || 'begin' === $statement['verb'] || ! $this->is_open();
		}
		if ( empty( $statement['implicit'] ) ) {
			return 0 === mysqli_errno( $wpdb->dbh );
		}
		// DDL commits even if it then fails, but not if the server could not make sense of it.
		return ! $this->is_really_open();
	}
}
