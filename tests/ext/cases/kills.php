<?php
/** kill -9, counted from outside: what was accepted arrives, whoever dies and whenever. */

declare(strict_types=1);

/** Most that one kill may cause to be sent again: what is in flight and one settling batch (promises, "Sent at least once"). */
const REPEATS_PER_KILL = 32 + 64;

/** A process that dispatches without end and writes each id to a pipe. */
final class Dispatching {
	/** @var list<string> */
	public array $ids = [];
	private string $rest = '';
	/** @var resource */
	private $process;
	/** @var resource */
	private $pipe;
	public readonly int $pid;

	public function __construct( string $folder, string $name ) {
		$command       = [ PHP_BINARY, '-d', 'extension=' . getenv( 'POSTHORN_LIBRARY' ), dirname( __DIR__ ) . '/scripts/dispatch-loop.php', $folder, $name ];
		$this->process = proc_open( $command, [ [ 'file', '/dev/null', 'r' ], [ 'pipe', 'w' ], STDERR ], $pipes );
		$this->pipe    = $pipes[1];
		$this->pid     = proc_get_status( $this->process )['pid'];
		stream_set_blocking( $this->pipe, false );
	}

	/** Takes in what came through the pipe; half a line waits for its other half. */
	public function read(): void {
		$this->rest .= stream_get_contents( $this->pipe );
		$lines       = explode( "\n", $this->rest );
		$this->rest  = array_pop( $lines );
		array_push( $this->ids, ...$lines );
	}

	public function kill(): void {
		posix_kill( $this->pid, SIGKILL );
		wait_for( 5, 'the killed process is gone', fn() => ! proc_get_status( $this->process )['running'], 500 );
		$this->read();
		fclose( $this->pipe );
		proc_close( $this->process );
	}
}

