<?php
/**
 * Properties: posts of the type that WPResidence keeps them as, with their fields, terms and photos.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** The post type. */
const POSTHORN_PROPERTY = 'estate_property';

/** Field of a property => post meta. Price, type, status and photos are documented; the others are what WPResidence's form writes. */
const POSTHORN_PROPERTY_META = array(
	'price'     => 'property_price',
	'bedrooms'  => 'property_bedrooms',
	'bathrooms' => 'property_bathrooms',
	'size'      => 'property_size',
	'address'   => 'property_address',
	'zipcode'   => 'property_zip',
	'country'   => 'property_country',
	'agent_id'  => 'property_agent',
);

/** Those that are numbers. */
const POSTHORN_PROPERTY_NUMBERS = array( 'price', 'bedrooms', 'bathrooms', 'size', 'agent_id' );

/** Field of a property => taxonomy. */
const POSTHORN_PROPERTY_TERMS = array(
	'status' => 'property_status',
	'type'   => 'property_category',
	'city'   => 'property_city',
	'area'   => 'property_area',
	'state'  => 'property_county_state',
);

/** States of a post in which nobody but its author knows it. */
const POSTHORN_PROPERTY_HIDDEN = array( 'new', 'auto-draft', 'draft', 'pending', 'future', 'trash', 'inherit' );

/**
 * Hears that a post is about to be written or deleted. A file may be given to another property, or taken from one.
 *
 * @param mixed $post_id The post.
 * @param mixed $data    Optional. What is written of it.
 */
function posthorn_properties_post( $post_id, $data = null ): void {
	$type = get_post_type( (int) $post_id );
	if ( POSTHORN_PROPERTY === $type ) {
		posthorn_source_changes( 'properties', (int) $post_id );
	} elseif ( 'attachment' === $type && is_array( $data ) ) {
		posthorn_properties_post( (int) wp_get_post_parent_id( (int) $post_id ) );
		posthorn_properties_post( (int) ( $data['post_parent'] ?? 0 ) );
	}
}

/**
 * Hears that a post has another state; one that had none is new, whatever terms and fields it was given before. One whose time
 * has come, or that was let through, is shown without having been announced.
 *
 * @param string $now  Its state.
 * @param string $was  Its state before.
 * @param mixed  $post The post.
 */
function posthorn_properties_status( $now, $was, $post ): void {
	if ( ! $post instanceof WP_Post || POSTHORN_PROPERTY !== $post->post_type ) {
		return;
	}
	$is_shown = in_array( $was, POSTHORN_PROPERTY_HIDDEN, true ) && ! in_array( $now, POSTHORN_PROPERTY_HIDDEN, true );
	if ( 'new' === $was || $is_shown && ! posthorn_source_waits( 'properties', $post->ID ) ) {
		posthorn_source_began( 'properties', $post->ID );
	}
}

/**
 * Hears that a post is about to be given a field.
 *
 * @param mixed $post_id The post.
 * @param mixed $key     The field.
 */
function posthorn_properties_meta_added( $post_id, $key ): void {
	posthorn_properties_meta( 0, $post_id, $key );
}

/**
 * Hears that a field of a post is about to be changed or deleted.
 *
 * @param mixed $meta_id Which entry, or entries.
 * @param mixed $post_id The post.
 * @param mixed $key     The field.
 */
function posthorn_properties_meta( $meta_id, $post_id, $key ): void {
	if ( '_thumbnail_id' === $key || in_array( $key, posthorn_properties_fields(), true ) ) {
		posthorn_properties_post( $post_id );
	}
}

/**
 * Hears that a post is about to gain or lose a term.
 *
 * @param mixed $post_id  The post.
 * @param mixed $terms    The terms.
 * @param mixed $taxonomy Their taxonomy.
 */
function posthorn_properties_terms( $post_id, $terms, $taxonomy ): void {
	if ( in_array( $taxonomy, POSTHORN_PROPERTY_TERMS, true ) ) {
		posthorn_properties_post( $post_id );
	}
}

/**
 * Hears that a file was uploaded: what its property was, is what it is without it.
 *
 * @param mixed $file    The attachment.
 * @param mixed $post_id Optional. What it belongs to.
 */
function posthorn_properties_photo_added( $file, $post_id = 0 ): void {
	$post_id = $post_id ? (int) $post_id : (int) wp_get_post_parent_id( (int) $file );
	if ( $post_id > 0 ) {
		posthorn_properties_without( (int) $file );
		posthorn_properties_post( $post_id );
		posthorn_properties_without( 0 );
	}
}

/**
 * Hears that a file is about to be deleted.
 *
 * @param mixed $file The attachment.
 */
function posthorn_properties_photo_deleted( $file ): void {
	posthorn_properties_post( (int) wp_get_post_parent_id( (int) $file ) );
}

/**
 * Hears that a file of the library was given to a post; when it was taken away, it is not said from whom it was.
 *
 * @param string $action  `attach` or `detach`.
 * @param mixed  $file    The attachment.
 * @param mixed  $post_id The post.
 */
