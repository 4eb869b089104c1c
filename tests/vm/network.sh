#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the virtual machine: attach in each mode, with real packets, beside another
# XDP program, and what is left after detach. busybox and jq are all there is.
#
#      namespace "net"                       the machine
#   peer0  10.20.30.5  the server   <---->   eth1  10.20.30.1
#          10.20.30.6  a stranger

set -u
readonly host4=10.20.30.1 server4=10.20.30.5 stranger4=10.20.30.6 work=/run/work
readonly mebibyte=$((1 << 20))
points=0 failures=0 said=''

ok() { points=$((points + 1)) && echo "ok $points $*"; }

not_ok() {
	points=$((points + 1)) failures=$((failures + 1))
	echo "not ok $points $*"
}

skip() { points=$((points + 1)) && echo "ok $points $1 # SKIP $2"; }

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# ends WHAT STATUS COMMAND...: with this status; what it said is in $said.
ends() {
	local what=$1 wanted=$2 status
	shift 2
	said=$("$@" 2>&1)
	status=$?
	if [ "$status" = "$wanted" ]; then ok "$what"; else
		not_ok "$what"
		diag "status $status of: $*"
		diag "$said"
		return 1
	fi
}

check() { ends "$1" 0 "${@:2}"; }

is() { # WHAT GOT WANTED
	if [ "$2" = "$3" ]; then ok "$1"; else
		not_ok "$1"
		diag "got '$2', wanted '$3'"
	fi
}

says() { # WHAT TEXT PATTERN
	if grep -Eqi -- "$3" <<<"$2"; then ok "$1"; else
		not_ok "$1"
		diag "no match for '$3' in: $2"
	fi
}

is_between() { # WHAT GOT LOW HIGH
	if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then ok "$1"; else
		not_ok "$1"
		diag "got $2, wanted $3 to $4"
	fi
}

# --- network

kernel_is_at_least() { # MAJOR MINOR
	local major minor rest
	IFS=.- read -r major minor rest < <(uname -r)
	[ "$major" -gt "$1" ] || { [ "$major" -eq "$1" ] && [ "$minor" -ge "$2" ]; }
}

net() { nsenter --net=/run/netns/net -- "$@"; }

make_network() {
	ip netns add net && ip link add eth1 type veth peer name peer0 netns net || return
	ip address add "$host4/24" dev eth1
	net ip address add "$server4/24" dev peer0
	net ip address add "$stranger4/24" dev peer0
	net ip link set lo up
	ip link set eth1 up
	net ip link set peer0 up
	ping -c 1 -w 5 "$server4" >/dev/null
}

set_mtu() {
	ip link set eth1 mtu "$1" && net ip link set peer0 mtu "$1"
}

site() { # MODE
	cat >"$work/eth1.yaml" <<-END
	interface: eth1
	mode: $1
	ping: peers
	flows:
	  - {name: backup, from: [$server4], to: self, tcp: 6000}
	END
}

attach() { build/bkxdp attach eth1 --config "$work/eth1.yaml"; }
detach() { build/bkxdp detach eth1; }
status() { build/bkxdp status eth1 --json | jq -r "$1"; }
reason() { status ".reasons[] | select(.reason == \"$1\") | .${2:-packets}"; }
backup() { status ".flows[] | select(.flow == \"backup\") | .$1"; }
pings() { net ping -q -c "$2" -i 0.2 -w "${4:-10}" -I "$1" -s "${3:-56}" "$host4"; }
pings_in_vain() { ! pings "$1" 3 56 1; }

nothing_is_left() {
	local pins
	pins=$(find /sys/fs/bpf -path '*/bkxdp/*' -o -path '*/xdp/*')
	[ -z "$pins" ] || { echo "pinned: $pins"; return 1; }
	! ip -d link show eth1 | grep xdp
}

# The next connections of "net" come from this address: busybox's nc can't choose.
come_from() { net ip route replace "$host4" dev peer0 src "$1"; }

