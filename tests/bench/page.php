<?php
/**
 * Measures inside a page of WordPress: copied to the bench's mu-plugins, asked by run.sh as
 * /?bench=WAY&count=N&url=RECEIVER, answers one line of JSON. It is installed nowhere else.
 */

if ( ! isset( $_GET['bench'] ) ) {
	return;
}

// The same page as it would be if Posthorn were not there.
if ( isset( $_GET['without'] ) ) {
	add_filter( 'option_active_plugins', fn( $plugins ) => array_values( array_diff( (array) $plugins, array( 'posthorn/posthorn.php' ) ) ) );
}

require BENCH_FOLDER . '/payload.php';
require BENCH_FOLDER . '/bare.php';

add_action( 'wp_loaded', 'bench_answer' );

function bench_answer(): void {
	$way   = $_GET['bench'];
	$count = (int) ( $_GET['count'] ?? 0 );
	$url   = $_GET['url'] ?? '';
	$acts  = array(
		'bare'        => 'bench_bare_in_page',
		'dispatch'    => 'bench_dispatch',
		'blocking'    => fn() => bench_post( true ),
		'nonblocking' => fn() => bench_post( false ),
		'cron'        => 'bench_cron',
	);
	set_time_limit( 120 );
	if ( 'receiver' === $way ) {
		$answer = bench_set_receiver( $url );
	} elseif ( 'stats' === $way ) {
		$answer = posthorn_queue()->stats();
	} elseif ( 'bulk' === $way || 'bulk-without' === $way ) {
		$answer = bench_bulk( $count, 'bulk' === $way );
	} elseif ( 'crm-loop' === $way || 'crm-statement' === $way ) {
		$answer = bench_crm( $count, 'crm-loop' === $way ? 'loop' : 'statement' );
	} elseif ( 'quiet' === $way ) {
		$answer = bench_quiet( $count );
	} else {
		[ $rows, $bodies ] = bench_rows( mt_rand( 1, 1 << 40 ), $count + 1 );
		$prepare           = $acts[ $way ];
		$act               = $prepare();
		$start             = hrtime( true );
		$act( $rows[ $count ], $bodies[ $count ], $url );
		$first  = round( ( hrtime( true ) - $start ) / 1000, 1 );
		$answer = bench_time( $count, fn( int $i ) => $act( $rows[ $i ], $bodies[ $i ], $url ), (int) ( $_GET['pause'] ?? 0 ) );
		$answer['first'] = $first;
		if ( 'cron' === $way ) {
			wp_unschedule_hook( 'bench_job' );
		}
	}
	header( 'Content-Type: application/json' );
	exit( json_encode( array( 'way' => $way ) + $answer ) . "\n" );
}

function bench_bare_in_page(): callable {
	$insert = bench_bare( ini_get( 'posthorn.data_dir' ) . '/bare.db' );
	return fn( array $row, string $body ) => $insert( $body );
}

function bench_dispatch(): callable {
	return fn( array $row ) => posthorn_dispatch( BENCH_EVENT, $row, array( 'record' => "contact:{$row['contact_id']}" ) )
		?? throw new RuntimeException( 'the event was not accepted' );
}

function bench_post( bool $blocking ): callable {
	return function ( array $row, string $body, string $url ) use ( $blocking ) {
		$answer = wp_remote_post( $url, array( 'body' => $body, 'blocking' => $blocking, 'timeout' => 15 ) );
		if ( is_wp_error( $answer ) ) {
			throw new RuntimeException( $answer->get_error_message() );
		}
	};
}

function bench_cron(): callable {
	// Far off, so that no page runs it meanwhile.
	$at = time() + DAY_IN_SECONDS;
	return fn( array $row ) => wp_schedule_single_event( $at, 'bench_job', array( $row ) );
}

/** What a bulk action does with its rows, with and without an event for each. */
function bench_bulk( int $count, bool $dispatch ): array {
	if ( $dispatch ) {
		posthorn_dispatch( BENCH_EVENT, bench_row( 0 ), array( 'record' => 'contact:0' ) );
	}
	memory_reset_peak_usage();
	$memory = memory_get_peak_usage();
	$own    = bench_resident();
	$before = bench_scheduled();
	$start  = hrtime( true );
	for ( $n = 1; $n <= $count; $n++ ) {
		$row = bench_row( $n );
		if ( $dispatch && null === posthorn_dispatch( BENCH_EVENT, $row, array( 'record' => "contact:$n" ) ) ) {
			throw new RuntimeException( 'the event was not accepted' );
		}
	}
	$seconds = ( hrtime( true ) - $start ) / 1e9;
	$after   = bench_scheduled();
	return array(
		'seconds'      => round( $seconds, 4 ),
		'cpu'          => round( ( $after[0] - $before[0] ) / 1e9, 4 ),
		'waited'       => round( ( $after[1] - $before[1] ) / 1e9, 4 ),
		'php_kib'      => round( ( memory_get_peak_usage() - $memory ) / 1024 ),
		'resident_kib' => bench_resident() - $own,
	);
}

