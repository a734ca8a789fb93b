<?php
/**
 * The CRM's own webhooks: what is remembered of them. What the owner decided is one option, what was seen another.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The option with the owner's decisions. Autoloaded: it is read in the middle of the CRM's work, where a query of ours
 * would change what the CRM reads from $wpdb, and it must be as old as the settings that the same request works with.
 */
const POSTHORN_NATIVE_OPTION = 'posthorn_native';

/** The option with what was seen. Not autoloaded: it is written whenever the CRM sends, and read by few pages. */
const POSTHORN_NATIVE_SEEN_OPTION = 'posthorn_native_seen';

/** So many URLs are remembered; a CRM has one or two. */
const POSTHORN_NATIVE_MOST_URLS = 10;

/** A longer URL is let through and not remembered. */
const POSTHORN_NATIVE_LONGEST_URL = 2048;

/** A segment of a URL's path up to this length is shown. */
const POSTHORN_NATIVE_LONGEST_NAME = 12;

/** So many names of events that still go out by themselves are remembered for each URL. */
const POSTHORN_NATIVE_MOST_EVENTS = 20;

/** How often a write is tried again because another request was faster. */
const POSTHORN_NATIVE_WRITE_TRIES = 5;

/**
 * What tells a URL from others: the same for two spellings of one address.
 *
 * @param string $url A URL.
 * @return string 16 hex digits.
 */
function posthorn_native_key( string $url ): string {
	$url   = trim( $url );
	$parts = wp_parse_url( $url );
	if ( is_array( $parts ) && isset( $parts['scheme'], $parts['host'] ) ) {
		$scheme = strtolower( $parts['scheme'] );
		$usual  = 'https' === $scheme ? 443 : 80;
		$port   = ( $parts['port'] ?? $usual ) === $usual ? '' : ":{$parts['port']}";
		$url    = "$scheme://" . strtolower( $parts['host'] ) . $port . ( $parts['path'] ?? '/' ) . ( isset( $parts['query'] ) ? "?{$parts['query']}" : '' );
	}
	return substr( hash( 'sha256', $url ), 0, 16 );
}

/**
 * A URL as it is shown: whoever knows the whole address of a receiver can send to it, so no page repeats it.
 *
 * @param string $url A URL.
 * @return string Host, the beginning of the path, and its last characters if it is long:
 *                `hooks.zapier.com/hooks/…defg`.
 */
function posthorn_native_short_url( string $url ): string {
	$parts = wp_parse_url( $url );
	if ( ! is_array( $parts ) || ! isset( $parts['host'] ) ) {
		return '…';
	}
	$host  = $parts['host'] . ( isset( $parts['port'] ) ? ":{$parts['port']}" : '' );
	$path  = trim( $parts['path'] ?? '', '/' );
	$first = explode( '/', $path )[0];
	if ( $first === $path && strlen( $path ) <= POSTHORN_NATIVE_LONGEST_NAME && ! isset( $parts['query'] ) ) {
		return rtrim( "$host/$path", '/' );
	}
	// A short segment is a name; a long one may be the key itself.
	$first = strlen( $first ) <= POSTHORN_NATIVE_LONGEST_NAME ? "$first/" : substr( $first, 0, 4 );
	return "$host/{$first}…" . ( strlen( $path ) >= 16 ? substr( $path, -4 ) : '' );
}

/**
 * The owner's decisions on the current site.
 *
 * @return array{silenced:array<string,array{url:string,target:string,time:int}>,dismissed:string[]} `silenced`: by key,
 *               the CRM's URL, the URL of Posthorn's receiver that replaces it, and when (Unix seconds); `dismissed`:
 *               keys whose notice the owner has seen.
 */
function posthorn_native_decisions(): array {
	// Not get_option(): it would ask the database for an option that is not there.
	$stored    = maybe_unserialize( wp_load_alloptions()[ POSTHORN_NATIVE_OPTION ] ?? '' );
	$decisions = array(
		'silenced'  => array(),
		'dismissed' => array(),
	);
	if ( ! is_array( $stored ) ) {
		return $decisions;
	}
	foreach ( (array) ( $stored['silenced'] ?? array() ) as $key => $silenced ) {
		if ( is_array( $silenced ) && is_string( $silenced['url'] ?? null ) && is_string( $silenced['target'] ?? null ) ) {
			$decisions['silenced'][ (string) $key ] = array(
				'url'    => $silenced['url'],
				'target' => $silenced['target'],
				'time'   => (int) ( $silenced['time'] ?? 0 ),
			);
		}
	}
	$decisions['dismissed'] = array_values( array_filter( (array) ( $stored['dismissed'] ?? array() ), 'is_string' ) );
	return $decisions;
}

/**
 * Stores the owner's decisions.
 *
 * @param array $decisions What posthorn_native_decisions() returns, changed.
 */
function posthorn_native_decide( array $decisions ): void {
	$decisions['silenced']  = array_slice( $decisions['silenced'], -POSTHORN_NATIVE_MOST_URLS, null, true );
	$decisions['dismissed'] = array_slice( array_unique( $decisions['dismissed'] ), -POSTHORN_NATIVE_MOST_URLS );
	update_option( POSTHORN_NATIVE_OPTION, $decisions, true );
}

/**
 * What the CRM has sent by itself on the current site.
 *
 * @return array<string,array{url:string,first:int,last:int,sent:int,answered:int,events:string[]}> By key: the URL,
 *               when it was first and last called (Unix seconds), how many calls went out, how many were answered
 *               here, and which events went out although the URL was taken over.
 */
function posthorn_native_seen(): array {
	return posthorn_native_sanitise_seen( get_option( POSTHORN_NATIVE_SEEN_OPTION ) );
}

