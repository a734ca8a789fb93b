<?php
/**
 * WP-CLI: wp posthorn webhook.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/deliveries.php';
require_once dirname( __DIR__ ) . '/webhooks.php';
require_once __DIR__ . '/class-trial.php';
require_once __DIR__ . '/webhook-options.php';

/**
 * Lists, shows, adds, changes, deletes and tests webhooks, and shows what each was sent.
 */
class Posthorn_CLI_Webhook_Command extends Posthorn_CLI_Trial {

	/** So many events of a webhook are named in a table. */
	private const NAMED_EVENTS = 3;

	/**
	 * Lists the webhooks of the site.
	 *
	 * ## OPTIONS
	 *
	 * [--fields=<fields>]
	 * : These fields, separated by commas.
	 *
	 * [--format=<format>]
	 * : How it is printed.
	 * ---
	 * default: table
	 * options:
	 *   - table
	 *   - json
	 *   - csv
	 *   - yaml
	 *   - ids
	 *   - count
	 * ---
	 *
	 * @subcommand list
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function list_( array $arguments, array $options ): void {
		$this->require_ready();
		$webhooks = $this->attempt(
			static function (): array {
				posthorn_delete_endpoints_that_left();
				return posthorn_webhooks();
			}
		);
		if ( 'table' === $options['format'] && ! isset( $options['fields'] ) ) {
			// Whoever reads a table has seen enough after a few; programs ask for another format.
			foreach ( $webhooks as $n => $webhook ) {
				$more                     = count( $webhook['events'] ) - self::NAMED_EVENTS;
				$webhooks[ $n ]['events'] = implode( ', ', array_slice( $webhook['events'], 0, self::NAMED_EVENTS ) ) . ( $more > 0 ? " and $more more" : '' );
			}
		}
		$this->print_list( $webhooks, array( 'id', 'url', 'events', 'enabled', 'description', 'format', 'state', 'waiting', 'last_success_at' ), $options );
	}

	/**
	 * Shows a webhook. Its secrets are never shown.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The webhook's id.
	 *
	 * [--field=<field>]
	 * : One value alone.
	 *
	 * [--format=<format>]
	 * : How it is printed.
	 * ---
	 * default: table
	 * options:
	 *   - table
	 *   - json
	 *   - csv
	 *   - yaml
	 * ---
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function get( array $arguments, array $options ): void {
		$this->require_ready();
		$this->print_one( $this->attempt( static fn() => posthorn_find_webhook( $arguments[0] ) ), $options );
	}

	/**
	 * Adds a webhook; it is live at once.
	 *
	 * ## OPTIONS
	 *
	 * <url>
	 * : Where webhooks go.
	 *
	 * [--events=<events>]
	 * : What it subscribes to, separated by commas: names of the catalogue, deal.*, or * for all, which is the default.
	 *
	 * [--secret=<secret>]
	 * : Sign with this secret. Other users of the server can see it in the list of processes; --prompt=secret asks for it.
	 *
	 * [--enabled=<enabled>]
	 * : true or false.
	 *
	 * [--description=<text>]
	 * : A name or note of your own.
	 *
	 * [--filters=<json>]
	 * : Only events for which all hold: '{"lifecycle_stage":"lead","budget":{"gte":250000}}'.
	 *
	 * [--wire-format=<name>]
	 * : How requests look, see wp posthorn format list; wpresidence without it.
	 *
	 * [--<field>=<value>]
	 * : Whatever else a webhook has, such as --timeout=10, --schedule=60,300, --headers='{"X-Key":"…"}', --allow_private=true,
	 * --preset=zapier, --id=warehouse.
	 *
	 * [--porcelain]
	 * : Print the id alone.
	 *
	 * [--format=<format>]
	 * : How the webhook is printed.
	 * ---
	 * default: table
	 * options:
	 *   - table
	 *   - json
	 *   - csv
	 *   - yaml
	 * ---
	 *
	 * ## EXAMPLES
	 *
	 *     wp posthorn webhook create https://hooks.zapier.com/hooks/catch/1/abc --events='deal.*,contact.created' --preset=zapier
	 *     wp posthorn webhook create https://receiver.example/ --wire-format=winnerr --prompt=secret --porcelain
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function create( array $arguments, array $options ): void {
		$this->require_ready();
		$given = array( 'url' => $arguments[0] ) + posthorn_cli_webhook_given( $options );
		$added = $this->attempt( static fn() => posthorn_add_endpoint( $given ) );
		$this->print_saved( $added, $options, 'Webhook %s was added.' );
	}

	/**
	 * Changes a webhook. What is not named stays as it is; null puts a value back to its default.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The webhook's id.
	 *
	 * [--new-url=<url>]
	 * : Where webhooks go from now on; --url is WP-CLI's own.
	 *
	 * [--events=<events>]
	 * : What it subscribes to, separated by commas.
	 *
	 * [--secret=<secret>]
	 * : Sign with this secret from now on; --prompt=secret asks for it.
	 *
	 * [--keep_secrets_until=<time>]
	 * : With a new secret: the ones before sign too, until then (ISO 8601).
	 *
	 * [--enabled=<enabled>]
	 * : true or false.
	 *
	 * [--description=<text>]
	 * : A name or note of your own.
	 *
	 * [--filters=<json>]
	 * : Only events for which all hold.
	 *
	 * [--wire-format=<name>]
	 * : How requests look, see wp posthorn format list.
	 *
	 * [--<field>=<value>]
	 * : Whatever else a webhook has.
	 *
	 * [--porcelain]
	 * : Print the id alone.
	 *
	 * [--format=<format>]
	 * : How the webhook is printed.
	 * ---
	 * default: table
	 * options:
	 *   - table
	 *   - json
	 *   - csv
	 *   - yaml
	 * ---
	 *
	 * ## EXAMPLES
	 *
	 *     wp posthorn webhook update main --enabled=false
	 *     wp posthorn webhook update main --prompt=secret --keep_secrets_until=2026-05-01T00:00:00Z
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function update( array $arguments, array $options ): void {
		$this->require_ready();
		$given = posthorn_cli_webhook_given( $options );
		if ( array() === $given ) {
			WP_CLI::error( 'Nothing was named that should change, such as --enabled=false.' );
		}
		if ( isset( $given['id'] ) && $given['id'] !== $arguments[0] ) {
			WP_CLI::error( '--id: the id of a webhook stays. Add another one: wp posthorn webhook create … --id=' . $given['id'] );
		}
		$changed = $this->attempt( static fn() => posthorn_change_endpoint( $arguments[0], $given ) );
		$this->print_saved( $changed, $options, 'Webhook %s was changed.' );
	}

	/**
	 * Deletes a webhook.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The webhook's id.
	 *
	 * [--waiting=<what>]
	 * : What becomes of deliveries that wait for it: they are cancelled, or sent; then it gets nothing new and goes when nothing
	 * waits any more.
	 * ---
	 * default: cancel
	 * options:
	 *   - cancel
	 *   - send
	 * ---
	 *
	 * [--yes]
	 * : Do not ask.
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function delete( array $arguments, array $options ): void {
		$this->require_ready();
		$webhook = $this->attempt( static fn() => posthorn_find_webhook( $arguments[0] ) );
		$waiting = 'cancel' === $options['waiting'] && $webhook['waiting'] > 0 ? sprintf( ' Deliveries that wait for it and are cancelled: %d.', $webhook['waiting'] ) : '';
		$this->confirm( sprintf( 'Delete the webhook %s to %s?%s', $webhook['id'], (string) wp_parse_url( $webhook['url'], PHP_URL_HOST ), $waiting ), $options );
		$deleted = $this->attempt( static fn() => posthorn_delete_endpoint( $webhook['id'], $options['waiting'] ) );
		WP_CLI::success( sprintf( $deleted['leaving'] ? 'Webhook %s gets nothing new, and goes when nothing waits for it any more.' : 'Webhook %s was deleted.', $webhook['id'] ) );
	}

	/**
	 * Sends an event to a webhook now. Exit code 0 if it was accepted, 1 otherwise.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The webhook's id.
	 *
	 * [--event=<event>]
	 * : The event, with its sample from the catalogue.
	 * ---
	 * default: test
	 * ---
	 *
	 * [--data=<json>]
	 * : Data of your own instead of the sample.
	 *
	 * [--allow-private]
	 * : Allow an address of the own network.
	 *
	 * [--format=<format>]
	 * : How the outcome is printed.
	 * ---
	 * default: text
	 * options:
	 *   - text
	 *   - table
	 *   - json
	 *   - csv
	 *   - yaml
	 * ---
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function test( array $arguments, array $options ): void {
		$this->require_ready();
		$data    = $this->json( $options, 'data' );
		$webhook = $this->attempt( static fn() => posthorn_find_webhook( $arguments[0] ) );
		$private = array_filter( array( 'allow_private' => ! empty( $options['allow-private'] ) ) );
		$result  = $this->attempt( static fn() => posthorn_test( posthorn_trial_endpoint( array( 'webhook' => $webhook['id'] ) + $private ), (string) $options['event'], $data ) );
		$this->print_result( $result, $options );
	}

	/**
	 * Shows what a webhook was sent, the newest first.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The webhook's id.
	 *
	 * [--<field>=<value>]
	 * : --startDate: from this time or day on, ISO 8601. --endDate: before this time, or to the end of this day.
	 *
	 * [--status=<status>]
	 * : Only those: success (delivered), failed (for good), pending, cancelled.
	 * ---
	 * options:
	 *   - success
	 *   - failed
	 *   - pending
	 *   - cancelled
	 * ---
	 *
	 * [--limit=<number>]
	 * : The newest so many, 1 to 1000.
	 * ---
	 * default: 50
	 * ---
	 *
	 * [--before=<id>]
	 * : Only those older than the entry with this id: the last one of the page before.
	 *
	 * [--fields=<fields>]
	 * : These fields, separated by commas.
	 *
	 * [--format=<format>]
	 * : How it is printed; count is how many there are in all.
	 * ---
	 * default: table
	 * options:
	 *   - table
	 *   - json
	 *   - csv
	 *   - yaml
	 *   - ids
	 *   - count
	 * ---
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function logs( array $arguments, array $options ): void {
		$this->require_ready();
		// WP-CLI knows no capital letters in the names of options, so it does not tell one that is misspelt.
		foreach ( array_diff( array_keys( $options ), array( 'startDate', 'endDate', 'status', 'limit', 'before', 'fields', 'format' ) ) as $strange ) {
			WP_CLI::error( sprintf( '--%s: not an option here; the dates are --startDate and --endDate.', $strange ) );
		}
		$webhook = $this->attempt( static fn() => posthorn_find_webhook( $arguments[0] ) );
		$filter  = $this->attempt( static fn() => posthorn_log_filter( $webhook['id'], $options ) );
		if ( 'count' === $options['format'] ) {
			WP_CLI::log( (string) $this->attempt( static fn() => posthorn_count_deliveries( $filter ) ) );
			return;
		}
		$page       = array_filter( array( 'limit' => $this->limit( $options['limit'] ), 'before' => $options['before'] ?? '' ) ); // phpcs:ignore WordPress.Arrays
		$deliveries = $this->attempt( static fn() => posthorn_client_deliveries( $filter + $page ) );
		$this->print_list( array_map( 'posthorn_log_entry', $deliveries ), array( 'id', 'event', 'status', 'responseCode', 'attempts', 'nextRetryAt', 'createdAt' ), $options );
	}

	/**
	 * Says that a webhook was saved, and shows it.
	 *
	 * @param array  $saved   What the model returned.
	 * @param array  $options --porcelain, --format.
	 * @param string $says    What is said.
	 */
	protected function print_saved( array $saved, array $options, string $says ): void {
		if ( ! empty( $options['porcelain'] ) ) {
			WP_CLI::log( $saved['id'] );
			return;
		}
		$webhook = $this->attempt( static fn() => posthorn_find_webhook( $saved['id'] ) );
		$this->print_one( array_filter( $webhook, static fn( $value ): bool => null !== $value ), $options );
		array_map( array( 'WP_CLI', 'warning' ), $webhook['warnings'] );
		if ( 'table' === $options['format'] ) {
			WP_CLI::success( sprintf( $says, $saved['id'] ) );
		}
	}
}
