<?php
/**
 * Pairs the row before with the row after.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The rows that were written and whose events are still to be made.
 *
 * Two writes to a row are one change, from the first row before to the last row after. The row after is read when the
 * change is taken, so what was undone in between, also by ROLLBACK TO a savepoint, is no change.
 */
final class Posthorn_Crm_Changes {

	/**
	 * In the order of the first writes: name => table, key, packed row before the first and before the last write, hint.
	 *
	 * @var array<string,array{0:Posthorn_Crm_Table,1:int,2:?string,3:?string,4:string}>
	 */
	private array $waiting = array();

	/**
	 * Rows whose completion this request has announced, by name.
	 *
	 * @var array<string,bool>
	 */
	private array $completed = array();

	/**
	 * Tables that this request has written through $wpdb: an action about one of their rows tells nothing that is not known.
	 *
	 * @var array<string,bool>
	 */
	private array $tables = array();

	/**
	 * Notes that a statement will write a table.
	 *
	 * @param Posthorn_Crm_Table $table The table.
	 */
	public function will_write( Posthorn_Crm_Table $table ): void {
		$this->tables[ $table->name ] = true;
	}

	/**
	 * Notes a row that was written.
	 *
	 * @param Posthorn_Crm_Table $table  Its table.
	 * @param int                $key    Its key.
	 * @param string|null        $before The packed row before; null if it was not there.
	 */
	public function note( Posthorn_Crm_Table $table, int $key, ?string $before ): void {
		$name                     = self::name( $table, $key );
		$this->waiting[ $name ] ??= array( $table, $key, $before, $before, '' );
		// One that is gone now was last this.
		$this->waiting[ $name ][3] = $before;
	}

	/**
	 * Notes what an action says of a row: it decides where the columns do not.
	 *
	 * @param Posthorn_Crm_Table $table  The row's table.
	 * @param int                $key    Its key.
	 * @param string             $change One of the changes of the contract's actions.
	 * @param array              $row    What the action handed over; used only if the row was never seen.
	 */
	public function hint( Posthorn_Crm_Table $table, int $key, string $change, array $row ): void {
		$name         = self::name( $table, $key );
		$is_completed = 'completed' === $change && ! isset( $this->completed[ $name ] );
		if ( isset( $this->waiting[ $name ] ) ) {
			if ( $is_completed ) {
				$this->waiting[ $name ][4] = $change;
			}
		} elseif ( $is_completed || ! isset( $this->tables[ $table->name ] ) ) {
			// Written past $wpdb, or before the plugin was there.
			$told                   = 'deleted' === $change ? posthorn_crm_pack( $row ) : null;
			$this->waiting[ $name ] = array( $table, $key, $told, $told, "announced $change" );
		}
	}

	/**
	 * Notes that the event of a completion was made.
	 *
	 * @param Posthorn_Crm_Table $table The row's table.
	 * @param int                $key   Its key.
	 */
	public function was_completed( Posthorn_Crm_Table $table, int $key ): void {
		$this->completed[ self::name( $table, $key ) ] = true;
	}

	/**
	 * Whether all of these rows are waiting already, so that another write to them continues the same changes.
	 *
	 * @param Posthorn_Crm_Table $table The table.
	 * @param int[]              $keys  The rows.
	 */
	public function contain( Posthorn_Crm_Table $table, array $keys ): bool {
		foreach ( $keys as $key ) {
			if ( ! isset( $this->waiting[ self::name( $table, $key ) ] ) ) {
				return false;
			}
		}
		return true;
	}

	/**
	 * The changes that wait.
	 *
	 * @return array<array{0:Posthorn_Crm_Table,1:int,2:?string,3:?string,4:string}>
	 */
	public function waiting(): array {
		return array_values( $this->waiting );
	}

	/**
	 * Lets changes wait again that could not be handed over.
	 *
	 * @param array[] $changes From waiting().
	 */
	public function put_back( array $changes ): void {
		foreach ( $changes as $change ) {
			$this->waiting[ self::name( $change[0], $change[1] ) ] ??= $change;
		}
	}

	/**
	 * Forgets the changes that wait: they were handed over, or rolled back.
	 */
	public function clear(): void {
		$this->waiting = array();
	}

	/**
	 * Forgets everything: the request is over.
	 */
	public function forget(): void {
		$this->waiting   = array();
		$this->completed = array();
		$this->tables    = array();
	}

	/**
	 * A row's name.
	 *
	 * @param Posthorn_Crm_Table $table Its table.
	 * @param int                $key   Its key.
	 */
	private static function name( Posthorn_Crm_Table $table, int $key ): string {
		return "$table->name:$key";
	}
}
