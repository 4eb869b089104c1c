#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What makes a control connection live, on each kind of interface, with real sockets: on members
# of a bond and on the bond itself, below a VLAN device, a bridge and a VRF, between link-local
# addresses, under SYN cookies, however idle, whatever was done to the filter meanwhile; and what
# does not, such as a connection of the same addresses on another link. Everything is tried with
# control opened by the peer and by us.
#
#     namespace "net"            namespace "host"            namespace "other"
#   peer1, peer2  <---- veth ---->  eth1, eth2
#                                         eth3  <---- veth ---->  peer3
#
#	tests/vm/control.sh            all cases
#	tests/vm/control.sh CASE...    only these, in this order

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/puppets.sh
. "$(dirname "$0")/../puppets.sh"

readonly cases='bond_members bond_itself bond_failover vlan bridge vrf vrf_unbound vrf_and_none
	two_vrfs link_local link_local_unbound link_local_above same_link_local cookies full_backlog
	reloads reloads_below_vlan attached_later attached_later_below_vlan services namespaces
	other_path'
readonly other4=10.20.30.7

# --- the links

# Makes all links anew, without addresses, and closes all sockets.
make_links() {
	local number side
	clear_all
	printf 'link delete %s\n' bond0 br0 vrf1 vrf2 eth1 eth2 eth3 | host ip -force -batch - 2>/dev/null
	net ip link delete bond0 2>/dev/null
	for number in 1 2 3; do
		side=net
		[ "$number" != 3 ] || side=other
		echo "link add eth$number netns host address 02:00:00:00:00:1$number type veth" \
			"peer name peer$number netns $side address 02:00:00:00:00:2$number"
	done | command ip -batch - || bail "no veth pair"
	printf 'link set %s up\n' eth1 eth2 eth3 | host ip -batch -
	printf 'link set %s up\n' peer1 peer2 | net ip -batch -
	in_net other ip link set peer3 up
	link_1=(net) links=1
}

give() { # NAMESPACE DEVICE ADDRESS...
	local address
	{
		echo "link set $2 up"
		for address in "${@:3}"; do
			case $address in
				*:*) echo "address add $address/64 dev $2 nodad" ;;
				*) echo "address add $address/24 dev $2" ;;
			esac
		done
	} | in_net "$1" ip -batch -
}

address_both() { # OUR-DEVICE CLIENT THEIR-DEVICE
	give host "$1" "$host4" "$host6"
	give "$2" "$3" "$server4" "$other4" "$server6"
}

address_local() { # OUR-DEVICE CLIENT THEIR-DEVICE
	give host "$1" fe80::1
	give "$2" "$3" fe80::5
}

# A case sets $links, the numbers of its links, and for each the array link_NUMBER: CLIENT [BINDING
# [SCOPE-HERE SCOPE-THERE]]. CLIENT is the peer's puppet, BINDING the device to which our sockets
# are bound, and a scope, such as %eth1, completes link-local addresses.
use_link() { # NUMBER
	local -n words="link_$1"
	link=$1 client=${words[0]} binding=${words[1]:-} here=${words[2]:-} there=${words[3]:-}
}

# Who opens the control connection: `they` or `we`. Unless the addresses are link-local ($scoped),
# that also chooses the family, and so the profile.
use_way() { # WAY
	way=$1
	if [ -n "${scoped:-}" ]; then
		us=fe80::1 peer=fe80::5
	elif [ "$way" = they ]; then
		use_family 4
	else
		use_family 6
	fi
}

each_way() { # FUNCTION WHAT ARGUMENT...
	local each
	for each in they we; do
		use_way "$each"
		"$1" "$2, $each open" "${@:3}"
	done
}

each_link() { # FUNCTION WHAT
	local each
	for each in $links; do
		use_link "$each"
		"$1" "$2, link $each"
	done
}

is_refused() { [ "$(at "$client" connect probe "$peer$there" 0 "$us$there" 1 0.5)" = "Connection refused" ]; }
link_works() { busywait 10 is_refused || bail "$1: the link carries nothing"; } # WHAT
links_work() { each_link link_works "$1"; }                                     # WHAT

# --- the filters

# Where the peer opens control, backup-exec; where we do, mesh.
write_mesh() {
	cat >"$WORK/mesh.yaml" <<-END
	profile: mesh
	title: nodes of which each may open the control connection
	sources: {test: "this test"}
	roles:
	  node: {title: node}
	flows:
	  - {name: control, from: node, to: node, tcp: 10000, source: test}
	  - {name: data, from: node, to: node, tcp: 50000-50100, requires: control, source: test}
	  - {name: advertise, from: node, to: node, tcp: 6101, source: test}
	END
}

