<?php
/**
 * Made-up records: the same ones every time. Written without actions, as if they had always been there.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/** Rows in one INSERT; SQLite takes only so many at once. */
const WPESTATE_CRM_SEED_BATCH = 200;

/**
 * Fills an empty CRM, and makes the page with the enquiry form.
 *
 * @param int $contacts How many contacts; leads, enquiries, deals and tasks follow in proportion.
 * @return array Table → rows written. Nothing if there are contacts already.
 */
function wpestate_crm_seed( int $contacts = 480 ): array {
	if ( wpestate_crm_get_contacts( array( 'count' => true ) ) > 0 ) {
		return array();
	}
	// A seed of its own: the same site on every machine. Times are relative to today, or it would soon look old.
	mt_srand( 20260417, MT_RAND_MT19937 );
	$rows    = array(
		'contacts'  => wpestate_crm_sample_contacts( $contacts ),
		'leads'     => array(),
		'enquiries' => array(),
		'deals'     => array(),
		'tasks'     => array(),
	);
	for ( $n = 0; $n < $contacts / 3; $n++ ) {
		$rows['leads'][] = wpestate_crm_sample_lead( $contacts );
	}
	for ( $n = 0; $n < $contacts / 4; $n++ ) {
		$rows['enquiries'][] = wpestate_crm_sample_enquiry( $contacts );
	}
	for ( $n = 0; $n < $contacts / 8; $n++ ) {
		$rows['deals'][] = wpestate_crm_sample_deal( $contacts );
	}
	for ( $n = 0; $n < $contacts / 6; $n++ ) {
		$rows['tasks'][] = wpestate_crm_sample_task( $contacts, count( $rows['deals'] ) );
	}
	mt_srand();
	$written = array();
	foreach ( $rows as $table => $all ) {
		$written[ $table ] = 0;
		foreach ( array_chunk( $all, WPESTATE_CRM_SEED_BATCH ) as $batch ) {
			$written[ $table ] += wpestate_crm_insert_many( $table, $batch );
		}
	}
	wpestate_crm_make_enquiry_page();
	return $written;
}

/** One of a list. */
function wpestate_crm_pick( array $choices ) {
	return $choices[ mt_rand( 0, count( $choices ) - 1 ) ];
}

/** A time between so many days ago and now, as the database wants it. */
function wpestate_crm_sample_time( int $days ): string {
	return gmdate( 'Y-m-d H:i:s', time() - mt_rand( 0, $days * DAY_IN_SECONDS ) );
}

/**
 * Contacts that do not exist.
 *
 * @param int $count How many.
 * @param int $from  The number in the first one's address, so that a second batch has others.
 * @return array[]
 */
function wpestate_crm_sample_contacts( int $count, int $from = 1 ): array {
	$words = wpestate_crm_sample_words();
	$rows  = array();
	for ( $n = $from; $n < $from + $count; $n++ ) {
		$first                    = wpestate_crm_pick( $words['first_names'] );
		$last                     = wpestate_crm_pick( $words['last_names'] );
		list( $town, $state, $zip ) = wpestate_crm_pick( $words['towns'] );
		$price                    = mt_rand( 15, 90 ) * 10000;
		$tags                     = array_unique( array( wpestate_crm_pick( $words['tags'] ), wpestate_crm_pick( $words['tags'] ) ) );
		$created                  = wpestate_crm_sample_time( 700 );
		$rows[]                   = array(
			'first_name'           => $first,
			'last_name'            => $last,
			'email'                => strtolower( preg_replace( '/[^A-Za-z]/', '', remove_accents( $first . $last ) ) ) . $n . '@example.com',
			'mobile'               => sprintf( '+1 555 01%02d %04d', mt_rand( 0, 99 ), mt_rand( 0, 9999 ) ),
			'address'              => mt_rand( 1, 180 ) . ' ' . wpestate_crm_pick( $words['streets'] ),
			'city'                 => $town,
			'state'                => $state,
			'zipcode'              => $zip,
			'country'              => 'United States',
			'lifecycle_stage'      => wpestate_crm_pick( array_keys( wpestate_crm_lifecycle_stages() ) ),
			'lead_source'          => wpestate_crm_pick( $words['sources'] ),
			'lead_type'            => wpestate_crm_pick( array( 'Buyer', 'Seller', 'Tenant' ) ),
			'status'               => wpestate_crm_pick( array( 'Active', 'Active', 'Active', 'Active', 'VIP', 'Inactive' ) ),
			'assigned_agent_id'    => mt_rand( 0, 1 ),
			'tags'                 => implode( ',', $tags ),
			'pref_min_price'       => $price,
			'pref_max_price'       => $price + mt_rand( 5, 30 ) * 10000,
			'pref_min_beds'        => mt_rand( 1, 4 ),
			'pref_locations'       => $town,
			'pref_property_type'   => wpestate_crm_pick( $words['homes'] ),
			'pref_property_status' => wpestate_crm_pick( array( 'for sale', 'for rent' ) ),
			'lead_score'           => mt_rand( 5, 98 ),
			'created_at'           => $created,
			'updated_at'           => $created,
		);
	}
	return $rows;
}

