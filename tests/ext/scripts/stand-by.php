<?php
// Opens the queue argv[1] and stays; says who sends as soon as somebody does.
$queue = Posthorn\Queue::open( $argv[1] );
// The holder takes the lock before it writes its number.
while ( ! $queue->stats()['dispatcher_pid'] ) {
	usleep( 1000 );
}
echo 'sending ', $queue->stats()['dispatcher_pid'], "\n";
while ( true ) {
	sleep( 1 );
}
