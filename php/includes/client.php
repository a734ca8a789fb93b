<?php
/**
 * The only caller of the extension, with queue.php. Whatever else in the plugin wants something of the queue asks here.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/queue.php';
require_once __DIR__ . '/client-catalogue.php';

/**
 * The name under which the queue knows the current site: its id on a network, empty otherwise.
 */
function posthorn_site_key(): string {
	return is_multisite() ? (string) get_current_blog_id() : '';
}

/**
 * Hands a site's whole set of endpoints to the queue, which keeps it only if the revision is higher than its own.
 *
 * @param array $endpoints Endpoints as the extension takes them.
 * @param int   $revision  The settings' revision.
 */
function posthorn_client_configure( array $endpoints, int $revision ): void {
	posthorn_queue()->configure( $endpoints, posthorn_site_key(), $revision );
}

/**
 * Takes all endpoints of a site that is being deleted from the queue.
 *
 * @param int $blog_id The site.
 */
function posthorn_client_forget( int $blog_id ): void {
	posthorn_queue()->configure( array(), (string) $blog_id );
}

/**
 * The revision of the site's endpoints that the queue has; null if it does not know the site.
 */
function posthorn_client_revision(): ?int {
	return posthorn_queue()->revision( posthorn_site_key() );
}

/**
 * Puts an event into the queue.
 *
 * @param string $event   A name of the catalogue.
 * @param array  $data    The record.
 * @param array  $context Where and by whom.
 * @return string The event's id.
 */
function posthorn_client_dispatch( string $event, array $data, array $context ): string {
	try {
		return posthorn_queue()->dispatch( $event, $data, $context );
	} catch ( \Posthorn\Unavailable $error ) {
		// In the middle of this request the queue was begun anew, and it knows no receiver yet.
		if ( 'unconfigured' !== posthorn_client_trouble( $error ) || ! posthorn_hand_over( posthorn_settings()['revision'] ) ) {
			throw $error;
		}
		return posthorn_queue()->dispatch( $event, $data, $context );
	}
}

/**
 * Of which kind a trouble with the queue is.
 *
 * @param \Throwable $error Any error.
 * @return string `permission`, `full_disk`, `foreign`, `newer`, `locked`, `damaged`, `disk`, `unconfigured` or `full_queue` (a limit
 *                was reached); empty for anything else.
 */
function posthorn_client_trouble( \Throwable $error ): string {
	if ( $error instanceof \Posthorn\Full ) {
		return 'full_queue';
	}
	$kinds = array( '', 'permission', 'full_disk', 'foreign', 'newer', 'locked', 'damaged', 'disk', 'unconfigured' );
	return $error instanceof \Posthorn\Unavailable ? $kinds[ $error->getCode() ] ?? '' : '';
}

/**
 * Queue files that the extension found damaged and has set aside, the oldest first.
 *
 * @return array<int,array{name:string,path:string,bytes:int,time:int,taken:?int}> `taken`: deliveries that were taken over
 *         into the new queue, null if that is not done yet.
 */
function posthorn_client_set_aside(): array {
	$files = array();
	foreach ( (array) glob( posthorn_queue_directory() . '/queue.db.corrupt-*' ) as $path ) {
		// Log, index and text belong to a file.
		if ( 1 !== preg_match( '/\.corrupt-(\d{8}T\d{6}Z)(-\w+)?$/', (string) $path, $parts ) || preg_match( '/-(wal|shm)$/', $path ) ) {
			continue;
		}
		$note    = is_readable( "$path.txt" ) ? (string) file_get_contents( "$path.txt" ) : ''; // phpcs:ignore WordPress.WP.AlternativeFunctions -- A local file.
		$files[] = array(
			'name'  => basename( $path ),
			'path'  => $path,
			'bytes' => (int) filesize( $path ) + ( is_file( "$path-wal" ) ? (int) filesize( "$path-wal" ) : 0 ),
			'time'  => (int) strtotime( $parts[1] ),
			'taken' => preg_match( '/^Taken over into the new queue: (\d+)/m', $note, $found ) ? (int) $found[1] : null,
		);
	}
	return $files;
}

/**
 * Puts events into the queue, all or none.
 *
 * @param array[] $events Lists of event, data and context.
 * @return string[] Their ids.
 */
