<?php
/**
 * Dispatches until its input ends: `php write.php FOLDER SYNC URL NOTES`. Every id that was returned is noted in NOTES, which is
 * on another disk, with the moment it was returned (CLOCK_MONOTONIC). One call in eight hands over ten events.
 */

[ , $folder, $sync, $url, $notes ] = $argv;

$queue = Posthorn\Queue::open( $folder, array( 'sync' => $sync ) );
$queue->configure( array( array( 'id' => 'all', 'url' => $url, 'allow_private' => true ) ), '', 1 );
$notes = fopen( $notes, 'a' );
stream_set_blocking( STDIN, false );
$event = fn( int $n ) => array( 'contact.updated', array( 'n' => $n, 'text' => str_repeat( 'x', 900 ) ), array( 'record' => getmypid() . ":$n" ) );
for ( $n = 0; ! feof( STDIN ); $n += 10 ) {
	fread( STDIN, 1 );
	if ( 'normal' === $sync ) {
		// The disk is slow and small, and here nobody waits for it.
		usleep( 1000 );
	}
	try {
		$ids = 0 === mt_rand( 0, 7 ) ? $queue->dispatchMany( array_map( $event, range( $n, $n + 9 ) ) ) : array( $queue->dispatch( ...$event( $n ) ) );
	} catch ( Posthorn\Exception $error ) {
		fwrite( $notes, hrtime( true ) . ' refused ' . $error->getCode() . ' ' . $error->getMessage() . "\n" );
		usleep( 20000 );
		continue;
	}
	$now = hrtime( true );
	foreach ( $ids as $id ) {
		fwrite( $notes, "$now $id\n" );
	}
}
