#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A policy of 1,000,000 prefixes and one of 4,096 flows can be attached, and judge packets.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

# Every second /28 from 16.0.0.0 on, so that neighbours can't be merged.
prefixes() { # COUNT
	awk -v count="$1" 'BEGIN { for (n = 0; n < count; n++) {
		a = 268435456 + n * 32
		printf "      - %d.%d.%d.%d/28\n", a / 16777216, a / 65536 % 256, a / 256 % 256, a % 256 } }'
}

timed_attach() { # WHAT
	local text
	text=$(traffic host measure "$WORK/report" "$BKXDP" \
		attach eth1 --config "$WORK/eth1.yaml" --profiles "$root/profiles" 2>&1)
	is "attach with $1" $? 0 || diag "$text"
	diag "attach with $1: $(cat "$WORK/report")"
}

million_prefixes() {
	local number=1000000 inside=16.0.128.3 outside=16.0.128.19
	{
		echo "flows:"
		echo "  - name: backup"
		echo "    to: self"
		echo "    tcp: 6000"
		echo "    from:"
		prefixes "$number"
	} | write_file
	diag "the interface file has $(stat -c %s "$WORK/eth1.yaml") bytes"
	timed_attach "1,000,000 prefixes"
	is "status says how many" "$(status .prefixes.ipv4)" "$number"

	ip -n net address add "$inside/32" dev peer0
	ip -n net address add "$outside/32" dev peer0
	ip -n host route add 16.0.0.0/8 dev eth1
	check "a host inside passes" connects "$inside" "$host4" 6000
	check "a host outside is dropped" connects_not "$outside" "$host4" 6000
	is "as 'source'" "$(dropped source)" 1

	check "explain finds it" bkxdp explain eth1 "tcp $inside:40000 > $host4:6000"
	timed_attach "1,000,000 prefixes, replacing as many"
	check "a host inside still passes" connects "$inside" "$host4" 6000
	check "detach" bkxdp detach eth1
}

thousands_of_flows() {
	local number=4096
	{
		echo "flows:"
		awk -v count="$number" 'BEGIN { for (n = 0; n < count; n++)
			printf "  - {name: f%d, from: [10.%d.%d.0/24], to: self, tcp: %d}\n",
				n, 64 + n / 256, n % 256, 2000 + n }'
	} | write_file
	timed_attach "4,096 flows"
	is "status knows all of them" "$(status '.flows | length')" "$number"

	ip -n net address add 10.79.255.9/32 dev peer0
	ip -n host route add 10.64.0.0/12 dev eth1
	check "the last flow passes" connects 10.79.255.9 "$host4" 6095
	is_between "and counts" "$(flow site/f4095 inbound)" 3 10
	check "its neighbour's port is dropped" connects_not 10.79.255.9 "$host4" 6094
	is "as 'port'" "$(dropped port)" 1

	sed -i '$a \  - {name: more, from: [10.1.1.1], to: self, tcp: 9}' "$WORK/eth1.yaml"
	fails "one flow more is refused" 1 attach
	says "with the limit" "$said" '4,?096'
	check "the policy in force stays" connects 10.79.255.9 "$host4" 6095
	check "detach" bkxdp detach eth1
}

make_network
listen host tcp:6000 tcp:6094 tcp:6095
million_prefixes
thousands_of_flows
check "leaves nothing" nothing_is_left
finish
