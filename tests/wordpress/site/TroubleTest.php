<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;
use Posthorn\Tests\Visitor;

/** A disk or a file fails while a bulk action runs: the CRM's work is done, the owner reads what to do, the log has the cause. */
final class TroubleTest extends SiteTestCase {

	private const ROWS = 60;

	/** Contacts to work on. */
	private array $ids = array();

	protected function setUp(): void {
		parent::setUp();
		// A queue elsewhere has another key, so the secret could not be read there.
		$this->save_endpoint( array( 'secret' => '' ) );
		for ( $n = 0; $n < self::ROWS; $n++ ) {
			$this->ids[] = wpestate_crm_insert_contact( array( 'first_name' => "Row $n", 'city' => 'Bath' ) );
		}
		$this->wait_until_sent();
		delete_option( 'posthorn_set_aside_seen' );
	}

	protected function tearDown(): void {
		@chmod( posthorn_queue_directory(), 0700 );
		array_map( 'unlink', glob( posthorn_queue_directory() . '/queue.db.corrupt-*' ) );
		parent::tearDown();
	}

	public function test_a_directory_that_php_may_not_use_costs_no_row_and_its_notice_has_the_commands(): void {
		if ( 0 === posix_geteuid() ) {
			// Root may enter anything but a file.
			$directory = '/proc/posthorn';
			$settings  = array( 'posthorn.data_dir=/proc/posthorn' );
		} else {
			$directory = posthorn_queue_directory();
			$settings  = array();
			chmod( $directory, 0 );
		}
		$command = $this->bulk( '', $settings );
		$this->assert_rows_changed( $command );
		$this->assert_notice( array( self::ROWS . ' CRM events could not be accepted', basename( $directory ), 'sudo chown -R ' . posix_getpwuid( posix_geteuid() )['name'], "'" . posthorn_queue_directory() . "'", 'first seen', 'nothing has to be restarted' ) );
		$this->assert_logged( $command, 'ermission denied' );
		chmod( posthorn_queue_directory(), 0700 );
		usleep( 10000 );
		self::assertNotNull( posthorn_dispatch( 'deal.won', array( 'deal_id' => 1 ) ), 'it goes on without a restart: ' . $this->problem() );
		$this->receiver->wait_for( self::ROWS + 1 );
	}

	public function test_a_disk_that_fills_up_in_mid_action_costs_no_row_and_webhooks_go_on_when_there_is_room(): void {
		$disk = (string) getenv( 'POSTHORN_SMALL_DISK' );
		self::assertDirectoryExists( $disk, 'run.sh makes a small disk' );
		$data  = "$disk/" . uniqid();
		$queue = "$data/" . posthorn_installation_key();
		if ( file_exists( "$disk/full" ) ) {
			// No disk of our own: the queue's log is full from the start.
			Command::wordpress( 'posthorn_queue()->stats();', array( "posthorn.data_dir=$data", 'posthorn.background=0' ) );
			rename( "$disk/full", "$queue/queue.db-wal" );
		}
		$command = $this->bulk(
			'file_put_contents( ' . var_export( "$disk/ballast", true ) . ', str_repeat( "x", 8 << 20 ) );
			// Room that the log has left.
			for ( $n = 0; $n < 400 && null !== posthorn_dispatch( "deal.won", array( "text" => str_repeat( "x", 4000 ) ) ); $n++ );',
			array( "posthorn.data_dir=$data", 'posthorn.background=0' ),
			'unlink( ' . var_export( "$disk/ballast", true ) . ' );
			' . ( 'char' === @filetype( "$queue/queue.db-wal" ) ? 'unlink( ' . var_export( "$queue/queue.db-wal", true ) . ' );' : '' ) . '
			$until = microtime( true ) + 10;
			while ( null === ( $id = posthorn_dispatch( "deal.won", array( "deal_id" => 1 ) ) ) && microtime( true ) < $until ) {
				usleep( 5000 );
			}
			echo " ", null === $id ? posthorn_problems()["message"] : "accepted";'
		);
		$this->assert_rows_changed( $command );
		self::assertStringEndsWith( ' accepted', $command->output );
		self::assertGreaterThanOrEqual( self::ROWS / 2, posthorn_stored_problem()['lost'] );
		$this->assert_notice( array( 'the disk is full', 'df -h', 'nothing has to be restarted' ) );
		$this->assert_logged( $command, 'disk is full' );
	}

