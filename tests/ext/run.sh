#!/usr/bin/env bash
# Tests the built library in real PHP: command line, PHP-FPM, forks, signals, kills. `make test` calls it.
#
#   tests/ext/run.sh [WORD…]   only tests whose file or name holds one of the words
#
# POSTHORN_LIBRARY names the library (target/release/libposthorn.so), POSTHORN_PHP the PHP version (8.2),
# POSTHORN_KILLS how many kills the kill test makes (30).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
source "$here/../testbed/testbed.sh"

need_php cli fpm curl mysql
need_npm
# What receivers verify signatures with.
(cd "$here/../verifiers" && npm ci --no-audit --no-fund --ignore-scripts --silent) || die "npm could not install the libraries of tests/verifiers"
# The program alone, without the system service.
need_packages apache2-bin "libapache2-mod-php$PHP_VERSION"
need_packages sqlite3 # after the processes are gone, the queue file is checked by a program that is not ours
# A network file system that needs no network: sshfs talks to sftp-server through a pipe.
need_packages sshfs openssh-sftp-server e2fsprogs

POSTHORN_LIBRARY=${POSTHORN_LIBRARY:-$POSTHORN_ROOT/target/release/libposthorn.so}
[ -f "$POSTHORN_LIBRARY" ] || die "there is no $POSTHORN_LIBRARY: cargo build --release --locked --features extension"
POSTHORN_FPM=/usr/sbin/php-fpm$PHP_VERSION
export POSTHORN_LIBRARY POSTHORN_FPM PHP

# What is told of a statement is compared with what a database then does.
mariadb_ready || OUR_MARIADB=yes
start_mariadb
trap '[ "${OUR_MARIADB:-no}" = no ] || stop_mariadb' EXIT
export POSTHORN_MARIADB_SOCKET=$MARIADB_SOCKET

"$PHP" -d memory_limit=512M "$here/runner.php" "$@"