/**
 * Gives what is stored its shape, whatever the database holds.
 *
 * @param mixed $stored What the option holds.
 */
function posthorn_native_sanitise_seen( $stored ): array {
	$seen = array();
	foreach ( is_array( $stored ) ? $stored : array() as $key => $entry ) {
		if ( is_array( $entry ) && is_string( $entry['url'] ?? null ) ) {
			$seen[ (string) $key ] = array(
				'url'      => $entry['url'],
				'first'    => (int) ( $entry['first'] ?? 0 ),
				'last'     => (int) ( $entry['last'] ?? 0 ),
				'sent'     => (int) ( $entry['sent'] ?? 0 ),
				'answered' => (int) ( $entry['answered'] ?? 0 ),
				'events'   => array_values( array_filter( (array) ( $entry['events'] ?? array() ), 'is_string' ) ),
			);
		}
	}
	return $seen;
}

/**
 * Counts a call. Nothing is written before the request's end.
 *
 * @param string $url      The URL that the CRM called.
 * @param bool   $answered Whether it was answered here.
 * @param string $event    The event's name, if it went out although the URL was taken over; empty otherwise.
 */
function posthorn_native_count( string $url, bool $answered, string $event = '' ): void {
	if ( strlen( $url ) > POSTHORN_NATIVE_LONGEST_URL ) {
		return;
	}
	$tally = &posthorn_native_tally()[ get_current_blog_id() ][ posthorn_native_key( $url ) ];
	$now   = time();
	$tally = array(
		'url'      => trim( $url ),
		'first'    => $tally['first'] ?? $now,
		'last'     => $now,
		'sent'     => ( $tally['sent'] ?? 0 ) + ( $answered ? 0 : 1 ),
		'answered' => ( $tally['answered'] ?? 0 ) + ( $answered ? 1 : 0 ),
		'events'   => $tally['events'] ?? array(),
	);
	// Comes from outside: only what looks like a name is kept.
	if ( preg_match( '/^[\w.:-]{1,60}$/', $event ) && ! in_array( $event, $tally['events'], true ) ) {
		$tally['events'][] = $event;
	}
}

/**
 * What this request has counted: site => key => what posthorn_native_seen() holds.
 */
function &posthorn_native_tally(): array {
	static $tally = array();
	return $tally;
}

/**
 * At the request's end: stores what was counted.
 */
function posthorn_native_store(): void {
	$tally = &posthorn_native_tally();
	foreach ( $tally as $site => $counted ) {
		$elsewhere = is_multisite() && get_current_blog_id() !== $site;
		if ( $elsewhere ) {
			switch_to_blog( $site );
		}
		for ( $try = 0; $try < POSTHORN_NATIVE_WRITE_TRIES && ! posthorn_native_add( $counted ); $try++ ) {
			continue;
		}
		if ( $elsewhere ) {
			restore_current_blog();
		}
	}
	$tally = array();
}

/**
 * Adds counts to what is stored, if nobody else does at this moment.
 *
 * @param array $counted Key => counts.
 * @return bool Whether it was stored.
 */
function posthorn_native_add( array $counted ): bool {
	global $wpdb;
	add_option( POSTHORN_NATIVE_SEEN_OPTION, array(), '', false );
	// phpcs:disable WordPress.DB.DirectDatabaseQuery -- Only the database can tell who came first, see settings.php.
	$stored = (string) $wpdb->get_var( $wpdb->prepare( "SELECT option_value FROM $wpdb->options WHERE option_name = %s", POSTHORN_NATIVE_SEEN_OPTION ) );
	$new    = maybe_serialize( posthorn_native_merge( posthorn_native_sanitise_seen( maybe_unserialize( $stored ) ), $counted ) );
	$done   = $wpdb->query( $wpdb->prepare( "UPDATE $wpdb->options SET option_value = %s WHERE option_name = %s AND option_value = %s", $new, POSTHORN_NATIVE_SEEN_OPTION, $stored ) );
	// phpcs:enable
	wp_cache_delete( POSTHORN_NATIVE_SEEN_OPTION, 'options' );
	return (bool) $done;
}

/**
 * Adds counts to counts, and forgets the URLs that were not called for the longest time if there are too many.
 *
 * @param array $seen    What is stored.
 * @param array $counted What is added.
 */
function posthorn_native_merge( array $seen, array $counted ): array {
	foreach ( $counted as $key => $entry ) {
		$known        = $seen[ $key ] ?? array( 'first' => $entry['first'], 'sent' => 0, 'answered' => 0, 'events' => array() ); // phpcs:ignore WordPress.Arrays
		$seen[ $key ] = array(
			'url'      => $entry['url'],
			'first'    => $known['first'],
			'last'     => $entry['last'],
			'sent'     => $known['sent'] + $entry['sent'],
			'answered' => $known['answered'] + $entry['answered'],
			'events'   => array_slice( array_values( array_unique( array_merge( $known['events'], $entry['events'] ) ) ), 0, POSTHORN_NATIVE_MOST_EVENTS ),
		);
	}
	uasort( $seen, static fn( array $a, array $b ): int => $b['last'] <=> $a['last'] );
	return array_slice( $seen, 0, POSTHORN_NATIVE_MOST_URLS, true );
}

/**
 * Forgets what was counted for a URL: a new decision counts anew.
 *
 * @param string $key The URL's key.
 */
function posthorn_native_forget( string $key ): void {
	$seen = posthorn_native_seen();
	if ( isset( $seen[ $key ] ) ) {
		$seen[ $key ] = array_merge( $seen[ $key ], array( 'sent' => 0, 'answered' => 0, 'events' => array() ) ); // phpcs:ignore WordPress.Arrays
		update_option( POSTHORN_NATIVE_SEEN_OPTION, $seen, false );
	}
}
