<?php
/** What a test stands on: a folder of its own, and the servers and processes it starts. */

declare(strict_types=1);

final class Bed {
	/** @var list<Receiver|Watcher|Proxy|Child|Pool|Apache> */
	private array $started = [];
	private int $number    = 0;

	public function __construct( public readonly string $folder ) {}

	/** A new folder that does not exist yet, for a queue. */
	public function queue_folder(): string {
		return $this->folder . '/queue' . ++$this->number;
	}

	/** A queue in this process, with these endpoints. */
	public function queue( array $endpoints = [], array $options = [], ?string $folder = null ): Posthorn\Queue {
		$queue = Posthorn\Queue::open( $folder ?? $this->queue_folder(), $options );
		if ( $endpoints ) {
			$queue->configure( $endpoints );
		}
		return $queue;
	}

	/** Configures a queue from another process, so that this one never opens it. */
	public function configure( string $folder, array $endpoints ): void {
		$this->run( 'configure', [ $folder, json_encode( $endpoints ) ], [ 'posthorn.background' => '0' ] );
	}

	/** The receiver of tests/receiver. */
	public function receiver( string ...$options ): Receiver {
		return $this->started[] = new Receiver( $this->fresh( 'receiver' ), $options );
	}

	/** The receiver that notes when each request begins and ends. */
	public function watcher(): Watcher {
		return $this->started[] = new Watcher( $this->fresh( 'watcher' ) );
	}

	/** A proxy that leads every way to this machine. */
	public function proxy(): Proxy {
		return $this->started[] = new Proxy( $this->fresh( 'proxy' ) );
	}

	/** Starts scripts/NAME.php in a PHP with the extension. */
	public function start( string $script, array $arguments = [], array $ini = [], array $before = [] ): Child {
		return $this->started[] = new Child( $this->fresh( $script ), $script, $arguments, $ini, $before );
	}

	/** Runs scripts/NAME.php to its end and returns what it printed. */
	public function run( string $script, array $arguments = [], array $ini = [], array $before = [], float $seconds = 20 ): string {
		$child = $this->start( $script, $arguments, $ini, $before );
		$child->wait( $seconds );
		same( 0, $child->status(), "$script ends well: " . $child->errors() );
		return $child->output();
	}

	/** A PHP-FPM pool that serves scripts/pages. */
	public function pool( array $settings = [], array $ini = [] ): Pool {
		return $this->started[] = new Pool( $this->fresh( 'pool' ), $settings, $ini );
	}

	/** An Apache with PHP inside that serves scripts/pages. */
	public function apache(): Apache {
		return $this->started[] = new Apache( $this->fresh( 'apache' ) );
	}

	/** Stops what was started, the last first. */
	public function stop(): void {
		foreach ( array_reverse( $this->started ) as $one ) {
			$one->stop();
		}
		$this->started = [];
	}

	/** What the queues of this test have logged, for a failure. */
	public function logs(): string {
		$text = '';
		foreach ( glob( "{$this->folder}/*/posthorn.log" ) as $log ) {
			$text .= basename( dirname( $log ) ) . ' log: ' . substr( file_get_contents( $log ), -2000 ) . "\n";
		}
		return $text;
	}

	private function fresh( string $name ): string {
		$folder = "{$this->folder}/" . basename( $name ) . ++$this->number;
		mkdir( $folder, 0755 );
		return $folder;
	}
}

/** An endpoint that leads to loopback, with what a test wants different. */
function endpoint( string $url, array $more = [] ): array {
	return $more + [ 'url' => $url, 'allow_private' => true ];
}
