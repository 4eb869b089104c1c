#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The filter on each kind of interface, with real connections: in driver mode if the device can,
# otherwise in generic mode, which is said; refused if the file wants driver mode and the device
# has none.
#
#     namespace "net"                 namespace "host"
#   peer1, peer2  <---- veth ---->  eth1, eth2

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

site() { # DEVICE MODE [LINE]
	cat >"$WORK/$1.yaml" <<-END
	interface: $1
	mode: $2
	flows:
	  - {name: backup, from: [$server4], to: self, tcp: 6000, udp: 5000}
	${3:-}
	END
}

attach_to() { bkxdp attach "$1" --config "$WORK/$1.yaml" --profiles "$root/profiles"; }
status_of() { bkxdp status "$1" --json | jq -r "$2"; }
dropped_on() { status_of "$1" ".reasons[] | select(.verdict == \"drop\" and .reason == \"$2\") | .packets"; }
takes_native() { host "$root/build/tests/vm/probe" native "$1"; }

make_links() {
	local number
	add_net host net || bail "no network namespaces"
	for number in 1 2; do
		ip link add "eth$number" netns host type veth peer name "peer$number" netns net || bail "no veth pair"
		ip -n host link set "eth$number" address "02:00:00:00:00:1$number" up
		ip -n net link set "peer$number" address "02:00:00:00:00:2$number" up
	done
}

# give SIDE DEVICE ADDRESS...: gives it these addresses, and takes those of other devices there.
give() {
	local address
	ip -n "$1" address flush scope global
	for address in "${@:3}"; do
		ip -n "$1" address add "$address/24" dev "$2"
	done
	ip -n "$1" link set "$2" up
	ip -n "$1" neighbour flush all
}

address_both() { # OURS THEIRS
	give host "$1" "$host4"
	give net "$2" "$server4" "$stranger4"
	busywait 10 connects "$server4" "$host4" 6000
}

# Checks what passes, what does not, and the counters, with the filter attached.
judges() { # DEVICE WHAT
	local before
	check "$2: the server's connection" connects "$server4" "$host4" 6000
	before=$(dropped_on "$1" source)
	check "$2: a stranger's is cut" connects_not "$stranger4" "$host4" 6000
	is_between "$2: and counted" "$(($(dropped_on "$1" source) - before))" 1 3
	is_between "$2: the flow, too" "$(status_of "$1" '.flows[0].packets')" 3 1000
}

# Checks one kind of device: the mode must be the one that it takes on this kernel.
judge_device() { # DEVICE WHAT
	local wanted=generic text
	takes_native "$1" && wanted=native
	diag "fact: $2: $wanted"
	site "$1" auto
	text=$(attach_to "$1" 2>&1)
	is "$2: attach" $? 0 || { diag "$text" && return; }
	is "$2: in the mode that the device takes" "$(status_of "$1" .mode)" "$wanted"
	[ "$wanted" = native ] || says "$2: says that it is generic mode" "$text" generic
	judges "$1" "$2"
	check "$2: detach" bkxdp detach "$1"
	site "$1" native
	if [ "$wanted" = native ]; then
		check "$2: attach if it must be driver mode" attach_to "$1"
		check "$2: detach" bkxdp detach "$1"
	else
		fails "$2: refused if it must be driver mode" 1 attach_to "$1"
		says "$2: with the way out" "$said" 'generic|auto'
	fi
	check "$2: leaves nothing" nothing_is_left
}

veth() {
	local mtu
	for mtu in 1500 9000; do
		ip -n host link set eth1 mtu "$mtu" && ip -n net link set peer1 mtu "$mtu"
		address_both eth1 peer1
		judge_device eth1 "veth, MTU $mtu"
	done
	ip -n host link set eth1 mtu 1500 && ip -n net link set peer1 mtu 1500
}

# --- VLAN

vlan() {
	ip -n host link add link eth1 name eth1.7 type vlan id 7 2>/dev/null || {
		skip "VLAN" "this kernel has no VLAN devices" && return
	}
	ip -n net link add link peer1 name peer1.7 type vlan id 7
	address_both eth1.7 peer1.7
	judge_device eth1.7 "VLAN device"
	vlan_below
	ip -n host link delete eth1.7
	ip -n net link delete peer1.7
}

