<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

use PHPUnit\Framework\Assert;

/**
 * Compares what was announced with what the tables say happened.
 *
 * Work is done in steps. Each writes a row at most once, so that the difference of two dumps is the whole story. What
 * Posthorn makes of a step is seen twice: at the filter `posthorn_event_data`, where an event has its `previous` and
 * `changes`, and at the receiver.
 */
final class Oracle {

	/** What passed the filter, oldest first: event, record, data, previous, changes. */
	private array $announced = array();

	/** What the steps so far have to give, in their order. */
	private array $expected = array();

	/** The tables after the last step. */
	private ?array $tables = null;

	/**
	 * @param string|null $prefix Prefix of the tables; the main site's by default.
	 */
	public function __construct( private ?string $prefix = null ) {
	}

	/** To be added to the filter `posthorn_event_data`, after everything else. */
	public function hear( array $data, string $event, array $context ): array {
		$this->announced[] = array(
			'event'    => $event,
			'record'   => self::record_of( $event, $data ),
			'data'     => $data,
			'previous' => $context['previous'] ?? null,
			'changes'  => $context['changes'] ?? null,
		);
		return $data;
	}

	/** The events announced so far, as `contact.updated contact:7`. */
	public function announced(): array {
		return array_map( array( self::class, 'title' ), $this->announced );
	}

	/** The last announced event, whole. */
	public function last(): ?array {
		return end( $this->announced ) ?: null;
	}

	/** Fails unless these events were announced so far, and no other. */
	public function assert_announced( string $name, array $expected ): void {
		self::compare( $name, $expected, $this->announced );
	}

	/**
	 * Does a piece of work and compares what was announced of it with what became of the tables.
	 *
	 * @param string   $name     What the failure is called.
	 * @param callable $work     Writes each row at most once.
	 * @param bool     $unbroken Whether nobody wrote since the last step; saves a look at the tables.
	 * @return array[] The events that it had to give, and gave.
	 */
	public function step( string $name, callable $work, bool $unbroken = false ): array {
		$before = $unbroken && null !== $this->tables ? $this->tables : Tables::dump( $this->prefix );
		$from   = count( $this->announced );
		$work();
		self::hand_over();
		$this->tables = Tables::dump( $this->prefix );
		$expected     = Expectation::between( $before, $this->tables );
		self::compare( $name, $expected, array_slice( $this->announced, $from ) );
		array_push( $this->expected, ...$expected );
		return $expected;
	}

	/**
	 * Does a piece of work in another process or request, whose end hands everything over.
	 *
	 * @return array[] The events that it has to give. Whether it did is seen with arrived().
	 */
	public function step_elsewhere( callable $work ): array {
		$before = Tables::dump( $this->prefix );
		$work();
		$expected = Expectation::between( $before, Tables::dump( $this->prefix ) );
		array_push( $this->expected, ...$expected );
		return $expected;
	}

	/** Expects an event that no diff tells of. */
	public function expect( array ...$events ): void {
		array_push( $this->expected, ...$events );
	}

	/**
	 * Compares what arrived with what all steps had to give: nothing missing, nothing more, each record's events in
	 * their order, every signature right and no event twice. Everything must have been sent.
	 */
	public function arrived( Receiver $receiver, string $name = 'at the receiver' ): void {
		$requests = $receiver->requests();
		$arrived  = array();
		foreach ( $requests as $request ) {
			Assert::assertSame( 'ok', $request['signature']['state'], "$name: the signature of {$request['event']}" );
			$data      = json_decode( $request['body'], true )['data'];
			$arrived[] = array(
				'event'  => $request['event'],
				'record' => self::record_of( $request['event'], $data ),
				'data'   => $data,
			);
		}
		$ids = array_column( $requests, 'id' );
		Assert::assertSame( count( $ids ), count( array_unique( $ids ) ), "$name: an event arrived twice" );
		Assert::assertSame( self::by_record( $this->expected ), self::by_record( $arrived ), "$name: events of each record, in their order" );
		// Per record the order is the same now, so the nth is the nth.
		$sorted = static function ( array $events ): array {
			usort( $events, static fn( array $a, array $b ): int => strnatcmp( $a['record'], $b['record'] ) );
			return $events;
		};
		foreach ( array_map( null, $sorted( $this->expected ), $sorted( $arrived ) ) as list( $expected, $got ) ) {
			// Private notes are not sent unless an endpoint says so.
			self::assert_same_values( array_diff_key( $expected['data'], array( 'private_note' => 1 ) ), $got['data'], "$name: data of " . self::title( $expected ) );
		}
	}

