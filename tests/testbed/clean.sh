#!/usr/bin/env bash
# make clean: stops what an interrupted run left behind, and removes everything that is not in git.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"
while IFS= read -r folder; do
	stop_site "$(dirname "$folder")"
done < <(find "$WORK" -maxdepth 4 -type d -name run 2>/dev/null)
while IFS= read -r file; do
	stop_receiver "$(dirname "$file")"
done < <(find "$WORK" -maxdepth 4 -name receiver.pid 2>/dev/null)
stop_mariadb
rm -rf "$WORK" "$POSTHORN_ROOT/target" "$POSTHORN_ROOT/dist"
