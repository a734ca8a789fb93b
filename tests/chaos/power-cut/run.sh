#!/usr/bin/env bash
# Cuts the power while pages dispatch, at random points, and looks whether everything that had returned is there.
#
#   tests/chaos/power-cut/run.sh     COPIES=200 SECONDS_EACH=20 SEED=7 POSTHORN_LIBRARY=…
#
# The queue is on an ext4 file system on a loop device on a disk that remembers every write and every flush (disk.py). A cut
# (cut.py) keeps what was flushed, and of what was not all, nothing or a random part. Then the file system is mounted, its
# journal replayed, the queue opened. With sync=full nothing may be gone; with sync=normal it is told how much was.
# At the end the disk fails while it is flushed, and dispatch() must say so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
source "$here/../../testbed/testbed.sh"

LIBRARY=${POSTHORN_LIBRARY:-$EXTENSION}
ROUND=${ROUND:-long} SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
export SEED
if [ "$ROUND" = short ]; then COPIES=${COPIES:-6} LENGTH=${SECONDS_EACH:-1} MIB=96; else COPIES=${COPIES:-100} LENGTH=${SECONDS_EACH:-10} MIB=384; fi
REPORT=${REPORT:-/dev/null}
BED=$WORK/power-cut
PROCESSES=4

if [ "$(id -u)" != 0 ] || [ ! -e /dev/fuse ] || [ ! -e /dev/loop-control ]; then
	note "not run: it mounts a file system on a loop device on FUSE, which takes root, /dev/loop-control and /dev/fuse"
	exit 0
fi
need_php cli
need_node
need_packages python3 python3-fusepy sqlite3 e2fsprogs mount
[ -f "$LIBRARY" ] || build_extension

php() { "$PHP" -n -d memory_limit=512M -d extension="$LIBRARY" "$@"; }

WRITERS=() DISK_ID='' LOOP='' RECEIVER_ID=''
power_off() {
	local id
	for id in "${WRITERS[@]}"; do kill -9 "$id" 2>/dev/null || true; done
	WRITERS=()
	if mountpoint -q "$BED/site"; then umount "$BED/site" || umount -l "$BED/site"; fi
	if mountpoint -q "$BED/copy"; then umount "$BED/copy" || umount -l "$BED/copy"; fi
	[ -z "$LOOP" ] || losetup -d "$LOOP" || true
	LOOP=
	if mountpoint -q "$BED/disk"; then wait_until 5 umount "$BED/disk" || umount -l "$BED/disk"; fi
	[ -z "$DISK_ID" ] || wait "$DISK_ID" 2>/dev/null || true
	DISK_ID=
}
finish() {
	power_off
	[ -z "$RECEIVER_ID" ] || kill "$RECEIVER_ID" 2>/dev/null || true
}
trap finish EXIT

# power_on [MKFS ARGUMENTS…]
power_on() {
	rm -rf "$BED/disk.log" "$BED"/notes-*
	mkdir -p "$BED/disk" "$BED/site" "$BED/copy"
	/usr/bin/python3 "$here/disk.py" "$BED/disk" "$BED/disk.log" "$MIB" >"$BED/disk.out" 2>&1 &
	DISK_ID=$!
	wait_until 5 test -f "$BED/disk/disk.img" || die "the disk was not mounted: see $BED/disk.out"
	LOOP=$(losetup --find --show "$BED/disk/disk.img")
	mkfs.ext4 -q -F -b 4096 "$@" "$LOOP"
	mount "$LOOP" "$BED/site"
}

# start_writers SYNC: they end when the pipe is closed.
start_writers() {
	local n waiting
	rm -f "$BED/go"
	mkfifo "$BED/go"
	exec {GO}<>"$BED/go"
	# Opened here: a writer that starts late would not find the name any more.
	exec {waiting}<"$BED/go"
	rm -f "$BED/go"
	for ((n = 0; n < PROCESSES; n++)); do
		php "$here/write.php" "$BED/site/queue" "$1" "$URL" "$BED/notes-$n" <&"$waiting" {GO}>&- {waiting}<&- &
		WRITERS+=($!)
	done
	exec {waiting}<&-
}
stop_writers() {
	exec {GO}>&-
	wait "${WRITERS[@]}" || die "a page that dispatches ended badly"
	WRITERS=()
}

now_ns() { php -r 'echo hrtime( true );'; }
returned() { cat "$BED"/notes-* 2>/dev/null | grep -vc refused || true; }
# Of every writer: the last may still open the queue while the first dispatches.
each_returned() {
	local n
	for ((n = 0; n < PROCESSES; n++)); do grep -qsv refused "$BED/notes-$n" || return 1; done
}

