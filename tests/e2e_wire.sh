#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The packet table over a real interface: each frame moves the counter of its
# reason by one and no other, and reaches the network stack if it passes and
# only then: a packet socket on the filtered side sees what the filter let through.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

readonly wire=$root/build/tests/wire self4=10.20.30.9 self6=2001:db8:20::9

# The far end says nothing by itself: only the table's frames are on this wire.
make_silent_network() {
	add_net host net || bail "no network namespaces"
	in_net net sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	ip link add eth1 netns host type veth peer name peer0 netns net || bail "no veth pair"
	ip -n net link set peer0 address 02:00:00:00:00:05 arp off up
	ip -n host link set eth1 address 02:00:00:00:00:01 up
	ip -n host address add "$self4/24" dev eth1
	ip -n host address add "$self6/64" dev eth1
	ip -n host neighbour add "$server4" lladdr 02:00:00:00:00:05 dev eth1
	ip -n host neighbour add "$server6" lladdr 02:00:00:00:00:05 dev eth1
}

counters_now() {
	bkxdp status eth1 --json | jq -c '[.reasons[] | select(.packets > 0) |
		{key: (.verdict + " " + .reason), value: .packets}] | from_entries'
}

# "drop port +1" for each counter that differs between two sets.
moves() {
	jq -nr --argjson old "$1" --argjson new "$2" '[$new | to_entries[] |
		select(.value != ($old[.key] // 0)) | "\(.key) +\(.value - ($old[.key] // 0))"] | join(", ")'
}

have_moved() {
	after=$(counters_now)
	[ "$after" != "$before" ]
}

seen() { tcpdump -nr "$WORK/in.pcap" 2>/dev/null | wc -l; }
has_seen() { [ "$(seen)" = "$1" ]; }

send_row() { # NAME REASON VERDICT
	local size
	before=$(counters_now)
	size=$(stat -c %s "$WORK/in.pcap")
	net "$wire" peer0 02:00:00:00:00:01 "$1" || { not_ok "$1: is sent"; return; }
	busywait 2 have_moved
	is "$1: $3 $2" "$(moves "$before" "$after")" "$3 $2 +1"
	[ "$3" = pass ] || return
	passes=$((passes + 1))
	busywait 2 has_grown "$size" || not_ok "$1: passed, and reached nobody"
}

has_grown() { [ "$(stat -c %s "$WORK/in.pcap")" -gt "$1" ]; }

[ -x "$wire" ] || skip_all "there is no $wire; make tests builds it"
make_silent_network
check "attach" bkxdp attach eth1 --config "$root/tests/wire.yaml" --profiles "$root/profiles"
in_net_begin host tcpdump -Z root -i eth1 -Q in -U -w "$WORK/in.pcap" 2>"$WORK/tcpdump"
busywait 10 grep -q listening "$WORK/tcpdump" || bail "tcpdump does not start"
busywait 10 test -s "$WORK/in.pcap"

passes=0
"$wire" --list --json | jq -r '.[]? // . | "\(.name) \(.reason) \(.verdict)"' >"$WORK/rows"
while read -r name reason verdict; do
	send_row "$name" "$reason" "$verdict"
done <"$WORK/rows"
is_between "the table has rows" "$(wc -l <"$WORK/rows")" 100 100000
busywait 2 has_seen "$passes"
is "the stack received what passed, and nothing else" "$(seen)" "$passes"
check "detach" bkxdp detach eth1
check "leaves nothing" nothing_is_left
finish
