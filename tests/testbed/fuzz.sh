#!/usr/bin/env bash
# Fuzzes everything of the core that reads what comes from outside: `make fuzz`.
#
#   SECONDS_EACH=60 tests/testbed/fuzz.sh [TARGET…]   all targets unless some are named
#
# Needs a nightly Rust toolchain (`rustup toolchain install nightly`) and a C++ compiler; cargo-fuzz is installed if it is
# missing. What is found on the way is kept in fuzz/corpus, what breaks a target in fuzz/artifacts.
set -euo pipefail
# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"

SECONDS_EACH=${SECONDS_EACH:-60}
need_packages clang
cargo +nightly --version >/dev/null 2>&1 || die "fuzzing needs a nightly toolchain: rustup toolchain install nightly"
cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked

cd "$POSTHORN_ROOT/fuzz"
mapfile -t targets < <([ $# -gt 0 ] && printf '%s\n' "$@" || ls seeds)
failed=()
for target in "${targets[@]}"; do
	mkdir -p "corpus/$target"
	log=corpus/$target.log
	cargo +nightly fuzz run "$target" "corpus/$target" "seeds/$target" -- \
		-max_total_time="$SECONDS_EACH" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 >"$log" 2>&1 || failed+=("$target")
	executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	printf '%-12s %10s executions\n' "$target" "${executed:-0}"
done
[ ${#failed[@]} -eq 0 ] || die "broken: ${failed[*]}; see fuzz/corpus/*.log and fuzz/artifacts"
say "Nothing was broken"
