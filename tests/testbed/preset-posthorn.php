<?php
/**
 * Saves the demo's receiver through the same function as the settings page does. Run with `wp eval-file`.
 *
 * @package Posthorn
 */

require_once WP_PLUGIN_DIR . '/posthorn/includes/admin/form.php';

$preset_form = posthorn_form_stored();
if ( getenv( 'RECEIVER_URL' ) === $preset_form['url'] ) {
	return;
}
$preset_form['url']           = (string) getenv( 'RECEIVER_URL' );
$preset_form['secret']        = (string) getenv( 'RECEIVER_SECRET' );
$preset_form['events']        = array_column( posthorn_offered_events(), 'name' );
$preset_form['allow_private'] = true;
$preset_form['enabled']       = true;

$preset_mistakes = posthorn_form_mistakes( $preset_form );
if ( ! $preset_mistakes ) {
	$preset_mistakes = posthorn_form_save( $preset_form );
}
foreach ( $preset_mistakes as $preset_field => $preset_message ) {
	WP_CLI::warning( "$preset_field: $preset_message" );
}
if ( $preset_mistakes ) {
	WP_CLI::halt( 1 );
}