/** A bulk action of the stand-in CRM: contacts get another status, row by row or with one statement. */
function bench_crm( int $count, string $bulk ): array {
	global $wpdb;
	wpestate_crm_set_switches( array( 'bulk' => $bulk ) );
	$missing = $count - (int) $wpdb->get_var( "SELECT COUNT(*) FROM {$wpdb->prefix}wpresidence_crm_contacts" );
	if ( $missing > 0 ) {
		$contact = fn( int $n ) => array( 'first_name' => 'Ada', 'last_name' => "Number $n", 'email' => "ada$n@example.com", 'city' => 'Cork', 'tags' => 'buyer,cash' );
		foreach ( array_chunk( range( 1, $missing ), 500 ) as $some ) {
			wpestate_crm_insert_many( 'contacts', array_map( $contact, $some ) );
		}
	}
	$ids    = $wpdb->get_col( "SELECT contact_id FROM {$wpdb->prefix}wpresidence_crm_contacts ORDER BY contact_id LIMIT $count" );
	$status = $wpdb->get_var( "SELECT status FROM {$wpdb->prefix}wpresidence_crm_contacts WHERE contact_id = {$ids[0]}" );
	if ( function_exists( 'posthorn_crm_end' ) ) {
		posthorn_crm_end();
	}
	memory_reset_peak_usage();
	$memory = memory_get_peak_usage();
	$start  = hrtime( true );
	$done   = wpestate_crm_bulk_update_contacts( $ids, array( 'status' => 'VIP' === $status ? 'Active' : 'VIP' ) );
	// What the end of the request would do.
	if ( function_exists( 'posthorn_crm_end' ) ) {
		posthorn_crm_end();
	}
	return array( 'seconds' => round( ( hrtime( true ) - $start ) / 1e9, 4 ), 'done' => $done, 'php_kib' => round( ( memory_get_peak_usage() - $memory ) / 1024 ) );
}

/**
 * A page that writes no row of the CRM: what it takes to load the plugin, what it hooks to init and shutdown, and
 * the statements that a page has. The rest of a page is the same with and without, and a hundred times as long.
 */
function bench_quiet( int $count ): array {
	global $wpdb;
	$ours   = array( 'posthorn_crm_hand_over_now', 'posthorn_crm_end', 'posthorn_native_end', 'posthorn_store_problems' );
	$at_end = array_filter( $ours, fn( $name ) => has_action( 'shutdown', $name ) );
	$start  = hrtime( true );
	for ( $n = 0; $n < $count; $n++ ) {
		// Not run: the way to the database and back varies by more than all of this.
		apply_filters( 'query', "SELECT option_value FROM $wpdb->options WHERE option_name = 'bench_$n' LIMIT 1" );
	}
	apply_filters( 'query', "UPDATE $wpdb->options SET option_value = '1' WHERE option_name = 'bench'" );
	foreach ( $at_end as $end ) {
		$end();
	}
	return array(
		'us'      => round( ( $GLOBALS['bench_loading'] + $GLOBALS['bench_init'] + hrtime( true ) - $start ) / 1000, 1 ),
		'loading' => round( $GLOBALS['bench_loading'] / 1000, 1 ),
		'init'    => round( $GLOBALS['bench_init'] / 1000, 1 ),
	);
}

if ( 'quiet' === $_GET['bench'] ) {
	$GLOBALS['bench_init'] = 0;
	add_action(
		'muplugins_loaded',
		function () {
			$start = hrtime( true );
			if ( ! isset( $_GET['without'] ) ) {
				// As WordPress is about to do, which then finds that it is there.
				include_once WP_PLUGIN_DIR . '/posthorn/posthorn.php';
			}
			$GLOBALS['bench_loading'] = hrtime( true ) - $start;
		},
		PHP_INT_MAX
	);
	add_action(
		'init',
		function () {
			if ( remove_action( 'init', 'posthorn_keep_sending' ) ) {
				$start = hrtime( true );
				posthorn_keep_sending();
				$GLOBALS['bench_init'] = hrtime( true ) - $start;
			}
		},
		PHP_INT_MIN
	);
}

/** Nanoseconds that this thread, without the sender's, ran on a processor and waited for one. */
function bench_scheduled(): array {
	return array_map( 'intval', explode( ' ', file_get_contents( '/proc/thread-self/schedstat' ) ) );
}

function bench_resident(): int {
	preg_match( '/VmRSS:\s+(\d+)/', file_get_contents( '/proc/self/status' ), $found );
	return (int) $found[1];
}

/** As the settings page does. What waits for a hanging receiver is given up after a second, so that the bench can go on. */
function bench_set_receiver( string $url ): array {
	posthorn_load();
	$settings              = posthorn_settings();
	$patience              = isset( $_GET['hangs'] ) ? array( 'timeout' => 1, 'schedule' => array() ) : array();
	$settings['endpoints'] = array(
		array( 'url' => $url, 'events' => array( '*' ), 'allow_private' => true ) + $patience + posthorn_default_endpoint(),
	);
	posthorn_replace_settings( $settings );
	posthorn_hand_over_if_needed();
	return array( 'url' => $url );
}
