<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Api;
use Posthorn\Tests\Command;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** What one door can do, the others can: fire an event, duplicate a webhook, have what waits sent. */
final class DoorsTest extends SiteTestCase {

	private const LIST = '/wp-admin/options-general.php?page=posthorn&tab=endpoints';

	private Api $api;

	protected function setUp(): void {
		parent::setUp();
		$this->api = Api::administrator();
		$this->begin_without_endpoint();
	}

	protected function tearDown(): void {
		$this->leave_no_endpoint();
		parent::tearDown();
	}

	public function test_an_event_is_fired_by_rest_with_old_values_and_reaches_who_wants_it(): void {
		$this->add( array( 'format' => 'winnerr', 'secret' => self::secret(), 'events' => array( 'deal.*' ), 'url' => str_replace( 'http:', 'https:', $this->receiver->url() ), 'enabled' => false ) );
		$this->add( array( 'events' => array( 'deal.*' ) ) );
		list( $status, $fired ) = $this->api->post( '/events/deal.closed_won/dispatch', array( 'data' => array( 'deal_id' => 7, 'stage' => 'won' ), 'record' => 'deal:7', 'previous' => array( 'stage' => 'new' ), 'changes' => array( 'stage' ), 'occurred_at' => '2026-04-01T10:00:00Z' ) );
		self::assertSame( array( 200, 'deal.won', 1 ), array( $status, $fired['event'] ?? null, $fired['deliveries'] ?? null ), json_encode( $fired ) );
		$request = $this->receiver->wait_for( 1 )[0];
		self::assertSame( array( $fired['event_id'], false ), array( $request['id'], $request['test'] ) );
		self::assertSame( array( 'deal_id' => 7, 'stage' => 'won' ), json_decode( $request['body'], true )['data'] );
		self::assertSame( '2026-04-01T10:00:00Z', json_decode( $request['body'], true )['timestamp'] );
		$this->wait_until_sent();
		list( , $list ) = $this->api->get( '/deliveries', array( 'event_id' => $fired['event_id'] ) );
		self::assertSame( array( 'deal:7', 'delivered' ), array( $list['data'][0]['record'], $list['data'][0]['state'] ) );
		self::assertSame( 0, $this->api->post( '/events/task.completed/dispatch', array( 'data' => array( 'task_id' => 1 ) ) )[1]['deliveries'], 'nobody wants it' );
	}

	/** @dataProvider wrong_events */
	public function test_an_event_that_cannot_be_fired_is_an_error_and_not_silence( string $name, array $sent, int $status, string $says, bool $has_webhook = true ): void {
		if ( $has_webhook ) {
			$this->add();
		}
		list( $got, $error ) = $this->api->post( "/events/$name/dispatch", $sent );
		self::assertSame( $status, $got, json_encode( $error ) );
		self::assertMatchesRegularExpression( $says, $error['message'] . json_encode( $error['data'] ) );
		self::assertSame( array(), $this->receiver->requests() );
	}

	public static function wrong_events(): array {
		$data = array( 'data' => array( 'deal_id' => 1 ) );
		return array(
			'an unknown name'  => array( 'deal.wonn', $data, 404, '/deal\.wonn/' ),
			'no data'          => array( 'deal.won', array(), 400, '/data/' ),
			'data as text'     => array( 'deal.won', array( 'data' => 'x' ), 400, '/data/' ),
			'a time that is none' => array( 'deal.won', $data + array( 'occurred_at' => 'soon' ), 400, '/occurred_at/' ),
			'a misspelt field' => array( 'deal.won', $data + array( 'recrod' => 'deal:1' ), 400, '/recrod/' ),
			'a test'           => array( 'test', $data, 400, '/[Tt]est/' ),
			'no webhook'       => array( 'deal.won', $data, 409, '/no webhook/', false ),
		);
	}

	public function test_nobody_fires_without_the_capability(): void {
		$this->add();
		self::assertSame( 401, ( new Api() )->post( '/events/deal.won/dispatch', array( 'data' => array( 'deal_id' => 1 ) ) )[0] );
		$editor = get_user_by( 'login', 'doors-editor' ) ?: get_userdata( wp_insert_user( array( 'user_login' => 'doors-editor', 'user_pass' => 'doors-editor', 'role' => 'editor' ) ) );
		self::assertSame( 403, Api::user( $editor->ID )->post( '/events/deal.won/dispatch', array( 'data' => array( 'deal_id' => 1 ) ) )[0] );
		self::assertSame( 1, Command::wp( "--user=$editor->ID", 'posthorn', 'event', 'dispatch', 'deal.won', '--data={"deal_id":1}' )->status );
		self::assertSame( array(), $this->deliveries( array( 'state' => 'pending' ) ) );
		self::assertSame( array(), $this->receiver->requests() );
	}

