<?php
// Forks argv[3] children, "before" or "after" the first dispatch; parent and children dispatch argv[4] events each to
// the queue argv[1] and print the ids. Children open the queue, or go on with the object they inherited.
$dispatch = function ( Posthorn\Queue $queue ) use ( $argv ): void {
	for ( $n = 0; $n < (int) $argv[4]; $n++ ) {
		// One write a line: the processes share the file.
		fwrite( STDOUT, $queue->dispatch( 'deal.won', [ 'n' => $n, 'pid' => getmypid() ], [ 'record' => 'deal:' . $n % 10 ] ) . "\n" );
	}
};
if ( 'after' === $argv[2] ) {
	$queue = Posthorn\Queue::open( $argv[1] );
	fwrite( STDOUT, $queue->dispatch( 'deal.won', [ 'n' => 'first' ] ) . "\n" );
}
$children = [];
for ( $n = 0; $n < (int) $argv[3]; $n++ ) {
	$child = pcntl_fork();
	if ( 0 === $child ) {
		$dispatch( 'after' === $argv[2] && 0 === $n % 2 ? $queue : Posthorn\Queue::open( $argv[1] ) );
		exit( 0 );
	}
	$children[] = $child;
}
$dispatch( $queue ?? Posthorn\Queue::open( $argv[1] ) );
$failed = 0;
foreach ( $children as $child ) {
	pcntl_waitpid( $child, $status );
	$failed += (int) ( ! pcntl_wifexited( $status ) || 0 !== pcntl_wexitstatus( $status ) );
}
exit( $failed );
