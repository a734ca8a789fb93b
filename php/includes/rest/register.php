<?php
/**
 * The REST API, posthorn/v1: loaded when WordPress answers a REST request.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Where all routes begin. */
const POSTHORN_REST_NAMESPACE = 'posthorn/v1';

require_once dirname( __DIR__ ) . '/catalogue.php';
require_once dirname( __DIR__ ) . '/deliveries.php';
require_once __DIR__ . '/class-controller.php';
require_once __DIR__ . '/class-trial.php';
require_once __DIR__ . '/class-webhooks.php';
require_once __DIR__ . '/class-deliveries.php';
require_once __DIR__ . '/class-replay.php';
require_once __DIR__ . '/class-events.php';
require_once __DIR__ . '/class-formats.php';
require_once __DIR__ . '/class-openapi.php';

/**
 * Every resource.
 *
 * @return Posthorn_REST_Controller[]
 */
function posthorn_rest_controllers(): array {
	return array(
		new Posthorn_REST_Webhooks(),
		new Posthorn_REST_Deliveries(),
		new Posthorn_REST_Replay(),
		new Posthorn_REST_Events(),
		new Posthorn_REST_Formats(),
		new Posthorn_REST_Trial(),
		new Posthorn_REST_OpenAPI(),
	);
}

/**
 * Registers every route.
 */
function posthorn_register_rest(): void {
	foreach ( posthorn_rest_controllers() as $controller ) {
		$controller->register_routes();
	}
}
