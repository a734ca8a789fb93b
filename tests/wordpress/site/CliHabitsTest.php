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
		$this->leave_no_endpoint();
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

	public function test_a_secret_is_made_in_the_form_of_a_format_and_stored_nowhere(): void {
		$made = Command::wp( 'posthorn', 'format', 'secret', 'standard-webhooks' );
		self::assertSame( 0, $made->status, $made->errors );
		self::assertMatchesRegularExpression( '#^whsec_[A-Za-z0-9+/]{40,}={0,2}\n$#', $made->output );
		self::assertNotSame( $made->output, Command::wp( 'posthorn', 'format', 'secret', 'standard-webhooks' )->output );
		self::assertSame( 1, Command::wp( 'posthorn', 'format', 'secret', 'morse' )->status );
		self::assertSame( 0, Command::bash( 'wp posthorn webhook update main --wire-format=standard-webhooks --secret="$(wp posthorn format secret standard-webhooks)" --porcelain' )->status );
	}

	public function test_a_table_names_a_few_events_and_what_programs_read_names_all(): void {
		$events = array( 'deal.won', 'deal.lost', 'deal.created', 'contact.created', 'contact.deleted' );
		$this->save_endpoint( array( 'events' => $events ) );
		self::assertStringContainsString( 'deal.won, deal.lost, deal.created and 2 more', Command::wp( 'posthorn', 'webhook', 'list' )->output );
		self::assertSame( $events, json_decode( Command::wp( 'posthorn', 'webhook', 'list', '--format=json' )->output, true )[0]['events'] );
		self::assertStringContainsString( 'contact.deleted', Command::wp( 'posthorn', 'webhook', 'list', '--format=csv' )->output );
	}

	public function test_what_cannot_be_sent_again_says_why(): void {
		$this->save_endpoint( array( 'schedule' => array() ) );
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$event = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until( 'it has failed', fn() => 'dead' === ( $this->delivery_of( $event )['state'] ?? '' ) );
		$id = $this->delivery_of( $event )['id'];
		$this->save_no_endpoint();
		$command = Command::wp( 'posthorn', 'delivery', 'replay', $id );
		self::assertSame( 1, $command->status );
		self::assertStringContainsString( 'is gone', $command->errors );
	}

	public function test_one_that_wp_config_defines_badly_is_listed_all_the_same(): void {
		$constant = '--exec=' . sprintf( 'define( "POSTHORN_ENDPOINTS", %s );', var_export( array( array( 'id' => 'fixed', 'url' => 'https://example.com/', 'filters' => array( 'a', 'b' ) ) ), true ) );
		$list     = Command::wp( $constant, 'posthorn', 'webhook', 'list', '--format=json', '--fields=id,warnings' );
		self::assertSame( 0, $list->status, $list->errors );
		$fixed = array_column( json_decode( $list->output, true ), 'warnings', 'id' )['fixed'];
		self::assertStringContainsString( 'filters', $fixed[0] ?? '' );
	}

	public function test_an_endpoint_of_wp_config_is_called_what_it_is_called_there(): void {
		$constant = '--exec=' . sprintf( 'define( "POSTHORN_ENDPOINTS", %s );', var_export( array( array( 'id' => 'fixed', 'url' => 'https://example.com/', 'description' => 'Data warehouse' ) ), true ) );
		$named    = Command::wp( $constant, 'eval', 'require_once WP_PLUGIN_DIR . "/posthorn/includes/admin/receiver-state.php"; require_once WP_PLUGIN_DIR . "/posthorn/includes/endpoints.php"; echo posthorn_receiver_name( posthorn_find_endpoint( "fixed" ), 2 );' );
		self::assertSame( 'Data warehouse', $named->output, $named->errors );
	}

	public function test_a_receiver_that_is_neither_id_nor_url_is_called_so(): void {
		foreach ( array( 'test', 'preview' ) as $verb ) {
			$command = Command::wp( 'posthorn', $verb, 'mian' );
			self::assertSame( 1, $command->status, $verb );
			self::assertStringContainsString( 'no webhook with the id “mian”', $command->errors, $verb );
		}
	}
}
