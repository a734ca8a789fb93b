<?php
/**
 * The stand-in's switches.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/** Takes the form. */
function wpestate_crm_take_switches(): void {
	check_admin_referer( 'crm-switches' );
	if ( ! current_user_can( 'manage_options' ) ) {
		wp_die( 'You may not change the switches.', 403 );
	}
	$done = wpestate_crm_set_switches( array_map( 'sanitize_key', (array) wp_unslash( $_POST['switch'] ?? array() ) ) );
	if ( is_wp_error( $done ) ) {
		wpestate_crm_go( 'wpestate-crm-switches', $done->get_error_message(), array(), 'error' );
	}
	update_option( 'crm_webhook_url', sanitize_url( wp_unslash( $_POST['crm_webhook_url'] ?? '' ) ) );
	update_option( 'crm_webhook_events', sanitize_text_field( wp_unslash( $_POST['crm_webhook_events'] ?? '' ) ) );
	if ( ! empty( $_POST['crm_webhook_secret'] ) ) {
		update_option( 'crm_webhook_secret', sanitize_text_field( wp_unslash( $_POST['crm_webhook_secret'] ) ) );
	}
	wpestate_crm_go( 'wpestate-crm-switches', 'Saved.' );
}

/** The screen. */
function wpestate_crm_switches_screen(): void {
	?>
	<div class="wrap">
		<h1>Stand-in Switches</h1>
		<p>This plugin stands in for the WPResidence CRM, whose source is not public. Where its behaviour is not documented, choose here which way it turns out.</p>
		<?php wpestate_crm_show_message(); ?>
		<form method="post">
			<?php wp_nonce_field( 'crm-switches' ); ?>
			<table class="form-table" role="presentation">
				<?php foreach ( wpestate_crm_switch_list() as $name => $switch ) : ?>
					<tr>
						<th scope="row"><label for="crm-<?php echo esc_attr( $name ); ?>"><?php echo esc_html( $switch['label'] ); ?></label></th>
						<td>
							<select id="crm-<?php echo esc_attr( $name ); ?>" name="switch[<?php echo esc_attr( $name ); ?>]">
								<?php foreach ( $switch['choices'] as $value => $label ) : ?>
									<option value="<?php echo esc_attr( $value ); ?>"<?php selected( wpestate_crm_switch( $name ), $value ); ?>><?php echo esc_html( $label ); ?></option>
								<?php endforeach; ?>
							</select>
							<p class="description"><?php echo esc_html( $switch['meaning'] ); ?></p>
						</td>
					</tr>
				<?php endforeach; ?>
				<tr>
					<th scope="row"><label for="crm-url">Its own webhook URL</label></th>
					<td><input id="crm-url" type="url" class="regular-text" name="crm_webhook_url" value="<?php echo esc_attr( get_option( 'crm_webhook_url', '' ) ); ?>"></td>
				</tr>
				<tr>
					<th scope="row"><label for="crm-events">Its own webhook events</label></th>
					<td>
						<input id="crm-events" class="regular-text" name="crm_webhook_events" value="<?php echo esc_attr( get_option( 'crm_webhook_events', '' ) ); ?>">
						<p class="description">Comma-separated; empty for all.</p>
					</td>
				</tr>
				<tr>
					<th scope="row"><label for="crm-secret">Its own webhook secret</label></th>
					<td><input id="crm-secret" type="password" class="regular-text" name="crm_webhook_secret" value="" autocomplete="new-password" placeholder="<?php echo '' === (string) get_option( 'crm_webhook_secret', '' ) ? '' : 'saved'; ?>"></td>
				</tr>
			</table>
			<?php submit_button(); ?>
		</form>
	</div>
	<?php
}
