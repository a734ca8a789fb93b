<?php
/**
 * The contacts screen: search, bulk actions on some or all of them, import.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

require_once ABSPATH . 'wp-admin/includes/class-wp-list-table.php';

/**
 * The table on that screen.
 */
class Wpestate_Crm_Contacts_Table extends WP_List_Table {
	public function __construct() {
		parent::__construct( array( 'singular' => 'contact', 'plural' => 'contacts', 'screen' => 'wpestate-crm-contacts' ) );
	}

	public function get_columns() {
		return array(
			'cb'         => '<input type="checkbox">',
			'name'       => 'Name',
			'email'      => 'Email',
			'city'       => 'Town',
			'stage'      => 'Stage',
			'status'     => 'Status',
			'tags'       => 'Tags',
			'updated_at' => 'Changed',
		);
	}

	protected function get_sortable_columns() {
		return array( 'name' => 'last_name', 'city' => 'city', 'status' => 'status', 'updated_at' => array( 'updated_at', true ) );
	}

	protected function get_bulk_actions() {
		$stages = array();
		foreach ( wpestate_crm_lifecycle_stages() as $key => $label ) {
			$stages[ "lifecycle_stage:$key" ] = $label;
		}
		$statuses = array();
		foreach ( wpestate_crm_contact_statuses() as $status ) {
			$statuses[ "status:$status" ] = $status;
		}
		return array(
			'Set the status'         => $statuses,
			'Move to the stage'      => $stages,
			'assigned_agent_id:1'    => 'Assign to me',
			'delete'                 => 'Delete',
		);
	}

	public function prepare_items() {
		$this->_column_headers = array( $this->get_columns(), array(), $this->get_sortable_columns(), 'name' );
		$args                  = wpestate_crm_contacts_query();
		$total                 = wpestate_crm_get_contacts( $args + array( 'count' => true ) );
		$this->items           = wpestate_crm_get_contacts( $args + array( 'number' => 25, 'offset' => 25 * ( $this->get_pagenum() - 1 ) ) );
		$this->set_pagination_args( array( 'total_items' => $total, 'per_page' => 25 ) );
	}

	protected function column_cb( $item ) {
		return sprintf( '<input type="checkbox" name="ids[]" value="%d" aria-label="%s">', $item['contact_id'], esc_attr( 'Select ' . $item['first_name'] . ' ' . $item['last_name'] ) );
	}

	protected function column_name( $item ) {
		$links = array(
			'edit'   => sprintf( '<a href="%s">Edit</a>', esc_url( wpestate_crm_screen_url( 'wpestate-crm-contact', array( 'id' => $item['contact_id'] ) ) ) ),
			'delete' => sprintf( '<button type="submit" class="button-link" name="delete_one" value="%d">Delete</button>', $item['contact_id'] ),
		);
		return '<strong>' . wpestate_crm_contact_link( (int) $item['contact_id'], $item ) . '</strong>' . $this->row_actions( $links );
	}

	protected function column_stage( $item ) {
		return esc_html( wpestate_crm_lifecycle_stages()[ $item['lifecycle_stage'] ] ?? $item['lifecycle_stage'] );
	}

	protected function column_status( $item ) {
		return wpestate_crm_label( $item['status'] );
	}

	protected function column_updated_at( $item ) {
		return esc_html( human_time_diff( (int) strtotime( $item['updated_at'] . ' UTC' ) ) . ' ago' );
	}

	protected function column_default( $item, $column ) {
		return esc_html( str_replace( ',', ', ', (string) $item[ $column ] ) );
	}
}

/** What the address asks for: search and order. */
function wpestate_crm_contacts_query(): array {
	// phpcs:disable WordPress.Security.NonceVerification -- only reads.
	return array(
		'search'  => sanitize_text_field( wp_unslash( $_REQUEST['s'] ?? '' ) ),
		'orderby' => sanitize_key( $_REQUEST['orderby'] ?? 'contact_id' ),
		'order'   => sanitize_key( $_REQUEST['order'] ?? 'desc' ),
	);
	// phpcs:enable
}

