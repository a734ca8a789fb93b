#!/usr/bin/env bash
# kill -9 at random moments under load; see kills.php.
#
#   KILLS=5000 tests/chaos/run.sh kills          so many kills (long: 3,000; short: 160)
#   PARTS="page pool" tests/chaos/run.sh kills   only some of: page dispatcher command-line worker pool
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
source "$here/../../testbed/testbed.sh"
need_php cli fpm
need_node
need_packages sqlite3
POSTHORN_FPM=/usr/sbin/php-fpm$PHP_VERSION
export POSTHORN_FPM
if [ "${ROUND:-long}" = short ]; then default=160; else default=3000; fi
# setsid: whatever an interrupted run leaves is one session, ended by kills.php itself.
exec "$PHP" -d memory_limit=1G -d display_errors=stderr "$here/kills.php" "${KILLS:-$default}" "${SEED:-1}" "${PARTS:-}"
