#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The filter and another XDP program on one interface, with libxdp's dispatcher: which runs
# first, what the second one still sees, and what happens if either is taken off first. If the
# kernel can't have both, attach says so and leaves the other program alone.

set -u
# To find a filter in a namespace without a name, bkxdp looks at all processes.
# shellcheck disable=SC2034 # for tests/lib.sh
world=(--with-processes)
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

readonly objects=$root/build/tests/vm

site() {
	write_file <<-END
	mode: native
	flows:
	  - {name: backup, from: [$server4], to: self, tcp: 6000, udp: 5000}
	END
}

# Only our packets are on the wire: no neighbour and no router is asked for.
make_silent() {
	local side
	for side in host net; do
		in_net "$side" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
	done
	ip -n host neighbour replace "$server4" lladdr 02:00:00:00:00:05 dev eth1 nud permanent
	ip -n host neighbour replace "$stranger4" lladdr 02:00:00:00:00:05 dev eth1 nud permanent
	ip -n net neighbour replace "$host4" lladdr 02:00:00:00:00:01 dev peer0 nud permanent
}

# Sends datagrams, which nobody answers, so that nothing else is on the wire.
send() { # FROM PORT COUNT
	net python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
for _ in range(int(sys.argv[4])):
    s.sendto(b"x", (sys.argv[2], int(sys.argv[3])))' "$1" "$host4" "$2" "$3"
}

other_on() { host xdp-loader load -m native "$@" eth1 "$objects/other.bpf.o"; }
other_id() { host xdp-loader status eth1 | awk '$3 == "other" { print $4 }'; }
other_off() { host xdp-loader unload eth1 -i "$(other_id)"; }
reached() { "$(find_bpftool)" -j map dump name reached | jq '.[0].formatted.value // .[0].value'; }
order() { host xdp-loader status eth1 | awk '$1 == "=>" { printf "%s ", $3 }'; }
own_pins() { find /sys/fs/bpf -path '*/bkxdp/*'; }

any_company_possible() {
	local status
	other_on >"$WORK/company" 2>&1 && order | grep -q other
	status=$?
	host xdp-loader unload eth1 --all >/dev/null 2>&1
	return "$status"
}

# Succeeds if this kernel allows several programs like ours on an interface.
company_possible() {
	host xdp-loader load -m native eth1 "$objects/caller.bpf.o" >"$WORK/company" 2>&1 || return
	order | grep -q caller
}

try_company() {
	local status
	company_possible
	status=$?
	host xdp-loader unload eth1 --all >/dev/null 2>&1
	return "$status"
}

no_room() {
	check "alone: attach" attach
	is "alone: status says that no other can join" "$(status .alone)" true
	check "alone: detach" bkxdp detach eth1
	check "the other is attached" other_on
	fails "attach beside it is refused" 1 attach
	says "says which program is in the way" "$said" other
	says "says what to do" "$said" 'take it off'
	is "the other stays" "$(order)" "other "
	is "and nothing of ours" "$(own_pins)" ""
	check "the other goes" other_off
	check "leaves nothing" nothing_is_left
	skip "both at work" "this kernel takes no program with global functions into a dispatcher"
}

# A packet that bkxdp drops does not reach the next program; one that it passes does.
chain() { # WHAT
	local before
	is "$1: bkxdp runs first" "$(order)" "bkxdp other "
	is "$1: status names the other" "$(status '.beside[]')" other
	is "$1: and is not alone" "$(status .alone)" false
	before=$(reached)
	check "$1: a stranger sends" send "$stranger4" 5000 5
	is "$1: nothing of that reaches the other" "$(($(reached) - before))" 0
	check "$1: the server sends" send "$server4" 5000 7
	is "$1: all of that does" "$(($(reached) - before))" 7
}

other_came_first() {
	local before
	check "other first: the other" other_on
	check "other first: attach" attach
	chain "other first"
	check "other first: bkxdp goes" bkxdp detach eth1
	is "other first: the other stays" "$(order)" "other "
	is "other first: no pin of ours" "$(own_pins)" ""
	before=$(reached)
	check "other first: a stranger sends again" send "$stranger4" 5000 5
	is "other first: and reaches the other" "$(($(reached) - before))" 5
	check "other first: the other goes" other_off
	check "other first: leaves nothing" nothing_is_left
}

