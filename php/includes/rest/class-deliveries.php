<?php
/**
 * REST: deliveries.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * What was sent, what waits, what failed: GET deliveries, GET deliveries/ID, POST deliveries/ID/replay and …/cancel.
 */
class Posthorn_REST_Deliveries extends Posthorn_REST_Controller {

	/**
	 * Where it is.
	 *
	 * @var string
	 */
	protected $rest_base = 'deliveries';

	/**
	 * Adds the routes.
	 */
	public function register_routes(): void {
		$id = array( 'id' => self::of( 'string', __( 'The id of a delivery.', 'posthorn' ), array( 'required' => true ) ) );
		$this->route(
			'/deliveries',
			$this->handler(
				WP_REST_Server::READABLE,
				fn( WP_REST_Request $request ) => $this->list( $request ),
				self::filters() + array( 'before' => self::of( 'string', __( 'Only those older than the delivery with this id: the last of the page before. Then “page” does not count.', 'posthorn' ) ) ) + $this->paging(),
				array(
					'id'      => 'listDeliveries',
					'summary' => __( 'Deliveries, the newest first', 'posthorn' ),
					'answer'  => 'delivery',
					'list'    => true,
				)
			)
		);
		$this->route(
			'/deliveries/(?P<id>[^/]+)',
			$this->handler(
				WP_REST_Server::READABLE,
				fn( WP_REST_Request $request ) => $this->find( $request->get_url_params()['id'] ),
				$id,
				array(
					'id'      => 'getDelivery',
					'summary' => __( 'A delivery with its attempts', 'posthorn' ),
					'answer'  => 'delivery-with-attempts',
				)
			)
		);
		foreach ( array( 'replay' => __( 'Sends a settled delivery again', 'posthorn' ), 'cancel' => __( 'Cancels a delivery that waits', 'posthorn' ) ) as $act => $summary ) { // phpcs:ignore WordPress.Arrays
			$this->route(
				"/deliveries/(?P<id>[^/]+)/$act",
				$this->handler(
					WP_REST_Server::CREATABLE,
					fn( WP_REST_Request $request ) => $this->act( $act, $request->get_url_params()['id'] ),
					$id,
					array(
						'id'      => "{$act}Delivery",
						'summary' => $summary,
						'answer'  => 'delivery-with-attempts',
					)
				)
			);
		}
	}

	/**
	 * What a list can be narrowed by.
	 */
	public static function filters(): array {
		return array(
			'endpoint' => self::of( 'string', __( 'The id of the webhook they go to.', 'posthorn' ) ),
			'event'    => self::of( 'string', __( 'The name of their event, as the catalogue has it.', 'posthorn' ) ),
			'event_id' => self::of( 'string', __( 'The id of their event.', 'posthorn' ) ),
			'record'   => self::of( 'string', __( 'The record their event is about: contact:7.', 'posthorn' ) ),
			'state'    => self::of( 'string', __( 'Their state.', 'posthorn' ), array( 'enum' => array( 'pending', 'delivered', 'dead', 'cancelled' ) ) ),
			'since'    => self::of( 'string', __( 'Accepted at this time or later, ISO 8601.', 'posthorn' ) ),
			'until'    => self::of( 'string', __( 'Accepted before this time, ISO 8601.', 'posthorn' ) ),
		);
	}

	/**
	 * A page of them.
	 *
	 * @param WP_REST_Request $request The request.
	 */
	private function list( WP_REST_Request $request ): WP_REST_Response {
		$filter = posthorn_delivery_filter( $request->get_params() );
		return $this->page( $this->deliveries( $filter, $request ), posthorn_count_deliveries( $filter ), $request );
	}

	/**
	 * One of them.
	 *
	 * @param string $id Its id.
	 * @return array|WP_Error
	 */
	private function find( string $id ) {
		$delivery = posthorn_client_delivery( $id );
		if ( null === $delivery ) {
			/* translators: %s: an id. */
			return $this->not_found( sprintf( __( 'There is no delivery %s on this site. It may have been forgotten since.', 'posthorn' ), $id ) );
		}
		$delivery['data'] = (object) $delivery['data'];
		foreach ( $delivery['attempts_log'] as $n => $attempt ) {
			// Objects, also where they are empty.
			foreach ( array( 'timings', 'request_headers', 'response_headers' ) as $key ) {
				$delivery['attempts_log'][ $n ][ $key ] = (object) $attempt[ $key ];
			}
		}
		return $delivery;
	}