# nc ends when its input does, and $never has none.
send_backup() {
	timeout 30 nc -l -p 6000 <&"$never" | wc -c >"$work/received" &
	sleep 0.3
	come_from "$server4"
	dd if=/dev/zero bs=64k count=16 2>/dev/null | net timeout 30 nc "$host4" 6000
	wait
}

connects_not() { # FROM PORT
	come_from "$1"
	! net timeout 1 nc "$host4" "$2" <&"$never"
}

# What a policy is for, by real packets; each is counted once.
traffic() { # WHAT
	local before
	before=$(reason ping)
	check "$1: the server's pings are answered" pings "$server4" 3
	is "$1: and counted" "$(reason ping)" $((before + 3))
	before=$(reason icmp)
	check "$1: a stranger's are not" pings_in_vain "$stranger4"
	is_between "$1: but counted" $(($(reason icmp) - before)) 3 60
	before=$(backup bytes)
	send_backup
	is "$1: a backup arrives whole" "$(cat "$work/received")" "$mebibyte"
	is_between "$1: and is counted whole" $(($(backup bytes) - before)) \
		"$mebibyte" $((mebibyte * 11 / 10))
	before=$(reason port)
	check "$1: another port is closed to the server" connects_not "$server4" 22
	is_between "$1: which counts as 'port'" $(($(reason port) - before)) 1 4
	before=$(reason source)
	check "$1: the backup's port is closed to a stranger" connects_not "$stranger4" 6000
	is_between "$1: which counts as 'source'" $(($(reason source) - before)) 1 4
}

# --- what is tested

# From 5.19 the kernel takes programs that have functions of their own into a dispatcher.
kernel_is_at_least 5 19 && joins=true || joins=false
frags=$(awk '$1 == "frags" { print $2 == "yes" ? "true" : "false" }' /run/probe)

driver_mode() {
	local before
	site native
	check "native: attach" attach || return
	is "native: status says so" "$(status .mode)" native
	is "native: with frames of several buffers, where the kernel has them" "$(status .frags)" "$frags"
	echo "@probe dispatcher $([ "$(status .alone)" = false ] && echo yes || echo no)"
	is "native: in a dispatcher, where the kernel takes it" "$(status .alone)" \
		"$([ "$joins" = true ] && echo false || echo true)"
	traffic native
	before=$(reason ping)
	check "native: reload" build/bkxdp reload eth1 --config "$work/eth1.yaml"
	is "native: counters go on" "$(reason ping)" "$before"
	check "native: detach" detach
	check "native: nothing is left" nothing_is_left
	check "native: a stranger's pings are answered again" pings "$stranger4" 1
}

generic_mode() {
	site generic
	check "generic: attach" attach || return
	says "generic: says what it costs" "$said" 'GRO|LRO'
	is "generic: status says so" "$(status .mode)" generic
	traffic generic
	check "generic: detach" detach
	check "generic: nothing is left" nothing_is_left
}

jumbo() { # MODE, which it must be in
	local before
	before=$(reason ping bytes)
	check "MTU 9000, $1: pings of 8000 bytes are answered" pings "$server4" 3 8000
	is "MTU 9000, $1: and counted whole" $(($(reason ping bytes) - before)) $((3 * 8042))
}

jumbo_frames() {
	set_mtu 9000
	site auto
	if [ "$frags" = true ]; then
		check "MTU 9000: attach" attach || return
		is "MTU 9000: in driver mode" "$(status .mode)" native
		jumbo native
		traffic "MTU 9000, native"
	else
		skip "MTU 9000: in driver mode" "this kernel has no frames of several buffers"
		check "MTU 9000: attach" attach || return
		is "MTU 9000: falls back to generic mode" "$(status .mode)" generic
		says "MTU 9000: and says so" "$said" generic
		jumbo generic
	fi
	check "MTU 9000: detach" detach
	if [ "$frags" != true ]; then
		site native
		ends "MTU 9000: driver mode is refused if it must be" 1 attach
		says "MTU 9000: with the way out" "$said" 'generic|auto'
	fi
	check "MTU 9000: nothing is left" nothing_is_left
	set_mtu 1500
}

