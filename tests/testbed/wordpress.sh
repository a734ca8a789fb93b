# shellcheck shell=bash
# Installs a WordPress of its own into a folder. Sourced after downloads.sh and rust.sh.
#
# A bed is a folder:  wordpress/  the site          data/    the queue (posthorn.data_dir)
#                     php.d/      its private ini   run/     configuration, sockets, logs of its servers
#                     address     its URL           wp       WP-CLI on this site, as its user

# install_wordpress FOLDER [version=newest|6.1] [database=sqlite|mariadb] [extension=yes|no] [multisite=yes|no]
#                   [address=http://127.0.0.1:8080] [crm=active|present|no] [posthorn=active|present|no] [debug=yes|no]
# Anything in FOLDER is replaced. The administrator is admin / admin.
install_wordpress() {
	local bed=$1 version=newest database=sqlite extension=yes multisite=no address=http://127.0.0.1:8080
	local crm=active posthorn=active debug=yes option
	shift
	for option in "$@"; do
		case $option in
		version=* | database=* | extension=* | multisite=* | address=* | crm=* | posthorn=* | debug=*)
			local "${option?}"
			;;
		*) die "install_wordpress: no option $option" ;;
		esac
	done
	need_php curl mbstring mysql sqlite3 xml
	fetch_wordpress
	[ "$version" = newest ] || fetch_wordpress_oldest

	rm -rf "${bed:?}"
	mkdir -p "$bed/data" "$bed/php.d" "$bed/run"
	bed=$(cd "$bed" && pwd)
	chmod 700 "$bed/data"
	printf '%s\n' "$address" >"$bed/address"
	cp -a "$([ "$version" = newest ] && echo "$WP_NEWEST" || echo "$WP_OLDEST")" "$bed/wordpress"
	place_plugins "$bed"
	write_php_ini "$bed" "$extension"
	write_wp_config "$bed" "$database" "$debug"
	write_wp_command "$bed"
	[ "$database" = sqlite ] && place_sqlite_drop_in "$bed" "$version"
	[ "$database" = mariadb ] && create_database "$(database_name "$bed")"
	give_to_site_user "$bed"

	local verb=install
	[ "$multisite" = yes ] && verb="multisite-install"
	"$bed/wp" core "$verb" --url="$address" --title="Harbour & Hill Estates" --admin_user=admin --admin_password=admin \
		--admin_email=admin@example.com --skip-email >"$bed/run/install.log" 2>&1 || {
		cat "$bed/run/install.log" >&2
		die "WordPress ($version, $database) did not install into $bed"
	}
	[ "$crm" = active ] && activate_plugin "$bed" wpestate-crm "$multisite"
	[ "$posthorn" = active ] && activate_plugin "$bed" posthorn "$multisite"
	[ "$crm" = no ] && rm -rf "$bed/wordpress/wp-content/plugins/wpestate-crm"
	[ "$posthorn" = no ] && rm -rf "$bed/wordpress/wp-content/plugins/posthorn"
	return 0
}

activate_plugin() {
	local flag=()
	[ "${3:-no}" = yes ] && flag=(--network)
	"$1/wp" plugin activate "$2" ${flag[@]+"${flag[@]}"} >"$1/run/activate.log" 2>&1 || {
		cat "$1/run/activate.log" >&2
		die "the plugin $2 could not be activated in $1"
	}
}

