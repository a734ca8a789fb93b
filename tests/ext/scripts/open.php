<?php
// Opens the queue in argv[1] and looks at it; prints "opened", or the exception.
try {
	Posthorn\Queue::open( $argv[1], json_decode( $argv[2] ?? '[]', true ) )->stats();
	echo 'opened';
} catch ( Throwable $error ) {
	echo get_class( $error ), ' ', $error->getMessage();
}
