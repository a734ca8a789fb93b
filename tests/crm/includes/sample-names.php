<?php
/**
 * What made-up records are made of. All of it is invented: example.com addresses, 555 numbers, towns that do not exist.
 *
 * @package WpestateCrmStandIn
 */

defined( 'ABSPATH' ) || exit;

/** Words by kind. */
function wpestate_crm_sample_words(): array {
	return array(
		'first_names'  => array( 'Ana', 'Ben', 'Carla', 'David', 'Elif', 'Farid', 'Grace', 'Hanna', 'Igor', 'Joana', 'Kenji', 'Laura', 'Miguel', 'Nadia', 'Oscar', 'Priya', 'Quentin', 'Rosa', 'Sven', 'Tereza', 'Umar', 'Vera', 'Wei', 'Ximena', 'Yusuf', 'Zoë', 'Andrés', 'Björn', 'Chloé', 'Siobhán' ),
		'last_names'   => array( 'Abbott', 'Bauer', 'Castillo', 'Dubois', 'Eriksen', 'Fontaine', 'García', 'Hughes', 'Ito', 'Jansen', 'Kowalski', 'Lopes', 'Müller', 'Novák', 'Okafor', 'Petrov', 'Quinn', 'Rossi', 'Sørensen', 'Tanaka', 'Usman', 'Vasquez', 'Whitfield', 'Yilmaz', 'Zhang', 'O’Brien', 'D’Angelo', 'Lindqvist' ),
		'streets'      => array( 'Harbour Street', 'Mill Lane', 'Orchard Road', 'Lighthouse Avenue', 'Chestnut Close', 'Quarry Hill', 'Station Road', 'Willow Way' ),
		'towns'        => array( array( 'Port Ansel', 'CA', '90817' ), array( 'Millbrook', 'MA', '02139' ), array( 'Eastvale', 'WA', '98244' ), array( 'Harrow Bay', 'ME', '04032' ), array( 'Cedar Point', 'OR', '97388' ), array( 'Lower Finch', 'NY', '12528' ) ),
		'sources'      => array( 'Website form', 'Referral', 'Open house', 'Portal', 'Walk-in', 'Newsletter' ),
		'tags'         => array( 'buyer', 'seller', 'investor', 'first-time', 'relocating', 'cash', 'newsletter', 'downsizing' ),
		'homes'        => array( 'townhouse', 'apartment', 'cottage', 'duplex', 'loft', 'villa', 'studio', 'family house' ),
		'lead_words'   => array( 'Is the %s in %s still available?', 'I would like to see the %s in %s this weekend.', 'What is a fair price for the %s in %s?', 'Please send me the floor plan of the %s in %s.', 'We are moving in spring and look for a %s in %s.' ),
		'task_words'   => array( 'Call back about the %s', 'Send the contract for the %s', 'Arrange photos of the %s', 'Confirm the viewing of the %s', 'Ask for the energy certificate of the %s', 'Prepare the offer for the %s' ),
		'next_actions' => array( 'Call', 'Send offer', 'Arrange second viewing', 'Chase solicitor', 'Prepare contract', '' ),
	);
}
