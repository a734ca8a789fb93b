<?php
/**
 * REST: the catalogue of events.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/fire.php';

/**
 * GET events, GET events/NAME, POST events/NAME/dispatch.
 */
class Posthorn_REST_Events extends Posthorn_REST_Controller {

	/**
	 * Where it is.
	 *
	 * @var string
	 */
	protected $rest_base = 'events';

	/**
	 * Adds the routes.
	 */
	public function register_routes(): void {
		$this->route(
			'/events',
			$this->handler(
				WP_REST_Server::READABLE,
				fn( WP_REST_Request $request ) => $this->list( $request ),
				array(
					'group'  => self::of( 'string', __( 'Only those of a group: Contacts.', 'posthorn' ) ),
					'source' => self::of( 'string', __( 'Only those that are fired by the crm’s rows, by the site, by code (dispatch), or by posthorn.', 'posthorn' ), array( 'enum' => array( 'crm', 'site', 'dispatch', 'posthorn' ) ) ),
				) + $this->paging( self::MOST_PER_PAGE ),
				array(
					'id'      => 'listEvents',
					'summary' => __( 'The catalogue', 'posthorn' ),
					'answer'  => 'event',
					'list'    => true,
				)
			)
		);
		$this->route(
			'/events/(?P<name>[^/]+)',
			$this->handler(
				WP_REST_Server::READABLE,
				fn( WP_REST_Request $request ) => $this->find( $request['name'] ),
				array( 'name' => self::of( 'string', __( 'Its name, or one that another system has for it.', 'posthorn' ), array( 'required' => true ) ) ),
				array(
					'id'      => 'getEvent',
					'summary' => __( 'An event of the catalogue', 'posthorn' ),
					'answer'  => 'event',
				)
			)
		);
		$this->route(
			'/events/(?P<name>[^/]+)/dispatch',
			$this->handler(
				WP_REST_Server::CREATABLE,
				fn( WP_REST_Request $request ) => posthorn_fire( $request->get_url_params()['name'], $request['data'], $request->get_params() ),
				self::fired(),
				array(
					'id'      => 'dispatchEvent',
					'summary' => __( 'Fires an event: it is sent to every webhook that wants it, and tried again until each has it', 'posthorn' ),
					'answer'  => 'dispatch-result',
				)
			)
		);
	}

	/**
	 * What is said of an event that is fired.
	 */
	private static function fired(): array {
		return array(
			'name'        => self::of( 'string', __( 'Its name, or one that another system has for it.', 'posthorn' ), array( 'required' => true ) ),
			'data'        => self::of( 'object', __( 'The record as it is now.', 'posthorn' ), array( 'required' => true ) ),
			'record'      => self::of( 'string', __( 'The record it is about, deal:7: events of one record are sent in order.', 'posthorn' ) ),
			'previous'    => self::of( 'object', __( 'Old values of the fields that changed.', 'posthorn' ) ),
			'changes'     => self::of( 'array', __( 'The names of the fields that changed.', 'posthorn' ), array( 'items' => array( 'type' => 'string' ) ) ),
			'occurred_at' => self::of( 'string', __( 'When it happened, ISO 8601; now without it.', 'posthorn' ) ),
		);
	}

	/**
	 * A page of them.
	 *
	 * @param WP_REST_Request $request The request.
	 */
	private function list( WP_REST_Request $request ): WP_REST_Response {
		$events = posthorn_find_events( array_intersect_key( $request->get_params(), array_flip( array( 'group', 'source' ) ) ) );
		return $this->page_of( array_map( array( $this, 'shown' ), $events ), $request );
	}

	/**
	 * One of them.
	 *
	 * @param string $name Any of its names.
	 * @return array|WP_Error
	 */
	private function find( string $name ) {
		$event = posthorn_client_event( $name );
		/* translators: %s: what was given. */
		return null === $event ? $this->not_found( sprintf( __( 'The catalogue has no event “%s”.', 'posthorn' ), $name ) ) : $this->shown( $event );
	}

	/**
	 * An event with its sample and what was before as objects, also where they are empty.
	 *
	 * @param array $event An event.
	 */
	private function shown( array $event ): array {
		$event['sample']   = (object) $event['sample'];
		$event['previous'] = (object) $event['previous'];
		return $event;
	}

	/**
	 * An event.
	 */
	public function schemas(): array {
		$names      = array( 'items' => array( 'type' => 'string' ) );
		$properties = array(
			'name'        => self::of( 'string', __( 'Posthorn’s own name for it.', 'posthorn' ) ),
			'group'       => self::of( 'string', __( 'Where lists show it.', 'posthorn' ) ),
			'title'       => self::of( 'string', __( 'What happened, in a line.', 'posthorn' ) ),
			'meaning'     => self::of( 'string', __( 'What it means.', 'posthorn' ) ),
			'note'        => self::of( 'string', __( 'What else there is to say of it, or nothing.', 'posthorn' ) ),
			'entity'      => self::of( 'string', __( 'What its record is.', 'posthorn' ) ),
			'source'      => self::of( 'string', __( 'Who fires it.', 'posthorn' ), array( 'enum' => array( 'crm', 'site', 'dispatch', 'posthorn' ) ) ),
			'offered'     => self::of( 'boolean', __( 'Whether the CRM’s own webhooks offer it.', 'posthorn' ) ),
			'systems'     => self::of( 'array', __( 'The formats that have it.', 'posthorn' ), $names ),
			'other_names' => self::of( 'array', __( 'Names that other systems have for it. A subscription takes any of them.', 'posthorn' ), $names ),
			'sample'      => self::of( 'object', __( 'A sample of its data.', 'posthorn' ) ),
			'previous'    => self::of( 'object', __( 'Of a change: what fields of the sample held before it.', 'posthorn' ) ),
		);
		$fired      = array(
			'event_id'   => self::of( 'string', __( 'The id of the event, which every webhook carries.', 'posthorn' ) ),
			'event'      => self::of( 'string', __( 'Posthorn’s own name for it.', 'posthorn' ) ),
			'deliveries' => self::of( 'integer', __( 'To how many webhooks it goes; 0 if none subscribes to it or its conditions are not met.', 'posthorn' ) ),
		);
		$object     = static fn( array $all ): array => array(
			'type'       => 'object',
			'properties' => array_map( static fn( array $one ): array => $one + array( 'required' => true, 'readonly' => true ), $all ), // phpcs:ignore WordPress.Arrays
		);
		return array(
			'event'           => $object( $properties ),
			'dispatch-result' => $object( $fired ),
		);
	}
}
