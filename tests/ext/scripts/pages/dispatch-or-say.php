<?php
// Dispatches an event to the queue `queue` and prints its id, or "refused CODE MESSAGE".
try {
	echo Posthorn\Queue::open( $_GET['queue'] )->dispatch( 'deal.won', [ 'text' => str_repeat( 'x', (int) ( $_GET['bytes'] ?? 10 ) ) ] );
} catch ( Posthorn\Unavailable $error ) {
	echo 'refused ', $error->getCode(), ' ', $error->getMessage();
}
