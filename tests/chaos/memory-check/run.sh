#!/usr/bin/env bash
# The extension under valgrind: everything it does on the command line, and three requests in one process of PHP's CGI. An
# access that is not allowed, a value that was never set, or memory that is definitely lost is a failure.
#
#   tests/chaos/memory-check/run.sh     POSTHORN_LIBRARY
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
source "$here/../../testbed/testbed.sh"

LIBRARY=${POSTHORN_LIBRARY:-$EXTENSION}
REPORT=${REPORT:-/dev/null}
BED=$WORK/memory-check
REQUESTS=3

need_php cli cgi
need_node
# valgrind needs the C library's symbols to know its functions.
need_packages valgrind libc6-dbg
[ -f "$LIBRARY" ] || build_extension
rm -rf "$BED"
mkdir -p "$BED"
node "$POSTHORN_ROOT/tests/bench/receiver.js" "$BED/ports.json" >"$BED/receiver.out" 2>&1 </dev/null &
receiver=$!
trap 'kill "$receiver" 2>/dev/null || true' EXIT
wait_until 10 test -s "$BED/ports.json" || die "the receiver did not start: see $BED/receiver.out"
URL=http://127.0.0.1:$(node -p "require('$BED/ports.json').clock")/
export URL

# PHP's own allocator hides what is lost; a library that is unloaded has no names.
export USE_ZEND_ALLOC=0 ZEND_DONT_UNLOAD_MODULES=1

ROWS=() FAILED=
check() {
	local how=$1 title=$2 times=$3 status=0
	shift 3
	mkdir -p "$BED/$how"
	FOLDER=$BED/$how/queue HOW=$how valgrind --quiet --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
		--error-exitcode=99 --num-callers=40 --suppressions="$here/php.supp" --log-file="$BED/$how/valgrind.log" --fair-sched=yes \
		"$@" >"$BED/$how/out" 2>&1 || status=$?
	local found
	found=$(grep -cE '^==[0-9]+== (Invalid|Conditional|Use of|Mismatched|Syscall param|Process terminating|.* definitely lost)' "$BED/$how/valgrind.log" || true)
	ROWS+=("| $title | $times | $(grep -c '^done' "$BED/$how/out" || true) | $found |")
	if [ "$status" != 0 ] || [ "$(grep -c '^done' "$BED/$how/out")" != "$times" ]; then
		FAILED="$title (exit $status)"
		head -n 80 "$BED/$how/valgrind.log" >&2
		tail -n 5 "$BED/$how/out" >&2
	fi
}

check command "command line" 1 "$PHP" -n -d memory_limit=-1 -d extension="$LIBRARY" "$here/cycle.php"
check page "requests in one process of php-cgi" "$REQUESTS" "/usr/bin/php-cgi$PHP_VERSION" -n -d memory_limit=-1 -d extension="$LIBRARY" \
	-q -T "$REQUESTS" "$here/cycle.php"
{
	echo "### Memory, under valgrind"
	echo
	echo "| what | runs | done | errors and losses |"
	echo "|---|--:|--:|--:|"
	printf '%s\n' "${ROWS[@]}"
} | tee "$REPORT"
[ -z "$FAILED" ] || die "$FAILED; the whole of it is in $BED"
rm -rf "$BED"
