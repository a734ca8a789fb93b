<?php
/**
 * What the CRM logs as activities, as messages, calls and automations.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** What a column or a key of JSON is called that holds something nobody else may know. */
const POSTHORN_CRM_SECRET = '/pass(word|wd|phrase)?($|_)|secret|token|nonce|api_?key|private|credential|authori[sz]ation|cookie/i';

/**
 * The events of an activity that was logged.
 *
 * @param Posthorn_Crm_Table $table   Its table.
 * @param array              $row     The row.
 * @param array              $context The event's context.
 * @return array[] None or one list of event, data, context.
 */
function posthorn_crm_events_of_activity( Posthorn_Crm_Table $table, array $row, array $context ): array {
	// The newer name of the column first; one CRM writes both.
	foreach ( array( 'type', 'action' ) as $column ) {
		$type  = posthorn_crm_slug( $row[ $column ] ?? '' );
		$event = $table->events()[ $type ] ?? null;
		if ( null !== $event ) {
			$data = posthorn_crm_without_secrets( posthorn_crm_typed( $table, $row ) );
			return posthorn_crm_named( $table, $type, 'form_submission' === $type ? $data : posthorn_crm_activity( $event, $data ), $context );
		}
	}
	return array();
}

/**
 * An activity as the record that its event is about: the row, with what a receiver looks for under the names it has in
 * the catalogue. What is not a column stands in the activity's `meta`, from where it is lifted.
 *
 * @param string $event The event.
 * @param array  $data  The row, typed and without secrets.
 */
function posthorn_crm_activity( string $event, array $data ): array {
	$meta         = posthorn_crm_meta( $data['meta'] ?? null );
	list( $kind ) = explode( '.', $event );
	$named        = array( "{$kind}_id" => $data['activity_id'] ?? null );
	if ( isset( $data['user_id'] ) ) {
		$named['agent_id'] = $data['user_id'];
	}
	if ( str_contains( $event, 'sms' ) ) {
		$named['text'] = $data['message'] ?? '';
	}
	if ( 'workflow' === $kind ) {
		$named['workflow_id'] = $meta['automation_id'] ?? $named['workflow_id'];
		$named['name']        = $data['subject'] ?? '';
	}
	foreach ( array( 'to', 'from', 'direction', 'duration', 'recording_url', 'url', 'reason', 'step', 'error', 'name' ) as $key ) {
		if ( is_scalar( $meta[ $key ] ?? null ) ) {
			$named[ $key ] = $meta[ $key ];
		}
	}
	return $named + $data;
}

/**
 * Data without what a log may hold that nobody else may know.
 *
 * @param array $data Any.
 */
function posthorn_crm_without_secrets( array $data ): array {
	foreach ( $data as $key => $value ) {
		if ( is_string( $key ) && 1 === preg_match( POSTHORN_CRM_SECRET, $key ) ) {
			unset( $data[ $key ] );
		} elseif ( is_array( $value ) || $value instanceof stdClass ) {
			$clean        = posthorn_crm_without_secrets( (array) $value );
			$data[ $key ] = is_array( $value ) ? $clean : (object) $clean;
		}
	}
	return $data;
}
