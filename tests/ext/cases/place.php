<?php
/** Where a queue lies and on which machine: file systems that are really mounted, machines that seem to change. */

declare(strict_types=1);

/** Whether this user may mount something in a namespace of mounts of its own. */
function may_mount(): bool {
	exec( 'unshare -m mount -t tmpfs posthorn-test /mnt 2>/dev/null', $lines, $failed );
	return 0 === $failed;
}

/** What is before a script so that `$commands` run first, in a namespace of mounts of its own. @return list<string> */
function mounted( string $commands ): array {
	return [ 'unshare', '-m', 'sh', '-c', "set -e; $commands; exec \"\$@\"", 'sh' ];
}

/** @param list<string> $before */
function inspected( Bed $bed, string $folder, array $before = [] ): array {
	return json_decode( $bed->run( 'inspect', [ $folder ], [], $before ), true );
}

/** `$before` of a process that runs where the machine's ids are others. @return list<string> */
function on_another_machine( Bed $bed, string $id ): array {
	file_put_contents( "{$bed->folder}/boot-$id", "boot-$id\n" );
	file_put_contents( "{$bed->folder}/machine-$id", "machine-$id\n" );
	$machine = file_exists( '/etc/machine-id' ) ? "mount --bind {$bed->folder}/machine-$id /etc/machine-id;" : '';
	return [ 'unshare', '-m', '-u', 'sh', '-c', "set -e; hostname host-$id; mount --bind {$bed->folder}/boot-$id /proc/sys/kernel/random/boot_id; $machine exec \"\$@\"", 'sh' ];
}

