<?php
/**
 * Site Health: whether webhooks go out, and by whom.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Adds the tests.
 *
 * @param array $tests Site Health's tests.
 */
function posthorn_add_site_health_tests( array $tests ): array {
	$tests['direct']['posthorn_sending']  = array(
		'label' => __( 'CRM webhooks are being sent', 'posthorn' ),
		'test'  => 'posthorn_test_sending',
	);
	$tests['direct']['posthorn_failures'] = array(
		'label' => __( 'CRM webhooks arrive', 'posthorn' ),
		'test'  => 'posthorn_test_failures',
	);
	$tests['direct']['posthorn_place']    = array(
		'label' => __( 'The CRM webhook queue is in a safe place', 'posthorn' ),
		'test'  => 'posthorn_test_place',
	);
	$tests['direct']['posthorn_room']     = array(
		'label' => __( 'The CRM webhook queue has room', 'posthorn' ),
		'test'  => 'posthorn_test_room',
	);
	$tests['direct']['posthorn_damage']   = array(
		'label' => __( 'The CRM webhook queue is undamaged', 'posthorn' ),
		'test'  => 'posthorn_test_damage',
	);
	return $tests;
}

/**
 * Whether damaged queue files are kept.
 */
function posthorn_test_damage(): array {
	$files = posthorn_client_set_aside();
	if ( array() === $files ) {
		return posthorn_health_result( 'posthorn_damage', 'good', __( 'The CRM webhook queue is undamaged', 'posthorn' ), __( 'No damaged file of the queue had to be set aside.', 'posthorn' ) );
	}
	require_once __DIR__ . '/admin/remedies.php';
	/* translators: %s: names of files. */
	return posthorn_health_result( 'posthorn_damage', 'recommended', __( 'A damaged webhook queue was set aside', 'posthorn' ), sprintf( __( 'Posthorn goes on with a new queue and keeps the old file: %s', 'posthorn' ), implode( ', ', array_column( $files, 'path' ) ) ), posthorn_set_aside_steps( $files ) );
}

/**
 * Whether the queue can be used and who sends.
 */
function posthorn_test_sending(): array {
	require_once __DIR__ . '/conditions.php';
	if ( posthorn_is_held() ) {
		return posthorn_health_of( 'posthorn_sending', array( posthorn_guard_condition() ) );
	}
	$look  = posthorn_client_inspect();
	$found = posthorn_sender_conditions( $look );
	try {
		$stats = posthorn_client_stats();
		$found = array_merge( $found, posthorn_backlog_conditions( $look, posthorn_client_endpoints(), posthorn_client_waiting() ), posthorn_constant_conditions() );
	} catch ( \Throwable $error ) {
		// A frozen process that holds the lock may be the reason.
		return posthorn_health_of( 'posthorn_sending', $found ) ?? posthorn_health_result( 'posthorn_sending', 'critical', __( 'The webhook queue cannot be used', 'posthorn' ), ucfirst( posthorn_readable( $error->getMessage() ) ), posthorn_remedy_steps( posthorn_client_trouble( $error ) ) );
	}
	if ( array() !== $found ) {
		return posthorn_health_of( 'posthorn_sending', $found );
	}
	if ( ! posthorn_has_receiver() ) {
		return array() !== posthorn_settings()['endpoints']
			? posthorn_health_result( 'posthorn_sending', 'recommended', __( 'Sending of CRM webhooks is switched off', 'posthorn' ), __( '“Send webhooks to this receiver” is not ticked. Events that happen now are not kept and will not be sent later.', 'posthorn' ) )
			: posthorn_health_result( 'posthorn_sending', 'good', __( 'No receiver for CRM webhooks is set', 'posthorn' ), __( 'The queue can be used. Nothing is sent until you enter a receiver.', 'posthorn' ) );
	}
	return posthorn_health_result( 'posthorn_sending', 'good', $stats['pending'] > 0 || $stats['dispatcher'] ? __( 'CRM webhooks are being sent', 'posthorn' ) : __( 'No CRM webhook waits', 'posthorn' ), posthorn_sender_words( $stats ) );
}

