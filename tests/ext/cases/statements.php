<?php
/** read_statement(): what PHP is told of a statement. What is read in it is tested in tests/it. */

declare(strict_types=1);

use function Posthorn\read_statement;

const WATCHED = [
	'wp_crm_contacts' => [ [ 'contact_id' ], [ 'email' ] ],
	'*_crm_deals'     => 'deal_id',
	'wp_crm_log',
];

/** Nanoseconds a call, the best of five rounds. */
function ns_a_call( int $calls, string $sql, array $tables ): float {
	$best = INF;
	for ( $round = 0; $round < 5; $round++ ) {
		$began = hrtime( true );
		for ( $n = 0; $n < $calls; $n++ ) {
			read_statement( $sql, $tables );
		}
		$best = min( $best, ( hrtime( true ) - $began ) / $calls );
	}
	return $best;
}

return [
	'a write is told with the same keys whatever it is' => function () {
		$write = [
			'verb'            => 'update',
			'table'           => 'wp_crm_contacts',
			'schema'          => 'db',
			'condition'       => 'contact_id = 5',
			'bounded'         => null,
			'adds'            => false,
			'rows'            => null,
			'replaces' => false,
			'implicit_commit' => false,
			'also'            => [],
		];
		same( $write, read_statement( 'UPDATE db.wp_crm_contacts SET a = 1 WHERE contact_id = 5', WATCHED ), 'an UPDATE' );
		$insert = read_statement( "REPLACE INTO wp_crm_contacts (contact_id, email) VALUES (1, 'a'), (2, 'b')", WATCHED );
		same( array_keys( $write ), array_keys( $insert ), 'the keys of a REPLACE' );
		same( [ 'replace', true, 2 ], [ $insert['verb'], $insert['adds'], $insert['rows'] ], 'a REPLACE' );
		$join = read_statement( 'DELETE c, d FROM wp_crm_contacts c JOIN wp_2_crm_deals d ON c.contact_id = d.contact_id', WATCHED );
		same( [ 'wp_crm_contacts', 1, 'wp_2_crm_deals' ], [ $join['table'], count( $join['also'] ), $join['also'][0]['table'] ], 'a join' );
		same( array_values( array_diff( array_keys( $write ), [ 'also' ] ) ), array_keys( $join['also'][0] ), 'the keys of a further table' );
		$truncate = read_statement( 'TRUNCATE wp_crm_log', WATCHED );
		same( [ 'delete', 'TRUE', true ], [ $truncate['verb'], $truncate['condition'], $truncate['implicit_commit'] ], 'a TRUNCATE' );
		same( null, read_statement( 'UPDATE wp_crm_log SET a = 1 WHERE b = RAND()', WATCHED )['condition'], 'one that cannot be told' );
	},

	'what concerns the transaction is told, and nothing of other statements' => function () {
		$told = fn( string $sql ) => read_statement( $sql, WATCHED );
		same( [ 'verb' => 'begin' ], $told( 'START TRANSACTION' ), 'a beginning' );
		same( [ 'verb' => 'commit', 'implicit' => false, 'chain' => true ], $told( 'COMMIT AND CHAIN' ), 'a commit' );
		same( [ 'verb' => 'commit', 'implicit' => true, 'chain' => false ], $told( 'DROP TABLE wp_crm_contacts' ), 'a DROP' );
		same( [ 'verb' => 'rollback', 'savepoint' => 'x', 'chain' => false ], $told( 'ROLLBACK TO x' ), 'a rollback' );
		same( [ 'verb' => 'savepoint', 'savepoint' => 'x' ], $told( 'SAVEPOINT x' ), 'a savepoint' );
		same( [ 'verb' => 'release', 'savepoint' => 'x' ], $told( 'RELEASE SAVEPOINT x' ), 'a release' );
		same( [ 'verb' => 'autocommit', 'on' => false ], $told( 'SET autocommit = 0' ), 'autocommit' );
		same( null, $told( 'SELECT * FROM wp_crm_contacts' ), 'a SELECT' );
		same( null, $told( "UPDATE wp_options SET option_value = 'wp_crm_contacts'" ), 'another table' );
		same( null, $told( '' ), 'nothing' );
		same( null, read_statement( 'DELETE FROM wp_crm_contacts', [] ), 'nothing watched' );
	},

	'a condition comes back byte for byte' => function () {
		$where = "a = '\xff\\'\0' AND \xc3\xa9 = _binary'\xfe'";
		same( bin2hex( $where ), bin2hex( read_statement( "UPDATE wp_crm_log SET a = '\xe9' WHERE $where;", WATCHED )['condition'] ), 'the condition' );
	},

	'what is no table or key is refused by its name' => function () {
		$reading = fn( array $tables ) => fn() => read_statement( "DELETE FROM a_\xff", $tables );
		refuses( 'tables.a', $reading( [ 'a' => 7 ] ), 'expected a name' );
		refuses( 'tables.a', $reading( [ 'a' => '' ] ) );
		refuses( 'tables.a[0]', $reading( [ 'a' => [ 'id' ] ] ), 'expected a list of columns' );
		refuses( 'tables.a[1]', $reading( [ 'a' => [ [ 'id' ], [] ] ] ), 'without columns' );
		refuses( 'tables.a[0][1]', $reading( [ 'a' => [ [ 'id', null ] ] ] ) );
		refuses( 'tables.a[0][0]', $reading( [ 'a' => [ [ '' ] ] ] ) );
		refuses( 'tables[0]', $reading( [ null ] ) );
		refuses( 'tables[0]', $reading( [ '*' ] ), 'no table' );
		refuses( "tables.\u{FFFD}", $reading( [ "\xff" => 'id' ] ), 'UTF-8' );
	},

	'a statement of 16 MB is read' => function () {
		$text = str_repeat( "it\\'s wp_crm_contacts ", 800_000 );
		same( null, read_statement( "UPDATE wp_options SET option_value = '$text' WHERE option_id = 1", WATCHED ), 'another table' );
		$found = read_statement( "UPDATE wp_crm_contacts SET a = '$text' WHERE contact_id = 1", WATCHED );
		same( [ 'wp_crm_contacts', null ], [ $found['table'], $found['condition'] ], 'a watched one, which is too long to be told' );
		$found = read_statement( "UPDATE wp_crm_contacts SET a = '" . substr( $text, 0, 4_000_000 ) . "' WHERE contact_id = 1", WATCHED );
		same( 'contact_id = 1', $found['condition'], 'one of 4 MB' );
		same( null, read_statement( "UPDATE wp_crm_contacts SET a = '$text", WATCHED )['condition'], 'one that is cut off' );
		same( null, read_statement( 'UPDATE wp_crm_contacts SET a = ' . str_repeat( '(', 16 << 20 ), WATCHED )['condition'], 'parentheses' );
	},

	'alone: a statement that is of no interest costs the page next to nothing' => function () {
		$tables = [];
		foreach ( [ 'contact', 'lead', 'enquiry', 'deal', 'task', 'activity', 'note', 'viewed_listing', 'automation' ] as $name ) {
			$tables[ "*wpresidence_crm_{$name}s" ] = [ [ "{$name}_id" ] ];
		}
		$select = 'SELECT ' . str_repeat( 'wp_posts.ID, ', 36 ) . '1 FROM wp_posts';
		$option = "UPDATE `wp_options` SET `option_value` = '" . str_repeat( 'a_b:1;', 70 ) . "' WHERE `option_name` = 'x'";
		$row    = 'UPDATE wp_wpresidence_crm_contacts SET first_name = \'x\' WHERE contact_id = 5';
		$ids    = 'UPDATE wp_wpresidence_crm_contacts SET a = 1 WHERE contact_id IN (' . implode( ',', range( 1, 5000 ) ) . ')';
		$found  = [
			'a SELECT of 500 bytes' => [ ns_a_call( 20_000, $select, $tables ), 2_000 ],
			'an option of 500 bytes' => [ ns_a_call( 20_000, $option, $tables ), 20_000 ],
			'an UPDATE by key'       => [ ns_a_call( 5_000, $row, $tables ), 100_000 ],
			'5,000 ids'              => [ ns_a_call( 20, $ids, $tables ), 20_000_000 ],
		];
		foreach ( $found as $what => [ $ns, $limit ] ) {
			figure( '%s: %.0f ns', $what, $ns );
			holds( $ns < $limit, "$what took $ns ns, more than $limit" );
		}
	},
];
