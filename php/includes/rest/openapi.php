<?php
/**
 * The OpenAPI 3.1 document, made from the routes as they are registered: it cannot say anything else than the API does.
 * See https://spec.openapis.org/oas/v3.1.0.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Keys of WordPress's schemas and arguments that JSON Schema does not know. */
const POSTHORN_NOT_JSON_SCHEMA = array( 'validate_callback', 'sanitize_callback', 'required', 'context', 'arg_options', 'readonly', 'writeonly' );

/**
 * The document.
 */
function posthorn_openapi(): array {
	$schemas = array();
	foreach ( posthorn_rest_controllers() as $controller ) {
		$schemas += array_map( 'posthorn_openapi_schema', $controller->schemas() );
	}
	$paths = array();
	foreach ( rest_get_server()->get_routes( POSTHORN_REST_NAMESPACE ) as $route => $handlers ) {
		foreach ( $handlers as $handler ) {
			// The namespace's own index is WordPress's.
			if ( isset( $handler['posthorn'] ) ) {
				$path           = preg_replace( '/\(\?P<(\w+)>[^)]*\)/', '{$1}', substr( $route, strlen( '/' . POSTHORN_REST_NAMESPACE ) ) );
				$paths[ $path ] = ( $paths[ $path ] ?? array() ) + posthorn_openapi_operations( $handler, $path );
			}
		}
	}
	return array(
		'openapi'    => '3.1.0',
		'info'       => array(
			'title'       => 'Posthorn',
			'version'     => POSTHORN_VERSION,
			'description' => __( 'Webhooks, their deliveries and the catalogue of events of this site. A capability, manage_posthorn, is needed for all of it.', 'posthorn' ),
			'license'     => array(
				'name'       => 'GPL-2.0-or-later',
				'identifier' => 'GPL-2.0-or-later',
			),
		),
		'servers'    => array( array( 'url' => untrailingslashit( rest_url( POSTHORN_REST_NAMESPACE ) ) ) ),
		'security'   => array( array( 'applicationPassword' => array() ) ),
		'paths'      => $paths,
		'components' => array(
			'securitySchemes' => array(
				'applicationPassword' => array(
					'type'        => 'http',
					'scheme'      => 'basic',
					'description' => __( 'A user’s name and one of the application passwords of that user’s profile.', 'posthorn' ),
				),
			),
			'schemas'         => $schemas + array( 'error' => posthorn_openapi_error() ),
			'responses'       => array(
				'error' => array(
					'description' => __( 'What is wrong, and what to do.', 'posthorn' ),
					'content'     => posthorn_openapi_json( array( '$ref' => '#/components/schemas/error' ) ),
				),
			),
		),
	);
}

/**
 * The operations of a route's handler: method => operation.
 *
 * @param array  $handler A handler as it is registered.
 * @param string $path    The path, with names in braces.
 */
function posthorn_openapi_operations( array $handler, string $path ): array {
	$tells      = $handler['posthorn'];
	$operations = array();
	// Where several methods do the same, one is told of: what changes something is PATCH by its meaning.
	$method     = isset( $handler['methods']['PATCH'] ) ? 'patch' : strtolower( (string) array_key_first( array_filter( $handler['methods'] ) ) );
	$in_path    = array_filter( $handler['args'], static fn( string $name ): bool => str_contains( $path, '{' . $name . '}' ), ARRAY_FILTER_USE_KEY );
	$others     = array_diff_key( $handler['args'], $in_path );
	$parameters = array();
	foreach ( $in_path as $name => $arg ) {
		$parameters[] = posthorn_openapi_parameter( $name, $arg, 'path' );
	}
	$operation = array(
		'operationId' => $tells['id'],
		'summary'     => $tells['summary'],
	);
	if ( in_array( $method, array( 'get', 'delete' ), true ) ) {
		foreach ( $others as $name => $arg ) {
			$parameters[] = posthorn_openapi_parameter( $name, $arg, 'query' );
		}
	} elseif ( array() !== $others ) {
		$body                     = posthorn_openapi_schema(
			array(
				'type'                 => 'object',
				'properties'           => $others,
				'additionalProperties' => false,
			)
		);
		$operation['requestBody'] = array(
			'required' => isset( $body['required'] ),
			'content'  => posthorn_openapi_json( $body ),
		);
	}
	if ( array() !== $parameters ) {
		$operation['parameters'] = $parameters;
	}
	$operation['responses'] = array(
		(string) ( $tells['status'] ?? 200 ) => posthorn_openapi_response( $tells ),
		'4XX'                                => array( '$ref' => '#/components/responses/error' ),
		'5XX'                                => array( '$ref' => '#/components/responses/error' ),
	);
	$operations[ $method ]  = $operation;
	return $operations;
}

