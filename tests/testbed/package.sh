#!/usr/bin/env bash
# make package: dist/posthorn-<version>.zip, the plugin, and dist/posthorn-<version>-php<X.Y>-<arch>.tar.gz, the extension.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"
cd "$POSTHORN_ROOT"
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | sed q)
# Files in an archive carry this time, so that packing the same commit twice gives the same archive.
EPOCH=$(git log -1 --format=%ct 2>/dev/null || date +%s)

plugin() {
	local stage=$WORK/package/plugin
	rm -rf "$stage"
	mkdir -p "$stage"
	cp -r php "$stage/posthorn"
	find "$stage" -exec touch -h -d "@$EPOCH" {} +
	rm -f "dist/posthorn-$VERSION.zip"
	(cd "$stage" && find posthorn -type f | sort | zip -q -X "$POSTHORN_ROOT/dist/posthorn-$VERSION.zip" -@)
}

extension() {
	local name stage
	name=posthorn-$VERSION-php$PHP_VERSION-$(uname -m)
	stage=$WORK/package/$name
	rm -rf "$stage"
	mkdir -p "$stage"
	install -m 644 "$EXTENSION" "$stage/posthorn.so"
	install -m 644 packaging/posthorn.service "$stage/"
	printf '; Posthorn. Copy to the folder of ini files, see INSTALL.\nextension=posthorn.so\n;posthorn.data_dir=/var/lib/posthorn\n' >"$stage/posthorn.ini"
	cp packaging/LICENSE* LICENSE* "$stage/" 2>/dev/null || true
	install_note >"$stage/INSTALL"
	tar -czf "dist/$name.tar.gz" -C "$WORK/package" --owner=0 --group=0 --sort=name --mtime="@$EPOCH" "$name"
}

install_note() {
	cat <<-EOT
		Posthorn $VERSION, PHP extension for PHP $PHP_VERSION ($(uname -m), not thread-safe builds of PHP), as root:

		1. The library:           install -m 644 posthorn.so "\$(php-config$PHP_VERSION --extension-dir)/"
		   (without php-config:   php$PHP_VERSION -r 'echo ini_get("extension_dir");' names the folder)
		2. Its ini file:          install -m 644 posthorn.ini /etc/php/$PHP_VERSION/mods-available/ && phpenmod -v $PHP_VERSION posthorn
		3. The queue's folder:    install -d -m 700 -o www-data -g www-data /var/lib/posthorn
		   (another user than www-data runs PHP? then that one)
		4. Restart PHP:           systemctl restart php$PHP_VERSION-fpm     or, with Apache: systemctl restart apache2
		5. The plugin:            upload posthorn-$VERSION.zip under Plugins, Add New, and activate it.
		6. The service, advised:  follow the lines at the top of posthorn.service.

		Check: php$PHP_VERSION -m | grep posthorn, then Settings, CRM Webhooks in WordPress.
	EOT
}

say "Building the extension"
build_extension
need_packages zip
mkdir -p dist
say "Packing"
plugin
extension
for file in dist/posthorn-"$VERSION"*; do note "$file  $(du -h "$file" | cut -f1)"; done
