<?php
/**
 * A persistent object cache for tests: each value is a file, so every process sees what another one stored, at once.
 * Placed as wp-content/object-cache.php by run.sh. No expiry: nothing here lives that long.
 *
 * @package Posthorn\Tests
 */

defined( 'ABSPATH' ) || exit;

/** WordPress asks for this class by its name. */
final class WP_Object_Cache {

	/** Groups that a network's sites share, and groups that are not kept. */
	private array $shared    = array();
	private array $transient = array();
	private array $values    = array();
	private string $folder;
	private string $site;

	public function __construct() {
		$this->folder = WP_CONTENT_DIR . '/object-cache/';
		$this->site   = is_multisite() ? get_current_blog_id() . ':' : '';
		wp_mkdir_p( $this->folder );
	}

	public function share( array $groups ): void {
		$this->shared += array_fill_keys( $groups, true );
	}

	public function do_not_keep( array $groups ): void {
		$this->transient += array_fill_keys( $groups, true );
	}

	public function switch_to( int $site ): void {
		$this->site = is_multisite() ? "$site:" : '';
	}

	/** @return mixed */
	public function get( string $key, string $group, &$found ) {
		$name = $this->name( $key, $group );
		if ( isset( $this->transient[ $group ] ) ) {
			$found = array_key_exists( $name, $this->values );
			return $found ? unserialize( $this->values[ $name ] ) : false;
		}
		$text  = @file_get_contents( $this->folder . $name );
		$found = false !== $text;
		return $found ? unserialize( $text ) : false;
	}

	public function set( string $key, $value, string $group ): bool {
		$name = $this->name( $key, $group );
		if ( isset( $this->transient[ $group ] ) ) {
			$this->values[ $name ] = serialize( $value );
			return true;
		}
		// Renamed into place: nobody reads half a value.
		$file = $this->folder . uniqid( 'new', true );
		return false !== file_put_contents( $file, serialize( $value ) ) && rename( $file, $this->folder . $name );
	}

	public function delete( string $key, string $group ): bool {
		$name = $this->name( $key, $group );
		unset( $this->values[ $name ] );
		return @unlink( $this->folder . $name );
	}

	public function flush(): bool {
		$this->values = array();
		array_map( 'unlink', glob( $this->folder . '*' ) ?: array() );
		return true;
	}

	private function name( string $key, string $group ): string {
		return md5( ( isset( $this->shared[ $group ] ) ? '' : $this->site ) . "$group:$key" );
	}
}

function wp_cache_init() {
	$GLOBALS['wp_object_cache'] = new WP_Object_Cache();
}

function wp_cache_get( $key, $group = '', $force = false, &$found = null ) {
	return $GLOBALS['wp_object_cache']->get( (string) $key, $group ?: 'default', $found );
}

function wp_cache_set( $key, $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->set( (string) $key, $data, $group ?: 'default' );
}

function wp_cache_add( $key, $data, $group = '', $expire = 0 ) {
	wp_cache_get( $key, $group, false, $found );
	return ! $found && ! wp_suspend_cache_addition() && wp_cache_set( $key, $data, $group );
}

function wp_cache_replace( $key, $data, $group = '', $expire = 0 ) {
	wp_cache_get( $key, $group, false, $found );
	return $found && wp_cache_set( $key, $data, $group );
}

function wp_cache_delete( $key, $group = '' ) {
	return $GLOBALS['wp_object_cache']->delete( (string) $key, $group ?: 'default' );
}

function wp_cache_incr( $key, $offset = 1, $group = '' ) {
	$value = wp_cache_get( $key, $group, false, $found );
	return $found && wp_cache_set( $key, max( 0, (int) $value + $offset ), $group ) ? max( 0, (int) $value + $offset ) : false;
}

function wp_cache_decr( $key, $offset = 1, $group = '' ) {
	return wp_cache_incr( $key, -$offset, $group );
}

function wp_cache_flush() {
	return $GLOBALS['wp_object_cache']->flush();
}

function wp_cache_close() {
	return true;
}

function wp_cache_add_global_groups( $groups ) {
	$GLOBALS['wp_object_cache']->share( (array) $groups );
}

function wp_cache_add_non_persistent_groups( $groups ) {
	$GLOBALS['wp_object_cache']->do_not_keep( (array) $groups );
}

function wp_cache_switch_to_blog( $blog_id ) {
	$GLOBALS['wp_object_cache']->switch_to( (int) $blog_id );
}
