<?php
/**
 * @package Posthorn\Tests
 */

use Posthorn\Tests\Command;
use Posthorn\Tests\SiteTestCase;

/** What WordPress itself knows: properties, users, the site's identity, plugins, reviews. */
final class SourcesTest extends SiteTestCase {

	private const WANTED = array( 'property.*', 'user.*', 'organization.*', 'integration.*', 'feedback.*' );

	/** What passed posthorn_event_data: event, data, context. */
	private array $seen = array();

	protected function setUp(): void {
		parent::setUp();
		self::register();
		$this->end_request();
		$this->wait_until_sent();
		$this->save_endpoint( array( 'format' => 'github', 'events' => self::WANTED ) );
		$this->listen(
			'posthorn_event_data',
			function ( array $data, string $event, array $context ): array {
				$this->seen[] = array( $event, $data, $context );
				return $data;
			}
		);
	}

	protected function tearDown(): void {
		$this->events();
		parent::tearDown();
		self::assertSame( '', $this->problem() );
	}

	/** What the theme registers. */
	private static function register(): void {
		register_post_type( 'estate_property', array( 'public' => true, 'supports' => array( 'title', 'editor', 'thumbnail', 'comments' ) ) );
		register_post_type( 'estate_review', array( 'public' => true ) );
		foreach ( array( 'property_status', 'property_category', 'property_city' ) as $taxonomy ) {
			register_taxonomy( $taxonomy, 'estate_property' );
		}
	}

	/** Names of the events since the last call, oldest first: as if the request had ended. */
	private function events(): array {
		if ( function_exists( 'posthorn_source_hand_over' ) ) {
			posthorn_source_hand_over();
		}
		$names      = array_column( $this->seen, 0 );
		$this->last = $this->seen;
		$this->seen = array();
		return $names;
	}

	private array $last = array();

	private static function property( array $post = array() ): int {
		return wp_insert_post(
			$post + array(
				'post_type'   => 'estate_property',
				'post_status' => 'publish',
				'post_title'  => 'Quay 3',
				'meta_input'  => array( 'property_price' => '750000', 'property_bedrooms' => '2', 'property_zip' => '02139', 'owner_notes' => 'hush' ),
				'tax_input'   => array(),
			)
		);
	}

