<?php
// Keeps the thread of the queue argv[1] busy and counts the signals that PHP's handlers get, until SIGTERM. Says "NAME n" when
// one was handled, because signals of one kind that wait are one.
$counts = [ 'SIGALRM' => 0, 'SIGUSR1' => 0, 'SIGCHLD' => 0, 'SIGTERM' => 0, 'main_thread_only' => true ];
foreach ( [ 'SIGALRM', 'SIGUSR1', 'SIGCHLD', 'SIGTERM' ] as $name ) {
	pcntl_signal( constant( $name ), function () use ( $name, &$counts ) {
		$counts[ $name ]++;
		'SIGCHLD' === $name || print "$name {$counts[ $name ]}\n";
		// /proc/thread-self is the thread that runs this.
		$counts['main_thread_only'] = $counts['main_thread_only'] && basename( readlink( '/proc/thread-self' ) ) === (string) getmypid();
	} );
}
$queue = Posthorn\Queue::open( $argv[1] );
echo "ready\n";
for ( $n = 0, $until = microtime( true ) + 60; 0 === $counts['SIGTERM'] && microtime( true ) < $until; $n++ ) {
	$queue->dispatch( 'deal.won', [ 'n' => $n ], [ 'record' => 'deal:' . $n % 20 ] );
	if ( 0 === $n % 20 ) {
		$child = proc_open( [ 'true' ], [], $pipes );
		proc_close( $child );
	}
	pcntl_signal_dispatch();
	usleep( 500 );
}
echo 'counts ', json_encode( $counts ), "\n";