# The filter below the VLAN device sees the tags, and its policy says which are taken.
vlan_below() {
	local offload text
	# A veth device delivers a tag beside the frame if the other end put it there.
	net ethtool -K peer1 txvlan off >/dev/null
	offload=$(rxvlan)
	site eth1 native "vlans: [7]"
	text=$(attach_to eth1 2>&1)
	is "below a VLAN device: attach for VLAN 7" $? 0 || diag "$text"
	[ "$offload" = off ] || says "below a VLAN device: names the other end's offload" "$text" txvlan
	is "below a VLAN device: its tags are left on" "$(rxvlan)" off
	judges eth1 "below a VLAN device, VLAN 7"
	site eth1 native "vlans: [8]"
	check "below a VLAN device: VLAN 8 in its place" bkxdp reload eth1 --config "$WORK/eth1.yaml"
	check "below a VLAN device: the server's connection is cut" connects_not "$server4" "$host4" 6000
	is_between "below a VLAN device: and counted" "$(dropped_on eth1 vlan)" 1 5
	check "below a VLAN device: detach" bkxdp detach eth1
	is "below a VLAN device: the offload is as before" "$(rxvlan)" "$offload"
	check "below a VLAN device: open again" connects "$server4" "$host4" 6000
}

rxvlan() { host ethtool -k eth1 | sed -n 's/^rx-vlan-offload: \([a-z]*\).*/\1/p'; }

# --- bond

make_bond() { # SIDE MODE DEVICE...
	local device
	ip -n "$1" link add bond0 type bond mode "$2" miimon 100 2>/dev/null || return
	for device in "${@:3}"; do
		ip -n "$1" link set "$device" down
		ip -n "$1" link set "$device" master bond0 || return
	done
	ip -n "$1" link set bond0 up
}

unmake_bonds() {
	local side
	for side in host net; do
		ip -n "$side" link delete bond0
	done
	for side in 1 2; do
		ip -n host link set "eth$side" up
		ip -n net link set "peer$side" up
	done
}

bond() { # MODE
	make_bond host "$1" eth1 eth2 && make_bond net "$1" peer1 peer2 || {
		skip "bond, $1" "this kernel makes no bonds" && return
	}
	busywait 10 carries bond0
	address_both bond0 bond0
	judge_device bond0 "bond, $1"
	members_judge "$1"
	bond_and_member "$1"
	unmake_bonds
}

carries() { [ "$(host cat /proc/net/bonding/"$1" | grep -c 'MII Status: up')" = 3 ]; }

# Frames may take either member, and those of the stranger may take the other one.
members_judge() { # MODE
	local member
	for member in eth1 eth2; do
		site "$member" auto
		check "bond, $1, members: attach to $member" attach_to "$member"
	done
	diag "fact: members of a bond, $1: $(status_of eth1 .mode)"
	check "bond, $1, members: the server's connection" connects "$server4" "$host4" 6000
	check "bond, $1, members: a stranger's is cut" connects_not "$stranger4" "$host4" 6000
	is_between "bond, $1, members: and counted, once" \
		$(($(dropped_on eth1 source) + $(dropped_on eth2 source))) 1 3
	for member in eth1 eth2; do
		check "bond, $1, members: detach from $member" bkxdp detach "$member"
	done
	check "bond, $1, members: leaves nothing" nothing_is_left
}

# Filters on both would count frames twice, and the kernel does not allow it.
bond_and_member() { # MODE
	takes_native bond0 || return
	site bond0 native
	site eth1 native
	check "bond, $1: attach to the bond" attach_to bond0
	fails "bond, $1: then not to a member" 1 attach_to eth1
	check "bond, $1: the bond still judges" connects_not "$stranger4" "$host4" 6000
	check "bond, $1: detach" bkxdp detach bond0
	check "bond, $1: leaves nothing" nothing_is_left
}

# --- bridge, macvlan, dummy

bridge() {
	ip -n host link add br0 type bridge 2>/dev/null || {
		skip "bridge" "this kernel makes no bridges" && return
	}
	ip -n host link set eth1 master br0
	address_both br0 peer1
	judge_device br0 "bridge"
	judge_device eth1 "port of a bridge"
	ip -n host link delete br0
}

macvlan() {
	ip -n host link add link eth1 name macvlan0 type macvlan mode bridge 2>/dev/null || {
		skip "macvlan" "this kernel makes none" && return
	}
	address_both macvlan0 peer1
	judge_device macvlan0 "macvlan"
	ip -n host link delete macvlan0
}

make_links
listen host tcp:6000
veth
vlan
bond active-backup
bond balance-xor
bond 802.3ad
bridge
macvlan
finish
