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
# The distribution's Chromium, or CHROMIUM=/path/to/it. Ubuntu's package only fetches a snap, which a container cannot
# run: then Playwright fetches its own, and CHROMIUM stays empty.
chromium_runs() { [ -n "${CHROMIUM:-}" ] && "$CHROMIUM" --version >/dev/null 2>&1; }
find_chromium() {
	chromium_runs && return
	CHROMIUM=$(command -v chromium || command -v google-chrome || command -v chromium-browser) && chromium_runs && return
	if [ "$(. /etc/os-release && echo "$ID")" != ubuntu ]; then
		need_packages chromium fonts-dejavu-core
		CHROMIUM=$(command -v chromium) && chromium_runs && return
	fi
	CHROMIUM=
	export PLAYWRIGHT_BROWSERS_PATH=$WORK/playwright
	note "fetching Playwright's own Chromium"
	(cd "$HERE" && as_root env PLAYWRIGHT_BROWSERS_PATH="$PLAYWRIGHT_BROWSERS_PATH" node node_modules/playwright-core/cli.js \
		install --with-deps --only-shell chromium) >"$WORK/playwright.log" 2>&1 ||
		die "no Chromium that runs: install one and set CHROMIUM=/path/to/it (log: $WORK/playwright.log)"
}
[ -f "$EXTENSION" ] || build_extension

finish() {
	stop_site "$BED"
	stop_receiver "$AT/receiver"
}
trap finish EXIT
finish
rm -rf "$AT/screenshots"
mkdir -p "$AT/screenshots"

(cd "$HERE" && npm ci --no-audit --no-fund --ignore-scripts --silent) || die "npm could not install playwright-core"
find_chromium

say "Browser tests: a site with $CONTACTS contacts"
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
