#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which interfaces can be filtered, and which filter a command means: by the interface, whatever
# its name is. An interface is renamed, moved or removed, its name goes to another one, its
# program is taken off by hand. If something can't be read, the interface is not opened, and the
# VLAN offload of a NIC is turned on again.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

use=(--use backup-exec:remote-agent --address "media-server=$server4" --profiles "$root/profiles")

attached_on() { host ip -j link show "$1" | jq -e '.[0].xdp' >/dev/null; }
of() { bkxdp status "$1" --json | jq -r "$2"; } # PINS QUERY
rename() { ip -n host link set "$1" down && ip -n host link set "$1" name "$2" && ip -n host link set "$2" up; }
others=0
add_other() { others=$((others + 1)) && ip -n host link add "$1" type veth peer name "other$others"; }
enforces() { [ "$(status '"\(.attached),\(.enforcement),\(.observes)"')" = true,enforce,false ]; }

# --- links without Ethernet frames

refused() { # DEVICE WHAT PATTERN
	fails "$2 is refused" 1 bkxdp attach "$1" "${use[@]}"
	says "$2: says why" "$said" "$3"
	fails "$2 is not observed either" 1 bkxdp attach "$1" --profiles "$root/profiles"
	check "$2: leaves nothing" nothing_is_left
}

types() {
	refused lo "the loopback device" '^bkxdp: lo is the loopback device'
	if ip -n host tuntap add tun0 mode tun 2>/dev/null; then
		refused tun0 "tun" 'tun0 is no Ethernet interface'
		ip -n host link delete tun0
	else
		skip "tun" "this kernel makes none"
	fi
	if ip -n host link add tunnel0 type ipip local "$host4" remote "$server4" 2>/dev/null; then
		refused tunnel0 "a tunnel of IP packets" 'tunnel0 is no Ethernet interface .*tunnel'
		ip -n host link delete tunnel0
	else
		skip "a tunnel of IP packets" "this kernel makes none"
	fi
	if ip -n host tuntap add tap0 mode tap 2>/dev/null; then
		check "tap carries Ethernet frames: attach" bkxdp attach tap0 "${use[@]}"
		check "tap: detach" bkxdp detach tap0
		ip -n host link delete tap0
	else
		skip "tap" "this kernel makes none"
	fi
}

# Whichever call that asks about the interface fails, nothing is attached; one asks for its type.
type_unknown() {
	local nth all=''
	for nth in 1 2 3 4; do
		said=$(host strace -f -qq -o /dev/null -e inject=ioctl:error=EIO:when="$nth" \
			"$BKXDP" attach eth1 "${use[@]}" 2>&1) && break
		all+=$said$'\n'
		says "look $nth at eth1 fails: says so" "$said" "can't be told|could not be looked up"
		check "look $nth at eth1 fails: leaves nothing" nothing_is_left
	done
	says "a type that can't be read is no Ethernet" "$all" "eth1.*Ethernet.*can't be told|can't be told.*Ethernet"
	bkxdp detach eth1 >/dev/null 2>&1
}

# --- an enforcing filter never begins to observe by itself

unreadable() {
	local before
	check "attach by options" bkxdp attach eth1 "${use[@]}"
	check "enforces" enforces
	before=$(status .digest)
	check "attach without file and options keeps it" bkxdp attach eth1
	says "and says so" "$(bkxdp attach eth1 2>&1)" "keeps the policy.*$before.*made from options"
	says "also where profiles are named" "$(bkxdp attach eth1 --profiles "$root/profiles" 2>&1)" "keeps the policy.*$before"
	is "the policy is the same" "$(status .digest)" "$before"
	mkdir "$WORK/kept" && mv /sys/fs/bpf/bkxdp/eth1/about* /sys/fs/bpf/
	fails "reload where the running policy can't be read" 1 bkxdp reload eth1 --profiles "$root/profiles"
	says "says so" "$said" "can't be read"
	fails "attach where it can't be read" 1 bkxdp attach eth1 --profiles "$root/profiles"
	says "says so" "$said" "can't be read"
	mv /sys/fs/bpf/about* /sys/fs/bpf/bkxdp/eth1/
	is "the policy stays" "$(status .digest)" "$before"
	check "and enforces" enforces
	check "detach" bkxdp detach eth1
}

