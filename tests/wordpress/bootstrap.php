<?php
/**
 * What the tests stand on. WordPress itself was loaded before PHPUnit, see load.php.
 *
 * @package Posthorn\Tests
 */

foreach ( array( 'Receiver', 'Command', 'CopiedSite', 'Visitor', 'Api', 'Page', 'SiteTestCase', 'Tables', 'Expectation', 'Oracle', 'WatchTestCase', 'Combinations', 'Operations', 'Statements' ) as $posthorn_class ) {
	require_once __DIR__ . "/support/$posthorn_class.php";
}
