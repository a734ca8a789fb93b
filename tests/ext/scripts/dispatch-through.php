<?php
// Dispatches to the queue argv[1] as the plugin does, until the file argv[3] is there: asks for the revision, hands the
// endpoints argv[2] over if the queue has none, and goes on whatever happens. Prints each id that dispatch() returned, and
// "refused CODE MESSAGE" for each exception.
$queue     = null;
$endpoints = json_decode( $argv[2], true );
for ( $n = 1; ! file_exists( $argv[3] ); $n++ ) {
	try {
		$queue ??= Posthorn\Queue::open( $argv[1] );
		if ( null === $queue->revision() ) {
			$queue->configure( $endpoints, '', 1 );
		}
		echo $queue->dispatch( 'deal.won', [ 'n' => $n ], [ 'record' => "deal:$n" ] ), "\n";
	} catch ( Posthorn\Unavailable $error ) {
		echo 'refused ', $error->getCode(), ' ', $error->getMessage(), "\n";
	}
	usleep( 500 );
	clearstatcache();
}
