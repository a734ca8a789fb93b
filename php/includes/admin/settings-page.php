<?php
/**
 * The page "CRM Webhooks" under Settings: its place, what was posted to it, and how it looks.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Adds the page.
 */
function posthorn_add_settings_page(): void {
	$hook = add_options_page( __( 'CRM Webhooks', 'posthorn' ), __( 'CRM Webhooks', 'posthorn' ), 'manage_posthorn', 'posthorn', 'posthorn_print_page' );
	if ( $hook && posthorn_is_ready() ) {
		add_action( 'load-' . $hook, 'posthorn_handle_post' );
	}
}

/**
 * Adds "Settings" to the plugin's line in the plugins list.
 *
 * @param string[] $links The line's links.
 */
function posthorn_add_settings_link( array $links ): array {
	if ( current_user_can( 'manage_posthorn' ) ) {
		array_unshift( $links, '<a href="' . esc_url( posthorn_page_url() ) . '">' . esc_html__( 'Settings', 'posthorn' ) . '</a>' );
	}
	return $links;
}

/**
 * The page's address.
 *
 * @param array $arguments Optional. What else goes into it.
 */
function posthorn_page_url( array $arguments = array() ): string {
	return add_query_arg( urlencode_deep( array( 'page' => 'posthorn' ) + $arguments ), admin_url( 'options-general.php' ) );
}

/**
 * Loads style and script on this page, and the style for the buttons in notices everywhere else where they show.
 *
 * @param string $hook The current page.
 */
function posthorn_enqueue_assets( string $hook ): void {
	if ( 'settings_page_posthorn' !== $hook ) {
		return;
	}
	wp_enqueue_style( 'posthorn', plugins_url( 'assets/settings.css', POSTHORN_FILE ), array(), POSTHORN_VERSION );
	wp_enqueue_script( 'posthorn', plugins_url( 'assets/settings.js', POSTHORN_FILE ), array(), POSTHORN_VERSION, true );
	wp_enqueue_script( 'posthorn-endpoints', plugins_url( 'assets/endpoints.js', POSTHORN_FILE ), array(), POSTHORN_VERSION, true );
	wp_localize_script(
		'posthorn',
		'posthornWords',
		array(
			'sending'  => __( 'Sending a test…', 'posthorn' ),
			'noAnswer' => __( 'This site did not answer. Reload the page and try again.', 'posthorn' ),
			'copy'     => __( 'Copy it to your receiver before you save: it is not shown again.', 'posthorn' ),
			'useThis'  => __( 'The address was put in. Test it, then save.', 'posthorn' ),
		)
	);
}

/**
 * What this request has to show: the form, field => mistake, and a test's result as HTML.
 *
 * @param array|null $set Optional. What it is from now on.
 * @return array{form:array,mistakes:array<string,string>,result:string}
 */
function posthorn_page_state( ?array $set = null ): array {
	static $state = null;
	if ( null !== $set ) {
		$state = $set;
	}
	return $state ?? array(
		'form'     => posthorn_form_stored(),
		'mistakes' => array(),
		'result'   => '',
	);
}

/**
 * Answers "Save changes", and "Test Webhook" where there is no JavaScript. WordPress has already turned away whoever
 * lacks the capability of the page.
 */
function posthorn_handle_post(): void {
	if ( 'POST' !== sanitize_text_field( wp_unslash( $_SERVER['REQUEST_METHOD'] ?? '' ) ) || ! current_user_can( 'manage_posthorn' ) ) {
		return;
	}
	if ( 'endpoints' === posthorn_open_tab() ) {
		require_once __DIR__ . '/endpoints-page.php';
		posthorn_handle_endpoint_post();
		return;
	}
	require_once __DIR__ . '/native-webhooks.php';
	if ( isset( $_POST['posthorn_native'] ) ) {
		posthorn_native_take_over();
		return;
	}
	$genuine = (bool) wp_verify_nonce( sanitize_key( wp_unslash( $_POST['posthorn_nonce'] ?? '' ) ), 'posthorn_settings' );
	$form    = posthorn_form_typed( wp_unslash( $_POST ) );
	$result  = '';
	if ( ! $genuine ) {
		status_header( 403 );
		$mistakes = array( 'form' => posthorn_expired_message() );
	} elseif ( isset( $_POST['posthorn_sample'] ) ) {
		$mistakes = array(); // The form shows it.
	} elseif ( isset( $_POST['posthorn_test'] ) || isset( $_POST['posthorn_preview'] ) || isset( $_POST['use_address'] ) ) {
		list( $result, $mistakes ) = posthorn_run_test( $form );
		unset( $mistakes['form'] ); // It is in the result.
	} else {
		$mistakes = posthorn_form_mistakes( $form );
		if ( array() === $mistakes ) {
			$mistakes = posthorn_save_or_tell( $form );
			// A second "Save changes" is then meant to replace what somebody else saved.
			$form['revision'] = posthorn_settings()['revision'];
		}
		if ( array() === $mistakes ) {
			posthorn_native_saved( $form['url'] );
			wp_safe_redirect( posthorn_page_url( array( 'saved' => 1 ) ) );
			exit;
		}
	}
	posthorn_page_state( compact( 'form', 'mistakes', 'result' ) );
}

