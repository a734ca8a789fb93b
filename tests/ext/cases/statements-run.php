<?php
/** What read_statement() says beforehand, against what MariaDB then does. */

declare(strict_types=1);

use function Posthorn\read_statement;

const RUN_WATCHED = [
	'crm_contacts' => [ [ 'contact_id' ], [ 'email' ] ],
	'*deals'       => 'deal_id',
	'crm_tags'     => [ [ 'kind', 'item' ], [ 'site', 'name' ] ],
];
const RUN_KEYS    = [ 'crm_contacts' => [ 'contact_id' ], 'crm_deals' => [ 'deal_id' ], 'crm_tags' => [ 'kind', 'item' ] ];

const STATEMENTS = <<<'SQL'
UPDATE crm_contacts SET status = 'x' WHERE contact_id = 5
UPDATE crm_contacts SET status = 'it\'s' WHERE status = 'it\'s' OR note = 'a\\' OR note = "say ""hi""" OR note LIKE '100\%'
update `crm_contacts` c set c.score = c.score + 1 where c.status = 'new' and `c`.`note` <> 'c.status'
UPDATE crm_contacts AS c SET score = 1 WHERE EXISTS (SELECT 1 FROM crm_deals d WHERE d.contact_id = c.contact_id AND d.amount > 40)
UPDATE crm_contacts AS c SET score = 1 WHERE c.contact_id IN (SELECT c.contact_id FROM other c WHERE c.id < 4)
UPDATE crm_contacts SET score = 0 ORDER BY score DESC, contact_id LIMIT 3
UPDATE crm_contacts SET score = 0 WHERE status = 'new' ORDER BY note LIMIT 2
DELETE FROM crm_contacts WHERE status = 'old' ORDER BY contact_id DESC LIMIT 1
DELETE FROM crm_contacts WHERE score BETWEEN 2 AND 4 AND NOT status <=> NULL XOR contact_id = 9
DELETE FROM crm_contacts WHERE BINARY status = 'New' OR status REGEXP '^o' OR note = N'x' OR note = _utf8mb4'Zoë' OR email = x'6140782e6f7267'
DELETE FROM crm_contacts WHERE (status, score) IN (('new', 1), ('old', 2)) || contact_id = 0x07 OR score DIV 2 = 3 OR !score
DELETE FROM crm_contacts WHERE created_at < NOW() - INTERVAL 1 DAY AND contact_id & 1
DELETE FROM crm_contacts WHERE status = 'n' 'ew' -- a comment
DELETE FROM crm_contacts WHERE status COLLATE utf8mb4_bin = 'new' # a comment
DELETE LOW_PRIORITY QUICK IGNORE FROM crm_contacts WHERE contact_id = 3
UPDATE LOW_PRIORITY IGNORE crm_contacts SET score = 7 WHERE contact_id IN (1, 2, 3)
UPDATE IGNORE crm_contacts SET email = 'b@x.org' WHERE contact_id < 4
UPDATE crm_contacts USE INDEX (email) SET score = 7 WHERE email > 'c'
UPDATE crm_contacts SET score = 7 /*!50001 WHERE contact_id = 4 */
UPDATE crm_contacts SET score = 7 /*!80000 WHERE contact_id = 4 */
UPDATE crm_contacts SET score = 7 /*M! WHERE contact_id = 4 */
UPDATE crm_contacts SET contact_id = '5', score = 8 WHERE contact_id = 5
UPDATE crm_contacts SET contact_id = 500 WHERE contact_id = 5
UPDATE crm_contacts SET score = 9 WHERE score = RAND() OR contact_id = 2
UPDATE crm_contacts SET score = (@n := 3) WHERE contact_id = 2
UPDATE crm_contacts SET score = 9 WHERE (@n := COALESCE(@n, 0) + 1) < 4
UPDATE crm_contacts c JOIN crm_deals d ON d.contact_id = c.contact_id SET c.status = 'won', d.stage = 'y' WHERE d.amount > 30
UPDATE crm_contacts c, crm_deals d SET c.status = 'won' WHERE c.contact_id = d.contact_id AND d.amount > 30
UPDATE crm_contacts c LEFT JOIN other o USING (contact_id) SET c.score = 77 WHERE o.id IS NULL
UPDATE crm_contacts c JOIN crm_deals d USING (contact_id) SET stage = 'z', score = 3
UPDATE crm_contacts a JOIN crm_contacts b ON b.contact_id = a.contact_id + 1 SET a.score = b.score, b.note = 'seen' WHERE a.status = 'new'
UPDATE crm_contacts c JOIN (SELECT contact_id, SUM(amount) total FROM crm_deals GROUP BY contact_id) s USING (contact_id) SET c.score = s.total
UPDATE (crm_contacts c JOIN other o ON o.contact_id = c.contact_id) SET c.score = 2
UPDATE other o JOIN crm_contacts c ON o.contact_id = c.contact_id SET o.text = c.status
UPDATE crm_tags t JOIN other o ON o.id = t.item SET t.site = t.site + 100
DELETE c, d FROM crm_contacts c INNER JOIN crm_deals AS d ON c.contact_id = d.contact_id WHERE c.status = 'new'
DELETE c.*, o.* FROM crm_contacts c INNER JOIN other AS o USING (contact_id)
DELETE FROM c USING crm_contacts c LEFT JOIN crm_deals d USING (contact_id) WHERE d.deal_id IS NULL
DELETE crm_contacts FROM crm_contacts WHERE contact_id = 3
DELETE o FROM crm_contacts c JOIN other o USING (contact_id)
DELETE FROM crm_contacts WHERE contact_id IN (SELECT contact_id FROM crm_deals WHERE amount > 20) RETURNING contact_id
INSERT INTO crm_contacts (contact_id, email) VALUES (900, 'new@x.org'), (NULL, 'newer@x.org'), (DEFAULT, NULL)
INSERT INTO crm_contacts (contact_id, email) VALUES (13, 'gap@x.org')
INSERT INTO crm_contacts SET email = 'new@x.org', status = 'x'
INSERT IGNORE INTO crm_contacts (contact_id, email) VALUES (5, 'z@x.org'), (600, 'a@x.org'), (601, 'fresh@x.org')
INSERT INTO crm_contacts () VALUES ()
INSERT INTO crm_contacts (email, status) SELECT CONCAT(id, '@other'), 'x' FROM other
INSERT INTO crm_contacts (email, status) SELECT 'a@x.org', 'x' FROM other LIMIT 1 ON DUPLICATE KEY UPDATE status = 'dup'
INSERT INTO crm_contacts (email, score) VALUES ('a@x.org', 1), ('B@X.ORG', 2), ('fresh@x.org', 3) ON DUPLICATE KEY UPDATE score = VALUES(score) + 50
INSERT INTO crm_contacts (contact_id, email, score) VALUES (4, 'a@x.org', 1) ON DUPLICATE KEY UPDATE score = 51
INSERT INTO crm_contacts (email) VALUES ('a@x.org') ON DUPLICATE KEY UPDATE contact_id = LAST_INSERT_ID(contact_id), score = 99
INSERT HIGH_PRIORITY INTO crm_contacts (contact_id, score) VALUES ('2', 1), (3, 1) ON DUPLICATE KEY UPDATE score = 99
INSERT INTO crm_contacts (contact_id, score) VALUES (2.6, 1) ON DUPLICATE KEY UPDATE score = 99
INSERT INTO crm_contacts (contact_id, score) VALUES ('2.6', 1) ON DUPLICATE KEY UPDATE score = 99
REPLACE INTO crm_contacts (contact_id, email) VALUES (2, 'c@x.org'), (NULL, 'd@x.org')
REPLACE crm_contacts SET email = LOWER('A@X.org'), score = 5
REPLACE LOW_PRIORITY INTO crm_contacts SET email = 'a@' 'x.org', score = 5
REPLACE INTO crm_contacts (email) VALUES (_binary'A@X.ORG'), (N'b@x.org')
REPLACE INTO crm_contacts VALUES (3, 'c@x.org', 'x', 1, 'x', NOW())
REPLACE INTO crm_tags (kind, item, site, name) VALUES ('a', 1, 9, 'q'), ('zz', 1, 2, 'two')
REPLACE INTO crm_tags (kind, item, site, name) VALUES ('zz', 2, 7, NULL), ('zz', 3, 1, 'one')
INSERT INTO crm_tags (kind, item, name) VALUES ('A', 2, 'q') ON DUPLICATE KEY UPDATE name = 'changed'
TRUNCATE crm_contacts
TRUNCATE TABLE other
WITH x AS (SELECT 3 AS id) SELECT * FROM crm_contacts JOIN x ON x.id = contact_id
SET STATEMENT max_statement_time = 10 FOR UPDATE crm_contacts SET score = 1 WHERE contact_id = 2
ANALYZE FORMAT=JSON UPDATE crm_contacts SET score = 1 WHERE contact_id = 2
BEGIN NOT ATOMIC UPDATE crm_contacts SET score = 1; DELETE FROM crm_deals; END
EXECUTE IMMEDIATE 'DELETE FROM crm_deals WHERE deal_id = 1'
UPDATE other SET text = 'crm_contacts' WHERE contact_id IN (SELECT contact_id FROM crm_contacts)
SQL;

