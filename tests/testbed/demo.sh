#!/usr/bin/env bash
# make demo: a WordPress with Posthorn, the stand-in CRM full of made-up records, and a page that lists what arrives.
#
#   FRESH=1 make demo   starts again from nothing; otherwise the site of the last run goes on, with its queue.
#   POSTHORN_SITE_PORT, POSTHORN_RECEIVER_PORT   where to look for free ports first (8080, 8090).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"

DEMO=$WORK/demo
SITE=$DEMO/site
RECEIVER=$DEMO/receiver
STARTED=$(date +%s)

stop() {
	trap '' INT TERM HUP
	[ -z "${SLEEPER:-}" ] || kill "$SLEEPER" 2>/dev/null || true
	printf '\n'
	note "stopping"
	stop_site "$SITE"
	stop_receiver "$RECEIVER"
}

main() {
	[ "${FRESH:-}" != 1 ] || { stop_site "$SITE" && stop_receiver "$RECEIVER" && rm -rf "$DEMO"; }
	say "Building the extension"
	build_extension
	trap stop EXIT
	# Make the shell end, and so run the trap, instead of dying by the signal.
	trap 'exit 0' INT TERM HUP

	say "Starting the receiver"
	run_receiver
	if [ -f "$DEMO/installed" ]; then
		say "Starting the WordPress of the last run (FRESH=1 make demo for a new one)"
		place_plugins "$SITE"
		write_wp_command "$SITE"
		write_php_ini "$SITE" yes
		give_to_site_user "$SITE/php.d"
	else
		say "Installing WordPress, the CRM and Posthorn"
		make_site
	fi
	start_site "$SITE" fpm "$(remembered site_port "${POSTHORN_SITE_PORT:-8080}")"
	remember site_port "${SITE_URL##*:}"
	preset_posthorn
	touch "$DEMO/installed"
	greet
	# Waits for a signal; `wait` ends at once when one comes, a foreground sleep would not.
	while :; do
		sleep 3600 &
		SLEEPER=$!
		wait "$SLEEPER" || true
	done
}

# A value kept between runs, so that addresses stay what they were.
remember() { printf '%s\n' "$2" >"$DEMO/$1"; }
remembered() { cat "$DEMO/$1" 2>/dev/null || printf '%s\n' "$2"; }

run_receiver() {
	mkdir -p "$DEMO"
	chmod 700 "$DEMO"
	[ "$(site_user)" = "$(id -un)" ] || chmod 711 "$DEMO"
	[ -s "$DEMO/secret" ] || (umask 077 && head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$DEMO/secret")
	stop_site "$SITE"
	stop_receiver "$RECEIVER"
	free_port "$(remembered page_port "${POSTHORN_RECEIVER_PORT:-8090}")"
	remember page_port "$FREE_PORT"
	free_port "$(remembered hook_port "$((FREE_PORT + 1))")"
	remember hook_port "$FREE_PORT"
	start_receiver "$RECEIVER" --secret "$(cat "$DEMO/secret")" \
		--page-port "$(cat "$DEMO/page_port")" --hook-port "$(cat "$DEMO/hook_port")"
}

# The records come before Posthorn is active: they were there before it, and fire nothing.
make_site() {
	install_wordpress "$SITE" posthorn=present debug=no
	"$SITE/wp" eval 'wpestate_crm_seed(); update_option( "show_avatars", 0 );' >>"$SITE/run/install.log"
	"$SITE/wp" rewrite structure '/%postname%/' --quiet 2>>"$SITE/run/install.log"
	activate_plugin "$SITE" posthorn
}

# Saves the receiver as the settings page would, with its tick "this receiver is on my own network": it is on this machine.
# Nothing is touched when its address is already the saved one, so what a visitor changed stays.
preset_posthorn() {
	# Its port may be another than last time: it is still the same demo.
	"$SITE/wp" posthorn site moved --quiet || die "Posthorn could not be told that the demo is at $SITE_URL now"
	RECEIVER_URL=$RECEIVER_HOOK RECEIVER_SECRET=$(cat "$DEMO/secret") \
		"$SITE/wp" eval-file "$POSTHORN_ROOT/tests/testbed/preset-posthorn.php" || die "Posthorn's settings could not be saved"
}

greet() {
	local took=$(($(date +%s) - STARTED)) front
	front=$("$SITE/wp" eval 'echo get_permalink( get_page_by_path( "enquiry" ) );')
	cat <<-EOT

		$(printf '\033[1m')Posthorn is running$(printf '\033[0m')  (ready in $took s)

		    Receiver    $RECEIVER_PAGE          what arrives, live
		    WordPress   $SITE_URL/wp-admin/   user admin, password admin
		    Settings    $SITE_URL/wp-admin/options-general.php?page=posthorn
		    The CRM     $SITE_URL/wp-admin/admin.php?page=wpestate-crm
		    Its form    $front

		Open the receiver's page beside WordPress, then
		  1. Settings, CRM Webhooks: press Test Webhook.
		  2. CRM, Contacts: edit one. CRM, Deals: drag one to Closed Won. CRM, Tasks: complete one.
		  3. Fill in the public form.
		  4. CRM, Contacts: tick all, "Select all … contacts", set a status. Import 5,000 more first, if you like.
		  5. On the receiver's page choose "Answers 500" or "Switched off", change a contact, and see under
		     Settings when it is tried again: after five minutes, three attempts in all.

		On the command line:  ${SITE#"$POSTHORN_ROOT/"}/wp posthorn status
		For the REST API:     ${SITE#"$POSTHORN_ROOT/"}/wp user application-password create admin curl --porcelain

		Ctrl-C stops everything; the next \`make demo\` goes on from there.
	EOT
}

main
