<?php
/**
 * The yardstick: a bare prepared SQLite insert. This file is printed beside the results.
 *
 * @param string $file        A database that is made if it is missing.
 * @param string $synchronous `FULL` waits for the disk.
 */
function bench_bare( string $file, string $synchronous = 'NORMAL' ): callable {
	$database = new PDO( "sqlite:$file" );
	$database->exec( 'PRAGMA journal_mode = WAL' );
	$database->exec( "PRAGMA synchronous = $synchronous" );
	$database->exec( 'CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, body TEXT)' );
	$insert = $database->prepare( 'INSERT INTO bare (body) VALUES (?)' );
	return fn( string $body ) => $insert->execute( array( $body ) );
}