# Makes the attached filter one of another version.
change_version() {
	local pin=/sys/fs/bpf/bkxdp/eth1/attachment bytes
	bytes=$("$(find_bpftool)" -j map lookup pinned "$pin" key 0 0 0 0 | jq -r '.value[1:] | join(" ")')
	# shellcheck disable=SC2086 # words
	"$(find_bpftool)" map update pinned "$pin" key 0 0 0 0 value 0xfe $bytes
}

# Pins whose layout has another number are refused, and what runs goes on.
another_version() {
	local verb
	listen host tcp:6009
	check "another version: attach" bkxdp attach eth1 "${use[@]}"
	check "another version: made it" change_version
	for verb in attach reload; do
		fails "another version: $verb" 1 bkxdp "$verb" eth1 "${use[@]}"
		says "another version: $verb says so" "$said" '^bkxdp: eth1 is filtered and continues to be, .*another version of bkxdp made them'
	done
	for verb in status 'status --would-drop' 'top --once --interval 0.5'; do
		# shellcheck disable=SC2086 # words
		fails "another version: $verb" 1 bkxdp $verb eth1
		says "another version: $verb says so" "$said" '^bkxdp: the pins of eth1 .*another version made them'
	done
	fails "another version: metrics" 1 bkxdp metrics
	says "another version: metrics count it" "$said" '^bkxdp_scrape_errors_total 1$'
	check "another version: it still filters" connects_not "$stranger4" "$host4" 6009
	check "another version: detach" bkxdp detach eth1
	check "another version: and then it does not" connects "$stranger4" "$host4" 6009
	check "another version: leaves nothing" nothing_is_left
}

# An attach with options and a reload at the same time, 20 times; either may be the first.
races() {
	local turn observing=0 attach
	for turn in $(seq 20); do
		in_net_begin host "$BKXDP" attach eth1 "${use[@]}" >/dev/null 2>&1
		attach=$!
		busywait 10 has_pins
		bkxdp reload eth1 --profiles "$root/profiles" >"$WORK/reload" 2>&1
		wait "$attach"
		enforces || { observing=$((observing + 1)); diag "turn $turn: $(cat "$WORK/reload")"; }
		bkxdp detach eth1 >/dev/null
	done
	is "reload during an attach never ends in observing" "$observing" 0
}

has_pins() { [ -d /sys/fs/bpf/bkxdp/eth1 ]; }

# --- interfaces whose names change

renamed() {
	local before
	write_file <<<"flows: [{name: a, from: [$server4], to: self, tcp: 6000}]"
	check "attach" attach
	rename eth1 eth7
	before=$(of eth1 .digest)
	write_file <<<"flows: [{name: b, from: [$server4], to: self, tcp: [6000, 7000]}]"
	check "renamed: reload by its name of now" bkxdp reload eth7
	is "renamed: another policy is in force" "$([ "$(of eth1 .digest)" != "$before" ] && echo true)" true
	check "renamed: reload by its former name, which is free" bkxdp reload eth1
	check "renamed: attach by its name of now" bkxdp attach eth7
	is "renamed: it is one filter" "$(bkxdp status --json | jq length)" 1
	says "renamed: status by its name of now" "$(bkxdp status eth7)" '^eth1: renamed to eth7, attached in'
	check "renamed: top by its name of now" bkxdp top eth7 --once --interval 0.5
	says "renamed: explain by its name of now" "$(bkxdp explain eth7 tcp "$server4:40000 > $host4:6000" 2>&1)" '^  flow +site/b, '
	in_net_begin host "$BKXDP" monitor eth7 >"$WORK/monitor" 2>&1
	check "renamed: monitor by its name of now" busywait 20 grep -q showing "$WORK/monitor"
	kill -INT $! && wait $!

	add_other eth1
	fails "its name is another's: reload" 1 bkxdp reload eth1
	says "its name is another's: reload says where it runs" "$said" 'runs on "eth7" now; give the command that name'
	fails "its name is another's: detach" 1 bkxdp detach eth1
	says "its name is another's: detach says where it runs" "$said" '"eth7"'
	check "its name is another's: it runs on" attached_on eth7
	check "its name is another's: attach to that one" bkxdp attach eth1 "${use[@]}"
	check "both are filtered: the one" attached_on eth7
	check "both are filtered: the other" attached_on eth1
	is "both are known" "$(bkxdp status --json | jq -c '[.[] | [.device, .attached]]')" '[["eth1",true],["eth7",true]]'
	check "detach the one by its name of now" bkxdp detach eth7
	check "its program is gone" not attached_on eth7
	check "the other is filtered" attached_on eth1
	check "detach the other" bkxdp detach eth1
	check "leaves nothing" nothing_is_left
	ip -n host link delete eth1
	rename eth7 eth1
}

