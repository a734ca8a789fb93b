<?php
/**
 * What WordPress has changed in this request: what each thing was before its first change, until it is handed over.
 *
 * One save of a property is a dozen writes: its post, its fields, its terms. So what it was is read before the first of
 * them, what it is at the end of the request, and the two are compared. A source is a file that has, for the source called
 * `users`, posthorn_users_look( $id ), which returns a thing as its events carry it, null if it is not there; and
 * posthorn_users_events( $id, $before, $after ), which returns lists of event, data and context.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Things that wait at most, and for how long: an import or a worker may never end. */
const POSTHORN_SOURCE_MOST_WAITING   = 100;
const POSTHORN_SOURCE_LONGEST_WAIT_S = 10;

/**
 * Hears every hook of POSTHORN_SOURCES. Whatever goes wrong here, the site goes on.
 *
 * @param mixed ...$arguments What the hook hands over.
 * @return mixed The first of them, as a filter passes it on.
 */
function posthorn_source_heard( ...$arguments ) {
	foreach ( POSTHORN_SOURCES as $source => $what ) {
		$callback = $what['hooks'][ current_filter() ] ?? null;
		try {
			if ( null === $callback || ! posthorn_source_is_wanted( $source ) ) {
				continue;
			}
			require_once __DIR__ . "/$source.php";
			$callback( ...$arguments );
		} catch ( \Throwable $error ) {
			posthorn_report( $error, true );
		}
	}
	return $arguments[0] ?? null;
}

/**
 * The things that wait: name => site, source, id, what it was before, context, since when (Unix seconds).
 *
 * @return array<string,array{0:int,1:string,2:string,3:?array,4:array,5:int}>
 */
function &posthorn_source_waiting(): array {
	static $waiting = array();
	return $waiting;
}

/**
 * A thing is about to be changed: what it is now is what it was before, unless that is known already.
 *
 * @param string     $source Its source.
 * @param string|int $id     Its id.
 */
function posthorn_source_changes( string $source, $id ): void {
	$waiting = &posthorn_source_waiting();
	$name    = get_current_blog_id() . ":$source:$id";
	if ( isset( $waiting[ $name ] ) || ! posthorn_source_is_wanted( $source ) ) {
		return;
	}
	posthorn_source_wait( $name, $source, (string) $id, "posthorn_{$source}_look"( (string) $id ) );
}

/**
 * A thing has come into being, whatever was written of it in this request before.
 *
 * @param string     $source Its source.
 * @param string|int $id     Its id.
 */
function posthorn_source_began( string $source, $id ): void {
	if ( posthorn_source_is_wanted( $source ) ) {
		posthorn_source_wait( get_current_blog_id() . ":$source:$id", $source, (string) $id, null );
	}
}

/**
 * Whether it is known what a thing was before this request.
 *
 * @param string     $source Its source.
 * @param string|int $id     Its id.
 */
function posthorn_source_waits( string $source, $id ): bool {
	return isset( posthorn_source_waiting()[ get_current_blog_id() . ":$source:$id" ] );
}

/**
 * Whether a receiver of the current site wants to know of a source's things.
 *
 * @param string $source A source.
 */
function posthorn_source_is_wanted( string $source ): bool {
	static $events = array();
	$events[ $source ] ??= preg_grep( '/^' . preg_quote( POSTHORN_SOURCES[ $source ]['events'], '/' ) . '/', array_column( posthorn_client_events(), 'name' ) );
	return posthorn_subscribes( $events[ $source ] );
}

/**
 * Has a thing wait for the end of the request.
 *
 * @param string     $name   What it is called among those that wait.
 * @param string     $source Its source.
 * @param string     $id     Its id.
 * @param array|null $before What it was; null if it was not there.
 */
function posthorn_source_wait( string $name, string $source, string $id, ?array $before ): void {
	static $is_hooked = false;
	$waiting          = &posthorn_source_waiting();
	if ( ! $is_hooked ) {
		$is_hooked = true;
		// First, as a shutdown action of somebody else may exit; and again, for what those change.
		add_action( 'shutdown', 'posthorn_source_hand_over', PHP_INT_MIN );
		add_action( 'shutdown', 'posthorn_source_hand_over', PHP_INT_MAX - 3 );
	}
	if ( $waiting && ! isset( $waiting[ $name ] ) && ( count( $waiting ) >= POSTHORN_SOURCE_MOST_WAITING || time() - reset( $waiting )[5] >= POSTHORN_SOURCE_LONGEST_WAIT_S ) ) {
		posthorn_source_hand_over();
	}
	require_once dirname( __DIR__ ) . '/context.php';
	// Who acts now; at the end of the request that may be nobody.
	$waiting[ $name ] = array( get_current_blog_id(), $source, $id, $before, posthorn_context(), time() );
}

/**
 * Hands over what waits: each thing is compared with what it was.
 */
function posthorn_source_hand_over(): void {
	$waiting = &posthorn_source_waiting();
	$now     = $waiting;
	// Before anything else: what a filter changes meanwhile is a change of its own.
	$waiting = array();
	$events  = array();
	foreach ( $now as list( $site, $source, $id, $before, $context ) ) {
		$switched = get_current_blog_id() !== $site && switch_to_blog( $site );
		try {
			$after = "posthorn_{$source}_look"( $id );
			foreach ( "posthorn_{$source}_events"( $id, $before, $after ) as $event ) {
				if ( posthorn_subscribes( array( $event[0] ) ) ) {
					$events[ $site ][] = array( $event[0], $event[1], $event[2] + $context );
				}
			}
		} catch ( \Throwable $error ) {
			posthorn_report( $error, true );
		} finally {
			if ( $switched ) {
				restore_current_blog();
			}
		}
	}
	foreach ( $events as $site => $list ) {
		$switched = get_current_blog_id() !== $site && switch_to_blog( $site );
		posthorn_dispatch_many( $list );
		if ( $switched ) {
			restore_current_blog();
		}
	}
}

/**
 * What a change was of: the context of its events.
 *
 * @param string $record The record, as `property:412`.
 * @param array  $before What it was.
 * @param array  $after  What it is.
 * @return array{record:string,previous:array,changes:string[]}
 */
function posthorn_source_difference( string $record, array $before, array $after ): array {
	$previous = array();
	foreach ( $before as $field => $value ) {
		if ( $value !== ( $after[ $field ] ?? null ) ) {
			$previous[ $field ] = $value;
		}
	}
	return array(
		'record'   => $record,
		'previous' => $previous,
		'changes'  => array_keys( $previous ),
	);
}
