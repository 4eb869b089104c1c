#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `top` in a real terminal (tmux) and as one frame: rows, rates compared with those of the
# senders, sorting, pause, interfaces that come and go, sizes, terminals without colour; how
# it ends; and that drops are no longer grouped afterwards.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

command -v tmux >/dev/null || skip_all "needs tmux"
unset TMUX NO_COLOR

# --- the terminal

# Each session has a server of its own, because a server takes its time to end.
session=0
term() { tmux -S "$WORK/tmux.$session" -f /dev/null "$@" 2>&1; }
begin_term() { # WIDTH HEIGHT COMMAND
	[ "$session" = 0 ] || term kill-server
	session=$((session + 1))
	term new-session -d -x "$1" -y "$2" "$3"
}

# run WIDTH HEIGHT COMMAND...: runs it in the network of `host`, in a shell that says how it ended.
run() {
	begin_term "$1" "$2" \
		"nsenter --net=/run/netns/host sh -c 'trap : INT; ${*:3}; echo ended: \$?; stty -a | tr \";\" \"\\n\" | grep -wE \"echo|icanon\"; exec sleep 1000'"
}

screen() { term capture-pane -p; }
raw() { term capture-pane -p -e; }
keys() { term send-keys "$@"; }
has() { grep -Eq -- "$1" <<<"$(screen)"; }
# shows WHAT PATTERN: the screen must match in time; if it does not, it is printed
shows() {
	if busywait 20 has "$2"; then ok "$1"; else
		not_ok "$1"
		diag "no match for '$2' in:"
		diag "$(screen)"
		return 1
	fi
}
hides() { # WHAT PATTERN
	if has "$2"; then
		not_ok "$1"
		diag "$(screen)"
	else ok "$1"; fi
}
widest() { screen | awk '{ if (length($0) > most) most = length($0) } END { print most + 0 }'; }
first_words() { screen | awk -v from="$1" '$0 ~ from { on = 1; next } on && !NF { exit } on { print $1 }'; }

# Converts a rate as people read it, such as 1.5k, to a number.
number() { awk '{ n = $1 + 0; u = substr($1, length($1)); f["k"] = 1e3; f["M"] = 1e6; f["G"] = 1e9; printf "%d\n", n * (u in f ? f[u] : 1) }' <<<"$1"; }
cell() { screen | awk -v row="$1" -v n="$2" 'index($0, row) { print $n; exit }'; }

# --- the world

policy() { # INTERFACE VERDICT
	cat >"$WORK/$1.yaml" <<-END
	interface: $1
	verdict: $2
	flows:
	  - {name: numbers, from: [$server4], to: self, udp: 5000}
	  - {name: aside, from: [$server4], to: self, udp: 5001}
	END
	bkxdp attach "$1" --config "$WORK/$1.yaml" >/dev/null
}

# A rate with its prefix.
readonly si='[0-9.]+[kMG]?'

# Packets a second, and the bytes of each.
readonly main_rate=2000 side_rate=200 strange_rate=500 odd_rate=100 frame_bytes=50
begin_traffic() {
	begin "$WORK/out.1" net stream "$server4" "$host4" 5000 --rate "$main_rate"
	senders=("$!")
	begin "$WORK/out.2" net stream "$server4" "$host4" 5001 --rate "$side_rate"
	senders+=("$!")
	begin "$WORK/out.3" net stream "$stranger4" "$host4" 6000 --rate "$strange_rate"
	senders+=("$!")
	begin "$WORK/out.4" net stream "$server4" "$host4" 7000 --rate "$odd_rate"
	senders+=("$!")
}
end_traffic() {
	kill "${senders[@]}"
	wait "${senders[@]}"
}

is_grouping() { [ "$(watch_words groups)" = "$1" ]; }

# --- one frame