not() { ! "$@"; }

detach_renamed() { # NAME WHAT
	check "$2: attach" bkxdp attach eth1 "${use[@]}"
	rename eth1 eth7
	check "$2: detach" bkxdp detach "$1"
	check "$2: leaves nothing" nothing_is_left
	rename eth7 eth1
}

moved() {
	add_other eth5
	check "moved: attach" bkxdp attach eth5 "${use[@]}"
	add_net third && ip -n host link set eth5 netns third
	add_other eth5
	fails "moved: reload" 1 bkxdp reload eth5
	says "moved: says why, and where to run it" "$said" 'another network namespace, and continues.*run the command there.*nsenter'
	fails "moved: detach from where it is not" 1 bkxdp detach eth5
	check "moved: it is filtered" test -n "$(ip -n third -j link show eth5 | jq '.[0].xdp // empty')"
	check "moved: and has its pins" test -e /sys/fs/bpf/bkxdp/eth5/words
	check "moved: attach to the next of its name" bkxdp attach eth5 "${use[@]}"
	check "moved: that one is filtered" attached_on eth5
	check "moved: and the former one still" test -n "$(ip -n third -j link show eth5 | jq '.[0].xdp // empty')"
	is "moved: both have pins" "$(find /sys/fs/bpf/bkxdp -name words | wc -l)" 2
	check "moved: detach from where it is" in_net third "$BKXDP" detach eth5
	check "moved: the other is filtered" attached_on eth5
	check "moved: detach the other" bkxdp detach eth5
	check "moved: leaves nothing" nothing_is_left
	ip -n host link delete eth5
	ip -n third link delete eth5
}

# The policy stays in force without its file; commands that fail say so.
file_is_gone() {
	local before
	write_file <<<"flows: [{name: a, from: [$server4], to: self, tcp: 6000}]"
	check "file: attach" attach
	before=$(status .digest)
	says "file: attach keeps it" "$(bkxdp attach eth1)" "keeps the policy.*$before.*bkxdp reload eth1. reads $WORK/eth1.yaml again"
	sed 's/eth1/eth9/' "$WORK/eth1.yaml" >"$WORK/eth9.yaml"
	fails "file: of another interface" 1 bkxdp reload eth1 --config "$WORK/eth9.yaml"
	says "file: of another interface: what to do" "$said" 'not for "eth1": write one with "interface: eth1" as /etc/bkxdp/eth1.yaml, and "bkxdp attach eth1" reads it'
	echo 'flows: nonsense' >>"$WORK/eth1.yaml"
	fails "file: with a mistake" 1 bkxdp reload eth1
	says "file: with a mistake: the policy stays" "$said" "^bkxdp: eth1: policy $before stays in force"
	is "file: it does" "$(status .digest)" "$before"
	rm "$WORK/eth1.yaml"
	says "file gone: attach keeps it, and says so" "$(bkxdp attach eth1)" "keeps the policy.*$before.*eth1.yaml, from which it was read, is not there"
	fails "file gone: reload" 1 bkxdp reload eth1
	says "file gone: the policy stays" "$said" "policy $before stays in force"
	check "file: detach" bkxdp detach eth1
	fails "not filtered: reload" 1 bkxdp reload eth1
	says "not filtered: says what to do" "$said" '"bkxdp attach eth1" attaches it'
	is "not filtered: says nothing of a policy" "$(grep -c 'stays in force' <<<"$said")" 0
}

# Gives this world an /etc of its own.
own_etc() { mkdir "$WORK/etc" && cp -a /etc/. "$WORK/etc" && mount --bind "$WORK/etc" /etc && mkdir -p /etc/bkxdp; }

