<?php
/**
 * REST: the catalogue of events.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * GET events, GET events/NAME.
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
			'/events/(?P<name>[A-Za-z0-9_.]+)',
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
		$event = posthorn_find_event( $name );
		/* translators: %s: what was given. */
		return null === $event ? $this->not_found( sprintf( __( 'The catalogue has no event “%s”.', 'posthorn' ), $name ) ) : $this->shown( $event );
	}

	/**
	 * An event with its sample as an object, also where that is empty.
	 *
	 * @param array $event An event.
	 */
	private function shown( array $event ): array {
		$event['sample'] = (object) $event['sample'];
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
			'entity'      => self::of( 'string', __( 'What its record is.', 'posthorn' ) ),
			'source'      => self::of( 'string', __( 'Who fires it.', 'posthorn' ), array( 'enum' => array( 'crm', 'site', 'dispatch', 'posthorn' ) ) ),
			'offered'     => self::of( 'boolean', __( 'Whether the CRM’s own webhooks offer it.', 'posthorn' ) ),
			'systems'     => self::of( 'array', __( 'The systems that offer it.', 'posthorn' ), $names ),
			'other_names' => self::of( 'array', __( 'Names that other systems have for it. A subscription takes any of them.', 'posthorn' ), $names ),
			'sample'      => self::of( 'object', __( 'A sample of its data.', 'posthorn' ) ),
		);
		return array(
			'event' => array(
				'type'       => 'object',
				'properties' => array_map( static fn( array $one ): array => $one + array( 'required' => true, 'readonly' => true ), $properties ), // phpcs:ignore WordPress.Arrays
			),
		);
	}
}
