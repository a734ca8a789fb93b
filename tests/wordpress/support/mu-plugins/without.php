<?php
/**
 * For tests alone: leaves Posthorn out of a process, so that what WordPress does with it and without it can be compared.
 *
 * @package Posthorn\Tests
 */

defined( 'ABSPATH' ) || exit;

if ( getenv( 'POSTHORN_TESTS_WITHOUT' ) ) {
	add_filter( 'option_active_plugins', static fn( $plugins ): array => array_values( array_diff( (array) $plugins, array( 'posthorn/posthorn.php' ) ) ) );
}
