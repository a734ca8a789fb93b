<?php
/**
 * Leads, enquiries and tasks: plain tables, newest first, with what can be done to a row.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

const WPESTATE_CRM_PER_PAGE = 30;

/**
 * A screen with a table.
 *
 * @param string   $title   Its heading.
 * @param string   $page    Its slug.
 * @param array    $columns Headings.
 * @param callable $query   Arguments → rows or count.
 * @param callable $cells   Row → cells, as HTML.
 * @param string   $before  HTML above the table.
 */
function wpestate_crm_list_screen( string $title, string $page, array $columns, callable $query, callable $cells, string $before = '' ): void {
	$paged = max( 1, (int) ( $_GET['paged'] ?? 1 ) ); // phpcs:ignore WordPress.Security.NonceVerification
	$total = $query( array( 'count' => true ) );
	$rows  = $query( array( 'number' => WPESTATE_CRM_PER_PAGE, 'offset' => WPESTATE_CRM_PER_PAGE * ( $paged - 1 ) ) );
	printf( '<div class="wrap"><h1>%s <span class="crm-count">%s</span></h1>', esc_html( $title ), esc_html( number_format_i18n( $total ) ) );
	// phpcs:disable WordPress.Security.EscapeOutput -- the callers escape their cells.
	echo $before, '<table class="widefat striped crm-list"><thead><tr><th>', implode( '</th><th>', $columns ), '</th></tr></thead><tbody>';
	foreach ( $rows as $row ) {
		echo '<tr><td>', implode( '</td><td>', $cells( $row ) ), '</td></tr>';
	}
	if ( ! $rows ) {
		printf( '<tr><td colspan="%d">None yet.</td></tr>', count( $columns ) );
	}
	echo '</tbody></table>';
	$links = paginate_links(
		array(
			'base'    => wpestate_crm_screen_url( $page ) . '%_%',
			'format'  => '&paged=%#%',
			'current' => $paged,
			'total'   => (int) ceil( $total / WPESTATE_CRM_PER_PAGE ),
		)
	);
	echo '<p class="crm-pages">', $links, '</p></div>';
	// phpcs:enable
}

/** A date for people. */
function wpestate_crm_date( ?string $value ): string {
	return $value ? esc_html( mysql2date( 'j M Y', $value ) ) : '<span class="crm-soft">–</span>';
}

/** The leads. */
function wpestate_crm_leads_screen(): void {
	$statuses = wpestate_crm_lead_statuses();
	$options  = '';
	foreach ( $statuses as $status ) {
		$options .= sprintf( '<option>%s</option>', esc_html( $status ) );
	}
	wpestate_crm_list_screen(
		'Leads',
		'wpestate-crm-leads',
		array( '<input type="checkbox" data-crm-all aria-label="Select all on this page">', 'Contact', 'Message', 'Source', 'Status', 'Received', '' ),
		'wpestate_crm_get_leads',
		static fn( array $lead ): array => array(
			sprintf( '<input type="checkbox" data-crm-id="%d" aria-label="Select lead %1$d">', $lead['lead_id'] ),
			wpestate_crm_contact_link( (int) $lead['contact_id'] ),
			esc_html( $lead['message'] ),
			esc_html( $lead['lead_source'] ),
			wpestate_crm_label( $lead['status'] ),
			wpestate_crm_date( $lead['created_at'] ),
			sprintf( '<button type="button" class="button-link button-link-delete" data-crm-do="wpestate_crm_delete_lead" data-crm-lead_id="%d">Delete</button>', $lead['lead_id'] ),
		),
		'<p class="crm-bulk">With the selected leads: <select id="crm-lead-status" aria-label="Status">' . $options . '</select>'
		. ' <button type="button" class="button" data-crm-do="wpestate_crm_bulk_update_leads" data-crm-selected data-crm-status-from="crm-lead-status">Set status</button>'
		. ' <button type="button" class="button" data-crm-do="wpestate_crm_bulk_delete_leads" data-crm-selected>Delete</button></p>'
	);
}

/** The enquiries. */
function wpestate_crm_enquiries_screen(): void {
	$page = get_page_by_path( 'enquiry' );
	wpestate_crm_list_screen(
		'Enquiries',
		'wpestate-crm-enquiries',
		array( 'Contact', 'About', 'Message', 'Town', 'Up to', 'Status', 'Received' ),
		'wpestate_crm_get_enquiries',
		static fn( array $enquiry ): array => array(
			wpestate_crm_contact_link( (int) $enquiry['contact_id'] ),
			esc_html( $enquiry['enquiry_type'] ),
			esc_html( $enquiry['enquiry_message'] ),
			esc_html( $enquiry['property_city'] ),
			null === $enquiry['max_price'] ? '<span class="crm-soft">–</span>' : '$' . esc_html( number_format_i18n( (float) $enquiry['max_price'] ) ),
			wpestate_crm_label( $enquiry['enquiry_status'] ),
			wpestate_crm_date( $enquiry['created_at'] ),
		),
		$page ? sprintf( '<p>New ones come from the <a href="%s">public enquiry form</a>.</p>', esc_url( get_permalink( $page ) ) ) : ''
	);
}

/** The tasks, open ones first. */
function wpestate_crm_tasks_screen(): void {
	wpestate_crm_list_screen(
		'Tasks',
		'wpestate-crm-tasks',
		array( 'Task', 'Contact', 'Priority', 'Due', 'Status', '' ),
		static fn( array $args ) => wpestate_crm_get_tasks( $args + array( 'orderby' => 'status', 'order' => 'desc' ) ),
		static fn( array $task ): array => array(
			'<strong>' . esc_html( $task['title'] ) . '</strong>',
			wpestate_crm_contact_link( (int) $task['contact_id'] ),
			esc_html( $task['priority'] ),
			wpestate_crm_date( $task['due_date'] ),
			wpestate_crm_label( $task['status'] ),
			'completed' === $task['status'] ? '' : sprintf( '<button type="button" class="button button-small" data-crm-do="wpestate_crm_complete_task" data-crm-task_id="%d">Complete</button>', $task['task_id'] ),
		)
	);
}
