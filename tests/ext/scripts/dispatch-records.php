<?php
// Dispatches argv[4] events each about argv[3] records named argv[2], mixed, to the queue argv[1].
$queue = Posthorn\Queue::open( $argv[1] );
for ( $n = 1; $n <= (int) $argv[4]; $n++ ) {
	$events = [];
	for ( $record = 1; $record <= (int) $argv[3]; $record++ ) {
		$events[] = [ 'deal.won', [ 'record' => "$argv[2]:$record", 'n' => $n ], [ 'record' => "$argv[2]:$record" ] ];
	}
	if ( 0 === $n % 2 ) {
		$queue->dispatchMany( $events );
	} else {
		foreach ( $events as $event ) {
			$queue->dispatch( ...$event );
		}
	}
}