policy() { # DEVICE [sockets|flags]
	cat >"$WORK/$1.yaml" <<-END
	interface: $1
	connections: ${2:-sockets}
	use:
	  - profile: backup-exec
	    as: remote-agent
	    addresses: {media-server: [$server4, $other4]}
	    ports: {data: 50000-50100}
	  - profile: ./mesh.yaml
	    as: node
	    addresses: {node: ['$server6', 'fe80::5']}
	flows:
	  - {name: service, from: ['$server6'], to: self, tcp: [22, 5000]}
	END
}

command_for() { bkxdp "$1" "$2" --config "$WORK/$2.yaml" --profiles "$root/profiles"; } # COMMAND DEVICE

# Attaches to these; from now on, their counters are added up.
filter_on() { # WHAT DEVICE...
	local device
	for device in "${@:2}"; do
		policy "$device"
		check "$1: attach to $device" command_for attach "$device" && filtered+=("$device")
	done
	read_counters
}

unfilter() { # WHAT
	local device
	for device in "${filtered[@]}"; do
		check "$1: detach from $device" bkxdp detach "$device"
	done
	filtered=()
	check "$1: leaves nothing" nothing_is_left
}

begin() { # WHAT DEVICE...
	each_way links_work "$1"
	filter_on "$@"
}

reload_to() { # WHAT sockets|flags
	policy eth1 "$2"
	check "$1: reload to $2" command_for reload eth1
}

