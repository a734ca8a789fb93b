<?php
/**
 * The deals board: a column for each stage; cards are dragged, or moved with their menu.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/** The screen. */
function wpestate_crm_deals_screen(): void {
	$stages = wpestate_crm_deal_stages();
	$deals  = array_fill_keys( array_keys( $stages ), array() );
	foreach ( wpestate_crm_get_deals( array( 'number' => -1, 'orderby' => 'stage_changed_at' ) ) as $deal ) {
		if ( isset( $deals[ $deal['stage'] ] ) ) {
			$deals[ $deal['stage'] ][] = $deal;
		}
	}
	?>
	<div class="wrap">
		<h1>Deals</h1>
		<p class="crm-soft">Drag a deal to another stage, or choose the stage on its card.</p>
		<div class="crm-board" role="list">
			<?php foreach ( $stages as $stage => $label ) : ?>
				<section class="crm-stage is-<?php echo esc_attr( $stage ); ?>" data-stage="<?php echo esc_attr( $stage ); ?>" role="listitem" aria-label="<?php echo esc_attr( $label ); ?>">
					<h2><?php echo esc_html( $label ); ?> <span class="crm-count"><?php echo count( $deals[ $stage ] ); ?></span></h2>
					<?php
					foreach ( $deals[ $stage ] as $deal ) {
						wpestate_crm_deal_card( $deal, $stages );
					}
					?>
				</section>
			<?php endforeach; ?>
		</div>
	</div>
	<?php
}

/** One deal. */
function wpestate_crm_deal_card( array $deal, array $stages ): void {
	?>
	<article class="crm-card" draggable="true" data-deal="<?php echo (int) $deal['deal_id']; ?>">
		<strong><?php echo esc_html( $deal['title'] ); ?></strong>
		<span class="crm-amount">$<?php echo esc_html( number_format_i18n( (float) $deal['amount'] ) ); ?></span>
		<span><?php echo wpestate_crm_contact_link( (int) $deal['contact_id'] ); // phpcs:ignore WordPress.Security.EscapeOutput ?></span>
		<select aria-label="<?php echo esc_attr( 'Stage of ' . $deal['title'] ); ?>">
			<?php foreach ( $stages as $stage => $label ) : ?>
				<option value="<?php echo esc_attr( $stage ); ?>"<?php selected( $deal['stage'], $stage ); ?>><?php echo esc_html( $label ); ?></option>
			<?php endforeach; ?>
		</select>
	</article>
	<?php
}