	/** An image in the library, of a post. */
	private static function photo( int $property, string $name ): int {
		$file = wp_upload_bits( $name, null, base64_decode( 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7' ) );
		return wp_insert_attachment( array( 'post_mime_type' => 'image/gif', 'post_title' => $name ), $file['file'], $property );
	}

	public function test_a_property_is_created_when_it_is_published_with_all_that_one_save_gives_it(): void {
		$draft = self::property( array( 'post_status' => 'draft' ) );
		self::assertSame( array(), $this->events(), 'a draft is nobody else’s business' );
		wp_update_post( array( 'ID' => $draft, 'post_status' => 'publish' ) );
		self::assertSame( array( 'property.created' ), $this->events() );

		$id = self::property();
		wp_set_object_terms( $id, 'For Sale', 'property_status' );
		update_post_meta( $id, 'property_city_zip', '1' );
		self::assertSame( array( 'property.created' ), $this->events() );
		list( , $data, $context ) = $this->last[0];
		$expected                 = array( 'property_id' => $id, 'title' => 'Quay 3', 'post_status' => 'publish', 'status' => 'For Sale', 'price' => 750000, 'bedrooms' => 2, 'zipcode' => '02139', 'url' => get_permalink( $id ), 'photos' => array() );
		self::assertEquals( $expected, array_intersect_key( $data, $expected ) );
		self::assertSame( 750000, $data['price'] );
		self::assertStringNotContainsString( 'hush', wp_json_encode( $data ) );
		self::assertArrayNotHasKey( 'changes', $context );
		self::assertSame( array( "property:$id", 1, 'person' ), array( $context['record'], $context['user']['id'], $context['source'] ) );
		$this->wait_until_sent();
		self::assertSame( array( 'property.created', 'property.created' ), $this->receiver->events() );
	}

	public function test_a_property_whose_time_has_come_or_that_is_let_through_is_created(): void {
		foreach ( array( 'future', 'pending', 'draft' ) as $state ) {
			$id = self::property( array( 'post_status' => $state, 'post_date' => wp_date( 'Y-m-d H:i:s', time() + HOUR_IN_SECONDS ) ) );
			self::assertSame( array(), $this->events(), $state );
			wp_publish_post( $id );
			self::assertSame( array( 'property.created' ), $this->events(), $state );
			self::assertSame( 'publish', $this->last[0][1]['post_status'] );
		}
		// Hidden and shown again within a page, it is what it was.
		wp_update_post( array( 'ID' => $id, 'post_status' => 'draft' ) );
		wp_publish_post( $id );
		self::assertSame( array(), $this->events() );
	}

	public function test_one_save_is_one_update_with_what_was_before(): void {
		$id = self::property();
		$this->events();
		wp_update_post( array( 'ID' => $id, 'post_title' => 'Quay 4' ) );
		update_post_meta( $id, 'property_bedrooms', '3' );
		update_post_meta( $id, '_edit_lock', time() . ':1' );
		self::assertSame( array( 'property.updated' ), $this->events() );
		list( , $data, $context ) = $this->last[0];
		self::assertSame( array( 'Quay 4', 3 ), array( $data['title'], $data['bedrooms'] ) );
		self::assertSame( array( 'title' => 'Quay 3', 'bedrooms' => 2 ), $context['previous'] );
		self::assertSame( array( 'title', 'bedrooms' ), $context['changes'] );

		wp_update_post( array( 'ID' => $id, 'post_title' => 'Quay 4' ) );
		update_post_meta( $id, 'property_bedrooms', '3' );
		update_post_meta( $id, 'owner_notes', 'hush, hush' );
		wp_set_object_terms( $id, array(), 'property_status' );
		self::assertSame( array(), $this->events(), 'a save that changes nothing' );
		update_post_meta( $id, 'property_bedrooms', '4' );
		update_post_meta( $id, 'property_bedrooms', '3' );
		self::assertSame( array(), $this->events(), 'there and back' );
	}

	public function test_price_and_status_are_events_of_their_own_and_one_that_is_sold_has_the_name_for_it(): void {
		$id = self::property();
		wp_set_object_terms( $id, array( 'For Sale', 'Hot Offer' ), 'property_status' );
		$this->events();
		update_post_meta( $id, 'property_price', '725000' );
		self::assertSame( array( 'property.updated', 'property.price_changed' ), $this->events() );
		self::assertSame( array( array( 'price' => 750000 ), array( 'price' ) ), array( $this->last[1][2]['previous'], $this->last[1][2]['changes'] ) );

		$this->wait_until_sent();
		$before = count( $this->receiver->requests() );
		$this->save_endpoint( array( 'format' => 'github', 'events' => array( 'property.sold' ) ) );
		wp_set_object_terms( $id, array( 'Hot Offer' ), 'property_status' );
		self::assertSame( array( 'property.status_changed' ), $this->events() );
		wp_set_object_terms( $id, array( 'Hot Offer', 'Sold' ), 'property_status' );
		self::assertSame( array( 'property.status_changed' ), $this->events() );
		self::assertSame( array( 'Sold', array( 'status' => 'Hot Offer' ) ), array( $this->last[0][1]['status'], $this->last[0][2]['previous'] ) );
		$this->wait_until_sent();
		self::assertCount( $before + 1, $this->receiver->requests(), 'only the one that is sold' );
	}

	public function test_photos_are_told_when_they_are_added(): void {
		$id = self::property();
		$this->events();
		$photo = self::photo( $id, 'one.gif' );
		self::photo( $id, 'two.gif' );
		self::photo( 0, 'elsewhere.gif' );
		self::assertSame( array( 'property.updated', 'property.photos_uploaded' ), $this->events() );
		self::assertCount( 2, $this->last[1][1]['photos'] );
		self::assertStringEndsWith( '.gif', $this->last[1][1]['photos'][0] );
		self::assertSame( array( 'photos' => array() ), $this->last[1][2]['previous'] );
		wp_delete_attachment( $photo, true );
		self::assertSame( array( 'property.updated' ), $this->events(), 'fewer photos are no upload' );
	}

	public function test_a_photo_that_is_given_to_a_property_or_taken_away_is_told(): void {
		list( $id, $other ) = array( self::property(), self::property( array( 'post_title' => 'Hill 1' ) ) );
		$photo              = self::photo( 0, 'library.gif' );
		$this->events();
		wp_update_post( array( 'ID' => $photo, 'post_parent' => $id ) );
		self::assertSame( array( 'property.updated', 'property.photos_uploaded' ), $this->events() );
		self::assertSame( array( 'photos' => array() ), $this->last[1][2]['previous'] );
		wp_update_post( array( 'ID' => $photo, 'post_parent' => $other ) );
		self::assertSame( array( 'property.updated', 'property.updated', 'property.photos_uploaded' ), $this->events() );
		self::assertSame( array( $id, $other ), array( $this->last[0][1]['property_id'], $this->last[2][1]['property_id'] ) );
		wp_update_post( array( 'ID' => $photo, 'post_parent' => 0, 'post_title' => 'House' ) );
		self::assertSame( array( 'property.updated' ), $this->events() );
		wp_update_post( array( 'ID' => $photo, 'post_title' => 'A house' ) );
		self::assertSame( array(), $this->events() );
	}

	public function test_a_property_that_is_gone_is_told_as_it_was(): void {
		$id = self::property();
		$other = self::property( array( 'post_title' => 'Hill 1' ) );
		$this->events();
		wp_trash_post( $id );
		self::assertSame( array( 'property.deleted' ), $this->events() );
		self::assertSame( array( $id, 'Quay 3', 750000, 'publish' ), array( $this->last[0][1]['property_id'], $this->last[0][1]['title'], $this->last[0][1]['price'], $this->last[0][1]['post_status'] ) );
		wp_delete_post( $id, true );
		self::assertSame( array(), $this->events(), 'it was told already' );
		wp_delete_post( $other, true );
		self::assertSame( array( 'property.deleted' ), $this->events() );
		self::assertSame( 'Hill 1', $this->last[0][1]['title'] );
	}

	public function test_other_posts_are_nothing(): void {
		$post = wp_insert_post( array( 'post_title' => 'News', 'post_status' => 'publish', 'meta_input' => array( 'property_price' => '1' ) ) );
		wp_update_post( array( 'ID' => $post, 'post_title' => 'Old' ) );
		self::photo( $post, 'news.gif' );
		wp_insert_comment( array( 'comment_post_ID' => $post, 'comment_content' => 'Nice' ) );
		wp_delete_post( $post, true );
		self::assertSame( array(), $this->events() );
	}

	public function test_a_user_is_created_and_updated_and_no_password_is_told(): void {
		$name = 'ada-' . bin2hex( random_bytes( 4 ) );
		$id   = wp_insert_user( array( 'user_login' => $name, 'user_pass' => 'hush-hush', 'user_email' => "$name@example.com", 'display_name' => 'Ada', 'first_name' => 'Ada', 'role' => 'editor' ) );
		self::assertSame( array( 'user.created' ), $this->events() );
		list( , $data, $context ) = $this->last[0];
		self::assertSame( array( $id, 'Ada', "$name@example.com", 'editor' ), array( $data['user_id'], $data['name'], $data['email'], $data['role'] ) );
		self::assertSame( "user:$id", $context['record'] );
		self::assertMatchesRegularExpression( '/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/', $data['registered_at'] );

		wp_update_user( array( 'ID' => $id, 'display_name' => 'Ada L.', 'role' => 'author' ) );
		self::assertSame( array( 'user.updated' ), $this->events() );
		self::assertSame( array( 'name' => 'Ada', 'role' => 'editor', 'roles' => array( 'editor' ) ), $this->last[0][2]['previous'] );
		self::assertSame( array( 'Ada L.', 'author' ), array( $this->last[0][1]['name'], $this->last[0][1]['role'] ) );

		wp_set_password( 'another', $id );
		wp_update_user( array( 'ID' => $id, 'user_pass' => 'third' ) );
		WP_Session_Tokens::get_instance( $id )->create( time() + 60 );
		self::assertSame( array(), $this->events(), 'a password, a session' );
		self::assertStringNotContainsString( 'hush', wp_json_encode( $data ) . wp_json_encode( $context ) );
		self::assertStringNotContainsString( '$P$', wp_json_encode( $data ) );
		wp_delete_user( $id );
		self::assertSame( array(), $this->events() );
	}

	public function test_the_subscriber_of_users_who_register_is_told_of_new_ones_only(): void {
		$this->save_endpoint( array( 'format' => 'real-estate', 'events' => array( 'user.registered' ) ) );
		$name = 'ida-' . bin2hex( random_bytes( 4 ) );
		$id   = wp_create_user( $name, 'hush-hush', "$name@example.com" );
		wp_update_user( array( 'ID' => $id, 'display_name' => 'Ida' ) );
		self::assertSame( array( 'user.created' ), $this->events() );
		wp_update_user( array( 'ID' => $id, 'display_name' => 'Ida R.' ) );
		self::assertSame( array(), $this->events() );
		$this->wait_until_sent();
		$body = json_decode( $this->receiver->requests()[0]['body'], true );
		self::assertSame( array( 'user.registered', 'Ida' ), array( $body['type'], $body['data']['user']['name'] ) );
		wp_delete_user( $id );
	}

	public function test_the_site_s_identity_is_the_organisation(): void {
		$name = get_option( 'blogname' );
		update_option( 'blogname', 'Example & Sons' );
		update_option( 'blogdescription', 'Homes by the sea' );
		self::assertSame( array( 'organization.updated' ), $this->events() );
		list( , $data, $context ) = $this->last[0];
		self::assertSame( array( 'Example & Sons', 'Homes by the sea' ), array( $data['name'], $data['tagline'] ) );
		self::assertSame( 'Example & Sons', $context['organization']['name'] );
		self::assertSame( array( 'name', 'tagline' ), $context['changes'] );
		self::assertSame( wp_specialchars_decode( $name, ENT_QUOTES ), $context['previous']['name'] );
		update_option( 'blogname', 'Example & Sons' );
		update_option( 'posts_per_page', 11 );
		self::assertSame( array(), $this->events() );
		update_option( 'blogname', $name );
		update_option( 'posts_per_page', 10 );
		self::assertSame( array( 'organization.updated' ), $this->events() );
	}

	public function test_a_plugin_that_is_switched_on_and_off_is_an_integration(): void {
		$folder = WP_PLUGIN_DIR . '/example-mail';
		wp_mkdir_p( $folder );
		file_put_contents( "$folder/mail.php", "<?php\n/*\nPlugin Name: Example Mail\nVersion: 1.2\nAuthor: <a href='https://example.com'>Example</a>\n*/\n" );
		wp_cache_delete( 'plugins', 'plugins' );
		self::assertNull( activate_plugin( 'example-mail/mail.php' ) );
		self::assertSame( array( 'integration.connected' ), $this->events() );
		self::assertSame( array( 'integration_id' => 'example-mail', 'name' => 'Example Mail', 'provider' => 'Example', 'version' => '1.2' ), $this->last[0][1] );
		activate_plugin( 'example-mail/mail.php' );
		self::assertSame( array(), $this->events() );
		deactivate_plugins( 'example-mail/mail.php' );
		self::assertSame( array( 'integration.disconnected' ), $this->events() );
		self::assertSame( 'Example Mail', $this->last[0][1]['name'] );
		deactivate_plugins( 'example-mail/mail.php' );
		self::assertSame( array(), $this->events() );
		unlink( "$folder/mail.php" );
		rmdir( $folder );
		wp_cache_delete( 'plugins', 'plugins' );
	}

	public function test_what_is_written_about_a_property_is_feedback(): void {
		$id = self::property();
		$this->events();
		$comment = wp_insert_comment( array( 'comment_post_ID' => $id, 'comment_content' => 'A lovely place', 'comment_author' => 'Zoë', 'comment_author_email' => 'zoe@example.com', 'comment_author_IP' => '192.0.2.77', 'comment_approved' => 0 ) );
		add_comment_meta( $comment, 'review_stars', '5' );
		self::assertSame( array( 'feedback.submitted' ), $this->events() );
		list( , $data, $context ) = $this->last[0];
		self::assertSame( array( $comment, $id, 5, 'A lovely place', false, 'Zoë' ), array( $data['feedback_id'], $data['property_id'], $data['rating'], $data['text'], $data['approved'], $data['author']['name'] ) );
		self::assertSame( "property:$id", $context['record'] );
		self::assertStringNotContainsString( '192.0.2.77', wp_json_encode( $data ) );
		wp_set_comment_status( $comment, 'approve' );
		self::assertSame( array(), $this->events(), 'it was told already' );
		foreach ( array( 'wp_unspam_comment', 'wp_set_comment_status' ) as $back ) {
			wp_spam_comment( $comment );
			$back( $comment, 'approve' );
			self::assertSame( array(), $this->events(), 'moved to spam and back, it was told already' );
		}

		$spam = wp_insert_comment( array( 'comment_post_ID' => $id, 'comment_content' => 'Buy this', 'comment_approved' => 'spam' ) );
		wp_insert_comment( array( 'comment_post_ID' => $id, 'comment_content' => 'Linked', 'comment_type' => 'pingback', 'comment_approved' => 1 ) );
		self::assertSame( array(), $this->events() );
		wp_set_comment_status( $spam, 'approve' );
		self::assertSame( array( 'feedback.submitted' ), $this->events(), 'it was no spam' );

		$review = wp_insert_post( array( 'post_type' => 'estate_review', 'post_status' => 'publish', 'post_content' => 'A patient agent', 'meta_input' => array( 'attached_to' => $id, 'review_stars' => '4' ) ) );
		self::assertSame( array( 'feedback.submitted' ), $this->events() );
		self::assertSame( array( $review, $id, 4, 'review' ), array( $this->last[0][1]['feedback_id'], $this->last[0][1]['property_id'], $this->last[0][1]['rating'], $this->last[0][1]['kind'] ) );
	}

	public function test_the_end_of_a_command_hands_over_what_it_changed_even_if_it_exits(): void {
		$code = 'register_post_type( "estate_property", array( "public" => true ) );
			$id = wp_insert_post( array( "post_type" => "estate_property", "post_status" => "publish", "post_title" => "Command" ) );
			define( "WP_IMPORTING", true );
			wp_insert_post( array( "post_type" => "estate_property", "post_status" => "publish", "post_title" => "Import" ) );
			echo posthorn_source();
			exit;';
		$command = Command::wordpress( $code );
		self::assertSame( 'import', $command->output, $command->errors );
		$this->receiver->wait_for( 2 );
		$this->wait_until_sent();
		$titles = array_map( static fn( array $request ): string => json_decode( $request['body'], true )['data']['title'], $this->receiver->requests() );
		sort( $titles );
		self::assertSame( array( 'Command', 'Import' ), $titles );
	}

	public function test_a_page_of_a_site_whose_receiver_wants_none_of_it_loads_none_of_it(): void {
		$code = 'register_post_type( "estate_property", array( "public" => true ) );
			wp_insert_post( array( "post_type" => "estate_property", "post_status" => "publish", "post_title" => "Unheard" ) );
			echo implode( ",", array_map( "basename", preg_grep( "~/posthorn/includes/sources/~", get_included_files() ) ) ), "|", has_filter( "pre_post_update" ) ? "heard" : "";';
		$this->save_endpoint();
		self::assertSame( '|', Command::wordpress( $code )->output );
		$this->save_endpoint( array( 'format' => 'github', 'events' => array( 'user.*' ) ) );
		self::assertSame( 'hooks.php|', Command::wordpress( $code )->output );
		$this->save_endpoint( array( 'format' => 'github', 'events' => array( 'property.*' ) ) );
		self::assertSame( 'hooks.php,waiting.php,properties.php|heard', Command::wordpress( $code )->output );
		$this->wait_until_sent();
	}

	public function test_a_defect_of_a_listener_does_not_reach_the_site(): void {
		$this->listen( 'posthorn_property_fields', static function (): array { throw new TypeError( 'a defect' ); } );
		self::assertIsInt( self::property() );
		posthorn_source_hand_over();
		self::assertSame( 'a defect', $this->problem() );
		$this->forget_problems();
	}

	public function test_an_import_of_many_properties_does_not_wait_for_its_end(): void {
		for ( $n = 0; $n < 105; $n++ ) {
			self::property( array( 'post_title' => "Quay $n", 'meta_input' => array() ) );
		}
		// So many wait at most; on a busy machine some were handed over before, as none waits for longer than ten seconds.
		self::assertGreaterThanOrEqual( 105 - POSTHORN_SOURCE_MOST_WAITING, count( $this->seen ) );
		self::assertCount( 105, $this->events() );
	}
}
