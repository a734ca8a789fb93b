<?php
/**
 * Firing an event at somebody's word, at the doors that are asked from outside: there, whoever asks is told what became of it.
 * Code inside WordPress calls posthorn_dispatch(), which never fails.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/catalogue.php';
require_once __DIR__ . '/deliveries.php';

/** What of an event's context whoever fires it may say; the rest is known. */
const POSTHORN_FIRED_CONTEXT = array( 'record', 'previous', 'changes', 'occurred_at' );

/**
 * Accepts an event, which is then sent to every endpoint of the current site that wants it.
 *
 * @param string $event   A name of the catalogue, or one that another system has for it.
 * @param array  $data    The record as it is now.
 * @param array  $context Optional. Any of POSTHORN_FIRED_CONTEXT, see posthorn_dispatch().
 * @return array|WP_Error `event_id`; `event`, its name in the catalogue; `deliveries`: to how many endpoints it goes.
 *                        `posthorn_not_found` for a name that is none, `posthorn_conflict` if nothing was accepted because of how
 *                        the site is set up.
 * @throws \Posthorn\Exception When a value is wrong or the queue cannot be used.
 * @throws RuntimeException    While it is not known whether the site is a copy.
 */
function posthorn_fire( string $event, array $data, array $context = array() ) {
	$entry = posthorn_client_event( $event );
	if ( null === $entry ) {
		/* translators: %s: what was given. */
		return new WP_Error( 'posthorn_not_found', sprintf( __( 'The catalogue has no event “%s”.', 'posthorn' ), $event ), array( 'status' => 404 ) );
	}
	if ( 'test' === $entry['name'] ) {
		throw new InvalidArgumentException( __( 'name: a test is not an event of the site. Test a webhook instead, with whatever event it is to be.', 'posthorn' ) ); // phpcs:ignore WordPress.Security.EscapeOutput -- No page shows it.
	}
	if ( posthorn_is_held() ) {
		throw posthorn_guard_error();
	}
	if ( ! posthorn_has_receiver() ) {
		return new WP_Error( 'posthorn_conflict', __( 'Nothing was accepted: no webhook is switched on.', 'posthorn' ), array( 'status' => 409 ) );
	}
	$sent = posthorn_event_to_send( $entry['name'], $data, array_intersect_key( array_filter( $context, static fn( $value ): bool => null !== $value ), array_flip( POSTHORN_FIRED_CONTEXT ) ) );
	if ( null === $sent ) {
		return new WP_Error( 'posthorn_conflict', __( 'Nothing was accepted: the filter posthorn_should_dispatch of this site keeps it back.', 'posthorn' ), array( 'status' => 409 ) );
	}
	posthorn_hand_over_if_needed();
	$id = posthorn_client_dispatch( ...$sent );
	return array(
		'event_id'   => $id,
		'event'      => $entry['name'],
		'deliveries' => posthorn_count_deliveries( array( 'event_id' => $id ) ),
	);
}
