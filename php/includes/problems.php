<?php
/**
 * What went wrong on Posthorn's side: logged with its cause, kept for the owner with its remedy.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** The option that holds the last problem: message, time (Unix seconds), how many events were not accepted. */
const POSTHORN_PROBLEM_OPTION = 'posthorn_problem';

/** The same problem is logged again after this long. */
const POSTHORN_LOG_AGAIN_S = 60;

/**
 * Notes a problem. Nothing is written before the request's end: a query here would change what the CRM reads from $wpdb.
 *
 * @param \Throwable $error      What happened.
 * @param bool       $event_lost Whether an event was not accepted because of it.
 */
function posthorn_report( \Throwable $error, bool $event_lost ): void {
	$problems             = &posthorn_problems();
	$problems['message']  = $error->getMessage();
	$problems['lost']    += $event_lost ? 1 : 0;
	$problems['reported'] = true;
}

/**
 * The problems of this request.
 *
 * @return array{message:string,lost:int,reported:bool}
 */
function &posthorn_problems(): array {
	static $problems = array(
		'message'  => '',
		'lost'     => 0,
		'reported' => false,
	);
	return $problems;
}

/**
 * At the request's end: logs the problem and stores it for the owner.
 */
function posthorn_store_problems(): void {
	$problems = posthorn_problems();
	if ( ! $problems['reported'] ) {
		return;
	}
	$stored = posthorn_stored_problem();
	$again  = null !== $stored && $stored['message'] === $problems['message'] && time() - $stored['time'] < POSTHORN_LOG_AGAIN_S;
	if ( ! $again ) {
		error_log( 'Posthorn: ' . $problems['message'] ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions -- The administrator's log.
	}
	if ( $again && 0 === $problems['lost'] ) {
		return;
	}
	update_option(
		POSTHORN_PROBLEM_OPTION,
		array(
			'message' => $problems['message'],
			'time'    => $again ? $stored['time'] : time(),
			'lost'    => $problems['lost'] + ( $stored['lost'] ?? 0 ),
		),
		false
	);
}

/**
 * The problem that the owner has not dismissed yet.
 *
 * @return array{message:string,time:int,lost:int}|null
 */
function posthorn_stored_problem(): ?array {
	$stored = get_option( POSTHORN_PROBLEM_OPTION );
	return is_array( $stored ) && isset( $stored['message'], $stored['time'], $stored['lost'] ) ? $stored : null;
}
