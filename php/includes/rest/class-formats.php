<?php
/**
 * REST: the formats.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * GET formats, GET formats/NAME.
 */
class Posthorn_REST_Formats extends Posthorn_REST_Controller {

	/**
	 * Where it is.
	 *
	 * @var string
	 */
	protected $rest_base = 'formats';

	/**
	 * Adds the routes.
	 */
	public function register_routes(): void {
		$this->route(
			'/formats',
			$this->handler(
				WP_REST_Server::READABLE,
				fn( WP_REST_Request $request ) => $this->page_of( posthorn_find_formats(), $request ),
				$this->paging(),
				array(
					'id'      => 'listFormats',
					'summary' => __( 'The formats: how requests look', 'posthorn' ),
					'answer'  => 'format',
					'list'    => true,
				)
			)
		);
		$this->route(
			'/formats/(?P<name>[^/]+)',
			$this->handler(
				WP_REST_Server::READABLE,
				fn( WP_REST_Request $request ) => $this->find( $request['name'] ),
				array( 'name' => self::of( 'string', __( 'Its name.', 'posthorn' ), array( 'required' => true ) ) ),
				array(
					'id'      => 'getFormat',
					'summary' => __( 'A format', 'posthorn' ),
					'answer'  => 'format',
				)
			)
		);
	}

	/**
	 * One of them.
	 *
	 * @param string $name Its name.
	 * @return array|WP_Error
	 */
	private function find( string $name ) {
		$formats = posthorn_find_formats();
		$found   = array_search( $name, array_column( $formats, 'name' ), true );
		/* translators: 1: what was given, 2: a list of names. */
		return false === $found ? $this->not_found( sprintf( __( 'There is no format “%1$s”; there are %2$s.', 'posthorn' ), $name, implode( ', ', array_column( $formats, 'name' ) ) ) ) : $formats[ $found ];
	}

	/**
	 * The whole of a format, in the form that a webhook's `format` takes under another name.
	 */
	private static function definition(): array {
		$text  = array( 'type' => 'string' );
		$texts = static fn( string ...$names ): array => array(
			'type'       => 'object',
			'properties' => array_fill_keys( $names, array( 'type' => 'string' ) ),
		);
		return self::of(
			'object',
			__( 'All of it, to begin a format of one’s own with: give it another name.', 'posthorn' ),
			array(
				'properties' => array(
					'name'            => $text,
					'title'           => $text,
					'timeout_s'       => array( 'type' => 'number' ),
					'schedule_s'      => array(
						'type'  => 'array',
						'items' => array( 'type' => 'number' ),
					),
					'schedule_jitter' => array( 'type' => 'number' ),
					'circuit_breaker' => array( 'type' => 'boolean' ),
					'https_only'      => array( 'type' => 'boolean' ),
					'needs_secret'    => array( 'type' => 'boolean' ),
					'secret_form'     => $text,
					'user_agent'      => $text,
					'events'          => array(
						'type'  => 'array',
						'items' => $text,
					),
					'body'            => array(
						'type'  => 'array',
						'items' => $texts( 'key', 'value', 'text', 'line' ),
					),
					'headers'         => array(
						'type'  => 'array',
						'items' => $texts( 'name', 'value' ),
					),
					'signature'       => $texts( 'header', 'signed', 'each', 'prefix', 'separator' ),
					'unsigned'        => array( 'type' => 'boolean' ),
				),
			)
		);
	}

	/**
	 * A format.
	 */
	public function schemas(): array {
		$properties = array(
			'name'                   => self::of( 'string', __( 'Its name.', 'posthorn' ) ),
			'title'                  => self::of( 'string', __( 'Its name for people.', 'posthorn' ) ),
			'timeout'                => self::of( 'number', __( 'Seconds that a receiver has to answer.', 'posthorn' ) ),
			'schedule'               => self::of( 'array', __( 'Seconds between attempts.', 'posthorn' ), array( 'items' => array( 'type' => 'number' ) ) ),
			'schedule_jitter'        => self::of( 'number', __( 'Each delay is longer by up to this share of it.', 'posthorn' ) ),
			'circuit_breaker'        => self::of( 'boolean', __( 'Whether a receiver that fails in a row is left alone for a while.', 'posthorn' ) ),
			'https_only'             => self::of( 'boolean', __( 'Whether a URL must be https.', 'posthorn' ) ),
			'needs_secret'           => self::of( 'boolean', __( 'Whether its receivers take nothing unsigned, so that a webhook must have a secret.', 'posthorn' ) ),
			'signature_header'       => self::of( array( 'string', 'null' ), __( 'Where the signature is; null for a format that is not signed and takes no secret.', 'posthorn' ) ),
			'events'                 => self::of( 'array', __( 'The events it knows; empty for all.', 'posthorn' ), array( 'items' => array( 'type' => 'string' ) ) ),
			'secret_form'            => self::of( 'string', __( 'What a secret looks like. text: any; whsec: whsec_ and the key in base64.', 'posthorn' ), array( 'enum' => array( 'text', 'whsec' ) ) ),
			'signs_with_each_secret' => self::of( 'boolean', __( 'Whether all live secrets sign during a rotation; otherwise the newest does.', 'posthorn' ) ),
			'definition'             => self::definition(),
		);
		return array(
			'format' => array(
				'type'       => 'object',
				'properties' => array_map( static fn( array $one ): array => $one + array( 'required' => true, 'readonly' => true ), $properties ), // phpcs:ignore WordPress.Arrays
			),
		);
	}
}
