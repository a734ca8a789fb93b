<?php
/**
 * WP-CLI: wp posthorn test.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/class-trial.php';

/**
 * Sends an event now and says what was answered.
 */
class Posthorn_CLI_Test_Command extends Posthorn_CLI_Trial {

	/**
	 * Sends a test to a saved webhook, or to a URL. Exit code 0 if it was accepted, 1 otherwise.
	 *
	 * ## OPTIONS
	 *
	 * [<receiver>]
	 * : The id of a saved webhook, or a URL; a URL is sent nothing of what is saved, and is unsigned unless --secret is given.
	 * Without it, the webhook that the settings page edits.
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
	 * [--wire-format=<name>]
	 * : For a URL: the format of the request, see wp posthorn format list.
	 *
	 * [--secret=<secret>]
	 * : Sign with this secret. Other users of the server can see it in the list of processes; --prompt=secret asks for it.
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
	 * ## EXAMPLES
	 *
	 *     wp posthorn test
	 *     wp posthorn test main --event=deal.won --data='{"deal_id":7}'
	 *     wp posthorn test https://receiver.example/hook --wire-format=winnerr --prompt=secret
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function __invoke( array $arguments, array $options ): void {
		$this->require_ready();
		$data     = $this->json( $options, 'data' );
		$endpoint = $this->endpoint( $arguments[0] ?? null, $options );
		$result   = $this->attempt( static fn() => posthorn_test( $endpoint, (string) $options['event'], $data ) );
		$this->print_result( $result, $options );
	}
}
