# shellcheck shell=bash
# A Rust new enough, and the extension built with it. Sourced after packages.sh.

EXTENSION=$POSTHORN_ROOT/target/release/libposthorn.so

# Puts a cargo on PATH that meets Cargo.toml's rust-version: the one there, ~/.cargo/bin's, or, where the
# distribution packages rustup (Debian 13, Ubuntu 24.04), one that rustup fetches into .work.
need_rust() {
	local wanted
	wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$POSTHORN_ROOT/Cargo.toml")
	if rust_is_at_least "$wanted"; then return; fi
	if [ -x "$HOME/.cargo/bin/cargo" ]; then
		PATH=$HOME/.cargo/bin:$PATH
		if rust_is_at_least "$wanted"; then return; fi
	fi
	refresh_package_lists
	if package_available rustup; then
		need_packages rustup
		note "fetching the stable Rust toolchain with rustup"
		# Fetched things stay inside the checkout, so this does not touch a toolchain of the user's own.
		export RUSTUP_HOME=$WORK/rustup CARGO_HOME=$WORK/cargo PATH=/usr/bin:$PATH
		if rustup toolchain install stable --profile minimal -c clippy -c rustfmt >"$WORK/rustup.log" 2>&1; then
			rustup default stable >>"$WORK/rustup.log" 2>&1 || true
		fi
		if rust_is_at_least "$wanted"; then return; fi
	fi
	die "no Rust $wanted or newer: found $(rust_version || echo none). Debian's own rustc is too old.
    Debian 13, Ubuntu 24.04:  apt install rustup && rustup default stable
    Debian 12:                the installer from rust-lang.org (Tools, Install), then open a new shell
    Then run this again; the cargo on PATH or in ~/.cargo/bin is used."
}

rust_version() {
	command -v cargo >/dev/null && rustc --version 2>/dev/null | sed -n 's/^rustc \([0-9.]*\).*/\1/p' | grep .
}

rust_is_at_least() {
	local have
	have=$(rust_version) || return 1
	[ "$(printf '%s\n%s\n' "$1" "$have" | sort -V | head -n 1)" = "$1" ]
}

# What compiling needs: a C compiler for the bundled SQLite; clang and PHP's headers for the PHP bindings.
need_build_tools() {
	need_packages ca-certificates gcc libc6-dev
	need_rust
}
need_extension_tools() {
	need_build_tools
	need_packages clang libclang-dev
	need_php dev
}

# Cargo for the extension. ext-php-rs asks PHP and PHP_CONFIG which PHP it builds for, and builds anew when they change;
# so they are only set when the PHP on PATH is another one, and a plain `cargo build` beside this reuses the work.
extension_cargo() {
	if [ "$(php-config --version 2>/dev/null | cut -d. -f1,2)" = "$PHP_VERSION" ]; then
		env -u PHP -u PHP_CONFIG cargo "$@"
	else
		env PHP="$PHP" PHP_CONFIG="/usr/bin/php-config$PHP_VERSION" cargo "$@"
	fi
}

# Builds target/release/libposthorn.so; quick when nothing changed.
build_extension() {
	need_extension_tools
	note "cargo build --release --features extension (PHP $PHP_VERSION)"
	(cd "$POSTHORN_ROOT" && extension_cargo build --release --locked --features extension) || die "the extension did not build"
	[ -f "$EXTENSION" ] || die "cargo built no $EXTENSION"
	# PHP says why when a library cannot be loaded: better here than in the first page.
	[ "$("$PHP" -d extension="$EXTENSION" -r 'echo extension_loaded("posthorn") ? "yes" : "no";')" = yes ] ||
		die "PHP $PHP_VERSION does not load $EXTENSION"
}