/**
 * What a handler answers when all is well.
 *
 * @param array $tells See Posthorn_REST_Controller::handler().
 */
function posthorn_openapi_response( array $tells ): array {
	$answer = array( '$ref' => '#/components/schemas/' . $tells['answer'] );
	if ( empty( $tells['list'] ) ) {
		return array(
			'description' => $tells['summary'],
			'content'     => posthorn_openapi_json( $answer ),
		);
	}
	$header = static fn( string $description, string $type ): array => array( 'description' => $description ) + array( 'schema' => compact( 'type' ) );
	return array(
		'description' => $tells['summary'],
		'headers'     => array(
			'X-WP-Total'      => $header( __( 'How many there are in all.', 'posthorn' ), 'integer' ),
			'X-WP-TotalPages' => $header( __( 'How many pages there are.', 'posthorn' ), 'integer' ),
			'Link'            => $header( __( 'The pages before and after: rel="prev", rel="next".', 'posthorn' ), 'string' ),
		),
		'content'     => posthorn_openapi_json(
			array(
				'type'       => 'object',
				'required'   => array( 'data' ),
				'properties' => array(
					'data' => array(
						'type'  => 'array',
						'items' => $answer,
					),
				),
			)
		),
	);
}

/**
 * A parameter.
 *
 * @param string $name Its name.
 * @param array  $arg  An argument as it is registered.
 * @param string $in   `path` or `query`.
 */
function posthorn_openapi_parameter( string $name, array $arg, string $in ): array {
	$schema      = posthorn_openapi_schema( $arg );
	$description = $schema['description'] ?? '';
	unset( $schema['description'] );
	return array(
		'name'        => $name,
		'in'          => $in,
		'description' => $description,
		'required'    => 'path' === $in || ! empty( $arg['required'] ),
		'schema'      => $schema,
	);
}

/**
 * A schema or argument of WordPress as JSON Schema has it: there, an object lists what it requires.
 *
 * @param array $schema Of WordPress.
 */
function posthorn_openapi_schema( array $schema ): array {
	$plain = array_diff_key( $schema, array_flip( POSTHORN_NOT_JSON_SCHEMA ) );
	if ( ! empty( $schema['readonly'] ) ) {
		$plain['readOnly'] = true;
	}
	if ( ! empty( $schema['writeonly'] ) ) {
		$plain['writeOnly'] = true;
	}
	if ( isset( $schema['properties'] ) ) {
		$plain['properties'] = array_map( 'posthorn_openapi_schema', $schema['properties'] );
		$required            = array_keys( array_filter( $schema['properties'], static fn( array $one ): bool => ! empty( $one['required'] ) ) );
		if ( array() !== $required ) {
			$plain['required'] = $required;
		}
	}
	foreach ( array( 'items', 'additionalProperties' ) as $key ) {
		if ( is_array( $schema[ $key ] ?? null ) ) {
			$plain[ $key ] = posthorn_openapi_schema( $schema[ $key ] );
		}
	}
	foreach ( array( 'oneOf', 'anyOf' ) as $key ) {
		if ( isset( $schema[ $key ] ) ) {
			$plain[ $key ] = array_map( 'posthorn_openapi_schema', $schema[ $key ] );
		}
	}
	return $plain;
}

/**
 * An error, as WordPress answers it.
 */
function posthorn_openapi_error(): array {
	return array(
		'type'                 => 'object',
		'required'             => array( 'code', 'message', 'data' ),
		'additionalProperties' => true,
		'properties'           => array(
			'code'    => array(
				'type'        => 'string',
				'description' => __( 'What kind it is: posthorn_invalid, posthorn_not_found, posthorn_conflict, posthorn_read_only, posthorn_unavailable, posthorn_forbidden, or one of WordPress’s own.', 'posthorn' ),
			),
			'message' => array( 'type' => 'string' ),
			'data'    => array(
				'type'                 => 'object',
				'required'             => array( 'status' ),
				'properties'           => array( 'status' => array( 'type' => 'integer' ) ),
				'additionalProperties' => true,
			),
		),
	);
}

/**
 * JSON content.
 *
 * @param array $schema Its schema.
 */
function posthorn_openapi_json( array $schema ): array {
	return array( 'application/json' => compact( 'schema' ) );
}