const CREATE = [
	"CREATE TABLE crm_contacts (contact_id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, email VARCHAR(100) NULL UNIQUE KEY, status VARCHAR(20),
		score INT NOT NULL DEFAULT 0, note TEXT, created_at DATETIME DEFAULT '2020-01-01')",
	'CREATE TABLE crm_deals (deal_id INT AUTO_INCREMENT PRIMARY KEY, contact_id BIGINT, stage VARCHAR(20), amount INT)',
	"CREATE TABLE crm_tags (kind VARCHAR(9), item INT, site INT NOT NULL DEFAULT 1, name VARCHAR(20) NOT NULL DEFAULT '', PRIMARY KEY (kind, item), UNIQUE (site, name))",
	'CREATE TABLE other (id INT PRIMARY KEY, contact_id BIGINT, text TEXT)',
];

/** What is in the tables before each statement. */
const FILL = [
	'DELETE FROM crm_contacts',
	'DELETE FROM crm_deals',
	'DELETE FROM crm_tags',
	'DELETE FROM other',
	"INSERT INTO crm_contacts (contact_id, email, status, score, note) VALUES (1,'a@x.org','new',1,'x'),(2,'b@x.org','New',2,'a\\\\'),(3,'c@x.org','old',3,'100%'),
		(4,'d@x.org','old',2,'c.status'),(5,'e@x.org','it''s',0,'Zoë'),(6,NULL,'new',7,'say \"hi\"'),(7,NULL,NULL,6,NULL),(9,'f@x.org','won',4,''),(20,'g@x.org','new',1,'y')",
	"INSERT INTO crm_deals VALUES (1,1,'a',10),(2,2,'b',35),(3,2,'b',50),(4,5,'c',25),(5,NULL,'d',99)",
	"INSERT INTO crm_tags VALUES ('a',1,1,'one'),('a',2,1,''),('b',1,2,'two'),('b',2,7,'')",
	"INSERT INTO other VALUES (1,1,'a'),(2,3,'b'),(3,7,'c'),(4,99,'d')",
];

