<?php
/** A queue, its receiver, and what was told and killed while it lasted. */

declare(strict_types=1);

final class Chapter {
	public readonly Bed $bed;
	public readonly Watcher $watcher;
	public readonly string $queue;
	/** @var list<string> Ids that dispatch() returned. */
	public array $told = [];
	/** @var list<float> When a process died that may have been sending, in ms. */
	public array $kills_of_senders = [];
	/** @var list<array{float, float}> When the one that sent died and when another had the lock, in ms. */
	public array $takeovers = [];
	public int $kills       = 0;
	public int $processes   = 0;
	private int $names      = 0;

	public function __construct( string $name ) {
		$folder = sys_get_temp_dir() . "/posthorn-chaos-$name-" . bin2hex( random_bytes( 4 ) );
		mkdir( $folder, 0755 );
		$this->bed     = new Bed( $folder );
		$this->watcher = $this->bed->watcher();
		$this->queue   = Pool::folder_for_workers( $this->bed->queue_folder() );
		$this->bed->configure( $this->queue, [ endpoint( $this->watcher->flaky( 4 ), [ 'schedule' => [ 0.05, 0.05 ] ] ) ] );
	}

	/** A process that dispatches without end, and sends too unless `$sends` is false. */
	public function loader( bool $sends ): Child {
		$loader = $this->bed->start( 'dispatch-loop', [ $this->queue, $this->name(), 1000 ], $sends ? [] : [ 'posthorn.background' => '0' ] );
		wait_for( 20, fn() => 'it dispatches: ' . $loader->errors(), fn() => $loader->lines(), 1000 );
		return $loader;
	}

	/** A process that stands by or sends. */
	public function sender(): Child {
		$sender = $this->bed->start( 'stand-by', [ $this->queue ] );
		$sender->says( 'sending ', 20 );
		return $sender;
	}

	/** What no other loader or page is called. */
	public function name(): string {
		return 'n' . ++$this->names;
	}

	public function sleep( int $most_ms ): void {
		usleep( mt_rand( 0, $most_ms * 1000 ) );
	}

	/** The process that has the lock, or had it last. */
	public function holder(): int {
		return (int) @file_get_contents( "{$this->queue}/dispatcher.lock" );
	}

	/**
	 * Notes a kill that is about to be.
	 *
	 * @param bool $of_sender Whether one that may be sending is among the victims.
	 */
	public function kills( int $processes, bool $of_sender ): float {
		$now = microtime( true ) * 1000;
		++$this->kills;
		$this->processes += $processes;
		if ( $of_sender ) {
			$this->kills_of_senders[] = $now;
		}
		return $now;
	}

	/** Waits until another process than `$dead` has the lock. */
	public function is_taken_over( int $dead, float $killed_at ): void {
		wait_for( 10, 'another process takes over', fn() => ! in_array( $this->holder(), [ 0, $dead ], true ), 500 );
		$this->takeovers[] = [ $killed_at, microtime( true ) * 1000 ];
	}

	/** Takes in what a dead loader has told. */
	public function hear( Child $loader ): void {
		same( -SIGKILL, $loader->status(), 'how a loader ended: ' . $loader->errors() );
		array_push( $this->told, ...$loader->lines() );
	}

	/** Sends what still waits. Everybody else is dead. */
	public function drain(): void {
		$this->bed->run( 'work-until-done', [ $this->queue ], [], [], 300 );
		$this->arrives();
	}

	/** Waits for all that was told, as long as something still arrives. */
	public function arrives(): void {
		do {
			$before = $this->watcher->counts()['unique'];
			try {
				$this->watcher->wait_for_ids( $this->told, 20 );
				return;
			} catch ( NotSo $error ) {
				if ( $this->watcher->counts()['unique'] === $before ) {
					throw $error;
				}
			}
		} while ( true );
	}

	public function remove(): void {
		$this->bed->stop();
		remove_tree( $this->bed->folder );
	}
}
