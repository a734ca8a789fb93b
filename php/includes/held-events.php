<?php
/**
 * Events that happen while it is not known what the site is: written down in a file beside the queue, and put into it when
 * the site turns out to have been moved.
 *
 * One file for each place at which the site was met, so that a site and its copy that share a directory share no file. A line
 * is an event: name, data, context. Appended with one write under a lock, so it survives the death of the process.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Such a file grows to this at most; then events are lost, and the owner is told. */
const POSTHORN_HELD_MOST_BYTES = 268435456;

/** Levels of a line: the queue takes data of 512, and it lies in a list. */
const POSTHORN_HELD_MOST_LEVELS = 520;

/**
 * The file for a place.
 *
 * @param array|null $here Optional. The place; this one by default.
 */
function posthorn_held_file( ?array $here = null ): string {
	return posthorn_original_directory() . '/held-' . posthorn_guard_hash( implode( "\0", $here ?? posthorn_here() ) . "\0" . posthorn_site_key() ) . '.jsonl';
}

/**
 * Writes events down.
 *
 * @param array[] $events Lists of event, data, context, after all filters.
 * @throws RuntimeException When they cannot be kept.
 */
function posthorn_hold_events( array $events ): void {
	$lines = '';
	foreach ( $events as list( $event, $data, $context ) ) {
		$context['occurred_at'] ??= gmdate( 'Y-m-d\TH:i:s' ) . sprintf( '.%03dZ', (int) ( fmod( microtime( true ), 1 ) * 1000 ) );
		$lines .= wp_json_encode( array( $event, posthorn_held_plain( $data ), posthorn_held_plain( $context ) ), JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR, POSTHORN_HELD_MOST_LEVELS ) . "\n";
	}
	$path = posthorn_held_file();
	if ( ! is_file( $path ) && count( (array) glob( dirname( $path ) . '/held-*.jsonl' ) ) >= POSTHORN_GUARD_MOST ) {
		/* translators: %s: a number. */
		throw new RuntimeException( sprintf( esc_html__( 'Events are held back at %s addresses already, and this is another one. Does WP_HOME in wp-config.php follow the request’s header Host, which visitors choose? Give it the site’s address.', 'posthorn' ), (int) POSTHORN_GUARD_MOST ) );
	}
	$file = posthorn_open_held( $path, true );
	// phpcs:disable WordPress.WP.AlternativeFunctions -- A local file under a lock.
	$size = null === $file ? 0 : (int) fstat( $file )['size'];
	$full = $size + strlen( $lines ) > POSTHORN_HELD_MOST_BYTES;
	$kept = null !== $file && ! $full && fwrite( $file, $lines ) === strlen( $lines );
	if ( null !== $file ) {
		if ( ! $kept ) {
			ftruncate( $file, $size );
		}
		fclose( $file );
	}
	// phpcs:enable
	if ( ! $kept ) {
		/* translators: %s: path of a file. */
		throw new RuntimeException( sprintf( $full ? esc_html__( 'Events are held back until you say whether this site was moved or is a copy, and the file %s that keeps them is full.', 'posthorn' ) : esc_html__( 'Events are held back until you say whether this site was moved or is a copy, and the file %s that keeps them cannot be written.', 'posthorn' ), esc_html( $path ) ) );
	}
	posthorn_ask_at_end();
}

/**
 * A value as JSON keeps it, and as the extension would read it: dates as it prints them, other objects as their JSON.
 *
 * @param mixed $value  A value.
 * @param int   $levels Optional. How deep it lies.
 * @return mixed
 * @throws InvalidArgumentException When it contains itself, or is deeper than the queue takes.
 */
