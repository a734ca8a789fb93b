<?php
/**
 * WP-CLI: wp posthorn preview.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/class-trial.php';

/**
 * Shows the request that a test would make.
 */
class Posthorn_CLI_Preview_Command extends Posthorn_CLI_Trial {

	/**
	 * Shows the request that a test would make, unsent.
	 *
	 * ## OPTIONS
	 *
	 * [<receiver>]
	 * : The id of a saved webhook, or a URL. Without it, the webhook that the settings page edits.
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
	 * : Sign with this secret.
	 *
	 * [--field=<field>]
	 * : One value alone: --field=body.
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
	 * ## EXAMPLES
	 *
	 *     wp posthorn preview https://receiver.example/ --wire-format=stripe --prompt=secret --event=deal.won --format=json
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function __invoke( array $arguments, array $options ): void {
		$this->require_ready();
		$data     = $this->json( $options, 'data' );
		$endpoint = $this->endpoint( $arguments[0] ?? null, $options );
		$this->print_one( $this->attempt( static fn() => posthorn_preview( $endpoint, (string) $options['event'], $data ) ), $options );
	}
}
