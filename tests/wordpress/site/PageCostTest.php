<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** What a page without CRM events pays. Microseconds are only printed: make bench judges. */
final class PageCostTest extends SiteTestCase {

	public function test_the_cost_of_a_page_without_events_is_printed(): void {
		$this->save_endpoint();
		$this->wait_until_sent();
		// In a process of its own, as the first request of it is another thing than the next.
		$command = Command::wordpress(
			'$times = array();
			for ( $n = 0; $n < 1000; $n++ ) {
				$start = hrtime( true );
				posthorn_keep_sending();
				posthorn_crm_notice( "SELECT * FROM wp_options" );
				posthorn_store_problems();
				$times[] = ( hrtime( true ) - $start ) / 1000;
			}
			$first = $times[0];
			sort( $times );
			printf( "%.1f %.1f", $times[500], $first );'
		);
		self::assertMatchesRegularExpression( '/^[\d.]+ [\d.]+$/', $command->output, $command->errors );
		fprintf( STDERR, "\n    hooks of a page without events: median %s µs, first in its process %s µs\n", ...explode( ' ', $command->output ) );
	}

	public function test_a_page_without_events_loads_six_files_and_does_nothing_at_its_end(): void {
		$this->save_endpoint();
		$visitor = new Visitor();
		$loaded  = array();
		// The first page of each process opens the queue.
		$this->wait_until(
			'a page that opens no queue',
			static function () use ( $visitor, &$loaded ): bool {
				$loaded = json_decode( $visitor->get( '/?posthorn_tests_loaded=nothing' )->html, true );
				return ! in_array( 'includes/settings.php', $loaded['files'], true );
			}
		);
		self::assertSame( array( 'posthorn.php', 'includes/queue.php', 'includes/dispatch.php', 'includes/crm/contract.php', 'includes/crm/notice.php', 'includes/hooks.php' ), $loaded['files'] );
		self::assertSame( array(), $loaded['end'] );
		$loaded = json_decode( $visitor->get( '/?posthorn_tests_loaded=event' )->html, true );
		self::assertNotNull( $loaded['event'] );
		self::assertContains( 'includes/client.php', $loaded['files'] );
	}
}