function posthorn_held_plain( $value, int $levels = 1 ) {
	if ( $value instanceof DateTimeInterface ) {
		return $value->format( 'Y-m-d\TH:i:sP' );
	}
	if ( is_float( $value ) && ! is_finite( $value ) ) {
		return null;
	}
	if ( $levels >= POSTHORN_HELD_MOST_LEVELS ) {
		throw new InvalidArgumentException( 'data: it is nested too deep, or contains itself; send a flatter copy of the data' );
	}
	if ( $value instanceof JsonSerializable ) {
		$inner = $value->jsonSerialize();
		return posthorn_held_plain( $inner === $value ? (object) get_object_vars( $value ) : $inner, $levels + 1 );
	}
	$is_map = is_object( $value ) && ! $value instanceof Traversable && ! $value instanceof UnitEnum && ! $value instanceof Closure;
	if ( ! is_array( $value ) && ! $is_map ) {
		return $value;
	}
	$plain = array();
	foreach ( is_array( $value ) ? $value : get_object_vars( $value ) as $key => $inner ) {
		// As properties that are not public: nobody is sent them, and JSON with them cannot be read.
		if ( ! is_string( $key ) || ! str_starts_with( $key, "\0" ) ) {
			$plain[ $key ] = posthorn_held_plain( $inner, $levels + 1 );
		}
	}
	// With a name that is not shown it is no list.
	return is_array( $value ) && count( $plain ) === count( $value ) ? $plain : (object) $plain;
}

/**
 * Opens a file of held events and locks it.
 *
 * @param string $path Where it is.
 * @param bool   $make Whether to make it, and the directory, where there is none.
 * @return resource|null Null if that cannot be done.
 */
function posthorn_open_held( string $path, bool $make ) {
	// phpcs:disable WordPress.WP.AlternativeFunctions, WordPress.PHP.NoSilencedErrors -- A local file; the caller reports.
	$directory = dirname( $path );
	$umask     = umask( 0077 );
	if ( $make && ! is_dir( $directory ) ) {
		@mkdir( $directory, 0700, true );
	}
	do {
		$file = @fopen( $path, $make ? 'a+' : 'r+' );
		if ( false === $file || ! flock( $file, LOCK_EX ) ) {
			umask( $umask );
			return null;
		}
		clearstatcache( true, $path );
		// Whoever held the lock may have taken the file away.
		$is_there = @fileinode( $path ) === fstat( $file )['ino'];
		if ( ! $is_there ) {
			fclose( $file );
		}
	} while ( ! $is_there );
	umask( $umask );
	// As root (WP-CLI), what is made goes to the owner of what was there, or the web server could not write it.
	foreach ( array( $directory, $path ) as $made ) {
		if ( 0 === fileowner( $made ) && 0 !== (int) @fileowner( dirname( $made ) ) ) {
			@chown( $made, fileowner( dirname( $made ) ) );
			@chgrp( $made, filegroup( dirname( $made ) ) );
		}
	}
	// phpcs:enable
	return $file;
}

/**
 * How many events are held back at a place.
 *
 * @param array|null $here Optional. The place; this one by default.
 */
function posthorn_held_count( ?array $here = null ): int {
	$path = posthorn_held_file( $here );
	// phpcs:disable WordPress.WP.AlternativeFunctions, WordPress.PHP.NoSilencedErrors -- A local file, which may be missing.
	$file  = @fopen( $path, 'r' );
	$count = 0;
	while ( false !== $file && ! feof( $file ) ) {
		$count += substr_count( (string) fread( $file, 65536 ), "\n" );
	}
	// phpcs:enable
	return $count;
}

/**
 * Puts the events that were held back into the queue, in their order.
 *
 * What the queue cannot take now stays for the next time; an event that it refuses is told to the owner.
 *
 * @param array|null $here Optional. The place; this one by default.
 * @return int How many were.
 * @throws \Posthorn\Exception When the queue cannot be used.
 */
function posthorn_release_held( ?array $here = null ): int {
	$path = posthorn_held_file( $here );
	if ( ! is_file( $path ) ) {
		return 0;
	}
	$file = posthorn_open_held( $path, false );
	if ( null === $file ) {
		return 0;
	}
	// phpcs:disable WordPress.WP.AlternativeFunctions -- A local file under a lock.
	$done     = is_file( "$path.done" ) ? (int) file_get_contents( "$path.done" ) : 0;
	$released = 0;
	fseek( $file, $done );
	try {
		do {
			$events = array();
			for ( $line = fgets( $file ); false !== $line; $line = fgets( $file ) ) {
				$events[] = posthorn_held_event( $line );
				if ( count( $events ) >= POSTHORN_MOST_AT_ONCE ) {
					break;
				}
			}
			$released += posthorn_release_some( array_values( array_filter( $events ) ) );
			// So that a death in between repeats a hundred at most.
			file_put_contents( "$path.done", (string) ftell( $file ) );
		} while ( array() !== $events );
		unlink( $path );
		unlink( "$path.done" );
	} finally {
		fclose( $file );
	}
	// phpcs:enable
	return $released;
}

