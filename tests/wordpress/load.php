<?php
/**
 * Loads the bed's WordPress as its administration does.
 *
 * run.sh has PHP run this before PHPUnit (auto_prepend_file): PHPUnit includes its own bootstrap inside a function,
 * where WordPress's global variables would be local and lost.
 *
 * @package Posthorn\Tests
 */

$_SERVER += array(
	'HTTP_HOST'      => preg_replace( '#^https?://#', '', getenv( 'POSTHORN_SITE' ) ),
	'REQUEST_METHOD' => 'GET',
	'REMOTE_ADDR'    => '127.0.0.1',
);
// Set by the command line to this script's name.
$_SERVER['REQUEST_URI'] = '/wp-admin/';
$_SERVER['PHP_SELF']    = '/wp-admin/index.php';

// A WordPress that redirects or dies instead of loading ends this process as if all was well.
register_shutdown_function(
	static function (): void {
		if ( ! defined( 'POSTHORN_TESTS_LOADED' ) ) {
			fwrite( STDERR, "WordPress did not load: see run/*.log in " . getenv( 'POSTHORN_BED' ) . "\n" );
			exit( 1 );
		}
	}
);

define( 'WP_ADMIN', true );
require getenv( 'POSTHORN_BED' ) . '/wordpress/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/admin.php';
define( 'POSTHORN_TESTS_LOADED', true );
