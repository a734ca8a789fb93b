<?php
/**
 * The switches: where the CRM's real behaviour is unknown, the stand-in can behave in each possible way.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

const WPESTATE_CRM_SWITCHES = 'wpestate_crm_stand_in';

/**
 * Every switch: its label, what it means, its choices (value → label), the first being the default.
 */
function wpestate_crm_switch_list(): array {
	$on_off = array(
		'off' => 'Off',
		'on'  => 'On',
	);
	return array(
		'arguments'         => array(
			'label'   => 'Arguments of its actions',
			'meaning' => 'What a listener is given with wpestate_crm_after_update_contact and the others.',
			'choices' => array(
				'id'          => 'id',
				'id_data'     => 'id, data',
				'id_data_old' => 'id, data, row before',
				'row_object'  => 'the row as an object',
				'row_array'   => 'the row as an array',
			),
		),
		'announce_deletes'  => array(
			'label'   => 'Actions for deletes',
			'meaning' => 'Fires wpestate_crm_after_delete_contact, _lead, _enquiry, _deal and _task.',
			'choices' => $on_off,
		),
		'announce_leads'    => array(
			'label'   => 'Actions for leads',
			'meaning' => 'Fires wpestate_crm_after_insert_lead and wpestate_crm_after_update_lead.',
			'choices' => $on_off,
		),
		'announce_enquiries' => array(
			'label'   => 'Actions for enquiries',
			'meaning' => 'Fires wpestate_crm_after_insert_enquiry and wpestate_crm_after_update_enquiry.',
			'choices' => $on_off,
		),
		'stage_announces'   => array(
			'label'   => 'Moving a deal fires its action',
			'meaning' => 'wpestate_crm_update_deal_stage(), behind the board, fires wpestate_crm_after_update_deal.',
			'choices' => array(
				'on'  => 'On',
				'off' => 'Off',
			),
		),
		'bulk'              => array(
			'label'   => 'Bulk actions and imports',
			'meaning' => 'Row by row through the single functions, which fire actions; or one SQL statement, which fires none.',
			'choices' => array(
				'loop'      => 'Row by row',
				'statement' => 'One statement',
			),
		),
		'transaction'       => array(
			'label'   => 'Work in a transaction',
			'meaning' => 'START TRANSACTION before it, COMMIT after it.',
			'choices' => array(
				'off' => 'Off',
				'on'  => 'Bulk actions and imports',
				'all' => 'These, forms and deals',
			),
		),
		// Invented from here on, but for its own webhooks: how else a CRM might write its rows.
		'statements'        => array(
			'label'   => 'How single statements are written',
			'meaning' => 'Where bulk actions and imports are one statement each.',
			'choices' => array(
				'plain'    => 'UPDATE … WHERE id IN (…), INSERT … VALUES (…), (…)',
				'comments' => 'The same with comments',
				'join'     => 'UPDATE … JOIN, DELETE … JOIN, INSERT … SELECT',
				'select'   => 'Chosen by a subquery, INSERT … SELECT',
				'replace'  => 'REPLACE',
				'upsert'   => 'INSERT … ON DUPLICATE KEY UPDATE',
			),
		),
		'automations'       => array(
			'label'   => 'Automations',
			'meaning' => 'Its own actions set off more work: a task for a new contact, a note to a deal that was won, a task after a task.',
			'choices' => $on_off,
		),
		'clutter'           => array(
			'label'   => 'Clutter',
			'meaning' => 'Before each single row: a statement that fails, one that matches nothing, one that changes nothing, one that only mentions the table.',
			'choices' => $on_off,
		),
		'native_webhooks'   => array(
			'label'   => 'Its own webhooks',
			'meaning' => 'The CRM’s own module sends as well: a blocking POST in the page, retried through WP-Cron.',
			'choices' => $on_off,
		),
	);
}

/**
 * How a switch is set.
 *
 * @param string $name A key of wpestate_crm_switch_list().
 */
function wpestate_crm_switch( string $name ): string {
	$choices = wpestate_crm_switch_list()[ $name ]['choices'];
	$stored  = get_option( WPESTATE_CRM_SWITCHES, array() );
	$value   = is_array( $stored ) ? (string) ( $stored[ $name ] ?? '' ) : '';
	return isset( $choices[ $value ] ) ? $value : (string) array_key_first( $choices );
}

/**
 * Sets switches; the others keep their value.
 *
 * @param array $values Switch → choice. Unknown ones are an error.
 * @return true|WP_Error
 */
function wpestate_crm_set_switches( array $values ) {
	$list   = wpestate_crm_switch_list();
	$stored = get_option( WPESTATE_CRM_SWITCHES, array() );
	$stored = is_array( $stored ) ? $stored : array();
	foreach ( $values as $name => $value ) {
		if ( ! isset( $list[ $name ]['choices'][ $value ] ) ) {
			return new WP_Error( 'switch', "There is no switch $name = $value." );
		}
		$stored[ $name ] = $value;
	}
	update_option( WPESTATE_CRM_SWITCHES, $stored );
	return true;
}

/**
 * Fires one of the CRM's actions, with its arguments in the shape that is switched on.
 *
 * @param string     $action After which write: `insert_contact`, `update_deal`, …
 * @param int        $id     The row's key.
 * @param array      $data   What was to be written.
 * @param array|null $old    The row before; null for an insert.
 * @param array|null $row    The row as it is now; for a delete, as it was.
 */
function wpestate_crm_announce( string $action, int $id, array $data, ?array $old, ?array $row ): void {
	$hook = "wpestate_crm_after_$action";
	switch ( wpestate_crm_switch( 'arguments' ) ) {
		case 'id':
			do_action( $hook, $id );
			break;
		case 'id_data':
			do_action( $hook, $id, $data );
			break;
		case 'id_data_old':
			do_action( $hook, $id, $data, $old );
			break;
		case 'row_object':
			do_action( $hook, (object) $row );
			break;
		case 'row_array':
			// A single array argument: do_action() passes it as one argument, not as a list of them.
			do_action( $hook, (array) $row );
			break;
	}
}
