#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two virtio NICs with several queues on one wire, as scripts/vmtest makes them: the filter
# runs in the driver, in each queue, with MTU 1500 and 9000, and in generic mode.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

# The MAC addresses that scripts/vmtest gives them.
readonly mac0=02:00:00:00:01:00 mac1=02:00:00:00:01:01 machine=/machine.net

name_of() { # MAC
	nsenter --net="$machine" -- ip -o link | sed -n "s/^[0-9]*: \([^:@]*\).*$1.*/\1/p"
}

take() { # MAC NAMESPACE NAME
	local name
	name=$(name_of "$1")
	[ -n "$name" ] && nsenter --net="$machine" -- ip link set "$name" netns "/run/netns/$2" name "$3"
}

make_network_of_nics() {
	add_net host net && take "$mac0" host eth1 && take "$mac1" net peer0 || bail "the NICs can't be moved"
	ip -n host address add "$host4/24" dev eth1
	ip -n net address add "$server4/24" dev peer0
	ip -n net address add "$stranger4/24" dev peer0
	set_mtu 1500
	listen host tcp:6000
	busywait 20 connects "$server4" "$host4" 6000 || bail "the wire carries nothing"
}

set_mtu() { ip -n host link set eth1 mtu "$1" up && ip -n net link set peer0 mtu "$1" up; }

site() { # MODE
	write_file <<-END
	mode: $1
	flows:
	  - {name: backup, from: [$server4], to: self, tcp: [6000, 6001], udp: 5000}
	END
}

queues() { host ethtool -l eth1 | sed -n 's/^Combined:[[:space:]]*//p' | tail -n 1; }

# Prints how many queues have run the program, by the driver's own counters.
queues_at_work() {
	host ethtool -S eth1 | grep -cE 'rx_?queue_?[0-9]+_xdp_packets: *[1-9]|rx[0-9]+_xdp_packets: *[1-9]'
}

# Sends 64 conversations of 20 datagrams; nobody receives them, and the count must be exact.
send_many() { # SIZE
	net python3 -c '
import socket, sys
for port in range(20000, 20064):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((sys.argv[1], port))
    for _ in range(20):
        s.sendto(bytes(int(sys.argv[3])), (sys.argv[2], 5000))
' "$server4" "$host4" "$1"
}

arrived() { [ "$(($(flow site/backup inbound) - before))" = 1280 ]; }

traffic_is_judged() { # WHAT SIZE
	local before bytes
	before=$(flow site/backup inbound) bytes=$(flow site/backup inbound bytes)
	check "$1: 64 conversations of 20 datagrams" send_many "$2"
	busywait 10 arrived
	is "$1: each is counted" "$(($(flow site/backup inbound) - before))" 1280
	is "$1: with all its bytes" "$(($(flow site/backup inbound bytes) - bytes))" $((1280 * ($2 + 42)))
	is "$1: 4 MiB arrive whole" "$(traffic net send "$server4" "$host4" 6001 $((4 << 20)))" $((4 << 20))
	before=$(dropped source)
	check "$1: a stranger's connection is cut" connects_not "$stranger4" "$host4" 6000
	is_between "$1: and counted" "$(($(dropped source) - before))" 1 3
}

driver_mode() {
	site native
	check "native: attach" attach || return
	is "native: status says so" "$(status .mode)" native
	traffic_is_judged native 100
	if [ "$(queues)" -gt 1 ]; then
		is_between "native: more than one of the $(queues) queues is at work" "$(queues_at_work)" 2 99
	else
		skip "native: several queues" "this kernel uses one"
	fi
	check "native: reload" reload
	traffic_is_judged "native, after a reload" 100
	check "native: detach" bkxdp detach eth1
	check "native: leaves nothing" nothing_is_left
	check "native: open again" connects "$stranger4" "$host4" 6000
}

generic_mode() { # WHAT SIZE
	site generic
	check "$1: attach" attach || return
	is "$1: status says so" "$(status .mode)" generic
	traffic_is_judged "$1" "$2"
	check "$1: detach" bkxdp detach eth1
	check "$1: leaves nothing" nothing_is_left
}

jumbo_frames() {
	local wanted=generic
	set_mtu 9000
	host "$root/build/tests/vm/probe" native eth1 && wanted=native
	diag "fact: virtio_net, MTU 9000: $wanted"
	site auto
	check "MTU 9000: attach" attach || return
	is "MTU 9000: in the mode that the driver takes" "$(status .mode)" "$wanted"
	traffic_is_judged "MTU 9000, $wanted" 8000
	check "MTU 9000: detach" bkxdp detach eth1
	if [ "$wanted" = generic ]; then
		site native
		fails "MTU 9000: refused if it must be driver mode" 1 attach
		says "MTU 9000: with the way out" "$said" 'generic|auto'
	else
		generic_mode "MTU 9000, generic" 8000
	fi
	check "MTU 9000: leaves nothing" nothing_is_left
	set_mtu 1500
}

[ -e "$machine" ] || skip_all "is for the machines of scripts/vmtest"
[ -n "$(name_of "$mac0")" ] && [ -n "$(name_of "$mac1")" ] || skip_all "this machine has no two virtio NICs"
make_network_of_nics
begin "$WORK/serve" host serve 6001
driver_mode
generic_mode generic 100
jumbo_frames
finish
