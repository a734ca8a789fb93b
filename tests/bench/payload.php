<?php
/**
 * What every measurement writes and sends: a contact of 1 KB as JSON, another record each time.
 */

const BENCH_EVENT = 'contact.updated';

function bench_row( int $n ): array {
	return array(
		'contact_id' => $n,
		'first_name' => 'Maria',
		'last_name'  => "Lindqvist $n",
		'email'      => "maria.$n@example.com",
		'phone'      => '+46 70 123 45 67',
		'status'     => 'active',
		'score'      => 12.5,
		'agent_id'   => 7,
		'tags'       => array( 'buyer', 'waterfront', 'newsletter' ),
		'budget'     => array( 'from' => 350000, 'to' => 525000, 'currency' => 'EUR' ),
		'notes'      => str_repeat( 'Wants a quiet street, two bedrooms and a garden. ', 13 ),
		'created_at' => '2026-04-17 12:34:56',
		'updated_at' => '2026-04-18 09:10:11',
	);
}

/** The one endpoint: a signed request, everything else by default. */
function bench_endpoint( string $url ): array {
	return array( 'id' => 'bench', 'url' => $url, 'secret' => 'only-for-the-bench', 'allow_private' => true );
}

/** Rows $first … $first + $count - 1, and the same as JSON. */
function bench_rows( int $first, int $count ): array {
	$rows = array_map( 'bench_row', range( $first, $first + $count - 1 ) );
	return array( $rows, array_map( 'json_encode', $rows ) );
}

/** Times $act( $index ) $count times and gives the mean and some percentiles in µs. */
function bench_time( int $count, callable $act, int $pause_us = 0 ): array {
	$took = array();
	for ( $i = 0; $i < $count; $i++ ) {
		if ( $pause_us ) {
			usleep( $pause_us );
		}
		$start  = hrtime( true );
		$act( $i );
		$took[] = hrtime( true ) - $start;
	}
	return bench_summary( $took );
}

/** @param int[] $took Nanoseconds. */
function bench_summary( array $took ): array {
	sort( $took );
	$at = fn( float $share ) => round( $took[ (int) min( count( $took ) - 1, floor( count( $took ) * $share ) ) ] / 1000, 2 );
	return array(
		'count' => count( $took ),
		'mean'  => round( array_sum( $took ) / count( $took ) / 1000, 2 ),
		'p50'   => $at( 0.5 ),
		'p99'   => $at( 0.99 ),
		'max'   => $at( 1 ),
	);
}

/** KiB that this process has written for itself. What is mapped from a file is every process's, however many there are. */
function bench_private_kib(): int {
	preg_match_all( '/^Private_Dirty:\s+(\d+)/m', file_get_contents( '/proc/self/smaps_rollup' ), $found );
	return array_sum( $found[1] );
}

/** Puts events into a queue that nobody sends for, and has them expanded, as a dispatcher does within seconds. */
function bench_fill( Posthorn\Queue $queue, int $count, string $event = BENCH_EVENT ): void {
	$ids = array();
	for ( $n = 0; $n < $count; $n += 1000 ) {
		$batch = array();
		for ( $i = $n; $i < min( $n + 1000, $count ); $i++ ) {
			$batch[] = array( $event, bench_row( $i ), array( 'record' => "contact:$i" ) );
		}
		$ids = $queue->dispatchMany( $batch );
	}
	// Each look expands some more.
	while ( array() === $queue->deliveries( array( 'event_id' => end( $ids ), 'limit' => 1 ) ) ) {
		continue;
	}
}
