<?php
/** Disks that fill up, again and again and at every stage, and one that turns read-only. */

declare(strict_types=1);

/** A file system of its own for a queue, `null` where this user may not mount. */
function disk( Bed $bed, int $mib, bool $of_blocks = false ): ?string {
	$folder = "{$bed->folder}/disk";
	mkdir( $folder );
	$mount = "mount -t tmpfs -o size={$mib}m,mode=0777 posthorn-test $folder";
	if ( $of_blocks ) {
		$image = "{$bed->folder}/image";
		$mount = "truncate -s {$mib}M $image && mkfs.ext4 -q -O ^has_journal -e remount-ro $image && mount -o loop,errors=remount-ro $image $folder";
	}
	exec( "( $mount ) 2>&1", $lines, $failed );
	return $failed ? null : $folder;
}

function unmount( string $folder ): void {
	exec( 'umount -l ' . escapeshellarg( $folder ) . ' 2>/dev/null' );
}

/** A test on a file system of its own, where this user may mount one. */
function on_disk( int $mib, callable $test ): callable {
	return function ( Bed $bed ) use ( $mib, $test ) {
		$disk = disk( $bed, $mib );
		if ( ! $disk ) {
			// What can be done without that right is in trouble.php.
			figure( 'not without the right to mount' );
			return;
		}
		try {
			$test( $bed, $disk );
		} finally {
			$bed->stop();
			unmount( $disk );
		}
	};
}

/** What is left of a disk. */
function fill_disk( string $disk ): void {
	@file_put_contents( "$disk/ballast", str_repeat( 'x', 64 << 20 ) );
}

/** Gives so much of a disk that was filled free again. */
function give_room( string $disk, int $bytes ): void {
	$ballast = fopen( "$disk/ballast", 'r+' );
	ftruncate( $ballast, fstat( $ballast )['size'] - $bytes );
	fclose( $ballast );
}

