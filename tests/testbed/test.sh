#!/usr/bin/env bash
# make test: every stage, each with a heading and its time; the first that fails ends it.
#
#   STAGES="ext browser" make test   only these
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"

ALL_STAGES="rust receiver ext chaos wordpress browser readme reference"
TIMES=()

stage_rust() { (cd "$POSTHORN_ROOT" && need_build_tools && cargo test --locked); }
stage_receiver() { need_node && (cd "$POSTHORN_ROOT/tests/receiver" && node --test); }
stage_ext() { run_script tests/ext/run.sh; }
stage_chaos() { ROUND=short run_script tests/chaos/run.sh; }
stage_wordpress() { run_script tests/wordpress/run.sh; }
stage_browser() { run_script tests/browser/run.sh; }
stage_readme() { need_node && need_packages python3 && need_php && run_script tests/readme/run.sh; }
stage_reference() { run_script tests/reference/run.sh; }

# A stage whose script is missing has failed: nothing is skipped silently.
run_script() {
	[ -x "$POSTHORN_ROOT/$1" ] || die "there is no $1"
	"$POSTHORN_ROOT/$1"
}

main() {
	local stage began total=$SECONDS
	need_build_tools
	for stage in ${STAGES:-$ALL_STAGES}; do
		declare -F "stage_$stage" >/dev/null || die "there is no stage $stage: the stages are $ALL_STAGES"
	done
	case " ${STAGES:-$ALL_STAGES} " in
	*" ext "* | *" chaos "* | *" wordpress "* | *" browser "*)
		say "Building the extension"
		build_extension
		;;
	esac
	for stage in ${STAGES:-$ALL_STAGES}; do
		say "Tests: $stage"
		began=$SECONDS
		# In a shell of its own, so that what one stage sets or starts is not there in the next.
		bash -c 'set -euo pipefail; source "$1"; "$2"' test "${BASH_SOURCE[0]}" "stage_$stage" || die "make test: the stage $stage failed"
		TIMES+=("$(printf '%-10s %4d s' "$stage" "$((SECONDS - began))")")
	done
	say "All stages passed in $((SECONDS - total)) s"
	for stage in "${TIMES[@]}"; do note "$stage"; done
}

# Sourced for its stages, or run.
if [ "${BASH_SOURCE[0]}" = "$0" ]; then main; fi