/**
 * Who sends, and what that means for the site.
 *
 * @param array $stats The queue's numbers.
 */
function posthorn_sender_words( array $stats ): string {
	if ( ! $stats['dispatcher'] ) {
		return __( 'No PHP process is sending at the moment. What waits goes out with the next request or with WP-Cron. To be independent of visitors, run “wp posthorn work” as a service; the README shows how.', 'posthorn' );
	}
	return 'cli' === ( $stats['dispatcher_kind'] ?? '' )
		? __( 'The posthorn service, or WP-CLI, is sending: webhooks go out at once, whether or not anybody visits the site.', 'posthorn' )
		: __( 'A PHP process of this site is sending in the background, for as long as it lives. Where PHP ends its processes when nobody visits, what comes due then goes out with the next request or with WP-Cron; “wp posthorn work” as a service is independent of visitors.', 'posthorn' );
}

/**
 * Whether the queue lies where it can stay.
 */
function posthorn_test_place(): array {
	require_once __DIR__ . '/conditions.php';
	$look = posthorn_client_inspect();
	return posthorn_health_of( 'posthorn_place', posthorn_place_conditions( $look ) ) ?? posthorn_health_result(
		'posthorn_place',
		'good',
		__( 'The CRM webhook queue is in a safe place', 'posthorn' ),
		'local' === $look['file_system']
			/* translators: 1: a directory, 2: name of a file system, such as ext4. */
			? sprintf( __( '%1$s is on a disk of this server (%2$s).', 'posthorn' ), posthorn_queue_directory(), $look['file_system_type'] )
			/* translators: 1: a directory, 2: name of a file system, such as fuse. */
			: sprintf( __( '%1$s is on a file system that Posthorn does not know (%2$s). Make sure that it is a disk of this server that survives restarts and deployments.', 'posthorn' ), posthorn_queue_directory(), (string) $look['file_system_type'] )
	);
}

/**
 * Whether queue and disk have room.
 */
function posthorn_test_room(): array {
	require_once __DIR__ . '/conditions.php';
	try {
		$stats = posthorn_client_stats();
	} catch ( \Throwable $error ) {
		return posthorn_health_result( 'posthorn_room', 'recommended', __( 'How much room the CRM webhook queue has cannot be told', 'posthorn' ), ucfirst( posthorn_readable( $error->getMessage() ) ) );
	}
	return posthorn_health_of( 'posthorn_room', posthorn_room_conditions( posthorn_client_inspect(), $stats ) ) ?? posthorn_health_result(
		'posthorn_room',
		'good',
		__( 'The CRM webhook queue has room', 'posthorn' ),
		/* translators: 1: a size such as 12 MB, 2: a size such as 4 GB. */
		sprintf( __( 'It takes %1$s of at most %2$s.', 'posthorn' ), size_format( (int) $stats['used_bytes'], 1 ), size_format( (int) $stats['max_bytes'], 1 ) )
	);
}

/**
 * The result of a test that has found something: the worst is the heading, all are in the text.
 *
 * @param string  $test  The test's name.
 * @param array[] $found Conditions.
 * @return array|null Null if there are none.
 */
function posthorn_health_of( string $test, array $found ): ?array {
	if ( array() === $found ) {
		return null;
	}
	usort( $found, static fn( array $one, array $other ) => $one['level'] <=> $other['level'] );
	$worst = array_shift( $found );
	$all   = posthorn_health_result( $test, $worst['level'], $worst['title'], $worst['text'], $worst['steps'] );
	foreach ( $found as $condition ) {
		$all['description'] .= '<p><strong>' . esc_html( $condition['title'] ) . '</strong></p>' . posthorn_health_result( $test, '', '', $condition['text'], $condition['steps'] )['description'];
	}
	return $all;
}

