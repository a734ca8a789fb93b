<?php
// Sends for the queue argv[1]; once the file argv[2] is there, dispatches an event and ends at once.
$queue = Posthorn\Queue::open( $argv[1] );
while ( getmypid() !== $queue->stats()['dispatcher_pid'] ) {
	usleep( 1000 );
}
echo "sending\n";
while ( ! file_exists( $argv[2] ) ) {
	usleep( 5000 );
	clearstatcache();
}
echo 'evt ', $queue->dispatch( 'deal.won', [] ), "\n";
