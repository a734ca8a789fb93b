#!/usr/bin/env bash
# Measures Posthorn beside WordPress's own ways and beside the limits of the machine: `make bench` calls it. Prints
# bench/RESULTS.md. About ten minutes on two cores.
#
#   ROUNDS=3 tests/bench/run.sh          fewer interleaved rounds (5)
#   PARTS="page bulk" tests/bench/run.sh only some of: page bulk crm drain idle crowd kill backlog beside memory
#   BACKLOG=100000                       how many wait in the large backlog (1000000)
set -euo pipefail
# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/../testbed/testbed.sh"

HERE=$POSTHORN_ROOT/tests/bench
BED=$WORK/bench-site
SCRATCH=$WORK/bench
ROUNDS=${ROUNDS:-5}
ALL_PARTS="page bulk crm drain idle crowd kill backlog beside memory"
BACKLOG=${BACKLOG:-1000000}
PARTS=${PARTS:-$ALL_PARTS}
RESULTS=$SCRATCH/results.jsonl

need_php cli fpm curl mbstring mysql sqlite3 xml
need_packages nginx wrk curl
need_node
[ -f "$EXTENSION" ] || build_extension

finish() {
	[ -z "${WORKER_INPUT:-}" ] || stop_worker
	stop_site "$BED"
	stop_pid_file "$SCRATCH/nginx.pid"
	stop_pid_file "$SCRATCH/receiver.pid"
	[ "${OUR_MARIADB:-no}" = no ] || stop_mariadb
}
trap finish EXIT

finish
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH"
# A build during the run would change what is measured.
cp "$EXTENSION" "$SCRATCH/libposthorn.so"
EXTENSION=$SCRATCH/libposthorn.so

# Written to the results with the part it belongs to.
record() { sed "s/^{/{\"part\":\"$1\",/" >>"$RESULTS"; }

load_now() { cut -d' ' -f1 /proc/loadavg; }

# The scripts that start others start them with it too.
BENCH_PHP="$PHP -n -d memory_limit=1G -d extension=posix.so -d extension=pdo.so -d extension=pdo_sqlite.so -d extension=curl.so -d extension=$EXTENSION"
export BENCH_PHP
# shellcheck disable=SC2086
php_with_extension() { $BENCH_PHP "$@"; }

# The instant receiver: every POST is read and answered 200 by nginx.
start_instant_receiver() {
	local user=
	[ "$(id -u)" != 0 ] || user="user $(site_user);"
	free_port 18600
	INSTANT=http://127.0.0.1:$FREE_PORT/hook
	cat >"$SCRATCH/nginx.conf" <<-EOT
		$user
		worker_processes auto;
		pid $SCRATCH/nginx.pid;
		error_log $SCRATCH/nginx-error.log;
		events { worker_connections 1024; }
		http {
			access_log off;
			keepalive_requests 100000000;
			client_body_temp_path $SCRATCH/nginx-body;
			client_body_buffer_size 32k;
			server {
				listen 127.0.0.1:$FREE_PORT backlog=1024;
				location / { return 200; }
			}
		}
	EOT
	"$(command -v nginx || echo /usr/sbin/nginx)" -c "$SCRATCH/nginx.conf" -e "$SCRATCH/nginx-error.log"
	wait_until 5 test -s "$SCRATCH/nginx.pid" || die "nginx did not start: see $SCRATCH/nginx-error.log"
	note_process "$SCRATCH/nginx.pid"
}

start_receivers() {
	start_instant_receiver
	setsid node "$HERE/receiver.js" "$SCRATCH/ports.json" >"$SCRATCH/receiver.log" 2>&1 </dev/null &
	printf '%s\n' "$!" >"$SCRATCH/receiver.pid"
	wait_until 10 test -s "$SCRATCH/ports.json" || die "the bench's receiver did not start: see $SCRATCH/receiver.log"
	note_process "$SCRATCH/receiver.pid"
	CLOCK=http://127.0.0.1:$(node -p "require('$SCRATCH/ports.json').clock")/hook
	COUNT=http://127.0.0.1:$(node -p "require('$SCRATCH/ports.json').count")/hook
	HANG=http://127.0.0.1:$(node -p "require('$SCRATCH/ports.json').hang")/hook
}

# A process that does nothing but send, as `wp posthorn work` does. It ends when its input is closed.
start_worker() {
	coproc WORKER { php_with_extension "$HERE/queue.php" work "$1" 0 "$2"; }
	WORKER_INPUT=${WORKER[1]}
	WORKER_ID=$WORKER_PID
}

