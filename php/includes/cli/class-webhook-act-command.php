<?php
/**
 * WP-CLI: wp posthorn webhook duplicate, resume.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * What the buttons in the list of endpoints do beside switching and deleting.
 */
class Posthorn_CLI_Webhook_Act_Command extends Posthorn_CLI_Webhook_Command {

	/**
	 * Adds a copy of a webhook, with its secret. It is switched off, or the receiver would get everything twice.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The webhook's id.
	 *
	 * [--porcelain]
	 * : Print the id of the copy alone.
	 *
	 * [--format=<format>]
	 * : How the copy is printed.
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
	 *     copy=$(wp posthorn webhook duplicate main --porcelain)
	 *     wp posthorn webhook update "$copy" --new-url=https://receiver.example/second --enabled=true
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function duplicate( array $arguments, array $options ): void {
		$this->require_ready();
		$this->print_saved( $this->attempt( static fn() => posthorn_duplicate_endpoint( $arguments[0] ) ), $options, 'Webhook %s was added. It is switched off.' );
	}

	/**
	 * Sends what waits for a webhook now, and ends what held it back: a suspension, the receiver's wish, an open circuit breaker.
	 *
	 * Exit code 1 if there is no such webhook, or it is switched off.
	 *
	 * ## OPTIONS
	 *
	 * <id>
	 * : The webhook's id.
	 *
	 * ## EXAMPLES
	 *
	 *     wp posthorn webhook test main && wp posthorn webhook resume main
	 *
	 * @param array $arguments Positional arguments.
	 * @param array $options   Options.
	 */
	public function resume( array $arguments, array $options ): void {
		$this->require_ready();
		$this->attempt( static fn() => posthorn_resume_endpoint( $arguments[0] ) );
		WP_CLI::success( sprintf( 'What waits for webhook %s is sent now.', $arguments[0] ) );
	}
}
