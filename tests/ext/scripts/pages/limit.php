<?php
// Lives under a time limit of `limit` seconds of processor time while the thread of its process works on the queue
// `queue`. `how`: "idle" waits until the process has used `seconds` of it,
// "burn" uses it itself, "reset" sets the limit anew all the time for `seconds` and then burns,
// "none" takes the limit away and burns.
$queue = Posthorn\Queue::open( $_GET['queue'] );
$limit = (int) $_GET['limit'];
$until = microtime( true ) + (float) $_GET['seconds'];
$used  = function (): float {
	$usage = getrusage();
	return $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'] + ( $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'] ) / 1e6;
};
$before = $used();
set_time_limit( $limit );
if ( 'idle' === $_GET['how'] ) {
	for ( $late = microtime( true ) + 40; $used() - $before < (float) $_GET['seconds'] && microtime( true ) < $late; ) {
		usleep( 20_000 );
	}
} elseif ( 'reset' === $_GET['how'] ) {
	while ( microtime( true ) < $until ) {
		set_time_limit( $limit );
		for ( $n = 0; $n < 200; $n++ ) {
			hash( 'sha256', 'busy' );
		}
	}
	$until += 30;
} elseif ( 'none' === $_GET['how'] ) {
	while ( microtime( true ) < $until - (float) $_GET['seconds'] / 2 ) {
		set_time_limit( 1 );
		set_time_limit( 0 );
		usleep( 200 );
	}
}
if ( 'idle' !== $_GET['how'] ) {
	echo "burning\n";
	while ( microtime( true ) < $until ) {
		hash( 'sha256', 'busy' );
	}
}
printf( "done %.3f\n", $used() - $before );
