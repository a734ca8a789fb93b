<?php
/** Looks at the queue file with a program that is not Posthorn. Only when every process that used the queue is gone. */

declare(strict_types=1);

function sqlite( string $file, string $sql ): string {
	exec( 'sqlite3 ' . escapeshellarg( $file ) . ' ' . escapeshellarg( $sql ) . ' 2>&1', $lines, $status );
	same( 0, $status, "sqlite3 reads $file: " . implode( ' ', $lines ) );
	return implode( "\n", $lines );
}

function queue_file_is_sound( string $folder ): void {
	same( 'ok', sqlite( "$folder/queue.db", 'PRAGMA integrity_check' ), 'the integrity of the queue file' );
}
