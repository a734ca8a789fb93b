<?php
/** What is compiled in, as PHP reads it. */

declare(strict_types=1);

return [
	'the catalogue and the formats are what PHP reads' => function () {
		$events = array_column( Posthorn\events(), null, 'name' );
		foreach ( [ 'contact.created', 'deal.stage_changed', 'deal.won', 'task.completed', 'form_submitted', 'test' ] as $name ) {
			holds( 'test' === $name || isset( $events[ $name ] ), "the catalogue has $name" );
		}
		foreach ( $events as $name => $event ) {
			holds( '' !== $event['title'] && is_array( $event['sample'] ), "$name has a title and a sample" );
		}
		$formats = array_column( Posthorn\formats(), null, 'name' );
		foreach ( [ 'wpresidence', 'winnerr', 'winnerr-settings', 'realtorbot', 'real-estate', 'standard-webhooks', 'github', 'stripe' ] as $name ) {
			holds( isset( $formats[ $name ] ), "there is the format $name" );
		}
		same( [ 300.0, 300.0 ], array_map( 'floatval', $formats['wpresidence']['schedule'] ), 'the default schedule' );
		same( 15.0, (float) $formats['wpresidence']['timeout'], 'the default timeout' );
		same( [ 'winnerr' ], array_keys( array_filter( array_column( $formats, 'circuit_breaker', 'name' ) ) ), 'formats with a circuit breaker' );
		same( 0.0, (float) $formats['wpresidence']['schedule_jitter'], 'the default schedule is exact' );
		$presets = array_column( Posthorn\presets(), null, 'name' );
		same( [ 'zapier', 'make', 'n8n', 'workato', 'slack', 'plain' ], array_keys( $presets ), 'the presets' );
		same( 30.0, (float) $presets['zapier']['rate_per_second'], 'the rate of Zapier' );
		same( [ 'make' ], array_column( Posthorn\presets( 'https://hook.eu2.make.com/abc' ), 'name' ), 'the preset of a URL' );
		same( [], Posthorn\presets( 'https://crm.example.com/' ), 'the preset of another URL' );
	},
];