/** Takes a bulk action or an import. */
function wpestate_crm_take_contacts(): void {
	check_admin_referer( 'bulk-contacts' );
	if ( ! current_user_can( 'manage_crm' ) ) {
		wp_die( 'You may not change contacts.', 403 );
	}
	$started = microtime( true );
	if ( isset( $_POST['import_sample'] ) ) {
		$count = min( 20000, max( 1, (int) ( $_POST['import_count'] ?? 0 ) ) );
		$from  = wpestate_crm_get_contacts( array( 'count' => true ) ) + 1;
		$done  = wpestate_crm_import_contacts( wpestate_crm_sample_contacts( $count, $from ) );
		wpestate_crm_go( 'wpestate-crm', sprintf( '%s contacts imported in %.1f seconds.', number_format_i18n( $done ), microtime( true ) - $started ) );
	}
	$action = sanitize_text_field( wp_unslash( $_POST['action'] ?? '-1' ) );
	if ( '-1' === $action ) {
		$action = sanitize_text_field( wp_unslash( $_POST['action2'] ?? '-1' ) );
	}
	$ids = array_map( 'intval', (array) ( $_POST['ids'] ?? array() ) );
	if ( isset( $_POST['delete_one'] ) ) {
		$action = 'delete';
		$ids    = array( (int) $_POST['delete_one'] );
	} elseif ( '1' === ( $_POST['all_matching'] ?? '' ) ) {
		$ids = wpestate_crm_get_contacts( wpestate_crm_contacts_query() + array( 'fields' => 'ids', 'number' => -1 ) );
	}
	$back = array_filter( array( 's' => wpestate_crm_contacts_query()['search'], 'paged' => (int) ( $_POST['paged'] ?? 0 ) ) );
	if ( ! $ids || '-1' === $action ) {
		wpestate_crm_go( 'wpestate-crm', 'Choose contacts and an action first.', $back, 'warning' );
	}
	if ( 'delete' === $action ) {
		$done = wpestate_crm_bulk_delete_contacts( $ids );
		$verb = 'deleted';
	} else {
		list( $column, $value ) = explode( ':', $action, 2 ) + array( 1 => '' );
		if ( ! in_array( $column, array( 'status', 'lifecycle_stage', 'assigned_agent_id' ), true ) ) {
			wp_die( 'There is no such bulk action.', 400 );
		}
		$done = wpestate_crm_bulk_update_contacts( $ids, array( $column => $value ) );
		$verb = 'changed';
	}
	wpestate_crm_go( 'wpestate-crm', sprintf( '%s contacts %s in %.1f seconds.', number_format_i18n( $done ), $verb, microtime( true ) - $started ), $back );
}

/** The screen. */
function wpestate_crm_contacts_screen(): void {
	$table = new Wpestate_Crm_Contacts_Table();
	$table->prepare_items();
	$total = $table->get_pagination_arg( 'total_items' );
	?>
	<div class="wrap">
		<h1 class="wp-heading-inline">Contacts</h1>
		<a class="page-title-action" href="<?php echo esc_url( wpestate_crm_screen_url( 'wpestate-crm-contact' ) ); ?>">Add Contact</a>
		<hr class="wp-header-end">
		<?php wpestate_crm_show_message(); ?>
		<form method="get">
			<input type="hidden" name="page" value="wpestate-crm">
			<?php $table->search_box( 'Search Contacts', 'contact' ); ?>
		</form>
		<form method="post" id="crm-contacts" data-total="<?php echo (int) $total; ?>">
			<input type="hidden" name="s" value="<?php echo esc_attr( wpestate_crm_contacts_query()['search'] ); ?>">
			<input type="hidden" name="all_matching" value="0">
			<div class="crm-all" hidden>
				<span></span>
				<button type="button" class="button-link"></button>
			</div>
			<?php $table->display(); ?>
			<fieldset class="crm-import">
				<legend>Import</legend>
				<label>Add <input type="number" name="import_count" value="5000" min="1" max="20000" class="small-text"> made-up contacts</label>
				<button type="submit" name="import_sample" value="1" class="button">Import</button>
				<span class="crm-soft">For trying bulk actions on many rows.</span>
			</fieldset>
		</form>
	</div>
	<?php
}
