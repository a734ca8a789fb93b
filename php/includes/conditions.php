<?php
/**
 * What is wrong, or soon will be, with who sends, where the queue lies and how much room it has: looked at anew each time, so
 * that what was put right is not shown any more. Site Health, the settings page and `wp posthorn status` show the same.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/admin/remedies.php';
require_once __DIR__ . '/admin/receiver-state.php';
require_once __DIR__ . '/admin/deliveries.php';

/** What could have been sent for longer is late. The default delay between two attempts. */
const POSTHORN_LATE_S = 300;

/** The queue is nearly full from this share of its limit on. */
const POSTHORN_NEARLY_FULL = 0.9;

/** Less room on the disk is little, and still less is hardly any: a queue's log alone takes up to 64 MiB. */
const POSTHORN_LITTLE_ROOM_BYTES = 256 * MB_IN_BYTES;
const POSTHORN_NO_ROOM_BYTES     = 32 * MB_IN_BYTES;

/** The option that holds when webhooks last had to wait for a visitor, and for how long: `time`, `seconds`. */
const POSTHORN_WAITED_OPTION = 'posthorn_waited';

/** That they had to is told for so long. */
const POSTHORN_WAITED_TOLD_S = 7 * DAY_IN_SECONDS;

/**
 * A condition.
 *
 * @param string $id    Which: frozen, silent, network, memory, overlay, moved, full, nearly_full, disk, late, waited, paused,
 *                      guard, constant, suspended, failing, switched_off.
 * @param string $level `critical` or `recommended`, as Site Health has them.
 * @param string $title The heading.
 * @param string $text  What it means.
 * @param array  $steps Optional. What to do, see posthorn_step().
 * @return array{id:string,level:string,title:string,text:string,steps:array}
 */
function posthorn_condition( string $id, string $level, string $title, string $text, array $steps = array() ): array {
	return compact( 'id', 'level', 'title', 'text', 'steps' );
}

/**
 * Everything that is wrong now, the worst first.
 *
 * @return array[] See posthorn_condition().
 * @throws \Posthorn\Exception When the queue cannot be used.
 */
function posthorn_conditions(): array {
	if ( posthorn_is_held() ) {
		return array( posthorn_guard_condition() );
	}
	$look      = posthorn_client_inspect();
	$endpoints = posthorn_client_endpoints();
	$waiting   = posthorn_client_waiting();
	$found     = array_merge( posthorn_sender_conditions( $look ), posthorn_place_conditions( $look ), posthorn_room_conditions( $look, posthorn_client_stats() ), posthorn_backlog_conditions( $look, $endpoints, $waiting ), posthorn_receiver_conditions( $endpoints, $waiting ), posthorn_constant_conditions() );
	usort( $found, static fn( array $one, array $other ) => $one['level'] <=> $other['level'] );
	return $found;
}

/**
 * What is wrong with the endpoints that wp-config.php defines.
 *
 * @return array[]
 */
function posthorn_constant_conditions(): array {
	$mistakes = defined( 'POSTHORN_ENDPOINTS' ) ? posthorn_constant_mistakes() : array();
	return array_map( static fn( string $mistake ): array => posthorn_condition( 'constant', 'critical', __( 'A receiver in wp-config.php has a mistake', 'posthorn' ), $mistake ), $mistakes );
}

/**
 * It is not known whether the site is a copy.
 */
function posthorn_guard_condition(): array {
	$words = posthorn_guard_words();
	return posthorn_condition(
		'guard',
		'critical',
		$words['title'],
		$words['text'],
		array(
			posthorn_step( __( 'If it was moved here, press “This site was moved here” under Settings → CRM Webhooks, or run:', 'posthorn' ), 'wp posthorn site moved' ),
			posthorn_step( __( 'If it is a copy, press “This is a copy”, or run:', 'posthorn' ), 'wp posthorn site copy' ),
		)
	);
}

/**
 * Whether the process that sends answers.
 *
 * @param array $look What posthorn_client_inspect() returned.
 * @return array[]
 */
