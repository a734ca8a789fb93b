<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;

/** wp posthorn delivery, event, format, preview: what they do, print and end with. */
final class CliDeliveryTest extends SiteTestCase {

	private string $record;

	protected function setUp(): void {
		parent::setUp();
		$this->save_endpoint();
		$this->wait_until_sent();
		$this->record = 'deal:' . random_int( 1, PHP_INT_MAX );
	}

	protected function tearDown(): void {
		$this->leave_no_endpoint();
		parent::tearDown();
	}

	public function test_deliveries_are_listed_counted_and_shown(): void {
		foreach ( array( 'deal.won', 'deal.lost' ) as $event ) {
			posthorn_dispatch( $event, array( 'deal_id' => 1 ), array( 'record' => $this->record ) );
		}
		$this->wait_until_sent();
		$list = $this->delivery( 'list', "--record=$this->record", '--format=json' );
		self::assertSame( 0, $list->status, $list->errors );
		$rows = json_decode( $list->output, true );
		self::assertSame( array( 'deal.lost', 'deal.won' ), array_column( $rows, 'event' ) );
		self::assertSame( "2\n", $this->delivery( 'list', "--record=$this->record", '--limit=1', '--format=count' )->output );
		self::assertSame( "event,state\ndeal.won,delivered\n", $this->delivery( 'list', "--record=$this->record", "--before={$rows[0]['id']}", '--fields=event,state', '--format=csv' )->output );
		self::assertSame( $rows[0]['id'] . ' ' . $rows[1]['id'] . "\n", $this->delivery( 'list', "--record=$this->record", '--format=ids' )->output );
		$one = json_decode( $this->delivery( 'get', $rows[0]['id'], '--format=json' )->output, true );
		self::assertSame( array( 'delivered', 200 ), array( $one['state'], $one['attempts_log'][0]['status'] ) );
		self::assertSame( "delivered\n", $this->delivery( 'get', $rows[0]['id'], '--field=state' )->output );
		self::assertSame( '', trim( $this->delivery( 'list', "--record=$this->record", '--state=dead', '--format=ids' )->output ) );
	}

	public function test_a_dead_one_is_sent_again_by_id_and_by_filter(): void {
		$id = $this->dead();
		$command = $this->delivery( 'replay', $id );
		self::assertSame( 0, $command->status, $command->errors );
		self::assertStringContainsString( 'sent again: 1', $command->output );
		$this->wait_until( 'it is delivered', fn() => 'delivered' === posthorn_client_delivery( $id )['state'] );
		$id = $this->dead();
		self::assertStringContainsString( 'sent again: 1', $this->delivery( 'replay', '--state=dead', "--record=$this->record" )->output );
		$this->wait_until( 'it is delivered', fn() => 'delivered' === posthorn_client_delivery( $id )['state'] );
	}

	public function test_what_waits_is_cancelled_and_what_cannot_be_ends_with_1(): void {
		posthorn_client_pause( true );
		$id      = $this->delivery_of( posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ), array( 'record' => $this->record ) ) )['id'];
		$other   = wp_generate_uuid4();
		$command = $this->delivery( 'cancel', $id, $other );
		self::assertSame( 1, $command->status );
		self::assertStringContainsString( $other, $command->errors );
		self::assertStringContainsString( 'cancelled: 1', $command->errors );
		self::assertSame( 'cancelled', posthorn_client_delivery( $id )['state'] );
		self::assertSame( 1, $this->delivery( 'cancel', $id )->status );
		self::assertStringContainsString( 'cancelled: 0', $this->delivery( 'cancel', "--record=$this->record" )->output );
	}

	/** @dataProvider wrong_commands */
	public function test_a_wrong_argument_ends_with_1_and_names_it( array $arguments, string $says ): void {
		$command = Command::wp( 'posthorn', ...$arguments );
		self::assertSame( 1, $command->status, $command->output );
		self::assertMatchesRegularExpression( $says, $command->errors );
	}

	public static function wrong_commands(): array {
		return array(
			'replay of everything' => array( array( 'delivery', 'replay' ), '/Name at least one/' ),
			'cancel of everything' => array( array( 'delivery', 'cancel' ), '/Name at least one/' ),
			'a time'               => array( array( 'delivery', 'list', '--since=yesterday' ), '/since/' ),
			'a limit'              => array( array( 'delivery', 'list', '--limit=0' ), '/limit/' ),
			'a state'              => array( array( 'delivery', 'list', '--state=lost' ), '/state/' ),
			'a delivery'           => array( array( 'delivery', 'get', 'x' ), '/no delivery x/' ),
			'a field'              => array( array( 'format', 'list', '--fields=colour' ), '/colour/' ),
			'an event'             => array( array( 'event', 'get', 'no.such' ), '/no\.such/' ),
			'a format'             => array( array( 'format', 'get', 'morse' ), '/morse.*wpresidence/' ),
			'data'                 => array( array( 'preview', 'https://example.com/', '--data=7' ), '/data/' ),
		);
	}

	public function test_catalogue_and_formats_are_listed_and_shown(): void {
		$events = json_decode( Command::wp( 'posthorn', 'event', 'list', '--group=Deals', '--format=json' )->output, true );
		self::assertContains( 'deal.won', array_column( $events, 'name' ) );
		$sample = Command::wp( 'posthorn', 'event', 'get', 'deal.closed_won', '--field=sample' );
		self::assertArrayHasKey( 'deal_id', json_decode( $sample->output, true ) );
		self::assertStringStartsWith( "name,https_only\nwpresidence,no\n", Command::wp( 'posthorn', 'format', 'list', '--fields=name,https_only', '--format=csv' )->output );
		self::assertSame( "X-Winnerr-Signature\n", Command::wp( 'posthorn', 'format', 'get', 'winnerr', '--field=signature_header' )->output );
	}

	public function test_a_preview_prints_the_body_and_sends_nothing(): void {
		$body = Command::wp( 'posthorn', 'preview', '--event=deal.won', '--data={"deal_id":7}', '--field=body' );
		self::assertSame( 0, $body->status, $body->errors );
		self::assertSame( array( 'deal_id' => 7 ), json_decode( $body->output, true )['data'] );
		self::assertSame( array(), $this->receiver->requests() );
	}

	public function test_status_is_csv_where_asked(): void {
		self::assertMatchesRegularExpression( '/^name,value\n(.*\n)*pending,0\n/', Command::wp( 'posthorn', 'status', '--format=csv' )->output );
	}

	/** A delivery that has failed for good. */
	private function dead(): string {
		$this->save_endpoint( array( 'schedule' => array() ) );
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$event = posthorn_dispatch( 'deal.won', array( 'deal_id' => 7 ), array( 'record' => $this->record ) );
		$this->wait_until( 'it is dead', fn() => 'dead' === ( $this->delivery_of( $event )['state'] ?? '' ) );
		$this->receiver->behave( array( 'mode' => 'ok' ) );
		return $this->delivery_of( $event )['id'];
	}

	private function delivery( string ...$arguments ): Command {
		return Command::wp( 'posthorn', 'delivery', ...$arguments );
	}
}
