<?php
/**
 * The stages that deals had before this request changed them.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Remembers stage and status of every deal, once, before the first statement of a request that may change one.
 *
 * The CRM's action may tell nothing but an id, and by then the old stage is overwritten. So it is read beforehand.
 * What this does not see: changes made outside $wpdb, changes that no action announces (they show with the deal's next
 * one), and sites with more than 20,000 deals, where only the old row counts that an action may hand over.
 */
final class Posthorn_Crm_Stages {

	/** Reading more than this would be felt by the page. */
	private const MOST_DEALS = 20000;

	/**
	 * What is known: deal => columns.
	 *
	 * @var array<int,array<string,string|null>>
	 */
	private array $known = array();

	/**
	 * Whether the table was read.
	 *
	 * @var bool
	 */
	private bool $read = false;

	/**
	 * Reads the stages, unless that was done.
	 */
	public function remember(): void {
		if ( $this->read ) {
			return;
		}
		$this->read = true; // First, as reading passes the same filter.
		$columns    = array_intersect( array( 'deal_id', 'deal_stage', 'stage', 'deal_status', 'status' ), array_keys( posthorn_crm_columns( 'deal' ) ) );
		if ( ! in_array( 'deal_id', $columns, true ) ) {
			return;
		}
		$names = '`' . implode( '`,`', $columns ) . '`';
		$table = posthorn_crm_table( 'deal' );
		$rows  = posthorn_crm_quietly(
			static function ( wpdb $db ) use ( $names, $table ) {
				// phpcs:ignore WordPress.DB -- Names from the table's own description.
				return $db->get_results( "SELECT $names FROM `$table` LIMIT " . ( self::MOST_DEALS + 1 ), ARRAY_A );
			}
		);
		if ( ! is_array( $rows ) || count( $rows ) > self::MOST_DEALS ) {
			return;
		}
		foreach ( $rows as $row ) {
			// Deals that this request inserted are known better already.
			$this->known[ (int) $row['deal_id'] ] ??= $row;
		}
	}

	/**
	 * The columns that a deal had when it was last seen; null if it was not.
	 *
	 * @param int $deal The deal.
	 * @return array<string,string|null>|null
	 */
	public function before( int $deal ): ?array {
		return $this->known[ $deal ] ?? null;
	}

	/**
	 * Notes what a deal has now.
	 *
	 * @param int   $deal The deal.
	 * @param array $row  Its row.
	 */
	public function note( int $deal, array $row ): void {
		$this->known[ $deal ] = array_intersect_key( $row, array_flip( array( 'deal_stage', 'stage', 'deal_status', 'status' ) ) );
	}
}
