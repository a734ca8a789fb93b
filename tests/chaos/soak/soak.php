<?php
/**
 * Dispatches and delivers in one process: `php soak.php FOLDER COUNT URL` prints ten lines of a table: events, memory and
 * open descriptors of the process, its threads, sizes of the queue's files. Ends with 1 if memory or a file goes on growing.
 *
 * What was delivered is forgotten after a second, so the queue holds about the same at each of the ten points.
 */

[ , $folder, $count, $url ] = $argv;
$queue = Posthorn\Queue::open( $folder, array( 'keep_delivered' => 1, 'keep_dead' => 1 ) );
$queue->configure( array( array( 'id' => 'all', 'url' => $url, 'secret' => 'only-for-the-soak', 'allow_private' => true ) ) );

const BATCH       = 100;
const MOST_BEHIND = 5000;

$row     = fn( int $n ) => array( 'contact.updated', array( 'contact_id' => $n, 'notes' => str_repeat( 'x', 100 + $n % 1900 ) ), array( 'record' => 'contact:' . $n % 5000 ) );
$private = function (): int {
	preg_match_all( '/^Private_Dirty:\s+(\d+)/m', file_get_contents( '/proc/self/smaps_rollup' ), $found );
	return array_sum( $found[1] );
};
$points  = array();
for ( $n = 0; $n < $count; ) {
	$start = $n;
	$until = min( $count, $n + intdiv( $count, 10 ) );
	for ( ; $n < $until; $n += BATCH ) {
		// Half one by one, half together.
		if ( 0 === intdiv( $n, BATCH ) % 2 ) {
			$queue->dispatchMany( array_map( $row, range( $n, $n + BATCH - 1 ) ) );
		} else {
			for ( $i = 0; $i < BATCH; $i++ ) {
				$queue->dispatch( ...$row( $n + $i ) );
			}
		}
		while ( $queue->stats()['pending'] > MOST_BEHIND ) {
			usleep( 20000 );
		}
	}
	$end = hrtime( true ) + 60e9;
	while ( $queue->stats()['pending'] > 0 && hrtime( true ) < $end ) {
		usleep( 20000 );
	}
	foreach ( $queue->deliveries( array( 'limit' => 3 ) ) as $delivery ) {
		$queue->delivery( $delivery['id'] );
	}
	clearstatcache();
	$sizes    = array_map( fn( string $name ) => is_file( "$folder/$name" ) ? filesize( "$folder/$name" ) / 1048576 : 0, array( 'queue.db', 'queue.db-wal', 'posthorn.log' ) );
	$stats    = $queue->stats();
	$points[] = array( $private() / 1024, count( scandir( '/proc/self/fd' ) ), count( scandir( '/proc/self/task' ) ) - 2, ...$sizes );
	vprintf( "| %d | %.1f | %d | %d | %.1f | %.1f | %.2f | %d |\n", array( $n, ...end( $points ), $stats['delivered'] ) );
	if ( $stats['pending'] > 0 || $stats['dead'] > 0 ) {
		fwrite( STDERR, "{$stats['pending']} still wait after a minute, {$stats['dead']} are dead\n" );
		exit( 1 );
	}
}

// The first third warms up: caches fill, the queue holds what it holds between two rounds of forgetting.
foreach ( array( 'memory' => array( 0, 2 ), 'descriptors' => array( 1, 3 ), 'threads' => array( 2, 3 ), 'queue.db' => array( 3, 16 ), 'queue.db-wal' => array( 4, 17 ), 'posthorn.log' => array( 5, 0.1 ) ) as $what => [ $column, $slack ] ) {
	$of    = array_column( $points, $column );
	$early = max( array_slice( $of, 0, 4 ) );
	$late  = max( array_slice( $of, 7 ) );
	if ( $late > $early * 1.1 + $slack ) {
		fwrite( STDERR, sprintf( "%s grows: %.1f at first, %.1f at last\n", $what, $early, $late ) );
		exit( 1 );
	}
}
