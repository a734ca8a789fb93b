<?php
/**
 * Export and import at the bottom of the settings page. An import is first shown, and done when that is confirmed.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

require_once dirname( __DIR__ ) . '/transfer.php';

/** The transient, followed by the user's id, that keeps a file between being shown and being confirmed. */
const POSTHORN_IMPORT_TRANSIENT = 'posthorn_import_';

/** For how long. */
const POSTHORN_IMPORT_KEPT_S = 900;

/**
 * Prints the section.
 */
function posthorn_print_transfer(): void {
	$kept = posthorn_kept_import();
	echo '<section id="posthorn-transfer" aria-labelledby="posthorn-transfer-heading"><h2 id="posthorn-transfer-heading">' . esc_html__( 'Export and import', 'posthorn' ) . '</h2>';
	// phpcs:ignore WordPress.Security.NonceVerification -- Only words.
	if ( isset( $_GET['imported'] ) ) {
		echo '<div class="notice notice-success inline"><p>' . esc_html__( 'The settings were imported. What has to be entered is missing from receivers that are switched off.', 'posthorn' ) . '</p></div>';
	}
	if ( null !== $kept ) {
		posthorn_print_import_plan( $kept );
		echo '</section>';
		return;
	}
	echo '<p>' . esc_html__( 'A file with the receivers and settings of this site, for another site or to keep. Secrets are not in it; the addresses of the receivers are.', 'posthorn' ) . '</p>'
		. '<form method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><input type="hidden" name="action" value="posthorn_export">';
	wp_nonce_field( 'posthorn_export' );
	echo '<p><button class="button">' . esc_html__( 'Export settings', 'posthorn' ) . '</button></p></form>'
		. '<form method="post" enctype="multipart/form-data" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><input type="hidden" name="action" value="posthorn_import">';
	wp_nonce_field( 'posthorn_import' );
	echo '<p><label for="posthorn-file">' . esc_html__( 'File to import', 'posthorn' ) . '</label><br><input type="file" id="posthorn-file" name="file" accept=".json,application/json" required style="max-width:100%"></p>'
		. '<p><button class="button">' . esc_html__( 'Show what it would change', 'posthorn' ) . '</button></p></form></section>';
}

/**
 * The file that is shown and not confirmed yet.
 *
 * It is kept encrypted: somebody may have written secrets into it, and a dump of the database shows none.
 *
 * @return array{json:string,mistake:string}|null Null if there is none.
 */
function posthorn_kept_import(): ?array {
	$kept = get_transient( POSTHORN_IMPORT_TRANSIENT . get_current_user_id() );
	$json = is_array( $kept ) && is_string( $kept['file'] ?? null ) ? posthorn_decrypt( $kept['file'] ) : null;
	return null === $json ? null : array(
		'json'    => $json,
		'mistake' => (string) ( $kept['mistake'] ?? '' ),
	);
}

/**
 * Keeps a file until it is confirmed.
 *
 * @param string $json    The file.
 * @param string $mistake Optional. Why it was not carried out.
 */
function posthorn_keep_import( string $json, string $mistake = '' ): void {
	$kept = array(
		'file'    => posthorn_encrypt( $json ),
		'mistake' => $mistake,
	);
	set_transient( POSTHORN_IMPORT_TRANSIENT . get_current_user_id(), $kept, POSTHORN_IMPORT_KEPT_S );
}

/**
 * Prints what an import would do, and asks for it.
 *
 * @param array $kept `json`: the file; `mistake`: why it was not carried out.
 */
function posthorn_print_import_plan( array $kept ): void {
	$plan = posthorn_import_plan( $kept['json'] );
	if ( ! empty( $kept['mistake'] ) ) {
		echo '<div class="notice notice-error inline" role="alert" style="overflow-wrap:anywhere"><p>' . esc_html( $kept['mistake'] ) . '</p></div>';
	}
	echo '<form method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><input type="hidden" name="action" value="posthorn_import">';
	wp_nonce_field( 'posthorn_import' );
	if ( is_wp_error( $plan ) ) {
		echo '<div class="notice notice-error inline" role="alert" style="overflow-wrap:anywhere"><p>' . esc_html__( 'The file cannot be imported, and nothing was changed:', 'posthorn' ) . '</p><ul class="ul-disc">';
		foreach ( $plan->get_error_data()['mistakes'] ?? array( '' => $plan->get_error_message() ) as $key => $message ) {
			echo '<li>' . ( '' === $key || 'file' === $key ? '' : '<code>' . esc_html( $key ) . '</code> ' ) . esc_html( $message ) . '</li>';
		}
		echo '</ul></div><p><button class="button" name="step" value="cancel">' . esc_html__( 'Choose another file', 'posthorn' ) . '</button></p></form>';
		return;
	}
	echo '<p>' . esc_html__( 'This is what the file changes. Nothing has been changed yet.', 'posthorn' ) . '</p><ul class="ul-disc">';
	$wider = false;
	foreach ( $plan['steps'] as $step ) {
		$wider = $wider || '' !== $step['private'];
		echo '<li style="overflow-wrap:anywhere"><strong>' . esc_html( $step['id'] ) . '</strong> (' . esc_html( (string) wp_parse_url( $step['url'], PHP_URL_HOST ) ) . '): ' . esc_html( implode( ' ', posthorn_import_words( $step ) ) ) . '</li>';
	}
	echo '</ul><p>' . esc_html__( 'Receivers that are not in the file stay as they are.', 'posthorn' ) . '</p>';
	if ( $wider ) {
		echo '<p><label><input type="checkbox" name="allow_private" value="1" required> ' . esc_html__( 'These receivers are on my own network: let them be called there.', 'posthorn' ) . '</label></p>';
	}
	echo '<input type="hidden" name="revision" value="' . esc_attr( (string) $plan['settings']['revision'] ) . '"><p><button class="button button-primary" name="step" value="confirm">' . esc_html__( 'Import', 'posthorn' ) . '</button> '
		. '<button class="button" name="step" value="cancel" formnovalidate>' . esc_html__( 'Cancel', 'posthorn' ) . '</button></p></form>';
}

