<?php
/**
 * @package Posthorn\Tests
 */

namespace Posthorn\Tests;

/**
 * Statements in every way that SQL allows, over five contacts, three leads, two deals and two tasks.
 *
 * {c} {l} {d} {t} are tables, {c1} … {c5} contacts' keys, {free} a contact's key that was deleted. Each entry is the
 * statement, how many events it gives on MariaDB, and how many with the SQLite drop-in: null where it cannot run it, false where
 * it runs something else (a join of aliases updates every row there).
 */
final class Statements {

	/** @return array<string,array{0:string,1:int,2:int|null|false}> */
	public static function inserts(): array {
		return array(
			'values'                                 => array( "INSERT INTO {c} (first_name, city) VALUES ('Ada', 'Cobh')", 1, 1 ),
			'many values'                            => array( "INSERT INTO {c} (first_name, zipcode) VALUES ('Ada', '02139'), ('Grace', NULL IS NULL), ('Ida', '')", 3, 3 ),
			'set'                                    => array( "INSERT INTO {c} SET first_name = 'Ada', city = 'Cobh'", 1, 1 ),
			'nothing but defaults'                   => array( 'INSERT INTO {c} () VALUES ()', 1, null ),
			'without INTO, with a modifier'          => array( "INSERT LOW_PRIORITY {c} (first_name) VALUES ('Ada')", 1, null ),
			'a select of itself'                     => array( 'INSERT INTO {c} (first_name, email) SELECT first_name, email FROM {c}', 5, 5 ),
			'a select with order and limit'          => array( 'INSERT INTO {c} (first_name) SELECT first_name FROM {c} ORDER BY contact_id DESC LIMIT 2', 2, 2 ),
			'a select of another table'              => array( 'INSERT INTO {c} (first_name, email) SELECT message, from_email FROM {l}', 3, 3 ),
			'a select that finds nothing'            => array( 'INSERT INTO {c} (first_name) SELECT message FROM {l} WHERE 1 = 0', 0, 0 ),
			'a union'                                => array( "INSERT INTO {c} (first_name) SELECT 'Ada' UNION ALL SELECT 'Grace'", 2, 2 ),
			'a key below the highest'                => array( "INSERT INTO {c} (contact_id, first_name) VALUES ({free}, 'Ada')", 1, 1 ),
			'keys of all kinds'                      => array( "INSERT INTO {c} (first_name, contact_id) VALUES ('Low', {free}), ('Next', NULL), ('High', {c5} + 1000)", 3, 3 ),
			'a key far above'                        => array( "INSERT INTO {c} (contact_id, first_name) VALUES ({c5} + 5000, 'Ada')", 1, 1 ),
			'ignored duplicates'                     => array( "INSERT IGNORE INTO {c} (contact_id, first_name) VALUES ({c1}, 'Ada'), (NULL, 'Grace'), ({c2}, 'Ida')", 1, 1 ),
			'nothing but ignored duplicates'         => array( "INSERT IGNORE INTO {c} (contact_id, first_name) VALUES ({c1}, 'Ada')", 0, 0 ),
			'a duplicate'                            => array( "!INSERT INTO {c} (contact_id, first_name) VALUES ({c1}, 'Ada')", 0, 0 ),
			'a duplicate after a good row'           => array( "!INSERT INTO {c} (contact_id, first_name) VALUES (NULL, 'Ada'), ({c1}, 'Grace')", 0, 0 ),
			'a comment before'                       => array( "/* Ada's */ INSERT INTO {c} (first_name) VALUES ('Ada')", 1, 1 ),
			'a line of comment before, many rows'    => array( "-- DELETE FROM {c}\n  # or\nINSERT INTO {c} (first_name) VALUES ('Ada'), ('Grace')", 2, 2 ),
			'a comment before a key below'           => array( "/* low */ INSERT INTO {c} (contact_id, first_name) VALUES ({free}, 'Ada')", 1, 1 ),
			'texts full of SQL'                      => array( "INSERT INTO {c} (first_name, private_note) VALUES ('(a), (b)', 'VALUES (1), (2); -- DELETE FROM {l} /*'), ('it''s', 'a \\' quote \\\\')", 2, 2 ),
			'on duplicate key, a new row'            => array( "INSERT INTO {c} (first_name) VALUES ('Ada') ON DUPLICATE KEY UPDATE first_name = 'x'", 1, 1 ),
			'on duplicate key, an existing row'      => array( "INSERT INTO {c} (contact_id, city) VALUES ({c1}, 'Cobh') ON DUPLICATE KEY UPDATE city = VALUES(city)", 1, 1 ),
			'on duplicate key, unchanged'            => array( "INSERT INTO {c} (contact_id, city) VALUES ({c1}, 'Cobh') ON DUPLICATE KEY UPDATE city = 'Cork'", 0, 0 ),
			'on duplicate key, all of these'         => array( "INSERT INTO {c} (contact_id, city) VALUES ({c1}, 'Cork'), (NULL, 'Cobh'), ({c2}, 'Cobh'), ({free}, 'Cobh') ON DUPLICATE KEY UPDATE city = VALUES(city)", 3, 3 ),
			'on duplicate key, by a select'          => array( 'INSERT INTO {c} (contact_id, city) SELECT contact_id, last_name FROM {c} AS old ON DUPLICATE KEY UPDATE city = VALUES(city)', 5, null ),
			'on duplicate key, telling the key'      => array( "INSERT INTO {c} (contact_id, city) VALUES ({c2}, 'Cobh') ON DUPLICATE KEY UPDATE contact_id = LAST_INSERT_ID(contact_id), city = VALUES(city)", 1, null ),
			'replace a row'                          => array( "REPLACE INTO {c} (contact_id, first_name) VALUES ({c1}, 'Ada')", 1, 1 ),
			'replace no row'                         => array( "REPLACE INTO {c} (first_name) VALUES ('Ada')", 1, 1 ),
			'replace some rows'                      => array( "REPLACE INTO {c} (contact_id, first_name) VALUES ({c1}, 'Ada'), (NULL, 'Grace'), ({free}, 'Ida')", 3, 3 ),
			'replace set'                            => array( "REPLACE INTO {c} SET contact_id = {c3}, first_name = 'Ada'", 1, 1 ),
			'replace by a select'                    => array( "REPLACE INTO {c} (contact_id, first_name, city) SELECT contact_id, first_name, 'Cobh' FROM {c} WHERE contact_id < {c4}", 3, 3 ),
			'replace by itself'                      => array( 'REPLACE INTO {c} SELECT * FROM {c} WHERE contact_id < {c3}', 0, 0 ),
			'an enquiry with JSON'                   => array( "INSERT INTO {e} (enquiry_message, enquiry_meta, max_price) VALUES ('Free?', '{\"page\": \"/quay/\", \"n\": [1, 2.5, null]}', 99.90)", 1, 1 ),
			'an enquiry with what is no JSON'        => array( "INSERT INTO {e} (enquiry_message, enquiry_meta) VALUES ('Free?', '{no json')", 1, 1 ),
			'a submitted form, by its type'          => array( "INSERT INTO {a} (type, contact_id, meta) VALUES ('form_submission', {c1}, '{\"a\": 1}')", 1, 1 ),
			'a submitted form, by its action'        => array( "INSERT INTO {a} (action, entity_type, entity_id) VALUES ('form_submission', 'contact', {c1}), ('note', 'contact', {c1})", 1, 1 ),
			'a task that is done from the beginning' => array( "INSERT INTO {t} (title, status) VALUES ('Call', 'completed')", 0, 0 ),
		);
	}

