<?php
/** What arrived, held against promises.md: "Accepted", "Sent at least once", "Body", "Attempt". */

declare(strict_types=1);

/** What one kill may cause to be sent again: what is in flight (max_concurrency) and one settling batch. */
const REPEATS_PER_KILL = 32 + 64;

/** How long another process may take to send. */
const TAKEOVER_MS = 1000;

/** A receiver on a busy machine reads a request so much later than it was sent. */
const RECEIVER_LAG_MS = 500;

/** The events of one dispatchMany() of scripts/dispatch-loop.php. */
const BATCH = 5;

final class Tally {
	public const HEADS = [ 'kills', 'processes', 'events', 'told', 'lost', 'requests', 'repeated', 'after one kill', 'takeover', 'worst' ];

	private int $kills     = 0;
	private int $processes = 0;
	private int $events    = 0;
	private int $told      = 0;
	private int $lost      = 0;
	private int $requests  = 0;
	private int $repeated  = 0;
	private int $most      = 0;
	/** @var list<float> */
	private array $takeovers = [];

	public function add( Chapter $chapter ): void {
		$requests = $chapter->watcher->requests();
		usort( $requests, fn( $one, $other ) => $one['begin'] <=> $other['begin'] );
		$by_id = [];
		foreach ( $requests as $request ) {
			$by_id[ $request['id'] ][] = $request;
		}
		same( count( $chapter->told ), count( array_unique( $chapter->told ) ), 'different ids' );
		$missing = array_values( array_diff( $chapter->told, array_keys( $by_id ) ) );
		same( [], $missing, 'lost' );
		$after    = [];
		$settled  = settled( $chapter->queue );
		same( count( $by_id ), count( $settled ), 'deliveries in the queue, beside those that arrived' );
		foreach ( $by_id as $id => $copies ) {
			same( 1, count( array_unique( array_column( $copies, 'body' ) ) ), "bodies of $id" );
			same( 1, count( array_unique( array_column( $copies, 'sequence' ) ) ), "sequences of $id" );
			$last = 0;
			foreach ( $copies as $place => $copy ) {
				holds( in_array( $copy['attempt'], [ $last, $last + 1 ], true ) && $copy['attempt'] > 0, "$id: attempts " . shown( array_column( $copies, 'attempt' ) ) );
				if ( $copy['attempt'] === $last ) {
					$kill           = $this->cause( $chapter, $copies[ $place - 1 ], $copy );
					$after[ $kill ] = ( $after[ $kill ] ?? 0 ) + 1;
				}
				$last = $copy['attempt'];
			}
			same( [ $copies[0]['failures'] + 1, $last ], [ $last, $settled[ $id ] ?? null ], "$id: attempts it takes and was sent; sent and in the queue" );
		}
		self::check_batches( $requests );
		holds( max( [ 0, ...$after ] ) <= REPEATS_PER_KILL, 'repeats after one kill: ' . max( [ 0, ...$after ] ) );
		queue_file_is_sound( $chapter->queue );
		foreach ( $chapter->takeovers as [ $killed, $taken ] ) {
			$first             = self::first_after( $requests, $taken );
			$this->takeovers[] = ( null === $first ? $taken : $first ) - $killed;
		}
		holds( max( [ 0, ...$this->takeovers ] ) <= TAKEOVER_MS, sprintf( 'another process sends within a second: %.0f ms', max( [ 0, ...$this->takeovers ] ) ) );
		$this->kills     += $chapter->kills;
		$this->processes += $chapter->processes;
		$this->events    += count( $by_id );
		$this->told      += count( $chapter->told );
		$this->lost      += count( $missing );
		$this->requests  += count( $requests );
		$this->repeated  += array_sum( $after );
		$this->most       = max( $this->most, ...array_values( $after ), ...[ 0 ] );
	}

	public function with( Tally $other ): self {
		foreach ( [ 'kills', 'processes', 'events', 'told', 'lost', 'requests', 'repeated' ] as $name ) {
			$this->$name += $other->$name;
		}
		$this->most      = max( $this->most, $other->most );
		$this->takeovers = array_merge( $this->takeovers, $other->takeovers );
		return $this;
	}

	/** @return list<string> As HEADS. */
	public function row(): array {
		sort( $this->takeovers );
		$ms     = fn( ?float $ms ) => null === $ms ? '–' : number_format( $ms );
		$counts = [ $this->kills, $this->processes, $this->events, $this->told, $this->lost, $this->requests, $this->repeated, $this->most ];
		return [ ...array_map( 'number_format', $counts ), $ms( $this->takeovers[ intdiv( count( $this->takeovers ), 2 ) ] ?? null ), $ms( end( $this->takeovers ) ?: null ) ];
	}

	/**
	 * The kill that is to blame for a repeat: the first after the earlier copy began, or else the last before, whose victim had
	 * sent what the receiver had not read yet. Without one nothing may be repeated.
	 */
	private function cause( Chapter $chapter, array $earlier, array $repeat ): int {
		$before = null;
		foreach ( $chapter->kills_of_senders as $kill => $at ) {
			if ( $at > $repeat['begin'] ) {
				break;
			}
			if ( $at >= $earlier['begin'] ) {
				return $kill;
			}
			if ( $at >= $earlier['begin'] - RECEIVER_LAG_MS ) {
				$before = $kill;
			}
		}
		holds( null !== $before, 'a repeat without a kill: ' . shown( [ $earlier, $repeat ] ) );
		return $before;
	}

	/** All or none of what one dispatchMany() was given. */
	private static function check_batches( array $requests ): void {
		$batches = [];
		foreach ( $requests as [ 'id' => $id, 'data' => $data ] ) {
			if ( isset( $data['batch'] ) ) {
				$batches[ $data['name'] . ' ' . $data['n'] ][ $id ] = true;
			}
		}
		foreach ( $batches as $name => $ids ) {
			same( BATCH, count( $ids ), "events of the batch $name" );
		}
	}

	/** When the first request after `$ms` began. */
	private static function first_after( array $requests, float $ms ): ?float {
		// Sorted, and searched by halves: there are tens of thousands.
		[ $low, $high ] = [ 0, count( $requests ) ];
		while ( $low < $high ) {
			$middle = intdiv( $low + $high, 2 );
			if ( $requests[ $middle ]['begin'] < $ms ) {
				$low = $middle + 1;
			} else {
				$high = $middle;
			}
		}
		return $requests[ $low ]['begin'] ?? null;
	}
}

/** @return array<string, int> Attempts of each delivered event. All must be. */
function settled( string $queue ): array {
	same( '0', sqlite( "$queue/queue.db", 'SELECT count(*) FROM delivery WHERE state <> 1' ), 'deliveries that are not delivered' );
	$attempts = [];
	$rows     = sqlite( "$queue/queue.db", "SELECT 'evt_' || lower(hex(e.id)) || ' ' || d.attempts FROM delivery d JOIN event e ON e.seq = d.event_seq" );
	foreach ( array_filter( explode( "\n", $rows ) ) as $line ) {
		[ $id, $count ]  = explode( ' ', $line );
		$attempts[ $id ] = (int) $count;
	}
	return $attempts;
}
