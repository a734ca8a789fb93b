<?php
/**
 * Makes the table of a run: `php report.php results.jsonl` prints Markdown.
 */

require __DIR__ . '/payload.php';

$results = array();
foreach ( file( $argv[1] ) as $line ) {
	$result = json_decode( $line, true );
	$results[ $result['part'] ][ $result['way'] ][] = $result;
}

/** The median over the rounds of a number; null if it was not measured. */
function median( array $results, string $part, string $way, string $key ): ?float {
	$values = array_column( $results[ $part ][ $way ] ?? array(), $key );
	sort( $values );
	$middle = intdiv( count( $values ), 2 );
	return $values ? ( count( $values ) % 2 ? $values[ $middle ] : ( $values[ $middle - 1 ] + $values[ $middle ] ) / 2 ) : null;
}

function verdict( bool $met ): string {
	return $met ? '**met**' : '**missed**';
}

function number( ?float $value, int $digits = 1 ): string {
	return null === $value ? '–' : number_format( $value, $digits, '.', ' ' );
}

/** One table of ways to hand an event over, each beside the yardstick of the same rounds. */
function cost_table( array $results, string $part, array $ways, string $yardstick ): void {
	echo "| way | median µs | mean µs | p99 µs | × bare (median) | × bare (mean) |\n|---|--:|--:|--:|--:|--:|\n";
	foreach ( $ways as $way => $title ) {
		$of = fn( string $key ) => median( $results, $part, $way, $key );
		if ( null === $of( 'p50' ) ) {
			continue;
		}
		printf(
			"| %s | %s | %s | %s | %s | %s |\n",
			$title,
			number( $of( 'p50' ) ),
			number( $of( 'mean' ) ),
			number( $of( 'p99' ) ),
			number( $of( 'p50' ) / median( $results, $part, $yardstick, 'p50' ), 2 ),
			number( $of( 'mean' ) / median( $results, $part, $yardstick, 'mean' ), 2 )
		);
	}
	echo "\n";
}

function percentile( array $sorted, float $share ): float {
	return $sorted[ (int) min( count( $sorted ) - 1, floor( count( $sorted ) * $share ) ) ] / 1e6;
}

function line_of( string $command ): string {
	return trim( (string) strtok( (string) shell_exec( "$command 2>&1" ), "\n" ) );
}

// ---------------------------------------------------------------------------------------------------------------------

preg_match( '/^model name\s*:\s*(.*)$/m', (string) file_get_contents( '/proc/cpuinfo' ), $cpu );
preg_match( '/PRETTY_NAME="(.*)"/', (string) @file_get_contents( '/etc/os-release' ), $system );
$load   = array_merge( ...$results['machine']['load'] );
$rounds = max( array_map( 'count', array_merge( array( array() ), ...array_values( array_map( 'array_values', array_diff_key( $results, array( 'machine' => 0 ) ) ) ) ) ) );
$of     = fn( string $part, string $way, string $key ) => median( $results, $part, $way, $key );

echo "# Results of `make bench`\n\n";
echo 'Measured on ', gmdate( 'j F Y, H:i' ), " UTC. Compare ratios, not microseconds: each stands beside its yardstick from the same run, in rounds that take turns.\n\n";
echo "| machine | |\n|---|---|\n";
printf( "| processor | %d × %s |\n", (int) shell_exec( 'nproc' ), $cpu[1] ?? php_uname( 'm' ) );
printf( "| system | %s, Linux %s, disk %s |\n", $system[1] ?? PHP_OS, php_uname( 'r' ), getenv( 'DISK' ) ?: 'unknown' );
printf( "| programs | PHP %s, Posthorn %s, SQLite of the bare insert %s, %s, wrk %s |\n", PHP_VERSION, phpversion( 'posthorn' ), ( new PDO( 'sqlite::memory:' ) )->query( 'SELECT sqlite_version()' )->fetchColumn(), preg_replace( '/^nginx version: /', '', line_of( 'PATH=$PATH:/usr/sbin nginx -v' ) ), preg_match( '/wrk (?:debian\/)?(\S+)/', line_of( 'wrk -v' ), $wrk ) ? $wrk[1] : 'unknown' );
printf( "| load average before, after | %s, %s%s |\n", $load['before'], $load['after'], $load['before'] > 1 ? ' (the machine had other work all the while: means, p99, bulk, drain and latency are worse than on a quiet one)' : '' );
printf( "| settings | Posthorn's defaults, one signed endpoint, body %d bytes of data, another record each time; %d rounds |\n\n", strlen( json_encode( bench_row( 1 ) ) ), $rounds );

