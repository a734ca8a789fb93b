<?php
/**
 * What one statement does to one table, from before it runs.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Rows as they are before a statement, and which ones it adds. */
final class Posthorn_Crm_Write {

	/** The condition of read_statement() that no row meets. */
	private const NO_ROW = 'FALSE';

	/** The condition that every row meets. */
	private const WHOLE_TABLE = 'TRUE';

	/** A table with more rows is not compared as a whole: the page would feel it. */
	private const MOST_ROWS_COMPARED = 20000;

	/**
	 * The highest key before the statement; null if it adds nothing.
	 *
	 * @var int|null
	 */
	private ?int $highest = null;

	/**
	 * The key that the database gave last, and how many rows the statement wrote; nulls if it does not tell.
	 *
	 * @var array{0:?int,1:?int}
	 */
	private array $told = array( null, null );

	/**
	 * Made by begin() only.
	 *
	 * @param Posthorn_Crm_Table     $table     The table.
	 * @param array                  $statement What read_statement() says of it.
	 * @param string                 $condition Which rows were read.
	 * @param array<int,string>|null $before    These rows, packed; null if they could not be read.
	 */
	private function __construct(
		public readonly Posthorn_Crm_Table $table,
		private array $statement,
		private string $condition,
		private ?array $before
	) {}

	/**
	 * Reads what a statement that is about to run may change.
	 *
	 * @param array $statement What read_statement() says of one table.
	 * @return self|null Null if nobody wants to know.
	 */
	public static function begin( array $statement ): ?self {
		$table = Posthorn_Crm_Table::named( $statement['table'], $statement['schema'] ?? null );
		// Of rows that only make events when they appear, changes are not read.
		if ( null === $table || ! $statement['adds'] && array( 'created' ) === array_keys( $table->events() ) || ! $table->is_wanted() ) {
			return null;
		}
		$condition = $statement['condition'] ?? self::WHOLE_TABLE;
		$is_told   = isset( $statement['condition'] ) || posthorn_crm_number( $table, 'COUNT(*)' ) <= self::MOST_ROWS_COMPARED;
		if ( ! $is_told && 'insert' === $statement['verb'] && empty( $statement['replaces'] ) ) {
			// It changes no row that is there; those that it adds are found, but for keys below the highest.
			$condition = self::NO_ROW;
			$is_told   = true;
		}
		$write = new self( $table, $statement, $condition, $is_told ? self::rows( $table, $condition, $statement['bounded'] ?? null ) : null );
		if ( $statement['adds'] ) {
			$write->highest = posthorn_crm_number( $table, "MAX(`$table->key`)" ) ?? 0;
		}
		return $write;
	}

	/**
	 * Reads the rows that meet a condition, or if these are too many, those that the statement's own LIMIT leaves.
	 *
	 * @param Posthorn_Crm_Table $table     The table.
	 * @param string             $condition The condition.
	 * @param string|null        $bounded   The same with ORDER BY and LIMIT, if the statement has them.
	 * @return array<int,string>|null
	 */
	private static function rows( Posthorn_Crm_Table $table, string $condition, ?string $bounded ): ?array {
		if ( self::NO_ROW === $condition ) {
			return array();
		}
		$rows = posthorn_crm_rows( $table, $condition );
		if ( null === $rows && null !== $bounded ) {
			$keys = posthorn_crm_row_keys( $table, $bounded );
			$rows = null === $keys ? null : posthorn_crm_rows_of_keys( $table, $keys );
		}
		return $rows;
	}

	/**
	 * Whether it is certain to write rows that are not among the changes that wait.
	 *
	 * @param Posthorn_Crm_Changes $changes What waits.
	 */
	public function goes_beyond( Posthorn_Crm_Changes $changes ): bool {
		return ( null !== $this->highest && self::NO_ROW === $this->condition ) || ! $changes->contain( $this->table, array_keys( $this->before ?? array() ) );
	}