/** Rows by their key. */
function keyed( array $rows, string $table ): array {
	$key = fn( array $row ) => implode( '|', array_map( fn( $column ) => strtolower( (string) $row[ $column ] ), RUN_KEYS[ $table ] ) );
	return array_combine( array_map( $key, $rows ), $rows );
}

/** What a statement did that read_statement() had not told. */
function untold( Mariadb $database, string $sql ): array {
	array_map( [ $database, 'run' ], FILL );
	$found  = read_statement( $sql, RUN_WATCHED );
	$writes = isset( $found['table'] ) ? array_column( array_merge( [ $found ], $found['also'] ), null, 'table' ) : [];
	$before = $read = $after = $untold = [];
	foreach ( array_keys( RUN_KEYS ) as $table ) {
		$before[ $table ] = keyed( $database->rows( "SELECT * FROM $table" ), $table );
		foreach ( [ 'condition', 'bounded' ] as $which ) {
			$condition = $writes[ $table ][ $which ] ?? null;
			if ( null !== $condition ) {
				$read[ $table ][ $which ] = keyed( $database->rows( "SELECT * FROM $table WHERE $condition" ), $table );
			}
		}
	}
	$database->run( $sql );
	foreach ( RUN_KEYS as $table => $columns ) {
		$after   = keyed( $database->rows( "SELECT * FROM $table" ), $table );
		$touched = array_filter( $before[ $table ], fn( $row, $key ) => ( $after[ $key ] ?? null ) !== $row, ARRAY_FILTER_USE_BOTH );
		$new     = array_diff_key( $after, $before[ $table ] );
		$write   = $writes[ $table ] ?? null;
		if ( null === $write ) {
			$untold[] = $touched || $new ? "$table was written" : null;
			continue;
		}
		foreach ( $read[ $table ] ?? [] as $which => $rows ) {
			foreach ( array_keys( array_diff_key( $touched, $rows ) ) as $key ) {
				$untold[] = "$table $key was touched and is not in its $which {$write[$which]}";
			}
		}
		$untold[] = $new && ! $write['adds'] && null !== $write['condition'] ? "$table has new rows" : null;
		if ( null !== $write['condition'] && 1 === count( $columns ) ) {
			$highest = max( 0, ...array_map( 'intval', array_keys( $before[ $table ] ) ) );
			$by_key  = keyed( $database->rows( "SELECT * FROM $table WHERE {$write['condition']}" ), $table );
			foreach ( array_diff_key( $new, $by_key ) as $key => $row ) {
				$untold[] = $key <= $highest ? "$table has a new row $key below the highest key" : null;
			}
		}
	}
	return array_values( array_filter( $untold ) );
}

