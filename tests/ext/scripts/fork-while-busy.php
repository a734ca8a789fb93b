<?php
// Forks argv[2] times while the queue argv[1] is being sent; each child dispatches once and ends or is killed.
$queue = Posthorn\Queue::open( $argv[1] );
$print = fn( string $id ) => fwrite( STDOUT, "$id\n" );
for ( $n = 0; $n < (int) $argv[2]; $n++ ) {
	for ( $event = 0; $event < 10; $event++ ) {
		$print( $queue->dispatch( 'deal.won', [ 'n' => $n ], [ 'record' => "deal:$event" ] ) );
	}
	$child = pcntl_fork();
	if ( 0 === $child ) {
		$print( $queue->dispatch( 'deal.lost', [ 'n' => $n ] ) );
		posix_kill( getmypid(), SIGKILL );
	}
	pcntl_waitpid( $child, $status );
	if ( ! pcntl_wifsignaled( $status ) || SIGKILL !== pcntl_wtermsig( $status ) ) {
		fwrite( STDERR, "child $n ended with $status\n" );
		exit( 1 );
	}
}
