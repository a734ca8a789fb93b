<?php
/**
 * The CRM's menu, and what its screens share.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

add_action(
	'admin_menu',
	static function (): void {
		add_menu_page( 'Contacts', 'CRM', 'manage_crm', 'wpestate-crm', 'wpestate_crm_contacts_screen', 'dashicons-groups', 25 );
		$screens = array(
			'wpestate-crm'           => array( 'Contacts', 'wpestate_crm_contacts_screen' ),
			'wpestate-crm-contact'   => array( 'Add Contact', 'wpestate_crm_contact_screen' ),
			'wpestate-crm-leads'     => array( 'Leads', 'wpestate_crm_leads_screen' ),
			'wpestate-crm-enquiries' => array( 'Enquiries', 'wpestate_crm_enquiries_screen' ),
			'wpestate-crm-deals'     => array( 'Deals', 'wpestate_crm_deals_screen' ),
			'wpestate-crm-tasks'     => array( 'Tasks', 'wpestate_crm_tasks_screen' ),
		);
		foreach ( $screens as $slug => list( $title, $render ) ) {
			add_submenu_page( 'wpestate-crm', $title, $title, 'manage_crm', $slug, $render );
		}
		add_submenu_page( 'wpestate-crm', 'Stand-in Switches', 'Stand-in Switches', 'manage_options', 'wpestate-crm-switches', 'wpestate_crm_switches_screen' );
	}
);

add_action(
	'admin_enqueue_scripts',
	static function ( string $screen ): void {
		if ( false === strpos( $screen, 'wpestate-crm' ) ) {
			return;
		}
		wp_enqueue_style( 'wpestate-crm', plugins_url( 'assets/admin.css', WPESTATE_CRM_FILE ), array(), WPESTATE_CRM_VERSION );
		wp_enqueue_script( 'wpestate-crm', plugins_url( 'assets/admin.js', WPESTATE_CRM_FILE ), array(), WPESTATE_CRM_VERSION, true );
		$nonces = array();
		foreach ( array_keys( wpestate_crm_ajax_actions() ) as $action ) {
			$nonces[ $action ] = wp_create_nonce( $action );
		}
		wp_add_inline_script( 'wpestate-crm', 'const wpestateCrm = ' . wp_json_encode( array( 'url' => admin_url( 'admin-ajax.php' ), 'nonces' => $nonces ) ) . ';', 'before' );
	}
);

// Forms are taken before any output, and answered with a redirect: a reload does nothing twice.
add_action(
	'admin_init',
	static function (): void {
		$page = sanitize_key( $_GET['page'] ?? '' ); // phpcs:ignore WordPress.Security.NonceVerification
		$take = array(
			'wpestate-crm'          => 'wpestate_crm_take_contacts',
			'wpestate-crm-contact'  => 'wpestate_crm_take_contact',
			'wpestate-crm-switches' => 'wpestate_crm_take_switches',
		);
		if ( isset( $take[ $page ] ) && 'POST' === ( $_SERVER['REQUEST_METHOD'] ?? '' ) ) {
			$take[ $page ]();
		}
	}
);

/** The address of one of the CRM's screens. */
function wpestate_crm_screen_url( string $page, array $args = array() ): string {
	return add_query_arg( array( 'page' => $page ) + $args, admin_url( 'admin.php' ) );
}

/** Goes to a screen and shows a message there. */
function wpestate_crm_go( string $page, string $message, array $args = array(), string $kind = 'success' ): void {
	set_transient( 'wpestate_crm_message_' . get_current_user_id(), array( $message, $kind ), MINUTE_IN_SECONDS );
	wp_safe_redirect( wpestate_crm_screen_url( $page, $args ) );
	exit;
}

/** Shows the message that the last form left. */
function wpestate_crm_show_message(): void {
	$key     = 'wpestate_crm_message_' . get_current_user_id();
	$message = get_transient( $key );
	if ( is_array( $message ) ) {
		delete_transient( $key );
		printf( '<div class="notice notice-%s is-dismissible"><p>%s</p></div>', esc_attr( $message[1] ), esc_html( $message[0] ) );
	}
}

/** A contact's name with a link to it, or a dash. */
function wpestate_crm_contact_link( int $id, ?array $contact = null ): string {
	$contact = $contact ?? wpestate_crm_get_contact( $id );
	if ( null === $contact ) {
		return '<span class="crm-soft">–</span>';
	}
	$name = trim( $contact['first_name'] . ' ' . $contact['last_name'] );
	return sprintf( '<a href="%s">%s</a>', esc_url( wpestate_crm_screen_url( 'wpestate-crm-contact', array( 'id' => $contact['contact_id'] ) ) ), esc_html( '' === $name ? $contact['email'] : $name ) );
}

/** A status as a small coloured label. */
function wpestate_crm_label( string $text ): string {
	return sprintf( '<span class="crm-label is-%s">%s</span>', esc_attr( sanitize_title( $text ) ), esc_html( str_replace( '_', ' ', $text ) ) );
}
