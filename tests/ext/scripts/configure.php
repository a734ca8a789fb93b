<?php
// Configures the queue in argv[1] with the endpoints in argv[2], as JSON.
$options = isset( $argv[3] ) ? json_decode( $argv[3], true ) : [];
Posthorn\Queue::open( $argv[1], $options )->configure( json_decode( $argv[2], true ) );
