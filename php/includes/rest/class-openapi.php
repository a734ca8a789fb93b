<?php
/**
 * REST: the OpenAPI document.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/openapi.php';

/**
 * GET openapi.
 */
class Posthorn_REST_OpenAPI extends Posthorn_REST_Controller {

	/**
	 * Where it is.
	 *
	 * @var string
	 */
	protected $rest_base = 'openapi';

	/**
	 * Adds the route.
	 */
	public function register_routes(): void {
		$this->route(
			'/openapi',
			$this->handler(
				WP_REST_Server::READABLE,
				static fn(): array => posthorn_openapi(),
				array(),
				array(
					'id'      => 'getOpenAPI',
					'summary' => __( 'This API as an OpenAPI 3.1 document', 'posthorn' ),
					'answer'  => 'openapi',
				)
			)
		);
	}

	/**
	 * The document.
	 */
	public function schemas(): array {
		return array(
			'openapi' => array(
				'type'                 => 'object',
				'description'          => __( 'An OpenAPI 3.1 document.', 'posthorn' ),
				'additionalProperties' => true,
				'properties'           => array(
					'openapi' => self::of( 'string', __( 'The version of the specification.', 'posthorn' ), array( 'required' => true ) ),
				),
			),
		);
	}
}
