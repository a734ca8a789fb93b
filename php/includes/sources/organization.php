<?php
/**
 * The organisation: what the site says it is.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Hears that an option of the site's identity is about to be written.
 */
function posthorn_organization_written(): void {
	posthorn_source_changes( 'organization', 0 );
}

/**
 * The organisation as its events carry it.
 */
function posthorn_organization_look(): array {
	require_once dirname( __DIR__ ) . '/context.php';
	$language = (string) get_option( 'WPLANG' );
	return posthorn_organization() + array(
		'tagline'  => wp_specialchars_decode( get_bloginfo( 'description' ), ENT_QUOTES ),
		'url'      => home_url(),
		'email'    => (string) get_option( 'admin_email' ),
		'icon'     => (string) get_site_icon_url(),
		'timezone' => wp_timezone_string(),
		'language' => '' === $language ? 'en_US' : $language,
	);
}

/**
 * The event of what became of the organisation.
 *
 * @param string $id     Of no meaning.
 * @param array  $before What it was.
 * @param array  $after  What it is.
 * @return array[] Lists of event, data, context.
 */
function posthorn_organization_events( string $id, array $before, array $after ): array {
	$context = posthorn_source_difference( 'organization', $before, $after );
	// The request may have asked for the name before it was changed.
	$context['organization'] = posthorn_organization();
	return $context['changes'] ? array( array( 'organization.updated', $after, $context ) ) : array();
}