echo "## Targets\n\n| what | target | measured | |\n|---|---|---|---|\n";
if ( isset( $results['page'] ) ) {
	$ratio = $of( 'queue', 'queue', 'p50' ) / $of( 'queue', 'bare', 'p50' );
	printf( "| one event to the page, `Queue::dispatch()` | ≤ 2 × a bare insert | %s × | %s |\n", number( $ratio, 2 ), verdict( $ratio <= 2 ) );
	$ratio = $of( 'page', 'blocking', 'p50' ) / $of( 'page', 'dispatch', 'p50' );
	printf( "| the same, `posthorn_dispatch()` in a page | ≥ 4 × cheaper than a blocking POST | %s × | %s |\n", number( $ratio ), verdict( $ratio >= 4 ) );
	$ratio = $of( 'queue', 'hanging', 'p50' ) / $of( 'queue', 'queue', 'p50' );
	printf( "| the same with a receiver that hangs | no dearer than with an instant one (within 20 %%) | %s × | %s |\n", number( $ratio, 2 ), verdict( $ratio <= 1.2 ) );
}
if ( isset( $results['bulk'] ) ) {
	$added = $of( 'bulk', 'bulk', 'seconds' ) - $of( 'bulk', 'bulk-without', 'seconds' );
	printf( "| 10,000 rows through `posthorn_dispatch()` in one page | ≤ 0.5 s added | %s s | %s |\n", number( $added, 3 ), verdict( $added <= 0.5 ) );
	printf( "| of that, the page's thread on a processor, and waiting for one | | %s s, %s s | |\n", number( $of( 'bulk', 'bulk', 'cpu' ), 3 ), number( $of( 'bulk', 'bulk', 'waited' ), 3 ) );
	$grown = $of( 'bulk', 'bulk', 'php_kib' );
	printf( "| its memory | flat | PHP's peak +%s KiB; process, with its sending thread, +%s KiB | %s |\n", number( $grown, 0 ), number( $of( 'bulk', 'bulk', 'resident_kib' ), 0 ), verdict( $grown < 1024 ) );
}
if ( isset( $results['crm'] ) ) {
	foreach ( array( 'crm-loop' => 'row by row, as the CRM announces each', 'crm-statement' => 'with one statement' ) as $way => $title ) {
		$without = $of( 'crm', "$way-without", 'seconds' );
		$ratio   = $of( 'crm', $way, 'seconds' ) / $without;
		printf( "| bulk action of 5,000 contacts in the stand-in CRM on MariaDB, %s | ≤ 2 × the same without Posthorn | %s beside %s s: %s × | %s |\n", $title, number( $of( 'crm', $way, 'seconds' ), 3 ), number( $without, 3 ), number( $ratio, 2 ), verdict( $ratio <= 2 ) );
	}
	$added = $of( 'crm', 'quiet', 'us' ) - $of( 'crm', 'quiet-without', 'us' );
	printf( "| a page that writes no row of the CRM | ≤ 50 µs more | %s beside %s µs: %s µs more; %s of it to load the plugin, %s at `init` | %s |\n", number( $of( 'crm', 'quiet', 'us' ), 0 ), number( $of( 'crm', 'quiet-without', 'us' ), 0 ), number( $added, 0 ), number( $of( 'crm', 'quiet', 'loading' ), 0 ), number( $of( 'crm', 'quiet', 'init' ), 0 ), verdict( $added <= 50 ) );
}
if ( isset( $results['drain'] ) ) {
	$ratio = $of( 'drain', 'drain', 'rate' ) / $of( 'drain', 'wrk', 'rate' );
	printf( "| drain of 50,000, settled per second | ≥ 20 %% of wrk | %s beside %s: %s %% | %s |\n", number( $of( 'drain', 'drain', 'rate' ), 0 ), number( $of( 'drain', 'wrk', 'rate' ), 0 ), number( 100 * $ratio ), verdict( $ratio >= 0.2 ) );
}
$idle = array();
foreach ( $results['idle'] ?? array() as $way => $found ) {
	$idle[ $way ] = $found[0]['took_ns'];
	sort( $idle[ $way ] );
}
foreach ( array( 'thread' => 'the background thread sends', 'worker' => 'a service sends' ) as $way => $title ) {
	if ( ! empty( $idle[ $way ] ) ) {
		$p50 = percentile( $idle[ $way ], 0.5 );
		$p99 = percentile( $idle[ $way ], 0.99 );
		printf( "| event to receiver, idle, %s | p50 ≤ 1.5 ms, p99 ≤ 4 ms | %s and %s ms | %s |\n", $title, number( $p50, 2 ), number( $p99, 2 ), verdict( $p50 <= 1.5 && $p99 <= 4 ) );
	}
}
if ( isset( $results['crowd'] ) ) {
	$failed = array_sum( array_column( $results['crowd']['queue-16'], 'failed' ) );
	printf(
		"| sixteen processes dispatch as fast as they can | p99 ≤ 5 ms, slowest ≤ 100 ms, none fails | p99 %s ms, slowest %s ms, %d failed | %s |\n",
		number( $of( 'crowd', 'queue-16', 'p99' ) / 1000 ),
		number( $of( 'crowd', 'queue-16', 'max' ) / 1000, 0 ),
		$failed,
		verdict( $of( 'crowd', 'queue-16', 'p99' ) <= 5000 && $of( 'crowd', 'queue-16', 'max' ) <= 100000 && 0 === $failed )
	);
	printf(
		"| the same with the bare insert and SQLite's own busy handler | | p99 %s ms, slowest %s ms, %d failed | |\n",
		number( $of( 'crowd', 'bare-16', 'p99' ) / 1000 ),
		number( $of( 'crowd', 'bare-16', 'max' ) / 1000, 0 ),
		array_sum( array_column( $results['crowd']['bare-16'], 'failed' ) )
	);
}
if ( isset( $results['kill'] ) ) {
	$kill = $results['kill']['takeover'][0];
	printf( "| after the dispatcher is killed, %d times | another takes over within 1 s, repeats ≤ in flight (32, and 64 to settle, each time) | slowest %s ms, median %s ms; %s of %s events arrived, %d twice | %s |\n", $kill['kills'], number( $kill['slowest'], 0 ), number( $kill['median'], 0 ), number( $kill['arrived'], 0 ), number( $kill['events'], 0 ), $kill['repeats'], verdict( $kill['slowest'] <= 1000 && $kill['arrived'] >= $kill['events'] && $kill['repeats'] <= 96 * $kill['kills'] ) );
}
if ( isset( $results['backlog']['backlog-large'] ) ) {
	foreach ( array( 'accept' => 'accept one event', 'send' => 'take due, send and settle one', 'list' => 'list the newest 50', 'waiting' => 'list the newest 50 that wait' ) as $key => $title ) {
		$ratio = $of( 'backlog', 'backlog-large', $key ) / $of( 'backlog', 'backlog-1000', $key );
		printf( "| backlog of %s against 1,000: %s | ≤ 1.5 × | %s beside %s µs: %s × | %s |\n", number_format( (int) getenv( 'BACKLOG' ) ), $title, number( $of( 'backlog', 'backlog-large', $key ) ), number( $of( 'backlog', 'backlog-1000', $key ) ), number( $ratio, 2 ), verdict( $ratio <= 1.5 ) );
	}
}
if ( isset( $results['beside'] ) ) {
	$share = 100 * $of( 'beside', 'beside', 'rate' ) / $of( 'beside', 'alone', 'rate' );
	printf( "| a healthy endpoint beside a hanging one with 100,000 waiting, settled per second | ≥ 95 %% of its throughput alone | %s beside %s: %s %% | %s |\n", number( $of( 'beside', 'beside', 'rate' ), 0 ), number( $of( 'beside', 'alone', 'rate' ), 0 ), number( $share ), verdict( $share >= 95 ) );
}
if ( isset( $results['memory'] ) ) {
	$own = fn( string $way ) => ( $of( 'memory', "idle-$way", 'private_kib' ) - $of( 'memory', 'idle-without', 'private_kib' ) ) / 1024;
	printf( "| memory of an idle PHP process that stands by, and of one that sends | ≤ 3 MiB private | %s and %s MiB | %s |\n", number( $own( 'stand-by' ) ), number( $own( 'sends' ) ), verdict( max( $own( 'stand-by' ), $own( 'sends' ) ) <= 3 ) );
}
if ( isset( $results['drain'] ) ) {
	printf( "| memory of the dispatcher at full speed | ≤ 32 MiB private | %s MiB | %s |\n", number( $of( 'drain', 'drain', 'private_mib' ) ), verdict( $of( 'drain', 'drain', 'private_mib' ) <= 32 ) );
}
echo "\n";

