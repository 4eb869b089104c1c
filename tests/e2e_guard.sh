#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A policy that would cut off its own administrator, or the host's way to the world, is refused,
# whatever table, family or device the route has, and whatever the reason of the drop. The message
# shows the lines that let the traffic pass. If something can't be read, it is not taken as absent.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
unset SSH_CONNECTION

# --- policies

site_flow="{name: peers, from: [$server4, \"$server6\"], to: self, tcp: 10000}"

policy() { # LINE...: beside a flow with the peers
	{ echo "flows:"; echo "  - $site_flow"; } | cat - <(printf '%s\n' "$@") | write_file
}

# Prints the lines of the interface file that a refusal proposes.
proposed() {
	grep -oE '"vlans: [^"]*"' <<<"$said" | tr -d '"' | tail -n 1
	grep -oE '"- \{.*\}"' <<<"$said" | sed -E 's/^"(.*)"$/  \1/' | sort -u
}

add_proposed() {
	local line
	while IFS= read -r line; do
		case $line in
		vlans:*) sed -i "/^vlans:/d; 1a $line" eth1.yaml ;;
		*) echo "$line" >>eth1.yaml ;;
		esac
	done < <(proposed)
}

refused() { # WHAT PATTERN...: the message matches each pattern, and nothing is attached
	local what=$1 pattern
	shift
	fails "$what: refused" 1 attach
	for pattern; do
		says "$what: says $pattern" "$said" "$pattern"
	done
	check "$what: nothing is attached" nothing_is_left || bkxdp detach eth1 >/dev/null 2>&1
}

accepted() { # WHAT
	check "$1: accepted" attach && bkxdp detach eth1 >/dev/null
}

# mended WHAT: it attaches once the lines of the refusal are added.
mended() {
	add_proposed
	accepted "$1, with the lines it shows"
}

clear_routes() {
	local family table
	for family in -4 -6; do
		for table in main 100 101; do
			while host ip "$family" route del default table "$table" 2>/dev/null; do :; done
		done
	done
}

# --- default routes

tables_and_families() {
	policy
	accepted "no default route"

	host ip route add default via "$server4" dev eth1
	refused "IPv4 in the main table" 'eth1 carries the IPv4 default route, .*\(reason source\)' 'name: world' '(--force)'
	mended "IPv4 in the main table"
	policy '  - {name: world, from: self, to: ["::/0"], tcp: 443}'
	refused "IPv4, and flows with the world by IPv6 only" 'IPv4 default route'
	policy '  - {name: web, from: [any], to: self, tcp: 443}'
	refused "the world may connect to us, but answers are dropped" 'IPv4 default route.*\(reason port\)'
	mended "the world may connect to us, but answers are dropped"
	policy '  - {name: world, from: self, to: [0.0.0.0/1, 128.0.0.0/2, 192.0.0.0/6], udp: 53}'
	accepted "flows with nearly all of the world"
	policy '  - {name: world, from: self, to: [16.0.0.0/4], tcp: 853}'
	accepted "flows with a part of the world that has no documentation address"
	policy '  - {name: ours, from: self, to: [10.0.0.0/8], tcp: 443}'
	refused "flows with a private network" 'IPv4 default route.*\(reason source\)'
	policy
	sed -i 's/^flows:/verdict: audit\nflows:/' eth1.yaml
	accepted "what only audits"
	clear_routes

	policy '  - {name: world, from: self, to: [0.0.0.0/0], tcp: 443}'
	host ip -6 route add default via "$server6" dev eth1
	refused "IPv6, and flows with the world by IPv4 only" 'eth1 carries the IPv6 default route, .*\(reason source\)'
	mended "IPv6, and flows with the world by IPv4 only"
	policy '  - {name: world, from: self, to: ["2000::/3"], tcp: 443}'
	accepted "flows with all public IPv6 addresses"
	clear_routes
	policy
	host ip -6 route add 2000::/3 via "$server6" dev eth1
	refused "IPv6, all public addresses" 'IPv6 default route'
	host ip -6 route del 2000::/3

	host ip route add default via "$server4" dev eth1 table 100
	refused "IPv4 in another table" 'IPv4 default route'
	mended "IPv4 in another table"
	clear_routes
	host ip -6 route add default via "$server6" dev eth1 table 100
	policy '  - {name: world, from: self, to: [0.0.0.0/0], tcp: 443}'
	refused "IPv6 in another table" 'IPv6 default route'
	clear_routes

	policy
	host ip route add blackhole default table 100
	host ip -6 route add unreachable default table 100
	accepted "default routes that lead nowhere"
	host ip route add default dev lo table 101
	accepted "a default route by another device"
	clear_routes
}