function posthorn_sender_conditions( array $look ): array {
	if ( ! $look['dispatcher'] || false !== $look['dispatcher_responds'] ) {
		return array();
	}
	$pid = (int) $look['dispatcher_pid'];
	if ( $look['dispatcher_stopped'] ) {
		return array(
			posthorn_condition(
				'frozen',
				'critical',
				__( 'The process that sends CRM webhooks is frozen', 'posthorn' ),
				/* translators: 1: number of a process, 2: kind of the process, such as fpm-fcgi. */
				sprintf( __( 'Process %1$d (%2$s) was stopped and not resumed. While it exists no other may send, so webhooks are kept and wait. The CRM and its pages are not affected.', 'posthorn' ), $pid, $look['dispatcher_kind'] ),
				posthorn_frozen_steps( $pid )
			),
		);
	}
	return array(
		posthorn_condition(
			'silent',
			'critical',
			__( 'The process that sends CRM webhooks does not answer', 'posthorn' ),
			null === $look['dispatcher_stopped']
				? __( 'It runs in another container, which may be paused. While it exists no other may send, so webhooks are kept and wait.', 'posthorn' )
				/* translators: 1: number of a process, 2: kind of the process, such as fpm-fcgi. */
				: sprintf( __( 'Process %1$d (%2$s) holds the queue and has given no sign of life for seconds; its disk may hang. While it exists no other may send, so webhooks are kept and wait.', 'posthorn' ), $pid, $look['dispatcher_kind'] ),
			null === $look['dispatcher_stopped'] ? posthorn_paused_container_steps() : posthorn_silent_steps( $pid )
		),
	);
}

/**
 * Whether the queue lies where it can stay, and on the machine where it was.
 *
 * @param array $look What posthorn_client_inspect() returned.
 * @return array[]
 */
function posthorn_place_conditions( array $look ): array {
	$found     = array();
	$directory = posthorn_queue_directory();
	$type      = (string) $look['file_system_type'];
	switch ( $look['file_system'] ) {
		case 'network':
			/* translators: 1: a directory, 2: name of a file system, such as nfs4. */
			$found[] = posthorn_condition( 'network', 'critical', __( 'The webhook queue is on a network file system, which is not supported', 'posthorn' ), sprintf( __( '%1$s is on %2$s. Its locks do not hold between computers, so webhooks may be sent twice and the queue may be damaged. Keep it on a disk of this server.', 'posthorn' ), $directory, $type ), posthorn_place_steps() );
			break;
		case 'memory':
			/* translators: 1: a directory, 2: name of a file system, such as tmpfs. */
			$found[] = posthorn_condition( 'memory', 'critical', __( 'The webhook queue is in memory: the next restart deletes it', 'posthorn' ), sprintf( __( '%1$s is on %2$s. Webhooks that wait there are lost when this server or container restarts.', 'posthorn' ), $directory, $type ), posthorn_place_steps() );
			break;
		case 'overlay':
			/* translators: 1: a directory, 2: name of a file system, such as overlay. */
			$found[] = posthorn_condition( 'overlay', 'critical', __( 'The webhook queue is inside the container: the next deployment deletes it', 'posthorn' ), sprintf( __( '%1$s is on %2$s, the container’s own layer. Webhooks that wait there, and the record of those that were sent, are lost when the container is replaced.', 'posthorn' ), $directory, $type ), posthorn_place_steps() );
	}
	if ( $look['host_changed'] ) {
		$found[] = posthorn_condition(
			'moved',
			'recommended',
			__( 'The webhook queue was last used on another machine', 'posthorn' ),
			sprintf(
				/* translators: 1: name of a computer, 2: name of a computer. */
				__( 'It comes from %1$s; this is %2$s. If you moved the site, all is well: say so, and this notice goes. If the other machine still runs the site, or this is a copy for testing, both send the same webhooks: two machines must not share a queue.', 'posthorn' ),
				'' === (string) $look['last_host'] ? __( 'an unknown machine', 'posthorn' ) : $look['last_host'],
				$look['host']
			),
			array( posthorn_step( __( 'If it was moved and the other machine uses it no more, press “It was moved here” under Settings → CRM Webhooks, or say so on the server:', 'posthorn' ), 'wp posthorn adopt' ) )
		);
	}
	return $found;
}

/**
 * Whether queue and disk have room.
 *
 * @param array $look  What posthorn_client_inspect() returned.
 * @param array $stats What posthorn_client_stats() returned.
 * @return array[]
 */