/** A lead of one of the first contacts. */
function wpestate_crm_sample_lead( int $contacts ): array {
	$words   = wpestate_crm_sample_words();
	$created = wpestate_crm_sample_time( 90 );
	return array(
		'contact_id'  => mt_rand( 1, $contacts ),
		'lead_type'   => wpestate_crm_pick( array( 'Buyer', 'Seller', 'Tenant' ) ),
		'lead_source' => wpestate_crm_pick( $words['sources'] ),
		'status'      => wpestate_crm_pick( array( 'New', 'New', 'Contacted', 'Qualified', 'Unqualified' ) ),
		'message'     => sprintf( wpestate_crm_pick( $words['lead_words'] ), wpestate_crm_pick( $words['homes'] ), wpestate_crm_pick( $words['towns'] )[0] ),
		'created_at'  => $created,
		'updated_at'  => $created,
	);
}

/** An enquiry of one of the first contacts. */
function wpestate_crm_sample_enquiry( int $contacts ): array {
	$words   = wpestate_crm_sample_words();
	$town    = wpestate_crm_pick( $words['towns'] );
	$home    = wpestate_crm_pick( $words['homes'] );
	$price   = mt_rand( 15, 90 ) * 10000;
	$created = wpestate_crm_sample_time( 60 );
	return array(
		'contact_id'      => mt_rand( 1, $contacts ),
		'enquiry_type'    => wpestate_crm_pick( wpestate_crm_enquiry_types() ),
		'enquiry_status'  => wpestate_crm_pick( array( 'New', 'Answered', 'Closed' ) ),
		'enquiry_source'  => 'Website form',
		'enquiry_message' => sprintf( wpestate_crm_pick( $words['lead_words'] ), $home, $town[0] ),
		'property_type'   => $home,
		'property_city'   => $town[0],
		'property_state'  => $town[1],
		'min_price'       => $price,
		'max_price'       => $price + 150000,
		'min_bedrooms'    => mt_rand( 1, 4 ),
		'enquiry_meta'    => '{"newsletter":' . ( mt_rand( 0, 1 ) ? 'true' : 'false' ) . '}',
		'created_at'      => $created,
		'updated_at'      => $created,
	);
}

/** A deal of one of the first contacts. */
function wpestate_crm_sample_deal( int $contacts ): array {
	$words   = wpestate_crm_sample_words();
	$stage   = wpestate_crm_pick( array_keys( wpestate_crm_deal_stages() ) );
	$created = wpestate_crm_sample_time( 120 );
	$data    = wpestate_crm_complete_deal(
		array(
			'title'               => sprintf( '%s, %s %s', ucfirst( wpestate_crm_pick( $words['homes'] ) ), mt_rand( 1, 180 ), wpestate_crm_pick( $words['streets'] ) ),
			'stage'               => $stage,
			'probability'         => mt_rand( 1, 9 ) * 10,
			'amount'              => mt_rand( 18, 120 ) * 10000 + mt_rand( 0, 3 ) * 2500,
			'assigned_agent_id'   => mt_rand( 0, 1 ),
			'contact_id'          => mt_rand( 1, $contacts ),
			'next_action'         => wpestate_crm_pick( $words['next_actions'] ),
			'expected_close_date' => gmdate( 'Y-m-d', time() + mt_rand( 3, 90 ) * DAY_IN_SECONDS ),
			'created_at'          => $created,
			'updated_at'          => $created,
		),
		null
	);
	return $data;
}

/** A task of one of the first contacts and deals. */
function wpestate_crm_sample_task( int $contacts, int $deals ): array {
	$words   = wpestate_crm_sample_words();
	$done    = 0 === mt_rand( 0, 3 );
	$created = wpestate_crm_sample_time( 30 );
	return array(
		'contact_id'   => mt_rand( 1, $contacts ),
		'deal_id'      => mt_rand( 1, max( 1, $deals ) ),
		'due_date'     => gmdate( 'Y-m-d H:i:s', time() + mt_rand( -5, 20 ) * DAY_IN_SECONDS ),
		'title'        => sprintf( wpestate_crm_pick( $words['task_words'] ), wpestate_crm_pick( $words['homes'] ) ),
		'status'       => $done ? 'completed' : 'pending',
		'priority'     => wpestate_crm_pick( array( 'low', 'normal', 'normal', 'high' ) ),
		'task_type'    => wpestate_crm_pick( array( 'call', 'email', 'meeting' ) ),
		'completed_at' => $done ? $created : null,
		'created_at'   => $created,
		'updated_at'   => $created,
	);
}

/** The public page with the form; gives its id. */
function wpestate_crm_make_enquiry_page(): int {
	$page = get_page_by_path( 'enquiry' );
	if ( $page ) {
		return (int) $page->ID;
	}
	return (int) wp_insert_post(
		array(
			'post_type'    => 'page',
			'post_status'  => 'publish',
			'post_name'    => 'enquiry',
			'post_title'   => 'Ask about a home',
			'post_content' => "<!-- wp:paragraph -->\n<p>Tell us what you are looking for, and we will find it.</p>\n<!-- /wp:paragraph -->\n\n<!-- wp:shortcode -->\n[wpestate_crm_enquiry_form]\n<!-- /wp:shortcode -->",
		)
	);
}
