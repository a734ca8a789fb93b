<?php
/**
 * What every door does with deliveries: list them, send them again, cancel them. Always those of the current site.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** What of a delivery can be asked for, beside the site. */
const POSTHORN_DELIVERY_FILTERS = array( 'id', 'event_id', 'event', 'record', 'endpoint', 'state', 'since', 'until' );

/** Beyond so many, a list is gone through with `before`: pages by number are counted off from the newest. */
const POSTHORN_MOST_COUNTED_OFF = 10000;

/** The queue gives so many at once. */
const POSTHORN_MOST_DELIVERIES = 1000;

/**
 * What is asked for, without what was left empty.
 *
 * @param array $given Any values; those with other keys than POSTHORN_DELIVERY_FILTERS are left out.
 * @return array A filter as the extension takes it.
 */
function posthorn_delivery_filter( array $given ): array {
	$known = array_intersect_key( $given, array_flip( POSTHORN_DELIVERY_FILTERS ) );
	return array_filter( $known, static fn( $value ) => null !== $value && '' !== $value );
}

/**
 * How many deliveries of the current site a filter selects.
 *
 * @param array $filter A filter.
 */
function posthorn_count_deliveries( array $filter ): int {
	return posthorn_queue()->count( array( 'site' => posthorn_site_key() ) + $filter );
}

/**
 * A page of a list, the newest first.
 *
 * @param array $filter   A filter.
 * @param int   $page     From 1 on.
 * @param int   $per_page How many are on a page, from 1 on.
 * @return array[] Deliveries.
 * @throws InvalidArgumentException When the page is too far from the newest; the message names the remedy.
 */
function posthorn_page_of_deliveries( array $filter, int $page, int $per_page ): array {
	$skip = ( $page - 1 ) * $per_page;
	if ( $skip + $per_page > POSTHORN_MOST_COUNTED_OFF ) {
		/* translators: 1: the number of a page, 2: a number of deliveries. */
		throw new InvalidArgumentException( sprintf( __( 'page: %1$s is beyond the newest %2$s deliveries. Go on with “before”: the id of the last delivery of the page before.', 'posthorn' ), $page, POSTHORN_MOST_COUNTED_OFF ) ); // phpcs:ignore WordPress.Security.EscapeOutput -- No page shows it.
	}
	while ( $skip >= POSTHORN_MOST_DELIVERIES ) {
		$passed = posthorn_client_deliveries( array( 'limit' => POSTHORN_MOST_DELIVERIES ) + $filter );
		if ( count( $passed ) < POSTHORN_MOST_DELIVERIES ) {
			return array();
		}
		$filter['before'] = end( $passed )['id'];
		$skip            -= POSTHORN_MOST_DELIVERIES;
	}
	$wanted = min( $skip + $per_page, POSTHORN_MOST_DELIVERIES );
	$found  = array_slice( posthorn_client_deliveries( array( 'limit' => $wanted ) + $filter ), $skip );
	if ( $skip + $per_page > $wanted && array() !== $found ) {
		$filter['before'] = end( $found )['id'];
		array_push( $found, ...posthorn_client_deliveries( array( 'limit' => $skip + $per_page - $wanted ) + $filter ) );
	}
	return $found;
}

/**
 * Sends settled deliveries again: dead ones; delivered or cancelled ones too if the filter names their `state` or an `id`.
 *
 * @param array $filter A filter, with a `limit` at most so many of the newest.
 * @return int How many wait again.
 * @throws InvalidArgumentException When the filter selects everything.
 * @throws \Posthorn\Exception      When a value is wrong or the queue cannot be used.
 */
function posthorn_replay( array $filter ): int {
	posthorn_require_selection( $filter );
	return posthorn_queue()->replay( array( 'site' => posthorn_site_key() ) + $filter );
}

/**
 * Ends deliveries that wait. A request that is under way may still arrive.
 *
 * @param array $filter A filter, with a `limit` at most so many of the newest.
 * @return int How many were cancelled.
 * @throws InvalidArgumentException When the filter selects everything.
 * @throws \Posthorn\Exception      When a value is wrong or the queue cannot be used.
 */
function posthorn_cancel( array $filter ): int {
	posthorn_require_selection( $filter );
	return posthorn_queue()->cancel( array( 'site' => posthorn_site_key() ) + $filter );
}

/**
 * Refuses a filter that names nothing: the site is always added, so the extension would take it for a choice.
 *
 * @param array $filter A filter.
 * @throws InvalidArgumentException When it selects everything.
 */
function posthorn_require_selection( array $filter ): void {
	if ( array() === posthorn_delivery_filter( $filter ) ) {
		/* translators: %s: names of arguments. */
		throw new InvalidArgumentException( sprintf( __( 'Nothing was named, which would mean every delivery. Name at least one of %s.', 'posthorn' ), implode( ', ', POSTHORN_DELIVERY_FILTERS ) ) ); // phpcs:ignore WordPress.Security.EscapeOutput -- No page shows it.
	}
}
