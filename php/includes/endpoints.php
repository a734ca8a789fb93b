<?php
/**
 * The endpoints of the current site: list, find, add, change, duplicate, delete. Screens, REST API and WP-CLI all come here.
 *
 * Who may do it is checked at each door, what may be stored is checked here. No secret is ever returned: see
 * endpoint-values.php for what is. Mistakes come back as a WP_Error with the code `posthorn_invalid` (`mistakes`: field =>
 * message), `posthorn_not_found`, `posthorn_conflict` or `posthorn_unavailable`, each with an HTTP `status`.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/endpoint-values.php';

/** So often a change is made anew because somebody else saved in between. */
const POSTHORN_SAVE_TRIES = 5;

/**
 * The endpoints of the current site, in the owner's order; then those that wp-config.php defines.
 *
 * @return array[] See posthorn_shown_endpoint(); those of wp-config.php have `read_only`.
 */
function posthorn_list_endpoints(): array {
	$stored = array_map( 'posthorn_shown_endpoint', posthorn_settings()['endpoints'] );
	return defined( 'POSTHORN_ENDPOINTS' ) ? array_merge( $stored, array_map( 'posthorn_shown_constant_endpoint', array_values( posthorn_constant_endpoints() ) ) ) : $stored;
}

/**
 * One endpoint.
 *
 * @param string $id Its id.
 * @return array|null See posthorn_shown_endpoint(); null if the site has none with this id.
 */
function posthorn_find_endpoint( string $id ): ?array {
	$stored = posthorn_stored_endpoint( posthorn_settings(), $id );
	if ( null === $stored ) {
		return array_column( posthorn_list_endpoints(), null, 'id' )[ $id ] ?? null;
	}
	return posthorn_shown_endpoint( $stored );
}

/**
 * How the endpoints of the current site are doing.
 *
 * @return array<string,array> Endpoint id => what posthorn_client_endpoints() has of it, `waiting` (a number of deliveries) and
 *                             `state`: active, disabled, suspended, asked_to_wait, circuit_open, failing or leaving.
 * @throws \Posthorn\Exception When the queue cannot be used.
 */
function posthorn_endpoint_standing(): array {
	$waiting = array_column( posthorn_client_waiting(), 'pending', 'endpoint' );
	$leaving = array_column( array_filter( posthorn_settings()['endpoints'], static fn( array $stored ) => ! empty( $stored['leaving'] ) ), 'id' );
	$all     = array();
	foreach ( posthorn_client_endpoints() as $endpoint ) {
		$states = array(
			'disabled'      => ! $endpoint['enabled'],
			'suspended'     => '' !== (string) $endpoint['suspended'],
			'leaving'       => in_array( $endpoint['id'], $leaving, true ),
			'asked_to_wait' => null !== $endpoint['paused_until'],
			'circuit_open'  => 'closed' !== $endpoint['circuit'],
			'failing'       => (int) $endpoint['failures'] > 0,
			'active'        => true,
		);

		$all[ $endpoint['id'] ] = $endpoint + array(
			'waiting' => (int) ( $waiting[ $endpoint['id'] ] ?? 0 ),
			'state'   => (string) array_search( true, $states, true ),
		);
	}
	return $all;
}

/**
 * Adds an endpoint.
 *
 * @param array    $given    Keys of an endpoint as the README lists them, `url` at least. An `id` of one's own may be given.
 * @param int|null $revision Optional. Only if the settings still have this revision.
 * @return array|WP_Error The endpoint as posthorn_shown_endpoint() shows it.
 */
function posthorn_add_endpoint( array $given, ?int $revision = null ) {
	$id      = $given['id'] ?? '';
	$mistake = '' === $id ? '' : posthorn_id_mistake( $id );
	if ( '' !== $mistake ) {
		return posthorn_endpoint_mistakes_error( array( 'id' => $mistake ) );
	}
	$id = (string) $id;
	return posthorn_store_endpoint(
		static function ( array $settings ) use ( $given, $id ) {
			// The settings page edits the first.
			$free = array() === $settings['endpoints'] ? POSTHORN_MAIN_ENDPOINT : posthorn_new_endpoint_id();
			$id   = '' === $id ? $free : $id;
			$base = array(
				'id'         => $id,
				'events'     => array( '*' ),
				'created_at' => posthorn_now(),
			) + posthorn_default_endpoint();
			// Also not one of wp-config.php's: that would give way to it.
			if ( null !== posthorn_stored_endpoint( $settings, $id ) || null !== posthorn_find_endpoint( $id ) ) {
				/* translators: %s: an id. */
				return posthorn_endpoint_mistakes_error( array( 'id' => sprintf( __( 'There is an endpoint with the id %s already.', 'posthorn' ), $id ) ) );
			}
			return posthorn_changed_endpoint( $base, array( 'id' => $id ) + $given );
		},
		$revision
	);
}

