<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\Tables;
use Posthorn\Tests\WatchTestCase;

/** The CRM finds in the database object what it would find there without Posthorn, after every statement. */
final class TransparencyTest extends WatchTestCase {

	private const ANNOUNCED = array( 'announce_deletes' => 'on', 'announce_leads' => 'on', 'announce_enquiries' => 'on', 'automations' => 'on' );

	/** Name => what of support/transparency.php, and its arguments. */
	private const RUNS = array(
		'ids, row by row'                    => array( 'operations', array( array( 'arguments' => 'id' ) ) ),
		'rows, one statement, a transaction' => array( 'operations', array( array( 'arguments' => 'row_array', 'bulk' => 'statement', 'transaction' => 'all' ) + self::ANNOUNCED ) ),
		'data, clutter'                      => array( 'operations', array( array( 'arguments' => 'id_data_old', 'clutter' => 'on' ) + self::ANNOUNCED ) ),
		'upserts and clutter'                => array( 'operations', array( array( 'arguments' => 'row_object', 'bulk' => 'statement', 'statements' => 'upsert', 'clutter' => 'on', 'transaction' => 'on' ) ) ),
		'joins'                              => array( 'operations', array( array( 'arguments' => 'id_data', 'bulk' => 'statement', 'statements' => 'join' ) + self::ANNOUNCED ) ),
		'replacing'                          => array( 'operations', array( array( 'bulk' => 'statement', 'statements' => 'replace' ) ) ),
		'statements, errors shown'           => array( 'statements', array( true ) ),
		'statements, errors hidden'          => array( 'statements', array( false ) ),
		'questions'                          => array( 'questions', array() ),
	);

	protected function tearDown(): void {
		putenv( 'POSTHORN_TESTS_WITHOUT' );
		parent::tearDown();
	}

	/** @dataProvider runs */
	public function test_the_crm_finds_the_database_object_as_it_was( string $name ): void {
		$this->compare( $name );
	}

	/** @group mariadb */
	public function test_the_database_itself_answers_as_it_does_without_us(): void {
		$this->compare( 'questions' );
	}

	public static function runs(): array {
		$names = array_diff( array_keys( self::RUNS ), array( 'questions' ) );
		return array_map( static fn( string $name ): array => array( $name ), array_combine( $names, $names ) );
	}

	private function compare( string $name ): void {
		$without = self::notes( false )[ $name ];
		$with    = self::notes( true )[ $name ];
		self::assertGreaterThan( 10, count( $without ) );
		foreach ( $without as $n => $note ) {
			$other = $with[ $n ] ?? array();
			foreach ( $note as $key => $value ) {
				if ( ! array_key_exists( $key, $other ) || $other[ $key ] !== $value ) {
					self::fail( sprintf( "%s, \$wpdb->%s: without Posthorn\n%s\nwith it\n%s", $note['when'], $key, self::show( $value ), self::show( $other[ $key ] ?? 'nothing' ) ) );
				}
			}
		}
		self::assertCount( count( $without ), $with );
	}

	/** What support/transparency.php notes in all runs, in a process of its own. */
	private static function notes( bool $with_posthorn ): array {
		static $known = array();
		if ( isset( $known[ $with_posthorn ] ) ) {
			return $known[ $with_posthorn ];
		}
		putenv( $with_posthorn ? 'POSTHORN_TESTS_WITHOUT' : 'POSTHORN_TESTS_WITHOUT=1' );
		$file    = getenv( 'POSTHORN_BED' ) . '/run/notes.json';
		$script  = var_export( dirname( __DIR__ ) . '/support/transparency.php', true );
		$runs    = var_export( Tables::on_mariadb() ? self::RUNS : array_diff_key( self::RUNS, array( 'questions' => 0 ) ), true );
		$command = Command::wordpress(
			'if ( function_exists( "posthorn_dispatch" ) !== ' . var_export( $with_posthorn, true ) . " ) { exit( 3 ); }
			require $script;
			foreach ( $runs as \$name => list( \$what, \$arguments ) ) {
				\$notes[ \$name ] = ( '\\Posthorn\\Tests\\posthorn_tests_' . \$what )( ...\$arguments );
			}
			file_put_contents( '$file', json_encode( \$notes, JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR ) );"
		);
		self::assertSame( 0, $command->status, $command->output . $command->errors );
		$known[ $with_posthorn ] = json_decode( file_get_contents( $file ), true );
		unlink( $file );
		return $known[ $with_posthorn ];
	}

	private static function show( $value ): string {
		return substr( json_encode( $value, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES ), 0, 3000 );
	}
}
