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
				try {
					$this->prepare( $statement );
				} finally {
					// Whatever went wrong, a COMMIT is one.
					$this->running = $statement;
				}
				if ( posthorn_crm_has_ended() ) {
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
		if ( $this->transaction->takes_back( $statement ) ) {
			$this->hand_over( ! $this->transaction->is_really_open() );
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
	 * Hands over what waits: the request may end at any moment.
	 */
	public function hand_over_now(): void {
		posthorn_crm_preserving(
			function (): void {
				$this->ran();
				$this->note();
				$this->hand_over();
			}
		);
	}

	/**
	 * The request ends. A transaction that is still open is rolled back by the database.
	 */
	public function end(): void {
		posthorn_crm_preserving(
			function (): void {
				$this->ran();
				$this->note();
				$this->hand_over( ! $this->transaction->is_really_open() );
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
		foreach ( $this->writes as $write ) {
			$write->ran();
		}
		if ( ! empty( $statement['implicit'] ) ) {
			Posthorn_Crm_Table::forget_descriptions();
		}
		$committing       = $this->committing;
		$this->committing = array();
		$takes_back       = $this->transaction->takes_back( $statement );
		$commits          = $this->transaction->commits( $statement );
		if ( ! $takes_back && ! $commits ) {
			if ( $this->transaction->was_lost() ) {
				$this->writes = array();
				$this->changes->clear();
			}
			$this->transaction->ran( $statement );
			return;
		}
		if ( ! $this->transaction->has_worked( $statement ) ) {
			return;
		}
		$this->changes->clear();
		$this->transaction->ran( $statement );
		if ( $commits ) {
			posthorn_crm_announce( $committing, $this->changes );
		}
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
			$this->changes->will_write( $write->table );
		}
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
	 *
	 * @param bool $is_certain Optional. Whether it is known that it cannot.
	 */
	private function hand_over( bool $is_certain = false ): void {
		for ( $round = 0; $round < self::MOST_ROUNDS && ( $is_certain || ! $this->transaction->is_open() ) && $this->changes->waiting(); $round++ ) {
			posthorn_crm_hand_over( $this->changes );
			$this->ran();
			$this->note();
		}
	}
}
