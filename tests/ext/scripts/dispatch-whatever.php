<?php
// Dispatches to the queue argv[1] until the file argv[2] is there, whatever is thrown, and prints each id or "CLASS MESSAGE".
$queue = null;
for ( $n = 1; ! file_exists( $argv[2] ); $n++ ) {
	try {
		$queue ??= Posthorn\Queue::open( $argv[1] );
		echo $queue->dispatch( 'deal.won', [ 'n' => $n ], [ 'record' => "deal:$n" ] ), "\n";
	} catch ( Exception $error ) {
		echo get_class( $error ), ' ', $error->getMessage(), "\n";
	}
	usleep( 1000 );
	clearstatcache();
}
