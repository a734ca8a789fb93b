<?php
/**
 * The two answers to the clone guard's question: "This site was moved here" and "This is a copy".
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/guard.php';
require_once __DIR__ . '/held-events.php';
require_once __DIR__ . '/lifecycle.php';

/** How often a save is tried again because somebody else saved meanwhile. */
const POSTHORN_GUARD_TRIES = 5;

/**
 * The site was moved: it is at home here too from now on, what was held back is sent, and what was switched off because it
 * was taken for a copy is on again.
 *
 * @param array|null $place Optional. Another place than this one, from posthorn_guard_questions().
 * @return array{sites:int,events:int} How many sites this was said of, and how many events that were held back are sent now.
 * @throws RuntimeException When the queue cannot be used, or a secret not be read; the answer holds, on all sites of a network, and
 *                          the events wait.
 */
function posthorn_say_moved( ?array $place = null ): array {
	$done   = array(
		'sites'  => 0,
		'events' => 0,
	);
	$failed = null;
	posthorn_on_guarded_sites(
		$place,
		static function () use ( $place, &$done, &$failed ): void {
			$here = posthorn_guard_place( $place );
			posthorn_guard_change(
				static function ( array $settings ) use ( $here, $place ): array {
					$saved_for = $settings['saved_for'] ?? posthorn_guard_mark( $here );
					$answered  = posthorn_guard_mark( $here );
					$this_one  = posthorn_guard_mark( posthorn_here() );
					// Another name of the site's says nothing of whether this is a copy.
					$new = null === $place ? $answered : $saved_for;
					foreach ( array( 'addresses', 'environments', 'installations' ) as $key ) {
						$all = array_values( array_unique( array_merge( null === $place && $saved_for['copy'] ? array() : $saved_for[ $key ], $answered[ $key ] ) ) );
						// The oldest are forgotten, but not where the site is.
						$others      = array_slice( array_diff( $all, $this_one[ $key ] ), 1 - POSTHORN_GUARD_MOST );
						$new[ $key ] = array_values( array_merge( $others, array_intersect( $all, $this_one[ $key ] ) ) );
					}
					foreach ( null === $place ? $settings['endpoints'] : array() as $n => $endpoint ) {
						$settings['endpoints'][ $n ]['enabled'] = $endpoint['enabled'] || in_array( $endpoint['id'], $saved_for['off'], true );
					}
					$settings['saved_for'] = $new;
					return $settings;
				}
			);
			if ( null === $place ) {
				// Back to the queue of the original, with what waits there.
				delete_option( POSTHORN_COPY_OPTION );
			}
			posthorn_guard_answered( $here );
			++$done['sites'];
			try {
				$done['events'] += posthorn_send_what_was_held( $here );
			} catch ( \Throwable $error ) {
				// The other sites of the network are answered all the same.
				$failed ??= is_multisite() ? new RuntimeException( get_option( 'home' ) . ': ' . $error->getMessage(), 0, $error ) : $error;
			}
		}
	);
	if ( null !== $failed ) {
		throw $failed;
	}
	return $done;
}

/**
 * Hands the current site's settings over, as it is at home now, and sends what was held back at a place.
 *
 * @param array $here The place.
 * @return int How many events were held back.
 * @throws RuntimeException When the queue cannot be used, or a secret not be read.
 */
function posthorn_send_what_was_held( array $here ): int {
	if ( ! posthorn_has_receiver() || posthorn_is_held() ) {
		return 0;
	}
	posthorn_hand_over_if_needed();
	if ( posthorn_client_inspect()['host_changed'] ) {
		posthorn_client_adopt();
	}
	return posthorn_release_held( $here );
}

/**
 * The site is a copy: what was held back is thrown away, its receivers stay and are switched off, and it leaves the queue that
 * it came with, or shares, to the original: from now on it has an empty one of its own.
 *
 * @param array|null $place Optional. Another place than this one, from posthorn_guard_questions(): only what was held back
 *                          there is thrown away.
 * @return array{sites:int,events:int} How many sites this was said of, and how many events were thrown away.
 */
