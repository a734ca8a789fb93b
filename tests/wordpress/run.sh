#!/usr/bin/env bash
# PHPUnit against real WordPresses: the newest and 6.1 on the SQLite drop-in and on MariaDB, a network of sites, and one
# without the extension.
#
#   tests/wordpress/run.sh [ARGUMENT…]     arguments go to PHPUnit: --filter SecretTest, --testdox
#   BEDS="newest" tests/wordpress/run.sh   only some of: newest oldest mariadb apache network without
#   BEDS_AT=FOLDER                         beds go there, so that two runs do not share them
#
# Every bed is installed anew under .work/wordpress and served on loopback, by PHP-FPM and nginx, or by Apache. The tests
# run inside WordPress (load.php) as the user that serves it, and as visitors from outside. Ends non-zero if a test fails.
#
# Groups: `mariadb` needs that server, `product` is long and runs on the bed mariadb only.
set -euo pipefail
# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/../testbed/testbed.sh"

HERE=$POSTHORN_ROOT/tests/wordpress
BEDS_AT=${BEDS_AT:-$WORK/wordpress}

need_php curl fpm mbstring mysql sqlite3 xml
need_packages nginx phpunit
need_node
need_npm
(cd "$HERE/contract" && npm ci --no-audit --no-fund --ignore-scripts --silent) || die "npm could not install the libraries of tests/wordpress/contract"
[ -f "$EXTENSION" ] || build_extension

ALL_BEDS="newest oldest mariadb apache network without"

finish() {
	local bed
	for bed in $ALL_BEDS; do
		stop_site "$BEDS_AT/$bed"
		! mountpoint -q "$BEDS_AT/$bed/small-disk" || as_root umount -l "$BEDS_AT/$bed/small-disk"
	done
	stop_receiver "$BEDS_AT/receiver"
	[ "${MARIADB_STARTED:-no}" = no ] || stop_mariadb
}
trap finish EXIT
# A server that a killed run left behind would keep its folder.
finish
mkdir -p "$BEDS_AT"

as_site_user() {
	local user
	user=$(site_user)
	if [ "$user" = "$(id -un)" ]; then "$@"; else runuser -u "$user" -- "$@"; fi
}

# In PHPUnit 9 a warning is a mistake in a test. From 10 on it is any of PHP's, and an old WordPress on a new PHP has some.
strict=()
[[ $(phpunit --version) != *"PHPUnit 9."* ]] || strict=(--fail-on-warning)

# A disk of 3 MiB, to be filled up. Where nothing may be mounted, as in most containers, a device that is always full.
small_disk() {
	local folder=$1/small-disk
	rm -rf "$folder"
	mkdir "$folder"
	if ! as_root mount -t tmpfs -o "size=3m,mode=0700,uid=$(id -u "$(site_user)")" posthorn-test "$folder" 2>/dev/null; then
		as_root mknod "$folder/full" c 1 7
		as_root chown -R "$(site_user)" "$folder"
	fi
}

# run_suite BED SUITE [ARGUMENT…]
run_suite() {
	local bed=$BEDS_AT/$1 suite=$2
	shift 2
	as_site_user env PHP_INI_SCAN_DIR=":$bed/php.d" POSTHORN_BED="$bed" POSTHORN_SITE="$(cat "$bed/address")" POSTHORN_LIBRARY="$EXTENSION" \
		POSTHORN_SMALL_DISK="$bed/small-disk" POSTHORN_WP_CLI="$WP_CLI" RECEIVER_HOOK="$RECEIVER_HOOK" RECEIVER_PAGE="$RECEIVER_PAGE" \
		"$PHP" -d memory_limit=512M -d auto_prepend_file="$HERE/load.php" /usr/bin/phpunit \
		-c "$HERE/phpunit.xml" --testsuite "$suite" --do-not-cache-result ${strict[@]+"${strict[@]}"} "$@"
}

# What of the tests' own lies inside the site: mu-plugins for requests from outside, and an object cache where asked for.
place_test_parts() {
	local content=$1/wordpress/wp-content
	mkdir -p "$content/mu-plugins"
	cp "$HERE"/support/mu-plugins/*.php "$content/mu-plugins/"
	[ "$2" = no ] || cp "$HERE/support/object-cache.php" "$content/object-cache.php"
	give_to_site_user "$content"
}

need_mariadb() {
	! mariadb_ready || return 0
	MARIADB_STARTED=yes
	start_mariadb
}

failed=()
# run_bed BED SUITES OPTIONS [ARGUMENT…]: options are install_wordpress's, and server=apache, cache=yes.
run_bed() {
	local bed=$1 suites=$2 arguments=("${@:4}") server=fpm cache=no
	local option options=() suite skip=mariadb,product
	[[ " ${BEDS:-$ALL_BEDS} " == *" $bed "* ]] || return 0
	say "WordPress tests: $bed"
	for option in $3; do
		case $option in
		server=* | cache=*) local "${option?}" ;;
		*) options+=("$option") ;;
		esac
	done
	if [[ " $3 " == *" database=mariadb "* ]]; then
		need_mariadb
		skip=product
		[ "$bed" != mariadb ] || skip=none
	fi
	# A network stores its address, port and all, when it is installed; start_site then finds the same port free.
	free_port 8180
	unset "PORTS_GIVEN[$FREE_PORT]"
	install_wordpress "$BEDS_AT/$bed" "${options[@]}" address="http://127.0.0.1:$FREE_PORT"
	place_test_parts "$BEDS_AT/$bed" "$cache"
	start_site "$BEDS_AT/$bed" "$server" "$FREE_PORT"
	small_disk "$BEDS_AT/$bed"
	note "WordPress $("$BEDS_AT/$bed/wp" core version 2>/dev/null) on PHP $PHP_VERSION, $SITE_URL"
	for suite in $suites; do
		run_suite "$bed" "$suite" --exclude-group "$skip" ${arguments[@]+"${arguments[@]}"} || failed+=("$bed/$suite")
	done
	stop_site "$BEDS_AT/$bed"
}

start_receiver "$BEDS_AT/receiver" --secret "$(cat "$HERE/support/secret.txt")"
run_bed newest "site clone leaving" "version=newest" "$@"
run_bed oldest "site leaving" "version=6.1" "$@"
run_bed mariadb site "version=newest database=mariadb" "$@"
run_bed apache rows "version=6.1 database=mariadb server=apache cache=yes" "$@"
run_bed network network "multisite=yes" "$@"
run_bed without without "extension=no" "$@"

if [ ${#failed[@]} -gt 0 ]; then
	die "WordPress tests failed on: ${failed[*]} (beds, logs and databases are kept in $BEDS_AT)"
fi
say "WordPress tests passed"
