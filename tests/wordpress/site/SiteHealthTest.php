<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;

/** Site Health: who sends, what failed, and nothing that a forum should not read. */
final class SiteHealthTest extends SiteTestCase {

	public function test_all_is_well_while_somebody_sends(): void {
		$this->save_endpoint();
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->receiver->wait_for( 1 );
		$result = $this->result( 'posthorn_sending' );
		self::assertSame( 'good', $result['status'] );
		self::assertStringContainsString( 'is sending', $result['description'] );
	}

	public function test_a_queue_that_cannot_be_used_is_critical_and_names_the_directory(): void {
		$command = Command::wordpress(
			'$result = call_user_func( apply_filters( "site_status_tests", array() )["direct"]["posthorn_sending"]["test"] );
			echo $result["status"], " ", $result["description"];',
			array( 'posthorn.data_dir=/proc/no-such-directory' )
		);
		self::assertStringStartsWith( 'critical ', $command->output, $command->errors );
		self::assertStringContainsString( '/proc/no-such-directory', $command->output );
	}

	public function test_a_dead_delivery_is_told_with_its_event_and_error(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 500 ) );
		$this->save_endpoint( array( 'schedule' => array() ) );
		$id = posthorn_dispatch( 'task.completed', array( 'task_id' => 1 ) );
		$this->wait_until( 'the delivery is dead', fn() => 'dead' === $this->delivery_of( $id )['state'] );
		$result = $this->result( 'posthorn_failures' );
		self::assertSame( 'recommended', $result['status'] );
		self::assertStringContainsString( 'task.completed', $result['description'] );
		self::assertStringContainsString( '500', $result['description'] );
	}

	public function test_the_debug_information_names_neither_url_nor_secret(): void {
		$this->save_endpoint();
		$info = wp_json_encode( apply_filters( 'debug_information', array() ), JSON_UNESCAPED_SLASHES );
		self::assertStringContainsString( phpversion( 'posthorn' ), $info );
		self::assertStringNotContainsString( $this->receiver->url(), $info );
		self::assertStringNotContainsString( self::secret(), $info );
	}

	private function result( string $test ): array {
		return call_user_func( apply_filters( 'site_status_tests', array() )['direct'][ $test ]['test'] );
	}
}
