<?php
/**
 * What the commands of wp posthorn have in common.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * A command: who may run it, how it prints, how it ends. Exit code 0 when what was asked for is done, 1 when not.
 */
abstract class Posthorn_CLI_Door {

	/** The queue gives so many deliveries at once. */
	private const MOST_AT_ONCE = 1000;

	/** What JSON has as an object, also where it is empty. */
	private const OBJECTS = array( 'filters', 'headers', 'sample', 'data', 'timings', 'request_headers', 'response_headers' );

	/**
	 * Ends the command if it cannot or may not be run.
	 *
	 * Without --user nobody is logged in: whoever has a shell with the site's files needs no capability.
	 */
	protected function require_ready(): void {
		switch ( posthorn_requirement_problem() ) {
			case 'missing':
				WP_CLI::error( sprintf( 'The PHP extension posthorn is not loaded in this PHP %s (%s). Load it with extension=posthorn.so in its php.ini.', PHP_VERSION, PHP_BINARY ) );
				break;
			case 'version':
				WP_CLI::error( sprintf( 'The plugin is version %s, the PHP extension is version %s. Install the library of the plugin’s version.', POSTHORN_VERSION, (string) phpversion( 'posthorn' ) ) );
		}
		if ( is_user_logged_in() && ! current_user_can( 'manage_posthorn' ) ) {
			WP_CLI::error( sprintf( 'The user %s may not manage webhooks: that takes the capability manage_posthorn.', wp_get_current_user()->user_login ) );
		}
	}

	/**
	 * Does something; what goes wrong ends the command with its message.
	 *
	 * @param callable $act fn(): what is returned. A WP_Error is an error too.
	 * @return mixed
	 */
	protected function attempt( callable $act ) {
		try {
			$done = $act();
		} catch ( \Throwable $error ) {
			$this->fail( $error );
		}
		if ( is_wp_error( $done ) ) {
			WP_CLI::error( $done->get_error_message() );
		}
		return $done;
	}

	/**
	 * Ends the command with an error, and where a directory is another user's, with whose it is and what to do.
	 *
	 * @param Throwable $error What happened.
	 * @return never
	 */
	protected function fail( Throwable $error ): void {
		if ( 'permission' !== posthorn_client_trouble( $error ) ) {
			WP_CLI::error( posthorn_readable( $error->getMessage() ) );
		}
		require_once __DIR__ . '/permission.php';
		WP_CLI::error( posthorn_cli_permission_message( $error->getMessage() ) );
	}

	/**
	 * Prints a list.
	 *
	 * @param array[]  $items   What is listed.
	 * @param string[] $fields  What of it, unless --fields says so.
	 * @param array    $options --format (table, json, csv, yaml, count, ids), --fields.
	 */
	protected function print_list( array $items, array $fields, array $options ): void {
		$format = (string) ( $options['format'] ?? 'table' );
		$fields = isset( $options['fields'] ) ? preg_split( '/[\s,]+/', (string) $options['fields'], -1, PREG_SPLIT_NO_EMPTY ) : $fields;
		if ( 'ids' === $format ) {
			WP_CLI::log( implode( ' ', array_column( $items, isset( $items[0]['id'] ) ? 'id' : 'name' ) ) );
			return;
		}
		foreach ( array_diff( $fields, array_keys( $items[0] ?? array_flip( $fields ) ) ) as $strange ) {
			WP_CLI::error( sprintf( '--fields: there is no field %s; there are %s.', $strange, implode( ', ', array_keys( $items[0] ) ) ) );
		}
		if ( 'count' === $format ) {
			WP_CLI::log( (string) count( $items ) );
			return;
		}
		if ( 'json' === $format ) {
			$picked = array_map( static fn( array $item ): array => array_replace( array_flip( $fields ), array_intersect_key( self::objects( $item ), array_flip( $fields ) ) ), $items );
			WP_CLI::log( (string) wp_json_encode( $picked, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) );
			return;
		}
		if ( 'yaml' !== $format ) {
			$items = array_map( static fn( array $item ): array => array_map( array( self::class, 'plain' ), $item ), $items );
		}
		WP_CLI\Utils\format_items( $format, $items, $fields );
	}

