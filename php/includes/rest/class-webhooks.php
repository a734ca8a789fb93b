<?php
/**
 * REST: webhooks.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/webhooks.php';

/**
 * GET and POST webhooks; GET, PATCH and DELETE webhooks/ID; POST webhooks/ID/test, …/duplicate, …/resume; GET webhooks/ID/logs.
 */
class Posthorn_REST_Webhooks extends Posthorn_REST_Controller {

	/** What an id looks like in an address. */
	private const ID = '(?P<id>[^/]+)';

	/**
	 * Where it is.
	 *
	 * @var string
	 */
	protected $rest_base = 'webhooks';

	/**
	 * Adds the routes.
	 */
	public function register_routes(): void {
		$fields = posthorn_webhook_fields();
		$create = array( 'url' => $fields['url'] + array( 'required' => true ) ) + $fields;
		$this->route(
			'/webhooks',
			$this->handler( WP_REST_Server::READABLE, fn( WP_REST_Request $request ) => $this->list( $request ), $this->paging(), $this->tells( 'listWebhooks', __( 'The webhooks of this site', 'posthorn' ) ) + array( 'list' => true ) ),
			$this->handler( WP_REST_Server::CREATABLE, fn( WP_REST_Request $request ) => $this->added( posthorn_add_endpoint( self::given( $request ) ) ), $create, $this->tells( 'createWebhook', __( 'Adds a webhook; it is live at once', 'posthorn' ) ) + array( 'status' => 201 ) )
		);
		$id      = array( 'id' => self::of( 'string', __( 'The id of a webhook.', 'posthorn' ), array( 'required' => true ) ) );
		$waiting = array(
			'waiting' => self::of(
				'string',
				__( 'What becomes of deliveries that wait for it: cancel, or send: it gets nothing new and goes when nothing waits any more.', 'posthorn' ),
				array(
					'enum'    => array( 'cancel', 'send' ),
					'default' => 'cancel',
				)
			),
		);
		$this->route(
			'/webhooks/' . self::ID,
			$this->handler( WP_REST_Server::READABLE, fn( WP_REST_Request $request ) => $this->shown( posthorn_find_webhook( self::id( $request ) ) ), $id, $this->tells( 'getWebhook', __( 'A webhook', 'posthorn' ) ) ),
			$this->handler( WP_REST_Server::EDITABLE, fn( WP_REST_Request $request ) => $this->changed( posthorn_change_endpoint( self::id( $request ), self::given( $request ) ) ), $id + $fields, $this->tells( 'updateWebhook', __( 'Changes a webhook; what is not given stays, null is the default', 'posthorn' ) ) ),
			$this->handler( WP_REST_Server::DELETABLE, fn( WP_REST_Request $request ) => $this->delete( $request ), $id + $waiting, array( 'answer' => 'webhook-deleted' ) + $this->tells( 'deleteWebhook', __( 'Deletes a webhook', 'posthorn' ) ) )
		);
		$this->route(
			'/webhooks/' . self::ID . '/test',
			$this->handler( WP_REST_Server::CREATABLE, fn( WP_REST_Request $request ) => $this->test( $request ), $id + Posthorn_REST_Trial::what(), array( 'answer' => 'test-result' ) + $this->tells( 'testWebhook', __( 'Sends an event to a webhook now, and says what was answered', 'posthorn' ) ) )
		);
		$this->route(
			'/webhooks/' . self::ID . '/duplicate',
			$this->handler( WP_REST_Server::CREATABLE, fn( WP_REST_Request $request ) => $this->added( posthorn_duplicate_endpoint( self::id( $request ) ) ), $id, $this->tells( 'duplicateWebhook', __( 'Adds a copy of a webhook, with its secret, switched off', 'posthorn' ) ) + array( 'status' => 201 ) )
		);
		$this->route(
			'/webhooks/' . self::ID . '/resume',
			$this->handler( WP_REST_Server::CREATABLE, fn( WP_REST_Request $request ) => $this->changed( posthorn_resume_endpoint( self::id( $request ) ) ), $id, $this->tells( 'resumeWebhook', __( 'Sends what waits for a webhook now, and ends what held it back', 'posthorn' ) ) )
		);
		$this->route(
			'/webhooks/' . self::ID . '/logs',
			$this->handler( WP_REST_Server::READABLE, fn( WP_REST_Request $request ) => $this->logs( $request ), $id + self::log_arguments() + $this->paging(), array( 'answer' => 'log-entry', 'list' => true ) + $this->tells( 'listWebhookLogs', __( 'What a webhook was sent, the newest first', 'posthorn' ) ) ) // phpcs:ignore WordPress.Arrays
		);
	}