once() {
	local said json rate
	said=$(bkxdp top eth1 --once --interval 1)
	diag "$said"
	is "a frame has no escapes" "$(tr -d ' -~\n' <<<"$said")" ""
	says "a frame has its flow" "$said" "^site/numbers +inbound +$si +$si +[0-9]+$"
	says "a frame has a reason" "$said" "^source +drop +$si "
	says "a frame has a source, its service and reason" "$said" "^$stranger4 +to udp 6000 +source +$si "
	json=$(bkxdp top eth1 --once --interval 2 --json)
	rate=$(jq '.flows[] | select(.flow == "site/numbers") | .packets_per_second | round' <<<"$json")
	is_between "the flow's rate" "$rate" $((main_rate / 2)) $((main_rate * 2))
	is "its bits are its packets' bytes" \
		"$(jq '.flows[] | select(.flow == "site/numbers") | (.bits_per_second / .packets_per_second * 10 | round)' <<<"$json")" \
		$((frame_bytes * 8 * 10))
	rate=$(jq '.sources[] | select(.source == "'"$stranger4"'") | .packets_per_second | round' <<<"$json")
	is_between "the rate of a dropped source" "$rate" $((strange_rate / 2)) $((strange_rate * 2))
	rate=$(jq '.dropped.packets_per_second | round' <<<"$json")
	is_between "the rate of all drops" "$rate" $(((strange_rate + odd_rate) / 2)) $(((strange_rate + odd_rate) * 2))
	is "sorted by name" "$(bkxdp top eth1 --once --interval 0.5 --sort name --json | jq -r '[.flows[].flow] | join(" ")')" \
		"site/aside site/numbers"
	is "all interfaces are a list" "$(bkxdp top --once --interval 0.5 --json | jq -r '[.[].device] | join(" ")')" "eth1 eth2"
	fails "an interface that is not filtered" 1 bkxdp top lo --once
	says "top says that the interface is not filtered" "$said" 'not filtered'
	fails "top without a terminal fails" 2 bkxdp top eth1
	says "top says that --once needs no terminal" "$said" '[-]-once'
	fails "a sort key that does not exist is misuse" 2 bkxdp top --once --sort size
	fails "an interval that is too short is misuse" 2 bkxdp top --once --interval 0.1
	fails "--json without --once is misuse" 2 bkxdp top eth1 --json
}

# --- a terminal of 80x24

ordinary() {
	local rate before
	run 80 24 "$BKXDP" top eth1
	shows "80x24: the title" '^bkxdp top: eth1 \(1 of 2\), driver mode, enforce +by bits, 1 s'
	shows "80x24: a flow with rates" "^site/numbers +inbound +$si +$si +[0-9]+$"
	shows "80x24: a reason" "^source +drop +$si "
	shows "80x24: a source" "^$stranger4 +to udp 6000 +source +$si "
	diag "$(screen)"
	rate=$(number "$(cell site/numbers 3)")
	is_between "80x24: packets a second" "$rate" $((main_rate / 2)) $((main_rate * 2))
	is_between "80x24: bits a second" "$(number "$(cell site/numbers 4)")" \
		$((main_rate * frame_bytes * 8 / 2)) $((main_rate * frame_bytes * 8 * 2))
	is "80x24: the rows are sorted by bits" "$(first_words '^FLOW' | xargs)" "site/numbers site/aside"
	keys s s
	shows "s sorts by name" 'by name, 1 s'
	is "s sorts the rows by name" "$(first_words '^FLOW' | xargs)" "site/aside site/numbers"
	keys s
	shows "s sorts by bits again" 'by bits, 1 s'
	check "drops are grouped meanwhile" is_grouping 1

	term pipe-pane "exec cat >$WORK/written"
	sleep 2.5
	term pipe-pane
	check "something was written to the terminal meanwhile" test -s "$WORK/written"
	diag "$(stat -c %s "$WORK/written") bytes in 2.5 s"
	is_between "only what changed: fewer bytes in two seconds than one screen has" \
		"$(stat -c %s "$WORK/written")" 1 $((80 * 24))

	keys p
	shows "p pauses" 'PAUSED'
	before=$(screen)
	sleep 1.5 # more than one interval
	is "nothing changes in a pause" "$(screen)" "$before"
	keys p
	busywait 10 differs "$before"
	hides "p goes on" 'PAUSED'

	keys h
	shows "h helps" 'another interface'
	keys x
	shows "any key leads back" '^site/numbers'
	keys + +
	shows "+ looks less often" 'by bits, 5 s'
	keys - - - - - - -
	shows "- not more often than twice a second" 'by bits, 0\.5 s'

	keys Tab
	shows "tab shows the next interface" '^bkxdp top: eth2 \(2 of 2\), .*audit'
	shows "the next interface has no packets yet" 'no packet of a flow yet'
	bkxdp detach eth2 >/dev/null
	shows "top says that the interface was detached" 'eth2 is not filtered any more'
	policy eth2 audit
	shows "top shows the interface when it is attached again" '^bkxdp top: eth2 \(2 of 2\)'
	keys Left
	shows "an arrow leads back to the first interface" '^bkxdp top: eth1 \(1 of 2\)'
	shows "the first interface has rates at once" "^site/numbers +inbound +$si "
	bkxdp detach eth1 >/dev/null
	policy eth1 enforce
	shows "counters that began at 0 again have rates" "^site/numbers +inbound +$si +$si +[0-9]+$"
	hides "counters that began at 0 again make no negative rates" ' -[0-9]'
}

