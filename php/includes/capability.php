<?php
/**
 * Who may manage Posthorn.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/** The capability. */
const POSTHORN_CAPABILITY = 'manage_posthorn';

/**
 * Whether the current user may manage webhooks. Asked at every door.
 */
function posthorn_may_manage(): bool {
	return current_user_can( 'manage_options' ) || current_user_can( POSTHORN_CAPABILITY );
}