/**
 * Whether deliveries have failed for good.
 */
function posthorn_test_failures(): array {
	require_once __DIR__ . '/conditions.php';
	try {
		$dead = posthorn_client_deliveries(
			array(
				'state' => 'dead',
				'since' => gmdate( 'Y-m-d\TH:i:s\Z', time() - 7 * DAY_IN_SECONDS ),
				'limit' => 1,
			)
		);
		// What is stopped is told here too: webhooks do not arrive.
		$endpoints = posthorn_client_endpoints();
		$waiting   = posthorn_client_waiting();
		$found     = array_merge( posthorn_suspended_conditions( $endpoints, $waiting ), posthorn_receiver_conditions( $endpoints, $waiting ) );
	} catch ( \Throwable $error ) {
		return posthorn_health_result( 'posthorn_failures', 'recommended', __( 'Whether CRM webhooks arrive cannot be told', 'posthorn' ), posthorn_readable( $error->getMessage() ) );
	}
	if ( array() !== $found ) {
		$all = posthorn_health_of( 'posthorn_failures', $found );
		if ( array() !== $dead ) {
			$all['description'] .= '<p>' . esc_html( posthorn_last_dead_words( $dead[0] ) ) . '</p>';
		}
		return $all;
	}
	if ( array() === $dead ) {
		return posthorn_health_result( 'posthorn_failures', 'good', __( 'CRM webhooks arrive', 'posthorn' ), __( 'No delivery of the last seven days has failed for good.', 'posthorn' ) );
	}
	return posthorn_health_result(
		'posthorn_failures',
		'recommended',
		__( 'Some CRM webhooks could not be delivered', 'posthorn' ),
		posthorn_last_dead_words( $dead[0] )
	);
}

/**
 * What failed for good last.
 *
 * @param array $delivery The newest dead delivery.
 */
function posthorn_last_dead_words( array $delivery ): string {
	/* translators: 1: name of an event, 2: an error. */
	return sprintf( __( 'The last that failed for good was %1$s: %2$s Settings → CRM Webhooks → Deliveries lists them all.', 'posthorn' ), $delivery['event'], posthorn_delivery_error( $delivery ) );
}

/**
 * The last error of a delivery in one line, with a full stop.
 *
 * @param array $delivery A delivery.
 */
function posthorn_delivery_error( array $delivery ): string {
	if ( ! empty( $delivery['last_error'] ) ) {
		return rtrim( posthorn_readable( (string) $delivery['last_error'] ), '.' ) . '.';
	}
	if ( ! empty( $delivery['last_status'] ) ) {
		/* translators: %s: an HTTP status with its name. */
		return sprintf( __( 'the receiver answered %s.', 'posthorn' ), trim( $delivery['last_status'] . ' ' . get_status_header_desc( (int) $delivery['last_status'] ) ) );
	}
	return '';
}

/**
 * A result as Site Health takes it.
 *
 * @param string $test        The test's name.
 * @param string $status      good, recommended or critical.
 * @param string $label       The heading.
 * @param string $description What it means.
 * @param array  $steps       Optional. What to do, see posthorn_print_steps().
 */
function posthorn_health_result( string $test, string $status, string $label, string $description, array $steps = array() ): array {
	$list = '';
	if ( array() !== $steps ) {
		require_once __DIR__ . '/admin/instructions.php';
		ob_start();
		posthorn_print_steps( $steps );
		$list = (string) ob_get_clean();
	}
	return array(
		'label'       => $label,
		'status'      => $status,
		'badge'       => array(
			'label' => __( 'Webhooks', 'posthorn' ),
			'color' => 'blue',
		),
		'description' => '<p>' . esc_html( $description ) . '</p>' . $list,
		'actions'     => sprintf( '<p><a href="%s">%s</a></p>', esc_url( admin_url( 'options-general.php?page=posthorn' ) ), esc_html__( 'Open CRM Webhooks', 'posthorn' ) ),
		'test'        => $test,
	);
}