	/** @return array<string,array{0:string,1:int,2:int|null|false}> */
	public static function updates(): array {
		return array(
			'by key'                           => array( "UPDATE {c} SET city = 'Cobh' WHERE contact_id = {c1}", 1, 1 ),
			'with backticks and the database'  => array( "UPDATE `{db}`.`{c}` SET `city` = 'Cobh' WHERE `{c}`.`contact_id` = {c1};", 1, null ),
			'by keys'                          => array( "update {c} set city = 'Cobh' where contact_id in ({c1}, {c3}, {c3}, 0)", 2, 2 ),
			'everything'                       => array( "UPDATE {c} SET city = 'Cobh'", 5, 5 ),
			'nothing'                          => array( "UPDATE {c} SET city = 'Cobh' WHERE contact_id < 0", 0, 0 ),
			'to what it is'                    => array( "UPDATE {c} SET city = 'Cork', lead_score = lead_score", 0, 0 ),
			'some to what they are'            => array( "UPDATE {c} SET first_name = 'Contact 1'", 4, 4 ),
			'by what it changes'               => array( 'UPDATE {c} SET lead_score = lead_score + 1 WHERE lead_score >= 3', 3, 3 ),
			'so that nothing fits any more'    => array( "UPDATE {c} SET city = 'Cobh' WHERE city = 'Cork'", 5, 5 ),
			'order and limit'                  => array( "UPDATE {c} SET city = 'Cobh' ORDER BY lead_score DESC LIMIT 2", 2, 2 ),
			'any two'                          => array( "UPDATE {c} SET city = 'Cobh' ORDER BY RAND() LIMIT 2", 2, 2 ),
			'a limit alone'                    => array( "UPDATE {c} SET city = 'Cobh' LIMIT 3", 3, 3 ),
			'by chance'                        => array( "UPDATE {c} SET city = 'Cobh' WHERE RAND() < 2", 5, null ),
			'an alias'                         => array( "UPDATE {c} AS c SET c.city = 'Cobh' WHERE c.contact_id = {c1}", 1, null ),
			'a subquery'                       => array( "UPDATE {c} SET city = 'Cobh' WHERE contact_id IN (SELECT contact_id FROM {l})", 2, 2 ),
			'a subquery of itself'             => array( "UPDATE {c} SET city = 'Cobh' WHERE lead_score = (SELECT MAX(s) FROM (SELECT lead_score AS s FROM {c}) AS best)", 1, 1 ),
			'exists'                           => array( "UPDATE {c} SET city = 'Cobh' WHERE EXISTS (SELECT 1 FROM {l} WHERE {l}.contact_id = {c}.contact_id)", 2, 2 ),
			'a join'                           => array( "UPDATE {c} JOIN {l} ON {l}.contact_id = {c}.contact_id SET {c}.city = {l}.message", 2, null ),
			'a join with aliases'              => array( "UPDATE {l} AS l INNER JOIN {c} AS c USING (contact_id) SET c.city = 'Cobh', c.lead_score = 9 WHERE l.status = 'New'", 2, false ),
			'a comma'                          => array( "UPDATE {c} c, {l} l SET c.city = 'Cobh' WHERE l.contact_id = c.contact_id", 2, null ),
			'a left join'                      => array( "UPDATE {c} c LEFT JOIN {l} l ON l.contact_id = c.contact_id SET c.city = 'Cobh' WHERE l.lead_id IS NULL", 3, null ),
			'two tables at once'               => array( "UPDATE {c} c JOIN {l} l ON l.contact_id = c.contact_id SET c.city = 'Cobh', l.status = 'Contacted'", 5, null ),
			'two tables, one of them unwatched' => array( "UPDATE {o} o JOIN {c} c ON o.option_name = 'blogname' SET c.city = 'Cobh' WHERE c.contact_id = {c1}", 1, null ),
			'only the unwatched one of two'    => array( "UPDATE {o} o JOIN {c} c ON o.option_name = 'oracle' SET o.option_value = c.city", 0, null ),
			'a derived table'                  => array( "UPDATE {c} c JOIN (SELECT contact_id, COUNT(*) AS n FROM {l} GROUP BY contact_id) AS counted ON counted.contact_id = c.contact_id SET c.lead_score = 100 + counted.n", 2, null ),
			'case'                             => array( "UPDATE {c} SET city = CASE WHEN lead_score > 3 THEN 'Cobh' ELSE city END", 2, 2 ),
			'a text with a percent sign'       => array( "UPDATE {c} SET city = '100%' WHERE first_name LIKE 'Contact %'", 5, 5 ),
			'a text that names tables'         => array( "UPDATE {c} SET private_note = 'DELETE FROM {l} WHERE 1; UPDATE {d} SET stage = 1' WHERE contact_id = {c1}", 1, 1 ),
			'comments everywhere'              => array( "/* UPDATE {l} */ UPDATE /* {l} */ {c} -- {l}\n SET city = /* 'x' */ 'Cobh' # WHERE\n WHERE contact_id = {c1} -- AND 1 = 0", 1, 1 ),
			'a comment that is code'           => array( "/*!40000 UPDATE {c} SET city = 'Cobh' WHERE contact_id = {c1} */", 1, null ),
			'to null and from null'            => array( 'UPDATE {c} SET birthday = \'1815-12-10\', pref_min_beds = NULL, pref_max_price = 1234567890123.45 WHERE contact_id = {c1}', 1, 1 ),
			'a key'                            => array( 'UPDATE {c} SET contact_id = {c5} + 9000 WHERE contact_id = {c1}', 2, 2 ),
			'parentheses and nulls'            => array( "UPDATE {c} SET city = 'Cobh' WHERE ((contact_id = {c1}) OR (birthday <=> NULL AND NOT (lead_score <> 2)))", 2, null ),
			'a variable in the condition'      => array( "UPDATE {c} SET city = 'Cobh' WHERE (@oracle := @oracle + (lead_score > 0)) <= 2", 2, null ),
			'a variable in what is set'        => array( 'UPDATE {c} SET lead_score = (@oracle := @oracle + 1) + 100', 5, null ),
			'a deal won by its stage'          => array( "UPDATE {d} SET stage = 'closed_won', deal_stage = 'closed_won', status = 'won', deal_status = 'won'", 4, 4 ),
			'a deal won by the stage’s label'  => array( "UPDATE {d} SET stage = 'Closed Won', deal_stage = 'Closed Won' WHERE title = 'Deal 1'", 2, 2 ),
			'a deal lost by its status'        => array( "UPDATE {d} SET status = 'lost', deal_status = 'lost' WHERE title = 'Deal 1'", 1, 1 ),
			'a deal lost by the new status'    => array( "UPDATE {d} SET status = 'lost' WHERE title = 'Deal 1'", 1, 1 ),
			'a deal’s old stage alone'         => array( "UPDATE {d} SET deal_stage = 'offer_made' WHERE title = 'Deal 1'", 1, 1 ),
			'a deal’s new stage alone'         => array( "UPDATE {d} SET stage = 'offer_made' WHERE title = 'Deal 1'", 1, 1 ),
			'a deal’s amount'                  => array( "UPDATE {d} SET amount = 1, deal_value = 1, private_note = 'closed_won'", 0, 0 ),
			'tasks done'                       => array( "UPDATE {t} SET status = 'Done'", 2, 2 ),
			'tasks renamed'                    => array( "UPDATE {t} SET title = 'completed'", 0, 0 ),
			'an activity made a form'          => array( "UPDATE {a} SET type = 'form_submission' WHERE subject = 'Activity 1'", 0, 0 ),
			'a column that is not there'       => array( '!UPDATE {c} SET no_such_column = 1', 0, 0 ),
			'what is no SQL'                   => array( '!UPDATE {c} SET WHERE city', 0, 0 ),
		);
	}

