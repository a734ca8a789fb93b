# shellcheck shell=bash
# What every script of the test bed stands on: where things are, how to speak, wait and find a port.
# Sourced, never run.

# The checkout. The test bed's own folder is two below it.
POSTHORN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Everything fetched or generated lives here; git ignores it, `make clean` removes it.
WORK=$POSTHORN_ROOT/.work
DOWNLOADS=$WORK/downloads

# One heading on stdout, so that a long log can be read by its steps.
say() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }

# One line of progress.
note() { printf '    %s\n' "$*"; }

# Ends the script with a message: what is wrong, and what to do.
die() {
	printf '\n\033[31mposthorn: %s\033[0m\n' "$*" >&2
	exit 1
}

# Runs a command as root: directly, or through sudo.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this step needs root ($1 …): run it as root, or install sudo"
	fi
}

# wait_until SECONDS COMMAND…: polls until the command succeeds; false when the time is over.
wait_until() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.05
	done
}

# True when nothing on loopback listens on this port.
port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port PREFERRED: sets FREE_PORT to the first free port from there on that this script was not given before.
declare -A PORTS_GIVEN=()
free_port() {
	local port
	for ((port = $1; port < $1 + 200; port++)); do
		if [ -z "${PORTS_GIVEN[$port]:-}" ] && port_is_free "$port"; then
			PORTS_GIVEN[$port]=1
			# Read by the caller: a subshell's echo would forget what was given.
			FREE_PORT=$port
			return
		fi
	done
	die "no free port between $1 and $(($1 + 199)): stop a server, or set another port"
}

# stop_pid_file FILE [SIGNAL]: ends the process the file names and waits for it, killing it after 10 s.
# The process must still be the one that was started: its program's name is compared with FILE.cmd.
stop_pid_file() {
	local file=$1 signal=${2:-TERM} pid
	[ -f "$file" ] || return 0
	pid=$(cat "$file")
	if [ -n "$pid" ] && [ -d "/proc/$pid" ] && process_matches "$pid" "$file.cmd"; then
		kill -s "$signal" "$pid" 2>/dev/null || true
		if ! wait_until 10 process_is_gone "$pid"; then
			kill -s KILL "$pid" 2>/dev/null || true
			wait_until 5 process_is_gone "$pid" || true
		fi
	fi
	rm -f "$file" "$file.cmd"
}

# A zombie still has its /proc entry, so its state counts as gone.
process_is_gone() {
	[ ! -d "/proc/$1" ] || [ "$(awk '/^State:/ {print $2}' "/proc/$1/status" 2>/dev/null)" = Z ]
}

# Process ids are reused after a reboot, so the program's name must be the one noted at the start. Not the command line:
# nginx and PHP-FPM change theirs a moment after they start.
process_matches() { [ ! -f "$2" ] || [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$(cat "$2")" ]; }

# Notes which program a process id file stands for.
note_process() { cat "/proc/$(cat "$1")/comm" >"$1.cmd"; }