bkxdp_came_first() {
	local before
	check "bkxdp first: attach" attach
	check "bkxdp first: the server sends" send "$server4" 5000 3
	before=$(flow site/backup inbound)
	is "bkxdp first: which is counted" "$before" 3
	check "bkxdp first: the other joins" other_on
	is "bkxdp first: counters go on" "$(flow site/backup inbound)" 3
	chain "bkxdp first"
	check "bkxdp first: reload beside the other" reload
	is "bkxdp first: counters go on" "$(flow site/backup inbound)" 10
	check "bkxdp first: the other goes" other_off
	is "bkxdp first: counters go on without it" "$(flow site/backup inbound)" 10
	is "bkxdp first: none beside" "$(status '.beside | length')" 0
	send "$stranger4" 5000 2 && send "$server4" 5000 2
	is "bkxdp first: alone again it drops" "$(dropped source)" 7
	is "bkxdp first: and passes" "$(flow site/backup inbound)" 12
	check "bkxdp first: detach" bkxdp detach eth1
	check "bkxdp first: leaves nothing" nothing_is_left
}

# A program with a lower number runs earlier, and sees also the packets that the filter will drop.
earlier_one() {
	local before
	check "an earlier one: attach" attach
	check "an earlier one: joins" other_on -P 5
	is "an earlier one: runs before the filter" "$(order)" "other bkxdp "
	before=$(reached)
	check "an earlier one: a stranger sends" send "$stranger4" 5000 4
	is "an earlier one: sees it" "$(($(reached) - before))" 4
	is "an earlier one: and the filter drops it" "$(dropped source)" 4
	check "an earlier one: goes" other_off
	check "an earlier one: detach" bkxdp detach eth1
	check "an earlier one: leaves nothing" nothing_is_left
}

# A program after which a pass is final ends the chain.
one_that_ends_the_chain() {
	local before
	check "end of the chain: attach" attach
	check "end of the chain: one that goes on after drops only" other_on -P 5 -A XDP_DROP
	before=$(judged)
	check "end of the chain: a stranger sends" send "$stranger4" 5000 4
	is "end of the chain: the filter judges nothing" "$(($(judged) - before))" 0
	is "end of the chain: status names what is beside it" "$(status '.beside[]')" other
	bkxdp detach eth1 >/dev/null
	check "end of the chain: goes" other_off
	check "end of the chain: leaves nothing" nothing_is_left
}

# The pins of the dispatcher keep the filter loaded, whatever happened to its interface.
dispatchers() { find /sys/fs/bpf/xdp -name 'dispatch-*' | wc -l; }
attach_to_eth5() { bkxdp attach eth5 --config "$WORK/eth5.yaml"; }

peers=0
add_eth5() { peers=$((peers + 1)) && ip -n host link add eth5 type veth peer name "other$peers"; }
replug() { ip -n host link delete eth5 && add_eth5; }
runs_on() { host ip -j link show "$1" | jq -e '.[0].xdp' >/dev/null; }
attached_in() { "${@:2}" "$BKXDP" status --json | jq '[.[] | select(.attached)] | length' | grep -qx "$1"; } # COUNT COMMAND...
detach_all() {
	local folder
	for folder in /sys/fs/bpf/bkxdp/[!%]*; do
		bkxdp detach "$(basename "$folder")" || return
	done
}

lost_interface() {
	sed 's/eth1/eth5/' "$WORK/eth1.yaml" >"$WORK/eth5.yaml"
	add_eth5
	check "removed: attach" attach_to_eth5
	is "removed: by a dispatcher" "$(dispatchers)" 1
	ip -n host link delete eth5
	check "removed: detach" bkxdp detach eth5
	check "removed: leaves nothing" nothing_is_left
	add_eth5
	check "plugged in again: attach" attach_to_eth5
	replug
	check "plugged in again: attach to the next" attach_to_eth5
	is "plugged in again: the former dispatcher is gone" "$(dispatchers)" 1
	add_net third && ip -n host link set eth5 netns third
	fails "moved: detach from where it is not" 1 bkxdp detach eth5
	says "moved: says why" "$said" 'another network namespace, and continues'
	is "moved: its dispatcher stays" "$(dispatchers)" 1
	add_eth5
	check "moved: attach to the next of its name" attach_to_eth5
	check "moved: that one is filtered" attached_in 1 host
	check "moved: and the former one still" attached_in 1 in_net third
	check "moved: detach from where it is" in_net third "$BKXDP" detach eth5
	check "moved: the other is filtered still" attached_in 1 host
	check "moved: detach the other" bkxdp detach eth5
	check "moved: leaves nothing" nothing_is_left
	ip -n host link delete eth5
	ip -n third link delete eth5
}

# As the unit runs it: it can't look into the namespaces of other processes.
as_unit() {
	host setpriv --bounding-set=-all,+bpf,+chown,+net_admin,+perfmon,+sys_admin,+sys_resource --inh-caps=-all -- "$BKXDP" "$@"
}
attach_as_unit() { as_unit attach eth5 --config "$WORK/eth5.yaml" --no-resolve; }

