#!/usr/bin/env bash
# make bench
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"
say "Building the extension"
build_extension
say "Measuring"
exec "$POSTHORN_ROOT/tests/bench/run.sh" "$@"