	/**
	 * What the OpenAPI document says.
	 *
	 * @param string $id      The operation's name.
	 * @param string $summary What it does.
	 */
	private function tells( string $id, string $summary ): array {
		return compact( 'id', 'summary' ) + array( 'answer' => 'webhook' );
	}

	/**
	 * What a log can be narrowed by.
	 */
	private static function log_arguments(): array {
		return array(
			'startDate' => self::of( 'string', __( 'From this time or day on, ISO 8601.', 'posthorn' ) ),
			'endDate'   => self::of( 'string', __( 'Before this time, or to the end of this day.', 'posthorn' ) ),
			'status'    => self::of( 'string', __( 'success: delivered; failed: for good; pending: waits; cancelled.', 'posthorn' ), array( 'enum' => array_values( POSTHORN_LOG_STATUS ) ) ),
			'before'    => self::of( 'string', __( 'Only those older than the entry with this id: the last of the page before. Then “page” does not count.', 'posthorn' ) ),
		);
	}

	/**
	 * The id in the address; WordPress would prefer one in the body.
	 *
	 * @param WP_REST_Request $request The request.
	 */
	private static function id( WP_REST_Request $request ): string {
		return rawurldecode( (string) $request->get_url_params()['id'] );
	}

	/**
	 * What of a request is to be set.
	 *
	 * @param WP_REST_Request $request The request.
	 */
	private static function given( WP_REST_Request $request ): array {
		$sent = (array) $request->get_json_params() + $request->get_body_params() + $request->get_query_params();
		return posthorn_whole_numbers( array_intersect_key( $request->get_params(), array_intersect_key( $sent, posthorn_webhook_fields() ) ) );
	}

	/**
	 * A page of them.
	 *
	 * @param WP_REST_Request $request The request.
	 */
	private function list( WP_REST_Request $request ): WP_REST_Response {
		posthorn_delete_endpoints_that_left();
		return $this->page_of( array_map( array( $this, 'shown' ), posthorn_webhooks() ), $request );
	}

	/**
	 * Answers with one that was added.
	 *
	 * @param array|WP_Error $added What the model returned.
	 * @return WP_REST_Response|WP_Error
	 */
	private function added( $added ) {
		if ( is_wp_error( $added ) ) {
			return $added;
		}
		$response = new WP_REST_Response( $this->shown( posthorn_find_webhook( $added['id'] ) ), 201 );
		$response->header( 'Location', rest_url( POSTHORN_REST_NAMESPACE . '/webhooks/' . rawurlencode( $added['id'] ) ) );
		return $response;
	}

	/**
	 * Answers with one as it is now.
	 *
	 * @param array|WP_Error $changed What the model returned.
	 * @return array|WP_Error
	 */
	private function changed( $changed ) {
		return is_wp_error( $changed ) ? $changed : $this->shown( posthorn_find_webhook( $changed['id'] ) );
	}

	/**
	 * Deletes one.
	 *
	 * @param WP_REST_Request $request The request.
	 * @return array|WP_Error
	 */
	private function delete( WP_REST_Request $request ) {
		$before = posthorn_find_webhook( self::id( $request ) );
		if ( is_wp_error( $before ) ) {
			return $before;
		}
		$deleted = posthorn_delete_endpoint( $before['id'], $request['waiting'] );
		return is_wp_error( $deleted ) ? $deleted : array(
			'deleted'  => ! $deleted['leaving'],
			'previous' => $this->shown( $before ),
		);
	}

	/**
	 * Sends to one.
	 *
	 * @param WP_REST_Request $request The request.
	 * @return array|WP_Error
	 */
	private function test( WP_REST_Request $request ) {
		$webhook = posthorn_find_webhook( self::id( $request ) );
		return is_wp_error( $webhook ) ? $webhook : Posthorn_REST_Trial::test( array( 'webhook' => $webhook['id'] ) + $request->get_params() );
	}

	/**
	 * What one was sent.
	 *
	 * @param WP_REST_Request $request The request.
	 * @return WP_REST_Response|WP_Error
	 */
	private function logs( WP_REST_Request $request ) {
		$webhook = posthorn_find_webhook( self::id( $request ) );
		if ( is_wp_error( $webhook ) ) {
			return $webhook;
		}
		$filter = posthorn_log_filter( $webhook['id'], $request->get_params() );
		return $this->page( array_map( 'posthorn_log_entry', $this->deliveries( $filter, $request ) ), posthorn_count_deliveries( $filter ), $request );
	}

