<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;

/** wp posthorn work, status, test: what they print and how they end. */
final class CliTest extends SiteTestCase {

	public function test_status_tells_who_sends_and_what_waits(): void {
		$this->save_endpoint();
		$this->wait_until_sent();
		$command = Command::wp( 'posthorn', 'status', '--format=json' );
		self::assertSame( 0, $command->status, $command->errors );
		$status = json_decode( $command->output, true );
		self::assertSame( array( POSTHORN_VERSION, phpversion( 'posthorn' ), posthorn_queue_directory() ), array( $status['plugin'], $status['extension'], $status['directory'] ) );
		self::assertSame( 0, $status['pending'] );
		self::assertTrue( $status['receiver'] );
		$command = Command::wp( 'posthorn', 'status' );
		self::assertSame( 0, $command->status );
		self::assertMatchesRegularExpression( '/pending\s*\|?\s*0/', $command->output );
	}

	public function test_test_sends_to_the_saved_receiver_signed_and_ends_with_0(): void {
		$this->save_endpoint();
		$command = Command::wp( 'posthorn', 'test' );
		self::assertSame( 0, $command->status, $command->errors );
		self::assertStringContainsString( 'Status: 200 OK', $command->output );
		$request = $this->receiver->requests()[0];
		self::assertSame( array( true, 'ok' ), array( $request['test'], $request['signature']['state'] ) );
	}

	public function test_test_takes_a_url_and_an_event(): void {
		$this->save_no_endpoint();
		$command = Command::wp( 'posthorn', 'test', $this->receiver->url(), '--allow-private', '--event=deal.won', '--secret=' . self::secret() );
		self::assertSame( 0, $command->status, $command->errors );
		$request = $this->receiver->requests()[0];
		self::assertSame( array( 'deal.won', 'ok' ), array( $request['event'], $request['signature']['state'] ) );
		self::assertStringNotContainsString( self::secret(), $command->output . $command->errors );
	}

	public function test_test_ends_with_1_and_words_when_the_receiver_fails(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$command = Command::wp( 'posthorn', 'test', $this->receiver->url(), '--allow-private' );
		self::assertSame( 1, $command->status );
		self::assertStringContainsString( '500', $command->errors );
		Receiver::refuse();
		$command = Command::wp( 'posthorn', 'test', $this->receiver->url(), '--allow-private' );
		self::assertSame( 1, $command->status );
		self::assertMatchesRegularExpression( '/refused/i', $command->errors );
	}

	/** @dataProvider wrong_commands */
	public function test_a_wrong_argument_ends_with_1_and_names_it( array $arguments, string $says ): void {
		$command = Command::wp( 'posthorn', ...$arguments );
		self::assertSame( 1, $command->status );
		self::assertMatchesRegularExpression( $says, $command->errors );
	}

	public static function wrong_commands(): array {
		return array(
			'a URL that is none' => array( array( 'test', 'nonsense' ), '/url/i' ),
			'an unknown event'   => array( array( 'test', 'https://example.com/', '--event=no.such' ), '/no\.such/' ),
			'seconds'            => array( array( 'work', '--seconds=soon' ), '/seconds/' ),
			'negative seconds'   => array( array( 'work', '--seconds=-1' ), '/seconds/' ),
		);
	}

	public function test_test_without_a_receiver_says_what_to_do(): void {
		$this->save_no_endpoint();
		$command = Command::wp( 'posthorn', 'test' );
		self::assertSame( 1, $command->status );
		self::assertStringContainsString( 'No receiver is saved', $command->errors );
	}

	public function test_a_user_whose_queue_it_is_not_is_told_whose_it_is(): void {
		foreach ( array( array( 'status' ), array( 'drain' ), array( 'work', '--seconds=1' ), array( 'adopt' ) ) as $arguments ) {
			$command = Command::wp( '--exec=define( "POSTHORN_DATA_DIR", "/proc/posthorn" );', 'posthorn', ...$arguments );
			self::assertSame( 1, $command->status, $arguments[0] );
			self::assertStringContainsString( '/proc/posthorn', $command->errors );
			self::assertStringNotContainsString( 'Fatal error', $command->output . $command->errors );
			if ( 0 !== posix_geteuid() ) {
				// Root may be refused, but nobody else could do it.
				self::assertStringContainsString( 'This command runs as ' . posix_getpwuid( posix_geteuid() )['name'] . ', but /proc belongs to root', $command->errors );
			}
		}
	}

	public function test_work_takes_over_sends_and_ends_when_its_time_is_up(): void {
		$this->save_endpoint();
		$work = Command::start_wp( 'posthorn', 'work', '--seconds=2' );
		$this->wait_until( 'work sends', fn() => $work->is_running() && $work->process_id() === posthorn_client_stats()['dispatcher_pid'], 20 );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->receiver->wait_for( 1 );
		$work->finish( 20 );
		self::assertSame( 0, $work->status, $work->errors );
		self::assertStringContainsString( 'deliveries settled: 1', $work->output );
	}

	public function test_sigterm_ends_work_within_two_seconds_and_nothing_is_lost_or_repeated(): void {
		$this->save_endpoint( array( 'max_concurrency' => 4 ) );
		$work = Command::start_wp( 'posthorn', 'work' );
		$this->wait_until( 'work sends', fn() => $work->is_running() && $work->process_id() === posthorn_client_stats()['dispatcher_pid'], 20 );
		$this->receiver->behave( array( 'mode' => 'slow', 'delay_ms' => 20 ) );
		for ( $n = 0; $n < 600; $n++ ) {
			posthorn_dispatch( 'deal.won', array( 'deal_id' => $n ), array( 'record' => "deal:$n" ) );
		}
		$this->receiver->wait_for( 50 );
		$work->signal( SIGTERM );
		$began = microtime( true );
		$work->finish( 20 );
		self::assertLessThan( 3.0, microtime( true ) - $began );
		self::assertSame( 0, $work->status, $work->errors );
		self::assertMatchesRegularExpression( '/has ended; deliveries settled: \d+/', $work->output );
		$this->receiver->behave( array( 'mode' => 'ok' ) );
		$this->receiver->wait_for( 600, 20 );
		$this->wait_until_sent();
		$ids = array_column( $this->receiver->requests(), 'id' );
		self::assertCount( 600, $ids );
		self::assertCount( 600, array_unique( $ids ) );
	}
}
