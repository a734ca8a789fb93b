<?php
// Dispatches `n` events to the queue `queue`; prints how long that took, in ms, and the ids, then sleeps `sleep` seconds.
$began = hrtime( true );
$queue = Posthorn\Queue::open( $_GET['queue'] );
$ids   = [];
for ( $n = 0; $n < (int) $_GET['n']; $n++ ) {
	$ids[] = $queue->dispatch( 'deal.won', [ 'n' => $n, 'pid' => getmypid() ], [ 'record' => 'deal:' . $n % 10 ] );
}
echo ( hrtime( true ) - $began ) / 1e6, "\n", implode( "\n", $ids ), "\n";
// What php.ini buffers would be lost with a worker that is killed.
while ( ob_get_level() > 0 ) {
	ob_end_flush();
}
flush();
if ( isset( $_GET['sleep'] ) ) {
	sleep( (int) $_GET['sleep'] );
}
