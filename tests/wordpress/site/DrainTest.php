<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;

/** wp posthorn drain: empties the queue before a move, or says what is left and why. */
final class DrainTest extends SiteTestCase {

	protected function setUp(): void {
		parent::setUp();
		$this->save_endpoint();
		$this->wait_until_sent();
	}

	protected function tearDown(): void {
		Receiver::reset();
		posthorn_client_pause( false );
		posthorn_client_resume( POSTHORN_MAIN_ENDPOINT );
		posthorn_client_hurry();
		$this->wait_until_sent();
		parent::tearDown();
	}

	public function test_an_empty_queue_ends_with_0(): void {
		$drain = Command::wp( 'posthorn', 'drain' );
		self::assertSame( 0, $drain->status, $drain->errors );
		self::assertStringContainsString( 'The queue is empty', $drain->output );
	}

	public function test_a_backlog_is_sent_from_here_and_ends_with_0(): void {
		$this->save_endpoint( array( 'max_concurrency' => 2 ) );
		$this->receiver->behave( array( 'mode' => 'slow', 'delay_ms' => 50 ) );
		for ( $n = 0; $n < 300; $n++ ) {
			posthorn_dispatch( 'deal.won', array( 'deal_id' => $n ), array( 'record' => "deal:$n" ) );
		}
		$drain = Command::wp( 'posthorn', 'drain' );
		self::assertSame( 0, $drain->status, $drain->errors );
		self::assertMatchesRegularExpression( '/Deliveries settled: [1-9]\d*/', $drain->output );
		self::assertCount( 300, array_unique( array_column( $this->receiver->requests(), 'id' ) ) );
		self::assertSame( 0, posthorn_client_stats()['pending'] );
	}

	public function test_what_failed_is_left_with_its_reason_and_next_attempt_and_ends_with_1(): void {
		$this->fail_once();
		$drain = Command::wp( 'posthorn', 'drain' );
		self::assertSame( 1, $drain->status );
		self::assertMatchesRegularExpression( '/tried again: .*500/', $drain->output );
		self::assertMatchesRegularExpression( '/20\d\d-\d\d-\d\dT[\d:.]+Z/', $drain->output );
		self::assertStringContainsString( 'not empty. Nothing is lost', $drain->errors );
		self::assertStringNotContainsString( $this->receiver->url(), $drain->output . $drain->errors, 'a URL may hold a secret' );
	}

	public function test_now_tries_what_waits_for_its_next_attempt_at_once(): void {
		$id = $this->fail_once();
		Receiver::reset();
		$drain = Command::wp( 'posthorn', 'drain', '--now' );
		self::assertSame( 0, $drain->status, $drain->errors );
		self::assertStringContainsString( 'Retries that are tried now: 1', $drain->output );
		self::assertSame( array( 'delivered', 2 ), array( $this->delivery_of( $id )['state'], $this->delivery_of( $id )['attempts'] ) );
	}

	public function test_seconds_waits_for_retries_that_come_due(): void {
		$this->save_endpoint( array( 'schedule' => array( 3 ) ) );
		$id = $this->fail_once();
		Receiver::reset();
		$drain = Command::wp( 'posthorn', 'drain', '--seconds=20' );
		self::assertSame( 0, $drain->status, $drain->errors );
		self::assertSame( 'delivered', $this->delivery_of( $id )['state'] );
	}

	public function test_what_is_paused_or_stopped_is_named_and_not_waited_for(): void {
		posthorn_client_pause( true );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$drain = Command::wp( 'posthorn', 'drain' );
		self::assertSame( 1, $drain->status );
		self::assertStringContainsString( 'sending is paused', $drain->output );
		posthorn_client_pause( false );
		$this->receiver->wait_for( 1 );
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 410 ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 2 ) );
		$this->wait_until( 'it is suspended', static fn() => null !== posthorn_client_endpoints()[0]['suspended'] );
		$drain = Command::wp( 'posthorn', 'drain', '--now' );
		self::assertSame( 1, $drain->status );
		self::assertMatchesRegularExpression( '/stopped: .*410/', $drain->output );
	}

	public function test_sigint_ends_it_with_1_and_nothing_is_lost_or_sent_twice(): void {
		$this->save_endpoint( array( 'max_concurrency' => 2 ) );
		$this->receiver->behave( array( 'mode' => 'slow', 'delay_ms' => 50 ) );
		for ( $n = 0; $n < 300; $n++ ) {
			posthorn_dispatch( 'deal.won', array( 'deal_id' => $n ), array( 'record' => "deal:$n" ) );
		}
		$drain = Command::start_wp( 'posthorn', 'drain' );
		$this->wait_until( 'drain sends', fn() => posthorn_client_stats()['dispatcher_pid'] === $drain->process_id(), 20 );
		$drain->signal( SIGINT );
		$began = microtime( true );
		$drain->finish( 20 );
		self::assertLessThan( 3.0, microtime( true ) - $began );
		self::assertSame( 1, $drain->status );
		self::assertStringContainsString( 'Stopped before the queue was empty', $drain->errors );
		$this->receiver->behave( array( 'mode' => 'ok' ) );
		$this->wait_until_sent( 30 );
		self::assertCount( 300, $this->receiver->requests() );
	}

	/** Dispatches an event whose first attempt fails with 500. */
	private function fail_once(): string {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$id = posthorn_dispatch( 'deal.won', array( 'deal_id' => 7 ) );
		$this->wait_until( 'it has failed once', fn() => 1 === ( $this->delivery_of( $id )['attempts'] ?? 0 ) );
		return $id;
	}
}
