<?php
// Dispatches to the queue argv[1], prints the id and ends as argv[2] says.
$queue = Posthorn\Queue::open( $argv[1] );
fwrite( STDOUT, $queue->dispatch( 'deal.won', [ 'how' => $argv[2] ] ) . "\n" );
switch ( $argv[2] ) {
	case 'throw':
		throw new RuntimeException( 'on purpose' );
	case 'exit':
		exit( 3 );
	case 'fatal':
		not_a_function();
	case 'memory':
		str_repeat( 'x', 1 << 30 );
	case 'limit':
		set_time_limit( 1 );
		for ( ; ; ) {
			hash( 'sha256', 'busy' );
		}
}