	/**
	 * Makes the request hand over what it still holds: by writing one more row, which itself is no event.
	 */
	public static function hand_over(): void {
		global $wpdb;
		$wpdb->insert( $wpdb->prefix . 'wpresidence_crm_activities', array( 'type' => 'note', 'action' => 'note', 'subject' => 'The next row' ) );
	}

	/** Fails unless the announced events are the expected ones: names, data, previous values and changes. */
	private static function compare( string $name, array $expected, array $announced ): void {
		$titles = array_map( array( self::class, 'title' ), $announced );
		$wanted = array_map( array( self::class, 'title' ), $expected );
		sort( $titles );
		sort( $wanted );
		Assert::assertSame( $wanted, $titles, "$name: the events" );
		Assert::assertSame( self::by_record( $expected ), self::by_record( $announced ), "$name: the order of each record's events" );
		// A title is there once, as a step writes each row once.
		$announced = array_combine( array_map( array( self::class, 'title' ), $announced ), $announced );
		foreach ( $expected as $event ) {
			$title = self::title( $event );
			$got   = $announced[ $title ];
			self::assert_same_values( $event['data'], $got['data'], "$name: data of $title" );
			if ( null === $event['previous'] ) {
				// Of a row that is gone nothing is said here: the row itself is the data.
				Assert::assertTrue( str_ends_with( $event['event'], '.deleted' ) || ! $got['changes'], "$name: $title has changed nothing" );
				continue;
			}
			Assert::assertEqualsCanonicalizing( $event['changes'], (array) $got['changes'], "$name: changes of $title" );
			self::assert_same_values( $event['previous'], (array) $got['previous'], "$name: previous of $title" );
		}
	}

	/** Events per record, in their order. */
	private static function by_record( array $events ): array {
		$records = array();
		foreach ( $events as $event ) {
			$records[ $event['record'] ][] = $event['event'];
		}
		ksort( $records );
		return $records;
	}

	private static function title( array $event ): string {
		return "{$event['event']} {$event['record']}";
	}

	/** The row that an event is about, by the key in its data. */
	private static function record_of( string $event, array $data ): string {
		$record = 'form_submitted' === $event ? 'activity' : strtok( $event, '.' );
		$key    = isset( Tables::RECORDS[ $record ] ) ? Tables::key( $record ) : 'id';
		return $record . ':' . ( $data[ $key ] ?? '?' );
	}

	/** A decimal may be an integer or a float; everything else has its type. */
	private static function assert_same_values( array $expected, array $got, string $message ): void {
		$wrong = array();
		foreach ( $expected + $got as $column => $ignored ) {
			$there = array_key_exists( $column, $expected ) && array_key_exists( $column, $got );
			if ( ! $there || ! self::is_same( $expected[ $column ], $got[ $column ] ) ) {
				$wrong[] = sprintf( '%s should be %s and is %s', $column, self::show( $expected, $column ), self::show( $got, $column ) );
			}
		}
		Assert::assertSame( array(), $wrong, $message );
	}

	private static function is_same( $expected, $got ): bool {
		return is_float( $expected ) && ( is_int( $got ) || is_float( $got ) ) ? $expected === (float) $got : $expected === $got;
	}

	private static function show( array $row, string $column ): string {
		return array_key_exists( $column, $row ) ? var_export( $row[ $column ], true ) : 'missing';
	}
}
