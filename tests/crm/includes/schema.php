<?php
/**
 * The tables. Column names are the CRM's; every type is invented, and so are the columns under "invented".
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The tables without their prefix: the key first, then the columns with their SQL types.
 */
function wpestate_crm_schema(): array {
	static $schema = null;
	if ( null !== $schema ) {
		return $schema;
	}
	$key   = 'bigint(20) unsigned NOT NULL AUTO_INCREMENT';
	$id    = 'bigint(20) unsigned NOT NULL DEFAULT 0';
	$text  = "varchar(190) NOT NULL DEFAULT ''";
	$long  = 'longtext';
	$money = 'decimal(15,2) DEFAULT NULL';
	$count = 'int(11) DEFAULT NULL';
	$date  = 'date DEFAULT NULL';
	$time  = 'datetime DEFAULT NULL';

	$schema = array(
		'contacts'        => array( 'contact_id' => $key )
			+ array_fill_keys( array( 'first_name', 'last_name', 'prefix', 'email', 'mobile', 'phone', 'home_phone', 'address', 'city', 'county', 'state', 'zipcode', 'country' ), $text )
			+ array(
				'lifecycle_stage'            => "varchar(60) NOT NULL DEFAULT 'new_lead'",
				'lifecycle_stage_changed_at' => $time,
				'lead_source'                => $text,
				'lead_type'                  => $text,
				'status'                     => "varchar(30) NOT NULL DEFAULT 'Active'",
				'assigned_agent_id'          => $id,
				'user_id'                    => $id,
				'wp_user_id'                 => $id,
				'tags'                       => 'text',
				'private_note'               => $long,
				'pref_min_price'             => $money,
				'pref_max_price'             => $money,
				'pref_min_beds'              => $count,
				'pref_max_beds'              => $count,
				'pref_min_baths'             => $count,
				'pref_max_baths'             => $count,
				'pref_min_area'              => $money,
				'pref_max_area'              => $money,
				'pref_locations'             => 'text',
				'pref_property_type'         => $text,
				'pref_property_status'       => $text,
				'twitter'                    => $text,
				'linkedin'                   => $text,
				'facebook'                   => $text,
				'created_at'                 => $time,
				'updated_at'                 => $time,
			)
			// Invented: four of the 44 columns are not named anywhere.
			+ array(
				'company'    => $text,
				'job_title'  => $text,
				'lead_score' => 'int(11) NOT NULL DEFAULT 0',
				'birthday'   => $date,
			),
		'leads'           => array( 'lead_id' => $key )
			+ array_fill_keys( array( 'contact_id', 'user_id', 'handler_agent_id' ), $id )
			+ array_fill_keys( array( 'lead_type', 'lead_source', 'lead_source_link' ), $text )
			+ array(
				'status'           => "varchar(30) NOT NULL DEFAULT 'New'",
				'message'          => $long,
				'private_note'     => $long,
				'from_email'       => $text,
				'source_permalink' => $text,
				'created_at'       => $time,
				'updated_at'       => $time,
			),
		'enquiries'       => array( 'enquiry_id' => $key )
			+ array_fill_keys( array( 'user_id', 'lead_id', 'contact_id' ), $id )
			+ array_fill_keys( array( 'enquiry_type', 'enquiry_status', 'enquiry_source', 'enquiry_user_type', 'enquiry_to' ), $text )
			+ array(
				'enquiry_message' => $long,
				'property_id'     => $id,
			)
			+ array_fill_keys( array( 'property_type', 'property_status', 'property_city', 'property_area', 'property_country', 'property_state' ), $text )
			+ array_fill_keys( array( 'min_price', 'max_price' ), $money )
			+ array_fill_keys( array( 'min_bedrooms', 'max_bedrooms', 'min_bathrooms', 'max_bathrooms' ), $count )
			+ array_fill_keys( array( 'min_area_size', 'max_area_size' ), $money )
			+ array(
				'enquiry_meta' => $long,
				'created_at'   => $time,
				'updated_at'   => $time,
			),
		'deals'           => array( 'deal_id' => $key )
			+ array_fill_keys( array( 'deal_title', 'title' ), $text )
			+ array_fill_keys( array( 'deal_stage', 'stage' ), "varchar(60) NOT NULL DEFAULT 'new'" )
			+ array_fill_keys( array( 'deal_status', 'status' ), "varchar(30) NOT NULL DEFAULT 'open'" )
			+ array_fill_keys( array( 'deal_probability', 'probability' ), 'int(11) NOT NULL DEFAULT 0' )
			+ array_fill_keys( array( 'deal_value', 'amount' ), $money )
			+ array_fill_keys( array( 'handler_agent_id', 'assigned_agent_id' ), $id )
			+ array(
				'description'         => $long,
				'private_note'        => $long,
				'next_action'         => $text,
				'action_due_date'     => $date,
				'expected_close_date' => $date,
				'stage_changed_at'    => $time,
				'contact_id'          => $id,
				'listing_id'          => $id,
				'hubspot_deal_id'     => $text,
				'created_at'          => $time,
				'updated_at'          => $time,
			)
			// Invented: nine of the 33 columns are not named anywhere.
			+ array(
				'user_id'           => $id,
				'lead_id'           => $id,
				'currency'          => "varchar(3) NOT NULL DEFAULT 'USD'",
				'commission_rate'   => 'decimal(5,2) DEFAULT NULL',
				'commission_amount' => $money,
				'lost_reason'       => $text,
				'won_at'            => $time,
				'lost_at'           => $time,
				'tags'              => 'text',
			),
		'tasks'           => array(
			'task_id'    => $key,
			'contact_id' => $id,
			'deal_id'    => $id,
			'due_date'   => $time,
			// Invented from here on: the documentation gives no more names.
			'title'             => $text,
			'description'       => $long,
			'status'            => "varchar(30) NOT NULL DEFAULT 'pending'",
			'priority'          => "varchar(30) NOT NULL DEFAULT 'normal'",
			'task_type'         => $text,
			'assigned_agent_id' => $id,
			'lead_id'           => $id,
			'listing_id'        => $id,
			'user_id'           => $id,
			'reminder_at'       => $time,
			'completed_at'      => $time,
			'completed_by'      => $id,
			'private_note'      => $long,
			'created_at'        => $time,
			'updated_at'        => $time,
		),
		'activities'      => array(
			'activity_id' => $key,
			'user_id'     => $id,
			'entity_type' => $text,
			'entity_id'   => $id,
			'contact_id'  => $id,
			'action'      => $text,
			'type'        => $text,
			'deal_id'     => $id,
			'task_id'     => $id,
			'listing_id'  => $id,
			'subject'     => $text,
			'message'     => $long,
			'meta'        => $long,
			'created_at'  => $time,
		),
		// Invented but for their names and keys.
		'notes'           => array(
			'note_id'     => $key,
			'entity_type' => $text,
			'entity_id'   => $id,
			'user_id'     => $id,
			'note'        => $long,
			'created_at'  => $time,
		),
		'viewed_listings' => array(
			'id'         => $key,
			'contact_id' => $id,
			'listing_id' => $id,
			'viewed_at'  => $time,
		),
		'automations'     => array(
			'automation_id' => $key,
			'name'          => $text,
			'trigger_name'  => $text,
			'settings'      => $long,
			'active'        => 'tinyint(1) NOT NULL DEFAULT 0',
			'created_at'    => $time,
		),
	);
	return $schema;
}

