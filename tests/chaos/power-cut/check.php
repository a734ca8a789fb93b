<?php
/**
 * Opens a queue after a power cut and looks for what had returned before: `php check.php FOLDER MOMENT NOTES…` prints
 * how many had, how many of these are gone, and how long before the cut the first of those had returned (ms).
 */

[ , $folder, $moment ] = $argv;
$returned = array();
foreach ( array_slice( $argv, 3 ) as $notes ) {
	foreach ( file( $notes, FILE_IGNORE_NEW_LINES ) as $line ) {
		[ $at, $id ] = explode( ' ', $line );
		if ( 'refused' !== $id && (int) $at < (int) $moment ) {
			$returned[ $id ] = (int) $at;
		}
	}
}
$queue = Posthorn\Queue::open( $folder, array( 'background' => false ) );
$count = count( $returned );
$page  = array( 'limit' => 1000 );
while ( $rows = $queue->deliveries( $page ) ) {
	foreach ( $rows as $row ) {
		unset( $returned[ $row['event_id'] ] );
	}
	$page['before'] = end( $rows )['id'];
}
// It goes on: the queue takes an event and knows its endpoints.
$queue->dispatch( 'contact.updated', array( 'after' => 'the cut' ) );
printf( "%d %d %.1f\n", $count, count( $returned ), $returned ? ( $moment - min( $returned ) ) / 1e6 : 0 );