	/**
	 * Takes down what the database tells of the statement that has just run. Asks nothing: the CRM may be about to ask
	 * for ROW_COUNT().
	 */
	public function ran(): void {
		global $wpdb;
		$connection = $wpdb->dbh;
		$has_failed = '' !== (string) $wpdb->last_error;
		if ( $connection instanceof mysqli ) {
			// $wpdb itself does not look after a statement that begins with a comment.
			// It gives no id where none was made, nor after RETURNING.
			$this->told = array( (int) $connection->insert_id ? (int) $connection->insert_id : null, (int) $connection->affected_rows );
			$has_failed = 0 !== $connection->errno;
		} elseif ( is_object( $connection ) && is_callable( array( $connection, 'lastInsertId' ) ) ) {
			// $wpdb counts after a statement that begins with one of these words only.
			$counted    = preg_match( '/^\s*(insert|replace)\s/i', (string) $wpdb->last_query );
			$this->told = array( (int) $connection->lastInsertId(), $counted ? (int) $wpdb->rows_affected : $this->statement['rows'] );
		}
		if ( $has_failed && $connection instanceof mysqli ) {
			// What others insert meanwhile is not taken for its rows. On the drop-in, the error may be of a later statement that
			// $wpdb refused to run.
			$this->highest = null;
		} elseif ( ! $has_failed && null === $this->before ) {
			$this->say_unseen();
		}
	}

	/**
	 * The rows that it may have written, as they were: key => packed row, null for one that was not there.
	 *
	 * @return array<int,?string>
	 */
	public function rows_before(): array {
		return null === $this->before ? array() : $this->before + array_fill_keys( $this->added(), null );
	}

	/**
	 * The keys that are there since the statement ran, and some that were there before.
	 *
	 * @return int[]
	 */
	private function added(): array {
		$added = null === $this->highest ? array() : $this->above_the_highest();
		// Keys that the statement gave itself may be lower than the highest, also those that an UPDATE gave.
		if ( ( null === $this->statement['condition'] && self::NO_ROW !== $this->condition ) || ( null !== $this->highest && self::NO_ROW !== $this->condition ) ) {
			array_push( $added, ...posthorn_crm_row_keys( $this->table, $this->condition ) ?? array() );
		}
		return $added;
	}

	/**
	 * The keys above the highest that are this statement's, not those of another page that inserts at the same time.
	 *
	 * @return int[]
	 */
	private function above_the_highest(): array {
		list( $id, $written ) = $this->told;
		if ( 0 === $written ) {
			return array();
		}
		if ( null !== $id && 1 === $this->statement['rows'] ) {
			// An old id is that of a row that was updated instead.
			return $id > $this->highest ? array( $id ) : array();
		}
		$key   = '`' . $this->table->key . '`';
		$from  = "$key > $this->highest";
		$order = 'ASC';
		if ( null !== $id && $id > $this->highest ) {
			// Of several rows MariaDB names the first, SQLite the last.
			$first = $GLOBALS['wpdb']->dbh instanceof mysqli;
			$from  = $first ? "$key >= $id" : "$from AND $key <= $id";
			$order = $first ? 'ASC' : 'DESC';
		}
		$most = null === $written || $written < 0 ? '' : " LIMIT $written";
		$keys = posthorn_crm_row_keys( $this->table, "$from ORDER BY $key $order$most" ) ?? array();
		sort( $keys );
		return $keys;
	}

	/**
	 * Tells the owner that the rows of the statement are not known.
	 */
	private function say_unseen(): void {
		posthorn_report(
			new RuntimeException(
				sprintf(
					/* translators: 1: INSERT, UPDATE, DELETE or REPLACE, 2: name of a database table, 3: a number. */
					__( 'The changes that one %1$s made in %2$s are not known, so no events were made of them: the table has more than %3$s rows or cannot be read, and the statement does not say which of them it writes.', 'posthorn' ),
					strtoupper( $this->statement['verb'] ),
					$this->table->name,
					number_format_i18n( self::MOST_ROWS_COMPARED )
				)
			),
			true
		);
	}
}
