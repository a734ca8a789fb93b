<?php
/**
 * What to do about each kind of trouble with the queue, step by step, with this server's own paths, users and services.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/instructions.php';

/**
 * The steps against a trouble.
 *
 * @param string $kind A kind of posthorn_client_trouble().
 * @return array<int,array{text:string,commands:string[]}> Empty if the message says it all.
 */
function posthorn_remedy_steps( string $kind ): array {
	$directory = posthorn_queue_directory();
	$queue     = escapeshellarg( $directory );
	$parent    = escapeshellarg( dirname( $directory ) );
	switch ( $kind ) {
		case 'permission':
			$user  = posthorn_php_user();
			$steps = array(
				/* translators: %s: a user of the operating system, such as www-data. */
				posthorn_step( sprintf( __( 'Let the user that PHP runs as, %s, own the directory of the queue and what is in it:', 'posthorn' ), $user ), "sudo install -d -m 700 -o $user -g $user $parent $queue", "sudo chown -R $user: $queue", "sudo chmod -R u=rwX,go= $queue" ),
				posthorn_step( __( 'If that says “Read-only file system”, Linux has stopped writing to the disk after an error. Ask your hoster, or see what happened:', 'posthorn' ), "findmnt -T $parent", 'sudo dmesg --level=err,warn | tail -n 20' ),
			);
			break;
		case 'full_disk':
			$steps = array(
				posthorn_step( __( 'See how full the disk is:', 'posthorn' ), "df -h $parent" ),
				posthorn_step( __( 'Find what fills it, and delete what is not needed (old backups and logs, mostly):', 'posthorn' ), 'sudo du -xh / | sort -rh | head -n 20' ),
			);
			break;
		case 'disk':
			$steps = array(
				posthorn_step( __( 'See whether the disk, or your share of it, is full:', 'posthorn' ), "df -h $parent", "df -i $parent" ),
				posthorn_step( __( 'If it is not, see whether it reports errors, and tell your hoster:', 'posthorn' ), 'sudo dmesg --level=err,warn | tail -n 20' ),
			);
			break;
		case 'full_queue':
			$steps = array(
				...posthorn_room_steps(),
				posthorn_step( __( 'If nobody sends, let a service do it; Tools → Site Health shows how. Until then:', 'posthorn' ), 'wp posthorn work' ),
				posthorn_step( __( 'If deliveries may wait for longer, raise that limit in the same line (seconds):', 'posthorn' ), "'max_pending_age' => 5184000" ),
			);
			break;
		case 'foreign':
			$steps = array(
				posthorn_step( __( 'If nothing else needs the file there, give it another name (it is not deleted):', 'posthorn' ), "sudo mv $queue/queue.db $queue/queue.db.foreign" ),
				posthorn_step( __( 'Otherwise give Posthorn a directory of its own, in wp-config.php:', 'posthorn' ), "define( 'POSTHORN_DATA_DIR', '/var/lib/posthorn-queue' );" ),
			);
			break;
		case 'newer':
			return posthorn_reload_steps();
		case 'locked':
			$steps = array(
				posthorn_step( __( 'See which program uses the file, and end the one that is not PHP:', 'posthorn' ), "sudo fuser -v $queue/queue.db" ),
			);
			break;
		case 'damaged':
			$user  = posthorn_php_user();
			$steps = array(
				posthorn_step( __( 'See whether the disk reports errors, and tell your hoster:', 'posthorn' ), 'sudo dmesg --level=err,warn | tail -n 20' ),
				posthorn_step( __( 'Let PHP’s user own the directory, so that Posthorn can set the damaged file aside:', 'posthorn' ), "sudo chown -R $user: $queue" ),
				posthorn_step( __( 'If damaged files have piled up there, keep them elsewhere:', 'posthorn' ), "sudo sh -c \"mv $queue/queue.db.corrupt-* /root/\"" ),
			);
			break;
		default:
			return array();
	}
	$steps[] = posthorn_step( __( 'That is all: nothing has to be restarted. The next event of the CRM is accepted again.', 'posthorn' ) );
	return $steps;
}

