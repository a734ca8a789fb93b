<?php
// Works on the queue argv[1] for argv[2] seconds, as a service would.
$queue = Posthorn\Queue::open( $argv[1], [ 'background' => false ] );
echo "working \n";
echo 'settled ', $queue->work( (float) $argv[2] ), "\n";
