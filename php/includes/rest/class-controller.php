<?php
/**
 * What all resources of the REST API have in common.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * A resource: who may use it, how it lists, what becomes of errors.
 *
 * Every list is `{"data": […]}`, with core's pagination headers. Beside what WordPress wants to know of a route, each says what
 * the OpenAPI document tells of it.
 */
abstract class Posthorn_REST_Controller extends WP_REST_Controller {

	/** How many are on a page if nothing is said, as in core. */
	protected const PER_PAGE = 10;

	/** How many are on a page at most, as in core. */
	protected const MOST_PER_PAGE = 100;

	/**
	 * Where it is.
	 *
	 * @var string
	 */
	protected $namespace = POSTHORN_REST_NAMESPACE;

	/**
	 * The objects it answers with: name => JSON Schema.
	 *
	 * @return array<string,array>
	 */
	abstract public function schemas(): array;

	/**
	 * The object that `rest_base` is about.
	 */
	public function get_item_schema(): array {
		$schemas = $this->schemas();
		$name    = (string) array_key_first( $schemas );
		return array(
			'$schema' => 'http://json-schema.org/draft-04/schema#',
			'title'   => $name,
		) + $schemas[ $name ];
	}

	/**
	 * Whether the caller may use the API.
	 *
	 * @return true|WP_Error
	 */
	public function may_manage() {
		if ( current_user_can( 'manage_posthorn' ) ) {
			return true;
		}
		return new WP_Error(
			'posthorn_forbidden',
			is_user_logged_in()
				? __( 'You may not manage webhooks: that takes the capability manage_posthorn.', 'posthorn' )
				: __( 'Log in: with an application password of a user who has the capability manage_posthorn, or with a cookie and a nonce.', 'posthorn' ),
			array( 'status' => rest_authorization_required_code() )
		);
	}

	/**
	 * Adds a route.
	 *
	 * @param string $path        Below the namespace.
	 * @param array  ...$handlers What handler() returned.
	 */
	protected function route( string $path, array ...$handlers ): void {
		register_rest_route( $this->namespace, $path, array_merge( $handlers, array( 'schema' => array( $this, 'get_public_item_schema' ) ) ) );
	}

	/**
	 * What answers a method of a route.
	 *
	 * @param string   $methods As register_rest_route() takes them.
	 * @param callable $answers fn( WP_REST_Request ): what is answered.
	 * @param array    $args    Name => JSON Schema of an argument.
	 * @param array    $tells   What the OpenAPI document says: `id`, `summary`, `answer` (name of a schema), `list` (is it a
	 *                          list of those), `status` (200 if not given).
	 */
	protected function handler( string $methods, callable $answers, array $args, array $tells ): array {
		foreach ( $args as $name => $arg ) {
			$args[ $name ] = $arg + array(
				'validate_callback' => 'rest_validate_request_arg',
				'sanitize_callback' => 'rest_sanitize_request_arg',
			);
		}
		return array(
			'methods'             => $methods,
			'callback'            => fn( WP_REST_Request $request ) => $this->answer( $answers, $request ),
			'permission_callback' => array( $this, 'may_manage' ),
			'args'                => $args,
			'posthorn'            => $tells,
		);
	}

	/**
	 * Answers, whatever happens.
	 *
	 * @param callable        $answers See handler().
	 * @param WP_REST_Request $request The request.
	 * @return mixed|WP_Error
	 */
	private function answer( callable $answers, WP_REST_Request $request ) {
		$strange = $this->strange( $request );
		if ( null !== $strange ) {
			return $strange;
		}
		foreach ( array_intersect_key( $request->get_attributes()['args'], array( 'page' => true, 'per_page' => true ) ) as $name => $arg ) { // phpcs:ignore WordPress.Arrays
			if ( (int) $request[ $name ] < 1 ) {
				// Of null, WordPress makes 0 without asking for the minimum.
				$request[ $name ] = $arg['default'];
			}
		}
		try {
			return $answers( $request );
		} catch ( \Throwable $error ) {
			return $this->error( $error );
		}
	}

	/**
	 * Refuses what a request that changes something names and this route does not know: a filter that is misspelt would select
	 * more than was meant.
	 *
	 * @param WP_REST_Request $request The request.
	 */
	private function strange( WP_REST_Request $request ): ?WP_Error {
		if ( in_array( $request->get_method(), array( 'GET', 'HEAD' ), true ) ) {
			return null;
		}
		$known = $request->get_attributes()['args'];
		// Whoever gives back what was answered before, means no harm by what only we set.
		$facts = array_filter( $this->get_item_schema()['properties'] ?? array(), static fn( array $one ): bool => ! empty( $one['readonly'] ) );
		// What begins with an underscore is WordPress's own, and so is the route where addresses have no names.
		$asked   = array_filter( $request->get_query_params(), static fn( $name ): bool => '_' !== substr( (string) $name, 0, 1 ) && 'rest_route' !== $name, ARRAY_FILTER_USE_KEY );
		$strange = array_diff_key( (array) $request->get_json_params() + $request->get_body_params() + $asked, $known, $facts );
		if ( array() === $strange ) {
			return null;
		}
		$name = array_key_first( $strange );
		if ( is_int( $name ) ) {
			$message = __( 'The body has to be a JSON object: {"name": value, …}.', 'posthorn' );
		} elseif ( str_starts_with( $name, '{' ) ) {
			$message = __( 'The body is JSON and does not say so: send it with the header Content-Type: application/json.', 'posthorn' );
		} else {
			/* translators: 1: name of an argument, 2: names of arguments. */
			$message = sprintf( __( '%1$s: not an argument here; known are %2$s.', 'posthorn' ), $name, implode( ', ', array_keys( $known ) ) );
		}
		return new WP_Error( 'posthorn_invalid', $message, array( 'status' => 400 ) );
	}

