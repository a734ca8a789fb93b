<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

/**
 * The test receiver (tests/receiver) as a test uses it. Each test has a path of its own, so nothing that another one
 * caused is counted.
 */
final class Receiver {

	private string $path;

	public function __construct( string $name ) {
		$this->path = '/hook/' . $name . '-' . bin2hex( random_bytes( 4 ) );
	}

	/** The URL that a webhook is sent to. */
	public function url(): string {
		return preg_replace( '#/hook$#', '', getenv( 'RECEIVER_HOOK' ) ) . $this->path;
	}

	/** What arrived here, oldest first. */
	public function requests(): array {
		return self::call( 'GET', 'requests?limit=100000&path=' . rawurlencode( $this->path ) )['requests'];
	}

	/** The names of the events that arrived here, oldest first. */
	public function events(): array {
		return array_column( $this->requests(), 'event' );
	}

	/** Has every request to this path answered by a rule of tests/receiver/behaviour.js. */
	public function behave( array $rule ): void {
		$answer = self::call( 'POST', 'control', $rule + array( 'path' => $this->path ) );
		if ( isset( $answer['error'] ) ) {
			throw new \RuntimeException( $answer['error'] );
		}
	}

	/** Closes the port that takes webhooks, for everybody. */
	public static function refuse(): void {
		self::call( 'POST', 'control', array( 'mode' => 'refuse' ) );
	}

	/** Every path answers 200 again. */
	public static function reset(): void {
		self::call( 'DELETE', 'control' );
	}

	/**
	 * Waits until so many requests are here, and returns them.
	 *
	 * @param int   $count   How many.
	 * @param float $seconds For how long at most.
	 */
	public function wait_for( int $count, float $seconds = 15.0 ): array {
		$deadline = microtime( true ) + $seconds;
		do {
			$requests = $this->requests();
			if ( count( $requests ) >= $count ) {
				return $requests;
			}
			usleep( 5000 );
		} while ( microtime( true ) < $deadline );
		throw new \RuntimeException( sprintf( '%d of %d requests arrived in %.1f s: %s', count( $requests ), $count, $seconds, implode( ' ', array_column( $requests, 'event' ) ) ) );
	}

	private static function call( string $method, string $path, ?array $body = null ): array {
		$curl = curl_init( getenv( 'RECEIVER_PAGE' ) . $path );
		curl_setopt_array(
			$curl,
			array(
				CURLOPT_CUSTOMREQUEST  => $method,
				CURLOPT_RETURNTRANSFER => true,
				CURLOPT_TIMEOUT        => 10,
			) + ( null === $body ? array() : array( CURLOPT_POSTFIELDS => json_encode( $body ) ) )
		);
		$answer = curl_exec( $curl );
		if ( false === $answer ) {
			throw new \RuntimeException( 'the test receiver does not answer: ' . curl_error( $curl ) );
		}
		return json_decode( $answer, true );
	}
}