# Copies the plugin and the stand-in CRM from the checkout as they are now; call it again after an edit.
# Copies and not links: what is tested is then what a zip would hold, and __FILE__ lies inside the site.
place_plugins() {
	local plugins=$1/wordpress/wp-content/plugins
	rm -rf "$plugins/posthorn" "$plugins/wpestate-crm"
	cp -r "$POSTHORN_ROOT/php" "$plugins/posthorn"
	cp -r "$POSTHORN_ROOT/tests/crm" "$plugins/wpestate-crm"
	mkdir -p "$1/wordpress/wp-content/mu-plugins"
	cp "$POSTHORN_ROOT"/tests/testbed/mu-plugins/*.php "$1/wordpress/wp-content/mu-plugins/"
	[ ! -f "$1/address" ] || give_to_site_user "$1/wordpress/wp-content/plugins"
}

place_sqlite_drop_in() {
	local content=$1/wordpress/wp-content
	cp -r "$SQLITE_DROP_IN" "$content/plugins/sqlite-database-integration"
	sed -e "s#{SQLITE_IMPLEMENTATION_FOLDER_PATH}#$content/plugins/sqlite-database-integration#" \
		-e "s#{SQLITE_PLUGIN}#sqlite-database-integration/load.php#" "$SQLITE_DROP_IN/db.copy" >"$content/db.php"
	# WordPress 6.1's database class does not know this property yet, and cannot reach it while it is private.
	# shellcheck disable=SC2016
	[ "$2" = newest ] || sed -i 's/private \$allow_unsafe_unquoted_parameters/protected $allow_unsafe_unquoted_parameters/' \
		"$content/plugins/sqlite-database-integration/wp-includes/sqlite/class-wp-sqlite-db.php"
	mkdir -p "$content/database"
}

# The extension is loaded by an ini file of the bed's own, for the command line and every server alike.
write_php_ini() {
	{
		[ "$2" = no ] || printf 'extension=%s\nposthorn.data_dir=%s\n' "$EXTENSION" "$1/data"
		# Tests edit PHP files and expect the next request to run them.
		printf 'opcache.revalidate_freq=0\nmemory_limit=256M\n'
		printf 'error_log=%s\nlog_errors=1\ndisplay_errors=0\n' "$1/run/php.log"
	} >"$1/php.d/90-posthorn.ini"
}

write_wp_config() {
	local bed=$1 database=$2 debug=$3 key
	{
		printf '<?php\n// Written by tests/testbed/wordpress.sh.\n'
		printf "\$address = trim( file_get_contents( '%s/address' ) );\n" "$bed"
		# Defined before the installation, or WordPress appends a path to the address.
		printf "define( 'WP_HOME', \$address );\ndefine( 'WP_SITEURL', \$address );\n"
		if [ "$database" = mariadb ]; then
			printf "define( 'DB_NAME', '%s' );\ndefine( 'DB_USER', 'wordpress' );\ndefine( 'DB_PASSWORD', 'wordpress' );\n" \
				"$(database_name "$bed")"
			printf "define( 'DB_HOST', 'localhost:%s' );\n" "$MARIADB_SOCKET"
		else
			printf "define( 'DB_NAME', '%s' );\ndefine( 'DB_USER', '' );\ndefine( 'DB_PASSWORD', '' );\n" "$(database_name "$bed")"
			printf "define( 'DB_HOST', 'localhost' );\n"
		fi
		printf "define( 'DB_CHARSET', 'utf8mb4' );\ndefine( 'DB_COLLATE', '' );\n"
		for key in AUTH_KEY SECURE_AUTH_KEY LOGGED_IN_KEY NONCE_KEY AUTH_SALT SECURE_AUTH_SALT LOGGED_IN_SALT NONCE_SALT; do
			printf "define( '%s', '%s' );\n" "$key" "$(head -c 48 /dev/urandom | base64 -w 0)"
		done
		# A WordPress without internet must not wait for it.
		printf "define( 'WP_HTTP_BLOCK_EXTERNAL', true );\ndefine( 'AUTOMATIC_UPDATER_DISABLED', true );\n"
		if [ "$debug" = yes ]; then
			printf "define( 'WP_DEBUG', true );\ndefine( 'WP_DEBUG_DISPLAY', false );\ndefine( 'WP_DEBUG_LOG', '%s/run/debug.log' );\n" "$bed"
		fi
		# WP-CLI adds a network's constants in front of this line.
		printf "\$table_prefix = 'wp_';\n/* That's all, stop editing! */\n"
		printf "defined( 'ABSPATH' ) || define( 'ABSPATH', __DIR__ . '/' );\nrequire_once ABSPATH . 'wp-settings.php';\n"
	} >"$bed/wordpress/wp-config.php"
}

# One database per bed, named after its folder.
database_name() { printf 'bed_%s' "$(basename "$1" | tr -c 'a-zA-Z0-9\n' _)"; }

# `FOLDER/wp …` is WP-CLI with the bed's ini files, run as the user that PHP-FPM runs as.
write_wp_command() {
	local bed=$1 user prefix=
	user=$(site_user)
	if [ "$user" != "$(id -un)" ]; then prefix="runuser -u $user -- "; fi
	cat >"$bed/wp" <<-EOT
		#!/bin/sh
		# WP-CLI on this bed, with its PHP settings and as its user.
		export PHP_INI_SCAN_DIR=:$bed/php.d HOME=$bed/run WP_CLI_CACHE_DIR=$bed/run/wp-cli
		export WP_CLI_DISABLE_AUTO_CHECK_UPDATE=1 WP_CLI_CONFIG_PATH=/dev/null
		exec $prefix$PHP -d memory_limit=1G $WP_CLI --path=$bed/wordpress$([ "$user" = root ] && echo ' --allow-root') "\$@"
	EOT
	chmod 755 "$bed/wp"
}

# Who runs the site: whoever calls; for root www-data, as on a real server, unless it cannot reach the checkout (a
# clone under /root, say), then root.
site_user() {
	if [ "$(id -u)" != 0 ]; then
		id -un
	elif [ -n "${SITE_USER:-}" ]; then
		printf '%s\n' "$SITE_USER"
	elif command -v runuser >/dev/null && runuser -u www-data -- test -r "$POSTHORN_ROOT/Cargo.toml" 2>/dev/null; then
		printf 'www-data\n'
	else
		printf 'root\n'
	fi
}

give_to_site_user() {
	[ "$(id -u)" != 0 ] || chown -R "$(site_user):" "$1"
}
