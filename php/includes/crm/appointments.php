<?php
/**
 * Enquiries that ask for a tour, as appointments.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The events of the appointment that an enquiry is.
 *
 * @param Posthorn_Crm_Table $table   The row's table.
 * @param array|null         $old     The row before; null if it was not there.
 * @param array              $new     The row after.
 * @param array              $context The events' context.
 * @return array[] Lists of event, data, context.
 */
function posthorn_crm_events_of_appointment( Posthorn_Crm_Table $table, ?array $old, array $new, array $context ): array {
	if ( 'enquiry' !== $table->record || ! posthorn_crm_is_tour( $new ) ) {
		return array();
	}
	$data = posthorn_crm_appointment( posthorn_crm_typed( $table, $new ) );
	if ( null === $old || ! posthorn_crm_is_tour( $old ) ) {
		return posthorn_crm_named( $table, 'scheduled', $data, $context );
	}
	$before   = posthorn_crm_appointment( posthorn_crm_typed( $table, $old ) );
	$previous = array_filter( $before, static fn( $value, string $key ): bool => $value !== $data[ $key ], ARRAY_FILTER_USE_BOTH );
	$context += array(
		'previous' => $previous,
		'changes'  => array_keys( $previous ),
	);
	$events   = array();
	if ( isset( $data['starts_at'] ) && array_key_exists( 'starts_at', $previous ) ) {
		$events = posthorn_crm_named( $table, 'rescheduled', $data, $context );
	}
	$ends = array(
		'canceled'  => 'cancelled',
		'cancelled' => 'cancelled',
		'completed' => 'completed',
		'done'      => 'completed',
	);
	$end  = $ends[ posthorn_crm_slug( $data['status'] ) ] ?? null;
	if ( null !== $end && ( $ends[ posthorn_crm_slug( $before['status'] ) ] ?? null ) !== $end ) {
		array_push( $events, ...posthorn_crm_named( $table, $end, $data, $context ) );
	}
	return $events;
}

/**
 * Whether an enquiry asks for a tour.
 *
 * @param array $enquiry A row.
 */
function posthorn_crm_is_tour( array $enquiry ): bool {
	return 'schedule_tour' === posthorn_crm_slug( $enquiry['enquiry_type'] ?? '' );
}

/**
 * An enquiry as an appointment.
 *
 * @param array $enquiry A row, typed.
 * @return array{appointment_id:mixed,contact_id:mixed,property_id:mixed,type:string,starts_at:?string,status:string,message:string}
 */
function posthorn_crm_appointment( array $enquiry ): array {
	return array(
		'appointment_id' => $enquiry['enquiry_id'] ?? null,
		'contact_id'     => $enquiry['contact_id'] ?? null,
		'property_id'    => $enquiry['property_id'] ?? null,
		'type'           => 'Tour',
		'starts_at'      => posthorn_crm_tour_time( posthorn_crm_meta( $enquiry['enquiry_meta'] ?? null ) ),
		'status'         => (string) ( $enquiry['enquiry_status'] ?? '' ),
		'message'        => (string) ( $enquiry['enquiry_message'] ?? '' ),
	);
}

/**
 * When a tour is to be. How the CRM names that in an enquiry's meta is not documented, so what is called a date or a time
 * is taken for it.
 *
 * @param array $meta An enquiry's meta.
 * @return string|null ISO 8601, UTC; null if it says none.
 */
function posthorn_crm_tour_time( array $meta ): ?string {
	$parts = array();
	foreach ( array( 'date', 'time' ) as $what ) {
		foreach ( $meta as $key => $value ) {
			if ( ! isset( $parts[ $what ] ) && is_string( $value ) && '' !== trim( $value ) && preg_match( "/(^|_|tour|schedule)$what$/i", (string) $key ) ) {
				$parts[ $what ] = trim( $value );
			}
		}
	}
	if ( ! isset( $parts['date'] ) ) {
		return null;
	}
	$time = date_create_immutable( implode( ' ', $parts ), wp_timezone() );
	return $time ? gmdate( 'Y-m-d\TH:i:s\Z', $time->getTimestamp() ) : null;
}
