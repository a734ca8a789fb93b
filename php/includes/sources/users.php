<?php
/**
 * Users of the site. A login name, a password, a session or an application's password is in no event.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Hears that a user was added.
 *
 * @param mixed $user_id The user.
 */
function posthorn_users_registered( $user_id ): void {
	posthorn_source_began( 'users', (int) $user_id );
}

/**
 * Hears that a user is about to be written.
 *
 * @param mixed $data    What is written.
 * @param mixed $update  Whether the user is there.
 * @param mixed $user_id The user.
 */
function posthorn_users_written( $data, $update, $user_id ): void {
	if ( $update ) {
		posthorn_source_changes( 'users', (int) $user_id );
	}
}

/**
 * Hears that a user is about to be given a field.
 *
 * @param mixed $user_id The user.
 * @param mixed $key     The field.
 */
function posthorn_users_meta_added( $user_id, $key ): void {
	posthorn_users_meta( 0, $user_id, $key );
}

/**
 * Hears that a field of a user is about to be changed or deleted.
 *
 * @param mixed $meta_id Which entry, or entries.
 * @param mixed $user_id The user.
 * @param mixed $key     The field.
 */
function posthorn_users_meta( $meta_id, $user_id, $key ): void {
	global $wpdb;
	if ( in_array( $key, array( 'first_name', 'last_name', $wpdb->get_blog_prefix() . 'capabilities' ), true ) ) {
		posthorn_source_changes( 'users', (int) $user_id );
	}
}

/**
 * A user as the events carry it.
 *
 * @param string $id The user.
 * @return array|null Null if there is none.
 */
function posthorn_users_look( string $id ): ?array {
	$user = new WP_User( (int) $id );
	if ( ! $user->exists() ) {
		return null;
	}
	$registered = strtotime( $user->user_registered . ' UTC' );
	return array(
		'user_id'       => (int) $user->ID,
		'name'          => $user->display_name,
		'first_name'    => $user->first_name,
		'last_name'     => $user->last_name,
		'email'         => $user->user_email,
		'role'          => (string) reset( $user->roles ),
		'roles'         => array_values( $user->roles ),
		'url'           => $user->user_url,
		'registered_at' => $registered ? gmdate( 'Y-m-d\TH:i:s\Z', $registered ) : null,
	);
}

/**
 * The events of what became of a user.
 *
 * @param string     $id     The user.
 * @param array|null $before What it was; null if it was not there.
 * @param array|null $after  What it is.
 * @return array[] Lists of event, data, context.
 */
function posthorn_users_events( string $id, ?array $before, ?array $after ): array {
	if ( null === $after ) {
		return array();
	}
	if ( null === $before ) {
		return array( array( 'user.created', $after, array( 'record' => "user:$id" ) ) );
	}
	$context = posthorn_source_difference( "user:$id", $before, $after );
	return $context['changes'] ? array( array( 'user.updated', $after, $context ) ) : array();
}
