<?php
/** Which proxy a process uses: the endpoint's, or the one that its own environment names. */

declare(strict_types=1);

/** The receiver's hook under a name that only a proxy knows. */
function behind_the_proxy( Receiver $receiver ): string {
	return str_replace( '127.0.0.1', 'receiver.test', $receiver->hook );
}

/** Sends from a new process with these variables in its environment; returns the attempt. */
function send_from( Bed $bed, array $environment, array $endpoint ): array {
	$before = [ 'env' ];
	foreach ( $environment as $name => $value ) {
		$before[] = "$name=$value";
	}
	return json_decode( $bed->run( 'send', [ $bed->queue_folder(), json_encode( $endpoint ) ], [], $before ), true );
}

/** Whether the receiver's name was looked up here, in vain: a machine without DNS may wait for the answer. */
function is_unknown_here( array $attempt ): bool {
	return ! $attempt['ok'] && in_array( $attempt['error_kind'], [ 'dns', 'timeout' ], true ) && str_contains( $attempt['error'], 'receiver.test' );
}

return [
	'http_proxy of the environment is used, HTTP_PROXY never is' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$proxy    = $bed->proxy();
		$endpoint = endpoint( behind_the_proxy( $receiver ), [ 'timeout' => 5 ] );
		$sent     = send_from( $bed, [ 'http_proxy' => $proxy->address ], $endpoint );
		same( [ true, 200 ], [ $sent['ok'], $sent['status'] ], 'ok, status' );
		same( [ parse_url( $endpoint['url'], PHP_URL_HOST ) . ':' . parse_url( $endpoint['url'], PHP_URL_PORT ) ], array_column( $proxy->asked(), 'target' ), 'asked for' );
		// CGI makes this variable of the request's header `Proxy`.
		$sent = send_from( $bed, [ 'HTTP_PROXY' => $proxy->address ], $endpoint );
		holds( is_unknown_here( $sent ), $sent['error'] ?? 'it was sent' );
		same( 1, count( $proxy->asked() ), 'times asked' );
	},

	'an endpoint has its own proxy, or none, whatever the environment names' => function ( Bed $bed ) {
		$receiver  = $bed->receiver();
		[ $of_environment, $own ] = [ $bed->proxy(), $bed->proxy() ];
		$variables = [ 'http_proxy' => $of_environment->address ];
		$with_user = str_replace( 'http://', 'http://me:hu%40sh@', $own->address );
		$sent      = send_from( $bed, $variables, endpoint( behind_the_proxy( $receiver ), [ 'proxy' => $with_user ] ) );
		same( true, $sent['ok'], 'ok' );
		same( [ 'Basic ' . base64_encode( 'me:hu@sh' ) ], array_column( $own->asked(), 'authorization' ), 'authorization' );
		holds( ! str_contains( json_encode( $sent ), 'sh@' ), 'the attempt shows no password' );
		same( true, send_from( $bed, $variables, endpoint( $receiver->hook, [ 'proxy' => false ] ) )['ok'], 'ok without' );
		same( true, send_from( $bed, $variables, endpoint( $receiver->hook ) )['ok'], 'ok for this machine' );
		same( [], $of_environment->asked(), 'asked of the other' );
	},

	'NO_PROXY is obeyed, and a proxy that cannot be used stops the request' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$proxy    = $bed->proxy();
		$endpoint = endpoint( behind_the_proxy( $receiver ), [ 'timeout' => 5 ] );
		$sent     = send_from( $bed, [ 'http_proxy' => $proxy->address, 'NO_PROXY' => '.test' ], $endpoint );
		holds( is_unknown_here( $sent ), $sent['error'] ?? 'it was sent' );
		$sent = send_from( $bed, [ 'http_proxy' => 'socks5://me:hush@127.0.0.1' ], $endpoint );
		same( 'settings', $sent['error_kind'], 'kind' );
		holds( str_contains( $sent['error'], 'http_proxy' ) && ! str_contains( $sent['error'], 'hush' ), $sent['error'] );
		same( [], $proxy->asked(), 'asked' );
	},

	'the background thread of a PHP-FPM worker uses the proxy of its pool' => function ( Bed $bed ) {
		$receiver = $bed->receiver();
		$proxy    = $bed->proxy();
		$folder   = Pool::folder_for_workers( $bed->folder . '/shared' ) . '/queue';
		$bed->run( 'configure', [ $folder, json_encode( [ endpoint( behind_the_proxy( $receiver ) ) ] ) ], [ 'posthorn.background' => '0' ] );
		$pool = $bed->pool( [ 'env[http_proxy]' => $proxy->address ] );
		$pool->get( 'dispatch', [ 'queue' => $folder, 'n' => 3 ] );
		$receiver->wait_for_requests( 3 );
		holds( count( $proxy->asked() ) >= 1, 'the proxy was asked' );
	},

	'what is stored of an endpoint keeps its proxy and shows it nowhere' => function ( Bed $bed ) {
		$queue = $bed->queue( [ endpoint( 'http://receiver.test:9/', [ 'proxy' => 'http://me:hush@127.0.0.1:9' ] ) ] );
		$queue->dispatch( 'deal.won', [] );
		$dead = wait_for( 10, 'an attempt is made', function () use ( $queue ) {
			$delivery = $queue->deliveries()[0];
			return $delivery['attempts'] ? $queue->delivery( $delivery['id'] ) : null;
		} );
		holds( str_contains( $dead['last_error'], 'the proxy 127.0.0.1' ), $dead['last_error'] );
		holds( ! str_contains( json_encode( [ $dead, $queue->endpoints(), $queue->stats() ] ) . $bed->logs(), 'hush' ), 'nothing shows the password' );
	},
];
