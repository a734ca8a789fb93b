# shellcheck shell=bash
# Serves a bed on a free loopback port: PHP-FPM behind nginx, or Apache with PHP inside. Sourced after wordpress.sh.
# No system service is touched: configuration, sockets, logs and process ids are in the bed's run/.

# start_site FOLDER [fpm|apache] [PORT]: serves it on the first free port from PORT (8080); the address is in
# FOLDER/address and in SITE_URL, and WordPress takes it from there.
start_site() {
	local bed server=${2:-fpm} port=${3:-8080}
	bed=$(cd "$1" && pwd)
	stop_site "$bed"
	free_port "$port"
	port=$FREE_PORT
	SITE_URL=http://127.0.0.1:$port
	printf '%s\n' "$SITE_URL" >"$bed/address"
	# WordPress's own copy is only read where WP_HOME is not defined, but plugins may look.
	case $server in
	fpm) start_fpm_and_nginx "$bed" "$port" ;;
	apache) start_apache "$bed" "$port" ;;
	*) die "start_site: no server $server" ;;
	esac
	wait_until 15 site_answers "$SITE_URL" || {
		tail -n 20 "$bed"/run/*.log >&2
		die "the site on $SITE_URL does not answer (logs in $bed/run)"
	}
}

# Any answer below 500 counts: the front page of a WordPress without a theme is still an answer.
site_answers() {
	need_curl
	local status
	status=$(curl -s -o /dev/null -m 5 -w '%{http_code}' "$1/wp-login.php") && [ "$status" -ge 200 ] && [ "$status" -lt 500 ]
}

need_curl() { command -v curl >/dev/null || need_packages curl; }

stop_site() {
	stop_pid_file "$1/run/nginx.pid"
	# QUIT lets PHP-FPM's workers finish what they serve.
	stop_pid_file "$1/run/php-fpm.pid" QUIT
	stop_pid_file "$1/run/apache.pid"
}

# Restarts only PHP: what a package update or `systemctl restart php-fpm` does to a site.
restart_fpm() {
	stop_pid_file "$1/run/php-fpm.pid" QUIT
	start_fpm "$1"
}

start_fpm_and_nginx() {
	local bed=$1 port=$2
	need_packages nginx
	start_fpm "$bed"
	write_nginx_conf "$bed" "$port"
	"$(command -v nginx || echo /usr/sbin/nginx)" -c "$bed/run/nginx.conf" -e "$bed/run/nginx-error.log" ||
		die "nginx did not start: see $bed/run/nginx-error.log"
	wait_until 5 test -s "$bed/run/nginx.pid" || die "nginx did not start: see $bed/run/nginx-error.log"
	note_process "$bed/run/nginx.pid"
}

start_fpm() {
	local bed=$1 user flags=()
	need_php fpm
	user=$(site_user)
	[ "$user" != root ] || flags+=(-R)
	# FOLDER/run/pool.conf may hold more pool settings, one a line.
	touch "$bed/run/pool.conf"
	{
		printf '[global]\npid = %s\nerror_log = %s\ndaemonize = yes\n' "$bed/run/php-fpm.pid" "$bed/run/php-fpm.log"
		printf '[www]\nlisten = %s\nlisten.mode = 0600\n' "$(fpm_socket "$bed")"
		[ "$(id -u)" != 0 ] || printf 'user = %s\ngroup = %s\nlisten.owner = %s\n' "$user" "$(id -gn "$user")" "$user"
		printf 'pm = dynamic\npm.max_children = %s\npm.start_servers = 3\n' "${FPM_CHILDREN:-8}"
		printf 'pm.min_spare_servers = 2\npm.max_spare_servers = 4\ncatch_workers_output = yes\n'
		cat "$bed/run/pool.conf"
	} >"$bed/run/php-fpm.conf"
	PHP_INI_SCAN_DIR=:$bed/php.d "/usr/sbin/php-fpm$PHP_VERSION" ${flags[@]+"${flags[@]}"} --fpm-config "$bed/run/php-fpm.conf" \
		>>"$bed/run/php-fpm.log" 2>&1 || {
		tail -n 20 "$bed/run/php-fpm.log" >&2
		die "PHP-FPM did not start"
	}
	note_process "$bed/run/php-fpm.pid"
}

# Beside the configuration where the path is short enough for a socket (107 bytes), else in a private folder under /tmp.
fpm_socket() {
	local socket=$1/run/php-fpm.sock
	if [ ${#socket} -gt 100 ]; then
		[ -f "$1/run/socket-folder" ] || mktemp -d /tmp/posthorn.XXXXXX >"$1/run/socket-folder"
		socket=$(cat "$1/run/socket-folder")/php-fpm.sock
		give_to_site_user "$(cat "$1/run/socket-folder")"
	fi
	printf '%s\n' "$socket"
}

write_nginx_conf() {
	local bed=$1 port=$2 user name
	user=$(site_user)
	{
		[ "$(id -u)" != 0 ] || printf 'user %s %s;\n' "$user" "$(id -gn "$user")"
		printf 'worker_processes 1;\npid %s;\nerror_log %s;\n' "$bed/run/nginx.pid" "$bed/run/nginx-error.log"
		printf 'events { worker_connections 512; }\nhttp {\n\tinclude /etc/nginx/mime.types;\n\taccess_log off;\n'
		for name in client_body proxy fastcgi uwsgi scgi; do printf '\t%s_temp_path %s;\n' $name "$bed/run/$name"; done
		cat <<-EOT
			client_max_body_size 64m;
			server {
				listen 127.0.0.1:$port;
				root $bed/wordpress;
				index index.php;
				# A network's sites live in folders that exist only in WordPress.
				if (!-e \$request_filename) {
					rewrite ^/[_0-9a-zA-Z-]+(/wp-(content|admin|includes).*) \$1 last;
					rewrite ^/[_0-9a-zA-Z-]+(/.*\\.php)\$ \$1 last;
				}
				location / { try_files \$uri \$uri/ /index.php?\$args; }
				location ~ ^/wp-content/database { deny all; }
				location ~ \\.php\$ {
					try_files \$uri =404;
					include /etc/nginx/fastcgi_params;
					# Debian's fastcgi_params drops the port, and WordPress would redirect to itself for ever.
					fastcgi_param HTTP_HOST \$http_host;
					fastcgi_param SCRIPT_FILENAME \$document_root\$fastcgi_script_name;
					fastcgi_read_timeout 300;
					fastcgi_pass unix:$(fpm_socket "$bed");
				}
			}
		EOT
		printf '}\n'
	} >"$bed/run/nginx.conf"
}

start_apache() {
	local bed=$1 port=$2 user modules=/usr/lib/apache2/modules
	# apache2-bin is the program alone, without the system service.
	find_php
	need_packages apache2-bin "libapache2-mod-php$PHP_VERSION"
	user=$(site_user)
	[ "$user" != root ] || die "Apache does not run as root: move the checkout to a folder that www-data can read"
	cat >"$bed/run/apache.conf" <<-EOT
		ServerName 127.0.0.1
		ServerRoot $bed/run
		PidFile $bed/run/apache.pid
		ErrorLog $bed/run/apache-error.log
		Listen 127.0.0.1:$port
		LoadModule mpm_prefork_module $modules/mod_mpm_prefork.so
		LoadModule authz_core_module $modules/mod_authz_core.so
		LoadModule mime_module $modules/mod_mime.so
		LoadModule dir_module $modules/mod_dir.so
		LoadModule php_module $modules/libphp$PHP_VERSION.so
		TypesConfig /etc/mime.types
		StartServers 3
		MaxRequestWorkers ${APACHE_WORKERS:-8}
		DocumentRoot $bed/wordpress
		<Directory $bed/wordpress>
			Require all granted
			DirectoryIndex index.php
			FallbackResource /index.php
			<FilesMatch "\\.php\$">
				SetHandler application/x-httpd-php
			</FilesMatch>
		</Directory>
	EOT
	[ "$(id -u)" != 0 ] || printf 'User %s\nGroup %s\n' "$user" "$(id -gn "$user")" >>"$bed/run/apache.conf"
	PHP_INI_SCAN_DIR=:$bed/php.d /usr/sbin/apache2 -f "$bed/run/apache.conf" -k start ||
		die "Apache did not start: see $bed/run/apache-error.log"
	wait_until 5 test -s "$bed/run/apache.pid" || die "Apache did not start: see $bed/run/apache-error.log"
	note_process "$bed/run/apache.pid"
}
