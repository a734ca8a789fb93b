<?php
/**
 * The text that WordPress suggests for the site's privacy policy.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Adds the suggestion.
 */
function posthorn_suggest_privacy_text(): void {
	$text = '<p class="privacy-policy-tutorial">' . esc_html__( 'Posthorn sends what changes in your CRM to the receiver that you entered under Settings → CRM Webhooks. Name that service and link its privacy policy.', 'posthorn' ) . '</p>'
		. '<p><strong class="privacy-policy-tutorial">' . esc_html__( 'Suggested text:', 'posthorn' ) . ' </strong>'
		. esc_html__( 'When you contact us, or when we update what we know about you in our customer records (such as your name, address, e-mail address, telephone number and what you are looking for), we pass this on to [name of the service], which works for us. A copy of what was sent is kept on our server so that it can be sent again if the service was not reachable.', 'posthorn' ) . '</p>';
	wp_add_privacy_policy_content( 'Posthorn', wp_kses_post( $text ) );
}
