<?php
/**
 * Plugin Name:       WPResidence CRM (stand-in)
 * Description:       A small stand-in for the WPResidence CRM, for Posthorn's tests and demo: its tables, functions, actions, AJAX and webhooks as far as they are documented. What had to be invented is marked in the code.
 * Version:           5.2.2
 * Requires at least: 6.0
 * Requires PHP:      7.4
 * Author:            The Posthorn project
 * License:           GPL-2.0-or-later
 * Text Domain:       wpestate-crm
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

define( 'WPESTATE_CRM_VERSION', '5.2.2' );
define( 'WPESTATE_CRM_FILE', __FILE__ );

require_once __DIR__ . '/includes/switches.php';
require_once __DIR__ . '/includes/schema.php';
require_once __DIR__ . '/includes/rows.php';
require_once __DIR__ . '/includes/activities.php';
require_once __DIR__ . '/includes/contacts.php';
require_once __DIR__ . '/includes/leads.php';
require_once __DIR__ . '/includes/enquiries.php';
require_once __DIR__ . '/includes/deals.php';
require_once __DIR__ . '/includes/tasks.php';
require_once __DIR__ . '/includes/statements.php';
require_once __DIR__ . '/includes/bulk.php';
require_once __DIR__ . '/includes/automations.php';
require_once __DIR__ . '/includes/webhooks.php';
require_once __DIR__ . '/includes/enquiry-form.php';
require_once __DIR__ . '/includes/ajax.php';
require_once __DIR__ . '/includes/sample-names.php';
require_once __DIR__ . '/includes/seed.php';

if ( is_admin() ) {
	require_once __DIR__ . '/includes/admin/menu.php';
	require_once __DIR__ . '/includes/admin/contacts.php';
	require_once __DIR__ . '/includes/admin/contact.php';
	require_once __DIR__ . '/includes/admin/deals.php';
	require_once __DIR__ . '/includes/admin/lists.php';
	require_once __DIR__ . '/includes/admin/switches.php';
}

register_activation_hook( __FILE__, 'wpestate_crm_activate' );