/**
 * What an import does with a receiver, in words.
 *
 * @param array $step A step of posthorn_import_plan().
 * @return string[] Sentences.
 */
function posthorn_import_words( array $step ): array {
	$actions = array(
		'add'     => __( 'is added.', 'posthorn' ),
		'replace' => __( 'replaces the receiver with the same id.', 'posthorn' ),
		'none'    => __( 'is here already, without a difference.', 'posthorn' ),
	);
	$needs   = array(
		'secret'  => __( 'Its secret has to be entered; until then it is switched off.', 'posthorn' ),
		'headers' => __( 'Values of its headers have to be entered; until then it is switched off.', 'posthorn' ),
		'proxy'   => __( 'Its proxy, with user name and password, has to be entered; until then it is switched off.', 'posthorn' ),
	);
	$words   = array_merge( array( $actions[ $step['action'] ] ), array_values( array_intersect_key( $needs, array_flip( $step['needs'] ) ) ) );
	if ( 'all' === $step['private'] ) {
		$words[] = __( 'It may call any address of your own network, which it may not now.', 'posthorn' );
	} elseif ( '' !== $step['private'] ) {
		/* translators: %s: hosts and ranges of addresses. */
		$words[] = sprintf( __( 'It may call these addresses of your own network, which it may not now: %s.', 'posthorn' ), $step['private'] );
	}
	return $words;
}

/**
 * Answers "Export settings".
 */
function posthorn_export_asked(): void {
	posthorn_require_owner( 'posthorn_export' );
	nocache_headers();
	header( 'Content-Type: application/json; charset=utf-8' );
	header( 'Content-Disposition: attachment; filename="posthorn-' . sanitize_file_name( (string) wp_parse_url( home_url(), PHP_URL_HOST ) ) . '-' . gmdate( 'Y-m-d' ) . '.json"' );
	echo posthorn_export_json(); // phpcs:ignore WordPress.Security.EscapeOutput -- JSON, sent as such.
	exit;
}

/**
 * Takes a file to be shown, and the word to import it.
 */
function posthorn_import_asked(): void {
	posthorn_require_owner( 'posthorn_import' );
	$kept = posthorn_kept_import();
	// phpcs:disable WordPress.Security.NonceVerification, WordPress.Security.ValidatedSanitizedInput -- Checked above; the file is checked whole.
	$step  = sanitize_key( wp_unslash( $_POST['step'] ?? '' ) );
	$after = array();
	if ( isset( $_FILES['file']['tmp_name'] ) && is_string( $_FILES['file']['tmp_name'] ) && is_uploaded_file( $_FILES['file']['tmp_name'] ) ) {
		// A byte more than is read tells that there is more.
		$json = (string) file_get_contents( $_FILES['file']['tmp_name'], false, null, 0, POSTHORN_IMPORT_MOST_BYTES + 1 ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- An uploaded file.
		try {
			posthorn_keep_import( $json );
		} catch ( \Throwable $error ) {
			wp_die( esc_html( ucfirst( posthorn_readable( $error->getMessage() ) ) ), '', array( 'response' => 503, 'back_link' => true ) ); // phpcs:ignore WordPress.Arrays
		}
	} elseif ( 'confirm' === $step && null !== $kept ) {
		$done = posthorn_import( $kept['json'], ! empty( $_POST['allow_private'] ), (int) ( $_POST['revision'] ?? -1 ) );
		if ( is_wp_error( $done ) ) {
			posthorn_keep_import( $kept['json'], $done->get_error_message() );
		} else {
			delete_transient( POSTHORN_IMPORT_TRANSIENT . get_current_user_id() );
			$after = array( 'imported' => 1 );
		}
	} else {
		delete_transient( POSTHORN_IMPORT_TRANSIENT . get_current_user_id() );
	}
	// phpcs:enable
	wp_safe_redirect( posthorn_page_url( $after ) . '#posthorn-transfer' );
	exit;
}
