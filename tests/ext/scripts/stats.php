<?php
// Prints what the queue argv[1] tells of itself, and how long that took.
$queue = Posthorn\Queue::open( $argv[1], [ 'background' => false ] );
$began = microtime( true );
$stats = $queue->stats();
echo json_encode( $stats + [ 'took_s' => microtime( true ) - $began ] );
