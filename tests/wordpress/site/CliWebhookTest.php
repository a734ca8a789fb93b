<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;

/** wp posthorn webhook list|get|create|update|delete|test|logs: what they do, print and end with. */
final class CliWebhookTest extends SiteTestCase {

	private const SECRET = 'a-secret-that-may-not-leave-through-any-door';

	protected function setUp(): void {
		parent::setUp();
		$this->begin_without_endpoint();
	}

	protected function tearDown(): void {
		$this->leave_no_endpoint();
		parent::tearDown();
	}

	public function test_one_is_created_shown_changed_and_deleted(): void {
		$created = $this->webhook( 'create', $this->receiver->url(), '--events=deal.*,contact.created', '--secret=' . self::SECRET, '--description=Warehouse', '--filters={"value":{"gte":250000}}', '--headers={"X-Key":"' . self::SECRET . '"}', '--schedule=60,300', '--allow_private=true', '--porcelain' );
		self::assertSame( 0, $created->status, $created->errors );
		$id = trim( $created->output );
		self::assertMatchesRegularExpression( '/^\w+$/', $id );
		$shown   = $this->webhook( 'get', $id, '--format=json' );
		$webhook = json_decode( $shown->output, true );
		self::assertSame(
			array( $id, $this->receiver->url(), array( 'deal.*', 'contact.created' ), true, 'Warehouse', array( 'value' => array( 'gte' => 250000 ) ), array( 60, 300 ), true, 'active' ),
			array( $webhook['id'], $webhook['url'], $webhook['events'], $webhook['enabled'], $webhook['description'], $webhook['filters'], $webhook['schedule'], $webhook['allow_private'], $webhook['state'] )
		);
		self::assertEqualsWithDelta( time(), strtotime( $webhook['createdAt'] ), 120 );
		$changed = $this->webhook( 'update', $id, '--enabled=false', '--schedule=null', '--wire-format=github', '--new-url=https://example.com/', '--format=json' );
		self::assertSame( 0, $changed->status, $changed->errors );
		$now = json_decode( $changed->output, true );
		self::assertSame( array( false, 'github', 'disabled', 'Warehouse', 'https://example.com/' ), array( $now['enabled'], $now['format'], $now['state'], $now['description'], $now['url'] ) );
		self::assertSame( 'false', trim( Command::wp( 'eval', 'echo wp_json_encode( posthorn_settings()["endpoints"][0]["enabled"] );' )->output ) );
		$list = $this->webhook( 'list', '--format=csv', '--fields=id,enabled,format' );
		self::assertSame( "id,enabled,format\n$id,no,github\n", $list->output );
		self::assertSame( array( "$id\n", "1\n" ), array( $this->webhook( 'list', '--format=ids' )->output, $this->webhook( 'list', '--format=count' )->output ) );
		foreach ( array( $created, $shown, $changed, $list, $this->webhook( 'list', '--format=json' ), $this->webhook( 'list' ), $this->webhook( 'get', $id ) ) as $command ) {
			self::assertSame( 0, $command->status, $command->errors );
			self::assertStringNotContainsString( self::SECRET, $command->output . $command->errors );
		}
		$deleted = $this->webhook( 'delete', $id, '--yes' );
		self::assertSame( 0, $deleted->status, $deleted->errors );
		self::assertSame( "[]\n", $this->webhook( 'list', '--format=json' )->output );
		foreach ( array( 'get', 'update', 'delete', 'test', 'logs' ) as $verb ) {
			$command = $this->webhook( $verb, $id, ...( 'update' === $verb ? array( '--enabled=true' ) : array() ) );
			self::assertSame( 1, $command->status, $verb );
			self::assertStringContainsString( $id, $command->errors );
		}
	}

	public function test_one_is_tested_and_its_log_shown(): void {
		$this->save_endpoint();
		$tested = $this->webhook( 'test', 'main', '--event=deal.won', '--data={"deal_id":42}', '--format=json' );
		self::assertSame( array( 0, true ), array( $tested->status, json_decode( $tested->output, true )['ok'] ), $tested->errors );
		self::assertSame( array( 'deal_id' => 42 ), json_decode( $this->receiver->requests()[0]['body'], true )['data'] );
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$tested = $this->webhook( 'test', 'main' );
		self::assertSame( 1, $tested->status );
		self::assertStringContainsString( '500', $tested->errors );
		self::assertSame( 1, $this->webhook( 'test', 'main', '--format=json' )->status );
		$this->receiver->behave( array( 'mode' => 'ok' ) );
		$event = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until_sent();
		$log = json_decode( $this->webhook( 'logs', 'main', '--status=success', '--startDate=' . gmdate( 'Y-m-d' ), '--limit=1', '--format=json' )->output, true );
		self::assertSame( array( $this->delivery_of( $event )['id'], 'deal.won', 'success', 200, 1, null ), array( $log[0]['id'], $log[0]['event'], $log[0]['status'], $log[0]['responseCode'], $log[0]['attempts'], $log[0]['nextRetryAt'] ) );
	}