/**
 * Saves a form.
 *
 * @param array $form A form without mistakes.
 * @return array<string,string> Empty if it was saved; otherwise field => why not.
 */
function posthorn_save_or_tell( array $form ): array {
	try {
		return posthorn_form_save( $form );
	} catch ( \Throwable $error ) {
		return array( 'form' => ucfirst( $error->getMessage() ) );
	}
}

/**
 * Prints the page.
 */
function posthorn_print_page(): void {
	echo '<div class="wrap posthorn"><h1>' . esc_html__( 'CRM Webhooks', 'posthorn' ) . '</h1>';
	if ( ! posthorn_is_ready() ) {
		echo '<p>' . esc_html__( 'The settings appear here as soon as the PHP extension is loaded.', 'posthorn' ) . '</p></div>';
		return;
	}
	$tab = posthorn_open_tab();
	posthorn_print_tabs( $tab );
	if ( 'deliveries' === $tab ) {
		posthorn_print_deliveries();
	} elseif ( 'endpoints' === $tab ) {
		require_once __DIR__ . '/endpoints-page.php';
		posthorn_print_endpoints_tab();
	} else {
		posthorn_print_settings_tab();
	}
	echo '</div>';
}

/**
 * The tab that the address names.
 *
 * @return string `settings`, `endpoints` or `deliveries`.
 */
function posthorn_open_tab(): string {
	// phpcs:ignore WordPress.Security.NonceVerification -- Only reads.
	$tab = sanitize_key( wp_unslash( $_GET['tab'] ?? '' ) );
	return in_array( $tab, array( 'endpoints', 'deliveries' ), true ) ? $tab : 'settings';
}

/**
 * Prints the tabs.
 *
 * @param string $current The open one.
 */
function posthorn_print_tabs( string $current ): void {
	$tabs = array(
		'settings'   => array( __( 'Receiver', 'posthorn' ), posthorn_page_url() ),
		'endpoints'  => array( __( 'Endpoints', 'posthorn' ), posthorn_page_url( array( 'tab' => 'endpoints' ) ) ),
		'deliveries' => array( __( 'Deliveries', 'posthorn' ), posthorn_page_url( array( 'tab' => 'deliveries' ) ) ),
	);
	echo '<nav class="nav-tab-wrapper" aria-label="' . esc_attr__( 'CRM Webhooks', 'posthorn' ) . '">';
	foreach ( $tabs as $tab => list( $name, $url ) ) {
		printf( '<a href="%s" class="nav-tab%s"%s>%s</a>', esc_url( $url ), $tab === $current ? ' nav-tab-active' : '', $tab === $current ? ' aria-current="page"' : '', esc_html( $name ) );
	}
	echo '</nav>';
}

/**
 * Prints the tab with status and form.
 */
function posthorn_print_settings_tab(): void {
	require_once __DIR__ . '/fields.php';
	$state    = posthorn_page_state();
	$mistakes = $state['mistakes'];
	// phpcs:ignore WordPress.Security.NonceVerification -- Only words.
	if ( isset( $_GET['saved'] ) && array() === $mistakes && '' === $state['result'] ) {
		echo '<div class="notice notice-success is-dismissible"><p>' . esc_html__( 'Settings saved.', 'posthorn' ) . '</p></div>';
	}
	if ( array() !== $mistakes ) {
		$message = $mistakes['form'] ?? __( 'Nothing was saved: see the message beside the field.', 'posthorn' );
		if ( '' === $state['result'] ) {
			echo '<div class="notice notice-error" role="alert" style="overflow-wrap:anywhere"><p>' . esc_html( $message ) . '</p></div>';
		}
	}
	require_once __DIR__ . '/native-webhooks.php';
	$taking_over = posthorn_native_print_take_over( $state['result'] );
	posthorn_native_print_warnings( $taking_over );
	posthorn_print_status();
	posthorn_native_print_silenced();
	$all = posthorn_settings()['endpoints'];
	if ( count( $all ) > 1 ) {
		/* translators: 1: name of an endpoint, 2: a number. */
		echo '<p>' . esc_html( sprintf( __( 'Below is the endpoint %1$s, one of %2$s:', 'posthorn' ), posthorn_receiver_name( posthorn_main_endpoint( posthorn_settings() ), 2 ), number_format_i18n( count( $all ) ) ) ) . ' <a href="' . esc_url( posthorn_page_url( array( 'tab' => 'endpoints' ) ) ) . '">' . esc_html__( 'all endpoints', 'posthorn' ) . '</a></p>'; // phpcs:ignore WordPress.Arrays
	}
	posthorn_print_form( $state['form'], $mistakes, '' === $taking_over ? $state['result'] : '' );
	if ( defined( 'POSTHORN_ENDPOINTS' ) ) {
		require_once __DIR__ . '/constants.php';
		posthorn_print_constant_endpoints();
	}
	require_once __DIR__ . '/transfer.php';
	posthorn_print_transfer();
}
