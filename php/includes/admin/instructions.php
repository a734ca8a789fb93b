<?php
/**
 * How to load the extension, step by step, with what is true of this server.
 *
 * @package Posthorn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Prints what to do when the extension is missing or of another version.
 *
 * @param string $problem `missing` or `version`, see posthorn_requirement_problem().
 */
function posthorn_print_instructions( string $problem ): void {
	$php = PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
	echo '<p><strong>';
	if ( 'version' === $problem ) {
		echo esc_html(
			sprintf(
				/* translators: 1: version of the plugin, 2: version of the PHP extension. */
				__( 'Posthorn does nothing yet: the plugin is version %1$s, the PHP extension that is loaded is version %2$s.', 'posthorn' ),
				POSTHORN_VERSION,
				(string) phpversion( 'posthorn' )
			)
		);
	} else {
		/* translators: %s: PHP's version, such as 8.3. */
		echo esc_html( sprintf( __( 'Posthorn does nothing yet: its PHP extension is not loaded in the PHP %s that runs this site.', 'posthorn' ), $php ) );
	}
	echo '</strong> ' . esc_html__( 'Whoever looks after the server can change that in a minute:', 'posthorn' ) . '</p>';
	posthorn_print_steps( posthorn_instruction_steps( $problem, $php ) );
}

/**
 * Prints steps as a numbered list, each command on a line of its own.
 *
 * @param array<int,array{text:string,commands:string[]}> $steps Steps.
 */
function posthorn_print_steps( array $steps ): void {
	echo '<ol>';
	foreach ( $steps as $step ) {
		echo '<li>' . esc_html( $step['text'] );
		foreach ( $step['commands'] as $command ) {
			echo '<br><code>' . esc_html( $command ) . '</code>';
		}
		echo '</li>';
	}
	echo '</ol>';
}

/**
 * A step.
 *
 * @param string $text        What to do, in words.
 * @param string ...$commands The commands that do it.
 * @return array{text:string,commands:string[]}
 */
function posthorn_step( string $text, string ...$commands ): array {
	return array(
		'text'     => $text,
		'commands' => $commands,
	);
}

/**
 * The steps.
 *
 * @param string $problem `missing` or `version`.
 * @param string $php     PHP's version, such as 8.3.
 * @return array<int,array{text:string,commands:string[]}>
 */
function posthorn_instruction_steps( string $problem, string $php ): array {
	$extensions = rtrim( (string) ini_get( 'extension_dir' ), '/' );
	$user       = posthorn_php_user();
	$steps      = array();
	$steps[]    = array(
		/* translators: %s: version of the plugin. */
		'text'     => sprintf( __( 'Copy the library of version %s (build it with “make package”, or take it from the release) to PHP’s extensions:', 'posthorn' ), posthorn_version_series( POSTHORN_VERSION ) ),
		'commands' => array( "sudo install -m 644 libposthorn.so $extensions/posthorn.so" ),
	);
	if ( 'missing' === $problem ) {
		$steps[] = array(
			'text'     => __( 'Switch it on:', 'posthorn' ),
			'commands' => posthorn_enable_commands( $php ),
		);
		$steps[] = array(
			'text'     => __( 'Make the directory that holds the queue:', 'posthorn' ),
			'commands' => array( "sudo install -d -m 700 -o $user -g $user " . ( defined( 'POSTHORN_DATA_DIR' ) ? POSTHORN_DATA_DIR : '/var/lib/posthorn' ) ),
		);
	}
	return array_merge( $steps, posthorn_reload_steps() );
}

/**
 * How every PHP of the server gets to load the extension that is installed.
 *
 * @return array<int,array{text:string,commands:string[]}>
 */
function posthorn_reload_steps(): array {
	$php = PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
	return array(
		posthorn_step( __( 'With PHP-FPM (nginx, and most hosts), reload it:', 'posthorn' ), "sudo systemctl reload php$php-fpm" ),
		posthorn_step( __( 'With PHP as a module of Apache, restart that instead:', 'posthorn' ), 'sudo systemctl restart apache2' ),
		posthorn_step( __( 'For WP-CLI and the posthorn service, check that the command line has it too, and restart the service if you use it:', 'posthorn' ), "php$php --ri posthorn", 'sudo systemctl restart posthorn' ),
	);
}

/**
 * The commands that switch the extension on: Debian and Ubuntu have their own for it, elsewhere a file in PHP's
 * directory of additional settings does.
 *
 * @param string $php PHP's version, such as 8.3.
 * @return string[]
 */
function posthorn_enable_commands( string $php ): array {
	$available = "/etc/php/$php/mods-available";
	if ( is_dir( $available ) ) {
		return array(
			"echo 'extension=posthorn.so' | sudo tee $available/posthorn.ini",
			"sudo phpenmod -v $php posthorn",
		);
	}
	$scanned = explode( ',', (string) php_ini_scanned_files() )[0];
	$scanned = '' === trim( $scanned ) ? PHP_CONFIG_FILE_SCAN_DIR : dirname( trim( $scanned ) );
	if ( '' !== $scanned ) {
		return array( "echo 'extension=posthorn.so' | sudo tee $scanned/posthorn.ini" );
	}
	return array( "echo 'extension=posthorn.so' | sudo tee -a " . ( php_ini_loaded_file() ? php_ini_loaded_file() : PHP_CONFIG_FILE_PATH . '/php.ini' ) );
}

/**
 * The user that PHP runs as.
 */
function posthorn_php_user(): string {
	$user = function_exists( 'posix_geteuid' ) ? posix_getpwuid( posix_geteuid() ) : false;
	return $user ? $user['name'] : 'www-data';
}
