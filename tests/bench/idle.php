<?php
/**
 * Event to receiver while nothing else happens: `php idle.php WAY FOLDER COUNT URL`, irregularly spaced, each event with
 * the moment before dispatch() in it. The receiver has the other moment, by the same clock (CLOCK_MONOTONIC).
 *
 * thread  shipped defaults      worker  another process sends      curl  the floor: a kept connection in this process
 */

require __DIR__ . '/payload.php';

[ , $way, $folder, $count, $url ] = $argv;
mt_srand( 7 );

if ( 'curl' === $way ) {
	$curl = curl_init( $url );
	curl_setopt_array( $curl, array( CURLOPT_POST => true, CURLOPT_RETURNTRANSFER => true ) );
	$send = function ( array $row ) use ( $curl ) {
		curl_setopt( $curl, CURLOPT_POSTFIELDS, json_encode( $row ) );
		curl_exec( $curl );
	};
} else {
	$queue = Posthorn\Queue::open( $folder, 'worker' === $way ? array( 'background' => false ) : array() );
	$queue->configure( array( bench_endpoint( $url ) ) );
	usleep( 500000 );
	$send = fn( array $row ) => $queue->dispatch( BENCH_EVENT, $row, array( 'record' => 'contact:' . $row['contact_id'] ) );
}
for ( $n = 0; $n < $count; $n++ ) {
	usleep( mt_rand( 3000, 30000 ) );
	$row = bench_row( $n );
	// A string: JavaScript's numbers end at 2^53.
	$row['sent_ns'] = 't' . hrtime( true );
	$send( $row );
}
usleep( 300000 );
