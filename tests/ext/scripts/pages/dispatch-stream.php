<?php
// Dispatches `n` events named `name` to the queue `queue` and sends each id to the browser as soon as dispatch() has returned it.
while ( ob_get_level() > 0 ) {
	ob_end_flush();
}
$queue = Posthorn\Queue::open( $_GET['queue'] );
for ( $n = 1; $n <= (int) $_GET['n']; $n++ ) {
	echo $queue->dispatch( 'deal.won', [ 'name' => $_GET['name'], 'n' => $n ], [ 'record' => 'deal:' . $n % 50 ] ), "\n";
	flush();
	usleep( 300 );
}
