<?php
/**
 * The public enquiry form: [wpestate_crm_enquiry_form].
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Takes a form: writes contact, enquiry and activity, in this order. Its field names are invented.
 *
 * @param array $form_data name, email, phone, type, city, budget, message.
 * @return array|WP_Error contact_id and enquiry_id.
 */
function wpestate_crm_process_form_submission( array $form_data ) {
	$email = sanitize_email( $form_data['email'] ?? '' );
	if ( ! is_email( $email ) ) {
		return new WP_Error( 'email', 'Please give an email address, so that we can answer.' );
	}
	return wpestate_crm_in_transaction( static fn() => wpestate_crm_write_form_submission( $form_data, $email ), 'all' === wpestate_crm_switch( 'transaction' ) );
}

/** Writes what a form brings. */
function wpestate_crm_write_form_submission( array $form_data, string $email ) {
	$name    = explode( ' ', trim( $form_data['name'] ?? '' ), 2 );
	$contact = wpestate_crm_find_contact_by_email( $email );
	if ( null === $contact ) {
		$contact_id = wpestate_crm_insert_contact(
			array(
				'first_name'  => $name[0],
				'last_name'   => $name[1] ?? '',
				'email'       => $email,
				'phone'       => $form_data['phone'] ?? '',
				'city'        => $form_data['city'] ?? '',
				'lead_source' => 'Website form',
			)
		);
	} else {
		$contact_id = (int) $contact['contact_id'];
		$changes    = array_filter( array( 'phone' => $form_data['phone'] ?? '' ) );
		if ( $changes && $changes['phone'] !== $contact['phone'] ) {
			wpestate_crm_update_contact( $contact_id, $changes );
		}
	}
	if ( is_wp_error( $contact_id ) ) {
		return $contact_id;
	}
	$enquiry_id = wpestate_crm_insert_enquiry(
		array(
			'contact_id'      => $contact_id,
			'enquiry_type'    => $form_data['type'] ?? 'Purchase',
			'enquiry_source'  => 'Website form',
			'enquiry_message' => $form_data['message'] ?? '',
			'property_city'   => $form_data['city'] ?? '',
			'max_price'       => is_numeric( $form_data['budget'] ?? '' ) ? $form_data['budget'] : null,
			'enquiry_meta'    => array( 'page' => (string) wp_get_raw_referer() ),
		)
	);
	if ( is_wp_error( $enquiry_id ) ) {
		return $enquiry_id;
	}
	wpestate_crm_record_activity_v2(
		'form_submission',
		array(
			'contact_id' => $contact_id,
			'subject'    => $form_data['type'] ?? 'Purchase',
			'message'    => $form_data['message'] ?? '',
			'meta'       => array( 'enquiry_id' => $enquiry_id ),
		)
	);
	wpestate_crm_dispatch_webhook( 'form_submitted', array( 'contact_id' => $contact_id, 'enquiry_id' => $enquiry_id ) + $form_data );
	return compact( 'contact_id', 'enquiry_id' );
}

/** Takes the posted form before any output, so that a reload does not send it twice. */
function wpestate_crm_take_enquiry_form(): void {
	if ( ! isset( $_POST['wpestate_crm_enquiry'] ) ) {
		return;
	}
	check_admin_referer( 'wpestate_crm_enquiry', 'security' );
	$form = array_map( 'sanitize_textarea_field', array_map( 'strval', (array) wp_unslash( $_POST['wpestate_crm_enquiry'] ) ) );
	$done = wpestate_crm_process_form_submission( $form );
	// wp_get_referer() knows no referer when a page posts to itself.
	$back = remove_query_arg( array( 'sent', 'problem' ), wp_validate_redirect( (string) wp_get_raw_referer(), home_url( '/' ) ) );
	$back = is_wp_error( $done ) ? add_query_arg( 'problem', rawurlencode( $done->get_error_message() ), $back ) : add_query_arg( 'sent', 1, $back );
	wp_safe_redirect( $back );
	exit;
}
add_action( 'template_redirect', 'wpestate_crm_take_enquiry_form' );

/** The form's HTML. */
function wpestate_crm_enquiry_form(): string {
	wp_enqueue_style( 'wpestate-crm-form', plugins_url( 'assets/form.css', WPESTATE_CRM_FILE ), array(), WPESTATE_CRM_VERSION );
	ob_start();
	// phpcs:disable WordPress.Security.NonceVerification -- only shows what happened.
	if ( isset( $_GET['sent'] ) ) {
		echo '<p class="crm-form-note" role="status">Thank you. Your enquiry is with us; we answer within one working day.</p>';
	} elseif ( isset( $_GET['problem'] ) ) {
		printf( '<p class="crm-form-note is-problem" role="alert">%s</p>', esc_html( sanitize_text_field( wp_unslash( $_GET['problem'] ) ) ) );
	}
	// phpcs:enable
	?>
	<form method="post" class="crm-form">
		<?php wp_nonce_field( 'wpestate_crm_enquiry', 'security' ); ?>
		<label>Your name <input name="wpestate_crm_enquiry[name]" required autocomplete="name"></label>
		<label>Email <input type="email" name="wpestate_crm_enquiry[email]" required autocomplete="email"></label>
		<label>Phone <input name="wpestate_crm_enquiry[phone]" autocomplete="tel"></label>
		<label>I would like to
			<select name="wpestate_crm_enquiry[type]">
				<?php foreach ( wpestate_crm_enquiry_types() as $type ) : ?>
					<option><?php echo esc_html( $type ); ?></option>
				<?php endforeach; ?>
			</select>
		</label>
		<label>Town <input name="wpestate_crm_enquiry[city]"></label>
		<label>Budget in dollars <input name="wpestate_crm_enquiry[budget]" inputmode="numeric" pattern="[0-9]*"></label>
		<label class="wide">Your message <textarea name="wpestate_crm_enquiry[message]" rows="4" required></textarea></label>
		<button type="submit" class="wp-element-button">Send enquiry</button>
	</form>
	<?php
	return (string) ob_get_clean();
}
add_shortcode( 'wpestate_crm_enquiry_form', 'wpestate_crm_enquiry_form' );