function posthorn_client_dispatch_many( array $events ): array {
	return posthorn_queue()->dispatchMany( $events );
}

/**
 * Sends an event to an endpoint now, past the queue.
 *
 * @param array  $endpoint An endpoint as the extension takes it.
 * @param string $event    A name of the catalogue.
 * @param array  $data     The record.
 * @param array  $context  Where and by whom.
 * @return array One attempt, with `ok`.
 */
function posthorn_client_send( array $endpoint, string $event, array $data, array $context ): array {
	if ( posthorn_is_held() ) {
		throw posthorn_guard_error();
	}
	return posthorn_queue()->send( posthorn_completed( $endpoint ), $event, $data, $context );
}

/**
 * Asks the extension whether an endpoint is in order, without sending or storing anything.
 *
 * @param array $endpoint An endpoint as the extension takes it.
 * @return array{key:string,message:string}|null What is wrong, null if nothing is.
 */
function posthorn_client_check( array $endpoint ): ?array {
	$completed = posthorn_completed( $endpoint );
	try {
		posthorn_queue()->preview( $completed, 'test', posthorn_client_sample( 'test' ), array() );
		return null;
	} catch ( \Posthorn\InvalidArgument $error ) {
		$mistake = posthorn_client_argument( $error );
		if ( 'proxy' === $mistake['key'] && ! isset( $endpoint['proxy'] ) ) {
			$mistake['message'] = 'WP_PROXY_HOST, WP_PROXY_PORT: ' . $mistake['message'];
		}
		return $mistake;
	}
}

/**
 * Reads a statement: which rows of which tables it writes, or what it does to a transaction.
 *
 * @param string $sql    A statement.
 * @param array  $tables Tables and their keys as \Posthorn\read_statement() takes them.
 * @return array|null What that returns.
 */
function posthorn_client_read_statement( string $sql, array $tables ): ?array {
	return \Posthorn\read_statement( $sql, $tables );
}

/**
 * Takes an exception about an argument apart: its message starts with the key, as in `url: …` or `events[1]: …`.
 *
 * @param \Throwable $error Any error.
 * @return array{key:string,message:string}|null Null if it is not about an argument.
 */
function posthorn_client_argument( \Throwable $error ): ?array {
	if ( ! $error instanceof \Posthorn\InvalidArgument ) {
		return null;
	}
	list( $key, $message ) = array_pad( explode( ': ', $error->getMessage(), 2 ), 2, '' );
	// `endpoint.events[1]` and `events[1]` both mean the field `events`.
	$place = preg_replace( '/^endpoints?(\[\d+\])?\.?/', '', $key );
	$key   = preg_replace( '/[\[.].*$/', '', $place );
	if ( 'format' === $key && $place !== $key ) {
		// Of a definition it must be told where.
		$message = "$place: $message";
	}
	return array(
		'key'     => $key,
		'message' => ucfirst( $message ),
	);
}

/**
 * The newest deliveries of the current site, newest first.
 *
 * @param array $filter Any of the design's filter keys; `site` is filled in.
 * @return array[] Deliveries.
 */
function posthorn_client_deliveries( array $filter ): array {
	return posthorn_queue()->deliveries( array( 'site' => posthorn_site_key() ) + $filter );
}

/**
 * One delivery of the current site with its attempts.
 *
 * @param string $id A delivery's id.
 * @return array|null Null if there is none on this site.
 */
function posthorn_client_delivery( string $id ): ?array {
	try {
		$delivery = posthorn_queue()->delivery( $id );
	} catch ( \Posthorn\InvalidArgument $error ) {
		return null;
	}
	return posthorn_site_key() === $delivery['site'] ? $delivery : null;
}

/**
 * Numbers of the current site: pending, delivered, dead, cancelled, oldest_pending_s; and of the queue: dispatcher (is
 * anybody sending), dispatcher_pid, dispatcher_kind, dispatcher_responds, dispatcher_stopped, bytes, used_bytes, max_bytes.
 */
function posthorn_client_stats(): array {
	return posthorn_queue()->stats( posthorn_site_key() );
}

/**
 * How many deliveries of all sites have failed for good and are kept.
 */
function posthorn_client_dead(): int {
	return (int) posthorn_queue()->stats()['dead'];
}

