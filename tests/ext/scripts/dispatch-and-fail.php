<?php
// Dispatches to the queue argv[1], prints the id and ends as argv[2] says; "… inside": while an object of a second
// event is read.

final class Failing implements JsonSerializable {
	public function __construct( private Closure $act ) {}

	public function jsonSerialize(): mixed {
		return ( $this->act )();
	}
}

[ $how, $inside ] = explode( ' ', $argv[2] ) + [ 1 => '' ];
$act              = function () use ( $how ) {
	switch ( $how ) {
		case 'throw':
			throw new RuntimeException( 'on purpose' );
		case 'exit':
			exit( 3 );
		case 'fatal':
			// An error that no code can catch.
			eval( 'interface Wanting extends Traversable {} final class Bad implements Wanting {}' );
		case 'memory':
			return str_repeat( 'x', 1 << 30 );
		case 'limit':
			set_time_limit( 1 );
			for ( ; ; ) {
				hash( 'sha256', 'busy' );
			}
	}
};

$queue = Posthorn\Queue::open( $argv[1] );
fwrite( STDOUT, $queue->dispatch( 'deal.won', [ 'how' => $argv[2] ] ) . "\n" );
$inside ? $queue->dispatch( 'deal.won', [ 'object' => new Failing( $act ) ] ) : $act();
