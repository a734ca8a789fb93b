#!/usr/bin/env bash
# A million dispatches and deliveries in one process: memory, descriptors and files at ten points. They must not go on growing.
#
#   COUNT=1000000 tests/chaos/soak/run.sh     also ROUND=short (20,000), POSTHORN_LIBRARY
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
source "$here/../../testbed/testbed.sh"

LIBRARY=${POSTHORN_LIBRARY:-$EXTENSION}
REPORT=${REPORT:-/dev/null}
BED=$WORK/soak
if [ "${ROUND:-long}" = short ]; then COUNT=${COUNT:-20000}; else COUNT=${COUNT:-1000000}; fi

need_php cli
need_node
[ -f "$LIBRARY" ] || build_extension
rm -rf "$BED"
mkdir -p "$BED"
node "$POSTHORN_ROOT/tests/bench/receiver.js" "$BED/ports.json" >"$BED/receiver.out" 2>&1 </dev/null &
receiver=$!
trap 'kill "$receiver" 2>/dev/null || true' EXIT
wait_until 10 test -s "$BED/ports.json" || die "the receiver did not start: see $BED/receiver.out"
url=http://127.0.0.1:$(node -p "require('$BED/ports.json').clock")/

{
	echo "### A soak of $COUNT dispatches and deliveries in one process"
	echo
	echo "| events | private MiB | descriptors | threads | queue.db MiB | queue.db-wal MiB | posthorn.log MiB | kept |"
	echo "|--:|--:|--:|--:|--:|--:|--:|--:|"
	"$PHP" -n -d memory_limit=128M -d extension="$LIBRARY" "$here/soak.php" "$BED/queue" "$COUNT" "$url"
} | tee "$REPORT"
rm -rf "$BED"
