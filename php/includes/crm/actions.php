<?php
/**
 * Hears the CRM's actions. They are hints: that a row is ready to be handed over, and what became of it.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Hears every action of posthorn_crm_actions().
 *
 * What an action hands over is not documented: it may be the id, the id and data, the id, data and the row as it was,
 * or the row as object or array. Only the id is believed.
 *
 * @param mixed ...$arguments What the action handed over.
 * @throws UnexpectedValueException Caught here: the action names no row.
 */
function posthorn_crm_heard( ...$arguments ): void {
	try {
		$watch = posthorn_crm_watch();
		posthorn_crm_preserving(
			static function () use ( $watch, $arguments ): void {
				$watch->ran();
				list( $record, $change ) = posthorn_crm_actions()[ current_action() ];
				$table                   = Posthorn_Crm_Table::of( $record );
				if ( null === $table || ! $table->is_wanted() ) {
					return;
				}
				$key = posthorn_crm_id( $table, $arguments );
				if ( null === $key ) {
					$watch->hand_over_now();
					/* translators: %s: name of an action. */
					throw new UnexpectedValueException( sprintf( __( 'The CRM announced %s without naming a row; events are made of the rows that it has written.', 'posthorn' ), current_action() ) );
				}
				$watch->heard( $table, $key, $change, posthorn_crm_row_in( $arguments ) );
			}
		);
	} catch ( UnexpectedValueException $error ) {
		posthorn_report( $error, false );
	} catch ( \Throwable $error ) {
		posthorn_report( $error, true );
	}
}

/**
 * The id that an action names: the first of its arguments that is a number, or a row that has the key column.
 *
 * @param Posthorn_Crm_Table $table     The row's table.
 * @param array              $arguments What the action handed over.
 * @return int|null Null if it names none.
 */
function posthorn_crm_id( Posthorn_Crm_Table $table, array $arguments ): ?int {
	foreach ( $arguments as $argument ) {
		if ( is_object( $argument ) && ! $argument instanceof ArrayAccess ) {
			$argument = get_object_vars( $argument );
		}
		if ( ! is_scalar( $argument ) ) {
			$argument = $argument[ $table->key ] ?? $argument['id'] ?? null;
		}
		if ( is_numeric( $argument ) && (int) $argument > 0 ) {
			return (int) $argument;
		}
	}
	return null;
}

/**
 * The row that an action handed over, for one that is gone from its table.
 *
 * @param array $arguments What the action handed over.
 * @return array<string,string|null>
 */
function posthorn_crm_row_in( array $arguments ): array {
	$row = array();
	foreach ( $arguments as $argument ) {
		if ( is_object( $argument ) || is_array( $argument ) ) {
			$row += (array) $argument;
		}
	}
	return array_map( static fn( $value ) => is_scalar( $value ) ? (string) $value : null, $row );
}
