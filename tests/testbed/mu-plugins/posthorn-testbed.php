<?php
/**
 * For the demo and the tests alone: WordPress offers application passwords only over https, which a site on loopback has not.
 *
 * @package Posthorn\Tests
 */

defined( 'ABSPATH' ) || exit;

add_filter( 'wp_is_application_passwords_available', '__return_true' );
