<?php
/**
 * REST: test and preview.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/trial.php';

/**
 * POST test sends an event now, POST preview shows the request that would be made.
 */
class Posthorn_REST_Trial extends Posthorn_REST_Controller {

	/**
	 * Where it is.
	 *
	 * @var string
	 */
	protected $rest_base = 'test';

	/**
	 * Adds the routes.
	 */
	public function register_routes(): void {
		$this->route(
			'/test',
			$this->handler(
				WP_REST_Server::CREATABLE,
				static fn( WP_REST_Request $request ): array => self::test( $request->get_params() ),
				self::arguments(),
				array(
					'id'      => 'test',
					'summary' => __( 'Sends an event now, to a saved webhook or to any URL, and says what was answered', 'posthorn' ),
					'answer'  => 'test-result',
				)
			)
		);
		$this->route(
			'/preview',
			$this->handler(
				WP_REST_Server::CREATABLE,
				static fn( WP_REST_Request $request ): array => self::preview( $request->get_params() ),
				self::arguments(),
				array(
					'id'      => 'preview',
					'summary' => __( 'The request that a test would make, unsent', 'posthorn' ),
					'answer'  => 'preview',
				)
			)
		);
	}

	/**
	 * Sends an event.
	 *
	 * @param array $given Arguments.
	 */
	public static function test( array $given ): array {
		return posthorn_test( posthorn_trial_endpoint( $given ), $given['event'], $given['data'] ?? null );
	}

	/**
	 * Shows a request.
	 *
	 * @param array $given Arguments.
	 */
	private static function preview( array $given ): array {
		$preview            = posthorn_preview( posthorn_trial_endpoint( $given ), $given['event'], $given['data'] ?? null );
		$preview['headers'] = (object) $preview['headers'];
		return $preview;
	}

	/**
	 * What is sent: the arguments that a test of a webhook has too.
	 */
	public static function what(): array {
		return array(
			'event' => self::of( 'string', __( 'The event: a name of the catalogue.', 'posthorn' ), array( 'default' => 'test' ) ),
			'data'  => self::of( 'object', __( 'Its data; the sample of the catalogue without it.', 'posthorn' ) ),
		);
	}

	/**
	 * Where to, and what.
	 */
	private static function arguments(): array {
		return array(
			'webhook'       => self::of( 'string', __( 'The id of a saved webhook. Without it and without a URL: the first.', 'posthorn' ) ),
			'url'           => self::of( 'string', __( 'A URL, saved or not; with the arguments below and nothing of what is saved.', 'posthorn' ) ),
			'format'        => self::of( array( 'string', 'object' ), __( 'The format: a name, or a definition of one’s own; wpresidence without it.', 'posthorn' ) ),
			'secret'        => self::of( 'string', __( 'Sign with this secret. It is not stored.', 'posthorn' ) ),
			'headers'       => self::of( 'object', __( 'Headers of your own: name to value.', 'posthorn' ), array( 'additionalProperties' => array( 'type' => 'string' ) ) ),
			'timeout'       => self::of( 'number', __( 'Seconds to wait for an answer.', 'posthorn' ) ),
			'allow_private' => self::of( 'boolean', __( 'Whether an address of a private network may be called.', 'posthorn' ) ),
		) + self::what();
	}

	/**
	 * What came of it.
	 */
	public function schemas(): array {
		$required = array( 'required' => true );
		return array(
			'test-result' => array(
				'type'       => 'object',
				'properties' => array(
					'ok'          => self::of( 'boolean', __( 'Whether the receiver accepted it.', 'posthorn' ), $required ),
					'title'       => self::of( 'string', __( 'What came of it, in a line.', 'posthorn' ), $required ),
					'advice'      => self::of( 'string', __( 'What a failure means and what can be done; empty for none.', 'posthorn' ), $required ),
					'status'      => self::of( array( 'integer', 'null' ), __( 'The answer’s HTTP status; null without an answer.', 'posthorn' ), $required ),
					'duration_ms' => self::of( 'number', __( 'How long it took.', 'posthorn' ), $required ),
					'answer'      => self::of( 'string', __( 'The first 200 characters of the answer.', 'posthorn' ), $required ),
					'location'    => self::of( 'string', __( 'Where a redirect leads. It was not followed.', 'posthorn' ), $required ),
				),
			),
			'preview'     => array(
				'type'       => 'object',
				'properties' => array(
					'url'     => self::of( 'string', __( 'Where it would go.', 'posthorn' ), $required ),
					'headers' => self::of( 'object', __( 'Name to value; values of headers of your own are masked.', 'posthorn' ), $required ),
					'body'    => self::of( 'string', __( 'The body, byte for byte.', 'posthorn' ), $required ),
				),
			),
		);
	}
}
