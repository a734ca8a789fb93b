<?php
/**
 * Everything the extension does, once and more: `php cycle.php`, with FOLDER, URL and HOW in the environment. HOW is `command` or
 * `page`; a page leaves sending to the thread. Prints `done`.
 */

namespace Posthorn;

$folder   = getenv( 'FOLDER' );
$url      = getenv( 'URL' );
$page     = 'page' === getenv( 'HOW' );
$endpoint = array( 'id' => 'all', 'url' => $url, 'secret' => 'only-for-this', 'allow_private' => true, 'headers' => array( 'X-Mine' => 'yes' ), 'filters' => array() );
$context  = array( 'record' => 'contact:7', 'previous' => array( 'a' => 1 ), 'changes' => array( 'a' ), 'user' => array( 'id' => 1 ), 'source' => 'cli', 'occurred_at' => '2026-04-17T12:34:56Z', 'site_url' => 'https://example.com' );
$data     = array( 'id' => 7, 'float' => 0.1, 'nan' => NAN, 'null' => null, 'text' => "Zo\xc3\xab \xff bad", 'list' => array( 1, 2, array( 'deep' => true ) ), 'object' => (object) array( 'a' => 1 ), 'when' => new \DateTime( '2026-01-02 03:04:05' ) );

$queue = Queue::open( $folder, array( 'sync' => $page ? 'normal' : 'full', 'keep_delivered' => 100, 'max_pending_age' => 1000000, 'max_concurrency' => 4 ) );
$queue->configure( array( $endpoint, array( 'id' => 'refuses', 'url' => 'http://127.0.0.1:9/', 'schedule' => array(), 'allow_private' => true ) ), '', 1 );
$queue->configure( array( $endpoint ), '', (int) $queue->revision() + 1 );
for ( $n = 0; $n < 30; $n++ ) {
	$queue->dispatch( 'contact.updated', $data, $context );
	$queue->dispatchMany( array( array( 'deal.won', $data, array() ), array( 'deal.won', array(), $context ) ) );
}
$queue->preview( $endpoint, 'contact.created', $data, $context );
foreach ( formats() as $format ) {
	// A format that signs nothing takes no secret.
	$secret = null === $format['signature_header'] ? '' : generate_secret( $format['name'] );
	$queue->preview( array( 'format' => $format['name'], 'secret' => $secret, 'url' => 'https://example.com/' ) + $endpoint, 'contact.created', $data, $context );
}
$sent = $queue->send( $endpoint, 'contact.created', $data, $context );
$sent['ok'] || exit( 'send() failed: ' . json_encode( $sent ) );
$queue->send( array( 'url' => 'http://127.0.0.1:9/' ) + $endpoint, 'contact.created', $data, $context );
events();
read_statement( "INSERT INTO wp_contacts (a, b) VALUES (1, 'x'), (2, 'y')", array( 'wp_contacts' => array( array( 'a' ) ) ) );
read_statement( 'UPDATE wp_contacts SET a = (SELECT', array( 'wp_contacts' => 'a' ) );

$wrong = array(
	fn() => Queue::open( 'relative' ),
	fn() => Queue::open( $folder . '/other', array( 'syncs' => 1 ) ),
	fn() => Queue::open( '/proc/nowhere' )->dispatch( 'deal.won', array() ),
	fn() => $queue->configure( array( array( 'url' => 'ftp://x' ) ) ),
	fn() => $queue->dispatch( 'no.such.event', array() ),
	fn() => $queue->dispatch( 'deal.won', array( 'big' => str_repeat( 'x', 2 << 20 ) ) ),
	fn() => $queue->dispatch( 'deal.won', array(), array( 'nonsense' => 1 ) ),
	fn() => $queue->dispatchMany( array( array( 'deal.won' ) ) ),
	fn() => $queue->deliveries( array( 'state' => 'odd' ) ),
	fn() => $queue->delivery( 'dlv_none' ),
	fn() => $queue->work( -1 ),
);
foreach ( $wrong as $n => $act ) {
	try {
		$act();
		exit( "nothing was wrong with $n" );
	} catch ( Exception $error ) {
		(string) $error;
	}
}
$queue->pause( 'other', true );
$queue->paused( 'other' );
$queue->endpoints();
$queue->resume( 'all' );
if ( ! $page ) {
	$queue->work( 1.0 );
}
$end = hrtime( true ) + 120e9;
while ( $queue->stats()['pending'] > 0 && hrtime( true ) < $end ) {
	usleep( 50000 );
}
$queue->stats( '' )['pending'] > 0 && exit( 'deliveries still wait' );
foreach ( $queue->deliveries( array( 'limit' => 5 ) ) as $delivery ) {
	$queue->delivery( $delivery['id'] );
}
// Left in the queue, so that shutdown has something in flight.
$queue->dispatch( 'deal.won', array( 'last' => true ) );
echo "done\n";
