#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The packet table over a real interface: each row moves the counters that it must move, and no
# others. Its packets reach the network stack if they pass, and only then: a packet socket on the
# filtered side sees what the filter passed.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

wire=$(built wire)
readonly wire mac=02:00:00:00:00:01 self4=10.20.30.9 self6=2001:db8:20::9

# The far end sends nothing by itself, so that only the table's frames are on this wire.
make_silent_network() {
	add_net host net || bail "no network namespaces"
	in_net net sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	ip link add wire0 netns host type veth peer name peer0 netns net || bail "no veth pair"
	ip -n net link set peer0 address 02:00:00:00:00:05 arp off up
	ip -n host link set wire0 address "$mac" up
	ip -n host address add "$self4/24" dev wire0
	ip -n host address add "$self6/64" dev wire0
	ip -n host neighbour add "$server4" lladdr 02:00:00:00:00:05 dev wire0
	ip -n host neighbour add "$server6" lladdr 02:00:00:00:00:05 dev wire0
}

attach_table() { bkxdp attach wire0 --config "$suite/wire.yaml"; }

# Prints a line for each row: what must move, in the form of `moves`; how many frames pass; its name.
expectations() {
	"$wire" --list --json | jq -sr 'group_by(.name)[] | [
		([.[] | .verdict + " " + .reason, if .flow then .flow + " " + .side else empty end]
			| group_by(.) | map("\(.[0]) +\(length)") | join(", ")),
		(map(select(.verdict == "pass")) | length),
		.[0].name] | @tsv'
}

# Reads the counters; sets `now` to them, and `moves` to their differences from `before`. By
# awk, which starts ten times as fast as jq: this runs for each row.
read_counters() {
	{ read -r now && read -r moves; } < <(bkxdp metrics | BEFORE=$before awk -F '"' '
		BEGIN {
			pairs = split(ENVIRON["BEFORE"], pair, ";")
			for (i = 1; i <= pairs; i++)
				if (split(pair[i], part, "="))
					old[part[1]] = part[2]
		}
		/^bkxdp_packets_total\{device="wire0",verdict=/ { add($4 " " $6, $NF) }
		/^bkxdp_flow_packets_total\{device="wire0",profile=/ { add($4 "/" $6 " " $8, $NF) }
		function add(key, text,    by, i) {
			sub(/^\} /, "", text)
			if (text + 0)
				now = now key "=" text ";"
			by = text - old[key]
			if (!by)
				return
			for (i = moved++; i && moves[i - 1] > key; i--)
				moves[i] = moves[i - 1]
			moves[i] = key " +" by
		}
		END {
			print now
			for (i = 0; i < moved; i++)
				printf "%s%s", i ? ", " : "", moves[i]
			print ""
		}')
}

moved_as() { # EXPECTATION
	read_counters
	[ "$moves" = "$1" ]
}

captured() { stat -c %s "$WORK/in.pcap"; }
has_grown() { [ "$(captured)" -gt "$1" ]; }

fresh_counters() {
	{ bkxdp detach wire0 && attach_table; } >/dev/null && before='' && read_counters && before=$now
}

# The filter passes this frame, and Linux drops it before any socket sees it: Linux removes the
# tag at once, and the frame is too short for what should follow the tag.
readonly dropped_by_linux=' tag-cut-behind-arp '

send_row() { # EXPECTATION PASSES NAME
	local size
	# A control connection of one row would live on to the next, which must not depend on it.
	[[ "$1" != *"drop control"* ]] || fresh_counters
	size=$(captured)
	net "$wire" peer0 "$mac" "$3" >/dev/null || { not_ok "$3: is sent"; return; }
	busywait 20 moved_as "$1"
	is "$3: $1" "$moves" "$1"
	before=$now
	[[ "$dropped_by_linux" != *" $3 "* ]] || return
	passes=$((passes + $2))
	if [ "$2" -gt 0 ]; then
		busywait 20 has_grown "$size" || not_ok "$3: passed, but did not reach the stack"
	elif has_grown "$size"; then
		not_ok "$3: must not pass, but reached the stack"
	fi
}

# Prints the number of captured packets: lines that begin with a time; others are bytes.
seen() { tcpdump -nr "$WORK/in.pcap" 2>/dev/null | grep -c '^[0-9]'; }
has_seen() { [ "$(seen)" -ge "$1" ]; }

must_be_built "$wire"
needs tcpdump
make_silent_network
check "attach" attach_table
in_net_begin host tcpdump -Z root --immediate-mode -i wire0 -Q in -U -w "$WORK/in.pcap" 2>"$WORK/tcpdump"
busywait 10 grep -q listening "$WORK/tcpdump" || bail "tcpdump does not start"
busywait 10 test -s "$WORK/in.pcap"

passes=0 before=''
read_counters && before=$now
expectations >"$WORK/rows"
while IFS=$'\t' read -r expectation passing name; do
	send_row "$expectation" "$passing" "$name"
done <"$WORK/rows"
is_between "the table has rows" "$(wc -l <"$WORK/rows")" 100 100000
busywait 20 has_seen "$passes"
is "the stack received what passed, and nothing else" "$(seen)" "$passes"
check "detach" bkxdp detach wire0
check "leaves nothing" nothing_is_left
finish