# The device is that of one hop of several, or only the nexthop object names it.
several_hops() {
	policy
	ip -n host link add eth2 type veth peer name eth3
	ip -n host link set eth2 up
	ip -n host link set eth3 up
	ip -n host address add 10.20.40.1/24 dev eth2
	if host ip route add default nexthop via 10.20.40.2 dev eth2 nexthop via "$server4" dev eth1; then
		refused "one hop of several" 'IPv4 default route'
		mended "one hop of several"
	else
		skip "one hop of several" "this kernel has no multipath routes"
	fi
	clear_routes
	policy
	if host ip nexthop add id 5 via "$server4" dev eth1 && host ip nexthop add id 6 via 10.20.40.2 dev eth2; then
		nexthop_objects
	else
		skip "nexthop objects" "this kernel has none"
	fi
	clear_routes
	ip -n host link delete eth2
}

nexthop_objects() {
	local compatible
	host ip nexthop add id 7 group 5/6
	for compatible in 1 0; do
		host sh -c "echo $compatible >/proc/sys/net/ipv4/nexthop_compat_mode"
		host ip route add default nhid 5 table 100
		refused "a nexthop object, compatible $compatible" 'IPv4 default route'
		clear_routes
		host ip route add default nhid 7 table 100
		refused "a group of them, compatible $compatible" 'IPv4 default route'
		clear_routes
		host ip route add default nhid 6 table 100
		accepted "one of another device, compatible $compatible"
		clear_routes
	done
	host ip nexthop flush >/dev/null
}

# --- reasons other than the source

vlans() {
	host ip route add default via "$server4" dev eth1
	policy '  - {name: world, from: self, to: [any], tcp: 443}'
	sed -i '1a vlans: [5]' eth1.yaml
	refused "untagged, of a policy that takes VLAN 5" 'IPv4 default route.*\(reason vlan\): write "vlans: \[0, 5\]"'
	check "no flow is proposed where there is one" test -z "$(proposed | grep world)"
	policy
	sed -i '1a vlans: [5]' eth1.yaml
	refused "and without flows" '\(reason vlan\): write "vlans: \[0, 5\]" in the interface file and add "- \{name: world'
	mended "and without flows"
	clear_routes
}

# --- devices above

above() { # WHAT DEVICE: a default route by this device is found, and the message names the device
	local gateway=10.20.50.2
	policy
	ip -n host link set "$2" up
	ip -n host address add 10.20.50.1/24 dev "$2"
	host ip route add default via "$gateway" dev "$2" table 100
	refused "$1" "eth1 carries the IPv4 default route of $2, "
	host ip -6 route add default via 2001:db8:50::2 dev "$2" table 100 onlink
	refused "$1" "eth1 carries the default routes of IPv4 and IPv6 of $2, "
	fails "$1: SSH by it" 1 env "SSH_CONNECTION=10.20.50.9 50000 10.20.50.1 22" bash -c \
		'nsenter --net=/run/netns/host "$@"' - "$BKXDP" attach eth1 --config "$WORK/eth1.yaml"
	says "$1: SSH by it is told" "$said" "SSH connection from 10.20.50.9 comes in by eth1 of $2, "
	clear_routes
}