# --- beside another program, loaded by xdp-loader

other_on() { xdp-loader load -m native eth1 build/vm/pass.bpf.o; }
other_id() { xdp-loader status eth1 | awk '$3 == "other" { print $4 }'; }
other_off() { xdp-loader unload eth1 -i "$(other_id)"; }
other_reached() { bpftool -j map dump name reached | jq '.[0].formatted.value // .[0].value'; }
order() { xdp-loader status eth1 | awk '$1 == "=>" { printf "%s ", $3 }'; }

no_room_beside() {
	check "beside: xdp-loader attaches another program" other_on
	site auto
	ends "beside: attach is refused where the kernel can't have both" 1 attach
	says "beside: and says why" "$said" 'other|XDP'
	diag "it says: $said"
	is "beside: the other stays" "$(order)" "other "
	check "beside: which is all that stays" test -z "$(find /sys/fs/bpf -path '*/bkxdp/*')"
	check "beside: the other can go" other_off
	check "beside: nothing is left" nothing_is_left
	skip "beside: both at work" "this kernel takes no program with functions into a dispatcher"
}

both_at_work() { # WHAT
	local before
	is "$1: bkxdp runs first" "$(order)" "bkxdp other "
	is "$1: status names the other" "$(status '.beside[]')" other
	before=$(other_reached)
	check "$1: what bkxdp drops" pings_in_vain "$stranger4"
	is "$1: does not reach the other" "$(other_reached)" "$before"
	check "$1: what it passes" pings "$server4" 3
	is_between "$1: does" $(($(other_reached) - before)) 3 8
}

other_came_first() {
	local before
	check "other first: attach" attach || return
	both_at_work "other first"
	check "other first: bkxdp goes" detach
	is "other first: the other stays" "$(order)" "other "
	check "other first: no pin of bkxdp is left" test -z "$(find /sys/fs/bpf -path '*/bkxdp/*')"
	before=$(other_reached)
	check "other first: a stranger's pings are answered again" pings "$stranger4" 3
	is_between "other first: and reach the other" $(($(other_reached) - before)) 3 8
	check "other first: the other goes" other_off
	check "other first: nothing is left" nothing_is_left
}

bkxdp_came_first() {
	local before
	check "bkxdp first: attach" attach || return
	check "bkxdp first: one ping" pings "$server4" 1
	before=$(reason ping)
	check "bkxdp first: the other joins" other_on
	is "bkxdp first: counters go on" "$(reason ping)" "$before"
	both_at_work "bkxdp first"
	traffic "bkxdp first"
	before=$(reason ping)
	check "bkxdp first: the other goes" other_off
	is "bkxdp first: counters go on without it" "$(reason ping)" "$before"
	is "bkxdp first: none beside" "$(status '.beside | length')" 0
	check "bkxdp first: alone again it drops" pings_in_vain "$stranger4"
	check "bkxdp first: and passes" pings "$server4" 3
	is "bkxdp first: and counts" "$(reason ping)" $((before + 3))
	check "bkxdp first: bkxdp goes" detach
	check "bkxdp first: nothing is left" nothing_is_left
}

beside_another() {
	if [ "$joins" = false ]; then
		no_room_beside
		return
	fi
	site native
	check "other first: xdp-loader attaches another program" other_on
	other_came_first
	bkxdp_came_first
}

echo "TAP version 13"
mkdir -p "$work" && mkfifo "$work/never" && exec {never}<>"$work/never"
if ! make_network; then
	echo "Bail out! no network"
	exit 1
fi
driver_mode
generic_mode
jumbo_frames
beside_another
echo "1..$points"
[ "$failures" = 0 ]