/**
 * Changes an endpoint. Keys that are not given stay as they are.
 *
 * @param string   $id       Its id, which stays.
 * @param array    $given    Keys of an endpoint; null puts a key back to its default. A `secret` replaces all that are live; with
 *                           `keep_secrets_until` (ISO 8601) all but the newest sign too, until then.
 * @param int|null $revision Optional. Only if the settings still have this revision.
 * @return array|WP_Error The endpoint as posthorn_shown_endpoint() shows it.
 */
function posthorn_change_endpoint( string $id, array $given, ?int $revision = null ) {
	return posthorn_store_endpoint(
		static function ( array $settings ) use ( $id, $given ) {
			$stored = posthorn_stored_endpoint( $settings, $id );
			return null === $stored ? posthorn_no_such_endpoint( $id ) : posthorn_changed_endpoint( $stored, array( 'id' => $id ) + $given );
		},
		$revision
	);
}

/**
 * Adds a copy of an endpoint, secrets and all. It is switched off, or the receiver would get everything twice.
 *
 * @param string   $id       The endpoint's id.
 * @param int|null $revision Optional. Only if the settings still have this revision.
 * @return array|WP_Error The copy as posthorn_shown_endpoint() shows it.
 */
function posthorn_duplicate_endpoint( string $id, ?int $revision = null ) {
	return posthorn_store_endpoint(
		static function ( array $settings ) use ( $id ) {
			$stored = posthorn_stored_endpoint( $settings, $id );
			if ( null === $stored ) {
				return posthorn_no_such_endpoint( $id );
			}
			unset( $stored['leaving'], $stored['updated_at'] );
			$name = trim( (string) ( $stored['description'] ?? '' ) );
			$copy = array(
				'id'          => posthorn_new_endpoint_id(),
				'enabled'     => false,
				/* translators: %s: the name that the owner gave an endpoint. */
				'description' => '' === $name ? __( 'Copy', 'posthorn' ) : sprintf( __( '%s (copy)', 'posthorn' ), $name ),
				'created_at'  => posthorn_now(),
			);
			return array_merge( $stored, $copy );
		},
		$revision
	);
}

/**
 * Has what waits for an endpoint sent now: whatever holds it back ends, be it a suspension, the receiver's wish or the circuit
 * breaker. Also for one that wp-config.php defines.
 *
 * @param string $id Its id.
 * @return array|WP_Error The endpoint as posthorn_shown_endpoint() shows it.
 */
function posthorn_resume_endpoint( string $id ) {
	$endpoint = posthorn_find_endpoint( $id );
	if ( null === $endpoint ) {
		return posthorn_no_such_endpoint( $id );
	}
	try {
		posthorn_hand_over_if_needed();
		if ( ! $endpoint['enabled'] ) {
			/* translators: %s: an id. */
			return new WP_Error( 'posthorn_conflict', sprintf( __( 'Nothing is sent to the endpoint %s, because it is switched off. Switch it on.', 'posthorn' ), $id ), array( 'status' => 409 ) );
		}
		if ( posthorn_client_paused() ) {
			return new WP_Error( 'posthorn_conflict', __( 'Nothing is sent from this site since the plugin was switched off: Settings → CRM Webhooks asks whether to send what waits.', 'posthorn' ), array( 'status' => 409 ) );
		}
		posthorn_client_resume( $id );
	} catch ( \Throwable $error ) {
		return posthorn_endpoints_unavailable( $error );
	}
	return $endpoint;
}

/**
 * Deletes an endpoint.
 *
 * @param string   $id       Its id.
 * @param string   $waiting  Optional. What becomes of the deliveries that wait for it: `cancel`, or `send`: it is sent nothing
 *                           new, and goes when nothing waits any more.
 * @param int|null $revision Optional. Only if the settings still have this revision.
 * @return array|WP_Error What was deleted, as posthorn_shown_endpoint() shows it; with `leaving` true if it is not gone yet.
 */
function posthorn_delete_endpoint( string $id, string $waiting = 'cancel', ?int $revision = null ) {
	if ( ! in_array( $waiting, array( 'cancel', 'send' ), true ) ) {
		/* translators: %s: what was given. */
		return posthorn_endpoint_mistakes_error( array( 'waiting' => sprintf( __( '“%s” is neither cancel nor send.', 'posthorn' ), $waiting ) ) );
	}
	if ( 'send' === $waiting ) {
		try {
			$standing = posthorn_endpoint_standing()[ $id ] ?? null;
		} catch ( \Throwable $error ) {
			return posthorn_endpoints_unavailable( $error );
		}
		if ( null !== $standing && $standing['waiting'] > 0 ) {
			return in_array( $standing['state'], array( 'disabled', 'suspended' ), true )
				? posthorn_endpoint_mistakes_error( array( 'waiting' => __( 'What waits for it cannot be sent, because sending to it is switched off or stopped. Have it sent first, or cancel it.', 'posthorn' ) ) )
				: posthorn_store_endpoint( static fn( array $settings ) => posthorn_leaving_endpoint( $settings, $id ), $revision );
		}
	}
	$deleted = null;
	$saved   = posthorn_store_endpoints(
		static function ( array $settings ) use ( $id, &$deleted ) {
			$deleted = posthorn_stored_endpoint( $settings, $id );
			if ( null === $deleted ) {
				return posthorn_no_such_endpoint( $id );
			}
			$settings['endpoints'] = array_values( array_filter( $settings['endpoints'], static fn( array $one ): bool => $one['id'] !== $id ) );
			return $settings;
		},
		$revision
	);
	return is_wp_error( $saved ) ? $saved : posthorn_shown_endpoint( $deleted );
}