own_file() {
	check "own file: an /etc of its own" own_etc || return
	printf '%s\n' 'interface: eth2' "flows: [{name: a, from: [$server4], to: self, tcp: 6000}]" >/etc/bkxdp/eth1.yaml
	says "own file: check says which one is read" "$(bkxdp check /etc/bkxdp/eth1.yaml 2>&1)" \
		'^/etc/bkxdp/eth1.yaml: note: it is for eth2, for which /etc/bkxdp/eth2.yaml is read$'
	mv /etc/bkxdp/eth1.yaml /etc/bkxdp/eth2.yaml
	is "own file: and nothing of one of the right name" "$(bkxdp check /etc/bkxdp/eth2.yaml 2>&1 | grep -c note)" 0
	umount /etc
}

# The advice of status must help.
taken_off() {
	check "taken off: attach by options" bkxdp attach eth1 "${use[@]}"
	host ip link set dev eth1 xdp off
	says "taken off: status says that everything passes" "$(bkxdp status eth1)" \
		'not attached: the program was taken off, so everything passes; "bkxdp attach eth1" with the same options attaches it again'
	says "taken off: explain says so" "$(bkxdp explain eth1 tcp "$server4:40000 > $host4:9" 2>&1)" \
		"^bkxdp: warning: eth1's filter is not attached: everything passes"
	check "taken off: the same options attach it" bkxdp attach eth1 "${use[@]}"
	is "taken off: explain has no warning then" "$(bkxdp explain eth1 tcp "$server4:40000 > $host4:9" 2>&1 | grep -c warning)" 0
	check "taken off: detach" bkxdp detach eth1
	write_file <<<"flows: [{name: a, from: [$server4], to: self, tcp: 6000}]"
	check "taken off: attach by a file" attach
	rename eth1 eth7
	host ip link set dev eth7 xdp off
	says "taken off, renamed: status names file and name of now" "$(bkxdp status eth1)" \
		"everything passes; \"bkxdp attach eth7\", with /etc/bkxdp/eth7.yaml written for it from $WORK/eth1.yaml, attaches it again"
	rename eth7 eth1
	says "taken off: status names the file" "$(bkxdp status eth1)" \
		"everything passes; \"bkxdp attach eth1 --config $WORK/eth1.yaml\" attaches it again"
	check "taken off: which does" bkxdp attach eth1 --config "$WORK/eth1.yaml"
	check "taken off: detach what is left" bkxdp detach eth1
}

# As a user who may not read the BPF file system, as systemd mounts it.
not_root() {
	check "not root: attach" bkxdp attach eth1 "${use[@]}"
	chmod 700 /sys/fs/bpf
	for verb in status metrics "reload eth1"; do
		# shellcheck disable=SC2086 # words
		fails "not root: $verb" 1 host setpriv --reuid=65534 --regid=65534 --clear-groups "$BKXDP" $verb
		says "not root: $verb says what to do" "$said" 'only root may read /sys/fs/bpf; run it as root'
	done
	check "not root: detach" bkxdp detach eth1
}

# The interface is moved away while a command works: after its first such system call, its
# second, and so on. A filter that runs has its pins, and is never said to be off.
is_stopped() { grep -q 'stopped by SIGSTOP' "$WORK/trace"; }
is_stopped_or_over() { is_stopped || ! kill -0 "$1" 2>/dev/null; }
runs_in_third() { ip -n third -j link show eth5 2>/dev/null | jq -e '.[0].xdp' >/dev/null; }

move_after() { # CALL NTH COMMAND...: fails if the command made no such call
	local worker
	: >"$WORK/trace"
	in_net_begin host strace -f -qq -o "$WORK/trace" -e trace="$1" -e inject="$1:signal=STOP:when=$2" \
		"${@:3}" >"$WORK/said" 2>&1
	worker=$!
	busywait 10 is_stopped_or_over "$worker"
	is_stopped || { wait "$worker"; return 1; }
	ip -n host link set eth5 netns third
	kill -CONT "$(awk '/stopped by SIGSTOP/ { print $1; exit }' "$WORK/trace")"
	wait "$worker"
	status=$?
}

