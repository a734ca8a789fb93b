<?php
/**
 * Feedback: what visitors write about a property, as comments or as WPResidence's reviews. Addresses they write from, and
 * what browser, are in no event.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/properties.php';

/** The post type of reviews. */
const POSTHORN_REVIEW = 'estate_review';

/**
 * Hears that a comment was written.
 *
 * @param mixed $id The comment.
 */
function posthorn_feedback_comment( $id ): void {
	if ( null !== posthorn_feedback_look( "comment-$id" ) ) {
		posthorn_source_began( 'feedback', "comment-$id" );
	}
}

/**
 * Hears that a comment has another state: one that came as spam has not been told. One that somebody moved there has, and
 * WordPress keeps what it was before.
 *
 * @param string $now     Its state.
 * @param string $was     Its state before.
 * @param mixed  $comment The comment.
 */
function posthorn_feedback_comment_status( $now, $was, $comment ): void {
	if ( 'spam' === $was && $comment instanceof WP_Comment && in_array( $now, array( 'approved', 'unapproved' ), true )
		&& ! in_array( get_comment_meta( (int) $comment->comment_ID, '_wp_trash_meta_status', true ), array( '0', '1' ), true ) ) {
		posthorn_source_began( 'feedback', "comment-$comment->comment_ID" );
	}
}

/**
 * Hears that a post has another state.
 *
 * @param string $now  Its state.
 * @param string $was  Its state before.
 * @param mixed  $post The post.
 */
function posthorn_feedback_review( $now, $was, $post ): void {
	if ( $post instanceof WP_Post && POSTHORN_REVIEW === $post->post_type && in_array( $was, array( 'new', 'auto-draft', 'draft', 'future' ), true ) && in_array( $now, array( 'publish', 'pending' ), true ) ) {
		posthorn_source_began( 'feedback', "review-$post->ID" );
	}
}

/**
 * A comment or review as its event carries it.
 *
 * @param string $id `comment-64` or `review-64`.
 * @return array|null Null if it is none, is about no property, or is spam.
 */
function posthorn_feedback_look( string $id ): ?array {
	list( $kind, $number ) = explode( '-', $id );
	$feedback              = 'review' === $kind ? posthorn_feedback_of_review( (int) $number ) : posthorn_feedback_of_comment( (int) $number );
	return null !== $feedback && POSTHORN_PROPERTY === get_post_type( $feedback['property_id'] ) ? $feedback : null;
}

/**
 * A comment.
 *
 * @param int $id The comment.
 */
function posthorn_feedback_of_comment( int $id ): ?array {
	$comment = get_comment( $id );
	if ( ! $comment || ! in_array( $comment->comment_type, array( '', 'comment', 'review' ), true ) || ! in_array( (string) $comment->comment_approved, array( '0', '1' ), true ) ) {
		return null;
	}
	$stars = get_comment_meta( $id, 'review_stars', true );
	return array(
		'feedback_id'  => $id,
		'kind'         => 'comment',
		'property_id'  => (int) $comment->comment_post_ID,
		'rating'       => posthorn_feedback_rating( '' === $stars ? get_comment_meta( $id, 'rating', true ) : $stars ),
		'text'         => $comment->comment_content,
		'approved'     => '1' === (string) $comment->comment_approved,
		'author'       => array(
			'name'    => $comment->comment_author,
			'email'   => $comment->comment_author_email,
			'user_id' => (int) $comment->user_id,
		),
		'submitted_at' => gmdate( 'Y-m-d\TH:i:s\Z', (int) strtotime( $comment->comment_date_gmt . ' UTC' ) ),
	);
}

/**
 * A review. Which of its fields names the property is not documented, so the usual ones are asked.
 *
 * @param int $id The post.
 */
function posthorn_feedback_of_review( int $id ): ?array {
	$review = get_post( $id );
	if ( ! $review || POSTHORN_REVIEW !== $review->post_type ) {
		return null;
	}
	$author = get_userdata( (int) $review->post_author );
	return array(
		'feedback_id'  => $id,
		'kind'         => 'review',
		'property_id'  => (int) ( get_post_meta( $id, 'attached_to', true ) ?: get_post_meta( $id, 'property_id', true ) ?: $review->post_parent ),
		'rating'       => posthorn_feedback_rating( get_post_meta( $id, 'review_stars', true ) ),
		'text'         => $review->post_content,
		'approved'     => 'publish' === $review->post_status,
		'author'       => array(
			'name'    => $author ? $author->display_name : '',
			'email'   => $author ? $author->user_email : '',
			'user_id' => $author ? (int) $author->ID : 0,
		),
		'submitted_at' => gmdate( 'Y-m-d\TH:i:s\Z', (int) get_post_timestamp( $review ) ),
	);
}

/**
 * How many stars were given.
 *
 * @param mixed $stars What is stored.
 * @return int|float|null Null if nothing was.
 */
function posthorn_feedback_rating( $stars ) {
	return is_numeric( $stars ) ? $stars + 0 : null;
}

/**
 * The event of what became of it.
 *
 * @param string     $id     `comment-64` or `review-64`.
 * @param array|null $before Null.
 * @param array|null $after  What it is.
 * @return array[] Lists of event, data, context.
 */
function posthorn_feedback_events( string $id, ?array $before, ?array $after ): array {
	return null === $after ? array() : array( array( 'feedback.submitted', $after, array( 'record' => "property:{$after['property_id']}" ) ) );
}