function posthorn_room_conditions( array $look, array $stats ): array {
	$found = array();
	$used  = (int) $stats['used_bytes'];
	$most  = (int) $stats['max_bytes'];
	if ( $used >= $most * POSTHORN_NEARLY_FULL ) {
		$full = $used >= $most;
		/* translators: 1: a size such as 3.8 GB, 2: a size such as 4 GB, 3: a number of deliveries. */
		$numbers = sprintf( __( 'It takes %1$s of at most %2$s; deliveries that wait: %3$s.', 'posthorn' ), size_format( $used, 1 ), size_format( $most, 1 ), number_format_i18n( (int) $stats['pending'] ) );
		$found[] = $full
			? posthorn_condition( 'full', 'critical', __( 'The webhook queue is full: new events are refused', 'posthorn' ), $numbers . ' ' . __( 'What it holds is kept and sent. It accepts events again as soon as there is room.', 'posthorn' ), posthorn_room_steps() )
			: posthorn_condition( 'nearly_full', 'recommended', __( 'The webhook queue is nearly full', 'posthorn' ), $numbers . ' ' . __( 'Once it is full, new events are refused.', 'posthorn' ), posthorn_room_steps() );
	}
	$free = $look['disk_free_bytes'];
	if ( null !== $free && $free < POSTHORN_LITTLE_ROOM_BYTES ) {
		$found[] = posthorn_condition(
			'disk',
			$free < POSTHORN_NO_ROOM_BYTES ? 'critical' : 'recommended',
			__( 'The disk of the webhook queue is nearly full', 'posthorn' ),
			/* translators: 1: a size such as 30 MB, 2: a directory. */
			sprintf( __( '%1$s are left for %2$s. Without room new events cannot be accepted; what was accepted is kept.', 'posthorn' ), size_format( (int) $free, 1 ), posthorn_queue_directory() ),
			posthorn_remedy_steps( 'full_disk' )
		);
	}
	return $found;
}

/**
 * Whether something waits that should not.
 *
 * @param array   $look      What posthorn_client_inspect() returned.
 * @param array[] $endpoints What posthorn_client_endpoints() returned.
 * @param array[] $waiting   What posthorn_client_waiting() returned.
 * @return array[]
 */
function posthorn_backlog_conditions( array $look, array $endpoints, array $waiting ): array {
	$late  = 0;
	$count = 0;
	$found = posthorn_suspended_conditions( $endpoints, $waiting );
	foreach ( $waiting as $waits ) {
		if ( 'paused' === $waits['held_back'] ) {
			/* translators: %s: a number of deliveries. */
			$found[] = posthorn_condition( 'paused', 'recommended', __( 'Sending of CRM webhooks is paused', 'posthorn' ), sprintf( __( 'It is paused since the plugin was switched off. Deliveries that wait: %s. “Send them now” under Settings → CRM Webhooks ends it.', 'posthorn' ), number_format_i18n( $waits['pending'] ) ), array( posthorn_resume_step() ) );
		} elseif ( null === $waits['held_back'] && $waits['due'] > 0 ) {
			$late   = max( $late, time() - (int) strtotime( (string) $waits['due_since'] ) );
			$count += (int) $waits['due'];
		}
	}
	if ( $late > POSTHORN_LATE_S && false !== $look['dispatcher_responds'] ) {
		/* translators: 1: a number of deliveries, 2: a duration such as 20 minutes. */
		$text    = sprintf( _n( '%1$s delivery could have been sent, for %2$s.', '%1$s deliveries could have been sent, the first %2$s ago.', $count, 'posthorn' ), number_format_i18n( $count ), human_time_diff( 0, $late ) );
		$found[] = $look['dispatcher']
			? posthorn_condition( 'late', 'recommended', __( 'CRM webhooks are late', 'posthorn' ), $text . ' ' . __( 'A process is sending, but there is more than the receiver takes, or it answers slowly. They go out as fast as it answers.', 'posthorn' ) )
			: posthorn_condition( 'late', 'recommended', __( 'CRM webhooks wait for the next visitor', 'posthorn' ), $text . ' ' . __( 'Nobody is sending: what waits goes out with the next request or with WP-Cron. A service is independent of visitors.', 'posthorn' ), posthorn_service_steps() );
	}
	$waited = (array) get_option( POSTHORN_WAITED_OPTION, array() );
	if ( isset( $waited['time'], $waited['seconds'] ) && time() - $waited['time'] < POSTHORN_WAITED_TOLD_S && ! ( $look['dispatcher'] && 'cli' === $look['dispatcher_kind'] ) ) {
		$found[] = posthorn_condition(
			'waited',
			'recommended',
			__( 'CRM webhooks had to wait for a visitor', 'posthorn' ),
			/* translators: 1: a duration such as 2 hours, 2: a duration such as 20 minutes. */
			sprintf( __( '%1$s ago, webhooks had been waiting for %2$s, because no PHP process was there to send them. A service sends at once, also when nobody visits the site.', 'posthorn' ), human_time_diff( (int) $waited['time'] ), human_time_diff( 0, (int) $waited['seconds'] ) ),
			posthorn_service_steps()
		);
	}
	return $found;
}