moved_meanwhile() { # VERB CALL
	local nth=1 status orphans=0 lies=0 words=("$BKXDP" "$1" eth5)
	[ "$1" = detach ] || words+=("${use[@]}")
	while [ "$nth" -lt 90 ]; do
		add_other eth5
		[ "$1" = attach ] || bkxdp attach eth5 "${use[@]}" >/dev/null 2>&1
		move_after "$2" "$nth" "${words[@]}" || break
		if runs_in_third; then
			[ "$1,$status" != detach,0 ] || lies=$((lies + 1))
			in_net third "$BKXDP" detach eth5 >/dev/null 2>&1 || { orphans=$((orphans + 1)); diag "after $2 number $nth: $(cat "$WORK/said")"; }
		fi
		ip -n third link delete eth5
		bkxdp detach eth5 >/dev/null 2>&1
		nth=$((nth + 1))
	done
	is "moved during $1: after some $2, and at the end there is none" "$((nth > 1 && nth < 90))" 1
	is "moved during $1: what runs on has its pins" "$orphans" 0
	is "moved during $1: and is never said to be off" "$lies" 0
	bkxdp detach eth5 >/dev/null 2>&1
	ip -n host link delete eth5
	check "moved during $1: leaves nothing" nothing_is_left
}

# An interface with the name of a former one can be filtered, whatever pins that one left.
left_unreadable() {
	local what
	for what in about attachment all; do
		add_other eth6
		check "left, $what unreadable: attach" bkxdp attach eth6 "${use[@]}"
		ip -n host link delete eth6
		case $what in
		about) for_each_pin about replace_pin ;;
		attachment) for_each_pin attachment replace_pin ;;
		all) for_each_pin '' replace_pin ;;
		esac
		add_other eth6
		check "left, $what unreadable: attach to the next of its name" bkxdp attach eth6 "${use[@]}"
		check "left, $what unreadable: that one is filtered" attached_on eth6
		ip -n host link delete eth6
		bkxdp detach eth6 >/dev/null 2>&1
		rm -rf /sys/fs/bpf/bkxdp
	done
}

for_each_pin() { # PREFIX COMMAND
	local pin
	for pin in /sys/fs/bpf/bkxdp/eth6/"$1"*; do
		"$2" "$pin" || return
	done
}

# Replaces a pin by a map of another kind, as another version of bkxdp may have.
replace_pin() { # PIN
	rm "$1" && "$(find_bpftool)" map create "$1" type array key 4 value 8 entries 1 name other
}

removed() {
	add_other eth6
	check "removed: attach" bkxdp attach eth6 "${use[@]}"
	ip -n host link delete eth6
	says "removed: status says so" "$(bkxdp status eth6)" 'not attached: the interface is gone, .*"bkxdp detach eth6" clears them$'
	says "removed: explain says so" "$(bkxdp explain eth6 tcp "$server4:40000 > $host4:9" 2>&1)" 'not attached: everything passes'
	fails "removed: reload" 1 bkxdp reload eth6 --profiles "$root/profiles"
	add_other eth6
	check "removed: attach to the next of its name" bkxdp attach eth6 "${use[@]}"
	ip -n host link delete eth6
	check "removed: detach" bkxdp detach eth6
	left_unreadable
	check "removed: leaves nothing" nothing_is_left
}

# --- a filter whose pins are hidden by another mount

hidden_pins() {
	local verb
	check "hidden pins: attach" bkxdp attach eth1 "${use[@]}"
	mount -t bpf -o mode=700 bpf /sys/fs/bpf
	for verb in status reload detach attach; do
		case $verb in
		attach) fails "hidden pins: $verb" 1 bkxdp attach eth1 "${use[@]}" ;;
		*) fails "hidden pins: $verb" 1 bkxdp "$verb" eth1 ;;
		esac
		says "hidden pins: $verb says that it goes on, and where to look" "$said" 'continues to run.* --bpffs'
		check "hidden pins: $verb advises nothing that opens it" not grep -Eq 'xdp off|attaches it|not filtered' <<<"$said"
	done
	check "hidden pins: it is filtered" attached_on eth1
	umount /sys/fs/bpf
	check "hidden pins: detach where they are" bkxdp detach eth1
	check "hidden pins: leaves nothing" nothing_is_left
	fails "no filter: status" 1 bkxdp status eth1
	says "no filter: says so" "$said" 'is not filtered by bkxdp'
}