/**
 * What keeps this process out of the queue's directory: the nearest directory that it can see and may not use.
 *
 * @param string $queue The queue's directory.
 * @return array{text:string,directory:string,missing:string,owner:string,owner_id:int,user:string}|null `missing`: what has to
 *         be made below a directory that is not Posthorn's own; empty if that is there. Null if the cause is another.
 */
function posthorn_permission_matter( string $queue ): ?array {
	if ( ! function_exists( 'posix_geteuid' ) ) {
		return null;
	}
	clearstatcache();
	// Outside open_basedir nothing can be seen.
	// phpcs:disable WordPress.PHP.NoSilencedErrors
	for ( $directory = $queue; ! @file_exists( $directory ) && '/' !== $directory && '.' !== $directory; ) {
		$directory = dirname( $directory );
	}
	$owner_id = @fileowner( $directory );
	$mode     = @fileperms( $directory );
	// phpcs:enable
	if ( false === $owner_id || posix_geteuid() === $owner_id && 0700 === ( $mode & 0700 ) ) {
		return null;
	}
	$name  = static fn( int $id ): string => posix_getpwuid( $id )['name'] ?? (string) $id;
	$user  = $name( posix_geteuid() );
	$owner = $name( $owner_id );
	return array(
		/* translators: 1: name of a user, 2: a directory, 3: name of a user, 4: the directory's mode, such as 0700, 5: PHP or This command. */
		'text'      => sprintf( __( '%5$s runs as %1$s, but %2$s belongs to %3$s (mode %4$s).', 'posthorn' ), $user, $directory, $owner, sprintf( '%04o', $mode & 07777 ), 'cli' === PHP_SAPI ? __( 'This command', 'posthorn' ) : 'PHP' ),
		'directory' => $directory,
		'missing'   => in_array( $directory, array( $queue, dirname( $queue ) ), true ) ? '' : dirname( $queue ),
		'owner'     => $owner,
		'owner_id'  => $owner_id,
		'user'      => $user,
	);
}

/**
 * What to do about queue files that were damaged and set aside.
 *
 * @param array[] $files What posthorn_client_set_aside() returned.
 * @return array<int,array{text:string,commands:string[]}>
 */
function posthorn_set_aside_steps( array $files ): array {
	$newest = escapeshellarg( end( $files )['path'] );
	return array(
		posthorn_step( __( 'Files are not damaged by themselves. See whether the disk reports errors, and tell your hoster:', 'posthorn' ), 'sudo dmesg --level=err,warn | tail -n 20', 'df -h ' . escapeshellarg( posthorn_queue_directory() ) ),
		posthorn_step( __( 'If webhooks are missing at your receiver, they can be read from the old file on the server:', 'posthorn' ), "sudo sqlite3 $newest .recover | sqlite3 recovered.db", "sqlite3 recovered.db 'SELECT name, record, data FROM event'" ),
		posthorn_step( __( 'When you need it no more, delete it:', 'posthorn' ), ...array_map( static fn( array $file ) => 'sudo sh -c "rm ' . escapeshellarg( $file['path'] ) . '*"', $files ) ),
	);
}

/**
 * What to do about a process that was stopped and holds the queue.
 *
 * @param int $pid Its number.
 * @return array<int,array{text:string,commands:string[]}>
 */
function posthorn_frozen_steps( int $pid ): array {
	return array(
		posthorn_step( __( 'Let it go on:', 'posthorn' ), "sudo kill -CONT $pid" ),
		posthorn_step( __( 'If nobody knows why it was stopped, end it instead. Another process sends within a second; what was on its way is sent again, with the same id:', 'posthorn' ), "sudo kill -9 $pid" ),
	);
}

