<?php
/**
 * What `wp posthorn test` tests.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/secrets.php';

/**
 * The endpoint that `wp posthorn test` is to test. Ends the command if there is none.
 *
 * @param string|null $url     A URL, or null for the saved receiver.
 * @param array       $options Options.
 */
function posthorn_cli_test_endpoint( ?string $url, array $options ): array {
	if ( null === $url ) {
		$stored = posthorn_main_endpoint( posthorn_settings() );
		if ( null === $stored ) {
			WP_CLI::error( 'No receiver is saved. Give a URL: wp posthorn test https://…' );
		}
		$endpoint = posthorn_for_queue( $stored );
		if ( null === $endpoint && ! isset( $options['secret'] ) ) {
			WP_CLI::error( posthorn_secret_problem() . ' --secret sends this test with another one.' );
		}
		$endpoint ??= $stored;
	} else {
		$endpoint = array( 'url' => $url );
	}
	$endpoint['events'] = array( '*' );
	if ( isset( $options['secret'] ) ) {
		$endpoint['secret'] = (string) $options['secret'];
	}
	if ( ! empty( $options['allow-private'] ) ) {
		$endpoint['allow_private'] = true;
	}
	return $endpoint;
}
