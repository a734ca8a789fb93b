<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\Receiver;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** What is wrong with sender, place and room is shown where the owner looks, with what to do, and no more once it is put right. */
final class ConditionsTest extends SiteTestCase {

	private const PAGE = '/wp-admin/options-general.php?page=posthorn';

	private ?Command $work = null;

	protected function setUp(): void {
		parent::setUp();
		$this->save_endpoint();
		$this->wait_until_sent();
		delete_option( 'posthorn_waited' );
	}

	protected function tearDown(): void {
		if ( $this->work && $this->work->is_running() ) {
			$this->work->signal( SIGCONT );
			$this->work->signal( SIGTERM );
			$this->work->finish( 20 );
		}
		$this->work = null;
		// It is told for hours, to whoever asks while no service sends.
		delete_option( 'posthorn_waited' );
		wp_cache_delete( 'posthorn_waited', 'options' );
		parent::tearDown();
	}

	public function test_a_frozen_sender_is_critical_everywhere_with_its_number_and_gone_when_it_goes_on(): void {
		$pid = $this->start_work();
		$this->work->signal( SIGSTOP );
		$this->wait_until( 'it is noticed', static fn() => false === posthorn_client_stats()['dispatcher_responds'], 3 );
		$health = $this->health( 'posthorn_sending' );
		self::assertSame( 'critical', $health['status'] );
		self::assertStringContainsString( "sudo kill -CONT $pid", $health['description'] );
		self::assertStringContainsString( "sudo kill -9 $pid", $health['description'] );
		$owner = Visitor::logged_in( 'admin', 'admin' );
		$text  = $owner->get( self::PAGE )->text( "//*[contains(@class,'posthorn-condition')]" );
		self::assertStringContainsString( 'is frozen', $text );
		self::assertStringContainsString( "sudo kill -CONT $pid", $text );
		$status = Command::wp( 'posthorn', 'status' );
		self::assertStringContainsString( "sudo kill -CONT $pid", $status->output );
		$drain = Command::wp( 'posthorn', 'drain' );
		self::assertSame( 1, $drain->status );
		self::assertStringContainsString( "sudo kill -CONT $pid", $drain->output );
		// The CRM goes on.
		$id = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		self::assertNotNull( $id );
		$this->work->signal( SIGCONT );
		$this->receiver->wait_for( 1 );
		$this->wait_until( 'it answers', static fn() => true === posthorn_client_stats()['dispatcher_responds'], 3 );
		$health = $this->health( 'posthorn_sending' );
		self::assertSame( 'good', $health['status'] );
		self::assertStringContainsString( 'service', $health['description'] );
		self::assertStringNotContainsString( 'posthorn-condition', $owner->get( self::PAGE )->html );
	}

	public function test_a_frozen_sender_that_is_killed_is_replaced_within_a_second(): void {
		$this->start_work();
		$this->work->signal( SIGSTOP );
		$this->wait_until( 'it is noticed', static fn() => false === posthorn_client_stats()['dispatcher_responds'], 3 );
		$id = posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->work->signal( SIGKILL );
		$began = microtime( true );
		$this->receiver->wait_for( 1 );
		self::assertLessThan( 1.0, microtime( true ) - $began );
		self::assertSame( array( $id ), array_column( $this->receiver->requests(), 'id' ) );
		self::assertSame( 'good', $this->health( 'posthorn_sending' )['status'] );
		$this->work = null;
	}

	public function test_a_queue_in_memory_is_critical_and_says_that_a_restart_deletes_it(): void {
		$command = Command::wordpress(
			'echo wp_json_encode( call_user_func( apply_filters( "site_status_tests", array() )["direct"]["posthorn_place"]["test"] ) );',
			array( 'posthorn.data_dir=/dev/shm/posthorn-test-' . uniqid() )
		);
		$health = json_decode( $command->output, true );
		self::assertSame( 'critical', $health['status'], $command->errors );
		self::assertStringContainsString( 'the next restart deletes it', $health['label'] );
		self::assertStringContainsString( 'tmpfs', $health['description'] );
		self::assertStringContainsString( 'docker run -v', $health['description'] );
	}

	/** @dataProvider places */
	public function test_each_kind_of_place_has_its_words( string $kind, string $type, string $words ): void {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/conditions.php';
		$look  = array(
			'file_system'      => $kind,
			'file_system_type' => $type,
		) + posthorn_client_inspect();
		$found = posthorn_place_conditions( array( 'host_changed' => false ) + $look );
		self::assertSame( $words, $found[0]['title'] ?? '' );
		self::assertStringContainsString( '' === $words ? '' : $type, $found[0]['text'] ?? '' );
	}

