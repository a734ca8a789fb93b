<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Combinations;
use Posthorn\Tests\Operations;
use Posthorn\Tests\Oracle;
use Posthorn\Tests\Tables;
use Posthorn\Tests\WatchTestCase;

/** Everything that is done in the CRM, however it behaves, is the events that its tables tell of: no less, no more. */
final class OracleTest extends WatchTestCase {

	private const ON_OFF = array( 'off', 'on' );
	private const SHAPES = array( 'id', 'id_data', 'id_data_old', 'row_object', 'row_array' );

	/** What the contract leaves open. */
	private const CONTRACT = array(
		'announce_deletes'   => self::ON_OFF,
		'announce_leads'     => self::ON_OFF,
		'announce_enquiries' => self::ON_OFF,
		'stage_announces'    => self::ON_OFF,
		'bulk'               => array( 'loop', 'statement' ),
		'transaction'        => self::ON_OFF,
	);

	/** What was thought of beyond it. */
	private const MORE = array(
		'transaction' => array( 'off', 'on', 'all' ),
		'statements'  => array( 'plain', 'comments', 'join', 'select', 'replace', 'upsert' ),
		'automations' => self::ON_OFF,
		'clutter'     => self::ON_OFF,
	);

	/** What all operations give at least; the SQLite drop-in cannot delete with a join. */
	private const EVENTS = 44;

	private int $events     = 0;
	private bool $unbroken = false;

	/**
	 * @group product
	 * @dataProvider shapes
	 */
	public function test_all_combinations_of_what_the_contract_leaves_open( string $shape ): void {
		$this->work( Combinations::all( array( 'arguments' => array( $shape ) ) + self::CONTRACT ) );
	}

	public static function shapes(): array {
		return array_map( static fn( string $shape ): array => array( $shape ), array_combine( self::SHAPES, self::SHAPES ) );
	}

	/** @dataProvider any_two */
	public function test_any_two_switches_together( array $combination ): void {
		$this->work( array( $combination ) );
	}

	public static function any_two(): array {
		$sets = array();
		foreach ( Combinations::pairwise( array( 'arguments' => self::SHAPES ) + self::MORE + self::CONTRACT ) as $combination ) {
			$sets[ Combinations::name( $combination ) ] = array( $combination );
		}
		return $sets;
	}

	/** @group product */
	public function test_every_style_of_statement_with_and_without_a_transaction(): void {
		$this->work( Combinations::all( array( 'bulk' => array( 'statement' ), 'clutter' => array( 'off' ) ) + self::MORE ) );
	}

	public function test_a_form_is_its_contact_then_its_submission(): void {
		$done = wpestate_crm_process_form_submission( array( 'name' => 'Ida', 'email' => 'ida@example.com', 'message' => 'On Friday?' ) );
		Oracle::hand_over();
		$this->wait_until_sent();
		$requests = $this->receiver->requests();
		// Different records may overtake each other on their way.
		usort( $requests, static fn( array $a, array $b ): int => $a['sequence'] <=> $b['sequence'] );
		self::assertSame( array( 'contact.created', 'enquiry.created', 'form_submitted' ), array_column( $requests, 'event' ) );
		$form = $this->delivery_of( $requests[2]['id'] );
		self::assertSame( "contact:{$done['contact_id']}", $form['record'], 'in order with what else becomes of the contact' );
	}

	private function work( array $combinations ): void {
		foreach ( $combinations as $combination ) {
			self::assertTrue( wpestate_crm_set_switches( $combination ) );
			$name = Combinations::name( $combination );
			$this->events = 0;
			// Tables::clear() comes between: the first step looks for itself.
			$this->unbroken = false;
			Operations::all( fn( string $step, callable $operation ) => $this->step( "$step, with $name", $operation ) );
			self::assertGreaterThanOrEqual( self::EVENTS, $this->events, "the oracle saw too little happen, with $name" );
			Tables::clear();
		}
		$this->assert_arrived();
	}

	private function step( string $name, callable $operation ) {
		$result = null;
		$events = $this->oracle->step(
			$name,
			static function () use ( $operation, &$result ): void {
				$result = $operation();
			},
			$this->unbroken
		);
		$this->unbroken = true;
		$this->events += count( $events );
		return $result;
	}
}