	public function test_a_file_that_is_damaged_in_mid_action_is_set_aside_and_webhooks_go_on(): void {
		$file    = posthorn_queue_directory() . '/queue.db';
		// By another process: closing the file in one that has the queue open would free its locks.
		// Both are opened first: a sender may set them aside meanwhile, and the new ones are not to be damaged.
		$damage  = "exec 3<>'$file' 4<>'$file-wal'; for f in 3 4; do dd if=/dev/urandom of=/proc/self/fd/\$f bs=4096 seek=1 count=\$(( \$( stat -Lc %s /proc/self/fd/\$f ) / 4096 - 1 )) conv=notrunc 2>/dev/null; done";
		$command = $this->bulk( 'exec( ' . var_export( $damage, true ) . ' );' );
		$this->assert_rows_changed( $command );
		$this->wait_until( 'the file is set aside', static fn() => array() !== posthorn_client_set_aside() );
		$kept = posthorn_client_set_aside();
		self::assertCount( 1, $kept, wp_json_encode( $kept ) );
		$this->wait_until( 'what can be read is taken over', static fn() => null !== posthorn_client_set_aside()[0]['taken'] );
		$log = file_get_contents( posthorn_queue_directory() . '/posthorn.log' );
		self::assertStringContainsString( $kept[0]['path'], $log );
		self::assertMatchesRegularExpression( '/malformed|not a database/', $log );
		$owner = $this->assert_notice( array( 'queue was damaged', 'set aside, not deleted', $kept[0]['path'], '.recover', 'dmesg' ) );
		// A request hands the receivers over anew, and events arrive as before.
		$before = count( $this->receiver->requests() );
		Command::wordpress( 'posthorn_dispatch( "deal.won", array( "deal_id" => 1 ) );' );
		$this->wait_until( 'the next event arrives', fn() => in_array( 'deal.won', array_slice( $this->receiver->events(), $before ), true ) );
		$health = call_user_func( apply_filters( 'site_status_tests', array() )['direct']['posthorn_damage']['test'] );
		self::assertSame( 'recommended', $health['status'] );
		self::assertStringContainsString( $kept[0]['name'], $health['description'] );
		// The owner has read it.
		$page   = $owner->get( '/wp-admin/index.php' );
		$fields = $page->fields( "//button[@value='set_aside']" );
		$owner->post( '/wp-admin/admin-post.php', $fields + array( 'notice' => 'set_aside' ) );
		self::assertStringNotContainsString( 'queue was damaged', $owner->get( '/wp-admin/index.php' )->text( '//body' ) );
		self::assertFileExists( $kept[0]['path'] );
	}

	public function test_a_file_of_another_program_is_left_alone_and_the_notice_says_how_to_make_room(): void {
		$data = getenv( 'POSTHORN_BED' ) . '/data/foreign-' . uniqid();
		$file = $this->foreign_queue( $data );
		$sum  = md5_file( $file );
		$command = $this->bulk( '', array( "posthorn.data_dir=$data" ) );
		$this->assert_rows_changed( $command );
		self::assertSame( $sum, md5_file( $file ) );
		self::assertSame( array( $file ), glob( dirname( $file ) . '/queue.db*' ) );
		$this->assert_notice( array( self::ROWS . ' CRM events could not be accepted', 'another program', 'sudo mv', 'POSTHORN_DATA_DIR' ) );
		$this->assert_logged( $command, 'another program' );
	}

	public function test_the_notice_of_a_queue_at_its_limit_says_how_to_make_room_and_how_to_raise_it(): void {
		posthorn_report( new Posthorn\Full( 'the queue has 5 bytes on disk, its limit is 4: nothing more is accepted' ), true );
		posthorn_store_problems();
		$this->assert_notice( array( '1 CRM event could not be accepted', 'wp posthorn status', 'wp posthorn work', 'POSTHORN_QUEUE_OPTIONS' ) );
	}

