<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;

/** What a script relies on: exit codes, JSON, ids. */
final class CliHabitsTest extends SiteTestCase {

	protected function setUp(): void {
		parent::setUp();
		$this->save_endpoint();
	}

	protected function tearDown(): void {
		Receiver::reset();
		posthorn_forget_cached_settings();
		$this->save_no_endpoint();
		parent::tearDown();
	}

	/** WP-CLI's own question ends with 0 where the answer is no. */
	public function test_what_was_not_deleted_does_not_end_with_0(): void {
		foreach ( array( 'nobody answers' => '', 'no' => 'n', 'whatever' => 'perhaps' ) as $case => $answer ) {
			$command = Command::bash( "printf '%s' \"\$ANSWER\" | wp posthorn webhook delete main && echo DONE", array( 'ANSWER' => $answer ) );
			self::assertSame( 1, $command->status, $case );
			self::assertStringNotContainsString( 'DONE', $command->output, $case );
			self::assertStringContainsString( 'othing was changed', $command->errors, $case );
		}
		posthorn_forget_cached_settings();
		self::assertCount( 1, posthorn_settings()['endpoints'] );
		$command = Command::bash( 'echo y | wp posthorn webhook delete main && echo DONE' );
		self::assertSame( 0, $command->status, $command->errors );
		self::assertStringContainsString( 'DONE', $command->output );
	}

	public function test_json_has_objects_where_rest_has_them(): void {
		$webhook = json_decode( Command::wp( 'posthorn', 'webhook', 'update', 'main', '--filters={}', '--headers={}', '--format=json' )->output );
		self::assertEquals( array( new stdClass(), new stdClass() ), array( $webhook->filters, $webhook->headers ) );
		$list = json_decode( Command::wp( 'posthorn', 'webhook', 'list', '--fields=id,filters', '--format=json' )->output );
		self::assertEquals( array( (object) array( 'id' => 'main', 'filters' => new stdClass() ) ), $list );
		$event = posthorn_dispatch( 'deal.won', array() );
		$this->wait_until_sent();
		$delivery = json_decode( Command::wp( 'posthorn', 'delivery', 'get', $this->delivery_of( $event )['id'], '--format=json' )->output );
		self::assertEquals( array( new stdClass(), 'object' ), array( $delivery->data, gettype( $delivery->attempts_log[0]->response_headers ) ) );
	}

	public function test_an_id_is_not_changed_and_that_is_said(): void {
		$command = Command::wp( 'posthorn', 'webhook', 'update', 'main', '--id=other', '--enabled=false' );
		self::assertSame( 1, $command->status );
		self::assertStringContainsString( 'stays', $command->errors );
		self::assertSame( 0, Command::wp( 'posthorn', 'webhook', 'update', 'main', '--id=main', '--description=x' )->status );
	}

	public function test_one_that_wp_config_defines_is_tested_and_previewed_like_any_other(): void {
		$constant = '--exec=' . sprintf( 'define( "POSTHORN_ENDPOINTS", %s );', var_export( array( array( 'id' => 'fixed', 'url' => $this->receiver->url(), 'secret' => self::secret(), 'allow_private' => true ) ), true ) );
		$tested   = Command::wp( $constant, 'posthorn', 'test', 'fixed' );
		self::assertSame( 0, $tested->status, $tested->errors );
		self::assertSame( 'ok', $this->receiver->requests()[0]['signature']['state'] );
		$preview = Command::wp( $constant, 'posthorn', 'preview', 'fixed', '--field=url' );
		self::assertSame( array( 0, $this->receiver->url() ), array( $preview->status, trim( $preview->output ) ), $preview->errors );
	}

	public function test_what_is_no_group_or_source_is_an_error_and_not_an_empty_list(): void {
		foreach ( array( '--group=Contatcs', '--source=nobody' ) as $option ) {
			$command = Command::wp( 'posthorn', 'event', 'list', $option );
			self::assertSame( 1, $command->status, $option );
			self::assertStringContainsString( 'there are', $command->errors, $option );
		}
	}

	public function test_a_condition_that_holds_for_nothing_is_warned_of_beside_the_answer(): void {
		$command = Command::wp( 'posthorn', 'webhook', 'update', 'main', '--filters={"value":{"between":[1,2]}}', '--format=json' );
		self::assertSame( 0, $command->status, $command->errors );
		self::assertStringContainsString( 'between', $command->errors );
		self::assertIsArray( json_decode( $command->output, true ) );
	}

	public function test_a_receiver_that_is_neither_id_nor_url_is_called_so(): void {
		foreach ( array( 'test', 'preview' ) as $verb ) {
			$command = Command::wp( 'posthorn', $verb, 'mian' );
			self::assertSame( 1, $command->status, $verb );
			self::assertStringContainsString( 'no webhook with the id “mian”', $command->errors, $verb );
		}
	}
}
