<?php
/**
 * What `wp posthorn` says where a directory is another user's.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/admin/remedies.php';

/**
 * An error with whose the directory is and what to do.
 *
 * @param string $message What the extension said; after its semicolon it names the remedy for a directory that is missing.
 */
function posthorn_cli_permission_message( string $message ): string {
	$matter = posthorn_permission_matter( posthorn_queue_directory() );
	return null === $matter ? $message : explode( '; ', $message, 2 )[0] . '. ' . $matter['text'] . "\n" . implode( "\n", posthorn_cli_permission_remedies( $matter ) );
}

/**
 * What to do about a directory that is another user's.
 *
 * @param array $matter What posthorn_permission_matter() returned.
 * @return string[] Lines.
 */
function posthorn_cli_permission_remedies( array $matter ): array {
	$lines = array();
	if ( $matter['missing'] ) {
		$lines[] = sprintf( 'If PHP serves the site as %1$s, make the directory and let that user own it: sudo install -d -m 700 -o %1$s -g %1$s %2$s', $matter['user'], escapeshellarg( $matter['missing'] ) );
	} else {
		$lines[] = sprintf( 'If PHP serves the site as %1$s, let that user own the directory: sudo chown -R %1$s: %2$s', $matter['user'], escapeshellarg( $matter['directory'] ) );
	}
	// The site's PHP runs as root nowhere: then the owner is what is wrong.
	if ( 0 !== $matter['owner_id'] && $matter['owner'] !== $matter['user'] ) {
		$lines[] = sprintf( 'If it serves the site as %1$s, run this command as that user: sudo -u %1$s wp posthorn …', $matter['owner'] );
	}
	return $lines;
}