	public static function places(): array {
		return array(
			'overlay' => array( 'overlay', 'overlay', 'The webhook queue is inside the container: the next deployment deletes it' ),
			'network' => array( 'network', 'nfs4', 'The webhook queue is on a network file system, which is not supported' ),
			'local'   => array( 'local', 'ext4', '' ),
			'unknown' => array( 'unknown', 'fuse.mine', '' ),
		);
	}

	public function test_another_machine_is_told_and_confirmed_with_a_button_or_a_command(): void {
		$file = posthorn_queue_directory() . '/host';
		$this->wait_until( 'somebody has sent', static fn() => is_file( $file ) );
		$other = "boot 11111111111111111111111111111111\nmachine 22222222222222222222222222222222\nname old-server\ndisk 0000000000000001\n";
		file_put_contents( $file, $other );
		if ( ! posthorn_client_inspect()['host_changed'] ) {
			// This machine has no id of its own.
			file_put_contents( $file, str_replace( str_repeat( '2', 32 ), '', $other ) );
		}
		$health = $this->health( 'posthorn_place' );
		self::assertSame( 'recommended', $health['status'] );
		self::assertStringContainsString( 'old-server', $health['description'] );
		$owner  = Visitor::logged_in( 'admin', 'admin' );
		$page   = $owner->get( self::PAGE );
		$fields = $page->fields( "//form[.//input[@value='posthorn_adopt']]//button" );
		self::assertStringContainsString( 'last used on another machine', $page->text( "//*[contains(@class,'posthorn-condition')]" ) );
		$owner->post( '/wp-admin/admin-post.php', $fields );
		self::assertSame( 'good', $this->health( 'posthorn_place' )['status'] );
		self::assertStringNotContainsString( 'posthorn-condition', $owner->get( self::PAGE )->html );
		file_put_contents( $file, str_replace( str_repeat( '2', 32 ), '', $other ) );
		file_put_contents( $file, $other );
		$command = Command::wp( 'posthorn', 'adopt' );
		self::assertSame( 0, $command->status, $command->errors );
		self::assertFalse( posthorn_client_inspect()['host_changed'] );
	}

	public function test_a_queue_or_disk_that_is_nearly_full_is_told_with_its_numbers(): void {
		require_once WP_PLUGIN_DIR . '/posthorn/includes/conditions.php';
		$stats = posthorn_client_stats();
		$look  = posthorn_client_inspect();
		self::assertSame( 4 * GB_IN_BYTES, $stats['max_bytes'] );
		$room = static fn( float $used, ?int $free ) => array_map(
			static fn( array $one ) => array( $one['id'], $one['level'] ),
			posthorn_room_conditions( array( 'disk_free_bytes' => $free ) + $look, array( 'used_bytes' => (int) ceil( $used * $stats['max_bytes'] ) ) + $stats )
		);
		self::assertSame( array(), $room( 0.89, GB_IN_BYTES ) );
		self::assertSame( array(), $room( 0.1, null ) );
		self::assertSame( array( array( 'nearly_full', 'recommended' ) ), $room( 0.9, GB_IN_BYTES ) );
		self::assertSame( array( array( 'full', 'critical' ), array( 'disk', 'recommended' ) ), $room( 1.0, 255 * MB_IN_BYTES ) );
		self::assertSame( array( array( 'disk', 'critical' ) ), $room( 0.0, 31 * MB_IN_BYTES ) );
	}

	public function test_a_small_disk_is_told(): void {
		$disk = (string) getenv( 'POSTHORN_SMALL_DISK' );
		if ( file_exists( "$disk/full" ) ) {
			// No disk of our own could be mounted: a file system without any room is always there.
			$disk = '/proc';
		}
		$command = Command::wordpress( 'require_once WP_PLUGIN_DIR . "/posthorn/includes/conditions.php"; echo wp_json_encode( array_column( posthorn_room_conditions( posthorn_client_inspect(), array( "used_bytes" => 0, "max_bytes" => 1, "pending" => 0 ) ), "level", "id" ) );', array( "posthorn.data_dir=$disk" ) );
		self::assertSame( '{"disk":"critical"}', $command->output, $command->errors );
	}

