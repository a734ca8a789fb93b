<?php
/**
 * One contact: add and edit.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/** The fields on the form: column → label, type and, for a choice, its values. */
function wpestate_crm_contact_fields(): array {
	return array(
		'Person'    => array(
			'first_name' => array( 'First name', 'text' ),
			'last_name'  => array( 'Last name', 'text' ),
			'email'      => array( 'Email', 'email' ),
			'mobile'     => array( 'Mobile', 'text' ),
			'address'    => array( 'Address', 'text' ),
			'city'       => array( 'Town', 'text' ),
			'zipcode'    => array( 'ZIP code', 'text' ),
		),
		'In the CRM' => array(
			'lifecycle_stage' => array( 'Stage', 'choice', wpestate_crm_lifecycle_stages() ),
			'status'          => array( 'Status', 'choice', array_combine( wpestate_crm_contact_statuses(), wpestate_crm_contact_statuses() ) ),
			'lead_source'     => array( 'Source', 'text' ),
			'tags'            => array( 'Tags, comma-separated', 'text' ),
			'private_note'    => array( 'Private note', 'long' ),
		),
		'Looking for' => array(
			'pref_min_price'     => array( 'Price from', 'number' ),
			'pref_max_price'     => array( 'Price to', 'number' ),
			'pref_min_beds'      => array( 'Bedrooms, at least', 'number' ),
			'pref_locations'     => array( 'Towns', 'text' ),
			'pref_property_type' => array( 'Kind of home', 'text' ),
		),
	);
}

/** Takes the form. */
function wpestate_crm_take_contact(): void {
	check_admin_referer( 'crm-contact' );
	if ( ! current_user_can( 'manage_crm' ) ) {
		wp_die( 'You may not change contacts.', 403 );
	}
	$id   = (int) ( $_GET['id'] ?? 0 );
	$data = array();
	foreach ( array_merge( ...array_values( wpestate_crm_contact_fields() ) ) as $column => $field ) {
		$value           = sanitize_textarea_field( wp_unslash( $_POST['contact'][ $column ] ?? '' ) );
		$data[ $column ] = 'number' === $field[1] && '' === $value ? null : $value;
	}
	if ( isset( $_POST['delete'] ) ) {
		wpestate_crm_delete_contact( $id );
		wpestate_crm_go( 'wpestate-crm', 'The contact is deleted.' );
	}
	$done = $id ? wpestate_crm_update_contact( $id, $data ) : wpestate_crm_insert_contact( $data );
	if ( is_wp_error( $done ) ) {
		wpestate_crm_go( 'wpestate-crm-contact', $done->get_error_message(), $id ? array( 'id' => $id ) : array(), 'error' );
	}
	wpestate_crm_go( 'wpestate-crm-contact', $id ? 'Saved.' : 'The contact is added.', array( 'id' => $id ? $id : $done ) );
}

/** The screen. */
function wpestate_crm_contact_screen(): void {
	$id      = (int) ( $_GET['id'] ?? 0 ); // phpcs:ignore WordPress.Security.NonceVerification
	$contact = $id ? wpestate_crm_get_contact( $id ) : array( 'lifecycle_stage' => 'new_lead', 'status' => 'Active' );
	if ( null === $contact ) {
		echo '<div class="wrap"><h1>Contact</h1><p>There is no such contact; perhaps it was deleted.</p></div>';
		return;
	}
	?>
	<div class="wrap">
		<h1 class="wp-heading-inline"><?php echo $id ? esc_html( trim( $contact['first_name'] . ' ' . $contact['last_name'] ) ) : 'Add Contact'; ?></h1>
		<a class="page-title-action" href="<?php echo esc_url( wpestate_crm_screen_url( 'wpestate-crm' ) ); ?>">All Contacts</a>
		<hr class="wp-header-end">
		<?php wpestate_crm_show_message(); ?>
		<form method="post" class="crm-contact">
			<?php wp_nonce_field( 'crm-contact' ); ?>
			<?php foreach ( wpestate_crm_contact_fields() as $group => $fields ) : ?>
				<fieldset>
					<legend><?php echo esc_html( $group ); ?></legend>
					<?php
					foreach ( $fields as $column => $field ) {
						wpestate_crm_contact_field( $column, $field, (string) ( $contact[ $column ] ?? '' ) );
					}
					?>
				</fieldset>
			<?php endforeach; ?>
			<p class="submit">
				<button type="submit" class="button button-primary"><?php echo $id ? 'Save' : 'Add Contact'; ?></button>
				<?php if ( $id ) : ?>
					<button type="submit" name="delete" value="1" class="button-link button-link-delete" formnovalidate>Delete this contact</button>
				<?php endif; ?>
			</p>
		</form>
	</div>
	<?php
}

/** One field with its label. */
function wpestate_crm_contact_field( string $column, array $field, string $value ): void {
	$name = "contact[$column]";
	printf( '<label for="crm-%1$s">%2$s</label>', esc_attr( $column ), esc_html( $field[0] ) );
	switch ( $field[1] ) {
		case 'choice':
			printf( '<select id="crm-%s" name="%s">', esc_attr( $column ), esc_attr( $name ) );
			foreach ( $field[2] as $key => $label ) {
				printf( '<option value="%s"%s>%s</option>', esc_attr( $key ), selected( $value, (string) $key, false ), esc_html( $label ) );
			}
			echo '</select>';
			break;
		case 'long':
			printf( '<textarea id="crm-%s" name="%s" rows="4">%s</textarea>', esc_attr( $column ), esc_attr( $name ), esc_textarea( $value ) );
			break;
		default:
			printf( '<input id="crm-%s" type="%s" name="%s" value="%s"%s>', esc_attr( $column ), esc_attr( $field[1] ), esc_attr( $name ), esc_attr( $value ), 'number' === $field[1] ? ' step="any"' : '' );
	}
}