/**
 * What to do about a process that holds the queue and does not answer, though it was not stopped.
 *
 * @param int $pid Its number.
 * @return array<int,array{text:string,commands:string[]}>
 */
function posthorn_silent_steps( int $pid ): array {
	return array(
		posthorn_step( __( 'See what it does. A D in the column STAT means that it waits for the disk:', 'posthorn' ), "ps -o pid,stat,wchan:20,etime,cmd -p $pid" ),
		posthorn_step( __( 'See whether the disk reports errors, and tell your hoster:', 'posthorn' ), 'sudo dmesg --level=err,warn | tail -n 20' ),
		posthorn_step( __( 'If it stays like this, end the process. Another one sends within a second; what was on its way is sent again, with the same id:', 'posthorn' ), "sudo kill -9 $pid" ),
	);
}

/**
 * How to have what waits sent without the settings page.
 *
 * @return array{text:string,commands:string[]}
 */
function posthorn_resume_step(): array {
	return posthorn_step( __( 'Or on the server:', 'posthorn' ), 'wp posthorn site resume' );
}

/**
 * What to do about a container that is paused while a process in it holds the queue.
 *
 * @return array<int,array{text:string,commands:string[]}>
 */
function posthorn_paused_container_steps(): array {
	return array(
		posthorn_step( __( 'Look for a container of this site that is paused, and let it go on or restart it:', 'posthorn' ), 'docker ps --filter status=paused', 'docker unpause CONTAINER' ),
	);
}

/**
 * How to keep the queue on a disk that stays.
 *
 * @return array<int,array{text:string,commands:string[]}>
 */
function posthorn_place_steps(): array {
	$parent = dirname( posthorn_queue_directory() );
	$user   = posthorn_php_user();
	return array(
		posthorn_step( __( 'Send what waits first, so that nothing is left behind:', 'posthorn' ), 'wp posthorn drain' ),
		posthorn_step( __( 'In a container, give the directory a volume of its own, on a disk of the machine:', 'posthorn' ), 'docker run -v posthorn:' . escapeshellarg( $parent ) . ' …' ),
		posthorn_step( __( 'Otherwise make a directory on a local disk and name it in wp-config.php:', 'posthorn' ), "sudo install -d -m 700 -o $user -g $user /var/lib/posthorn", "define( 'POSTHORN_DATA_DIR', '/var/lib/posthorn' );" ),
	);
}

/**
 * How to make room in the queue.
 *
 * @return array<int,array{text:string,commands:string[]}>
 */
function posthorn_room_steps(): array {
	return array(
		posthorn_step( __( 'See how much waits and how much room there is:', 'posthorn' ), 'wp posthorn status' ),
		posthorn_step( __( 'What waits makes room once it is sent. If your receiver does not answer, its own log says why. Deliveries that have failed for good are forgotten after 90 days, those that arrived after 7, unless set otherwise.', 'posthorn' ) ),
		posthorn_step( __( 'To keep what arrived for a shorter time, or to let the queue hold more, set its limits in wp-config.php (seconds, bytes):', 'posthorn' ), "define( 'POSTHORN_QUEUE_OPTIONS', array( 'keep_delivered' => 86400, 'max_bytes' => 8589934592 ) );" ),
	);
}

/**
 * How to run the service.
 *
 * @return array<int,array{text:string,commands:string[]}>
 */
function posthorn_service_steps(): array {
	$user = posthorn_php_user();
	return array(
		posthorn_step( __( 'Copy posthorn.service, which comes with the extension, to systemd’s directory and set the path of this WordPress in it:', 'posthorn' ), 'sudo install -m 644 packaging/posthorn.service /etc/systemd/system/', 'WorkingDirectory=' . untrailingslashit( ABSPATH ), "User=$user" ),
		posthorn_step( __( 'Start it, now and with every boot:', 'posthorn' ), 'sudo systemctl daemon-reload', 'sudo systemctl enable --now posthorn' ),
	);
}
