<?php
/**
 * What went wrong on Posthorn's side: logged with its cause, kept for the owner with its remedy.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** The option that holds the last problem: message, kind, time (Unix seconds), how many events were not accepted. */
const POSTHORN_PROBLEM_OPTION = 'posthorn_problem';

/** The same problem is logged again after this long. */
const POSTHORN_LOG_AGAIN_S = 60;

/** A request notes this many different problems at most. */
const POSTHORN_MOST_MESSAGES = 10;

/**
 * Notes a problem. Nothing is written before the request's end: a query here would change what the CRM reads from $wpdb.
 *
 * @param \Throwable $error      What happened.
 * @param bool       $event_lost Whether an event was not accepted because of it.
 */
function posthorn_report( \Throwable $error, bool $event_lost ): void {
	$problems = &posthorn_problems();
	if ( '' === $problems['message'] ) {
		posthorn_hook_problems();
	}
	$problems['message'] = $error->getMessage();
	$problems['kind']    = posthorn_client_trouble( $error );
	$problems['lost']   += $event_lost ? 1 : 0;
	if ( count( $problems['messages'] ) < POSTHORN_MOST_MESSAGES && ! in_array( $problems['message'], $problems['messages'], true ) ) {
		$problems['messages'][] = $problems['message'];
	}
}

/**
 * The problems of this request: the last, all different ones, and how many events were not accepted.
 *
 * @return array{message:string,kind:string,messages:string[],lost:int}
 */
function &posthorn_problems(): array {
	static $problems = array(
		'message'  => '',
		'kind'     => '',
		'messages' => array(),
		'lost'     => 0,
	);
	return $problems;
}

/**
 * At the request's end: logs the problem and stores it for the owner.
 */
function posthorn_store_problems(): void {
	$problems = posthorn_problems();
	if ( '' === $problems['message'] ) {
		return;
	}
	$stored = posthorn_stored_problem();
	$again  = null !== $stored && $stored['message'] === $problems['message'] && time() - $stored['time'] < POSTHORN_LOG_AGAIN_S;
	foreach ( $again ? array() : $problems['messages'] as $message ) {
		error_log( 'Posthorn: ' . $message ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions -- The administrator's log.
	}
	if ( $again && 0 === $problems['lost'] ) {
		return;
	}
	update_option(
		POSTHORN_PROBLEM_OPTION,
		array(
			'message' => $problems['message'],
			'kind'    => $problems['kind'],
			'time'    => $again ? $stored['time'] : time(),
			'lost'    => $problems['lost'] + ( $stored['lost'] ?? 0 ),
		),
		false
	);
}

/**
 * The problem that the owner has not dismissed yet.
 *
 * @return array{message:string,kind:string,time:int,lost:int}|null
 */
function posthorn_stored_problem(): ?array {
	$stored = get_option( POSTHORN_PROBLEM_OPTION );
	return is_array( $stored ) && isset( $stored['message'], $stored['time'], $stored['lost'] ) ? $stored + array( 'kind' => '' ) : null;
}

/**
 * An error's message as an owner reads it: sizes in KB, MB or GB.
 *
 * @param string $message What the extension said.
 */
function posthorn_readable( string $message ): string {
	$size = static fn( array $found ): string => $found[1] . (string) size_format( (int) $found[2], 1 );
	return preg_replace_callback(
		array( '/()\b(\d{4,}) bytes\b/', '/(\b(?:limit is|takes|limit of) )(\d{4,})\b(?! *(?:s|seconds|ms)\b)/' ),
		$size,
		$message
	) ?? $message;
}

/** The option that holds the names of queue files that were set aside and that the owner has been told of. */
const POSTHORN_SET_ASIDE_SEEN_OPTION = 'posthorn_set_aside_seen';

/**
 * The queue files that were set aside and that the owner has not been told of.
 *
 * @return array[] See posthorn_client_set_aside().
 */
function posthorn_set_aside_unseen(): array {
	$files = posthorn_client_set_aside();
	if ( array() === $files ) {
		return array();
	}
	$seen = (array) get_option( POSTHORN_SET_ASIDE_SEEN_OPTION, array() );
	return array_values( array_filter( $files, static fn( array $file ) => ! in_array( $file['name'], $seen, true ) ) );
}

/**
 * The owner has been told of all that are there now.
 */
function posthorn_set_aside_seen(): void {
	update_option( POSTHORN_SET_ASIDE_SEEN_OPTION, array_column( posthorn_client_set_aside(), 'name' ), false );
}
