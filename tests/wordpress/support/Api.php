<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

/**
 * Somebody who uses the served site's REST API from outside, and keeps what was asked and answered.
 */
final class Api {

	/** Every exchange of this process: method, path, status, body, sent. */
	public static array $exchanges = array();

	/** The headers of the last answer, by name in lower case. */
	public array $headers = array();

	/**
	 * @param string|null $who    `user:password`, null for nobody.
	 * @param array       $always Headers of every request, `Name: value`.
	 */
	public function __construct( private ?string $who = null, private array $always = array() ) {}

	/** The administrator, with an application password made for this. */
	public static function administrator(): self {
		return self::user( 1 );
	}

	/** A user, with an application password made for this. */
	public static function user( int $id ): self {
		list( $password ) = \WP_Application_Passwords::create_new_application_password( $id, array( 'name' => 'test ' . bin2hex( random_bytes( 4 ) ) ) );
		return new self( get_userdata( $id )->user_login . ':' . $password );
	}

	public function get( string $path, array $query = array() ): array {
		return $this->ask( 'GET', $path, $query );
	}

	public function post( string $path, array|\stdClass $sent = array() ): array {
		return $this->ask( 'POST', $path, array(), $sent );
	}

	public function patch( string $path, array $sent ): array {
		return $this->ask( 'PATCH', $path, array(), $sent );
	}

	public function delete( string $path, array $query = array() ): array {
		return $this->ask( 'DELETE', $path, $query );
	}

	/**
	 * Asks.
	 *
	 * @return array The answer's status and what its JSON says: `array( 200, … )`.
	 */
	public function ask( string $method, string $path, array $query = array(), array|\stdClass|null $sent = null ): array {
		$url           = getenv( 'POSTHORN_SITE' ) . '/index.php?' . http_build_query( array( 'rest_route' => "/posthorn/v1$path" ) + $query );
		$curl          = curl_init( $url );
		$this->headers = array();
		$options       = array(
			CURLOPT_CUSTOMREQUEST  => $method,
			CURLOPT_RETURNTRANSFER => true,
			CURLOPT_TIMEOUT        => 60,
			CURLOPT_HTTPHEADER     => array_merge( $this->always, array( 'Content-Type: application/json' ) ),
			CURLOPT_HEADERFUNCTION => function ( $curl, string $line ): int {
				$parts = explode( ':', $line, 2 );
				if ( isset( $parts[1] ) ) {
					$this->headers[ strtolower( $parts[0] ) ] = trim( $parts[1] );
				}
				return strlen( $line );
			},
		);
		if ( null !== $this->who ) {
			$options[ CURLOPT_USERPWD ] = $this->who;
		}
		if ( null !== $sent ) {
			$options[ CURLOPT_POSTFIELDS ] = json_encode( array() === $sent ? new \stdClass() : $sent );
		}
		curl_setopt_array( $curl, $options );
		$text = curl_exec( $curl );
		if ( false === $text ) {
			throw new \RuntimeException( "$method $path: " . curl_error( $curl ) );
		}
		$status = curl_getinfo( $curl, CURLINFO_RESPONSE_CODE );
		$body   = json_decode( $text );
		if ( null === $body ) {
			throw new \RuntimeException( "$method $path: $status is not JSON: $text" );
		}
		// Another process has saved.
		posthorn_forget_cached_settings();
		self::$exchanges[] = compact( 'method', 'path', 'status', 'body', 'sent' );
		return array( $status, json_decode( $text, true ) );
	}
}
