<?php
/** What becomes of a queue whose files somebody deletes, cuts off, overwrites or restores while PHP runs. */

declare(strict_types=1);

const QUEUE_FILES = [ 'queue.db', 'queue.db-wal', 'queue.db-shm' ];

/** Overwrites a file in place, as `cp` does: it stays the same file. */
function overwrite( string $path, string $content, int $at = 0 ): void {
	$file = fopen( $path, 'r+' );
	0 === $at && ftruncate( $file, 0 );
	fseek( $file, $at );
	fwrite( $file, $content );
	fclose( $file );
}

function cut_off( string $path, int $bytes ): void {
	$file = fopen( $path, 'r+' );
	ftruncate( $file, $bytes );
	fclose( $file );
}

/** @return array<string, callable(string, string): void> Fault → what is done to the folder of a queue, with a copy of it made earlier. */
function faults(): array {
	return [
		'all deleted'                     => fn( $queue ) => array_map( fn( $file ) => unlink( "$queue/$file" ), QUEUE_FILES ),
		'the file deleted, its log left'  => fn( $queue ) => unlink( "$queue/queue.db" ),
		'the log deleted'                 => fn( $queue ) => unlink( "$queue/queue.db-wal" ),
		'the file emptied'                => fn( $queue ) => cut_off( "$queue/queue.db", 0 ),
		'the file cut to half a page'     => fn( $queue ) => cut_off( "$queue/queue.db", 2048 ),
		'the file cut to half'            => fn( $queue ) => cut_off( "$queue/queue.db", intdiv( filesize( "$queue/queue.db" ), 8192 ) * 4096 ),
		'the log emptied'                 => fn( $queue ) => cut_off( "$queue/queue.db-wal", 0 ),
		'the log cut to half'             => fn( $queue ) => cut_off( "$queue/queue.db-wal", intdiv( filesize( "$queue/queue.db-wal" ), 2 ) ),
		'the log overwritten'             => fn( $queue ) => overwrite( "$queue/queue.db-wal", str_repeat( "\xa5", 100_000 ), 20_000 ),
		'yesterday\'s file moved into its place, the log left' => function ( $queue, $copy ) {
			copy( "$copy/queue.db", "$queue/restored" );
			rename( "$queue/restored", "$queue/queue.db" );
		},
		'yesterday\'s file written over it, the log left'      => fn( $queue, $copy ) => overwrite( "$queue/queue.db", file_get_contents( "$copy/queue.db" ) ),
		'yesterday\'s file and log moved into their place'     => function ( $queue, $copy ) {
			foreach ( QUEUE_FILES as $file ) {
				is_file( "$copy/$file" ) ? copy( "$copy/$file", "$queue/restored" ) && rename( "$queue/restored", "$queue/$file" ) : @unlink( "$queue/$file" );
			}
		},
		'another queue moved into its place'                   => function ( $queue, $copy ) {
			copy( "$copy/other.db", "$queue/restored" );
			rename( "$queue/restored", "$queue/queue.db" );
		},
	];
}

function survives( Bed $bed, callable $fault, string $name ): void {
	$watcher   = $bed->watcher();
	$folder    = $bed->queue_folder();
	$endpoints = [ endpoint( $watcher->after( 1 ) ) ];
	$copy      = "{$bed->folder}/copy";
	mkdir( $copy );
	$bed->configure( "{$bed->folder}/other", $endpoints );
	sqlite( "{$bed->folder}/other/queue.db", 'PRAGMA wal_checkpoint(TRUNCATE)' );
	rename( "{$bed->folder}/other/queue.db", "$copy/other.db" );
	// Yesterday.
	$told = explode( "\n", trim( $bed->run( 'dispatch', [ $folder, json_encode( $endpoints ), 300 ] ) ) );
	foreach ( QUEUE_FILES as $file ) {
		is_file( "$folder/$file" ) && copy( "$folder/$file", "$copy/$file" );
	}
	$stop     = "{$bed->folder}/stop";
	$children = array_map( fn() => $bed->start( 'dispatch-through', [ $folder, json_encode( $endpoints ), $stop ] ), range( 1, 3 ) );
	$ids      = fn() => preg_grep( '/^evt_/', array_merge( ...array_map( fn( $child ) => $child->lines(), $children ) ) );
	wait_for( 20, 'they dispatch', fn() => count( $ids() ) > 2500 );
	$before = $ids();
	$fault( $folder, $copy );
	// Whoever wrote to what is gone may have been told an id for as long as it takes to notice.
	usleep( 200_000 );
	$noticing = $ids();
	wait_for( 30, fn() => 'they go on: ' . shown( array_map( fn( $child ) => array_slice( $child->lines(), -1 ), $children ) ) . $bed->logs(), fn() => count( $ids() ) > count( $noticing ) + 600 );
	touch( $stop );
	foreach ( $children as $child ) {
		$child->wait( 20 );
		same( 0, $child->status(), 'how a process ended: ' . $child->errors() );
	}
	$bed->run( 'work-until-done', [ $folder ], [], [], 30 );
	$arrived = array_column( $watcher->requests(), 'id' );
	$lost    = fn( array $told ) => count( array_diff( $told, $arrived ) );
	$refused = preg_grep( '/^refused/', array_merge( ...array_map( fn( $child ) => $child->lines(), $children ) ) );
	figure( '%s: lost %d of %d told before, %d of %d in the next 0.2 s, %d of %d afterwards; %d refused; sent again %d; kept: %d', $name,
		$lost( $before ), count( $before ), $lost( array_diff( $noticing, $before ) ), count( $noticing ) - count( $before ),
		$lost( array_diff( $ids(), $noticing ) ), count( $ids() ) - count( $noticing ), count( $refused ), count( $arrived ) - count( array_unique( $arrived ) ),
		count( glob( "$folder/queue.db.corrupt-*" ) ) );
	echo '# log: ', implode( "\n# log: ", array_map( fn( $l ) => substr( $l, 0, 260 ), array_slice( file( "$folder/posthorn.log", FILE_IGNORE_NEW_LINES ) ?: [], 0, 8 ) ) ), "\n";
	echo '# refused: ', substr( current( $refused ) ?: '', 0, 250 ), "\n";
	same( 0, $lost( array_diff( $ids(), $noticing ) ), 'lost afterwards' );
	queue_file_is_sound( $folder );
}

$tests = [];
foreach ( faults() as $name => $fault ) {
	$tests[ "goes on: $name" ] = fn( Bed $bed ) => survives( $bed, $fault, $name );
}
return $tests;