/**
 * Reads an event that was written down.
 *
 * @param string $line A line of the file.
 * @return array{string,array,array}|null Event, data, context; null for a line that was cut off.
 */
function posthorn_held_event( string $line ): ?array {
	$event = json_decode( $line, true, POSTHORN_HELD_MOST_LEVELS );
	if ( ! is_array( $event ) || 3 !== count( $event ) ) {
		return null;
	}
	// As an array, {} would become a list, and so would {"0": …}.
	$exact    = json_decode( $line, false, POSTHORN_HELD_MOST_LEVELS );
	$event[1] = (array) $exact[1];
	if ( isset( $event[2]['previous'] ) ) {
		$event[2]['previous'] = (array) $exact[2]->previous;
	}
	return $event;
}

/**
 * Puts some events into the queue: all at once, or one by one where one of them is refused.
 *
 * @param array[] $events Lists of event, data, context.
 * @return int How many were accepted.
 */
function posthorn_release_some( array $events ): int {
	if ( array() === $events ) {
		return 0;
	}
	try {
		return count( posthorn_client_dispatch_many( $events ) );
	} catch ( \Posthorn\InvalidArgument $error ) {
		$accepted = 0;
		foreach ( $events as $event ) {
			try {
				posthorn_client_dispatch( ...$event );
				++$accepted;
			} catch ( \Posthorn\InvalidArgument $refused ) {
				posthorn_report( $refused, true );
			}
		}
		return $accepted;
	}
}

/**
 * Throws away the events that were held back.
 *
 * @param array|null $here Optional. The place; this one by default.
 */
function posthorn_drop_held( ?array $here = null ): void {
	$path = posthorn_held_file( $here );
	$file = is_file( $path ) ? posthorn_open_held( $path, false ) : null;
	// phpcs:disable WordPress.WP.AlternativeFunctions, WordPress.PHP.NoSilencedErrors -- Local files.
	@unlink( $path );
	@unlink( "$path.done" );
	if ( null !== $file ) {
		fclose( $file );
	}
	// phpcs:enable
}

/**
 * The places at which events were held back, so that the site asks about them wherever its owner is: a site may have several
 * addresses, and the command line another database host.
 *
 * @return array<string,array{address:string,environment:string,installation:string,since:int}> By the name of the place.
 */
function posthorn_guard_questions(): array {
	$questions = array();
	foreach ( (array) get_option( POSTHORN_QUESTION_OPTION, array() ) as $name => $question ) {
		if ( is_array( $question ) && is_string( $question['address'] ?? null ) && is_string( $question['environment'] ?? null ) && is_string( $question['installation'] ?? null ) ) {
			$questions[ (string) $name ] = $question + array( 'since' => 0 );
		}
	}
	return $questions;
}

/**
 * At the request's end, notes that there is a question: a query now would change what the CRM reads from $wpdb.
 */
function posthorn_ask_at_end(): void {
	static $asked = array();
	$here         = posthorn_here();
	$name         = posthorn_guard_hash( implode( "\0", $here ) );
	$site         = get_current_blog_id();
	if ( isset( $asked[ "$site $name" ] ) ) {
		return;
	}
	$asked[ "$site $name" ] = true;
	add_action(
		'shutdown',
		static function () use ( $here, $name, $site ): void {
			$switched  = get_current_blog_id() !== $site && switch_to_blog( $site );
			$questions = posthorn_guard_questions();
			if ( ! isset( $questions[ $name ] ) ) {
				$questions[ $name ] = $here + array( 'since' => time() );
				update_option( POSTHORN_QUESTION_OPTION, array_slice( $questions, -POSTHORN_GUARD_MOST, null, true ), true );
			}
			if ( $switched ) {
				restore_current_blog();
			}
		},
		PHP_INT_MAX
	);
}
