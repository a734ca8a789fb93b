<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

use CURLStringFile;

/**
 * Somebody with a browser without JavaScript, who visits the served site.
 */
final class Visitor {

	private string $cookies;

	public function __construct() {
		$this->cookies = tempnam( sys_get_temp_dir(), 'posthorn-visitor' );
	}

	public function __destruct() {
		@unlink( $this->cookies );
	}

	/** Somebody who has logged in. */
	public static function logged_in( string $user, string $password ): self {
		$visitor = new self();
		// The log-in form sets a cookie first, to see whether cookies are taken.
		$visitor->get( '/wp-login.php' );
		$page = $visitor->post(
			'/wp-login.php',
			array(
				'log'         => $user,
				'pwd'         => $password,
				'testcookie'  => '1',
				'redirect_to' => getenv( 'POSTHORN_SITE' ) . '/wp-admin/profile.php',
			)
		);
		if ( ! str_contains( $page->address, 'profile.php' ) ) {
			throw new \RuntimeException( "$user could not log in: $page->status $page->address" );
		}
		return $visitor;
	}

	public function get( string $address ): Page {
		return $this->request( $address, null );
	}

	public function post( string $address, array $fields ): Page {
		return $this->request( $address, http_build_query( $fields ) );
	}

	/** Posts a form with a file in it. */
	public function upload( string $address, array $fields, string $name, string $content ): Page {
		$curl = $this->prepare( $address, null );
		curl_setopt( $curl, CURLOPT_POSTFIELDS, $fields + array( $name => new CURLStringFile( $content, 'file.json', 'application/json' ) ) );
		return self::page( $curl, curl_exec( $curl ) );
	}

	/**
	 * Posts several forms at the same moment.
	 *
	 * @param string  $address Where to.
	 * @param array[] $posts   Fields of each.
	 * @return Page[]
	 */
	public function post_at_once( string $address, array $posts ): array {
		$together = curl_multi_init();
		$curls    = array();
		foreach ( $posts as $n => $fields ) {
			$curls[ $n ] = $this->prepare( $address, http_build_query( $fields ) );
			curl_multi_add_handle( $together, $curls[ $n ] );
		}
		do {
			curl_multi_exec( $together, $running );
			curl_multi_select( $together, 0.1 );
		} while ( $running > 0 );
		return array_map( static fn( $curl ) => self::page( $curl, curl_multi_getcontent( $curl ) ), $curls );
	}

	private function request( string $address, ?string $body ): Page {
		$curl = $this->prepare( $address, $body );
		$text = curl_exec( $curl );
		if ( false === $text ) {
			throw new \RuntimeException( "$address: " . curl_error( $curl ) );
		}
		return self::page( $curl, $text ); // Cookies are written when the handle is gone.
	}

	private static function page( \CurlHandle $curl, string $text ): Page {
		return new Page( curl_getinfo( $curl, CURLINFO_EFFECTIVE_URL ), curl_getinfo( $curl, CURLINFO_RESPONSE_CODE ), $text );
	}

	private function prepare( string $address, ?string $body ): \CurlHandle {
		$url  = str_starts_with( $address, 'http' ) ? $address : getenv( 'POSTHORN_SITE' ) . $address;
		$curl = curl_init( $url );
		curl_setopt_array(
			$curl,
			array(
				CURLOPT_RETURNTRANSFER => true,
				CURLOPT_FOLLOWLOCATION => true,
				CURLOPT_COOKIEJAR      => $this->cookies,
				CURLOPT_COOKIEFILE     => $this->cookies,
				CURLOPT_TIMEOUT        => 60,
				CURLOPT_REFERER        => $url,
			) + ( null === $body ? array() : array( CURLOPT_POSTFIELDS => $body ) )
		);
		return $curl;
	}
}