	public function test_what_waited_for_a_visitor_is_told_and_a_service_recommended_until_it_runs(): void {
		posthorn_client_pause( true );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		self::assertSame( array( 'paused' ), array_column( posthorn_conditions(), 'id' ) );
		self::assertStringContainsString( 'paused', $this->health( 'posthorn_sending' )['label'] );
		// Nobody was there for a while, then a visitor came.
		update_option( 'posthorn_waited', array( 'time' => time() - 60, 'seconds' => 1800 ), false );
		posthorn_client_pause( false );
		$this->receiver->wait_for( 1 );
		// This test's own process may be the one that sends, and it is one of the command line, as a service is.
		$found = posthorn_backlog_conditions( array( 'dispatcher_kind' => 'fpm-fcgi' ) + posthorn_client_inspect(), posthorn_client_endpoints(), posthorn_client_waiting() );
		self::assertSame( array( 'waited' ), array_column( $found, 'id' ) );
		self::assertStringContainsString( '30 min', $found[0]['text'] );
		self::assertContains( 'sudo systemctl enable --now posthorn', $found[0]['steps'][1]['commands'] );
		$this->start_work();
		self::assertSame( 'good', $this->health( 'posthorn_sending' )['status'] );
	}

	public function test_a_request_that_finds_nobody_sending_and_old_work_notes_it(): void {
		// A queue of its own that nobody sends for; its one event is older than a visit.
		$data    = getenv( 'POSTHORN_BED' ) . '/data/waited-' . uniqid();
		$ini     = array( "posthorn.data_dir=$data", 'posthorn.background=0' );
		$command = Command::wordpress(
			'require_once WP_PLUGIN_DIR . "/posthorn/includes/conditions.php"; require_once WP_PLUGIN_DIR . "/posthorn/includes/background.php";
			delete_option( "posthorn_waited" );
			posthorn_queue()->configure( array( array( "url" => "https://example.com/" ) ) );
			posthorn_queue()->dispatch( "deal.won", array() );
			posthorn_nobody_sent( true );
			posthorn_note_waiting();
			echo wp_json_encode( get_option( "posthorn_waited" ) ), posthorn_nobody_sent() ? "again" : "once", " ";',
			$ini
		);
		self::assertSame( 'falseonce ', $command->output, 'what is new has not waited; ' . $command->errors );
		$file = glob( "$data/*/queue.db" )[0];
		$raw  = new SQLite3( $file );
		$raw->exec( 'UPDATE delivery SET created_at = created_at - 1800000' );
		$raw->close();
		$command = Command::wordpress( 'require_once WP_PLUGIN_DIR . "/posthorn/includes/conditions.php"; posthorn_note_waiting(); echo get_option( "posthorn_waited" )["seconds"];', $ini );
		self::assertEqualsWithDelta( 1800, (int) $command->output, 60, $command->errors );
		// And the same is late while nobody sends.
		$command = Command::wordpress( 'delete_option( "posthorn_waited" ); $r = call_user_func( apply_filters( "site_status_tests", array() )["direct"]["posthorn_sending"]["test"] ); echo $r["status"], " ", $r["label"];', $ini );
		self::assertSame( 'recommended CRM webhooks wait for the next visitor', $command->output, $command->errors );
	}

	public function test_a_receiver_that_answers_gone_is_told_until_it_is_resumed(): void {
		$this->receiver->behave( array( 'mode' => 'status', 'status' => 410 ) );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) );
		$this->wait_until( 'it is suspended', static fn() => null !== posthorn_client_endpoints()[0]['suspended'] );
		$health = $this->health( 'posthorn_sending' );
		self::assertSame( 'critical', $health['status'] );
		self::assertStringContainsString( '410', $health['description'] );
		Receiver::reset();
		posthorn_client_resume( POSTHORN_MAIN_ENDPOINT );
		self::assertStringNotContainsString( '410', $this->health( 'posthorn_sending' )['description'] );
		self::assertNotContains( 'suspended', array_column( posthorn_conditions(), 'id' ) );
		$this->wait_until_sent();
	}

	/** Starts `wp posthorn work` and waits until it sends; returns its number. */
	private function start_work(): int {
		$this->work = Command::start_wp( 'posthorn', 'work' );
		$pid        = $this->work->process_id();
		$this->wait_until( 'work sends', fn() => $this->work->is_running() && posthorn_client_stats()['dispatcher_pid'] === $pid, 20 );
		return $pid;
	}

	private function health( string $test ): array {
		return call_user_func( apply_filters( 'site_status_tests', array() )['direct'][ $test ]['test'] );
	}
}
