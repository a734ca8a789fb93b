#!/usr/bin/env bash
# make build
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"
say "Building the extension"
build_extension
note "built ${EXTENSION#"$POSTHORN_ROOT/"} for PHP $PHP_VERSION"
