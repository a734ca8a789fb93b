<?php
/**
 * Who may use Posthorn: the capability `manage_posthorn`. Administrators are given it once; from then on it is the owner's to
 * give and to take.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** The option that says that the administrators of the current site have been given the capability. */
const POSTHORN_CAPABILITY_OPTION = 'posthorn_capability';

/**
 * Gives the administrators of the current site the capability, if that was not done before.
 */
function posthorn_give_capability(): void {
	if ( get_option( POSTHORN_CAPABILITY_OPTION ) ) {
		return;
	}
	$role = get_role( 'administrator' );
	if ( null !== $role ) {
		$role->add_cap( 'manage_posthorn' );
	}
	// Autoloaded: every request looks whether it is there, see hooks.php.
	update_option( POSTHORN_CAPABILITY_OPTION, '1', true );
}

/**
 * Takes the capability from all roles of the current site.
 */
function posthorn_take_capability(): void {
	foreach ( wp_roles()->role_objects as $role ) {
		$role->remove_cap( 'manage_posthorn' );
	}
	delete_option( POSTHORN_CAPABILITY_OPTION );
}

/**
 * Until the capability was given, on a site that was updated or has just been added to a network: whoever may manage options
 * has it.
 *
 * @param bool[] $capabilities What a user may do.
 */
function posthorn_lend_capability( array $capabilities ): array {
	if ( ! empty( $capabilities['manage_options'] ) ) {
		$capabilities['manage_posthorn'] = true;
	}
	return $capabilities;
}