stop_worker() {
	exec {WORKER_INPUT}>&-
	WORKER_INPUT=
	wait "$WORKER_ID" || true
}

# --- cost to the page, command line -----------------------------------------------------------------------------------

queue_round() {
	local way
	for way in bare alone queue hanging worker; do
		rm -rf "$SCRATCH/queue"
		mkdir -p "$SCRATCH/queue"
		case $way in
		hanging) php_with_extension "$HERE/queue.php" queue "$SCRATCH/queue" 2000 "$HANG" | sed 's/"queue"/"hanging"/' ;;
		worker)
			start_worker "$SCRATCH/queue" "$INSTANT"
			php_with_extension "$HERE/queue.php" worker "$SCRATCH/queue" 2000 "$INSTANT"
			stop_worker
			;;
		*) php_with_extension "$HERE/queue.php" "$way" "$SCRATCH/queue" 2000 "$INSTANT" ;;
		esac | record queue
	done
}

# --- cost to the page, WordPress --------------------------------------------------------------------------------------

start_wordpress() {
	mariadb_ready || OUR_MARIADB=yes
	start_mariadb
	install_wordpress "$BED" database=mariadb debug=no
	mkdir -p "$BED/wordpress/wp-content/mu-plugins"
	# The site's user may not be able to read the checkout; it can read its own site.
	cp -r "$HERE" "$BED/run/bench"
	printf "<?php\ndefine( 'BENCH_FOLDER', '%s' );\nrequire BENCH_FOLDER . '/page.php';\n" "$BED/run/bench" \
		>"$BED/wordpress/wp-content/mu-plugins/bench.php"
	# As PHP ships; the test bed looks at every file every time.
	sed -i '/^opcache.revalidate_freq/d' "$BED/php.d/90-posthorn.ini"
	give_to_site_user "$BED"
	start_site "$BED" fpm 18700
}

# page WAY [COUNT [URL [MORE]]]: one page of WordPress that measures.
page() {
	curl -sS --fail-with-body -m 150 -G "$SITE_URL/" -d "bench=$1" -d "count=${2:-0}" --data-urlencode "url=${3:-}" ${4:+-d "$4"} ||
		die "the page ?bench=$1 failed: see $BED/run/php.log"
}

nothing_waits() { [[ $(page stats) == *'"pending":0,'* ]]; }

until_nothing_waits() { wait_until 60 nothing_waits || die "deliveries still wait after 60 s: $(page stats)"; }

page_round() {
	local way
	for way in bare dispatch blocking nonblocking cron; do
		page "$way" 300 "$INSTANT" | record page
		until_nothing_waits
	done
	page receiver 0 "$HANG" hangs=1 >/dev/null
	page dispatch 300 "$HANG" | sed 's/"dispatch"/"hanging"/' | record page
	page receiver 0 "$INSTANT" >/dev/null
	until_nothing_waits
	for way in bare dispatch; do
		page "$way" 150 "$INSTANT" pause=3000 | sed "s/\"$way\"/\"$way-spaced\"/" | record page
		until_nothing_waits
	done
}

bulk_round() {
	local way
	for way in bulk-without bulk; do
		page "$way" 10000 | record bulk
		until_nothing_waits
	done
}

# A bulk action of the stand-in CRM, and a page that writes none of its rows, each with Posthorn and without.
crm_round() {
	local way without
	for way in crm-loop crm-statement; do
		for without in without=1 ""; do
			page "$way" 5000 "" "$without" | sed "s/\"$way\"/\"$way${without:+-without}\"/" | record crm
			until_nothing_waits
		done
	done
	for _ in {1..60}; do
		for without in without=1 ""; do
			page quiet 40 "" "$without" | sed "s/\"quiet\"/\"quiet${without:+-without}\"/" | record crm
		done
	done
}

# --- drain, idle ------------------------------------------------------------------------------------------------------

drain_round() {
	rm -rf "$SCRATCH/queue"
	mkdir -p "$SCRATCH/queue"
	php_with_extension "$HERE/drain.php" "$SCRATCH/queue" 50000 "$INSTANT" | record drain
	wrk -t2 -c32 -d3s -s "$SCRATCH/request.lua" "$INSTANT" >"$SCRATCH/wrk.log"
	awk '/^Requests\/sec/ { printf "{\"way\":\"wrk\",\"rate\":%s}\n", $2 }' "$SCRATCH/wrk.log" | record drain
}

