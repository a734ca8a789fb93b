<?php
declare(strict_types=1);

/** Removes a folder and all that is in it; follows no link. */
function remove_tree( string $folder ): void {
	foreach ( array_diff( (array) @scandir( $folder ), [ '.', '..', false ] ) as $name ) {
		$path = "$folder/$name";
		is_dir( $path ) && ! is_link( $path ) ? remove_tree( $path ) : unlink( $path );
	}
	@rmdir( $folder );
}
