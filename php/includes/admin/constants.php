<?php
/**
 * The receivers that wp-config.php defines, on the settings page: to be looked at.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Prints them, and what is wrong with the constant.
 */
function posthorn_print_constant_endpoints(): void {
	echo '<section aria-labelledby="posthorn-constant"><h2 id="posthorn-constant">' . esc_html__( 'Receivers set in wp-config.php', 'posthorn' ) . '</h2><p>'
		. esc_html__( 'The constant POSTHORN_ENDPOINTS defines them, beside the receiver above. They can be changed there only; a change takes effect within five minutes, or when an administrator opens a page.', 'posthorn' ) . '</p>';
	try {
		$mistakes = posthorn_constant_mistakes();
	} catch ( \Throwable $error ) {
		$mistakes = array();
	}
	foreach ( $mistakes as $mistake ) {
		echo '<div class="notice notice-error inline" style="overflow-wrap:anywhere"><p>' . esc_html( $mistake ) . '</p></div>';
	}
	$endpoints = array_map( 'posthorn_shown_constant_endpoint', array_values( posthorn_constant_endpoints() ) );
	if ( array() !== $endpoints ) {
		echo '<table class="widefat striped" style="max-width:60em"><thead><tr><th scope="col">' . esc_html__( 'Receiver', 'posthorn' ) . '</th><th scope="col">' . esc_html__( 'Events', 'posthorn' ) . '</th><th scope="col">' . esc_html__( 'Secret', 'posthorn' ) . '</th></tr></thead><tbody>';
		foreach ( $endpoints as $endpoint ) {
			$name = (string) ( $endpoint['description'] ?? '' );
			printf(
				'<tr><td style="overflow-wrap:anywhere"><strong>%s</strong>%s%s</td><td style="overflow-wrap:anywhere">%s</td><td>%s</td></tr>',
				esc_html( '' === $name ? $endpoint['id'] : $name ),
				// What follows the host may be the receiver's secret.
				'<br>' . esc_html( (string) wp_parse_url( $endpoint['url'], PHP_URL_HOST ) ),
				$endpoint['enabled'] ? '' : ' — ' . esc_html__( 'switched off', 'posthorn' ),
				esc_html( implode( ', ', (array) $endpoint['events'] ) ),
				esc_html( array() === $endpoint['secrets'] ? __( 'none', 'posthorn' ) : __( 'set, not shown', 'posthorn' ) )
			);
		}
		echo '</tbody></table>';
	}
	echo '</section>';
}