	/** @return array<string,array{0:string,1:int,2:int|null|false}> */
	public static function deletes(): array {
		return array(
			'by key'                 => array( 'DELETE FROM {c} WHERE contact_id = {c1}', 1, 1 ),
			'by keys'                => array( 'DELETE FROM {c} WHERE contact_id IN ({c1}, {c2}, 0)', 2, 2 ),
			'everything'             => array( 'DELETE FROM {c}', 5, 5 ),
			'nothing'                => array( 'DELETE FROM {c} WHERE 1 = 0', 0, 0 ),
			'order and limit'        => array( 'DELETE FROM {c} ORDER BY lead_score DESC LIMIT 2', 2, 2 ),
			'any two'                => array( 'DELETE FROM {c} ORDER BY RAND() LIMIT 2', 2, 2 ),
			'a subquery'             => array( 'DELETE FROM {c} WHERE contact_id IN (SELECT contact_id FROM {l})', 2, 2 ),
			'a join'                 => array( 'DELETE c FROM {c} AS c JOIN {l} AS l ON l.contact_id = c.contact_id', 2, null ),
			'using'                  => array( 'DELETE FROM {c} USING {c} JOIN {l} ON {l}.contact_id = {c}.contact_id', 2, null ),
			'two tables at once'     => array( 'DELETE c, l FROM {c} c JOIN {l} l ON l.contact_id = c.contact_id', 5, null ),
			'the other of two'       => array( "DELETE l FROM {c} c JOIN {l} l ON l.contact_id = c.contact_id WHERE c.contact_id = {c1}", 2, null ),
			'an alias'               => array( 'DELETE c FROM {c} c WHERE c.contact_id > {c3}', 2, null ),
			'a comment before'       => array( "/* all */ -- of them\nDELETE FROM {c} WHERE contact_id > {c3}", 2, 2 ),
			'quickly'                => array( 'DELETE LOW_PRIORITY QUICK IGNORE FROM {c} WHERE contact_id > {c3}', 2, null ),
			'deals, tasks, enquiries' => array( 'DELETE FROM {d}', 0, 0 ),
			'truncate'               => array( 'TRUNCATE TABLE {c}', 5, 5 ),
			'truncate, short'        => array( 'truncate {l}', 3, 3 ),
			'a column that is not there' => array( '!DELETE FROM {c} WHERE no_such_column = 1', 0, 0 ),
		);
	}