	/**
	 * A webhook with objects where JSON has objects, also where they are empty; errors are passed on.
	 *
	 * @param array|WP_Error $webhook What posthorn_find_webhook() returned.
	 * @return array|WP_Error
	 */
	private function shown( $webhook ) {
		foreach ( is_wp_error( $webhook ) ? array() : array( 'filters', 'headers' ) as $key ) {
			$webhook[ $key ] = null === $webhook[ $key ] ? null : (object) $webhook[ $key ];
		}
		return $webhook;
	}

	/**
	 * A webhook, an entry of its log, and what is answered when it is deleted.
	 */
	public function schemas(): array {
		$fact    = static fn( $type, string $description, array $more = array() ): array => self::of( $type, $description, $more + array( 'readonly' => true, 'required' => true ) ); // phpcs:ignore WordPress.Arrays
		$time    = static fn( string $description ): array => $fact( array( 'string', 'null' ), $description, array( 'format' => 'date-time' ) );
		$fields  = array_filter( posthorn_webhook_fields(), static fn( array $field ): bool => empty( $field['writeonly'] ) );
		$webhook = array_map( static fn( array $field ): array => $field + array( 'required' => true ), $fields ) + array(
			'secrets'         => $fact( 'array', __( 'For each live secret, the newest first, when it ends.', 'posthorn' ), array( 'items' => array( 'type' => 'object', 'properties' => array( 'until' => array( 'type' => array( 'string', 'null' ) ) ) ) ) ), // phpcs:ignore WordPress.Arrays
			'state'           => $fact( array( 'string', 'null' ), __( 'active, disabled, suspended, asked_to_wait, circuit_open, failing or leaving; null if the queue does not know it.', 'posthorn' ) ),
			'waiting'         => $fact( array( 'integer', 'null' ), __( 'How many deliveries wait for it.', 'posthorn' ) ),
			'suspended'       => $fact( array( 'string', 'null' ), __( 'Why it is sent nothing.', 'posthorn' ) ),
			'paused_until'    => $time( __( 'Until when it asked to be left alone.', 'posthorn' ) ),
			'failures'        => $fact( array( 'integer', 'null' ), __( 'Attempts that failed in a row.', 'posthorn' ) ),
			'failing_since'   => $time( __( 'Since when it has been failing.', 'posthorn' ) ),
			'last_failure_at' => $time( __( 'When an attempt last failed.', 'posthorn' ) ),
			'last_success_at' => $time( __( 'When an attempt last succeeded.', 'posthorn' ) ),
			'warnings'        => $fact( 'array', __( 'What is allowed and surely not meant, such as a condition that holds for nothing.', 'posthorn' ), array( 'items' => array( 'type' => 'string' ) ) ), // phpcs:ignore WordPress.Arrays
			'read_only'       => $fact( 'boolean', __( 'Whether wp-config.php defines it, so that it can be changed there only.', 'posthorn' ) ),
			'createdAt'       => $time( __( 'When it was added; null for one from before this was kept.', 'posthorn' ) ),
			'updatedAt'       => $time( __( 'When it was last changed.', 'posthorn' ) ),
		);
		$entry   = array(
			'id'           => $fact( 'string', __( 'The id of the delivery.', 'posthorn' ) ),
			'event'        => $fact( 'string', __( 'The name of the event.', 'posthorn' ) ),
			'status'       => $fact( 'string', __( 'success, failed, pending or cancelled.', 'posthorn' ), array( 'enum' => array_values( POSTHORN_LOG_STATUS ) ) ),
			'responseCode' => $fact( array( 'integer', 'null' ), __( 'The last answer’s HTTP status.', 'posthorn' ) ),
			'attempts'     => $fact( 'integer', __( 'Attempts used up.', 'posthorn' ) ),
			'nextRetryAt'  => $time( __( 'When its next attempt is due.', 'posthorn' ) ),
			'createdAt'    => $fact( 'string', __( 'When the event was accepted.', 'posthorn' ), array( 'format' => 'date-time' ) ),
		);
		return array(
			'webhook'         => array( 'type' => 'object', 'properties' => $webhook ), // phpcs:ignore WordPress.Arrays
			'log-entry'       => array( 'type' => 'object', 'properties' => $entry ), // phpcs:ignore WordPress.Arrays
			'webhook-deleted' => array(
				'type'       => 'object',
				'properties' => array(
					'deleted'  => $fact( 'boolean', __( 'Whether it is gone; false while it is sent what waits for it.', 'posthorn' ) ),
					'previous' => array( 'type' => 'object', 'required' => true, 'properties' => $webhook ), // phpcs:ignore WordPress.Arrays
				),
			),
		);
	}
}
