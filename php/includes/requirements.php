<?php
/**
 * Whether the PHP extension is there and fits this plugin.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * What keeps the plugin from working.
 *
 * @return string Empty when all is well, `missing` without the extension, `version` with one whose major or minor
 *                version is another than the plugin's.
 */
function posthorn_requirement_problem(): string {
	if ( ! extension_loaded( 'posthorn' ) ) {
		return 'missing';
	}
	return posthorn_version_series( (string) phpversion( 'posthorn' ) ) === posthorn_version_series( POSTHORN_VERSION ) ? '' : 'version';
}

/**
 * The part of a version in which plugin and extension must agree: `0.1` of `0.1.3`.
 *
 * @param string $version A version.
 */
function posthorn_version_series( string $version ): string {
	return implode( '.', array_slice( explode( '.', $version ), 0, 2 ) );
}