return [
	'MariaDB touches no row outside the condition' => function () {
		$database = new Mariadb();
		$failed   = [];
		array_map( [ $database, 'run' ], CREATE );
		foreach ( explode( "\n", STATEMENTS ) as $sql ) {
			try {
				$untold = untold( $database, $sql );
			} catch ( mysqli_sql_exception $error ) {
				$untold = [ $error->getMessage() ];
			}
			array_push( $failed, ...array_map( fn( $what ) => "$sql: $what", $untold ) );
		}
		$database->drop();
		same( [], $failed, 'what was not told' );
		figure( '%d statements', count( explode( "\n", STATEMENTS ) ) );
	},

	'MariaDB commits with the statements that are told to commit, and with no other' => function () {
		$database   = new Mariadb();
		$statements = [
			'CREATE TABLE c1 (a INT)', 'CREATE TEMPORARY TABLE c2 (a INT)', 'CREATE OR REPLACE TEMPORARY TABLE c2 (a INT)', 'DROP TEMPORARY TABLE c2', 'CREATE INDEX i ON c1 (a)',
			'ALTER TABLE c1 ADD b INT', 'RENAME TABLE c1 TO c3', 'CREATE VIEW v AS SELECT 1', 'DROP VIEW v', 'TRUNCATE TABLE c3', 'DROP TABLE c3', 'CREATE DATABASE IF NOT EXISTS bed_ext_empty',
			'ALTER DATABASE bed_ext_empty CHARACTER SET utf8mb4', 'DROP DATABASE bed_ext_empty', 'ANALYZE TABLE mark', 'OPTIMIZE TABLE other', 'CHECK TABLE mark', 'REPAIR TABLE other', 'CHECKSUM TABLE mark',
			'FLUSH STATUS', 'LOCK TABLES mark WRITE', 'UNLOCK TABLES', "PREPARE s FROM 'SELECT 1'", 'DROP PREPARE s', 'CREATE USER IF NOT EXISTS bed_ext', 'GRANT SELECT ON bed_x.* TO bed_ext',
			"SET PASSWORD FOR bed_ext = PASSWORD('x')", 'REVOKE SELECT ON bed_x.* FROM bed_ext', 'DROP USER bed_ext', 'CREATE PROCEDURE p() SELECT 1', 'DROP PROCEDURE p',
			'SET autocommit = 1', "SET NAMES utf8mb4", 'SELECT 1 FROM mark FOR UPDATE', 'SHOW TABLES', 'ANALYZE SELECT 1', 'START TRANSACTION', 'BEGIN', 'COMMIT AND CHAIN', 'ROLLBACK TO here', 'SAVEPOINT there', 'RELEASE SAVEPOINT here',
			// Not CACHE INDEX and LOAD INDEX: both manuals say that they commit, MariaDB does not.
			'RESET QUERY CACHE', 'BEGIN NOT ATOMIC SELECT 1; END',
		];
		$wrong = [];
		foreach ( $statements as $sql ) {
			$database->run( 'CREATE TABLE IF NOT EXISTS mark (a INT) ENGINE=InnoDB' );
			$database->run( 'CREATE TABLE IF NOT EXISTS other (a INT, KEY (a)) ENGINE=MyISAM' );
			$database->run( 'UNLOCK TABLES' );
			$database->run( 'DELETE FROM mark' );
			if ( 'UNLOCK TABLES' === $sql ) {
				$database->run( 'SET autocommit = 0' );
				$database->run( 'LOCK TABLES mark WRITE' );
			} else {
				$database->run( 'START TRANSACTION' );
			}
			$database->run( 'INSERT INTO mark VALUES (1)' );
			$database->run( 'SAVEPOINT here' );
			try {
				$database->run( $sql );
			} catch ( mysqli_sql_exception $error ) {
				$wrong[] = "$sql: {$error->getMessage()}";
			}
			$database->run( 'ROLLBACK' );
			$database->run( 'SET autocommit = 1' );
			$database->run( 'UNLOCK TABLES' );
			$found   = read_statement( $sql, RUN_WATCHED );
			$told    = in_array( $found['verb'] ?? '', [ 'begin', 'commit' ], true );
			$commits = [] !== $database->rows( 'SELECT * FROM mark' );
			if ( $told !== $commits ) {
				$wrong[] = sprintf( '%s: %s, and is told as %s', $sql, $commits ? 'commits' : 'does not commit', shown( $found ) );
			}
		}
		$database->drop();
		same( [], $wrong, 'told wrongly' );
	},
];
