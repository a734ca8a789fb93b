#!/usr/bin/env bash
# docs/asyncapi.json, read by AsyncAPI's own parser. That it is what the catalogue says, is tested by tests/it/reference.rs.
set -euo pipefail
# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/../testbed/testbed.sh"

HERE=$POSTHORN_ROOT/tests/reference
need_npm
(cd "$HERE" && npm ci --no-audit --no-fund --ignore-scripts --silent) || die "npm could not install @asyncapi/parser"
node "$HERE/validate.mjs"

# One that is wrong must be refused, or the line above says nothing.
broken=$(mktemp)
trap 'rm -f "$broken"' EXIT
for mistake in 's/"action": "send"/"action": "shout"/' 's/"const": "deal.won"/"const": "deal.lost"/' 's|#/components/messages/deal.won"|#/components/messages/deal.wonn"|'; do
	sed "$mistake" "$POSTHORN_ROOT/docs/asyncapi.json" >"$broken"
	if node "$HERE/validate.mjs" "$broken" 2>/dev/null; then die "a broken document was accepted: $mistake"; fi
done
