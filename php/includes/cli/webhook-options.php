<?php
/**
 * The options of wp posthorn webhook create and update as the model takes them.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * What is to be set; ends the command if it cannot be.
 *
 * @param array $options Options: a webhook's fields, --wire-format for its `format`, --new-url, and those about the output.
 * @return array Field => value.
 */
function posthorn_cli_webhook_given( array $options ): array {
	unset( $options['format'], $options['porcelain'], $options['prompt'] );
	// WP-CLI and the output have these names themselves.
	foreach ( array( 'wire-format' => 'format', 'new-url' => 'url' ) as $option => $field ) { // phpcs:ignore WordPress.Arrays
		if ( isset( $options[ $option ] ) ) {
			$options[ $field ] = $options[ $option ];
			unset( $options[ $option ] );
		}
	}
	$fields = posthorn_webhook_fields();
	$given  = array();
	foreach ( $options as $name => $text ) {
		if ( ! isset( $fields[ $name ] ) ) {
			$known = array_keys( array_diff_key( $fields, array( 'format' => true, 'url' => true ) ) ); // phpcs:ignore WordPress.Arrays
			WP_CLI::error( sprintf( '--%s: a webhook has no such field; there are %s, wire-format, new-url.', $name, implode( ', ', $known ) ) );
		}
		$given[ $name ] = posthorn_cli_webhook_value( $name, $text, $fields[ $name ] );
	}
	return posthorn_whole_numbers( $given );
}

/**
 * An option's value, as the field's schema wants it.
 *
 * @param string      $name   The field.
 * @param string|bool $text   What was given; true or false where an option has no value.
 * @param array       $schema Its schema.
 * @return mixed
 */
function posthorn_cli_webhook_value( string $name, $text, array $schema ) {
	$types = (array) $schema['type'];
	$value = $text;
	if ( is_string( $text ) ) {
		if ( 'null' === $text && in_array( 'null', $types, true ) ) {
			return null;
		}
		// What is text first may be a list or false as well, but is not a number because it looks like one.
		$json  = json_decode( $text, true );
		$value = 'string' !== $types[0] || is_array( $json ) && array_intersect( array( 'array', 'object' ), $types ) || is_bool( $json ) && in_array( 'boolean', $types, true ) ? $json ?? $text : $text;
		if ( is_scalar( $value ) && 'array' === $types[0] ) {
			$value = wp_parse_list( $text );
		}
	}
	$valid = rest_validate_value_from_schema( $value, $schema, "--$name" );
	if ( is_wp_error( $valid ) ) {
		// Its words repeat what was given, which may be a secret.
		WP_CLI::error( 'secret' === $name ? '--secret takes text, or a JSON list of secrets.' : $valid->get_error_message() );
	}
	return rest_sanitize_value_from_schema( $value, $schema );
}
