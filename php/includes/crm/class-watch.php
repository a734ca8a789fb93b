<?php
/**
 * Follows a request from statement to statement.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * What the statement that runs now writes, what waits to be handed over, and whether it may be.
 *
 * The filter `query` comes before a statement only. What the statement did is seen at the next one, at an action or at
 * the end of the request.
 */
final class Posthorn_Crm_Watch {

	/** How often a hand-over is repeated for what was written during it. */
	private const MOST_ROUNDS = 10;

	/**
	 * What read_statement() says of the statement that runs now; null if it is of no interest.
	 *
	 * @var array|null
	 */
	private ?array $running = null;

	/**
	 * What the statement that runs now, or ran last, writes.
	 *
	 * @var Posthorn_Crm_Write[]
	 */
	private array $writes = array();

	/**
	 * The pairs of rows that the COMMIT that runs now makes good.
	 *
	 * @var array[]
	 */
	private array $committing = array();

	/**
	 * The changes that wait.
	 *
	 * @var Posthorn_Crm_Changes
	 */
	private Posthorn_Crm_Changes $changes;

	/**
	 * Whether they can still be taken back.
	 *
	 * @var Posthorn_Crm_Transaction
	 */
	private Posthorn_Crm_Transaction $transaction;

	/**
	 * Whether the end of the request was reached; code that runs later still may write.
	 *
	 * @var bool
	 */
	private bool $ended = false;

	/**
	 * Starts with nothing.
	 */
	public function __construct() {
		$this->changes     = new Posthorn_Crm_Changes();
		$this->transaction = new Posthorn_Crm_Transaction();
	}

	/**
	 * A statement is about to run.
	 *
	 * @param array|null $statement What read_statement() says of it; null if it is of no interest.
	 */
	public function before( ?array $statement ): void {
		if ( null === $statement && null === $this->running ) {
			return;
		}
		posthorn_crm_preserving(
			function () use ( $statement ): void {
				$this->ran();
				if ( null === $statement ) {
					return;
				}
				$this->note();
				if ( ! empty( $statement['implicit'] ) ) {
					Posthorn_Crm_Table::forget_descriptions();
				}
				try {
					$this->prepare( $statement );
				} finally {
					// Whatever went wrong, a COMMIT is one.
					$this->running = $statement;
				}
				if ( $this->ended ) {
					register_shutdown_function( 'posthorn_crm_end' );
				}
			}
		);
	}

	/**
	 * Does what has to be done before a statement runs.
	 *
	 * @param array $statement What read_statement() says of it.
	 */
	private function prepare( array $statement ): void {
		if ( ! $this->transaction->is_open() && $this->transaction->takes_back( $statement ) ) {
			$this->hand_over();
		} elseif ( $this->transaction->commits( $statement ) ) {
			$this->before_commit();
		}
		if ( isset( $statement['table'] ) ) {
			$this->before_write( $statement );
		}
	}

	/**
	 * An action has told of a row; ran() was called.
	 *
	 * @param Posthorn_Crm_Table $table  The row's table.
	 * @param int                $key    Its key.
	 * @param string             $change One of the changes of the contract's actions.
	 * @param array              $row    What the action handed over.
	 */
	public function heard( Posthorn_Crm_Table $table, int $key, string $change, array $row ): void {
		$this->note();
		$this->changes->hint( $table, $key, $change, $row );
		$this->hand_over();
	}

	/**
	 * The request ends. A transaction that is still open is rolled back by the database.
	 */
	public function end(): void {
		$this->ended = true;
		posthorn_crm_preserving(
			function (): void {
				$this->ran();
				$this->note();
				$this->transaction->check();
				$this->hand_over();
				$this->changes->forget();
			}
		);
	}

	/**
	 * Takes down what the last statement did, without asking the database anything. To be called before anything is asked,
	 * as the database then tells of that. A filter that sees an event of it may have run statements of its own.
	 */
	public function ran(): void {
		while ( null !== $this->running ) {
			$statement     = $this->running;
			$this->running = null;
			$this->has_run( $statement );
		}
	}

	/**
	 * Takes down what a statement did.
	 *
	 * @param array $statement What read_statement() says of it.
	 */
	private function has_run( array $statement ): void {
		global $wpdb;
		foreach ( $this->writes as $write ) {
			$write->ran();
		}
		// DDL commits even if it then fails.
		if ( '' !== (string) $wpdb->last_error && empty( $statement['implicit'] ) ) {
			if ( $this->transaction->was_lost() ) {
				$this->writes = array();
				$this->changes->clear();
			}
			$this->committing = array();
			return;
		}
		if ( $this->transaction->takes_back( $statement ) ) {
			$this->changes->clear();
		} elseif ( $this->transaction->commits( $statement ) ) {
			$this->changes->clear();
			posthorn_crm_announce( $this->committing, $this->changes );
		}
		$this->committing = array();
		$this->transaction->ran( $statement );
	}

	/**
	 * Adds what the last statement wrote to the changes.
	 */
	private function note(): void {
		$writes       = $this->writes;
		$this->writes = array();
		foreach ( $writes as $write ) {
			$rows = $write->rows_before();
			// Which rows an INSERT of given keys writes shows only now.
			if ( ! $this->changes->contain( $write->table, array_keys( $rows ) ) ) {
				$this->hand_over();
			}
			foreach ( $rows as $key => $before ) {
				$this->changes->note( $write->table, $key, $before );
			}
		}
	}

	/**
	 * Reads what a statement will write; what another one wrote before is then handed over.
	 *
	 * @param array $statement What read_statement() says of it.
	 */
	private function before_write( array $statement ): void {
		$writes = array();
		foreach ( array( $statement, ...$statement['also'] ?? array() ) as $part ) {
			$writes[] = Posthorn_Crm_Write::begin( $part );
		}
		$writes = array_filter( $writes );
		foreach ( $writes as $write ) {
			if ( $write->goes_beyond( $this->changes ) ) {
				$this->hand_over();
				break;
			}
		}
		$this->writes = $writes;
	}

	/**
	 * What has been written is about to become good. Its rows are read as this transaction sees them; they are handed
	 * over when that has worked.
	 */
	private function before_commit(): void {
		if ( ! $this->transaction->is_open() ) {
			$this->hand_over();
			return;
		}
		$this->committing = posthorn_crm_pairs_to_commit( $this->changes );
	}

	/**
	 * Hands over what waits, unless it can still be taken back; also what filters write when they see its events. One that
	 * writes a row for every event of a row is not followed for ever.
	 */
	private function hand_over(): void {
		for ( $round = 0; $round < self::MOST_ROUNDS && ! $this->transaction->is_open() && $this->changes->waiting(); $round++ ) {
			posthorn_crm_hand_over( $this->changes );
			$this->ran();
			$this->note();
		}
	}
}