/**
 * Whether sending to a receiver is stopped, with something that waits for it or without.
 *
 * @param array[] $endpoints What posthorn_client_endpoints() returned.
 * @param array[] $waiting   What posthorn_client_waiting() returned.
 * @return array[]
 */
function posthorn_suspended_conditions( array $endpoints, array $waiting ): array {
	$found   = array();
	$pending = array_column( $waiting, 'pending', 'endpoint' );
	foreach ( $endpoints as $endpoint ) {
		if ( $endpoint['enabled'] && '' !== (string) $endpoint['suspended'] ) {
			/* translators: 1: why, 2: a number of deliveries. */
			$found[] = posthorn_condition( 'suspended', 'critical', __( 'Sending to the webhook receiver is stopped', 'posthorn' ), sprintf( __( 'Posthorn has stopped: %1$s. Deliveries that wait: %2$s. Put right what is wrong, then press “Send them now” under Settings → CRM Webhooks.', 'posthorn' ), rtrim( (string) $endpoint['suspended'], '.' ), number_format_i18n( (int) ( $pending[ $endpoint['id'] ] ?? 0 ) ) ), array( posthorn_resume_step() ) );
		}
	}
	return $found;
}

/**
 * Whether receivers take what is sent to them, and are switched on. That sending to one is stopped is among the above.
 *
 * @param array[] $endpoints What posthorn_client_endpoints() returned.
 * @param array[] $waiting   What posthorn_client_waiting() returned.
 * @return array[]
 */
function posthorn_receiver_conditions( array $endpoints, array $waiting ): array {
	$found   = array();
	$waiting = array_column( $waiting, null, 'endpoint' );
	foreach ( $endpoints as $endpoint ) {
		$host  = (string) wp_parse_url( $endpoint['url'], PHP_URL_HOST );
		$waits = $waiting[ $endpoint['id'] ] ?? null;
		if ( ! $endpoint['enabled'] ) {
			/* translators: 1: a host, such as hooks.example.com, 2: a sentence or two. */
			$found[] = posthorn_condition( 'switched_off', 'recommended', __( 'A receiver for CRM webhooks is switched off', 'posthorn' ), sprintf( __( '%1$s is %2$s', 'posthorn' ), $host, posthorn_switched_off_words( $waits ) ) );
		} elseif ( null !== $waits && (int) $endpoint['failures'] > 0 && '' === (string) $endpoint['suspended'] ) {
			$found[] = posthorn_condition(
				'failing',
				'recommended',
				__( 'The webhook receiver fails', 'posthorn' ),
				/* translators: 1: a host, such as hooks.example.com, 2: a sentence or two, 3: a number of deliveries. */
				sprintf( __( '%1$s: %2$s Deliveries that wait: %3$s.', 'posthorn' ), $host, posthorn_receiver_state( $endpoint, $waits )[1], number_format_i18n( (int) $waits['pending'] ) )
			);
		}
	}
	return $found;
}

/**
 * Notes that webhooks had to wait if they did, in a request that found nobody sending; see posthorn_nobody_sent().
 */
function posthorn_note_waiting(): void {
	posthorn_nobody_sent( false );
	foreach ( posthorn_client_waiting() as $waiting ) {
		$seconds = null === $waiting['held_back'] && $waiting['due'] > 0 ? time() - (int) strtotime( (string) $waiting['due_since'] ) : 0;
		if ( $seconds > POSTHORN_LATE_S ) {
			update_option(
				POSTHORN_WAITED_OPTION,
				array(
					'time'    => time(),
					'seconds' => $seconds,
				),
				false
			);
		}
	}
}