devices_above() {
	if ip -n host link add macvlan0 link eth1 type macvlan 2>/dev/null; then
		above "a macvlan" macvlan0
		ip -n host link delete macvlan0
	else
		skip "a macvlan" "this kernel has none"
	fi
	if ip -n host link add br0 type bridge 2>/dev/null; then
		ip -n host link set eth1 master br0
		above "a bridge" br0
		vlan_on_bridge
		ip -n host link delete br0
	else
		skip "a bridge" "this kernel has none"
	fi
	if ip -n host link add vrf0 type vrf table 100 2>/dev/null; then
		ip -n host link set vrf0 up
		ip -n host link set eth1 master vrf0
		policy
		host ip route add default via "$server4" dev eth1 table 100
		refused "a VRF's table" 'eth1 carries the IPv4 default route, '
		clear_routes
		host ip route add default dev vrf0
		refused "a VRF" 'IPv4 default route of vrf0, '
		clear_routes
		ip -n host link delete vrf0
	else
		skip "a VRF" "this kernel has none"
	fi
	vlan_above
	vxlan_above
	host ip address replace "$host6/64" dev eth1
}

# The packets of the device are tagged; the policy takes its VLAN or not.
vlan_above() {
	if ! ip -n host link add link eth1 name eth1.7 type vlan id 7 2>/dev/null; then
		skip "a VLAN device" "this kernel has none"
		return
	fi
	above "a VLAN device" eth1.7
	host ip route add default via 10.20.50.2 dev eth1.7
	policy '  - {name: world, from: self, to: [any], tcp: 443}'
	sed -i '1a vlans: [0, 5]' eth1.yaml
	refused "a VLAN that is not taken" 'IPv4 default route of eth1\.7.*\(reason vlan\): write "vlans: \[0, 5, 7\]"'
	mended "a VLAN that is not taken"
	policy '  - {name: world, from: self, to: [any], tcp: 443}'
	sed -i '1a vlans: [7]' eth1.yaml
	accepted "a VLAN that is taken"
	clear_routes
	ip -n host link delete eth1.7
}

# Its packets are wrapped in UDP; only its own attributes name the device below it.
vxlan_above() {
	if ! ip -n host link add vx0 type vxlan id 5 dev eth1 dstport 4789 remote "$server4" 2>/dev/null; then
		skip "a vxlan" "this kernel has none"
		return
	fi
	policy
	ip -n host link set vx0 up
	ip -n host address add 10.20.50.1/24 dev vx0
	fails "SSH by a vxlan: refused" 1 by_ssh "10.20.50.9 50000 10.20.50.1 22" attach
	says "SSH by a vxlan: is told" "$said" "SSH connection from 10.20.50.9 comes in by eth1 of vx0, which is a tunnel"
	host ip route add default via 10.20.50.2 dev vx0
	refused "a vxlan" "IPv4 default route of vx0, which is a tunnel"
	clear_routes
	ip -n host link delete vx0
	vxlan_of_no_device
}

# The device below it is the one by which the kernel routes its packets to the other end.
vxlan_of_no_device() {
	ip -n host link add vx0 type vxlan id 5 dstport 4789 remote "$server4"
	ip -n host link set vx0 up
	ip -n host address add 10.20.50.1/24 dev vx0
	host ip route add default via 10.20.50.2 dev vx0
	refused "a vxlan that names the other end only" "IPv4 default route of vx0, which is a tunnel"
	ip -n host link delete vx0
	ip -n host link add vx0 type vxlan id 5 dstport 4789
	ip -n host link set vx0 up
	host ip route add default dev vx0
	said=$(attach 2>&1)
	is "a vxlan that names nothing: attached" $? 0
	says "but says what is not known" "$said" \
		'^bkxdp: warning: eth1: a default route leads by vx0, which is a tunnel, and it is unknown'
	bkxdp detach eth1 >/dev/null
	clear_routes
	ip -n host link delete vx0
}