came_back() {
	local turn
	add_eth5
	check "came back: attach by the unit" attach_as_unit
	for turn in once twice; do
		replug
		check "came back $turn: attach by the unit" attach_as_unit
		check "came back $turn: it is filtered" runs_on eth5
	done
	replug
	check "came back, namespaces are forbidden: attach" host strace -f -qq -o /dev/null -e inject=setns:error=EPERM \
		"$BKXDP" attach eth5 --config "$WORK/eth5.yaml"
	check "came back, namespaces are forbidden: it is filtered" runs_on eth5
	ip -n host link delete eth5
	fails "went: detach by the unit" 1 as_unit detach eth5
	says "went: says what it can't look into" "$said" 'other network namespaces.*CAP_SYS_PTRACE'
	is "went: the pins of what may run stay" "$(dispatchers)" 4
	check "went: detach by root" detach_all
	check "came back: leaves nothing" nothing_is_left
}

# The interface is in a namespace that only a mount or an open file keeps alive.
in_hidden() { nsenter --net="$hidden" -- "$@"; }

hidden_namespace() {
	local hidden=/run/hidden/x held
	mkdir /run/hidden && touch $hidden && unshare --net=$hidden true
	for held in mount file; do
		add_eth5
		check "held by a $held: attach" attach_to_eth5
		ip -n host link set eth5 netns $hidden
		if [ $held = file ]; then
			exec 9<$hidden && umount -l $hidden && hidden=/proc/$$/fd/9
		fi
		fails "held by a $held: detach from where it is not" 1 bkxdp detach eth5
		says "held by a $held: says why" "$said" 'another network namespace, and continues'
		add_eth5
		check "held by a $held: attach to the next of its name" attach_to_eth5
		check "held by a $held: that one is filtered" attached_in 1 host
		check "held by a $held: and the former one still" attached_in 1 in_hidden
		check "held by a $held: detach from where it is" in_hidden "$BKXDP" detach eth5
		check "held by a $held: detach the other" bkxdp detach eth5
		check "held by a $held: leaves nothing" nothing_is_left
		ip -n host link delete eth5
		in_hidden ip link delete eth5
	done
	exec 9<&-
}

# The pins of libxdp were changed, or belong to another program.
not_as_it_was() { # VERB COMMAND...
	fails "moved pins: $1" 1 "${@:2}"
	says "moved pins: $1 says that it goes on" "$said" 'the filter continues'
	check "moved pins: $1 advises nothing that opens it, tells nothing untrue" not grep -Eq 'xdp off|another network' <<<"$said"
}
not() { ! "$@"; }

pins_of_dispatchers() {
	local pins
	rmdir /sys/fs/bpf/xdp && chmod 1777 /sys/fs/bpf && setpriv --reuid 65534 --clear-groups mkdir /sys/fs/bpf/xdp
	fails "another user's folder for libxdp: attach" 1 attach
	says "another user's folder for libxdp: says so" "$said" '/sys/fs/bpf/xdp .*belongs to another user'
	rmdir /sys/fs/bpf/xdp
	check "moved pins: attach first" attach
	pins=$(echo /sys/fs/bpf/xdp/dispatch-*)
	mv "$pins" /sys/fs/bpf/xdp/moved
	not_as_it_was reload reload
	not_as_it_was detach bkxdp detach eth1
	not_as_it_was attach attach
	mv /sys/fs/bpf/xdp/moved "$pins"
	is "whole: metrics" "$(bkxdp metrics | awk '/^bkxdp_attached/ { print $2 }')" 1
	check "moved back: detach" bkxdp detach eth1
	check "moved back: leaves nothing" nothing_is_left
	check "removed pins: attach" attach
	rm -rf /sys/fs/bpf/xdp
	is "removed pins: metrics" "$(bkxdp metrics | awk '/^bkxdp_attached/ { print $2 }')" 0
	bkxdp detach eth1 >/dev/null
	host ip link set dev eth1 xdp off
	check "removed pins: leaves nothing" nothing_is_left
}

command -v xdp-loader >/dev/null || skip_all "xdp-loader is not installed"
make_network
make_silent
site
any_company_possible || skip_all "this kernel refuses libxdp's dispatcher"
if try_company; then
	diag "fact: beside other XDP programs: yes"
	other_came_first
	bkxdp_came_first
	earlier_one
	one_that_ends_the_chain
	lost_interface
	came_back
	hidden_namespace
	pins_of_dispatchers
else
	diag "fact: beside other XDP programs: no"
	no_room
fi
finish