return [
	'a disk that is full while outcomes are to be settled: nothing is sent again, and all is settled when there is room' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$disk    = disk( $bed, 8 );
		$folder  = ( $disk ?? $bed->folder ) . '/queue';
		try {
			$bed->run( 'fill', [ $folder, json_encode( [ endpoint( $watcher->after( 150 ) ) ] ), 1000 ] );
			// Without a disk of its own, the process's files end where they are.
			$worker = $bed->start( 'work', [ $folder, 60 ], [], $disk ? [] : [ 'sh', '-c', "trap '' XFSZ; exec \"\$@\"", 'sh' ] );
			wait_for( 20, 'requests are open', fn() => $watcher->counts()['open'] > 0, 1000 );
			$disk ? fill_disk( $disk ) : exec( "prlimit --pid {$worker->pid} --fsize=" . filesize( "$folder/queue.db-wal" ) . ':unlimited' );
			wait_for( 20, 'it says so', fn() => str_contains( (string) @file_get_contents( "$folder/posthorn.log" ), 'sending is interrupted' ) || $disk && $watcher->counts()['received'] > 0 );
			// Two tries of the store.
			usleep( 2_500_000 );
			$sent = $watcher->counts();
			holds( $sent['received'] <= 32 + 64 && $sent['received'] === $sent['unique'], 'sent while nothing can be settled: ' . shown( $sent ) );
			$disk ? unlink( "$disk/ballast" ) : exec( "prlimit --pid {$worker->pid} --fsize=unlimited" );
			wait_for( 30, 'all arrives', fn() => 1000 === $watcher->counts()['unique'] );
			same( 1000, $watcher->counts()['received'], 'requests: none was repeated' );
			$bed->run( 'work-until-done', [ $folder ] );
			$worker->kill();
			same( '1000', sqlite( "$folder/queue.db", 'SELECT count(*) FROM delivery WHERE state = 1 AND attempts = 1' ), 'delivered at the first attempt' );
			figure( '%d were sent before it stopped', $sent['received'] );
		} finally {
			$bed->stop();
			$disk && unmount( $disk );
		}
	},

	'a disk that is full again and again while events are accepted, settled and checkpointed loses none' => on_disk( 24, function ( Bed $bed, string $disk ) {
		$watcher   = $bed->watcher();
		$folder    = "$disk/queue";
		$stop      = "{$bed->folder}/stop";
		$endpoints = json_encode( [ endpoint( $watcher->after( 0 ) ) ] );
		$bed->run( 'configure', [ $folder, $endpoints ] );
		$children = array_map( fn() => $bed->start( 'dispatch-through', [ $folder, $endpoints, $stop ] ), range( 1, 3 ) );
		$said     = fn( string $start ) => preg_grep( "/^$start/", array_merge( ...array_map( fn( $child ) => $child->lines(), $children ) ) );
		$last     = fn( string $what ) => fn() => "$what: " . shown( array_map( fn( $child ) => array_slice( $child->lines(), -1 ), $children ) );
		$refused  = 0;
		for ( $round = 1; $round <= 4; $round++ ) {
			$count = count( $said( 'evt_' ) );
			wait_for( 20, $last( "events are accepted, round $round" ), fn() => count( $said( 'evt_' ) ) > $count + 500 * $round );
			fill_disk( $disk );
			wait_for( 30, $last( "it is refused, round $round" ), fn() => count( $said( 'refused' ) ) > $refused );
			unlink( "$disk/ballast" );
			$refused = count( $said( 'refused' ) );
		}
		$count = count( $said( 'evt_' ) );
		wait_for( 20, $last( 'events are accepted again' ), fn() => count( $said( 'evt_' ) ) > $count + 500 );
		touch( $stop );
		foreach ( $children as $child ) {
			$child->wait( 20 );
			same( 0, $child->status(), $child->errors() );
		}
		foreach ( $said( 'refused' ) as $line ) {
			holds( 1 === preg_match( '/^refused [27] .*disk/', $line ), $line );
		}
		$bed->run( 'work-until-done', [ $folder ], [], [], 40 );
		$watcher->wait_for_ids( array_values( $said( 'evt_' ) ) );
		same( [], glob( "$folder/queue.db.corrupt-*" ), 'files set aside' );
		figure( '%d events, %d refused in four times', count( $said( 'evt_' ) ), count( $said( 'refused' ) ) );
		queue_file_is_sound( $folder );
	} ),

	'what becomes free on a full disk goes to the file before pages fill the log with it' => on_disk( 8, function ( Bed $bed, string $disk ) {
		$watcher   = $bed->watcher();
		$folder    = "$disk/queue";
		$stop      = "{$bed->folder}/stop";
		$endpoints = json_encode( [ endpoint( $watcher->after( 0 ) ) ] );
		$bed->run( 'configure', [ $folder, $endpoints ] );
		// Nobody sends and so nobody moves the log.
		$before = explode( "\n", trim( $bed->run( 'dispatch-unsent', [ $folder, 1000 ] ) ) );
		fill_disk( $disk );
		$children = array_map( fn() => $bed->start( 'dispatch-through', [ $folder, $endpoints, $stop ] ), range( 1, 3 ) );
		wait_for( 20, 'all are refused', fn() => 3 === count( array_filter( $children, fn( $child ) => preg_grep( '/^refused 2 /', $child->lines() ) ) ) );
		give_room( $disk, 2 << 20 );
		$accepted = fn() => preg_grep( '/^evt_/', array_merge( ...array_map( fn( $child ) => $child->lines(), $children ) ) );
		// Twice as many as the log could hold in what became free.
		wait_for( 30, fn() => 'events are accepted: ' . count( $accepted() ), fn() => count( $accepted() ) > 1000 );
		touch( $stop );
		foreach ( $children as $child ) {
			$child->wait( 20 );
		}
		unlink( "$disk/ballast" );
		$bed->run( 'work-until-done', [ $folder ] );
		$watcher->wait_for_ids( array_merge( $before, $accepted() ) );
		queue_file_is_sound( $folder );
	} ),

	'who reads for long on a disk that is nearly full keeps nobody waiting' => on_disk( 8, function ( Bed $bed, string $disk ) {
		$folder = "$disk/queue";
		$bed->run( 'configure', [ $folder, json_encode( [ endpoint( 'http://127.0.0.1:9/' ) ] ) ] );
		$bed->run( 'dispatch-unsent', [ $folder, 1000 ] );
		fill_disk( $disk );
		give_room( $disk, 1 << 20 );
		$reader = proc_open( [ 'sqlite3', "$folder/queue.db" ], [ [ 'pipe', 'r' ], [ 'pipe', 'w' ] ], $pipes );
		fwrite( $pipes[0], "BEGIN; SELECT count(*) FROM event;\n" );
		same( "1000\n", fgets( $pipes[1] ), 'events' );
		$began = hrtime( true );
		$bed->run( 'dispatch-unsent', [ $folder, 50 ], [], [], 60 );
		$took = ( hrtime( true ) - $began ) / 1e9;
		array_map( fclose( ... ), $pipes );
		proc_close( $reader );
		figure( '%.2f s for 50 events', $took );
		holds( $took < 5, "waited for who reads: $took s" );
	} ),

	'a disk that turns read-only is refused with the remedy, and used again when it is mended' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$disk    = disk( $bed, 32, true );
		// The kernel's own way to find an error in a file system, which it then mounts read-only.
		$device  = $disk ? basename( trim( (string) shell_exec( 'findmnt -n -o SOURCE ' . escapeshellarg( $disk ) ) ) ) : '';
		$trigger = "/sys/fs/ext4/$device/trigger_fs_error";
		if ( ! $disk || ! is_writable( $trigger ) ) {
			figure( 'not without a loop device' );
			$disk && unmount( $disk );
			return;
		}
		try {
			$folder = "$disk/queue";
			$stop   = "{$bed->folder}/stop";
			$child  = $bed->start( 'dispatch-through', [ $folder, json_encode( [ endpoint( $watcher->after( 0 ) ) ] ), $stop ] );
			$said   = fn( string $start ) => array_values( preg_grep( "/^$start/", $child->lines() ) );
			wait_for( 10, 'it dispatches', fn() => count( $said( 'evt_' ) ) > 200 );
			file_put_contents( $trigger, '1' );
			wait_for( 20, fn() => 'it is refused: ' . shown( array_slice( $child->lines(), -2 ) ), fn() => count( $said( 'refused' ) ) > 0 );
			figure( '%s', $said( 'refused' )[0] );
			holds( 1 === preg_match( '/^refused [17] .*(read-only|disk)/', $said( 'refused' )[0] ), $said( 'refused' )[0] );
			touch( $stop );
			$child->wait( 20 );
			same( 0, $child->status(), 'the process is unharmed: ' . $child->errors() );
			$accepted = $said( 'evt_' );
			// As an administrator does it: away, checked, there again.
			wait_for( 10, 'it is unmounted', fn() => exec( 'umount ' . escapeshellarg( $disk ) . ' 2>&1 && echo unmounted' ) === 'unmounted' );
			$image = escapeshellarg( "{$bed->folder}/image" );
			exec( "fsck.ext4 -fp $image 2>&1; mount -o loop $image " . escapeshellarg( $disk ) . ' 2>&1', $lines, $failed );
			same( 0, $failed, 'it is mounted again: ' . implode( ' ', $lines ) );
			unlink( $stop );
			$child = $bed->start( 'dispatch-through', [ $folder, json_encode( [ endpoint( $watcher->after( 0 ) ) ] ), $stop ] );
			wait_for( 20, fn() => 'it is accepted again: ' . shown( array_slice( $child->lines(), -2 ) ), fn() => count( $child->lines() ) > 50 );
			touch( $stop );
			$child->wait( 20 );
			same( [], preg_grep( '/^refused/', $child->lines() ), 'refused' );
			$bed->run( 'work-until-done', [ $folder ] );
			$watcher->wait_for_ids( $child->lines() );
			$arrived = array_column( $watcher->requests(), 'id' );
			figure( 'of %d events accepted before, %d were on the disk', count( $accepted ), count( array_intersect( $accepted, $arrived ) ) );
		} finally {
			$bed->stop();
			unmount( $disk );
		}
	},
];
