<?php
// Sends an event to the endpoint argv[2] through the queue argv[1] and prints the attempt as JSON.
echo json_encode( Posthorn\Queue::open( $argv[1] )->send( json_decode( $argv[2], true ), 'deal.won', [ 'n' => 1 ] ) );
