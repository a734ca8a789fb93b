#!/usr/bin/env bash
# make lint: formatting and lints of everything, cheap enough to run before each commit.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"
cd "$POSTHORN_ROOT"
FAILED=()

# check NAME COMMAND…: runs it; failures are collected so that one run shows all.
check() {
	local name=$1
	shift
	say "$name"
	"$@" || FAILED+=("$name")
}

files() { git ls-files --cached --others --exclude-standard -- "$@"; }

lint_php() {
	local file failed=0
	while IFS= read -r file; do
		[ ! -f "$file" ] || "$PHP" -n -l "$file" >/dev/null || failed=1
	done < <(files '*.php')
	return $failed
}

lint_javascript() {
	local file failed=0
	while IFS= read -r file; do
		[ ! -f "$file" ] || node --check "$file" || failed=1
	done < <(files '*.js' '*.mjs')
	return $failed
}

lint_shell() {
	local scripts
	mapfile -t scripts < <(files '*.sh' .ci/run)
	shellcheck -x --severity=warning "${scripts[@]}"
}

# What the repository may not hold: tabs and spaces mixed at a line's end, merge marks, very long files.
lint_text() {
	local failed=0 file lines
	if git grep -nIE '[ 	]+$|^(<{7}|>{7}) ' -- '*.rs' '*.php' '*.js' '*.css' '*.sh' '*.toml' Makefile; then failed=1; fi
	while IFS= read -r file; do
		[ -f "$file" ] || continue
		lines=$(wc -l <"$file")
		if [ "$lines" -gt 400 ]; then
			note "$file has $lines lines: which second job moved in?"
			failed=1
		fi
	done < <(files '*.rs' '*.php' '*.js' '*.sh')
	return $failed
}

need_extension_tools
need_php
need_node
need_packages shellcheck git
check "cargo fmt" cargo fmt --check
check "clippy (core)" cargo clippy --locked --all-targets -- -D warnings
check "clippy (extension)" extension_cargo clippy --locked --all-targets --features extension -- -D warnings
check "php -l" lint_php
check "node --check" lint_javascript
check "shellcheck" lint_shell
check "text" lint_text
[ ${#FAILED[@]} = 0 ] || die "make lint: $(printf '%s, ' "${FAILED[@]}" | sed 's/, $//') failed"
say "Nothing to complain about"
