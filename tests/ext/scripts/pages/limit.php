<?php
// Lives under a time limit of `limit` seconds of processor time while the thread of its process works on the queue
// `queue`. `how`: "idle" waits until the process has used `seconds` of it, "burn" uses it itself, "reset" sets the
// limit anew all the time for `seconds` and then burns, "none" takes the limit away and burns. Says "done" if it is
// not killed, and in the end what the page has burned and what its process has used, in seconds.
$queue = Posthorn\Queue::open( $_GET['queue'] );
$limit = (int) $_GET['limit'];
$used  = function (): float {
	$usage = getrusage();
	return $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'] + ( $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'] ) / 1e6;
};
// The page's own thread, as the kernel counts it.
$own    = fn(): float => (float) file_get_contents( '/proc/thread-self/schedstat' ) / 1e9;
$before = $used();
$began  = $own();
register_shutdown_function( function () use ( $used, $own, $before, &$began ) {
	printf( "page %.3f process %.3f\n", $own() - $began, $used() - $before );
} );
$burn = function ( float $seconds ) use ( $own ): void {
	for ( $until = $own() + $seconds; $own() < $until; ) {
		for ( $n = 0; $n < 500; $n++ ) {
			hash( 'sha256', 'busy' );
		}
	}
};

set_time_limit( $limit );
switch ( $_GET['how'] ) {
	case 'idle':
		for ( $late = microtime( true ) + 40; $used() - $before < (float) $_GET['seconds'] && microtime( true ) < $late; ) {
			usleep( 20_000 );
		}
		break;
	case 'reset':
		for ( $until = $own() + (float) $_GET['seconds']; $own() < $until; ) {
			set_time_limit( $limit );
			for ( $n = 0; $n < 200; $n++ ) {
				hash( 'sha256', 'busy' );
			}
		}
		$began = $own();
		echo "burning\n";
		$burn( 8 );
		break;
	case 'none':
		for ( $until = microtime( true ) + 1; microtime( true ) < $until; ) {
			set_time_limit( 1 );
			set_time_limit( 0 );
			usleep( 200 );
		}
		// No break: now it has no limit.
	case 'burn':
		$burn( (float) $_GET['seconds'] );
}
echo "done\n";
