<?php
/**
 * What wp posthorn test, preview and webhook test have in common.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/trial.php';

/**
 * A command that tries an endpoint.
 */
abstract class Posthorn_CLI_Trial extends Posthorn_CLI_Door {

	/**
	 * The endpoint that is tried.
	 *
	 * @param string|null $receiver A URL or an id; null for the endpoint that the settings page edits.
	 * @param array       $options  --wire-format, --secret, --allow-private.
	 */
	protected function endpoint( ?string $receiver, array $options ): array {
		$named = array_filter(
			array(
				'format'        => $options['wire-format'] ?? null,
				'secret'        => $options['secret'] ?? null,
				'allow_private' => ! empty( $options['allow-private'] ),
			)
		);
		if ( null !== $receiver && ( str_contains( $receiver, ':' ) || null === posthorn_find_endpoint( $receiver ) ) ) {
			if ( ! str_contains( $receiver, ':' ) ) {
				WP_CLI::error( sprintf( 'There is no webhook with the id “%s”, and a URL begins with https://. wp posthorn webhook list shows the ids.', $receiver ) );
			}
			return $this->attempt( static fn() => posthorn_trial_endpoint( array( 'url' => $receiver ) + $named ) );
		}
		if ( null === $receiver && array() === posthorn_settings()['endpoints'] ) {
			WP_CLI::error( 'No receiver is saved. Give a URL: wp posthorn test https://…' );
		}
		// What is saved is tried with another secret: --secret helps where the one that is saved cannot be read.
		return $this->attempt( static fn() => posthorn_trial_endpoint( array( 'webhook' => $receiver ) + array_filter( $named, 'is_bool' ), $named['secret'] ?? null ) );
	}

	/**
	 * Prints what came of a test, and ends the command with 1 if the receiver did not accept it.
	 *
	 * @param array $result  What posthorn_test() returned.
	 * @param array $options --format.
	 */
	protected function print_result( array $result, array $options ): void {
		if ( 'text' !== ( $options['format'] ?? 'text' ) ) {
			$this->print_one( $result, $options );
			if ( ! $result['ok'] ) {
				WP_CLI::halt( 1 );
			}
			return;
		}
		if ( null !== $result['status'] ) {
			WP_CLI::log( sprintf( 'Status: %s %s', $result['status'], get_status_header_desc( $result['status'] ) ) );
		}
		WP_CLI::log( sprintf( 'Time taken: %.1f ms', $result['duration_ms'] ) );
		if ( '' !== $result['answer'] ) {
			WP_CLI::log( 'Answer: ' . self::plain( $result['answer'] ) );
		}
		if ( ! $result['ok'] ) {
			WP_CLI::error( trim( $result['title'] . ' ' . ucfirst( $result['advice'] ) ) );
		}
		WP_CLI::success( $result['title'] );
	}
}
