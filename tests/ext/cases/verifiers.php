<?php
/** What receivers verify with: libraries that others wrote, over requests that were really sent. */

declare(strict_types=1);

/** What tests/verifiers/verify.js says of each request: library => verdict. @return list<array<string, string>> */
function verified_by_libraries( array $requests ): array {
	$process = proc_open( [ 'node', dirname( __DIR__, 2 ) . '/verifiers/verify.js' ], [ [ 'pipe', 'r' ], [ 'pipe', 'w' ], STDERR ], $pipes );
	fwrite( $pipes[0], json_encode( $requests, JSON_THROW_ON_ERROR ) );
	fclose( $pipes[0] );
	$verdicts = json_decode( stream_get_contents( $pipes[1] ), true, 512, JSON_THROW_ON_ERROR );
	same( 0, proc_close( $process ), 'exit status of verify.js' );
	return array_map( fn( $list ) => array_column( $list, 1, 0 ), $verdicts );
}

return [
	'the libraries of standard-webhooks, svix, stripe and github accept what is sent, and nothing that was changed' => function ( Bed $bed ) {
		$libraries = [ 'standard-webhooks' => [ 'standardwebhooks', 'svix' ], 'stripe' => [ 'stripe' ], 'github' => [ '@octokit/webhooks-methods' ] ];
		$data      = [ 'deal_id' => 15, 'title' => "Zoë / \u{1f600} \u{2028} \"x\"", 'amount' => 1.0, '10' => -0.0, 'big' => 9007199254740993 ];
		foreach ( $libraries as $format => $names ) {
			$receiver = $bed->receiver();
			$new      = Posthorn\generate_secret( $format );
			$old      = Posthorn\generate_secret( $format );
			$ended    = Posthorn\generate_secret( $format );
			$secrets  = [
				$new,
				[ 'secret' => $old, 'until' => gmdate( 'Y-m-d\TH:i:s\Z', time() + 3600 ) ],
				[ 'secret' => $ended, 'until' => '2020-01-01T00:00:00Z' ],
			];
			$queue    = $bed->queue( [ endpoint( $receiver->hook, [ 'format' => $format, 'secret' => $secrets ] ) ] );
			$queue->dispatch( 'deal.won', $data, [ 'record' => 'deal:15' ] );
			$request = $receiver->wait_for_requests( 1 )[0];
			$sent    = fn( array $other = [] ) => $other + [ 'format' => $format, 'secret' => $new, 'headers' => $request['headers'], 'body' => $request['body'] ];
			// The header of GitHub holds one signature: the new secret's.
			$both     = 'github' === $format ? 'verify() says no' : 'ok';
			[ $with_new, $with_old, $with_ended, $changed, $foreign ] = verified_by_libraries(
				[
					$sent(),
					$sent( [ 'secret' => $old ] ),
					$sent( [ 'secret' => $ended ] ),
					$sent( [ 'body' => str_replace( '15', '16', $request['body'] ) ] ),
					$sent( [ 'secret' => Posthorn\generate_secret( $format ) ] ),
				]
			);
			same( array_fill_keys( $names, 'ok' ), $with_new, "$format: the newest secret" );
			same( array_fill_keys( $names, $both ), $with_old, "$format: the older one, which still lives" );
			foreach ( [ 'ended' => $with_ended, 'another' => $foreign, 'the body changed' => $changed ] as $what => $verdicts ) {
				same( $names, array_keys( $verdicts ), "$format: libraries" );
				holds( ! in_array( 'ok', $verdicts, true ), "$format: the secret, $what: " . shown( $verdicts ) );
			}
			$queue->configure( [] );
		}
	},

	'the documented recipe of each of the five systems accepts what is sent' => function ( Bed $bed ) {
		// Those that take https only are asked by preview(), which renders and signs as a request is.
		foreach ( [ 'wpresidence', 'winnerr', 'winnerr-settings', 'realtorbot', 'real-estate' ] as $format ) {
			$secret  = Posthorn\generate_secret( $format );
			$queue   = $bed->queue( [], [ 'background' => false ] );
			$preview = $queue->preview( [ 'url' => 'https://a.example/', 'format' => $format, 'secret' => $secret ], 'property.price_changed',
				[ 'id' => 9, 'title' => "Zoë / \u{1f600}", 'price' => 725000.0, '2' => 1 ], [ 'previous' => [ 'price' => 750000 ] ] );
			$script  = 'const { verify } = require(process.argv[1]); const r = JSON.parse(require("fs").readFileSync(0, "utf8"));
				const lower = Object.fromEntries(Object.entries(r.headers).map(([k, v]) => [k.toLowerCase(), v]));
				const result = verify(lower, Buffer.from(r.body), [r.secret], Date.now() / 1000);
				console.log(result.state, result.format, JSON.stringify(JSON.parse(r.body)) === r.body);';
			$process = proc_open( [ 'node', '-e', $script, dirname( __DIR__, 2 ) . '/receiver/signatures.js' ], [ [ 'pipe', 'r' ], [ 'pipe', 'w' ], STDERR ], $pipes );
			fwrite( $pipes[0], json_encode( $preview + [ 'secret' => $secret ] ) );
			fclose( $pipes[0] );
			same( "ok $format true\n", stream_get_contents( $pipes[1] ), $format );
			proc_close( $process );
		}
	},
];