# A bridge that filters VLANs may tag frames that came in untagged, so either will do.
vlan_on_bridge() {
	local vlan
	if ! ip -n host link set br0 type bridge vlan_filtering 1 2>/dev/null ||
		! ip -n host link add link br0 name br0.7 type vlan id 7 2>/dev/null; then
		skip "a VLAN device on a bridge that filters VLANs" "this kernel has none"
		return
	fi
	ip -n host link set br0.7 up
	host ip route add default dev br0.7
	for vlan in 0 7; do
		policy '  - {name: world, from: self, to: [any], tcp: 443}'
		sed -i "1a vlans: [$vlan]" eth1.yaml
		accepted "a VLAN device on a bridge that filters VLANs, $vlan taken"
	done
	sed -i "s/^vlans.*/vlans: [8]/" eth1.yaml
	refused "a VLAN device on a bridge that filters VLANs, another taken" 'of br0\.7.*write "vlans: \[7, 8\]"'
	clear_routes
}

# The peer of a veth device in another namespace has an index that means nothing in this one.
other_namespace() {
	add_net box
	ip -n host link add out0 index 77 type veth peer name eth0 netns box
	ip -n box link add eth1 index 77 type veth peer name in0 netns host
	ip -n box link set eth0 up
	ip -n box address add 10.20.60.2/24 dev eth0
	in_net box ip route add default via 10.20.60.1 dev eth0
	policy
	check "a veth whose peer elsewhere has our index is not above us" \
		in_net box "$BKXDP" attach eth1 --config "$WORK/eth1.yaml"
	in_net box "$BKXDP" detach eth1 >/dev/null
	check "nothing is left" nothing_is_left
	ip -n host link delete in0
	ip -n host link delete out0
}

# --- SSH

by_ssh() { # CONNECTION COMMAND...
	SSH_CONNECTION=$1 "${@:2}"
}

ssh_connections() {
	local line="name: ssh, from: \[\"fe80::5\"\], to: self, tcp: 22"
	policy
	fails "SSH by link-local addresses" 1 by_ssh "fe80::5%eth1 50000 fe80::1%eth1 22" attach
	says "says so, without the zone" "$said" "SSH connection from fe80::5 comes in by eth1, .*\(reason source\).*$line"
	policy '  - {name: ssh, from: ["fe80::5"], to: self, tcp: 22}'
	check "accepted with that line" by_ssh "fe80::5%eth1 50000 fe80::1%eth1 22" attach
	bkxdp detach eth1 >/dev/null
	policy
	check "SSH by another device's link-local address" by_ssh "fe80::5%eth9 50000 fe80::1%eth9 22" attach
	bkxdp detach eth1 >/dev/null
	fails "SSH by an address of this interface" 1 by_ssh "10.20.99.9 50000 $host4 2222" attach
	says "says so" "$said" "SSH connection from 10.20.99.9 comes in by eth1, .*to: self, tcp: 2222"
	fails "from a peer, to a port without flow" 1 by_ssh "$server4 50000 $host4 22" attach
	says "says so" "$said" '\(reason port\)'
	said=$(by_ssh "10.20.99.9 50000 10.20.99.1 22" attach 2>&1)
	is "SSH to an address that is not here, from one without route: attached" $? 0
	says "says what is not known" "$said" \
		'^bkxdp: warning: eth1: this host has no route back to 10.20.99.9, .*"- \{name: ssh, from: \["10.20.99.9"\]'
	bkxdp detach eth1 >/dev/null
	sed -i '1a vlans: [5]' eth1.yaml
	fails "SSH without the VLAN that is taken" 1 by_ssh "10.20.99.9 50000 $host4 22" attach
	says "says both lines" "$said" '\(reason vlan\): write "vlans: \[0, 5\]" .*name: ssh'
}

# The interface does not have the address that the client knows, but the answers leave by it.
ssh_to_elsewhere() {
	policy
	host ip address add 192.0.2.9/32 dev lo
	ssh_answered "to an address on lo" 192.0.2.9
	ssh_answered "to an address on no device" 10.20.30.200
	host ip route add local 192.0.3.0/24 dev lo
	ssh_answered "to any address of a prefix" 192.0.3.7
	ssh_alive
	host ip address del 192.0.2.9/32 dev lo
	host ip -6 address add 2001:db8:99::9/128 dev lo
	fails "SSH to an IPv6 address on lo: refused" 1 by_ssh "$stranger6 50000 2001:db8:99::9 22" attach
	says "says so" "$said" "SSH connection from $stranger6 is answered by eth1, "
	host ip -6 address del 2001:db8:99::9/128 dev lo
	ssh_elsewhere
}