/**
 * What can be told of the queue's directory without opening the queue: file_system (local, memory, overlay, network,
 * unknown), file_system_type, disk_bytes, disk_free_bytes, host, last_host, host_changed, dispatcher, dispatcher_pid,
 * dispatcher_kind, dispatcher_responds (null if it cannot be asked), dispatcher_stopped (null if it cannot be seen).
 *
 * A dispatcher that owes an answer but is not stopped is asked three times, a second each: it may only be busy.
 */
function posthorn_client_inspect(): array {
	for ( $asked = 1; ; $asked++ ) {
		$look = \Posthorn\inspect( posthorn_queue_directory() );
		if ( false !== $look['dispatcher_responds'] || $look['dispatcher_stopped'] || 3 === $asked ) {
			return $look;
		}
	}
}

/**
 * Whether any process is sending, told without opening the queue.
 */
function posthorn_client_is_sent(): bool {
	return \Posthorn\inspect( posthorn_queue_directory() )['dispatcher'];
}

/**
 * What waits, with an entry for each endpoint: site, endpoint, url, pending, due (how many may be sent now), due_since,
 * next_attempt_at, last_error, held_back (null, removed, disabled, paused, suspended, asked_to_wait,
 * circuit_open), suspended, paused_until, circuit_open_until.
 *
 * @param bool $all_sites Optional. Those of all sites of a network and not only of the current one.
 * @return array[]
 */
function posthorn_client_waiting( bool $all_sites = false ): array {
	$waiting = posthorn_queue()->waiting();
	return $all_sites ? $waiting : array_values( array_filter( $waiting, static fn( array $one ) => posthorn_site_key() === $one['site'] ) );
}

/**
 * Makes every retry that waits due at once, of all sites; each uses up its attempt.
 *
 * @return int How many there were.
 */
function posthorn_client_hurry(): int {
	return posthorn_queue()->hurry();
}

/**
 * Takes the queue as this machine's, after it was moved.
 */
function posthorn_client_adopt(): void {
	posthorn_queue()->adopt();
}

/**
 * The endpoints that the queue has of the current site: id, url, enabled, suspended (why; empty if not), paused_until (the
 * receiver asked for it), circuit (closed, open, half_open), circuit_open_until, failures (in a row), failing_since,
 * last_failure_at, last_success_at.
 *
 * @return array[]
 */
function posthorn_client_endpoints(): array {
	return posthorn_queue()->endpoints( posthorn_site_key() );
}

/**
 * Ends an endpoint's suspension, pause and open circuit breaker; what waits for it is due now.
 *
 * @param string $id The endpoint.
 * @return bool False if the queue knows no such endpoint.
 */
function posthorn_client_resume( string $id ): bool {
	return posthorn_queue()->resume( $id, posthorn_site_key() );
}

/**
 * Delivers in this process.
 *
 * @param float $seconds For how long at most.
 * @return int How many deliveries were settled.
 */
function posthorn_client_work( float $seconds ): int {
	static $was_held = false;
	posthorn_guard_look_again();
	if ( posthorn_is_held() ) {
		if ( ! $was_held && defined( 'WP_CLI' ) && WP_CLI ) {
			WP_CLI::warning( posthorn_guard_error()->getMessage() );
		}
		$was_held = true;
		usleep( (int) ( 1e6 * min( $seconds, 1 ) ) );
		return 0;
	}
	if ( $was_held ) {
		$was_held = false;
		posthorn_hand_over_if_needed();
	}
	return posthorn_queue()->work( $seconds );
}

/**
 * Cancels all deliveries of the current site that wait.
 */
function posthorn_client_cancel_waiting(): void {
	posthorn_queue()->cancel(
		array(
			'site'  => posthorn_site_key(),
			'state' => 'pending',
		)
	);
}

/**
 * Stops or resumes the sending of the current site's deliveries; they stay in the queue.
 *
 * @param bool $paused Whether to stop.
 */
function posthorn_client_pause( bool $paused ): void {
	posthorn_queue()->pause( posthorn_site_key(), $paused );
}

/**
 * Whether the current site's deliveries are held back.
 */
function posthorn_client_paused(): bool {
	return posthorn_queue()->paused( posthorn_site_key() );
}
