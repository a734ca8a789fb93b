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
		// Whoever notices first has set the log aside before its turn comes.
		'all deleted'                     => fn( $queue ) => array_map( fn( $file ) => @unlink( "$queue/$file" ), QUEUE_FILES ),
		'the file deleted, its log left'  => fn( $queue ) => unlink( "$queue/queue.db" ),
		'the log deleted'                 => fn( $queue ) => unlink( "$queue/queue.db-wal" ),
		'the file emptied'                => fn( $queue ) => cut_off( "$queue/queue.db", 0 ),
		'the file cut to half a page'     => fn( $queue ) => cut_off( "$queue/queue.db", 2048 ),
		'the file cut to half'            => fn( $queue ) => cut_off( "$queue/queue.db", intdiv( filesize( "$queue/queue.db" ), 8192 ) * 4096 ),
		'the log emptied'                 => fn( $queue ) => cut_off( "$queue/queue.db-wal", 0 ),
		'the log cut to half'             => fn( $queue ) => cut_off( "$queue/queue.db-wal", intdiv( filesize( "$queue/queue.db-wal" ), 2 ) ),
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

/** Three processes go on while the fault happens. What was accepted before may be lost with the file it was in; afterwards nothing. */
function survives( Bed $bed, callable $fault, bool $may_lose ): void {
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
	// A file that is found damaged only now is taken over by whoever sends next.
	wait_for( 30, 'what was set aside is taken over', function () use ( $bed, $folder ) {
		$bed->run( 'work', [ $folder, 1.0 ] );
		$kept  = preg_grep( '/(-wal|-shm|\.txt)$/', glob( "$folder/queue.db.corrupt-*" ), PREG_GREP_INVERT );
		return ! array_filter( $kept, fn( $file ) => ! str_contains( (string) @file_get_contents( "$file.txt" ), 'Taken over' ) );
	} );
	$bed->run( 'work-until-done', [ $folder ], [], [], 30 );
	$arrived = array_column( $watcher->requests(), 'id' );
	$lost    = fn( array $told ) => count( array_diff( $told, $arrived ) );
	$refused = preg_grep( '/^refused/', array_merge( ...array_map( fn( $child ) => $child->lines(), $children ) ) );
	figure(
		'lost %d of %d told before, %d of %d in the next 0.2 s, none of %d afterwards; %d refused, %d sent again',
		$lost( $before ), count( $before ), $lost( array_diff( $noticing, $before ) ), count( $noticing ) - count( $before ),
		count( $ids() ) - count( $noticing ), count( $refused ), count( $arrived ) - count( array_unique( $arrived ) )
	);
	foreach ( $refused as $line ) {
		// Its endpoints are handed over anew; or another process is dealing with it.
		holds( 1 === preg_match( '/^refused [678] /', $line ), $line );
	}
	same( 0, $lost( array_diff( $ids(), $noticing ) ), 'lost afterwards' );
	if ( ! $may_lose ) {
		// In the 0.2 s whoever is not given a processor in time to notice loses what it writes meanwhile.
		same( 0, $lost( $before ), 'lost of what was told before' );
	}
	// Where the log had every page that was cut off, nothing is missing, and nothing is said.
	$log = is_file( "$folder/posthorn.log" ) ? file_get_contents( "$folder/posthorn.log" ) : '';
	holds( 0 === $lost( $ids() ) || str_contains( $log, 'deleted or replaced' ) || str_contains( $log, 'set aside' ), "the log says what was lost: $log" );
	queue_file_is_sound( $folder );
}

$tests = [];
foreach ( faults() as $name => $fault ) {
	$tests[ "under running processes: $name" ] = fn( Bed $bed ) => survives( $bed, $fault, 'the log deleted' !== $name );
}

$tests['a file put into its place while PHP was stopped is used as it is, and the log of the other one set aside'] = function ( Bed $bed ) {
	$watcher   = $bed->watcher();
	$folder    = $bed->queue_folder();
	$endpoints = [ endpoint( $watcher->after( 0 ) ) ];
	$old       = explode( "\n", trim( $bed->run( 'dispatch', [ $folder, json_encode( $endpoints ), 20, '{"background":false}' ] ) ) );
	sqlite( "$folder/queue.db", 'PRAGMA wal_checkpoint(TRUNCATE)' );
	copy( "$folder/queue.db", "{$bed->folder}/yesterday" );
	$bed->run( 'fill', [ $folder, json_encode( $endpoints ), 2000 ] );
	copy( "{$bed->folder}/yesterday", "$folder/restored" );
	rename( "$folder/restored", "$folder/queue.db" );
	$new = explode( "\n", trim( $bed->run( 'dispatch', [ $folder, '-', 5 ] ) ) );
	$bed->run( 'work-until-done', [ $folder ] );
	$watcher->wait_for_ids( [ ...$old, ...$new ] );
	same( 25, $watcher->counts()['received'], 'requests: yesterday\'s and today\'s' );
	same( 1, count( glob( "$folder/queue.db.corrupt-*-wal" ) ), 'logs set aside' );
	holds( str_contains( file_get_contents( "$folder/posthorn.log" ), 'from a backup perhaps' ), $bed->logs() );
	queue_file_is_sound( $folder );
};

return $tests;
