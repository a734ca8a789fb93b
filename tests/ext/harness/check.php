<?php
/** What a test says: a check that does not hold ends it. */

declare(strict_types=1);

final class NotSo extends Exception {}

function shown( mixed $value ): string {
	$text = json_encode( $value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR );
	return strlen( $text ) > 1500 ? substr( $text, 0, 1500 ) . '…' : $text;
}

function same( mixed $expected, mixed $found, string $what ): void {
	if ( $expected !== $found ) {
		throw new NotSo( "$what: expected " . shown( $expected ) . ', found ' . shown( $found ) );
	}
}

function holds( bool $condition, string $what ): void {
	if ( ! $condition ) {
		throw new NotSo( $what );
	}
}

/** A figure that the run prints even when the test passes. */
function figure( string $format, mixed ...$values ): void {
	echo '# ' . sprintf( $format, ...$values ) . "\n";
}

/** Runs `$act` and returns the exception of exactly this class that it throws. */
function throws( string $class, callable $act, string $what ): Throwable {
	try {
		$act();
	} catch ( Throwable $error ) {
		same( $class, get_class( $error ), "$what: " . $error->getMessage() );
		return $error;
	}
	throw new NotSo( "$what: nothing was thrown" );
}

/** The message of the `Posthorn\InvalidArgument` that `$act` throws, which begins with `$key` and a colon. */
function refuses( string $key, callable $act, string $rule = '' ): string {
	$message = throws( Posthorn\InvalidArgument::class, $act, $key )->getMessage();
	holds( str_starts_with( $message, "$key: " ), "the message does not begin with the key $key: $message" );
	holds( '' === $rule || str_contains( $message, $rule ), "the message does not say '$rule': $message" );
	return $message;
}

/**
 * Polls until `$condition` returns something true, and returns that.
 *
 * @param string|callable():string $what What was waited for, told when the time is over.
 */
function wait_for( float $seconds, string|callable $what, callable $condition, int $pause_us = 5000 ): mixed {
	$until = microtime( true ) + $seconds;
	do {
		$found = $condition();
		if ( $found ) {
			return $found;
		}
		usleep( $pause_us );
	} while ( microtime( true ) < $until );
	throw new NotSo( ( is_string( $what ) ? $what : $what() ) . sprintf( ' (not within %.1f s)', $seconds ) );
}