function posthorn_properties_photo_attached( $action, $file, $post_id ): void {
	if ( 'attach' === $action ) {
		posthorn_properties_photo_added( $file, $post_id );
	}
}

/**
 * The photo that is looked past, as it has just been added.
 *
 * @param int|null $photo Optional. The attachment from now on; 0 for none.
 */
function posthorn_properties_without( ?int $photo = null ): int {
	static $without = 0;
	return $without = $photo ?? $without;
}

/**
 * The fields of a property that are post meta: name => meta key.
 *
 * @return array<string,string>
 */
function posthorn_properties_fields(): array {
	/**
	 * The fields of a property that are post meta. Their changes are events; never add what nobody else may know.
	 *
	 * @param array<string,string> $fields Name in the event => meta key.
	 */
	return array_filter( (array) apply_filters( 'posthorn_property_fields', POSTHORN_PROPERTY_META ), 'is_string' );
}

/**
 * A property as its events carry it.
 *
 * @param string $id The post.
 * @return array|null Null if there is none that is published.
 */
function posthorn_properties_look( string $id ): ?array {
	// An importer may have told WordPress not to forget what it has read.
	wp_cache_delete( (int) $id, 'posts' );
	wp_cache_delete( (int) $id, 'post_meta' );
	$post = get_post( (int) $id );
	if ( ! $post || POSTHORN_PROPERTY !== $post->post_type || in_array( $post->post_status, POSTHORN_PROPERTY_HIDDEN, true ) ) {
		return null;
	}
	$property = array(
		'property_id' => (int) $post->ID,
		'title'       => $post->post_title,
		'description' => '' === $post->post_password ? $post->post_content : '',
		'post_status' => $post->post_status,
	);
	foreach ( POSTHORN_PROPERTY_TERMS as $field => $taxonomy ) {
		$property[ $field ] = posthorn_properties_term( (int) $post->ID, $taxonomy );
	}
	foreach ( posthorn_properties_fields() as $field => $key ) {
		$value              = get_post_meta( $post->ID, $key, true );
		$is_number          = in_array( $field, POSTHORN_PROPERTY_NUMBERS, true ) && is_numeric( $value );
		$property[ $field ] = $is_number ? $value + 0 : $value;
	}
	return $property + array(
		'url'    => (string) get_permalink( $post ),
		'photos' => posthorn_properties_photos( (int) $post->ID ),
	);
}

/**
 * The name of a property's term. Of several, one that says it is sold, or else the first: `property.sold` is told by it.
 *
 * @param int    $id       The post.
 * @param string $taxonomy The taxonomy.
 */
function posthorn_properties_term( int $id, string $taxonomy ): string {
	wp_cache_delete( $id, "{$taxonomy}_relationships" );
	$terms = taxonomy_exists( $taxonomy ) ? get_the_terms( $id, $taxonomy ) : false;
	$names = is_array( $terms ) ? array_map( static fn( WP_Term $term ): string => wp_specialchars_decode( $term->name, ENT_QUOTES ), $terms ) : array();
	$sold  = 'property_status' === $taxonomy ? preg_grep( '/^sold$/i', $names ) : array();
	return (string) ( reset( $sold ) ?: reset( $names ) );
}

/**
 * The addresses of a property's photos: the one that stands for it, then the others in their order.
 *
 * @param int $id The post.
 * @return string[]
 */
function posthorn_properties_photos( int $id ): array {
	global $wpdb;
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- Whatever a cache or a filter of get_posts() has of them.
	$photos = array_map( 'intval', $wpdb->get_col( $wpdb->prepare( "SELECT ID FROM $wpdb->posts WHERE post_parent = %d AND post_type = 'attachment' AND post_mime_type LIKE %s ORDER BY menu_order, ID", $id, 'image/%' ) ) );
	$first  = (int) get_post_thumbnail_id( $id );
	$photos = array_diff( array_unique( array_merge( $first ? array( $first ) : array(), $photos ) ), array( posthorn_properties_without() ) );
	return array_values( array_filter( array_map( static fn( int $photo ): string => (string) wp_get_attachment_url( $photo ), $photos ) ) );
}

/**
 * The events of what became of a property.
 *
 * @param string     $id     The post.
 * @param array|null $before What it was; null if it was not published.
 * @param array|null $after  What it is.
 * @return array[] Lists of event, data, context.
 */
function posthorn_properties_events( string $id, ?array $before, ?array $after ): array {
	$record = array( 'record' => "property:$id" );
	if ( null === $before || null === $after ) {
		return $before === $after ? array() : array( array( null === $before ? 'property.created' : 'property.deleted', $after ?? $before, $record ) );
	}
	$context  = posthorn_source_difference( "property:$id", $before, $after );
	$previous = $context['previous'];
	if ( ! $previous ) {
		return array();
	}
	$names = array_keys(
		array_filter(
			array(
				'property.updated'         => true,
				'property.status_changed'  => isset( $previous['status'] ),
				'property.price_changed'   => isset( $previous['price'] ),
				'property.photos_uploaded' => array_diff( $after['photos'], $before['photos'] ),
			)
		)
	);
	return array_map( static fn( string $name ): array => array( $name, $after, $context ), $names );
}