/**
 * An endpoint that is sent what waits for it and nothing new.
 *
 * @param array  $settings Settings.
 * @param string $id       Its id.
 * @return array|WP_Error
 */
function posthorn_leaving_endpoint( array $settings, string $id ) {
	$stored = posthorn_stored_endpoint( $settings, $id );
	return null === $stored ? posthorn_no_such_endpoint( $id ) : array( 'leaving' => true ) + $stored;
}

/**
 * Deletes the endpoints that were to go when nothing waits for them any more, and for which nothing does. Asked by WP-Cron and
 * when the list is looked at.
 */
function posthorn_delete_endpoints_that_left(): void {
	$leaving = array_filter( posthorn_settings()['endpoints'], static fn( array $stored ): bool => ! empty( $stored['leaving'] ) );
	if ( array() === $leaving ) {
		return;
	}
	$standing = posthorn_endpoint_standing();
	foreach ( $leaving as $stored ) {
		// One that the queue does not know yet has been handed nothing over to.
		if ( 0 === ( $standing[ $stored['id'] ]['waiting'] ?? -1 ) ) {
			posthorn_delete_endpoint( $stored['id'] );
		}
	}
}

/**
 * Stores one endpoint: in the place of the one with its id, or as the last.
 *
 * @param callable $make     Settings => the endpoint as it is to be stored, or a WP_Error.
 * @param int|null $revision Only if the settings still have this revision; null for whatever they have.
 * @return array|WP_Error The endpoint as posthorn_shown_endpoint() shows it.
 */
function posthorn_store_endpoint( callable $make, ?int $revision ) {
	$endpoint = null;
	$saved    = posthorn_store_endpoints(
		static function ( array $settings ) use ( $make, &$endpoint ) {
			$endpoint = $make( $settings );
			if ( is_wp_error( $endpoint ) ) {
				return $endpoint;
			}
			$at = array_search( $endpoint['id'], array_column( $settings['endpoints'], 'id' ), true );

			$settings['endpoints'][ false === $at ? count( $settings['endpoints'] ) : $at ] = $endpoint;
			return $settings;
		},
		$revision
	);
	return is_wp_error( $saved ) ? $saved : posthorn_shown_endpoint( $endpoint );
}

/**
 * Replaces the settings and hands them to the queue.
 *
 * @param callable $change   Settings => settings, or a WP_Error; called again if somebody else saved in between.
 * @param int|null $revision Only if the settings still have this revision; null for whatever they have.
 * @return array|WP_Error The settings as stored.
 */
function posthorn_store_endpoints( callable $change, ?int $revision ) {
	for ( $try = 0; $try < POSTHORN_SAVE_TRIES; $try++ ) {
		$settings = posthorn_settings();
		if ( null !== $revision && $revision !== $settings['revision'] ) {
			break;
		}
		try {
			$changed = $change( $settings );
		} catch ( \Throwable $error ) {
			return posthorn_endpoints_unavailable( $error );
		}
		if ( is_wp_error( $changed ) ) {
			return $changed;
		}
		$saved = posthorn_replace_settings( $changed );
		if ( null !== $saved ) {
			return posthorn_handed_over_or_error( $saved );
		}
	}
	return new WP_Error( 'posthorn_conflict', __( 'Nothing was saved: the endpoints were saved somewhere else in the meantime. Look at what is there now, then try again.', 'posthorn' ), array( 'status' => 409 ) );
}

/**
 * Hands stored settings to the queue.
 *
 * @param array $saved Settings as stored.
 * @return array|WP_Error The settings.
 */
function posthorn_handed_over_or_error( array $saved ) {
	require_once __DIR__ . '/secrets.php';
	try {
		$why = posthorn_hand_over( $saved['revision'] ) ? '' : posthorn_secret_problem();
	} catch ( \Throwable $error ) {
		$why = ucfirst( posthorn_readable( $error->getMessage() ) );
	}
	/* translators: %s: a reason. */
	return '' === $why ? $saved : new WP_Error( 'posthorn_unavailable', sprintf( __( 'It is saved, but the queue does not have it yet. %s', 'posthorn' ), $why ), array( 'status' => 503 ) );
}
