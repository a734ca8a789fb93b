<?php
/**
 * From the CRM's actions to events. One event per action; a deal that is moved to its end gives two.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/rows.php';
require_once __DIR__ . '/class-stages.php';

/**
 * Hears every action of posthorn_crm_actions().
 *
 * What an action hands over is not documented: it may be the id, the id and data, the id, data and the row as it was,
 * or the row as object or array. Only the id is believed; the row is read afresh.
 *
 * @param mixed ...$arguments What the action handed over.
 * @throws UnexpectedValueException Caught here: the action names no row.
 */
function posthorn_crm_heard( ...$arguments ): void {
	try {
		$heard = posthorn_crm_actions()[ current_action() ] ?? null;
		if ( null === $heard || ! posthorn_has_receiver() ) {
			return;
		}
		list( $record, $event ) = $heard;
		$id                     = posthorn_crm_id( $record, $arguments[0] ?? null );
		if ( null === $id ) {
			/* translators: %s: name of an action. */
			throw new UnexpectedValueException( sprintf( __( 'The CRM announced %s without naming a row, so no event was made of it.', 'posthorn' ), current_action() ) );
		}
		$row = posthorn_crm_read( $record, $id ) ?? posthorn_crm_row_in( $record, $id, $arguments );
		posthorn_crm_announce( $record, $event, $id, $row, $arguments );
	} catch ( \Throwable $error ) {
		posthorn_report( $error, true );
	}
}

/**
 * Dispatches what an action means.
 *
 * @param string $record    Record name.
 * @param string $event     The event, or `deal changed`, `activity recorded`.
 * @param int    $id        The row's key.
 * @param array  $row       The row as it is now.
 * @param array  $arguments What the action handed over.
 */
function posthorn_crm_announce( string $record, string $event, int $id, array $row, array $arguments ): void {
	switch ( $event ) {
		case 'deal changed':
			posthorn_crm_deal_changed( $id, $row, $arguments );
			return;
		case 'activity recorded':
			if ( 'form_submission' === ( $row['type'] ?? $row['action'] ?? '' ) ) {
				// In order with the other events of the contact who filled in the form.
				$contact = (int) ( $row['contact_id'] ?? 0 );
				posthorn_dispatch( 'form_submitted', $row, array( 'record' => $contact ? "contact:$contact" : "activity:$id" ) );
			}
			return;
		case 'deal.created':
			posthorn_crm_stages()->note( $id, $row );
			break;
	}
	posthorn_dispatch( $event, $row, array( 'record' => "$record:$id" ) );
}

/**
 * A deal was written. An event follows only if its stage, or whether it is won or lost, is another than before.
 *
 * @param int   $id        The deal.
 * @param array $row       The row as it is now.
 * @param array $arguments What the action handed over.
 */
function posthorn_crm_deal_changed( int $id, array $row, array $arguments ): void {
	$before = posthorn_crm_stages()->before( $id ) ?? posthorn_crm_old_row( $arguments );
	posthorn_crm_stages()->note( $id, $row );
	if ( null === $before ) {
		return;
	}
	$previous = array();
	foreach ( array( 'deal_stage', 'stage', 'deal_status', 'status' ) as $column ) {
		if ( isset( $before[ $column ], $row[ $column ] ) && (string) $before[ $column ] !== (string) $row[ $column ] ) {
			$previous[ $column ] = $before[ $column ];
		}
	}
	$context = array(
		'record'   => "deal:$id",
		'previous' => $previous,
		'changes'  => array_keys( $previous ),
	);
	$was     = posthorn_crm_deal_stage( $before );
	if ( null !== $was && posthorn_crm_deal_stage( $row ) !== $was ) {
		posthorn_dispatch( 'deal.stage_changed', $row, $context );
	}
	$outcome = posthorn_crm_deal_outcome( $row );
	if ( 'open' !== $outcome && posthorn_crm_deal_outcome( $before ) !== $outcome ) {
		posthorn_dispatch( "deal.$outcome", $row, $context );
	}
}

/**
 * The stages of the current site's deals.
 */
function posthorn_crm_stages(): Posthorn_Crm_Stages {
	static $stages                            = array();
	return $stages[ get_current_blog_id() ] ??= new Posthorn_Crm_Stages();
}
