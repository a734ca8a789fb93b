<?php
/**
 * Every command of wp posthorn. They say themselves what is missing.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/outcome.php';
require_once __DIR__ . '/class-door.php';
require_once __DIR__ . '/class-command.php';
require_once __DIR__ . '/class-webhook-command.php';
require_once __DIR__ . '/class-webhook-act-command.php';
require_once __DIR__ . '/class-delivery-command.php';
require_once __DIR__ . '/class-event-command.php';
require_once __DIR__ . '/class-format-command.php';
require_once __DIR__ . '/class-test-command.php';
require_once __DIR__ . '/class-preview-command.php';
require_once __DIR__ . '/class-site-command.php';
require_once __DIR__ . '/class-transfer-command.php';

WP_CLI::add_command( 'posthorn', 'Posthorn_CLI_Command' );
WP_CLI::add_command( 'posthorn webhook', 'Posthorn_CLI_Webhook_Command' );
WP_CLI::add_command( 'posthorn webhook duplicate', array( 'Posthorn_CLI_Webhook_Act_Command', 'duplicate' ) );
WP_CLI::add_command( 'posthorn webhook resume', array( 'Posthorn_CLI_Webhook_Act_Command', 'resume' ) );
WP_CLI::add_command( 'posthorn delivery', 'Posthorn_CLI_Delivery_Command' );
WP_CLI::add_command( 'posthorn event', 'Posthorn_CLI_Event_Command' );
WP_CLI::add_command( 'posthorn format', 'Posthorn_CLI_Format_Command' );
WP_CLI::add_command( 'posthorn test', 'Posthorn_CLI_Test_Command' );
WP_CLI::add_command( 'posthorn preview', 'Posthorn_CLI_Preview_Command' );
WP_CLI::add_command( 'posthorn site', 'Posthorn_CLI_Site_Command' );
WP_CLI::add_command( 'posthorn export', array( 'Posthorn_CLI_Transfer_Command', 'export' ) );
WP_CLI::add_command( 'posthorn import', array( 'Posthorn_CLI_Transfer_Command', 'import' ) );