return [
	'a disk, memory and the layer of a container are told apart, by file systems that are mounted' => function ( Bed $bed ) {
		$folder = $bed->queue_folder();
		mkdir( $folder );
		$here = inspected( $bed, "$folder/none/yet" );
		same( [ false, null, false ], [ $here['dispatcher'], $here['dispatcher_pid'], $here['host_changed'] ], 'a directory that does not exist' );
		same( [], array_values( array_diff( scandir( $folder ), [ '.', '..' ] ) ), 'what looking leaves behind' );
		same( shell_exec( 'findmnt -n -o FSTYPE -T ' . escapeshellarg( $folder ) ), "{$here['file_system_type']}\n", 'its type, by findmnt' );
		same( (float) $here['disk_bytes'], disk_total_space( $folder ), 'its size' );
		$memory = inspected( $bed, '/dev/shm/posthorn-test' );
		same( [ 'memory', 'tmpfs' ], [ $memory['file_system'], $memory['file_system_type'] ], '/dev/shm' );
		if ( ! may_mount() ) {
			return;
		}
		mkdir( "$folder/at" );
		foreach ( [ 'lower', 'upper', 'work' ] as $part ) {
			$parts[] = "/mnt/$part";
		}
		$mounts = [
			'tmpfs'   => [ 'memory', "mount -t tmpfs -o size=3m posthorn-test $folder/at" ],
			'ramfs'   => [ 'memory', "mount -t ramfs posthorn-test $folder/at" ],
			'overlay' => [ 'overlay', 'mount -t tmpfs posthorn-test /mnt; mkdir ' . implode( ' ', $parts ) . "; mount -t overlay -o lowerdir={$parts[0]},upperdir={$parts[1]},workdir={$parts[2]} posthorn-test $folder/at" ],
			// What is mounted over it counts, not what was there.
			'ext4'    => [ 'local', "truncate -s 4M {$bed->folder}/disk; mkfs.ext4 -q {$bed->folder}/disk; mount -t tmpfs posthorn-test $folder/at; mount -o loop {$bed->folder}/disk $folder/at" ],
		];
		foreach ( $mounts as $type => [ $kind, $commands ] ) {
			$said = inspected( $bed, "$folder/at/queue", mounted( $commands ) );
			same( [ $kind, $type ], [ $said['file_system'], $said['file_system_type'] ], $type );
		}
		// The queue itself lies there, and its own look says the same.
		$said = inspected( $bed, "$folder/at", mounted( "mount -t tmpfs -o size=3m posthorn-test $folder/at" ) );
		same( 3 << 20, $said['disk_bytes'], 'size of the small disk' );
	},

	'a directory of another computer is told, by sshfs that is mounted' => function ( Bed $bed ) {
		$sftp = trim( (string) shell_exec( 'ls /usr/lib/openssh/sftp-server /usr/lib/ssh/sftp-server 2>/dev/null | head -n 1' ) );
		holds( '' !== $sftp && is_executable( '/usr/bin/sshfs' ), 'run.sh has installed sshfs and sftp-server' );
		if ( may_mount() && is_writable( '/dev/fuse' ) ) {
			$at = $bed->folder;
			mkdir( "$at/there" );
			mkdir( "$at/here" );
			// The other computer's end runs beside it: the same program that sshd would start.
			$said = inspected( $bed, "$at/here/queue", mounted( "mkfifo $at/in $at/out; $sftp <$at/in >$at/out & sshfs -f -o passive computer:$at/there $at/here >$at/in <$at/out & until mountpoint -q $at/here; do sleep 0.01; done" ) );
			same( [ 'network', 'fuse.sshfs' ], [ $said['file_system'], $said['file_system_type'] ], 'sshfs' );
		}
	},

	'a queue that comes from another machine is noticed, sent all the same, and adopted at the owner\'s word' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$first   = $bed->queue( [ endpoint( $watcher->after( 0 ) ) ], [ 'background' => false ], $folder );
		$first->work( 0.1 );
		$said = Posthorn\inspect( $folder );
		same( [ gethostname(), gethostname(), false ], [ $said['host'], $said['last_host'], $said['host_changed'] ], 'where it is' );
		same( '600', substr( decoct( fileperms( "$folder/host" ) ), -3 ), 'mode' );
		// A file of a machine that this is not: neither kernel, nor id, nor name, nor disk.
		$elsewhere = "boot 11111111111111111111111111111111\nmachine 22222222222222222222222222222222\nname old-server\ndisk 0000000000000001\n";
		file_put_contents( "$folder/host", $elsewhere );
		if ( ! is_readable( '/etc/machine-id' ) || '' === trim( file_get_contents( '/etc/machine-id' ) ) ) {
			$elsewhere = str_replace( str_repeat( '2', 32 ), '', $elsewhere );
			file_put_contents( "$folder/host", $elsewhere );
		}
		$id = $first->dispatch( 'deal.won', [] );
		// This process may still be the dispatcher; the next one arrives.
		$bed->run( 'work', [ $folder, 0.5 ] );
		$watcher->wait_for_ids( [ $id ] );
		$said = Posthorn\inspect( $folder );
		same( [ 'old-server', true ], [ $said['last_host'], $said['host_changed'] ], 'noticed' );
		same( $elsewhere, file_get_contents( "$folder/host" ), 'it stays noted' );
		holds( str_contains( file_get_contents( "$folder/posthorn.log" ), 'another machine (old-server)' ), 'in the log' );
		$first->adopt();
		$said = Posthorn\inspect( $folder );
		same( [ gethostname(), false ], [ $said['last_host'], $said['host_changed'] ], 'adopted' );
	},

	'a machine that has another kernel, id and name is another one; a container beside the first is not' => function ( Bed $bed ) {
		if ( ! may_mount() ) {
			// The rules themselves are tested by tests/it/runtime_place.rs.
			return;
		}
		$folder = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( 'http://127.0.0.1:9/' ) ] );
		$bed->run( 'work', [ $folder, 0.1 ] );
		// The same kernel with another name, as a container has.
		$said = inspected( $bed, $folder, [ 'unshare', '-u', 'sh', '-c', 'hostname 3f2a9c; exec "$@"', 'sh' ] );
		same( [ '3f2a9c', false ], [ $said['host'], $said['host_changed'] ], 'a container' );
		$other = on_another_machine( $bed, 'other' );
		$said  = inspected( $bed, $folder, $other );
		$knows_ids = is_readable( '/etc/machine-id' ) && '' !== trim( file_get_contents( '/etc/machine-id' ) );
		// Where no machine has an id, the disk that came along says that it is the same.
		same( [ 'host-other', $knows_ids ], [ $said['host'], $said['host_changed'] ], 'another machine' );
		// Its dispatcher changes nothing about that …
		$bed->run( 'work', [ $folder, 0.1 ], [], $other );
		same( $knows_ids, inspected( $bed, $folder, $other )['host_changed'], 'after it has sent there' );
		same( false, inspected( $bed, $folder )['host_changed'], 'the first machine' );
	},
];
