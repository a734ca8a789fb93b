<?php
// Opens argv[2] queues below argv[1] and configures and fills each; prints how many worked, and every error.
$opened = 0;
for ( $n = 0; $n < (int) $argv[2]; $n++ ) {
	try {
		$queue = Posthorn\Queue::open( "$argv[1]/$n" );
		$queue->configure( [ [ 'url' => 'http://127.0.0.1:9/', 'allow_private' => true ] ] );
		$queue->dispatch( 'deal.won', [] );
		$opened++;
	} catch ( Throwable $error ) {
		echo $error->getMessage(), "\n";
	}
}
echo "opened $opened\n";
// Ending a hundred threads in order is not what is tested here.
posix_kill( getmypid(), SIGKILL );