	/**
	 * Prints one thing: a table or CSV of its fields, or JSON.
	 *
	 * @param array $item    What is printed.
	 * @param array $options --format (table, json, csv, yaml), --field for one value alone.
	 */
	protected function print_one( array $item, array $options ): void {
		if ( isset( $options['field'] ) ) {
			if ( ! array_key_exists( $options['field'], $item ) ) {
				WP_CLI::error( sprintf( '--field: there is no field %s; there are %s.', $options['field'], implode( ', ', array_keys( $item ) ) ) );
			}
			WP_CLI::log( self::plain( $item[ $options['field'] ] ) );
			return;
		}
		if ( 'json' === ( $options['format'] ?? 'table' ) ) {
			WP_CLI::log( (string) wp_json_encode( self::objects( $item ), JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) );
			return;
		}
		if ( 'yaml' === ( $options['format'] ?? 'table' ) ) {
			WP_CLI\Utils\format_items( 'yaml', array( $item ), array_keys( $item ) );
			return;
		}
		$rows = array();
		foreach ( $item as $field => $value ) {
			$rows[] = array(
				'field' => $field,
				'value' => self::plain( $value ),
			);
		}
		WP_CLI\Utils\format_items( $options['format'] ?? 'table', $rows, array( 'field', 'value' ) );
	}

	/**
	 * A value in a cell. What a receiver or a record says must not steer the terminal.
	 *
	 * @param mixed $value A value.
	 */
	protected static function plain( $value ): string {
		if ( is_bool( $value ) ) {
			return $value ? 'yes' : 'no';
		}
		$text = is_array( $value ) || is_object( $value ) ? (string) wp_json_encode( $value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) : (string) $value;
		return (string) preg_replace( '/[\x00-\x1f\x7f]+/', ' ', $text );
	}

	/**
	 * A thing as JSON has it: what is an object there is none of PHP's empty lists.
	 *
	 * @param array $item What is printed.
	 */
	private static function objects( array $item ): array {
		foreach ( self::OBJECTS as $key ) {
			if ( array() === ( $item[ $key ] ?? null ) ) {
				$item[ $key ] = (object) array();
			}
		}
		if ( isset( $item['attempts_log'] ) ) {
			$item['attempts_log'] = array_map( array( self::class, 'objects' ), $item['attempts_log'] );
		}
		return $item;
	}

	/**
	 * Asks before something that cannot be taken back. WP-CLI's own question ends with 0 where the answer is no, as if it were done.
	 *
	 * @param string $question What is asked.
	 * @param array  $options  --yes: do not ask.
	 */
	protected function confirm( string $question, array $options ): void {
		if ( ! empty( $options['yes'] ) ) {
			return;
		}
		fwrite( STDOUT, "$question [y/n] " ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- Not a file.
		$answer = fgets( STDIN );
		if ( 'y' !== strtolower( trim( (string) $answer ) ) ) {
			WP_CLI::error( false === $answer ? 'Nobody answered, and nothing was changed. --yes answers in advance.' : 'Nothing was changed.' );
		}
	}

	/**
	 * An option that is JSON.
	 *
	 * @param array  $options Options.
	 * @param string $name    The option's name.
	 * @return array|null Null without it.
	 */
	protected function json( array $options, string $name ): ?array {
		if ( ! isset( $options[ $name ] ) ) {
			return null;
		}
		$value = json_decode( (string) $options[ $name ], true );
		if ( ! is_array( $value ) ) {
			WP_CLI::error( sprintf( '--%1$s takes a JSON object, such as --%1$s=\'{"first_name":"Zoë"}\'.', $name ) );
		}
		return $value;
	}

	/**
	 * A limit.
	 *
	 * @param string $limit What was given.
	 */
	protected function limit( string $limit ): int {
		if ( ! ctype_digit( $limit ) || $limit < 1 || $limit > self::MOST_AT_ONCE ) {
			WP_CLI::error( sprintf( '--limit takes a number from 1 to %d.', self::MOST_AT_ONCE ) );
		}
		return (int) $limit;
	}
}
