# shellcheck shell=bash
# Distribution packages and PHP's version: installs what is missing, and only that. Sourced after basics.sh.

# need_packages NAME…: installs those that are missing.
need_packages() {
	local missing=() name
	for name in "$@"; do
		package_installed "$name" || missing+=("$name")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	note "installing ${missing[*]}"
	refresh_package_lists
	hold_services
	local failed=0
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
		-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "${missing[@]}" >"$WORK/apt.log" 2>&1 || failed=1
	release_services "${missing[@]}"
	[ $failed = 0 ] || {
		tail -n 20 "$WORK/apt.log" >&2
		die "apt-get could not install: ${missing[*]} (full log: $WORK/apt.log)"
	}
}

package_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

package_available() { [ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null)" ]; }

# A fresh machine or container has no lists at all; an hour-old one is good enough.
refresh_package_lists() {
	command -v apt-get >/dev/null || die "this is not Debian or Ubuntu: install PHP, nginx, Node and clang yourself, then try again"
	mkdir -p "$WORK"
	[ -z "$(find "$WORK/apt-updated" -mmin -60 2>/dev/null)" ] || return 0
	note "apt-get update"
	as_root apt-get update -q -o DPkg::Lock::Timeout=600 >"$WORK/apt.log" 2>&1 || {
		tail -n 20 "$WORK/apt.log" >&2
		die "apt-get update failed (full log: $WORK/apt.log)"
	}
	touch "$WORK/apt-updated"
}

# Debian starts a service as soon as its package is installed; the test bed wants the programs only. policy-rc.d is
# Debian's switch for that, and is there only while apt runs.
hold_services() {
	SERVICES_HELD=no
	[ ! -e /usr/sbin/policy-rc.d ] || return 0
	printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
	as_root chmod 755 /usr/sbin/policy-rc.d
	SERVICES_HELD=yes
}

# Also keeps what was just installed from starting at the next boot.
release_services() {
	[ "$SERVICES_HELD" = yes ] && as_root rm -f /usr/sbin/policy-rc.d
	[ -d /run/systemd/system ] || return 0
	local name
	for name in "$@"; do
		case $name in
		nginx | apache2 | mariadb-server | php*-fpm) as_root systemctl disable --quiet "$name" 2>/dev/null || true ;;
		esac
	done
}

# Sets PHP_VERSION (8.2, say): the PHP on PATH when its PHP-FPM can be had too, else the distribution's.
# Override with POSTHORN_PHP=8.3.
find_php() {
	[ -z "${PHP_VERSION:-}" ] || return 0
	PHP_VERSION=${POSTHORN_PHP:-}
	if [ -z "$PHP_VERSION" ] && command -v php >/dev/null; then
		PHP_VERSION=$(php -n -r 'echo PHP_MAJOR_VERSION . "." . PHP_MINOR_VERSION;')
		[ -x "/usr/bin/php$PHP_VERSION" ] || PHP_VERSION=
	fi
	if [ -n "$PHP_VERSION" ] && [ ! -x "/usr/sbin/php-fpm$PHP_VERSION" ]; then
		refresh_package_lists
		package_available "php$PHP_VERSION-fpm" || PHP_VERSION=
	fi
	if [ -z "$PHP_VERSION" ]; then
		refresh_package_lists
		PHP_VERSION=$(apt-cache depends php-fpm 2>/dev/null | sed -n 's/^ *Depends: php\([0-9.]*\)-fpm$/\1/p' | head -n 1)
	fi
	[ -n "$PHP_VERSION" ] || die "no PHP found: neither on PATH nor as the package php-fpm"
	PHP=/usr/bin/php$PHP_VERSION
	export PHP PHP_VERSION
}

# need_php PART…: PHP's command line and these parts of it (fpm, dev, sqlite3, mysql, …).
need_php() {
	find_php
	local packages=("php$PHP_VERSION-cli") part
	for part in "$@"; do packages+=("php$PHP_VERSION-$part"); done
	need_packages "${packages[@]}"
}

# Node runs the receiver and the browser tests; npm fetches WordPress. One that is on PATH and new enough is kept.
need_node() {
	if ! command -v node >/dev/null; then need_packages nodejs; fi
	local major
	major=$(node -p 'process.versions.node.split(".")[0]')
	[ "$major" -ge 18 ] || die "node $(node -v) is too old: Posthorn's test bed needs Node 18 or newer"
}
need_npm() {
	need_node
	command -v npm >/dev/null || need_packages npm
}
