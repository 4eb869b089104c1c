# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For the tests of connections: processes that hold sockets and do with them what they are
# told, one thing at a time; forged frames; differences of counters. Sourced after lib.sh.

# shellcheck source=tests/lib.sh
[ -n "${WORK:-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# puppet NAME NAMESPACE: starts one; `at NAME VERB...` tells it what to do (tests/sockets.py).
declare -A puppet_in puppet_out puppet_pid
puppet() {
	local in out
	mkfifo "$WORK/$1.in" "$WORK/$1.out" || bail "no pipes"
	# Opened for reading and writing, because otherwise opening would wait for the other end.
	exec {in}<>"$WORK/$1.in" {out}<>"$WORK/$1.out"
	rm "$WORK/$1.in" "$WORK/$1.out"
	# Without nsenter here, a command in the background would have no standard input.
	nsenter --net="/run/netns/$2" -- "$python" -IS "$suite/sockets.py" puppet \
		<&"$in" >&"$out" 2>"$WORK/$1.errors" &
	puppet_in[$1]=$in puppet_out[$1]=$out puppet_pid[$1]=$!
}

# at NAME VERB WORD...: prints the answer and succeeds, or prints the reason and fails.
at() {
	local status answer
	kill -0 "${puppet_pid[$1]}" || { cat "$WORK/$1.errors"; return 1; }
	printf '%s\n' "${*:2}" >&"${puppet_in[$1]}"
	read -r -t 100 status answer <&"${puppet_out[$1]}" || { echo "$1 does not answer"; return 1; }
	[ -z "$answer" ] || echo "$answer"
	[ "$status" = ok ]
}

kill_puppet() { # NAME
	kill -KILL "${puppet_pid[$1]}"
	wait "${puppet_pid[$1]}" 2>/dev/null
}

is_state() { [ "$(at "$1" state "$2")" = "$3" ]; } # NAME SOCKET STATE

# Begins to send both ways at once, from `host` to `net` and back, until transfer_goes_on.
transfer_begins() { # SOCKET
	at host trickle "$1" && at net trickle "$1" && at host drain "$1" && at net drain "$1"
}

has_moved() { [ "$(at "$1" moved pour "$2")" -gt "$3" ]; } # NAME SOCKET BYTES

# Checks that the transfer still goes on; then ends it, and checks that both directions are whole.
transfer_goes_on() { # WHAT SOCKET
	local up down
	up=$(at host moved pour "$2") down=$(at net moved pour "$2")
	check "$1: goes on, from us" busywait 10 has_moved host "$2" $((up + 1000000))
	check "$1: goes on, to us" busywait 10 has_moved net "$2" $((down + 1000000))
	at host enough "$2"
	at net enough "$2"
	is "$1: is whole, from us" "$(at net result drain "$2")" "$(at host result pour "$2")"
	is "$1: is whole, to us" "$(at host result drain "$2")" "$(at net result pour "$2")"
}

# forge FROM PORT TO PORT FLAGS...: see tests/sockets.py; prints how many it sent.
forge() { net "$python" -IS "$suite/sockets.py" forge "$@"; }

# The counters now, for moved_since and drops_since.
tally() { bkxdp status eth1 --json; }

# moves COMMAND...: how the command changed the counters of drops, of strays and of what flows
# passed, as "drop connection +5, pass flow +12". The output of the command is lost.
moves() {
	local old
	old=$(tally)
	"$@" >/dev/null 2>&1
	moved_since "$old"
}

moved_since() { # TALLY
	tally | jq -r --argjson old "$1" '
		def counters: [.reasons[] | select(.verdict == "drop" or .reason == "flow" or .reason == "stray") |
			{key: (.verdict + " " + .reason), value: .packets}] | from_entries;
		($old | counters) as $old | [counters | to_entries[] |
			{key, by: (.value - ($old[.key] // 0))} | select(.by != 0)] | sort_by(.key) |
			map("\(.key) +\(.by)") | join(", ")'
}

drops_since() { # TALLY: the same without what passed
	moved_since "$1" | tr , '\n' | sed 's/^ //' | grep ^drop | paste -sd,
}

# Prints how many resets the filtered host sent: it answers a forged segment that reaches it.
resets() { host cat /proc/net/snmp | awk '/^Tcp: [0-9]/ { print $15 }'; }

# After this, strays may pass again: 16 in a second (2^30 ns) on each CPU.
next_strays() { sleep 1.2; }

# Prints how many strays may pass within so many milliseconds.
strays_within() { echo $((16 * $(nproc --all) * ($1 / 1073 + 2))); }

# Sets the addresses of a family: $us, $peer, $other (also a peer), $stranger.
# shellcheck disable=SC2034 # for the tests
use_family() { # 4|6
	if [ "$1" = 4 ]; then
		us=$host4 peer=$server4 other=10.20.30.7 stranger=$stranger4
	else
		us=$host6 peer=$server6 other=2001:db8:20::7 stranger=$stranger6
	fi
}

# Adds a second peer, and keeps everything off the wire that a test did not ask for: neighbours'
# addresses are known beforehand, and a SYN-ACK that is dropped is not sent again.
make_quiet() {
	local address
	ip -n net address add 10.20.30.7/24 dev peer0
	ip -n net address add 2001:db8:20::7/64 dev peer0
	for address in "$server4" "$stranger4" 10.20.30.7 "$server6" "$stranger6" 2001:db8:20::7; do
		ip -n host neighbour replace "$address" lladdr 02:00:00:00:00:05 dev eth1
	done
	ip -n net neighbour replace "$host4" lladdr 02:00:00:00:00:01 dev peer0
	ip -n net neighbour replace "$host6" lladdr 02:00:00:00:00:01 dev peer0
	in_net net sh -c 'echo 0 >/proc/sys/net/ipv4/tcp_synack_retries'
}
