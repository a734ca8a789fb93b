<?php
/**
 * What a process that has accepted an event keeps for itself while it does nothing, beside the same process without a
 * queue: `php memory.php WAY FOLDER` prints one line of JSON.
 *
 * without   no queue    stand-by  another process sends    sends  nobody else does, so it would
 */

require __DIR__ . '/payload.php';

[ , $way, $folder ] = $argv;
if ( 'stand-by' === $way ) {
	$other = proc_open( array_merge( explode( ' ', getenv( 'BENCH_PHP' ) ), array( __DIR__ . '/takeover.php', 'stand-by', $folder ) ), array( array( 'pipe', 'r' ), array( 'pipe', 'w' ) ), $pipes );
	fgets( $pipes[1] );
	usleep( 300000 );
}
if ( 'without' !== $way ) {
	$queue = Posthorn\Queue::open( $folder );
	$queue->dispatch( BENCH_EVENT, bench_row( 1 ), array( 'record' => 'contact:1' ) );
	usleep( 500000 );
}
echo json_encode( array( 'way' => "idle-$way", 'private_kib' => bench_private_kib() ) ), "\n";