return [
	'kill -9 at random moments loses nothing and repeats little' => function ( Bed $bed ) {
		$kills   = (int) ( getenv( 'POSTHORN_KILLS' ) ?: 30 );
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 6 ) ) ] );
		$ids     = [];
		$before  = $watcher->counts();
		$open    = 0;
		$most    = 0;
		$sound   = 0;
		for ( $kill = 1; $kill <= $kills; $kill++ ) {
			$process = new Dispatching( $folder, "round $kill" );
			wait_for( 10, 'it has begun to dispatch', function () use ( $process ) {
				$process->read();
				return (bool) $process->ids;
			}, 1000 );
			for ( $until = microtime( true ) + random_int( 0, 80_000 ) / 1e6; microtime( true ) < $until; usleep( 1000 ) ) {
				$process->read();
			}
			if ( 0 !== $kill % 3 ) {
				// Most of them while a request is certainly open, the others whenever it is.
				wait_for( 5, 'a request is open', function () use ( $watcher, $process ) {
					$process->read();
					return $watcher->counts()['open'] > 0;
				}, 500 );
			}
			// Stopped first, so that what is open stays open while the receiver is asked.
			posix_kill( $process->pid, SIGSTOP );
			$stopped = $watcher->counts();
			$process->kill();
			array_push( $ids, ...$process->ids );
			// What is repeated after this kill is told from what was repeated before it.
			$after = wait_for( 5, 'no request is open', function () use ( $watcher ) {
				$counts = $watcher->counts();
				return 0 === $counts['open'] ? $counts : null;
			} );
			$open += (int) ( $stopped['open'] > 0 );
			$most  = max( $most, ( $after['received'] - $after['unique'] ) - ( $before['received'] - $before['unique'] ) );
			$before = $after;
			if ( 0 === $kill % 10 ) {
				queue_file_is_sound( $folder );
				$sound++;
			}
		}
		// Only what is still due is sent now, by whoever lives.
		$bed->run( 'work-until-done', [ $folder ], [], [], 60 );
		$watcher->wait_for_ids( $ids, 30 );
		$counts   = $watcher->counts();
		$repeated = $counts['received'] - $counts['unique'];
		figure( '%d kills, %d of them with a request open, %d events, lost 0, repeated %d (at most %d after one kill)', $kills, $open, count( $ids ), $repeated, $most );
		same( count( $ids ), count( array_unique( $ids ) ), 'different ids' );
		holds( $open >= $kills / 3, "at least a third of the kills fall while a request is open: $open of $kills" );
		holds( $most <= REPEATS_PER_KILL, "a kill causes at most " . REPEATS_PER_KILL . " repeats: $most" );
		$bodies = [];
		foreach ( $watcher->requests() as $request ) {
			$body = $bodies[ $request['id'] ] ?? $request;
			same( [ $body['data'], $body['sequence'], $body['attempt'] ], [ $request['data'], $request['sequence'], $request['attempt'] ], 'a repeat: data, sequence, attempt' );
			$bodies[ $request['id'] ] = $request;
		}
		same( '0', sqlite( "$folder/queue.db", 'SELECT count(*) FROM delivery WHERE state <> 1' ), 'deliveries not delivered' );
		queue_file_is_sound( $folder );
	},

	'kill -9 of every one of four processes at once loses nothing' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 4 ) ) ] );
		$ids = [];
		for ( $round = 1; $round <= 3; $round++ ) {
			$processes = array_map( fn( $n ) => new Dispatching( $folder, "$round.$n" ), range( 1, 4 ) );
			wait_for( 10, 'each has dispatched', function () use ( $processes ) {
				foreach ( $processes as $process ) {
					$process->read();
				}
				return min( array_map( fn( $process ) => count( $process->ids ), $processes ) ) > 20;
			}, 1000 );
			foreach ( $processes as $process ) {
				posix_kill( $process->pid, SIGKILL );
			}
			foreach ( $processes as $process ) {
				$process->kill();
				array_push( $ids, ...$process->ids );
			}
		}
		$bed->run( 'work-until-done', [ $folder ], [], [], 60 );
		$watcher->wait_for_ids( $ids, 30 );
		queue_file_is_sound( $folder );
	},

	'alone: when the dispatcher is killed another process sends within a second' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 0 ) ) ] );
		$worst = 0.0;
		for ( $round = 1; $round <= 5; $round++ ) {
			$first  = $bed->start( 'stand-by', [ $folder ] );
			$holder = (int) $first->says( 'sending ' );
			same( $first->pid, $holder, 'the first process sends' );
			$others = [ $bed->start( 'stand-by', [ $folder ] ), $bed->start( 'stand-by', [ $folder ] ) ];
			array_map( fn( $other ) => $other->says( 'sending ' ), $others );
			posix_kill( $first->pid, SIGKILL );
			$began = microtime( true );
			// From a process that never sends.
			$id = trim( $bed->run( 'dispatch', [ $folder, '-', 1, '{"background":false}' ] ) );
			$watcher->wait_for_ids( [ $id ], 5 );
			$took  = microtime( true ) - $began;
			$worst = max( $worst, $took );
			foreach ( [ $first, ...$others ] as $process ) {
				$process->kill();
			}
		}
		figure( 'taken over within %.0f ms at worst, the start of the process that dispatches included', $worst * 1000 );
		holds( $worst < 1, sprintf( 'another sends within 1 s: %.2f s', $worst ) );
	},

	'alone: what was in flight when the dispatcher was killed is sent again within a second' => function ( Bed $bed ) {
		$watcher = $bed->watcher();
		$folder  = $bed->queue_folder();
		$bed->configure( $folder, [ endpoint( $watcher->after( 250 ) ) ] );
		$first = $bed->start( 'stand-by', [ $folder ] );
		$first->says( 'sending ' );
		$other = $bed->start( 'stand-by', [ $folder ] );
		$other->says( 'sending ' );
		$id = trim( $bed->run( 'dispatch', [ $folder, '-', 1, '{"background":false}' ] ) );
		wait_for( 5, 'the request is open', fn() => 1 === $watcher->counts()['open'], 2000 );
		$first->kill();
		$began = microtime( true );
		wait_for( 5, 'it is sent again', fn() => 2 === $watcher->counts()['received'], 2000 );
		$took = microtime( true ) - $began;
		figure( 'sent again %.0f ms after the kill', $took * 1000 );
		// The receiver counts a request when it has come whole, so the second counts at once.
		holds( $took < 1, "within a second: $took s" );
		same( [ [ $id, 1 ], [ $id, 1 ] ], array_map( fn( $request ) => [ $request['id'], $request['attempt'] ], $watcher->requests() ), 'ids and attempts' );
	},
];
