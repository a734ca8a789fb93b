#!/usr/bin/env bash
# make chaos
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"
say "Building the extension"
build_extension
exec "$POSTHORN_ROOT/tests/chaos/run.sh" "$@"
