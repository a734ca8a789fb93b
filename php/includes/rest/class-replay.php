<?php
/**
 * REST: replay and cancel, for as many deliveries as a filter selects.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * POST replay, POST cancel.
 */
class Posthorn_REST_Replay extends Posthorn_REST_Controller {

	/**
	 * Where it is.
	 *
	 * @var string
	 */
	protected $rest_base = 'replay';

	/**
	 * Adds the routes.
	 */
	public function register_routes(): void {
		$args = array( 'id' => self::of( 'string', __( 'One delivery.', 'posthorn' ) ) ) + Posthorn_REST_Deliveries::filters() + array(
			'limit' => self::of(
				'integer',
				__( 'The newest so many; all without it.', 'posthorn' ),
				array(
					'minimum' => 1,
					'maximum' => POSTHORN_MOST_DELIVERIES,
				)
			),
		);
		$acts = array(
			'replay' => __( 'Sends settled deliveries again: dead ones; others if their state or id is named', 'posthorn' ),
			'cancel' => __( 'Cancels deliveries that wait', 'posthorn' ),
		);
		foreach ( $acts as $act => $summary ) {
			$this->route(
				"/$act",
				$this->handler(
					WP_REST_Server::CREATABLE,
					static function ( WP_REST_Request $request ) use ( $act ): array {
						$params = $request->get_params();
						$filter = posthorn_delivery_filter( $params ) + array_intersect_key( $params, array( 'limit' => true ) );
						return 'replay' === $act ? array( 'replayed' => posthorn_replay( $filter ) ) : array( 'cancelled' => posthorn_cancel( $filter ) );
					},
					$args,
					array(
						'id'      => $act,
						'summary' => $summary,
						'answer'  => "$act-result",
					)
				)
			);
		}
	}

	/**
	 * What is answered.
	 */
	public function schemas(): array {
		$count = static fn( string $name, string $description ): array => array(
			'type'       => 'object',
			'properties' => array( $name => self::of( 'integer', $description, array( 'required' => true ) ) ),
		);
		return array(
			'replay-result' => $count( 'replayed', __( 'How many are sent again.', 'posthorn' ) ),
			'cancel-result' => $count( 'cancelled', __( 'How many were cancelled.', 'posthorn' ) ),
		);
	}
}