	/** @dataProvider wrong_commands */
	public function test_what_is_wrong_is_named_ends_with_1_and_stores_nothing( array $arguments, string $says ): void {
		$command = $this->webhook( ...$arguments );
		self::assertSame( 1, $command->status, $command->output );
		self::assertMatchesRegularExpression( $says, $command->errors );
		self::assertStringNotContainsString( self::SECRET, $command->output . $command->errors );
		posthorn_forget_cached_settings();
		self::assertSame( array(), posthorn_settings()['endpoints'] );
	}

	public static function wrong_commands(): array {
		return array(
			'a URL that is none' => array( array( 'create', 'nonsense' ), '/url/' ),
			'an unknown event'   => array( array( 'create', 'https://example.com/', '--events=no.such' ), '/no\.such/' ),
			'an unknown format'  => array( array( 'create', 'https://example.com/', '--wire-format=morse' ), '/morse/' ),
			'no JSON'            => array( array( 'create', 'https://example.com/', '--filters=vip' ), '/filters/' ),
			'an unknown field'   => array( array( 'create', 'https://example.com/', '--colour=red' ), '/colour/' ),
			'enabled'            => array( array( 'create', 'https://example.com/', '--enabled=perhaps' ), '/enabled/' ),
			'a strange secret'   => array( array( 'create', 'https://example.com/', '--secret=[{"key":"' . self::SECRET . '"}]' ), '/secret/' ),
			'a date of no name'  => array( array( 'logs', 'main', '--startdate=2026-04-01' ), '/startDate/' ),
			'nothing to change'  => array( array( 'update', 'main' ), '/Nothing was named/' ),
		);
	}

	public function test_one_that_wp_config_defines_is_shown_and_tested_and_not_changed(): void {
		$constant = '--exec=' . sprintf( 'define( "POSTHORN_ENDPOINTS", %s );', var_export( array( array( 'id' => 'fixed', 'url' => $this->receiver->url(), 'secret' => self::secret(), 'allow_private' => true ) ), true ) );
		$shown    = Command::wp( $constant, 'posthorn', 'webhook', 'get', 'fixed', '--format=json' );
		self::assertSame( array( 0, true ), array( $shown->status, json_decode( $shown->output, true )['read_only'] ?? null ), $shown->errors );
		self::assertSame( "fixed\n", Command::wp( $constant, 'posthorn', 'webhook', 'list', '--format=ids' )->output );
		$tested = Command::wp( $constant, 'posthorn', 'webhook', 'test', 'fixed' );
		self::assertSame( array( 0, 'ok' ), array( $tested->status, $this->receiver->requests()[0]['signature']['state'] ), $tested->errors );
		foreach ( array( array( 'update', 'fixed', '--enabled=false' ), array( 'delete', 'fixed', '--yes' ) ) as $arguments ) {
			$command = Command::wp( $constant, 'posthorn', 'webhook', ...$arguments );
			self::assertSame( 1, $command->status, $arguments[0] );
			self::assertStringContainsString( 'wp-config.php', $command->errors );
		}
		self::assertStringNotContainsString( self::secret(), $shown->output . $shown->errors . $tested->output . $tested->errors );
	}

	public function test_a_user_without_the_capability_is_refused(): void {
		$editor = get_user_by( 'login', 'cli-editor' ) ?: get_userdata( wp_insert_user( array( 'user_login' => 'cli-editor', 'user_pass' => 'cli-editor', 'role' => 'editor' ) ) );
		foreach ( array( array( 'webhook', 'list' ), array( 'delivery', 'list' ), array( 'event', 'list' ), array( 'format', 'list' ), array( 'status' ), array( 'test', 'https://example.com/' ), array( 'preview', 'https://example.com/' ) ) as $arguments ) {
			$command = Command::wp( "--user=$editor->ID", 'posthorn', ...$arguments );
			self::assertSame( 1, $command->status, $arguments[0] );
			self::assertStringContainsString( 'manage_posthorn', $command->errors );
		}
		self::assertSame( 0, Command::wp( '--user=1', 'posthorn', 'webhook', 'list' )->status );
	}

	private function webhook( string ...$arguments ): Command {
		return Command::wp( 'posthorn', 'webhook', ...$arguments );
	}
}
