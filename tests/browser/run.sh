#!/usr/bin/env bash
# Playwright against the served WordPress, in the distribution's Chromium.
#
#   tests/browser/run.sh [ARGUMENT…]    arguments go to node --test: --test-name-pattern bulk
#
#   BROWSER_TESTS_AT=FOLDER            everything goes there, so that two runs do not share it
#
# Screenshots go to .work/browser/screenshots. Ends non-zero if a test fails.
set -euo pipefail
# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/../testbed/testbed.sh"

HERE=$POSTHORN_ROOT/tests/browser
AT=${BROWSER_TESTS_AT:-$WORK/browser}
BED=$AT/bed
CONTACTS=5000
SECRET=browser-tests-$(head -c 12 /dev/urandom | base64 | tr '+/' '-_')

need_php curl fpm mbstring mysql sqlite3 xml
need_packages nginx
need_npm
find_chromium() { CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || return 1; }
# Ubuntu's package of this name only fetches a snap, which a container cannot run; one on PATH is taken first.
find_chromium || { need_packages chromium fonts-dejavu-core && find_chromium; } || die "no Chromium found: install chromium"
[ -f "$EXTENSION" ] || build_extension

finish() {
	stop_site "$BED"
	stop_receiver "$AT/receiver"
}
trap finish EXIT
finish
rm -rf "$AT/screenshots"
mkdir -p "$AT/screenshots"

say "Browser tests: a site with $CONTACTS contacts"
(cd "$HERE" && npm ci --no-audit --no-fund --ignore-scripts --silent) || die "npm could not install playwright-core"
install_wordpress "$BED" posthorn=present
"$BED/wp" eval "wpestate_crm_seed( $CONTACTS ); update_option( 'show_avatars', 0 ); update_user_meta( 1, 'show_welcome_panel', 0 );"
"$BED/wp" rewrite structure '/%postname%/' --quiet 2>/dev/null
# Five minutes between attempts are too long for a test; this is how a site would change them.
mkdir -p "$BED/wordpress/wp-content/mu-plugins"
cp "$HERE/short-schedule.php" "$BED/wordpress/wp-content/mu-plugins/"
# The stand-in does a bulk action in the page, row by row; that is SQLite's time, not Posthorn's.
printf 'php_admin_value[max_execution_time] = 300\n' >"$BED/run/pool.conf"
give_to_site_user "$BED/run"
activate_plugin "$BED" posthorn
start_site "$BED" fpm 8380
start_receiver "$AT/receiver" --secret "$SECRET"

cd "$HERE"
SITE=$SITE_URL SECRET=$SECRET CHROMIUM=$CHROMIUM CONTACTS=$CONTACTS SCREENSHOTS=$AT/screenshots \
	node --test "$@" posthorn.test.js ||
	die "browser tests failed (screenshots in $AT/screenshots, logs in $BED/run)"
say "Browser tests passed; screenshots in $AT/screenshots"