	/**
	 * An error as the API answers it.
	 *
	 * @param \Throwable $error What happened.
	 */
	protected function error( \Throwable $error ): WP_Error {
		$message = ucfirst( posthorn_readable( $error->getMessage() ) );
		if ( $error instanceof InvalidArgumentException || null !== posthorn_client_argument( $error ) ) {
			return new WP_Error( 'posthorn_invalid', posthorn_readable( $error->getMessage() ), array( 'status' => 400 ) );
		}
		if ( $error instanceof RuntimeException ) {
			// The queue cannot be used, or a secret cannot be read; the message names the remedy.
			return new WP_Error( 'posthorn_unavailable', $message, array( 'status' => 503 ) );
		}
		posthorn_report( $error, false );
		return new WP_Error( 'posthorn_failed', __( 'Something went wrong on this site. Its PHP error log says what.', 'posthorn' ), array( 'status' => 500 ) );
	}

	/**
	 * The error of something that is not there.
	 *
	 * @param string $message What is not there.
	 */
	protected function not_found( string $message ): WP_Error {
		return new WP_Error( 'posthorn_not_found', $message, array( 'status' => 404 ) );
	}

	/**
	 * A page of a list, with core's headers.
	 *
	 * @param array           $items   What is on the page.
	 * @param int             $total   How many there are in all.
	 * @param WP_REST_Request $request The request, with `page` and `per_page`.
	 */
	protected function page( array $items, int $total, WP_REST_Request $request ): WP_REST_Response {
		$query    = $request->get_query_params();
		$response = new WP_REST_Response( array( 'data' => $this->with_fields( array_values( $items ), $request ) ) );
		$pages    = (int) ceil( $total / $request['per_page'] );
		$response->header( 'X-WP-Total', (string) $total );
		$response->header( 'X-WP-TotalPages', (string) $pages );
		unset( $query['rest_route'], $query['_wpnonce'] );
		$link = static fn( array $change ): string => add_query_arg( urlencode_deep( $change + $query ), rest_url( $request->get_route() ) );
		if ( isset( $request['before'] ) ) {
			if ( count( $items ) >= $request['per_page'] ) {
				$response->link_header( 'next', $link( array( 'before' => end( $items )['id'] ) ) );
			}
			return $response;
		}
		if ( $request['page'] > 1 ) {
			$response->link_header( 'prev', $link( array( 'page' => min( $request['page'] - 1, max( 1, $pages ) ) ) ) );
		}
		if ( $request['page'] < $pages ) {
			$response->link_header( 'next', $link( array( 'page' => $request['page'] + 1 ) ) );
		}
		return $response;
	}

	/**
	 * What of a list was asked for by core's `_fields`, which means the fields of what is listed.
	 *
	 * @param array           $items   What is on the page.
	 * @param WP_REST_Request $request The request; its `_fields` is changed, as core would look for them beside `data`.
	 */
	private function with_fields( array $items, WP_REST_Request $request ): array {
		$fields = wp_parse_list( $request['_fields'] ?? array() );
		if ( array() === $fields || in_array( 'data', $fields, true ) ) {
			return $items;
		}
		$picked             = new WP_REST_Request();
		$picked['_fields']  = preg_replace( '/^data\./', '', $fields );
		$request['_fields'] = 'data';
		return rest_filter_response_fields( new WP_REST_Response( $items ), rest_get_server(), $picked )->get_data();
	}

	/**
	 * The deliveries of a page: by its number, or after the last one of the page before.
	 *
	 * @param array           $filter  A filter.
	 * @param WP_REST_Request $request The request, with `before`, `page` and `per_page`.
	 * @return array[]
	 */
	protected function deliveries( array $filter, WP_REST_Request $request ): array {
		if ( ! isset( $request['before'] ) ) {
			return posthorn_page_of_deliveries( $filter, $request['page'], $request['per_page'] );
		}
		return posthorn_client_deliveries( array( 'before' => $request['before'], 'limit' => $request['per_page'] ) + $filter ); // phpcs:ignore WordPress.Arrays
	}

	/**
	 * A page of a list that is at hand.
	 *
	 * @param array           $items   All.
	 * @param WP_REST_Request $request The request, with `page` and `per_page`.
	 */
	protected function page_of( array $items, WP_REST_Request $request ): WP_REST_Response {
		// A page's number may be so large that the product is no integer any more.
		$skip = (int) min( ( $request['page'] - 1 ) * $request['per_page'], count( $items ) );
		return $this->page( array_slice( $items, $skip, $request['per_page'] ), count( $items ), $request );
	}

	/**
	 * The arguments that every list has.
	 *
	 * @param int $per_page How many are on a page if nothing is said.
	 */
	protected function paging( int $per_page = self::PER_PAGE ): array {
		return array(
			'page'     => array(
				'description' => __( 'The page, from 1 on.', 'posthorn' ),
				'type'        => 'integer',
				'default'     => 1,
				'minimum'     => 1,
			),
			'per_page' => array(
				'description' => __( 'How many are on a page.', 'posthorn' ),
				'type'        => 'integer',
				'default'     => $per_page,
				'minimum'     => 1,
				'maximum'     => self::MOST_PER_PAGE,
			),
		);
	}

	/**
	 * A schema of an argument or property in one line.
	 *
	 * @param string|string[] $type        A type of JSON Schema, or several.
	 * @param string          $description What it says.
	 * @param array           $more        Optional. More of JSON Schema.
	 */
	protected static function of( $type, string $description, array $more = array() ): array {
		return compact( 'type', 'description' ) + $more;
	}
}
