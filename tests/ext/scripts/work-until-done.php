<?php
// Works on the queue argv[1] until nothing is pending.
$queue = Posthorn\Queue::open( $argv[1] );
do {
	$queue->work( 0.2 );
} while ( $queue->stats()['pending'] > 0 );