/** The full name of a table: wp_wpresidence_crm_contacts. */
function wpestate_crm_table( string $name ): string {
	global $wpdb;
	return $wpdb->prefix . 'wpresidence_crm_' . $name;
}

/** The key column of a table. */
function wpestate_crm_key( string $name ): string {
	return (string) array_key_first( wpestate_crm_schema()[ $name ] );
}

/** Creates what is missing, and gives administrators the CRM's capability. */
function wpestate_crm_activate( bool $network_wide = false ): void {
	if ( $network_wide && is_multisite() ) {
		foreach ( get_sites( array( 'fields' => 'ids' ) ) as $site ) {
			switch_to_blog( $site );
			wpestate_crm_install();
			restore_current_blog();
		}
		return;
	}
	wpestate_crm_install();
}

/** Creates this site's tables and settings. */
function wpestate_crm_install(): void {
	global $wpdb;
	$charset = $wpdb->get_charset_collate();
	foreach ( wpestate_crm_schema() as $name => $columns ) {
		$lines = array();
		foreach ( $columns as $column => $type ) {
			$lines[] = "$column $type";
		}
		$lines[] = 'PRIMARY KEY  (' . wpestate_crm_key( $name ) . ')';
		if ( isset( $columns['contact_id'] ) && 'contacts' !== $name ) {
			$lines[] = 'KEY contact_id (contact_id)';
		}
		// phpcs:ignore WordPress.DB.PreparedSQL -- names come from the schema above.
		$wpdb->query( 'CREATE TABLE IF NOT EXISTS ' . wpestate_crm_table( $name ) . " (\n" . implode( ",\n", $lines ) . "\n) $charset" );
	}
	add_option( 'crm_deal_stages', "New\nViewing Scheduled\nOffer Made\nNegotiation\nClosed Won\nClosed Lost" );
	add_option( 'wpestate_crm_webhooks', array() );
	add_option( WPESTATE_CRM_SWITCHES, array() );
	$role = get_role( 'administrator' );
	if ( $role ) {
		$role->add_cap( 'manage_crm' );
	}
}

// A site that is added to a network later gets its tables with its first request.
add_action(
	'wp_initialize_site',
	static function ( WP_Site $site ): void {
		if ( is_plugin_active_for_network( plugin_basename( WPESTATE_CRM_FILE ) ) ) {
			switch_to_blog( (int) $site->blog_id );
			wpestate_crm_install();
			restore_current_blog();
		}
	},
	100
);