function posthorn_say_copy( ?array $place = null ): array {
	$done = array(
		'sites'  => 0,
		'events' => 0,
	);
	posthorn_on_guarded_sites(
		$place,
		static function () use ( $place, &$done ): void {
			$here            = posthorn_guard_place( $place );
			$is_here         = posthorn_here() === $here;
			$done['events'] += posthorn_held_count( $here );
			++$done['sites'];
			posthorn_drop_held( $here );
			posthorn_guard_answered( $here );
			if ( ! $is_here ) {
				return;
			}
			$reason = posthorn_guard_reason( posthorn_settings()['saved_for'] );
			posthorn_guard_change(
				static function ( array $settings ) use ( $here ): array {
					$new = posthorn_guard_mark( $here );
					// A copy of a copy goes on to know what was on in the original.
					$new['off']  = $settings['saved_for']['off'] ?? array();
					$new['copy'] = true;
					foreach ( $settings['endpoints'] as $n => $endpoint ) {
						if ( $endpoint['enabled'] ) {
							$new['off'][]                           = $endpoint['id'];
							$settings['endpoints'][ $n ]['enabled'] = false;
						}
					}
					$new['off']            = array_values( array_unique( $new['off'] ) );
					$settings['saved_for'] = $new;
					return $settings;
				}
			);
			if ( is_multisite() && 'installation' !== $reason && posthorn_guard_network_is_home() ) {
				// A site of a network that is itself no copy: the queue is the network's, and the site's own entries in it are here.
				posthorn_client_cancel_waiting();
				posthorn_hand_over( posthorn_settings()['revision'] );
			} else {
				update_option( POSTHORN_COPY_OPTION, substr( posthorn_guard_hash( implode( "\0", $here ) . wp_generate_uuid4() ), 0, 8 ), true );
			}
			delete_option( POSTHORN_ASK_OPTION );
		}
	);
	if ( is_multisite() && '' !== posthorn_copy_name() ) {
		// One queue for all sites of the network, also for those that had no receiver.
		$name = posthorn_copy_name();
		posthorn_on_sites( true, static fn() => update_option( POSTHORN_COPY_OPTION, $name, true ) );
	}
	return $done;
}

/**
 * Whether the network's own address and database are where the current site's receivers were saved.
 */
function posthorn_guard_network_is_home(): bool {
	return in_array( posthorn_guard_hash( posthorn_here()['installation'] ), posthorn_settings()['saved_for']['installations'] ?? array(), true );
}

/**
 * The place that an answer is about.
 *
 * @param array|null $place A place, with more keys perhaps; null for this one.
 * @return array What posthorn_here() returns.
 */
function posthorn_guard_place( ?array $place ): array {
	$here = posthorn_here();
	return null === $place ? $here : array_merge( $here, array_intersect_key( $place, $here ) );
}

/**
 * Does something on the current site, and where a network was copied or moved as a whole, on all its sites that ask.
 *
 * @param array|null $place What the answer is about; null for this place.
 * @param callable   $what  What to do.
 */
function posthorn_on_guarded_sites( ?array $place, callable $what ): void {
	if ( null !== $place || ! is_multisite() || posthorn_guard_network_is_home() ) {
		$what();
		return;
	}
	$current = get_current_blog_id();
	posthorn_on_sites(
		true,
		static function () use ( $what, $current ): void {
			if ( get_current_blog_id() === $current || posthorn_is_held() || posthorn_is_copy() ) {
				$what();
			}
		}
	);
}

/**
 * Changes the settings, also if somebody else saves at the same moment.
 *
 * @param callable $change fn( array $settings ): array.
 * @throws RuntimeException When it cannot be done.
 */
function posthorn_guard_change( callable $change ): void {
	for ( $try = 0; $try < POSTHORN_GUARD_TRIES; $try++ ) {
		$settings = $change( posthorn_settings() );
		if ( null !== posthorn_replace_settings( $settings, $settings['saved_for'] ) ) {
			return;
		}
	}
	throw new RuntimeException( esc_html__( 'The answer could not be saved, because somebody else was saving the settings. Try again.', 'posthorn' ) );
}

/**
 * A place was decided about: it is asked no more.
 *
 * @param array $here A place.
 */
function posthorn_guard_answered( array $here ): void {
	$questions = posthorn_guard_questions();
	unset( $questions[ posthorn_guard_hash( implode( "\0", $here ) ) ] );
	if ( array() === $questions ) {
		delete_option( POSTHORN_QUESTION_OPTION );
	} else {
		update_option( POSTHORN_QUESTION_OPTION, $questions, true );
	}
}

/**
 * A site was added to the network: where that is a copy, it keeps to the copy's queue.
 *
 * @param WP_Site $site The site.
 */
function posthorn_guard_site_made( WP_Site $site ): void {
	$name = posthorn_copy_name();
	if ( '' !== $name ) {
		update_blog_option( (int) $site->blog_id, POSTHORN_COPY_OPTION, $name );
	}
}