ssh_answered() { # WHAT ADDRESS
	fails "SSH $1: refused" 1 by_ssh "$stranger4 50000 $2 22" attach
	says "SSH $1: is told" "$said" "SSH connection from $stranger4 is answered by eth1, .*\(reason source\)"
}

# over_connection ADDRESS COMMAND...: runs the command as a child of a connection to ADDRESS;
# prints "BEFORE STATUS AFTER".
over_connection() { # ADDRESS COMMAND...
	net env -u SSH_CONNECTION python3 -c '
import os, socket, subprocess, sys

def echoes():
    try:
        stream.sendall(b"x")
        return stream.recv(9) == b"x"
    except OSError:
        return False

stream = socket.create_connection((sys.argv[1], 22), 10, (sys.argv[2], 0))
stream.settimeout(2)
before = echoes()
ends = stream.getsockname() + stream.getpeername()
os.environ["SSH_CONNECTION"] = " ".join(map(str, ends))
status = subprocess.run(sys.argv[3:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(before, status, echoes())' "$1" "$stranger4" "${@:2}"
}

ssh_alive() {
	local command=(nsenter --net=/run/netns/host "$BKXDP" attach eth1 --config "$WORK/eth1.yaml")
	listen host tcp:22
	net ip route add 192.0.2.9 via "$host4"
	is "a connection to an address on lo goes on, for what cuts it is refused" \
		"$(over_connection 192.0.2.9 "${command[@]}")" "True 1 True"
	is "and does not with --force" "$(over_connection 192.0.2.9 "${command[@]}" --force)" "True 0 False"
	bkxdp detach eth1 >/dev/null
}

# This interface has neither the address nor the way back.
ssh_elsewhere() {
	ip -n host link add eth2 type veth peer name eth3
	ip -n host link set eth2 up
	ip -n host link set eth3 up
	host ip address add 10.20.40.1/24 dev eth2
	said=$(by_ssh "10.20.40.9 50000 10.20.40.1 22" attach 2>&1)
	is "SSH by another interface: attached" $? 0
	is "and no word of it" "$(grep -c SSH <<<"$said")" 0
	bkxdp detach eth1 >/dev/null
	ip -n host link delete eth2
}

all_at_once() {
	local before
	policy
	host ip route add default via "$server4" dev eth1
	host ip -6 route add default via "$server6" dev eth1 table 100
	fails "SSH and both default routes" 1 by_ssh "10.20.99.9 50000 $host4 22" attach
	is "one line for both default routes" "$(proposed | grep -c world)" 1
	is "are told at once" "$(grep -cE 'SSH connection|default routes of IPv4 and IPv6' <<<"$said")" 2
	add_proposed
	check "accepted with the lines that they show" by_ssh "10.20.99.9 50000 $host4 22" attach
	before=$(status .digest)
	policy
	fails "a reload is guarded, too" 1 by_ssh "10.20.99.9 50000 $host4 22" reload
	is "and tells all" "$(grep -cE 'SSH connection|default routes of IPv4 and IPv6' <<<"$said")" 2
	is "and leaves the policy in force" "$(status .digest)" "$before"
	check "but not with --force" by_ssh "10.20.99.9 50000 $host4 22" reload --force
	bkxdp detach eth1 >/dev/null
	clear_routes
}

# --- what cannot be read

# Attaches while the system calls of strace's EXPRESSION fail.
attach_failing() { # EXPRESSION [ARGUMENT...]
	in_net host strace -o /dev/null -e "inject=$1" -- "$BKXDP" attach eth1 --config "$WORK/eth1.yaml" "${@:2}"
}

# These calls fail one after another, until the command makes no more of them. Each time it is
# refused with a sentence that says why, and nothing is attached; the sentences are in $all.
refusals() { # FAULT WHY COMMAND...
	local nth
	all=''
	for nth in {1..12}; do
		said=$("${@:3}" "$1:when=$nth" 2>&1) && break
		grep -qE "$2" <<<"$said" || break
		all+=$said$'\n'
		says "$1, call $nth: says what is not known" "$said" \
			"(could not be read|could not be looked up|can't be told|can't tell).*($2)"
		check "$1, call $nth: nothing is attached" nothing_is_left || bkxdp detach eth1 >/dev/null 2>&1
	done
	bkxdp detach eth1 >/dev/null 2>&1
}

not_read() {
	local all
	if ! command -v strace >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
		skip "what cannot be read" "there is no strace that may trace"
		return
	fi
	policy
	host ip route add default via "$server4" dev eth1
	refusals sendto:error=ENOBUFS 'No buffer space available' attach_failing
	says "refusals of sendto name the devices" "$all" "this host's .*devices could not be read"
	says "and the routes" "$all" "this host's .*routes could not be read"
	refusals recvmsg:error=ENOBUFS 'No buffer space available' attach_failing
	says "refusals of recvmsg name the devices" "$all" "this host's .*devices could not be read"
	refusals recvmsg:retval=0 'Bad message|Input/output error' attach_failing
	says "refusals of an empty answer name the devices" "$all" "this host's .*devices could not be read"
	fails "an interface that cannot be looked up: refused" 1 attach_failing socket:error=EMFILE
	says "is not said to be absent" "$said" '(eth1"? could not be looked up|can.t be told whether eth1 is filtered|eth1 .*can.t be told).*Too many open files'
	clear_routes
	refusals sendto:error=ENOBUFS 'No buffer space available' by_ssh "10.20.99.9 50000 $host4 22" attach_failing
	says "refusals by SSH name the addresses" "$all" "this host's addresses could not be read .*SSH"
	check "an interruption is no failure" attach_failing recvmsg:error=EINTR:when=1
	bkxdp detach eth1 >/dev/null
}

# sudo dropped the variable. The environment of our parent can't be read, but that of its parent
# can, and it has CONNECTION.
from_parent() { # ERROR CONNECTION [ARGUMENT...]
	# shellcheck disable=SC2016 # for the shells
	SSH_CONNECTION=$2 bash -c 'env -u SSH_CONNECTION bash -c "$@"; exit $?' - '
		strace -o /dev/null -P "/proc/$$/environ" -e inject=openat:error='"$1"' -- \
			nsenter --net=/run/netns/host "$@"; exit $?' - "$BKXDP" attach eth1 \
		--config "$WORK/eth1.yaml" "${@:3}"
}

environments() {
	policy
	strace -o /dev/null true 2>/dev/null || {
		skip "environments that cannot be read" "there is no strace that may trace"
		return
	}
	fails "SSH in the environment of a parent beyond one that cannot be read" 1 \
		from_parent EACCES "10.20.99.9 50000 $host4 22"
	says "is found" "$said" "SSH connection from 10.20.99.9"
	said=$(from_parent EACCES "" 2>&1)
	is "none that can be read has one: attached" $? 0 || diag "$said"
	says "but says what is not known" "$said" \
		'warning: .*environment of process [0-9]+.*could not be read \(Permission denied\): if you are logged in by SSH'
	bkxdp detach eth1 >/dev/null
	fails "an environment that fails for another reason: refused" 1 from_parent EIO ""
	says "says so" "$said" 'environment of process [0-9]+ could not be read \(Input/output error\), .*--force'
	check "nothing is left" nothing_is_left
	check "but not with --force" from_parent EIO "" --force
	bkxdp detach eth1 >/dev/null
}

make_network
tables_and_families
several_hops
vlans
devices_above
other_namespace
ssh_connections
ssh_to_elsewhere
all_at_once
not_read
environments
finish
