# shellcheck shell=bash
# Starts and stops the test receiver (tests/receiver). Sourced after packages.sh.

# start_receiver FOLDER [OPTION…]: its log and state go to FOLDER; options are passed on (--secret, --hook-port, …).
# Sets RECEIVER_HOOK (where webhooks go) and RECEIVER_PAGE (page and control API).
start_receiver() {
	local folder=$1
	shift
	need_node
	mkdir -p "$folder"
	stop_receiver "$folder"
	rm -f "$folder/ready.json"
	# A session of its own, so that Ctrl-C in the terminal reaches the script first and it stops things in order.
	setsid node "$POSTHORN_ROOT/tests/receiver/receiver.js" --ready-file "$folder/ready.json" \
		--record "$folder/requests.jsonl" "$@" >"$folder/receiver.log" 2>&1 </dev/null &
	printf '%s\n' "$!" >"$folder/receiver.pid"
	wait_until 10 test -s "$folder/ready.json" || {
		cat "$folder/receiver.log" >&2
		die "the receiver did not start"
	}
	# In an interactive shell setsid forks, so the receiver's own word for its process id is taken.
	receiver_address "$folder" pid >"$folder/receiver.pid"
	note_process "$folder/receiver.pid"
	RECEIVER_HOOK=$(receiver_address "$folder" hook)
	RECEIVER_PAGE=$(receiver_address "$folder" page)
	export RECEIVER_HOOK RECEIVER_PAGE
}

receiver_address() { node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))[process.argv[2]]' "$1/ready.json" "$2"; }

stop_receiver() { stop_pid_file "$1/receiver.pid"; }
