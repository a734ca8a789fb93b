<?php
// Sends for the queue argv[1], or stands by if argv[2] is given, forks a child that sleeps, and sleeps too.
$queue = Posthorn\Queue::open( $argv[1] );
while ( ! isset( $argv[2] ) && getmypid() !== $queue->stats()['dispatcher_pid'] ) {
	usleep( 1000 );
}
if ( isset( $argv[2] ) ) {
	// Long enough to have connected to whoever sends.
	usleep( 200_000 );
}
$child = pcntl_fork();
if ( 0 === $child ) {
	sleep( 600 );
	exit( 0 );
}
echo "child $child\n";
echo "sending\n";
sleep( 600 );