	public function test_a_slip_in_the_options_of_the_queue_costs_no_event_and_its_notice_names_the_place(): void {
		$command = Command::wp(
			'--exec=define( "POSTHORN_QUEUE_OPTIONS", array( "max_queue_bytes" => 5 ) );',
			'eval',
			'echo posthorn_dispatch( "deal.won", array( "deal_id" => 1 ), array( "record" => "deal:1" ) );'
		);
		self::assertStringStartsWith( 'evt_', $command->output, $command->errors );
		$this->assert_notice( array( 'POSTHORN_QUEUE_OPTIONS in wp-config.php', 'max_queue_bytes', 'max_bytes' ) );
	}

	public function test_5000_events_that_are_refused_cost_a_page_less_than_a_second_and_one_row(): void {
		$data = getenv( 'POSTHORN_BED' ) . '/data/foreign-' . uniqid();
		$this->foreign_queue( $data );
		$command = Command::wordpress(
			'$queries = $wpdb->num_queries;
			$start    = hrtime( true );
			for ( $n = 0; $n < 5000; $n++ ) {
				posthorn_dispatch( "contact.updated", array( "contact_id" => $n ), array( "record" => "contact:$n" ) );
			}
			$seconds = ( hrtime( true ) - $start ) / 1e9;
			$during  = $wpdb->num_queries - $queries;
			posthorn_store_problems();
			printf( "%.3f %d %d %d", $seconds, $during, $wpdb->num_queries - $queries - $during, posthorn_stored_problem()["lost"] );',
			array( "posthorn.data_dir=$data" )
		);
		self::assertMatchesRegularExpression( '/^[\d.]+ \d+ \d+ 5000$/', $command->output, $command->errors );
		list( $seconds, $during, $after ) = explode( ' ', $command->output );
		fprintf( STDERR, "\n    5,000 refused events: %s s, %s queries and %s at the end\n", $seconds, $during, $after );
		self::assertLessThan( 1.0, (float) $seconds );
		self::assertLessThan( 10, (int) $during );
		self::assertLessThan( 5, (int) $after );
	}

	/** Runs the stand-in's bulk action over all contacts in a process of its own; half-way, `$trouble` happens. */
	private function bulk( string $trouble, array $settings = array(), string $afterwards = '' ): Command {
		$city = 'Cork ' . uniqid();
		$code = '$ids = ' . var_export( $this->ids, true ) . ';
			$data = array( "city" => ' . var_export( $city, true ) . ' );
			$half = ' . ( '' === $trouble ? '0' : '(int) ( count( $ids ) / 2 )' ) . ';
			$done = wpestate_crm_bulk_update_contacts( array_slice( $ids, 0, $half ), $data );
			' . $trouble . '
			$done += wpestate_crm_bulk_update_contacts( array_slice( $ids, $half ), $data );
			echo $done, "/", $wpdb->get_var( $wpdb->prepare( "SELECT COUNT(*) FROM " . wpestate_crm_table( "contacts" ) . " WHERE city = %s", $data["city"] ) );
			' . $afterwards;
		return Command::wordpress( $code, $settings );
	}

	private function assert_rows_changed( Command $command ): void {
		self::assertStringStartsWith( self::ROWS . '/' . self::ROWS, $command->output, $command->errors );
		self::assertSame( 0, $command->status, $command->errors );
	}

	/** What the owner reads on the next page. */
	private function assert_notice( array $texts ): Visitor {
		$owner = Visitor::logged_in( 'admin', 'admin' );
		$text  = $owner->get( '/wp-admin/index.php' )->text( "//*[@id='wpbody-content']" );
		foreach ( $texts as $expected ) {
			self::assertStringContainsString( $expected, $text );
		}
		return $owner;
	}

	private function assert_logged( Command $command, string $cause ): void {
		$all = $command->errors . implode( '', array_map( 'file_get_contents', glob( getenv( 'POSTHORN_BED' ) . '/run/{debug,php}.log', GLOB_BRACE ) ) );
		self::assertMatchesRegularExpression( '/Posthorn: .*' . preg_quote( $cause, '/' ) . '/', $all );
	}

	/** The queue's place in a data directory, taken by another program's database. */
	private function foreign_queue( string $data ): string {
		$file = "$data/" . posthorn_installation_key() . '/queue.db';
		mkdir( dirname( $file ), 0700, true );
		$theirs = new SQLite3( $file );
		$theirs->exec( 'CREATE TABLE theirs (a)' );
		$theirs->close();
		return $file;
	}
}
