<?php
// Prints what can be told of the directory argv[1] without opening a queue.
echo json_encode( Posthorn\inspect( $argv[1] ) );