# Sets counter["drop REASON"], the sum of all devices, and counter["flow DEVICE"], which flows passed.
read_counters() {
	local kind name value
	counter=()
	while read -r kind name value; do
		counter["$kind $name"]=$value
	done < <(bkxdp metrics | awk -F '["}]' '
		!/^bkxdp_packets_total{/ { next }
		$4 == "drop" { drops[$6] += $8 }
		$4 == "pass" && $6 == "flow" { print "flow", $2, $8 + 0 }
		END { for (reason in drops) print "drop", reason, drops[reason] }')
}
declare -A counter

flow_packets() { echo "${counter[flow $1]:-0}"; } # DEVICE

# Reads the counters, and checks what was dropped since they were read last.
dropped_is() { # WHAT WANTED: as in "control +1, source +2"
	local key by text='' device
	local -A old
	for key in "${!counter[@]}"; do old[$key]=${counter[$key]}; done
	read_counters
	while read -r key; do
		by=$((counter[$key] - ${old[$key]:-0}))
		[ "$by" = 0 ] || text+="${text:+, }${key#drop } +$by"
	done < <(printf '%s\n' "${!counter[@]}" | grep ^drop | sort)
	for device in "${filtered[@]}"; do
		[ -n "${counter[flow $device]:-}" ] || text+=" ($device has no counters)"
	done
	[ ${#filtered[@]} != 0 ] || text+=" (nothing is filtered)"
	is "$1" "$text" "$2"
}

# --- the connections; our sockets are bound to $binding

# The names of sockets end in this, so that those of several links and ways can be open together.
listen_all() { # [OUR ADDRESS]
	local our=${1:-$us$here}
	at host listen "data.$link.$way" "$our" 50007 64 "$binding"
	if [ "$way" = they ]; then
		at host listen "control.$link.$way" "$our" 10000 64 "$binding"
	else
		at "$client" listen "control.$link.$way" "$peer$there" 10000
	fi
	at "$client" listen "advertise.$link.$way" "$peer$there" 6101
}

clear_all() {
	local puppet
	for puppet in host net other; do at "$puppet" clear; done
}

we_connect() { # NAME PORT FLOW
	at host connect "$1" "$us$here" 0 "$peer$here" "$2" 0.9 "$binding" &&
		at "$client" accept "$1" "$3.$link.$way"
}

they_connect() { # NAME PORT FLOW [SECONDS]
	at "$client" connect "$1" "$peer$there" 0 "$us$there" "$2" "${4:-0.9}" &&
		at host accept "$1" "$3.$link.$way"
}

opens_control() { "${way}_connect" "c.$link.$way" 10000 control; }
open_control() { check "$1: control" opens_control; } # WHAT
open_data() { they_connect "$1" 50007 data "${2:-}"; } # NAME [SECONDS]

close_both() { # NAME...
	at host close "$@"
	at "$client" close "$@"
}

close_control() { close_both "c.$link.$way"; }

talks() { # NAME
	at "$client" send "$1" block && [ "$(at host take "$1")" = block ] &&
		at host send "$1" thanks && [ "$(at "$client" take "$1")" = thanks ]
}

# Tries one data connection: its SYN is dropped for want of control, and nothing else is dropped.
no_data() { # WHAT
	open_data d 0.3 >/dev/null
	dropped_is "$1: no data" "control +1"
	close_both d
}

# Opens data connections, all at the same time; gives up at the third that fails.
opens_data() { # WHAT COUNT
	local number failed=0 opened=()
	for ((number = 1; number <= $2 && failed < 3; number++)); do
		if open_data "d$number" >/dev/null && talks "d$number" >/dev/null; then
			opened+=("d$number")
		else
			failed=$((failed + 1))
		fi
	done
	is "$1: $2 data connections" "${#opened[@]} of $((number - 1))" "$2 of $2"
	close_both "${opened[@]}"
}

data_passes() { # WHAT COUNT
	opens_data "$@"
	dropped_is "$1: nothing is dropped" ""
}

# Checks what a control connection opens, which is idle from its first moment; and that a
# connection of ours to another port works.
life() { # WHAT [COUNT]
	no_data "$1, before control"
	open_control "$1"
	opens_data "$1" "${2:-3}"
	check "$1: a connection of ours" we_connect a 6101 advertise
	check "$1: carries both ways" talks a
	dropped_is "$1: nothing is dropped" ""
	close_both a
	close_control
	no_data "$1, after control"
}

one_life() { # WHAT [COUNT]
	use_link 1
	listen_all
	life "$@"
	clear_all
}

lives() { # WHAT FILTERED...
	begin "$@"
	each_way one_life "$1"
	unfilter "$1"
}

# --- bond

bond_side() { # NAMESPACE WORDS MAC DEVICE...
	local device
	# shellcheck disable=SC2086 # words
	in_net "$1" ip link add bond0 type bond miimon 50 $2 2>/dev/null || return
	for device in "${@:4}"; do
		printf "link set $device %s\n" down "master bond0"
	done | in_net "$1" ip -batch - && in_net "$1" ip link set bond0 address "$3" up
}

carries() { [ "$(host cat /proc/net/bonding/bond0 | grep -c 'MII Status: up')" = 3 ]; }

make_bonds() { # MODE [WORDS]
	make_links
	bond_side host "mode $1 ${2:-}" 02:00:00:00:00:01 eth1 eth2 &&
		bond_side net "mode $1 ${2:-}" 02:00:00:00:00:05 peer1 peer2 || {
		skip "bond, $1" "this kernel makes no bonds" && return 1
	}
	address_both bond0 net bond0
	busywait 10 carries || bail "the bond's members do not come up"
}

# The sender's hash of the ports chooses the member.
make_hashing_bonds() { make_bonds balance-xor "xmit_hash_policy layer3+4"; }

life_on_members() { # WHAT
	local old1 old2
	old1=$(flow_packets eth1) old2=$(flow_packets eth2)
	one_life "$1" 100
	is_between "$1: eth1 carries its share" $(($(flow_packets eth1) - old1)) 100 1000
	is_between "$1: eth2 carries its share" $(($(flow_packets eth2) - old2)) 100 1000
}

bond_members() {
	make_hashing_bonds || return
	begin "members of a bond" eth1 eth2
	each_way life_on_members "members of a bond"
	unfilter "members of a bond"
}

bond_itself() {
	make_hashing_bonds || return
	lives "the bond itself" bond0
}

is_active() { in_net "$1" grep -q "^Currently Active Slave: $2\$" /proc/net/bonding/bond0; } # NAMESPACE DEVICE

# Takes a member down, and checks that data connections go over the other one.
fails_over() { # WHAT FROM TO
	local old
	host ip link set "$2" down
	check "$1: $3 is active" busywait 10 is_active host "$3"
	check "$1: there, too" busywait 10 is_active net "peer${3#eth}"
	old=$(flow_packets "$3")
	data_passes "$1" 5
	is_between "$1: $3 carries them" $(($(flow_packets "$3") - old)) 15 100
	host ip link set "$2" up
	busywait 10 carries
}

failovers() { # WHAT
	use_link 1
	listen_all
	no_data "$1, before control"
	open_control "$1"
	data_passes "$1" 3
	fails_over "$1, eth1 fails" eth1 eth2
	fails_over "$1, eth2 fails" eth2 eth1
	close_control
	no_data "$1, after control"
	clear_all
}

bond_failover() {
	make_bonds active-backup || return
	# Otherwise each end takes the one that it sees first.
	host ip link set bond0 type bond active_slave eth1
	net ip link set bond0 type bond active_slave peer1
	begin "active-backup" eth1 eth2
	each_way failovers "active-backup"
	unfilter "active-backup"
}

# --- devices above

# The filter sees the tags, because no offload takes them from the frames.
add_vlan() { # ID
	host ip link add link eth1 name "eth1.$1" type vlan id "$1" 2>/dev/null || {
		skip "VLAN $1" "this kernel has no VLAN devices" && return 1
	}
	net ip link add link peer1 name "peer1.$1" type vlan id "$1"
	net ethtool -K peer1 txvlan off >/dev/null
}

make_vlan() { # [BINDING]
	make_links
	add_vlan 7 || return
	address_both eth1.7 net peer1.7
	link_1=(net "${1:-}")
}

bound_and_not() { # WHAT DEVICE
	link_1=(net "$2")
	begin "$1" eth1
	each_way one_life "$1, bound sockets"
	link_1=(net)
	each_way one_life "$1, unbound sockets"
	unfilter "$1"
}

vlan() {
	make_vlan || return
	bound_and_not "VLAN device" eth1.7
}

bridge() {
	make_links
	host ip link add br0 type bridge 2>/dev/null || {
		skip "bridge" "this kernel makes no bridges" && return
	}
	host ip link set eth1 master br0
	address_both br0 net peer1
	bound_and_not "bridge" br0
}

# --- VRF

add_vrf() { # NUMBER DEVICE
	host ip link add "vrf$1" type vrf table "10$1" 2>/dev/null || {
		skip "vrf$1" "this kernel has no VRFs" && return 1
	}
	printf 'link set %s\n' "vrf$1 up" "$2 master vrf$1" | host ip -batch -
}

vrf() {
	make_links
	add_vrf 1 eth1 || return
	address_both eth1 net peer1
	link_1=(net vrf1)
	lives "VRF" eth1
}

set_l3mdev_accept() { host sh -c "echo $1 >/proc/sys/net/ipv4/tcp_l3mdev_accept"; } # 0|1

# Unless its socket is bound, a connection of ours would not be in the VRF, so only they open.
vrf_unbound() {
	local what="VRF, unbound listeners"
	make_links
	add_vrf 1 eth1 || return
	address_both eth1 net peer1
	set_l3mdev_accept 1
	begin "$what" eth1
	use_way they
	use_link 1
	listen_all 0.0.0.0
	no_data "$what, before control"
	open_control "$what"
	data_passes "$what" 3
	close_control
	no_data "$what, after control"
	unfilter "$what"
	set_l3mdev_accept 0
}

# --- the same addresses on two links

# Control on one link lets in data there, and not on the other.
only_there() { # WHAT LINK OTHER-LINK
	use_link "$2"
	open_control "$1"
	data_passes "$1" 2
	use_link "$3"
	no_data "$1, on the other link"
	use_link "$2"
	close_control
	no_data "$1, after control"
}

begin_link() { listen_all && no_data "$1, before control"; } # WHAT

apart_by_turns() { # WHAT
	each_link begin_link "$1"
	only_there "$1, link 1" 1 2
	only_there "$1, link 2" 2 1
	clear_all
}

apart() { # WHAT FILTERED...
	links='1 2'
	begin "$@"
	each_way apart_by_turns "$1"
	unfilter "$1"
}

# shellcheck disable=SC2034 # use_link reads the links
vrf_and_none() {
	make_links
	add_vrf 1 eth1 || return
	address_both eth1 net peer1
	address_both eth3 other peer3
	link_1=(net vrf1) link_2=(other)
	apart "a VRF, and none" eth1 eth3
}

# shellcheck disable=SC2034 # use_link reads the links
two_vrfs() {
	make_links
	add_vrf 1 eth1 && add_vrf 2 eth3 || return
	address_both eth1 net peer1
	address_both eth3 other peer3
	link_1=(net vrf1) link_2=(other vrf2)
	apart "two VRFs" eth1 eth3
}

# shellcheck disable=SC2034 # use_link reads the links
make_local_links() {
	make_links
	address_local eth1 net peer1
	address_local eth3 other peer3
	links='1 2' link_1=(net '' %eth1 %peer1) link_2=(other '' %eth3 %peer3)
}

link_local() {
	local scoped=1
	make_local_links
	apart "link-local" eth1 eth3
}

# A connection of ours to a link-local address has a link, so only they open.
link_local_unbound() {
	local scoped=1 what="link-local, unbound listeners"
	make_local_links
	begin "$what" eth1 eth3
	use_way they
	use_link 1
	listen_all ::
	no_data "$what, before control"
	only_there "$what" 1 2
	unfilter "$what"
}

link_local_above() {
	local scoped=1
	make_links
	add_vlan 7 || return
	address_local eth1.7 net peer1.7
	link_1=(net '' %eth1.7 %peer1.7)
	lives "link-local on a VLAN device" eth1
}

# shellcheck disable=SC2034 # use_link reads the links
same_link_local() {
	local scoped=1 number
	make_links
	for number in 7 8; do
		add_vlan "$number" || return
		address_local "eth1.$number" net "peer1.$number"
	done
	link_1=(net '' %eth1.7 %peer1.7) link_2=(net '' %eth1.8 %peer1.8)
	apart "link-local on two VLAN devices of one interface" eth1
}

# --- SYN cookies, on members of a bond

cookies_taken() { host cat /proc/net/netstat | awk '/^TcpExt: [0-9]/ { print $3 }'; } # SyncookiesRecv
set_cookies() { host sh -c "echo $1 >/proc/sys/net/ipv4/tcp_syncookies"; }            # 1|2

passes_by_cookies() { # WHAT LEAST: that many of the 20 must be opened by cookies
	local taken
	taken=$(cookies_taken)
	data_passes "$1" 20
	is_between "$1: are opened by cookies" $(($(cookies_taken) - taken)) "$2" 20
	close_control
	no_data "$1, after control"
}

life_of_cookies() { # WHAT
	use_link 1
	listen_all
	no_data "$1, before control"
	open_control "$1"
	passes_by_cookies "$1" 20
	clear_all
}

cookies() {
	make_hashing_bonds || return
	begin "SYN cookies on a bond" eth1 eth2
	set_cookies 2
	each_way life_of_cookies "SYN cookies on a bond"
	set_cookies 1
	unfilter "SYN cookies on a bond"
}

# SYNs of another peer whose handshakes never end fill the queue of the data listener.
fill_backlog() { # WHAT
	at host close "data.$link.$way"
	at host listen "data.$link.$way" "$us" 50007 1
	check "$1: control of another peer" at net connect o "$other" 0 "$us" 10000
	host ip neighbour replace "$other" lladdr 02:00:00:00:00:99 dev bond0
	forge "$other" 30000-30007 "$us" 50007 S --count 8 --device bond0 >/dev/null
	dropped_is "$1: SYNs of another peer pass" ""
}

full_backlog() {
	local what="a full backlog on a bond"
	make_hashing_bonds || return
	begin "$what" eth1 eth2
	use_way they
	use_link 1
	listen_all
	no_data "$what, before control"
	open_control "$what"
	fill_backlog "$what"
	# On a slow machine, the queue may have room again before the last one.
	passes_by_cookies "$what" 10
	unfilter "$what"
}

# --- what is done to the filter while a control connection is idle

begin_way() { listen_all && no_data "$1, before control"; }  # WHAT
two_data() { data_passes "$1" 2; }                           # WHAT
end_control() { close_control && dropped_is "$1: ends" ""; } # WHAT

# An idle control connection, and one that has ended, through changes of mode and back.
changes_of_mode() { # WHAT
	local mode from=sockets
	begin "$1" eth1
	use_link 1
	each_way begin_way "$1"
	each_way open_control "$1"
	for mode in sockets flags flags sockets flags sockets; do
		reload_to "$1, from $from" "$mode"
		each_way two_data "$1, from $from to $mode"
		from=$mode
	done
	each_way end_control "$1"
	for mode in sockets flags sockets; do
		reload_to "$1, control has ended" "$mode"
		each_way no_data "$1, control has ended: then $mode"
	done
	unfilter "$1"
}

reloads() {
	make_links
	address_both eth1 net peer1
	changes_of_mode "reloads"
}

reloads_below_vlan() {
	make_vlan eth1.7 || return
	changes_of_mode "reloads below a VLAN device"
}

# Nothing is filtered while control is opened, and later, while it is closed.
attached_to_control() { # WHAT
	begin "$1" eth1
	use_link 1
	each_way begin_way "$1"
	unfilter "$1"
	each_way open_control "$1"
	filter_on "$1, then" eth1
	each_way two_data "$1, then attach"
	unfilter "$1, again"
	filter_on "$1, again" eth1
	each_way two_data "$1, then detach and attach"
	unfilter "$1, to its end"
	each_way close_control "$1"
	filter_on "$1, after its end" eth1
	each_way no_data "$1, after its end"
	unfilter "$1"
}

attached_later() {
	make_links
	address_both eth1 net peer1
	attached_to_control "control before attach"
}

attached_later_below_vlan() {
	make_vlan eth1.7 || return
	attached_to_control "control before attach, below a VLAN device"
}

# --- what is no control connection

# The peer's connection from the control flow's port.
service_from_control_port() { # WHAT PORT
	begin "$1" eth1
	use_way we
	use_link 1
	at host listen data.1.we "$us" 50007
	at host listen service "$us" "$2"
	no_data "$1, before it"
	check "$1: is open" at net connect s "$peer" 10000 "$us" "$2"
	check "$1: is open on our side" at host accept s service
	check "$1: carries both ways" talks s
	no_data "$1, beside it"
	unfilter "$1"
	filter_on "$1, attached later" eth1
	no_data "$1, attached later"
	check "$1, attached later: carries both ways" talks s
	no_data "$1, attached later, when it was seen"
	at net reset s
	clear_all
	one_life "after a connection $1"
	unfilter "$1"
}

# One port of ours below, and one within those from which we may open control.
services() {
	make_links
	address_both eth1 net peer1
	service_from_control_port "from their port 10000 to our 22" 22
	service_from_control_port "from their port 10000 to our 5000" 5000
}

# A control connection of the same addresses in another network namespace, with itself.
elsewhere() { # WHAT [DEVICE]
	local from=$peer to=$us
	[ "$way" = they ] || from=$us to=$peer
	at other listen l "$to" 10000 64 "${2:-}"
	check "$1: is open" at other connect e "$from" 0 "$to" 10000 5 "${2:-}"
	no_data "$1, beside it"
	at other clear
}

here_and_elsewhere() { # WHAT
	use_link 1
	listen_all
	elsewhere "$1, unbound"
	elsewhere "$1, bound" lo
	clear_all
	one_life "$1, then here"
}

namespaces() {
	make_links
	address_both eth1 net peer1
	begin "another network namespace" eth1
	give other lo "$host4" "$server4" "$host6" "$server6"
	each_way here_and_elsewhere "another network namespace"
	in_net other ip address flush dev lo scope global
	unfilter "another network namespace"
}

# Control's packets arrive at another interface, which is not filtered.
by_other_path() { # WHAT
	local old
	use_link 1
	listen_all
	no_data "$1, before control"
	old=$(flow_packets eth1)
	net ip neighbour replace "$us" lladdr 02:00:00:00:00:12 dev peer2
	net ip route add "$us" dev peer2
	open_control "$1"
	check "$1: carries both ways" talks "c.$link.$way"
	dropped_is "$1: nothing is dropped of control" ""
	is "$1: eth1 has seen nothing of it" "$(flow_packets eth1)" "$old"
	net ip route delete "$us" dev peer2
	data_passes "$1" 3
	close_control
	no_data "$1, after control"
	clear_all
}

other_path() {
	make_links
	address_both eth1 net peer1
	begin "control by another interface" eth1
	each_way by_other_path "control by another interface"
	unfilter "control by another interface"
}

# ---

needs awk ethtool
add_net host net other || bail "no network namespaces"
for name in host net other; do puppet "$name" "$name"; done
# A SYN-ACK that is dropped is not sent again, so that each is counted once.
for name in net other; do
	in_net "$name" sh -c 'echo 0 >/proc/sys/net/ipv4/tcp_synack_retries'
done
write_mesh
filtered=()
# shellcheck disable=SC2086 # words
[ $# != 0 ] || set -- $cases
for name; do
	[[ " ${cases//[[:space:]]/ } " == *" $name "* ]] || bail "there is no case \"$name\": there are $cases"
	started=$SECONDS
	"$name"
	diag "fact: $name: $((SECONDS - started)) s"
done
finish
