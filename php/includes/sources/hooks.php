<?php
/**
 * What is listened to for the events of WordPress itself: only where a receiver wants to know of it.
 *
 * Which sources those are is noted when the settings are handed over, so that a page of any other site does not load this.
 * On a network the site that serves the page decides.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** Option, loaded with every page: the sources that a receiver wants, with commas. */
const POSTHORN_SOURCES_OPTION = 'posthorn_sources';

/** Source => how its events begin, and hook => the function in the file of the source's name that hears it. */
const POSTHORN_SOURCES = array(
	'properties'   => array(
		'events' => 'property.',
		'hooks'  => array(
			'pre_post_update'           => 'posthorn_properties_post',
			'transition_post_status'    => 'posthorn_properties_status',
			'before_delete_post'        => 'posthorn_properties_post',
			'add_post_meta'             => 'posthorn_properties_meta_added',
			'update_post_meta'          => 'posthorn_properties_meta',
			'delete_post_meta'          => 'posthorn_properties_meta',
			'add_term_relationship'     => 'posthorn_properties_terms',
			'delete_term_relationships' => 'posthorn_properties_terms',
			'add_attachment'            => 'posthorn_properties_photo_added',
			'delete_attachment'         => 'posthorn_properties_photo_deleted',
			'wp_media_attach_action'    => 'posthorn_properties_photo_attached',
		),
	),
	'users'        => array(
		'events' => 'user.',
		'hooks'  => array(
			'user_register'           => 'posthorn_users_registered',
			'wp_pre_insert_user_data' => 'posthorn_users_written',
			'add_user_meta'           => 'posthorn_users_meta_added',
			'update_user_meta'        => 'posthorn_users_meta',
			'delete_user_meta'        => 'posthorn_users_meta',
		),
	),
	'organization' => array(
		'events' => 'organization.',
		'hooks'  => array(
			'pre_update_option_blogname'        => 'posthorn_organization_written',
			'pre_update_option_blogdescription' => 'posthorn_organization_written',
			'pre_update_option_admin_email'     => 'posthorn_organization_written',
			'pre_update_option_home'            => 'posthorn_organization_written',
			'pre_update_option_site_icon'       => 'posthorn_organization_written',
			'pre_update_option_timezone_string' => 'posthorn_organization_written',
			'pre_update_option_gmt_offset'      => 'posthorn_organization_written',
			'pre_update_option_WPLANG'          => 'posthorn_organization_written',
		),
	),
	'integrations' => array(
		'events' => 'integration.',
		'hooks'  => array(
			'activate_plugin'   => 'posthorn_integrations_switched',
			'deactivate_plugin' => 'posthorn_integrations_switched',
		),
	),
	'feedback'     => array(
		'events' => 'feedback.',
		'hooks'  => array(
			'wp_insert_comment'         => 'posthorn_feedback_comment',
			'transition_comment_status' => 'posthorn_feedback_comment_status',
			'transition_post_status'    => 'posthorn_feedback_review',
		),
	),
);

/**
 * Listens to sources; to each once, however often it is asked.
 *
 * @param string $sources Their names, with commas.
 */
function posthorn_listen_to_sources( string $sources ): void {
	static $heard = array();
	foreach ( array_intersect_key( POSTHORN_SOURCES, array_flip( explode( ',', $sources ) ) ) as $source ) {
		foreach ( array_diff( array_keys( $source['hooks'] ), $heard ) as $hook ) {
			add_filter( $hook, 'posthorn_source_listens', 10, 9 );
			$heard[] = $hook;
		}
	}
}

/**
 * Hears every hook of the sources, and loads what few pages need.
 *
 * @param mixed ...$arguments What the hook hands over.
 * @return mixed See posthorn_source_heard().
 */
function posthorn_source_listens( ...$arguments ) {
	posthorn_load();
	require_once __DIR__ . '/waiting.php';
	return posthorn_source_heard( ...$arguments );
}

/**
 * Notes which sources some endpoints want, for the pages to come, and listens to them.
 *
 * @param array[] $endpoints Endpoints as the extension takes them.
 */
function posthorn_note_sources( array $endpoints ): void {
	$wanted  = posthorn_wanted( $endpoints );
	$sources = array_filter( POSTHORN_SOURCES, static fn( array $source ): bool => array() !== preg_grep( '/^' . preg_quote( $source['events'], '/' ) . '/', $wanted ) );
	$names   = implode( ',', array_keys( $sources ) );
	if ( get_option( POSTHORN_SOURCES_OPTION ) !== $names ) {
		update_option( POSTHORN_SOURCES_OPTION, $names, true );
	}
	posthorn_listen_to_sources( $names );
}
