<?php
/** A dispatcher that was stopped keeps the lock: it is noticed, shown, and goes on or is replaced. */

declare(strict_types=1);

/** Whoever looks waits so long for an answer, in seconds. */
const PATIENCE_S = 1.0;

/** A stand-by asks every five seconds and believes no answer after another five. */
const NOTICED_WITHIN_S = 12;

/** @return array{Child, Posthorn\Queue} A process that sends, and a look at its queue from this one, which does not. */
function sender_and_look( Bed $bed, string $folder, array $before = [] ): array {
	$sender = $bed->start( 'stand-by', [ $folder ], [], $before );
	$sender->says( 'sending ' );
	return [ $sender, $bed->queue( [], [ 'background' => false ], $folder ) ];
}

/** What is seen of the dispatcher: pid, whether it answers, whether it is stopped. */
function seen( Posthorn\Queue $queue ): array {
	$stats = $queue->stats();
	return [ $stats['dispatcher_pid'], $stats['dispatcher_responds'], $stats['dispatcher_stopped'] ];
}

/** How often a text is in a queue's log. */
function logged( string $folder, string $text ): int {
	return substr_count( (string) @file_get_contents( "$folder/posthorn.log" ), $text );
}

return [
	'alone: a dispatcher that is stopped is shown within a second, and no more once it goes on' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		[ $sender, $queue ] = sender_and_look( $bed, $folder );
		same( [ $sender->pid, true, false ], seen( $queue ), 'before' );
		$sender->signal( SIGSTOP );
		wait_for( 1, 'it is stopped', fn() => str_contains( file_get_contents( "/proc/{$sender->pid}/stat" ), ') T ' ) );
		$began = microtime( true );
		same( [ $sender->pid, false, true ], seen( $queue ), 'stopped' );
		figure( 'shown after %.1f ms', ( microtime( true ) - $began ) * 1000 );
		holds( microtime( true ) - $began < PATIENCE_S, 'within a second' );
		same( [ true, false, true ], array_values( array_intersect_key( Posthorn\inspect( $folder ), array_flip( [ 'dispatcher', 'dispatcher_responds', 'dispatcher_stopped' ] ) ) ), 'without opening the queue' );
		// Accepting does not need it.
		$id = $queue->dispatch( 'deal.won', [] );
		$sender->signal( SIGCONT );
		wait_for( 2, 'it answers', fn() => [ $sender->pid, true, false ] === seen( $queue ) );
		$watcher->wait_for_ids( [ $id ] );
		$began = microtime( true );
		for ( $n = 0; $n < 100; $n++ ) {
			same( true, $queue->stats()['dispatcher_responds'], 'answers' );
		}
		figure( 'stats() with its question and answer: %.2f ms', ( microtime( true ) - $began ) * 10 );
	},

	'a frozen dispatcher that is not seen to be stopped is shown by its silence, in one second' => function ( Bed $bed ) {
		$folder = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( 'http://127.0.0.1:9/' ) ] );
		// In a process id namespace of its own, as in another container, it is known by another number.
		exec( 'unshare --fork --pid --mount-proc true 2>/dev/null', $lines, $failed );
		$before = $failed ? [] : [ 'unshare', '--fork', '--pid', '--mount-proc', '--kill-child' ];
		$sender = $bed->start( 'stand-by', [ $folder ], [], $before );
		$inside = (int) $sender->says( 'sending ' );
		$pid    = $before ? (int) trim( file_get_contents( "/proc/{$sender->pid}/task/{$sender->pid}/children" ) ) : $sender->pid;
		holds( ! $before || $inside < $pid, "its number inside is $inside, here $pid" );
		$queue = $bed->queue( [], [ 'background' => false ], $folder );
		same( [ $pid, true, false ], seen( $queue ), 'seen from outside' );
		posix_kill( $pid, SIGSTOP );
		wait_for( 2, 'it is shown from outside', fn() => [ $pid, false, true ] === seen( $queue ) );
		if ( $before ) {
			// From a third container nobody sees the process.
			$began = microtime( true );
			$said  = json_decode( $bed->run( 'stats', [ $folder ], [], $before ), true );
			same( [ $inside, false, null ], [ $said['dispatcher_pid'], $said['dispatcher_responds'], $said['dispatcher_stopped'] ], 'seen from another container' );
			holds( $said['took_s'] >= PATIENCE_S * 0.9 && $said['took_s'] < PATIENCE_S * 1.5, "it waits a second: {$said['took_s']}" );
			posix_kill( $pid, SIGCONT );
			$said = json_decode( $bed->run( 'stats', [ $folder ], [], $before ), true );
			same( [ $inside, true, null ], [ $said['dispatcher_pid'], $said['dispatcher_responds'], $said['dispatcher_stopped'] ], 'seen from another container when it goes on' );
		}
	},

	'alone: one line in the log says who is frozen and what to do, and kill -9 lets another send within a second' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		[ $sender, $queue ] = sender_and_look( $bed, $folder );
		$others = array_map( fn() => $bed->start( 'stand-by', [ $folder ] ), range( 1, 3 ) );
		array_map( fn( $other ) => $other->says( 'sending ' ), $others );
		$sender->signal( SIGSTOP );
		$began = microtime( true );
		wait_for( NOTICED_WITHIN_S, 'the log says so', fn() => logged( $folder, "kill -CONT {$sender->pid} " ) );
		figure( 'in the log after %.1f s', microtime( true ) - $began );
		// Every stand-by has noticed after the next of its looks.
		usleep( 6_000_000 );
		same( 1, logged( $folder, "kill -9 {$sender->pid} " ), 'lines: ' . file_get_contents( "$folder/posthorn.log" ) );
		$id = $queue->dispatch( 'deal.won', [] );
		$sender->kill();
		$began = microtime( true );
		$watcher->wait_for_ids( [ $id ], 5 );
		$took = microtime( true ) - $began;
		figure( 'taken over and sent %.0f ms after kill -9', $took * 1000 );
		holds( $took < 1, "within a second: $took s" );
		$now = wait_for( 2, 'another answers', fn() => true === seen( $queue )[1] ? seen( $queue ) : false );
		holds( in_array( $now[0], array_column( $others, 'pid' ), true ), shown( $now ) );
	},

	'a dispatcher that goes on after it was frozen says so once, and sends each event once' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 1 ) ) ] );
		[ $sender, $queue ] = sender_and_look( $bed, $folder );
		$others = array_map( fn() => $bed->start( 'stand-by', [ $folder ] ), range( 1, 2 ) );
		$sender->signal( SIGSTOP );
		wait_for( NOTICED_WITHIN_S, 'the log says so', fn() => logged( $folder, "kill -CONT {$sender->pid} " ) );
		$ids = [];
		for ( $n = 0; $n < 200; $n++ ) {
			$ids[] = $queue->dispatch( 'deal.won', [ 'n' => $n ] );
		}
		$sender->signal( SIGCONT );
		$watcher->wait_for_ids( $ids );
		wait_for( NOTICED_WITHIN_S, 'the log says that it goes on', fn() => logged( $folder, 'answers again' ) );
		same( [ 200, $sender->pid ], [ $watcher->counts()['received'], seen( $queue )[0] ], 'requests, sender' );
	},

	'a dispatcher that is busy, has a backlog or serves a burst of pages is never taken for a frozen one' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		[ $sender, $queue ] = sender_and_look( $bed, $folder );
		$sources = array_map( fn() => $bed->start( 'dispatch', [ $folder, '-', 4000 ] ), range( 1, 3 ) );
		$looks   = 0;
		$slowest = 0.0;
		while ( array_filter( $sources, fn( $source ) => $source->runs() ) || $queue->stats()['pending'] > 0 ) {
			$began = microtime( true );
			[ , $responds ] = seen( $queue );
			$slowest = max( $slowest, microtime( true ) - $began );
			// Null: it handed over while it was asked.
			holds( false !== $responds, sprintf( 'it answers (look %d, %.3f s)', $looks, microtime( true ) - $began ) );
			$looks++;
			usleep( 2000 );
		}
		figure( '%d looks, the slowest took %.0f ms', $looks, $slowest * 1000 );
		same( 0, logged( $folder, 'kill -9' ), 'lines in the log' );
	},

	'who only asks is taken for nobody who could send' => function ( Bed $bed ) {
		$folder = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( 'http://127.0.0.1:9/' ) ] );
		[ $sender, $queue ] = sender_and_look( $bed, $folder );
		for ( $n = 0; $n < 500; $n++ ) {
			[ $pid, $responds, $stopped ] = seen( $queue );
			// Null: /proc/locks, which others change while it is read, did not show the holder.
			same( [ $sender->pid, true, true ], [ $pid, $responds, true !== $stopped ], "look $n" );
		}
		same( 0, logged( $folder, 'kill -9' ), 'lines in the log' );
	},
];