if ( isset( $results['queue'] ) ) {
	echo "## One event to the page\n\n### `Queue::dispatch()`, command line, 2,000 events in a row\n\n";
	cost_table(
		$results,
		'queue',
		array(
			'bare'    => 'bare prepared SQLite insert',
			'queue'   => 'shipped defaults: this process sends too, instant receiver',
			'hanging' => 'the same, receiver hangs',
			'worker'  => '`background=0`, another process sends',
			'alone'   => '`background=0`, nobody sends: cost without contention',
		),
		'bare'
	);
	echo "### In a page of WordPress (PHP-FPM, MariaDB), 300 events in a row\n\n";
	cost_table(
		$results,
		'page',
		array(
			'bare'            => 'bare prepared SQLite insert',
			'dispatch'        => '`posthorn_dispatch()`, instant receiver',
			'hanging'         => '`posthorn_dispatch()`, receiver hangs',
			'blocking'        => '`wp_remote_post()`, blocking, instant receiver',
			'nonblocking'     => '`wp_remote_post()`, non-blocking, instant receiver',
			'cron'            => '`wp_schedule_single_event()`, each of the first 300',
		),
		'bare'
	);
	echo "The same with 3 ms between two events, 150 of them, when caches are cold and the sender sleeps:\n\n";
	cost_table(
		$results,
		'page',
		array(
			'bare-spaced'     => 'bare prepared SQLite insert',
			'dispatch-spaced' => '`posthorn_dispatch()`, instant receiver',
		),
		'bare-spaced'
	);
	printf( "The first event of a page, which opens the queue: %s µs.\n\n", number( $of( 'page', 'dispatch', 'first' ) ) );
	echo "The bare insert is this, on the same disk, timed around `\$insert`:\n\n```php\n", trim( preg_replace( '/^<\?php\s*\/\*\*.*?\*\/\s*/s', '', file_get_contents( __DIR__ . '/bare.php' ) ) ), "\n```\n\n";
}

