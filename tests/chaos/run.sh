#!/usr/bin/env bash
# make chaos: kills and faults on real processes, as long as it takes; `make test` runs the short round.
#
#   tests/chaos/run.sh [SCENARIO…]   only these folders
#   ROUND=short tests/chaos/run.sh   half a minute for each scenario (default: long)
#   SEED=7                           the same choices again; each run prints its seed
#
# A scenario is a folder here with a run.sh. It is given ROUND, SEED, POSTHORN_LIBRARY and REPORT, a file for its table in
# Markdown; it ends with 1 if a promise was broken. A long round of all of them writes bench/CHAOS.md.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
source "$here/../testbed/testbed.sh"

export ROUND=${ROUND:-long} SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
case $ROUND in short | long) ;; *) die "ROUND is '$ROUND': short or long" ;; esac
if [ -z "${POSTHORN_LIBRARY:-}" ]; then
	[ -f "$EXTENSION" ] || build_extension
	POSTHORN_LIBRARY=$EXTENSION
fi
[ -f "$POSTHORN_LIBRARY" ] || die "there is no $POSTHORN_LIBRARY"
export POSTHORN_LIBRARY

REPORTS=$WORK/chaos
rm -rf "$REPORTS"
mkdir -p "$REPORTS"
scenarios=("$@")
if [ $# = 0 ]; then
	for script in "$here"/*/run.sh; do scenarios+=("$(basename "$(dirname "$script")")"); done
fi
note "ROUND=$ROUND SEED=$SEED"
failed=()
for scenario in "${scenarios[@]}"; do
	[ -x "$here/$scenario/run.sh" ] || die "there is no tests/chaos/$scenario/run.sh"
	say "Chaos: $scenario"
	REPORT=$REPORTS/$scenario.md "$here/$scenario/run.sh" 2>&1 | tee "$REPORTS/$scenario.out" || failed+=("$scenario")
done

write_report() {
	printf '# The last `make chaos`\n\nWritten on %s: ROUND=%s SEED=%s, ' "$(date -u '+%-d %B %Y')" "$ROUND" "$SEED"
	printf '%s, Linux %s, %s processors, PHP %s.\n' "$(. /etc/os-release && echo "$PRETTY_NAME")" "$(uname -r | cut -d- -f1)" "$(nproc)" "$PHP_VERSION"
	for scenario in "${scenarios[@]}"; do [ ! -f "$REPORTS/$scenario.md" ] || { echo && cat "$REPORTS/$scenario.md"; }; done
}

if [ $# = 0 ] && [ "$ROUND" = long ] && [ ${#failed[@]} = 0 ]; then
	find_php
	write_report >"$POSTHORN_ROOT/bench/CHAOS.md"
	note "written to bench/CHAOS.md"
fi
# Once more, at the end: the others went on and pushed it out of sight.
for scenario in "${failed[@]}"; do say "Broken: $scenario" && tail -n 20 "$REPORTS/$scenario.out"; done
[ ${#failed[@]} = 0 ] || die "broken promises in: ${failed[*]} (again with SEED=$SEED)"