# Called by cut.py: one copy. Adds to FOUND: what had returned, what is gone, since when.
if [ "${1:-}" = copy ]; then
	mount -o loop "$BED/cut.img" "$BED/copy"
	trap 'umount "$BED/copy"' EXIT
	found=$(php "$here/check.php" "$BED/copy/queue" "$2" "$BED"/notes-*)
	sound=$(sqlite3 "$BED/copy/queue/queue.db" 'PRAGMA integrity_check')
	aside=$(find "$BED/copy/queue" -name '*.corrupt-*' | wc -l)
	if [ "$sound" != ok ] || [ "$aside" != 0 ]; then die "a copy is damaged (SEED=$SEED, cut before $2): $sound, $aside set aside"; fi
	echo "$found" >>"$BED/found"
	exit
fi

cut_round() {
	local sync=$1 began row
	power_on
	rm -f "$BED/found"
	start_writers "$sync"
	wait_until 30 each_returned || die "nothing was accepted: see $BED"
	began=$(now_ns)
	sleep "$LENGTH"
	stop_writers
	local written
	written=$(returned)
	power_off
	/usr/bin/python3 "$here/cut.py" "$BED/disk.log" "$MIB" "$BED/cut.img" "$COPIES" "$SEED" "$began" "$here/run.sh" copy
	row=$(awk -v sync="$sync" -v written="$written" '
		{ had += $1; gone += $2; if ($2) copies++; if ($3 > worst) worst = $3 }
		END { printf "| %s | %d | %d | %d | %d | %d | %s |", sync, NR, written, had, gone, copies, worst ? worst " ms" : "–" }' "$BED/found")
	ROWS+=("$row")
	[ "$(wc -l <"$BED/found")" -ge "$COPIES" ] || die "only $(wc -l <"$BED/found") copies were looked at"
	if [ "$sync" = full ] && [ "$(awk '{ gone += $2 } END { print gone + 0 }' "$BED/found")" != 0 ]; then
		BROKEN="sync=full lost what had returned (SEED=$SEED)"
	fi
}

# With 7, an error of the disk: on a busy machine another refusal may come before the disk fails.
each_refused() {
	local n
	for ((n = 0; n < PROCESSES; n++)); do [ "$(grep -c 'refused 7 ' "$BED/notes-$n")" -ge 5 ] || return 1; done
}

# A flush that fails is not taken for a success, and the error says that nothing is certain. Without a journal: ext4 would
# turn read-only if its own flush failed first, and then all is certain.
failing_disk() {
	power_on -O ^has_journal
	start_writers full
	wait_until 30 each_returned || die "nothing was accepted: see $BED"
	printf 1 >"$BED/disk/fails"
	wait_until 30 each_refused || BROKEN="dispatch() returned while the disk failed to flush"
	! awk 'FNR == 1 { refused = 0 } /refused 7 / { refused = 1 } refused && !/refused/ { found = 1 } END { exit !found }' "$BED"/notes-* ||
		BROKEN="dispatch() returned after it was refused, while the disk failed to flush"
	grep -q 'refused 7 .*not certain' "$BED"/notes-* || BROKEN="dispatch() did not say that the disk fails"
	[ -z "$BROKEN" ] || grep -h refused "$BED"/notes-* | cut -d ' ' -f 2- | sort | uniq -c
	: >"$BED/disk/fails"
	stop_writers
	power_off
}

finish
rm -rf "$BED"
mkdir -p "$BED"
node "$POSTHORN_ROOT/tests/bench/receiver.js" "$BED/ports.json" >"$BED/receiver.out" 2>&1 </dev/null &
RECEIVER_ID=$!
wait_until 10 test -s "$BED/ports.json" || die "the receiver did not start: see $BED/receiver.out"
URL=http://127.0.0.1:$(node -p "require('$BED/ports.json').clock")/
ROWS=() BROKEN=
cut_round full
cut_round normal
failing_disk
{
	echo "### Power cuts"
	echo
	echo "| sync | copies | events | returned before the cut, in all copies | of these gone | copies that lost any | oldest loss before the cut |"
	echo "|---|--:|--:|--:|--:|--:|--:|"
	printf '%s\n' "${ROWS[@]}"
} | tee "$REPORT"
[ -z "$BROKEN" ] || die "$BROKEN"
rm -rf "$BED"
