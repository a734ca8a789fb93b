<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** What fails: tried again by the schedule, kept when dead, told once. And WP-Cron, the last resort. */
final class FailureTest extends SiteTestCase {

	public function test_by_default_the_next_attempt_is_exactly_300_seconds_after_the_failure(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$this->save_endpoint();
		$id = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until( 'the first attempt failed', fn() => 1 === $this->delivery_of( $id )['attempts'] );
		$delivery = $this->delivery_of( $id );
		self::assertSame( 'pending', $delivery['state'] );
		$attempt = posthorn_client_delivery( $delivery['id'] )['attempts_log'][0];
		$settled = self::milliseconds( $attempt['started_at'] ) + $attempt['duration_ms'];
		// The attempt's end is settled within one batch, of 20 ms at most; the delay counts from there.
		self::assertEqualsWithDelta( $settled + 300000, self::milliseconds( $delivery['next_attempt_at'] ), 100 );
		$this->forget_pending();
	}

	public function test_a_delivery_is_tried_by_the_schedule_and_then_dead(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500, 'body' => 'full up' ) );
		$this->save_endpoint( array( 'schedule' => array( 0.2, 0.2 ) ) );
		$id       = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$requests = $this->receiver->wait_for( 3 );
		$this->wait_until( 'it is dead', fn() => 'dead' === $this->delivery_of( $id )['state'] );
		self::assertSame( array( 1, 2, 3 ), array_column( $requests, 'attempt' ) );
		self::assertSame( array( $id ), array_values( array_unique( array_column( $requests, 'id' ) ) ) );
		self::assertCount( 1, array_unique( array_column( $requests, 'body' ) ), 'a repeat has the same body' );
		$log = posthorn_client_delivery( $this->delivery_of( $id )['id'] )['attempts_log'];
		self::assertSame( array( 500, 500, 500 ), array_column( $log, 'status' ) );
		self::assertSame( 'full up', $log[2]['response_body'] );
	}

	public function test_a_receiver_that_recovers_gets_the_event_once_more_and_no_more(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500, 'times' => 1 ) );
		$this->save_endpoint( array( 'schedule' => array( 0.2, 0.2 ) ) );
		$id = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until( 'it is delivered', fn() => 'delivered' === $this->delivery_of( $id )['state'] );
		self::assertSame( array( 1, 2 ), array_column( $this->receiver->requests(), 'attempt' ) );
	}

	public function test_a_dead_delivery_fires_posthorn_delivery_failed_once(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$this->save_endpoint( array( 'schedule' => array() ) );
		do_action( 'posthorn_cron' ); // What failed in other tests is told now.
		$id = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ), array( 'record' => 'deal:1' ) );
		$this->wait_until( 'it is dead', fn() => 'dead' === $this->delivery_of( $id )['state'] );
		$told = array();
		$this->listen( 'posthorn_delivery_failed', static function ( array $delivery ) use ( &$told ) { $told[] = $delivery; } );
		do_action( 'posthorn_cron' );
		do_action( 'posthorn_cron' );
		self::assertCount( 1, $told );
		self::assertSame( array( $id, 'deal.won', 'deal:1', 'dead', 1, 500 ), array( $told[0]['event_id'], $told[0]['event'], $told[0]['record'], $told[0]['state'], $told[0]['attempts'], $told[0]['last_status'] ) );
	}

	public function test_a_listener_that_fails_is_not_called_for_ever(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$this->save_endpoint( array( 'schedule' => array() ) );
		$id = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until( 'it is dead', fn() => 'dead' === $this->delivery_of( $id )['state'] );
		$calls = 0;
		$this->listen( 'posthorn_delivery_failed', static function () use ( &$calls ) { ++$calls; throw new Error( 'a listener’s defect' ); } );
		do_action( 'posthorn_cron' );
		do_action( 'posthorn_cron' );
		self::assertSame( 1, $calls );
		self::assertStringContainsString( 'a listener’s defect', $this->problem() );
	}

	public function test_wp_cron_sends_where_nobody_else_does(): void {
		// A queue of its own, in a process that may not send in the background. Its key is not this site's, so no secret.
		$this->save_endpoint( array( 'secret' => '' ) );
		$data    = getenv( 'POSTHORN_BED' ) . '/data/cron-' . uniqid();
		$command = Command::wordpress(
			'posthorn_dispatch( "deal.won", array( "deal_id" => 1 ) );
			echo posthorn_client_stats()["pending"];
			do_action( "posthorn_cron" );
			echo " ", posthorn_client_stats()["pending"], " ", posthorn_client_stats()["delivered"];',
			array( "posthorn.data_dir=$data", 'posthorn.background=0' )
		);
		self::assertSame( '1 0 1', $command->output, $command->errors );
		self::assertSame( array( 'deal.won' ), $this->receiver->events() );
	}

	public function test_an_administrators_page_schedules_wp_cron(): void {
		$this->save_endpoint();
		wp_clear_scheduled_hook( 'posthorn_cron' );
		posthorn_check_in();
		self::assertEqualsWithDelta( time() + 300, wp_next_scheduled( 'posthorn_cron' ), 5 );
		self::assertSame( 300, wp_get_schedules()[ wp_get_schedule( 'posthorn_cron' ) ]['interval'] );
	}

	public function test_the_page_shows_what_failed_with_its_attempts(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500, 'body' => '<i>full</i> up' ) );
		$this->save_endpoint( array( 'schedule' => array( 0.1 ) ) );
		$id = posthorn_dispatch( 'deal.lost', array( 'deal_id' => 1 ), array( 'record' => 'deal:1' ) );
		$this->wait_until( 'it is dead', fn() => 'dead' === $this->delivery_of( $id )['state'] );
		$owner  = Visitor::logged_in( 'admin', 'admin' );
		$status = $owner->get( '/wp-admin/options-general.php?page=posthorn' )->text( "//*[contains(@class,'posthorn-status')]" );
		self::assertMatchesRegularExpression( '/failed for good.*deal\.lost.*500/', $status );
		$list = $owner->get( '/wp-admin/options-general.php?page=posthorn&tab=deliveries&state=dead' );
		$row  = $list->text( "//table//tr[.//strong='deal.lost'][1]" );
		self::assertMatchesRegularExpression( '/deal:1.*Failed.*2.*500/', $row );
		$link = $list->find( "//table//tr[.//strong='deal.lost'][1]//a" )[0]->getAttribute( 'href' );
		$page = $owner->get( $link );
		self::assertSame( 2, preg_match_all( '/Attempt \d, /', $page->text( '//body' ) ) );
		self::assertStringContainsString( '&lt;i&gt;full&lt;/i&gt; up', $page->html );
		self::assertStringNotContainsString( self::secret(), $page->html );
		self::assertStringNotContainsString( 'X-CRM-Signature', $page->html );
	}

	/** Leaves nothing behind that would be sent in five minutes. */
	private function forget_pending(): void {
		$this->receiver->behave( array( 'mode' => 'ok' ) );
		$this->save_no_endpoint();
		$this->save_endpoint( array( 'max_age' => 1 ) );
	}

	private static function milliseconds( string $time ): float {
		return (float) ( new DateTimeImmutable( $time ) )->format( 'U.v' ) * 1000;
	}
}
