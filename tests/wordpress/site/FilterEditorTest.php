<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\SiteTestCase;

/** Filters as rows of a form and back, and what they would have done to the last events. */
final class FilterEditorTest extends SiteTestCase {

	protected function setUp(): void {
		parent::setUp();
		require_once WP_PLUGIN_DIR . '/posthorn/includes/admin/endpoints-page.php';
	}

	/**
	 * Filters, and the rows they are shown as: field, operator, value.
	 */
	public static function filters(): array {
		return array(
			'text'                     => array( array( 'status' => 'Active' ), array( 'status', 'eq', 'Active' ) ),
			'a number'                 => array( array( 'amount' => 5 ), array( 'amount', 'eq', '5' ) ),
			'a number as text'         => array( array( 'zip' => '5' ), array( 'zip', 'eq', '"5"' ) ),
			'digits that are no number' => array( array( 'zip' => '02139' ), array( 'zip', 'eq', '02139' ) ),
			'a fraction'               => array( array( 'rate' => array( 'gte' => 0.5 ) ), array( 'rate', 'gte', '0.5' ) ),
			'true and null'            => array( array( 'won' => true, 'note' => array( 'ne' => null ) ), array( 'won', 'eq', 'true' ), array( 'note', 'ne', 'null' ) ),
			'the text true'            => array( array( 'won' => 'true' ), array( 'won', 'eq', '"true"' ) ),
			'empty text'               => array( array( 'note' => '' ), array( 'note', 'eq', '' ) ),
			'two operators'            => array( array( 'contact.leadScore' => array( 'gte' => 70, 'lt' => 90 ) ), array( 'contact.leadScore', 'gte', '70' ), array( 'contact.leadScore', 'lt', '90' ) ),
			'a list'                   => array( array( 'status' => array( 'in' => array( 'Active', 'Hot' ) ) ), array( 'status', 'in', 'Active, Hot' ) ),
			'a list with commas in it' => array( array( 'city' => array( 'nin' => array( 'Miami, FL', 5, '5', 'say "hi"' ) ) ), array( 'city', 'nin', '"Miami, FL", 5, "5", "say \"hi\""' ) ),
			'a list with empty text'   => array( array( 'city' => array( 'in' => array( '', 'x' ) ) ), array( 'city', 'in', '["","x"]' ) ),
			'an array as value'        => array( array( 'place' => array( 'eq' => array( 'city' => 'Miami' ) ) ), array( 'place', 'eq', '{"city":"Miami"}' ) ),
			'an operator of no system' => array( array( 'name' => array( 'regex' => '^A' ) ), array( 'name', 'regex', '^A' ) ),
			'no operator'              => array( array( 'name' => array() ), array( 'name', '', '' ) ),
			'umlauts and slashes'      => array( array( 'street' => 'Straße/Größe' ), array( 'street', 'eq', 'Straße/Größe' ) ),
		);
	}

	/** @dataProvider filters */
	public function test_filters_are_shown_as_rows_and_stored_from_them_as_they_were( array $filters, array ...$rows ): void {
		$shown = posthorn_filter_rows( $filters );
		self::assertSame( $rows, array_map( 'array_values', $shown ) );
		$mistakes = array();
		self::assertSame( $filters, posthorn_filters_of_rows( $shown, $mistakes ) );
		self::assertSame( array(), $mistakes );
	}

	public function test_a_list_is_read_however_long_its_texts_are(): void {
		foreach ( array( 100, 100000, 1000000 ) as $length ) {
			$long = str_repeat( 'a', $length );
			self::assertSame( array( $long, 'b', 5 ), posthorn_filter_list( "\"$long\", b, 5" ) );
			self::assertSame( array( str_repeat( '"', $length ), 'b' ), posthorn_filter_list( '"' . str_repeat( '\\"', $length ) . '", b' ) );
			self::assertCount( 2, posthorn_filter_list( "\"$long, b" ) );
			self::assertCount( 1, posthorn_filter_list( str_repeat( ' ', $length ) . 'x' ) );
		}
	}

	public function test_empty_rows_are_left_out_and_half_ones_are_told(): void {
		$row      = static fn( string $field, string $operator, string $value ): array => compact( 'field', 'operator', 'value' );
		$mistakes = array();
		self::assertSame( array( 'status' => 'x' ), posthorn_filters_of_rows( array( $row( '', 'eq', ' ' ), $row( ' status ', 'eq', ' x ' ) ), $mistakes ) );
		self::assertSame( array(), $mistakes );
		foreach ( array( array( $row( '', 'eq', 'Hot' ) ), array( $row( 'amount', 'gt', '' ) ), array( $row( 'a', 'ne', '1' ), $row( 'a', 'ne', '2' ) ) ) as $rows ) {
			$mistakes = array();
			posthorn_filters_of_rows( $rows, $mistakes );
			self::assertArrayHasKey( 'filters', $mistakes );
		}
	}

	public function test_the_last_events_are_tried_each_once_the_newest_first(): void {
		$this->save_endpoint( array( 'events' => array( 'deal.*' ) ) );
		$marker = 1000000 + random_int( 0, 1000000 );
		posthorn_dispatch( 'deal.won', array( 'deal_id' => 1, 'amount' => $marker ), array( 'record' => 'deal:1' ) );
		posthorn_dispatch( 'deal.lost', array( 'deal_id' => 2, 'amount' => 3 ), array( 'record' => 'deal:2' ) );
		list( $events, $samples ) = posthorn_events_to_try( array( 'deal.*' ), '' );
		self::assertFalse( $samples );
		self::assertSame( array( 'deal.lost', 'deal.won' ), array_slice( array_column( $events, 'event' ), 0, 2 ) );
		self::assertSame( $marker, $events[1]['data']['amount'] );
		$html = posthorn_tried_filters( array( 'amount' => $marker ), array( 'deal.*' ), '' );
		self::assertSame( 1, substr_count( $html, 'posthorn-passes' ) );
		self::assertStringContainsString( '1 would have been sent', $html );
	}

	public function test_where_nothing_has_happened_samples_are_tried(): void {
		list( $events, $samples ) = posthorn_events_to_try( array( 'communication.voicemail_received' ), 'winnerr' );
		self::assertTrue( $samples );
		self::assertSame( array( 'communication.voicemail_received' ), array_column( $events, 'event' ) );
	}

	public function test_a_condition_that_holds_for_nothing_is_told(): void {
		self::assertStringContainsString( 'holds for nothing', posthorn_tried_filters( array( 'name' => array( 'regex' => '^A' ) ), array( '*' ), '' ) );
	}

	public function test_durations_are_typed_with_units_and_shown_in_the_largest_that_fits(): void {
		foreach ( array( '90' => 90, '90s' => 90, '5m' => 300, '2h' => 7200, '1d' => 86400, '0.5s' => 0.5, '1.5h' => 5400.0 ) as $text => $seconds ) {
			self::assertEquals( $seconds, posthorn_duration_s( (string) $text ) );
			self::assertEquals( $seconds, posthorn_duration_s( posthorn_duration_text( $seconds ) ) );
		}
		self::assertSame( '5m', posthorn_duration_text( 300 ) );
		self::assertSame( 'soon', posthorn_duration_s( 'soon' ), 'the extension says what is wrong with it' );
		self::assertEquals( array( 1, 30, 300 ), posthorn_schedule_s( '1s, 30s 5m' ) );
		self::assertSame( array(), posthorn_schedule_s( 'none' ) );
		self::assertNull( posthorn_schedule_s( '' ) );
	}
}
