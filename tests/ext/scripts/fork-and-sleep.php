<?php
// Sends for the queue argv[1], forks a child that sleeps, and sleeps too.
$queue = Posthorn\Queue::open( $argv[1] );
while ( getmypid() !== $queue->stats()['dispatcher_pid'] ) {
	usleep( 1000 );
}
$child = pcntl_fork();
if ( 0 === $child ) {
	sleep( 600 );
	exit( 0 );
}
echo "child $child\n";
echo "sending\n";
sleep( 600 );