/**
 * Adds Posthorn to the debug information, without URL or secret.
 *
 * @param array $info Site Health's sections.
 */
function posthorn_add_debug_information( array $info ): array {
	$values = array(
		'plugin'    => POSTHORN_VERSION,
		'extension' => (string) phpversion( 'posthorn' ),
		'receivers' => (string) count( posthorn_settings()['endpoints'] ),
		'directory' => posthorn_queue_directory(),
	);
	try {
		$values += posthorn_client_stats() + posthorn_client_inspect();
	} catch ( \Throwable $error ) {
		$values['error'] = $error->getMessage();
	}
	$info['posthorn'] = array(
		'label'  => 'Posthorn',
		'fields' => array(),
	);
	foreach ( posthorn_debug_labels() as $name => $label ) {
		if ( array_key_exists( $name, $values ) ) {
			$info['posthorn']['fields'][ $name ] = array(
				'label' => $label,
				'value' => posthorn_debug_value( $name, $values[ $name ] ),
			);
		}
	}
	return $info;
}

/**
 * What the debug information shows, in its order. Not the machine's name: it belongs in no forum.
 *
 * @return array<string,string> Name of a number => its label.
 */
function posthorn_debug_labels(): array {
	return array(
		'plugin'              => __( 'Version of the plugin', 'posthorn' ),
		'extension'           => __( 'Version of the PHP extension', 'posthorn' ),
		'receivers'           => __( 'Receivers', 'posthorn' ),
		'directory'           => __( 'Directory of the queue', 'posthorn' ),
		'file_system'         => __( 'Kind of its file system', 'posthorn' ),
		'file_system_type'    => __( 'Its file system', 'posthorn' ),
		'host_changed'        => __( 'Last used on another machine', 'posthorn' ),
		'pending'             => __( 'Deliveries that wait', 'posthorn' ),
		'oldest_pending_s'    => __( 'The oldest waits for', 'posthorn' ),
		'delivered'           => __( 'Delivered', 'posthorn' ),
		'dead'                => __( 'Failed for good', 'posthorn' ),
		'cancelled'           => __( 'Cancelled', 'posthorn' ),
		'dispatcher'          => __( 'Somebody is sending', 'posthorn' ),
		'dispatcher_pid'      => __( 'Number of the process that sends', 'posthorn' ),
		'dispatcher_kind'     => __( 'Kind of the process that sends', 'posthorn' ),
		'dispatcher_responds' => __( 'The process that sends answers', 'posthorn' ),
		'dispatcher_stopped'  => __( 'The process that sends is frozen', 'posthorn' ),
		'bytes'               => __( 'Size of the queue on disk', 'posthorn' ),
		'used_bytes'          => __( 'Of that in use', 'posthorn' ),
		'max_bytes'           => __( 'Limit of the queue', 'posthorn' ),
		'disk_bytes'          => __( 'Size of the disk', 'posthorn' ),
		'disk_free_bytes'     => __( 'Free on the disk', 'posthorn' ),
		'error'               => __( 'Error', 'posthorn' ),
	);
}

/**
 * A value as the debug information shows it.
 *
 * @param string $name  A key of posthorn_debug_labels().
 * @param mixed  $value A scalar or null.
 */
function posthorn_debug_value( string $name, $value ): string {
	if ( null === $value ) {
		return '–';
	}
	if ( is_bool( $value ) ) {
		return $value ? __( 'yes', 'posthorn' ) : __( 'no', 'posthorn' );
	}
	if ( str_ends_with( $name, 'bytes' ) ) {
		return (string) size_format( (int) $value, 1 );
	}
	return 'oldest_pending_s' === $name ? human_time_diff( 0, (int) $value ) : (string) $value;
}