	/** What mentions the tables and writes none of them. @return array<string,array{0:string,1:int,2:int|null|false}> */
	public static function others(): array {
		return array(
			'a text'                     => array( "UPDATE {o} SET option_value = 'UPDATE {c} SET city = 1' WHERE option_name = 'oracle'", 0, 0 ),
			'a table of a longer name'   => array( "CREATE TABLE {c}_backup AS SELECT * FROM {c}", 0, null ),
			'a copy'                     => array( 'CREATE TABLE {c}_backup LIKE {c}', 0, null ),
			'a temporary table'          => array( 'CREATE TEMPORARY TABLE {c}_backup AS SELECT * FROM {c}', 0, null ),
			'a select'                   => array( "SELECT 'UPDATE', city FROM {c} WHERE city <> 'DELETE FROM {c}'", 0, 0 ),
			'a lock'                     => array( 'SELECT * FROM {c} FOR UPDATE', 0, null ),
			'an explanation'             => array( "EXPLAIN UPDATE {c} SET city = 'Cobh'", 0, null ),
			'a description'              => array( 'DESCRIBE {c}', 0, 0 ),
			'an analysis'                => array( 'ANALYZE TABLE {c}', 0, null ),
			'a new column'               => array( 'ALTER TABLE {c} COMMENT = \'UPDATE\'', 0, null ),
			'a variable'                 => array( 'SET @oracle = (SELECT COUNT(*) FROM {c})', 0, null ),
			'a table of another prefix'  => array( "!UPDATE other_{c} SET city = 'Cobh'", 0, 0 ),
		);
	}
}