if ( isset( $results['crowd'] ) ) {
	echo "## Processes that write at once, and waiting for the disk\n\nEach as fast as it can for two seconds; the bare inserts wait for the lock as SQLite itself does. `sync=full` waits for the disk, `synchronous=FULL` is the bare insert that does.\n\n";
	echo "| processes | way | events a second | median µs | p99 ms | slowest ms | failed |\n|--:|---|--:|--:|--:|--:|--:|\n";
	foreach ( array( 1, 4, 16 ) as $processes ) {
		foreach ( array( 'bare' => 'bare insert', 'queue' => '`dispatch()`', 'bare-full' => 'bare insert, `synchronous=FULL`', 'queue-full' => '`dispatch()`, `sync=full`' ) as $way => $title ) {
			$way = "$way-$processes";
			printf( "| %d | %s | %s | %s | %s | %s | %d |\n", $processes, $title, number( $of( 'crowd', $way, 'rate' ), 0 ), number( $of( 'crowd', $way, 'p50' ), 0 ), number( $of( 'crowd', $way, 'p99' ) / 1000, 2 ), number( $of( 'crowd', $way, 'max' ) / 1000, 1 ), array_sum( array_column( $results['crowd'][ $way ] ?? array(), 'failed' ) ) );
		}
	}
	echo "\n";
}

if ( $idle ) {
	echo "## Event to receiver, idle\n\nFrom before `dispatch()` to the whole body at a receiver in Node; irregularly spaced, 3 to 30 ms.\n\n| way | events | p50 ms | p99 ms | slowest ms |\n|---|--:|--:|--:|--:|\n";
	foreach ( array( 'curl' => 'the floor: PHP posts over one kept connection', 'thread' => 'shipped defaults: the background thread sends', 'worker' => '`background=0`, another process sends' ) as $way => $title ) {
		if ( ! empty( $idle[ $way ] ) ) {
			printf( "| %s | %d | %s | %s | %s |\n", $title, count( $idle[ $way ] ), number( percentile( $idle[ $way ], 0.5 ), 2 ), number( percentile( $idle[ $way ], 0.99 ), 2 ), number( end( $idle[ $way ] ) / 1e6, 2 ) );
		}
	}
	echo "\n";
}

echo <<<'END'
## How it is measured

* One event: each round asks every way in turn and takes the median, mean and p99 of its events; the tables show the median of
  the rounds. The bare insert pays for its own checkpoints, which are in its mean; Posthorn's belong to the dispatcher.
* Bulk: the same loop over 10,000 made-up rows with and without `posthorn_dispatch()`, three rounds.
* The CRM's bulk action: 5,000 contacts get another status through the stand-in's own function, with Posthorn's plugin and
  with it left out of the active ones, in turns, up to the end of the request, three rounds.
* A page that writes no row of the CRM: loading the plugin, what it does at `init` and at the end, and the filter of 41
  statements;
  median of 120 pages each way, in turns.
* Drain: 50,000 events are accepted with nobody sending; the clock runs from the first `work()` until all are settled in the
  queue. wrk posts the same body and headers over 32 connections to the same nginx (`return 200`), in turns, three rounds.
* Processes that write at once: two seconds each way, in turns, three rounds; one of the dispatching processes sends too.
* Kills: 3,000 events wait, six processes stand by or send; the one that sends gets SIGKILL, five times. The clock runs until
  `stats()` names another. The receiver counts ids.
* Backlogs: everything is expanded before the clock runs. Taking, sending and settling is the processor time of the whole
  process a delivery, over 10,000 of them.
* Beside a hanging endpoint: 30,000 for the healthy one, 100,000 for the other, accepted before; in turns, three rounds.
* Memory: what a process has written for itself (`Private_Dirty`), beside the same process without a queue.

END;