# --- the NIC's VLAN tag stripping

rxvlan() { host ethtool -k "$1" | sed -n 's/^rx-vlan-offload: \([a-z]*\).*/\1/p'; }

untagged() { write_file <<<"vlans: none"$'\n'"flows: [{name: a, from: [$server4], to: self, tcp: 6000}]"; }
attach_untagged() { untagged && attach; }
reload_untagged() { untagged && reload; }

offload() {
	[ "$(rxvlan eth1)" = on ] || { skip "VLAN tag stripping" "this kernel's veth has none" && return; }
	for name in eth1 eth7; do
		check "rxvlan, renamed: attach" attach_untagged
		is "rxvlan, renamed: it is off" "$(rxvlan eth1)" off
		rename eth1 eth7
		check "rxvlan, renamed: detach $name" bkxdp detach "$name"
		is "rxvlan, renamed: it is on after detach $name" "$(rxvlan eth7)" on
		rename eth7 eth1
	done
	check "rxvlan, taken off by hand: attach" attach_untagged
	host ip link set dev eth1 xdp off
	check "rxvlan, taken off by hand: detach" bkxdp detach eth1
	is "rxvlan, taken off by hand: it is on after detach" "$(rxvlan eth1)" on
	attach_untagged >/dev/null 2>&1
	host ip link set dev eth1 xdp off
	check "rxvlan, taken off by hand: attach, for any VLAN" bkxdp attach eth1 "${use[@]}"
	is "rxvlan, taken off by hand: it is on" "$(rxvlan eth1)" on
	check "rxvlan: a reload that needs the tags" reload_untagged
	is "rxvlan: it is off" "$(rxvlan eth1)" off
	check "rxvlan: detach" bkxdp detach eth1
	is "rxvlan: it is on" "$(rxvlan eth1)" on
	check "rxvlan, another version: attach" attach_untagged
	check "rxvlan, another version: made it" change_version
	check "rxvlan, another version: detach" bkxdp detach eth1
	is "rxvlan, another version: it is on after detach" "$(rxvlan eth1)" on
	host ethtool -K eth1 rxvlan on
	check "rxvlan, another version: attach, and taken off by hand" attach_untagged
	change_version >/dev/null
	host ip link set dev eth1 xdp off
	check "rxvlan, another version, taken off: detach" bkxdp detach eth1
	is "rxvlan, another version, taken off: it is on after detach" "$(rxvlan eth1)" on
	host ethtool -K eth1 rxvlan on
	check "rxvlan: leaves nothing" nothing_is_left
	killed attach ioctl
	killed attach bpf 7
	killed detach ioctl
	killed detach unlink
}

# The command is killed at its first such call, then at a later one, and so on until it ends.
killed() { # VERB CALL [STEP]
	local number=1 left=0 words=("$BKXDP" "$1" eth1)
	[ "$1" != attach ] || words+=(--config "$WORK/eth1.yaml")
	untagged
	while [ "$number" -lt 500 ]; do
		[ "$1" = attach ] || attach >/dev/null 2>&1
		host strace -f -qq -o "$WORK/trace" -e "inject=$2:signal=KILL:when=$number" "${words[@]}" >/dev/null 2>&1
		[ $? = 137 ] || break
		bkxdp detach eth1 >/dev/null 2>&1
		[ "$(rxvlan eth1)" = on ] || { left=$((left + 1)); diag "killed at $2 number $number"; host ethtool -K eth1 rxvlan on; }
		number=$((number + ${3:-1}))
	done
	bkxdp detach eth1 >/dev/null 2>&1
	is "rxvlan: $1 was killed at some $2, and at the end at none" "$((number > 1 && number < 500))" 1
	is "rxvlan: it is on after $1 was killed at any $2, and a detach" "$left" 0
	check "rxvlan: leaves nothing" nothing_is_left
}

needs ethtool strace
make_network
types
type_unknown
unreadable
another_version
races
renamed
detach_renamed eth1 "detach by the former name"
detach_renamed eth7 "detach by the name of now"
moved
file_is_gone
own_file
taken_off
not_root
moved_meanwhile attach sendto
moved_meanwhile detach bpf
removed
hidden_pins
offload
finish
