<?php
/**
 * All that every page asks of the extension: whether it is there, and that the queue of this WordPress installation is sent.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Whether the extension is loaded and of the right version.
 */
function posthorn_is_ready(): bool {
	static $ready = null;
	if ( null === $ready ) {
		// What is usual takes one look.
		$ready = POSTHORN_VERSION === phpversion( 'posthorn' );
		if ( ! $ready ) {
			require_once __DIR__ . '/requirements.php';
			$ready = '' === posthorn_requirement_problem();
		}
	}
	return $ready;
}

/**
 * Where the queue of this WordPress installation is: one for all sites of a network.
 *
 * The parent directory is the constant POSTHORN_DATA_DIR, or else the INI setting posthorn.data_dir. Below it, 16 hex
 * digits of SHA-256 over database host, database name and base prefix keep the installations of a server apart.
 */
function posthorn_queue_directory(): string {
	$copy = posthorn_copy_name();
	return posthorn_original_directory() . ( '' === $copy ? '' : "-copy-$copy" );
}

/**
 * The same, whether or not the site is a copy.
 */
function posthorn_original_directory(): string {
	static $directory = null;
	if ( null === $directory ) {
		$parent    = defined( 'POSTHORN_DATA_DIR' ) ? POSTHORN_DATA_DIR : (string) ini_get( 'posthorn.data_dir' );
		$parent    = '' === $parent ? '/var/lib/posthorn' : $parent;
		$directory = rtrim( $parent, '/' ) . '/' . posthorn_installation_key();
	}
	return $directory;
}

/**
 * What is added to the name of the queue's directory on a site that was said to be a copy; empty on any other.
 *
 * A copy may have come with its original's queue, or name the same directory: that one it leaves alone.
 */
function posthorn_copy_name(): string {
	// Not get_option(): it would ask the database for an option that few sites have.
	$name = posthorn_loaded_options()['posthorn_copy'] ?? '';
	return is_string( $name ) && ctype_xdigit( $name ) ? $name : '';
}

/**
 * The current site's options as WordPress has loaded them, whatever filters make of them: get_option() takes microseconds, and
 * a bulk action asks thousands of times.
 *
 * @return array<string,string>
 */
function posthorn_loaded_options(): array {
	$loaded = wp_cache_get( 'alloptions', 'options' );
	return is_array( $loaded ) ? $loaded : wp_load_alloptions();
}

/**
 * What tells this WordPress installation from the others on the server.
 */
function posthorn_installation_key(): string {
	global $wpdb;
	$host = defined( 'DB_HOST' ) ? DB_HOST : '';
	$name = defined( 'DB_NAME' ) ? DB_NAME : '';
	return substr( hash( 'sha256', "$host\0$name\0$wpdb->base_prefix" ), 0, 16 );
}

/**
 * The options the queue is opened with: the constant POSTHORN_QUEUE_OPTIONS. A constant, because the queue is the whole
 * network's and is opened before a theme is loaded.
 */
function posthorn_queue_options(): array {
	return defined( 'POSTHORN_QUEUE_OPTIONS' ) ? (array) POSTHORN_QUEUE_OPTIONS : array();
}

/**
 * The queue. Opening it also makes sure that somebody sends.
 *
 * @throws \Posthorn\Unavailable When directory or file cannot be used; the message names the remedy.
 * @throws RuntimeException While it is not known whether the site is a copy, see guard.php.
 */
function posthorn_queue(): \Posthorn\Queue {
	static $queues = array();
	$directory     = posthorn_queue_directory();
	$queue         = &$queues[ $directory ];
	if ( null === $queue ) {
		posthorn_load();
		// Whoever opens it sends what waits in it.
		if ( posthorn_is_held() ) {
			throw posthorn_guard_error();
		}
		try {
			$queue = \Posthorn\Queue::open( $directory, posthorn_queue_options() );
		} catch ( \Posthorn\InvalidArgument $error ) {
			// A slip in wp-config.php must not cost an event.
			$queue = \Posthorn\Queue::open( $directory );
			/* translators: %s: what is wrong with them. */
			posthorn_report( new RuntimeException( sprintf( __( 'The constant POSTHORN_QUEUE_OPTIONS in wp-config.php has a mistake and is left out of account: %s. Correct it there; events are sent meanwhile.', 'posthorn' ), $error->getMessage() ) ), false );
		}
	}
	return $queue;
}

/**
 * On every request: opens the queue, so that somebody sends what waits.
 */
function posthorn_keep_sending(): void {
	try {
		// In a process that has served a page before, this is all.
		if ( \Posthorn\keep_sending( posthorn_queue_directory() ) ) {
			return;
		}
		posthorn_load();
		if ( posthorn_has_receiver() && ! posthorn_is_held() ) {
			if ( is_admin() || wp_doing_cron() ) {
				// Asked before this request itself begins to send.
				posthorn_nobody_sent( ! posthorn_client_is_sent() );
			}
			posthorn_queue();
			posthorn_release_left();
		}
	} catch ( \Throwable $error ) {
		posthorn_load();
		posthorn_report( $error, false );
	}
}

/**
 * Puts into the queue what was held back at this place, if it was said to be the site's while another process had the word.
 */
function posthorn_release_left(): void {
	// Only after a question is there any such file.
	if ( array() !== glob( posthorn_original_directory() . '/held-*.jsonl' ) ) {
		require_once __DIR__ . '/held-events.php';
		posthorn_hand_over_if_needed();
		posthorn_release_held();
	}
}

/**
 * Whether nobody was sending when this request began.
 *
 * @param bool|null $set Optional. What it is from now on.
 */
function posthorn_nobody_sent( ?bool $set = null ): bool {
	static $nobody = false;
	return $nobody = $set ?? $nobody;
}
