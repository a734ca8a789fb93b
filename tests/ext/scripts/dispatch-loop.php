<?php
// Dispatches to the queue argv[1] until it is killed, and prints each id when dispatch() has returned it. Rests argv[3] µs
// between two.
$queue = Posthorn\Queue::open( $argv[1] );
for ( $n = 1; ; $n++ ) {
	$record = 'deal:' . $n % 50;
	if ( 0 === $n % 7 ) {
		$ids = $queue->dispatchMany( array_fill( 0, 5, [ 'deal.won', [ 'name' => $argv[2], 'n' => $n, 'batch' => 5 ], [ 'record' => $record ] ] ) );
	} else {
		$ids = [ $queue->dispatch( 'deal.won', [ 'name' => $argv[2], 'n' => $n ], [ 'record' => $record ] ) ];
	}
	fwrite( STDOUT, implode( "\n", $ids ) . "\n" );
	// Slower than it is sent, so that kills fall on every stage and not on a backlog alone.
	usleep( (int) ( $argv[3] ?? 400 ) );
}