differs() { [ "$(screen)" != "$1" ]; }

resized() {
	term resize-window -x 60 -y 15
	shows "60x15: a flow" "^site/numbers +inbound +$si +$si$"
	shows "60x15: a source" "^$stranger4 +to udp 6000 "
	shows "60x15: the keys" '^q quit'
	is_between "60x15: nothing is wider" "$(widest)" 40 60
	term resize-window -x 200 -y 50
	shows "200x50: a source with its total" "^$stranger4 +to udp 6000 +source +$si +$si +[0-9]+$"
	is_between "200x50: the width is used" "$(widest)" 190 200
	term resize-window -x 30 -y 8
	shows "30x8: too small" '^too small'
	hides "30x8: and nothing else" 'site'
	term resize-window -x 80 -y 24
	shows "80x24 again: a flow" '^site/numbers +inbound'
}

# ended WHAT STATUS: checks that the program ended, and that the terminal is in its usual mode
ended() {
	shows "$1: ends" "^ended: $2\$"
	shows "$1: leaves the terminal sane" '^ *echo$|[^-]echo'
	hides "$1: which takes lines" '-icanon'
}

endings() {
	local signal pid
	keys q
	ended q 0
	for signal in INT TERM HUP; do
		run 80 24 "$BKXDP" top eth1
		shows "SIG$signal: runs" '^site/numbers'
		pid=$(pgrep -nx bkxdp)
		kill "-$signal" "$pid"
		ended "SIG$signal" 0
	done
	run 80 24 "$BKXDP" top eth1
	shows "^C: runs" '^site/numbers'
	keys C-c
	ended "^C" 0
}

# The job is stopped and continued.
stopped() {
	begin_term 80 24 "nsenter --net=/run/netns/host bash --norc --noprofile -i"
	keys "PS1=ready:; $BKXDP top eth1" Enter
	shows "^Z: runs" '^site/numbers'
	keys C-z
	shows "^Z: stops" 'Stopped'
	keys "echo is''sane" Enter
	shows "^Z: the shell works" '^issane'
	keys fg Enter
	shows "^Z: goes on" "^site/numbers +inbound +$si"
	keys q
	shows "^Z: ends" 'ready:$'
}

colours() {
	run 80 24 "$BKXDP" top eth1
	shows "colour: runs" "^$stranger4 "
	busywait 10 coloured
	is "drops are red if there is colour" $? 0
	run 80 24 "NO_COLOR=1 $BKXDP" top eth1
	shows "NO_COLOR: runs" "^$stranger4 +to udp 6000 +source +$si"
	check "NO_COLOR: no colour" plain
	run 80 24 "TERM=vt100 $BKXDP" top eth1
	shows "vt100: a source" "^$stranger4 +to udp 6000 +source +$si"
	check "vt100: no colour" plain
	keys q
	ended vt100 0
	run 80 24 "TERM=vt100 LC_ALL=C $BKXDP" top eth1
	shows "vt100 without UTF-8: runs" "^$stranger4 +to udp 6000 +source +$si"
	run 80 24 "TERM=dumb $BKXDP" top eth1
	shows "dumb: says why not" "can.t place its cursor"
	shows "dumb: failed" "^ended: 1"
	run 80 24 "TERM=nothing-known $BKXDP" top eth1
	shows "unknown: says why not" "is not known here"
}
coloured() { raw | grep -q $'\033\\[[0-9;]*31'; }
plain() { ! coloured; }

# The program in the kernel stops grouping by itself.
killed() {
	run 80 24 "$BKXDP" top eth1 --interval 0.5
	shows "SIGKILL: runs" "^$stranger4 "
	check "SIGKILL: drops are grouped" is_grouping 1
	kill -KILL "$(pgrep -nx bkxdp)"
	check "SIGKILL: and soon no more" busywait 20 is_grouping 0
	term kill-server
}

make_network
ip link add eth2 netns host type veth peer name peer2 netns net
ip -n host link set eth2 up
ip -n net link set peer2 up
check "attach" policy eth1 enforce
check "attach another" policy eth2 audit
begin_traffic
is "drops are not grouped while nobody looks" "$(watch_words groups)" 0
once
ordinary
resized
endings
stopped
colours
killed
end_traffic
check "detach" bkxdp detach eth1
check "detach the other" bkxdp detach eth2
check "leaves nothing" nothing_is_left
finish
