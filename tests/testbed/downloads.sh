# shellcheck shell=bash
# Fetches WordPress, WP-CLI and the SQLite drop-in from package registries into .work/downloads, once.
# Sourced after packages.sh.

# Carries a complete WordPress 7, WP-CLI and the SQLite drop-in. Nothing in it is run.
WP_STUDIO=wp-studio@1.22.0
# One archive of WordPress's PHP files per version from 6.2 on.
WP_BUILDS=@wp-playground/wordpress-builds@0.9.19

WP_NEWEST=$DOWNLOADS/wordpress-newest
WP_OLDEST=$DOWNLOADS/wordpress-6.1
WP_CLI=$DOWNLOADS/wp-cli.phar
SQLITE_DROP_IN=$DOWNLOADS/sqlite-database-integration

# npm_pack NAME@VERSION FILE: the package's tarball, kept under a name of ours.
npm_pack() {
	local scratch
	[ ! -f "$2" ] || return 0
	note "fetching $1"
	scratch=$(mktemp -d "$DOWNLOADS/pack.XXXXXX")
	(cd "$scratch" && npm pack --loglevel error "$1" >"$DOWNLOADS/npm.log" 2>&1) || {
		rm -rf "$scratch"
		tail -n 20 "$DOWNLOADS/npm.log" >&2
		die "npm could not fetch $1: is the network up, and does \`npm ping\` answer?"
	}
	mv "$scratch"/*.tgz "$2"
	rmdir "$scratch"
}

# WordPress newest, WP-CLI and the drop-in.
fetch_wordpress() {
	[ ! -f "$DOWNLOADS/wordpress.fetched" ] || return 0
	need_npm
	mkdir -p "$DOWNLOADS"
	npm_pack "$WP_STUDIO" "$DOWNLOADS/wp-studio.tgz"
	note "unpacking WordPress, WP-CLI and the SQLite drop-in"
	local files=package/dist/cli/wp-files scratch=$DOWNLOADS/unpack
	rm -rf "$scratch" "$WP_NEWEST" "$SQLITE_DROP_IN"
	mkdir -p "$scratch"
	tar -xzf "$DOWNLOADS/wp-studio.tgz" -C "$scratch" --no-same-owner \
		"$files/latest/wordpress" "$files/wp-cli" "$files/sqlite-database-integration"
	mv "$scratch/$files/latest/wordpress" "$WP_NEWEST"
	mv "$scratch/$files/sqlite-database-integration" "$SQLITE_DROP_IN"
	mv "$scratch/$files/wp-cli/wp-cli.phar" "$WP_CLI"
	rm -rf "$scratch"
	touch "$DOWNLOADS/wordpress.fetched"
}

# The oldest supported WordPress. Debian 12 still packages 6.1; elsewhere 6.2 is the oldest that can be had, and the
# log says so. No theme inside; REST and admin work.
fetch_wordpress_oldest() {
	[ ! -f "$DOWNLOADS/wordpress-6.1.fetched" ] || return 0
	mkdir -p "$DOWNLOADS"
	rm -rf "$WP_OLDEST"
	refresh_package_lists
	# No `| grep -q`: it closes the pipe early, and with pipefail that reads as "not found".
	if [[ $(apt-cache policy wordpress) == *"Candidate: 6.1"* ]]; then
		fetch_wordpress_debian
	else
		fetch_wordpress_6_2
	fi
	mkdir -p "$WP_OLDEST/wp-content/plugins" "$WP_OLDEST/wp-content/themes"
	touch "$DOWNLOADS/wordpress-6.1.fetched"
}

fetch_wordpress_debian() {
	note "fetching WordPress 6.1 (Debian's package)"
	local scratch=$DOWNLOADS/debian
	rm -rf "$scratch" && mkdir -p "$scratch"
	# apt drops to its own user for downloads and warns when it cannot write here; root can.
	(cd "$scratch" && apt-get download -q -o APT::Sandbox::User=root wordpress >/dev/null) ||
		die "apt-get could not download the package wordpress"
	dpkg-deb -x "$scratch"/wordpress_*.deb "$scratch/root"
	mv "$scratch/root/usr/share/wordpress" "$WP_OLDEST"
	# Debian's tree points into /etc, /var/lib and JavaScript packages that are not installed here.
	# What those would hold (ID3, underscore, the cropper, CA certificates) is taken from the newest WordPress.
	fetch_wordpress
	rm -f "$WP_OLDEST/wp-config.php"
	local link
	find "$WP_OLDEST" -type l | while read -r link; do
		rm "$link"
		[ ! -f "$WP_NEWEST${link#"$WP_OLDEST"}" ] || cp "$WP_NEWEST${link#"$WP_OLDEST"}" "$link"
	done
	rm -rf "$scratch"
}

fetch_wordpress_6_2() {
	note "this distribution has no WordPress 6.1: fetching 6.2, the oldest that can be had here"
	need_npm
	need_packages unzip
	npm_pack "$WP_BUILDS" "$DOWNLOADS/wordpress-builds.tgz"
	local scratch=$DOWNLOADS/builds
	rm -rf "$scratch" && mkdir -p "$scratch"
	tar -xzf "$DOWNLOADS/wordpress-builds.tgz" -C "$scratch" --no-same-owner
	unzip -q "$(find "$scratch" -name 'wp-6.2.zip' | head -n 1)" -d "$scratch/out"
	mv "$(dirname "$(find "$scratch/out" -name wp-load.php | head -n 1)")" "$WP_OLDEST"
	rm -rf "$scratch"
}
