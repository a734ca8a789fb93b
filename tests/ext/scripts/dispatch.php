<?php
// Opens the queue in argv[1] with the options argv[4], configures it with the endpoints in argv[2] unless that is
// "-", dispatches argv[3] events, prints their ids and ends at once.
$queue = Posthorn\Queue::open( $argv[1], json_decode( $argv[4] ?? '[]', true ) );
if ( '-' !== $argv[2] ) {
	$queue->configure( json_decode( $argv[2], true ) );
}
for ( $n = 1; $n <= (int) $argv[3]; $n++ ) {
	echo $queue->dispatch( 'deal.won', [ 'n' => $n ], [ 'record' => "deal:$n" ] ), "\n";
}