	/**
	 * Does something with one of them.
	 *
	 * @param string $act `replay` or `cancel`.
	 * @param string $id  Its id.
	 * @return array|WP_Error
	 */
	private function act( string $act, string $id ) {
		$delivery = $this->find( $id );
		if ( is_wp_error( $delivery ) ) {
			return $delivery;
		}
		$done = 'replay' === $act ? posthorn_replay( compact( 'id' ) ) : posthorn_cancel( compact( 'id' ) );
		if ( 0 === $done ) {
			$message = 'cancel' === $act || 'pending' === $delivery['state']
				/* translators: %s: a delivery's state. */
				? sprintf( __( 'Nothing was changed: the delivery is %s.', 'posthorn' ), $delivery['state'] )
				: __( 'Nothing was changed: the webhook that the delivery goes to is gone.', 'posthorn' );
			return new WP_Error( 'posthorn_conflict', $message, array( 'status' => 409 ) );
		}
		return $this->find( $id );
	}

	/**
	 * A delivery, alone and with its attempts.
	 */
	public function schemas(): array {
		$time     = static fn( string $description ): array => self::of( array( 'string', 'null' ), $description, array( 'format' => 'date-time' ) );
		$delivery = array(
			'id'              => self::of( 'string', __( 'Its id.', 'posthorn' ) ),
			'event_id'        => self::of( 'string', __( 'The id of its event, the same for every receiver and attempt.', 'posthorn' ) ),
			'event'           => self::of( 'string', __( 'The name of its event.', 'posthorn' ) ),
			'record'          => self::of( 'string', __( 'The record the event is about; empty for none.', 'posthorn' ) ),
			'endpoint'        => self::of( 'string', __( 'The id of the webhook it goes to.', 'posthorn' ) ),
			'site'            => self::of( 'string', __( 'The site of a network; empty outside one.', 'posthorn' ) ),
			'state'           => self::of( 'string', __( 'pending: waits; delivered; dead: failed for good; cancelled.', 'posthorn' ), array( 'enum' => array( 'pending', 'delivered', 'dead', 'cancelled' ) ) ),
			'attempts'        => self::of( 'integer', __( 'Attempts used up.', 'posthorn' ) ),
			'created_at'      => self::of( 'string', __( 'When the event was accepted.', 'posthorn' ), array( 'format' => 'date-time' ) ),
			'settled_at'      => $time( __( 'When its last attempt was settled.', 'posthorn' ) ),
			'next_attempt_at' => $time( __( 'When its next attempt is due.', 'posthorn' ) ),
			'last_status'     => self::of( array( 'integer', 'null' ), __( 'The last answer’s HTTP status.', 'posthorn' ) ),
			'last_error'      => self::of( array( 'string', 'null' ), __( 'Why the last attempt failed.', 'posthorn' ) ),
		);
		$attempt  = array(
			'n'                => self::of( 'integer', __( 'Its number. Requests that used up no attempt repeat it.', 'posthorn' ) ),
			'started_at'       => self::of( 'string', __( 'When it began.', 'posthorn' ), array( 'format' => 'date-time' ) ),
			'duration_ms'      => self::of( 'number', __( 'How long it took.', 'posthorn' ) ),
			'timings'          => self::of( 'object', __( 'Milliseconds by phase.', 'posthorn' ) ),
			'status'           => self::of( array( 'integer', 'null' ), __( 'The answer’s HTTP status.', 'posthorn' ) ),
			'error'            => self::of( array( 'string', 'null' ), __( 'Why it failed.', 'posthorn' ) ),
			'request_headers'  => self::of( 'object', __( 'What was sent; values of headers of your own are masked.', 'posthorn' ) ),
			'request_body'     => self::of( array( 'string', 'null' ), __( 'What was sent.', 'posthorn' ) ),
			'response_headers' => self::of( 'object', __( 'What was answered.', 'posthorn' ) ),
			'response_body'    => self::of( 'string', __( 'What was answered, 64 KiB at most.', 'posthorn' ) ),
		);
		$object   = static fn( array $properties ): array => array(
			'type'       => 'object',
			'properties' => array_map( static fn( array $one ): array => $one + array( 'required' => true, 'readonly' => true ), $properties ), // phpcs:ignore WordPress.Arrays
		);
		return array(
			'delivery'               => $object( $delivery ),
			'attempt'                => $object( $attempt ),
			'delivery-with-attempts' => $object(
				$delivery + array(
					'source'       => self::of( array( 'string', 'null' ), __( 'What caused the event: person, cron, cli or import.', 'posthorn' ) ),
					'user_id'      => self::of( array( 'string', 'integer', 'null' ), __( 'The id of the user who did.', 'posthorn' ) ),
					'data'         => self::of( 'object', __( 'The event’s data.', 'posthorn' ) ),
					'attempts_log' => self::of( 'array', __( 'Every request that was made, the first one first.', 'posthorn' ), array( 'items' => $object( $attempt ) ) ),
				)
			),
		);
	}
}
