<?php
/**
 * Plugin Name:       Posthorn
 * Description:       Dependable webhooks for your CRM: every change is signed, stored and sent outside the page, and tried again until the receiver has it.
 * Version:           0.1.0
 * Requires at least: 6.1
 * Requires PHP:      8.1
 * Author:            The Posthorn contributors
 * License:           GPL-2.0-or-later
 * License URI:       https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:       posthorn
 * Domain Path:       /languages
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

// Major and minor must equal the extension's, see includes/requirements.php.
define( 'POSTHORN_VERSION', '0.1.0' );
define( 'POSTHORN_FILE', __FILE__ );

// What every page needs, and nothing else: a page that fires no event must hardly notice the plugin.
require __DIR__ . '/includes/queue.php';
require __DIR__ . '/includes/dispatch.php';
require __DIR__ . '/includes/crm/contract.php';
require __DIR__ . '/includes/crm/notice.php';

/**
 * Loads what a page needs as soon as it has something to do: an event, a problem, a queue to open.
 */
function posthorn_load(): void {
	require_once __DIR__ . '/includes/requirements.php';
	require_once __DIR__ . '/includes/settings.php';
	require_once __DIR__ . '/includes/guard.php';
	if ( defined( 'POSTHORN_ENDPOINTS' ) ) {
		require_once __DIR__ . '/includes/constants.php';
	}
	require_once __DIR__ . '/includes/client.php';
	require_once __DIR__ . '/includes/hand-over.php';
	require_once __DIR__ . '/includes/problems.php';
}

// Scripts of the owner's on the command line may ask for anything.
if ( 'cli' === PHP_SAPI || is_admin() ) {
	posthorn_load();
}

if ( is_admin() ) {
	require __DIR__ . '/includes/privacy.php';
	require __DIR__ . '/includes/site-health.php';
	require __DIR__ . '/includes/background.php';
	require __DIR__ . '/includes/outcome.php';
	require __DIR__ . '/includes/lifecycle.php';
	require __DIR__ . '/includes/admin/instructions.php';
	require __DIR__ . '/includes/admin/receiver-state.php';
	require __DIR__ . '/includes/admin/notices.php';
	require __DIR__ . '/includes/admin/guard-notice.php';
	require __DIR__ . '/includes/admin/form.php';
	require __DIR__ . '/includes/admin/test-webhook.php';
	require __DIR__ . '/includes/admin/status.php';
	require __DIR__ . '/includes/admin/deliveries.php';
	require __DIR__ . '/includes/admin/settings-page.php';
}

require __DIR__ . '/includes/hooks.php';