	public function test_an_event_is_fired_on_the_command_line(): void {
		$this->add( array( 'events' => array( 'bot.created' ) ) );
		$command = Command::wp( 'posthorn', 'event', 'dispatch', 'bot.created', '--data={"bot_id":7}', '--record=bot:7', '--porcelain' );
		self::assertSame( 0, $command->status, $command->errors );
		$request = $this->receiver->wait_for( 1 )[0];
		self::assertSame( array( trim( $command->output ), array( 'bot_id' => 7 ) ), array( $request['id'], json_decode( $request['body'], true )['data'] ) );
		$nobody = Command::wp( 'posthorn', 'event', 'dispatch', 'deal.won', '--data={"deal_id":1}' );
		self::assertSame( 0, $nobody->status, $nobody->errors );
		self::assertStringContainsString( 'it goes to: 0', $nobody->output );
		foreach ( array( array( 'no.such', '--data={"a":1}' ), array( 'bot.created', '--data=x' ), array( 'bot.created', '--data={"a":1}', '--occurred_at=soon' ) ) as $wrong ) {
			self::assertSame( 1, Command::wp( 'posthorn', 'event', 'dispatch', ...$wrong )->status, implode( ' ', $wrong ) );
		}
		$piped = Command::bash( 'echo \'{"bot_id":8}\' | wp posthorn event dispatch bot.created --data=- --porcelain' );
		self::assertSame( 0, $piped->status, $piped->errors );
		self::assertSame( array( 'bot_id' => 8 ), json_decode( $this->receiver->wait_for( 2 )[1]['body'], true )['data'] );
	}

	public function test_a_webhook_is_duplicated_by_rest_and_on_the_command_line(): void {
		$added = $this->add( array( 'secret' => self::secret(), 'description' => 'First' ) );
		list( $status, $copy ) = $this->api->post( "/webhooks/$added[id]/duplicate" );
		self::assertSame( array( 201, false, 'First (copy)', $added['url'], 1 ), array( $status, $copy['enabled'], $copy['description'], $copy['url'], count( $copy['secrets'] ) ), json_encode( $copy ) );
		self::assertStringEndsWith( '/webhooks/' . $copy['id'], rawurldecode( $this->api->headers['location'] ) );
		self::assertSame( self::secret(), posthorn_for_queue( posthorn_stored_endpoint( posthorn_settings(), $copy['id'] ) )['secret'] );
		self::assertSame( 404, $this->api->post( '/webhooks/nobody/duplicate' )[0] );
		$command = Command::wp( 'posthorn', 'webhook', 'duplicate', $added['id'], '--porcelain' );
		self::assertSame( 0, $command->status, $command->errors );
		posthorn_forget_cached_settings();
		self::assertFalse( posthorn_find_endpoint( trim( $command->output ) )['enabled'] );
		self::assertSame( 1, Command::wp( 'posthorn', 'webhook', 'duplicate', 'nobody' )->status );
	}

	public function test_what_waits_for_a_suspended_webhook_is_sent_at_every_doors_word(): void {
		$added = $this->add( array( 'schedule' => array( 3600 ) ) );
		$doors = array(
			'REST'   => fn() => self::assertSame( array( 200, $added['id'] ), array( ( $answer = $this->api->post( "/webhooks/$added[id]/resume" ) )[0], $answer[1]['id'] ?? null ), json_encode( $answer ) ),
			'WP-CLI' => fn() => self::assertSame( 0, ( $command = Command::wp( 'posthorn', 'webhook', 'resume', $added['id'] ) )->status, $command->errors ),
			'list'   => fn() => $this->press( "resume:$added[id]" ),
		);
		foreach ( $doors as $name => $resume ) {
			$this->receiver->behave( array( 'mode' => 'status', 'status' => 410 ) );
			$event = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
			$this->wait_until( "$name: it is suspended", fn() => 'suspended' === posthorn_endpoint_standing()[ $added['id'] ]['state'] );
			$this->receiver->behave( array( 'mode' => 'ok' ) );
			self::assertSame( 'pending', $this->delivery_of( $event )['state'], $name );
			$resume();
			$this->wait_until( "$name: it has arrived", fn() => 'delivered' === $this->delivery_of( $event )['state'] );
			self::assertSame( 'active', $this->api->get( "/webhooks/$added[id]" )[1]['state'], $name );
		}
		self::assertSame( 404, $this->api->post( '/webhooks/nobody/resume' )[0] );
		$this->api->patch( "/webhooks/$added[id]", array( 'enabled' => false ) );
		list( $status, $error ) = $this->api->post( "/webhooks/$added[id]/resume" );
		self::assertSame( array( 409, 'posthorn_conflict' ), array( $status, $error['code'] ) );
		self::assertStringContainsString( 'switched off', $error['message'] );
	}

	public function test_the_list_offers_it_only_where_something_is_held_back(): void {
		$added = $this->add();
		$owner = Visitor::logged_in( 'admin', 'admin' );
		self::assertSame( array(), $owner->get( self::LIST )->find( "//button[@value='resume:$added[id]']" ) );
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 410 ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until( 'it is suspended', fn() => 'suspended' === posthorn_endpoint_standing()[ $added['id'] ]['state'] );
		self::assertCount( 1, $owner->get( self::LIST )->find( "//button[@value='resume:$added[id]']" ) );
	}

	private function add( array $given = array() ): array {
		$added = posthorn_add_endpoint( $given + array( 'url' => $this->receiver->url(), 'allow_private' => true ) );
		self::assertIsArray( $added, is_wp_error( $added ) ? $added->get_error_message() : '' );
		return $added;
	}

	/** Presses a button of the list. */
	private function press( string $do ): void {
		$owner  = Visitor::logged_in( 'admin', 'admin' );
		$fields = $owner->get( self::LIST )->fields( "//input[@name='action'][@value='posthorn_endpoint']" );
		$page   = $owner->post( '/wp-admin/admin-post.php', array( 'do' => $do ) + $fields );
		self::assertCount( 1, $page->find( "//*[contains(@class,'notice-success')]" ), $do );
		wp_cache_flush();
	}
}
