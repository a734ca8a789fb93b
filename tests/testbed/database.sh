# shellcheck shell=bash
# A private MariaDB under .work/mariadb, reached through its socket only. Sourced after packages.sh.

MARIADB=$WORK/mariadb
MARIADB_SOCKET=$MARIADB/mariadb.sock

# Starts it unless it runs, and makes the user the test beds use. The data is not kept: durability is switched off.
start_mariadb() {
	if mariadb_ready; then return; fi
	# The -core packages hold the programs without a system service.
	need_packages mariadb-server-core mariadb-client-core
	mkdir -p "$MARIADB"
	# Socket paths are limited to 107 bytes by the kernel.
	if [ ${#MARIADB_SOCKET} -gt 100 ]; then
		MARIADB_SOCKET=/tmp/posthorn-mariadb-$(id -u)-$(cksum <<<"$POSTHORN_ROOT" | cut -d' ' -f1).sock
	fi
	local flags=(--no-defaults --datadir="$MARIADB/data" --socket="$MARIADB_SOCKET" --skip-networking)
	[ "$(id -u)" != 0 ] || flags+=(--user=root)
	if [ ! -d "$MARIADB/data/mysql" ]; then
		note "creating a private MariaDB"
		mariadb-install-db --no-defaults --datadir="$MARIADB/data" --auth-root-authentication-method=normal \
			--skip-test-db "${flags[@]:4}" >"$MARIADB/install.log" 2>&1 || die "mariadb-install-db failed: see $MARIADB/install.log"
	fi
	setsid mariadbd "${flags[@]}" --pid-file="$MARIADB/mariadb.pid" --innodb-flush-log-at-trx-commit=2 \
		>"$MARIADB/mariadb.log" 2>&1 </dev/null &
	wait_until 30 mariadb_ready || die "MariaDB did not start: see $MARIADB/mariadb.log"
	note_process "$MARIADB/mariadb.pid"
	mariadb_root "CREATE USER IF NOT EXISTS wordpress@localhost IDENTIFIED BY 'wordpress';
		GRANT ALL ON \`bed\\_%\`.* TO wordpress@localhost;"
}

mariadb_ready() { mariadb --no-defaults --socket="$MARIADB_SOCKET" -uroot -e 'SELECT 1' >/dev/null 2>&1; }

mariadb_root() { mariadb --no-defaults --socket="$MARIADB_SOCKET" -uroot -e "$1"; }

stop_mariadb() { stop_pid_file "$MARIADB/mariadb.pid"; }

# create_database NAME: empty, whatever was there. Call start_mariadb first.
create_database() {
	mariadb_ready || die "MariaDB is not running: call start_mariadb before database=mariadb"
	mariadb_root "DROP DATABASE IF EXISTS \`$1\`; CREATE DATABASE \`$1\` CHARACTER SET utf8mb4;"
}
