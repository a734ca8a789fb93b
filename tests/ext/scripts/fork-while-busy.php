<?php
// Forks argv[2] times while it sends the queue argv[1]; each child dispatches once and is killed. Ends when all is sent.
$queue = Posthorn\Queue::open( $argv[1] );
// A child that sends would leave requests that have to be repeated, and so would an end of PHP on a machine that is busy.
while ( getmypid() !== $queue->stats()['dispatcher_pid'] ) {
	usleep( 1000 );
}
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
while ( $queue->stats()['pending'] > 0 ) {
	usleep( 1000 );
}
