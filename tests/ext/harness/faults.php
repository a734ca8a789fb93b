<?php
/** Faults that only a program in C can make: built from faults/NAME.c when a test first asks for it. */

declare(strict_types=1);

/** @return string The program's or library's path. */
function fault( Bed $bed, string $name ): string {
	$source = dirname( __DIR__ ) . "/faults/$name.c";
	$made   = "{$bed->folder}/$name";
	$kind   = str_contains( file_get_contents( $source ), 'int main(' ) ? [] : [ '-shared', '-fPIC' ];
	exec( implode( ' ', array_map( 'escapeshellarg', [ 'cc', '-O1', ...$kind, '-o', $made, $source, '-ldl' ] ) ) . ' 2>&1', $lines, $status );
	same( 0, $status, "cc builds $name: " . implode( "\n", $lines ) );
	return $made;
}