idle_part() {
	local way
	for way in curl thread worker; do
		rm -rf "$SCRATCH/queue"
		mkdir -p "$SCRATCH/queue"
		curl -s "$CLOCK" >/dev/null
		[ "$way" != worker ] || start_worker "$SCRATCH/queue" "$CLOCK"
		php_with_extension "$HERE/idle.php" "$way" "$SCRATCH/queue" 600 "$CLOCK"
		[ "$way" != worker ] || stop_worker
		printf '{"way":"%s","took_ns":%s}\n' "$way" "$(curl -s "$CLOCK")" | record idle
	done
}

# --- many processes, kills, backlogs, memory --------------------------------------------------------------------------

fresh_queue() {
	rm -rf "$SCRATCH/queue"
	mkdir -p "$SCRATCH/queue"
}

# Sixteen at once; and what waiting for the disk costs one, four and sixteen.
crowd_round() {
	local way processes
	for processes in 16 4 1; do
		for way in bare queue bare-full queue-full; do
			fresh_queue
			php_with_extension "$HERE/crowd.php" "$way" "$SCRATCH/queue" "$processes" 2 "$INSTANT" | record crowd
		done
	done
}

kill_part() {
	fresh_queue
	php_with_extension "$HERE/takeover.php" "$SCRATCH/queue" 3000 "$COUNT" | record kill
}

backlog_part() {
	local count
	for count in 1000 "$BACKLOG"; do
		fresh_queue
		php_with_extension "$HERE/backlog.php" "$SCRATCH/queue" "$count" "$INSTANT" | sed "s/\"backlog-$BACKLOG\"/\"backlog-large\"/" | record backlog
	done
	fresh_queue
}

beside_round() {
	local way
	for way in alone beside; do
		fresh_queue
		{ php_with_extension "$HERE/beside.php" "$way" "$SCRATCH/queue" 30000 "$INSTANT" "$HANG" 100000 || true; } 2>/dev/null | record beside
	done
}

memory_part() {
	local way
	for way in without stand-by sends; do
		fresh_queue
		php_with_extension "$HERE/memory.php" "$way" "$SCRATCH/queue" | record memory
	done
}

# --- all of it --------------------------------------------------------------------------------------------------------

wants() { [[ " $PARTS " == *" $1 "* ]]; }

say "Receivers"
start_receivers
printf '{"way":"load","before":%s}\n' "$(load_now)" | record machine
if wants page || wants bulk || wants crm; then
	say "WordPress"
	start_wordpress
	page receiver 0 "$INSTANT" >/dev/null
	page dispatch 50 "$INSTANT" >/dev/null
	until_nothing_waits
fi
for ((round = 1; round <= ROUNDS; round++)); do
	say "Round $round of $ROUNDS (load $(load_now))"
	if wants page; then
		queue_round
		page_round
	fi
	if wants bulk && [ "$round" -le 3 ]; then bulk_round; fi
	if wants crm && [ "$round" -le 3 ]; then crm_round; fi
	if wants drain && [ "$round" -le 3 ]; then
		[ -f "$SCRATCH/request.lua" ] || php_with_extension "$HERE/drain.php" request "$INSTANT" >"$SCRATCH/request.lua"
		drain_round
	fi
	if wants crowd && [ "$round" -le 3 ]; then crowd_round; fi
	if wants beside && [ "$round" -le 3 ]; then beside_round; fi
done
if wants idle; then
	say "Event to receiver"
	idle_part
fi
if wants kill; then
	say "The dispatcher is killed"
	kill_part
fi
if wants backlog; then
	say "Backlogs of 1000 and $BACKLOG"
	backlog_part
fi
if wants memory; then
	say "Memory"
	memory_part
fi
printf '{"way":"load","after":%s}\n' "$(load_now)" | record machine

say "Results"
mkdir -p "$POSTHORN_ROOT/bench"
export BACKLOG
DISK=$(stat -f -c %T "$SCRATCH") php_with_extension "$HERE/report.php" "$RESULTS" >"$SCRATCH/RESULTS.md"
# A run of some parts only does not replace the whole.
if [ "$PARTS" = "$ALL_PARTS" ]; then cp "$SCRATCH/RESULTS.md" "$POSTHORN_ROOT/bench/RESULTS.md"; fi
cat "$SCRATCH/RESULTS.md"
