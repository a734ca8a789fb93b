<?php
/** Another PHP process with the extension. What it prints goes to files, so that nothing it prints can block it. */

declare(strict_types=1);

final class Child {
	public readonly int $pid;
	/** @var resource */
	private $process;
	private ?array $ended = null;

	public function __construct( private string $folder, string $script, array $arguments, array $ini, array $before ) {
		$command = [ ...$before, PHP_BINARY, '-d', 'extension=' . getenv( 'POSTHORN_LIBRARY' ), '-d', 'display_errors=stderr' ];
		foreach ( $ini as $name => $value ) {
			array_push( $command, '-d', "$name=$value" );
		}
		array_push( $command, dirname( __DIR__ ) . "/scripts/$script.php", ...array_map( 'strval', $arguments ) );
		$files         = [ [ 'file', '/dev/null', 'r' ], [ 'file', "$folder/output", 'w' ], [ 'file', "$folder/errors", 'w' ] ];
		$this->process = proc_open( $command, $files, $pipes );
		$this->pid     = proc_get_status( $this->process )['pid'];
	}

	public function runs(): bool {
		if ( null === $this->ended ) {
			$status = proc_get_status( $this->process );
			if ( ! $status['running'] ) {
				$this->ended = $status;
				proc_close( $this->process );
			}
		}
		return null === $this->ended;
	}

	public function wait( float $seconds ): void {
		wait_for( $seconds, fn() => "the process ends; it says: {$this->output()} {$this->errors()}", fn() => ! $this->runs(), 1000 );
	}

	/** Exit status, or minus the number of the signal that ended it. */
	public function status(): int {
		holds( ! $this->runs(), 'the process has ended' );
		return $this->ended['signaled'] ? -$this->ended['termsig'] : $this->ended['exitcode'];
	}

	public function output(): string {
		return (string) file_get_contents( "{$this->folder}/output" );
	}

	public function errors(): string {
		return (string) file_get_contents( "{$this->folder}/errors" );
	}

	/** @return list<string> Lines that are complete: a killed process may leave half of one. */
	public function lines(): array {
		$lines = explode( "\n", $this->output() );
		array_pop( $lines );
		return $lines;
	}

	/** Waits for a line that begins with `$start`, and returns the rest of it. */
	public function says( string $start, float $seconds = 10 ): string {
		return wait_for( $seconds, fn() => "the process says '$start'; it says: {$this->output()} {$this->errors()}", function () use ( $start ) {
			foreach ( $this->lines() as $line ) {
				if ( str_starts_with( $line, $start ) ) {
					return substr( $line, strlen( $start ) ) . ' ';
				}
			}
			return false;
		} );
	}

	public function signal( int $signal ): void {
		if ( $this->runs() ) {
			posix_kill( $this->pid, $signal );
		}
	}

	public function kill(): void {
		$this->signal( SIGKILL );
		wait_for( 5, 'a killed process ends', fn() => ! $this->runs(), 500 );
	}

	public function stop(): void {
		if ( $this->runs() ) {
			$this->kill();
		}
	}
}
