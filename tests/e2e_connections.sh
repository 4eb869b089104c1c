#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Replies. Connections that this host opens work in every state of TCP, whatever is done to
# the filter meanwhile. Packets that only look like answers are dropped, and each is counted
# once: with `connections: sockets` by the socket table, with `connections: flags` as far as
# flags can tell. A few segments of no connection pass as strays, so that a server learns that
# its client has crashed.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/puppets.sh
. "$(dirname "$0")/puppets.sh"

readonly servers="[$server4, '$server6']"

policy() { # sockets|flags [LINE OF LIVEVAULT'S]
	write_file <<-END
	use:
	  - profile: ibm-cloud-backup
	    as: agent
	    addresses: {portal: $servers, amp-proxy: $servers, director: $servers, manager: [10.99.0.1]}
	  - profile: livevault
	    as: agent
	    addresses: {primary-gateway: $servers, backup-gateway: $servers}
	    ${2:-}
	flows:
	  - {name: names, from: self, to: [$server4, 10.20.30.7, '$server6', '2001:db8:20::7'], udp: [5301, 5302]}
	  - {name: link, from: self, to: ['fe80::/64'], tcp: 9001}
	  - {name: ssh, from: $servers, to: self, tcp: 22}
	connections: $1
	END
}

# Opens a connection from `host` to a server in `net`; on both sides its socket is called NAME.
open_connection() { # NAME PORT [OUR PORT]
	at host connect "$1" "$us" "${3:-0}" "$peer" "$2" && at net accept "$1" "server-$2"
}

# Sends one word each way.
talks() { # NAME
	at host send "$1" ask && [ "$(at net take "$1")" = ask ] &&
		at net send "$1" answer && [ "$(at host take "$1")" = answer ]
}

close_both() { # NAME...
	at host close "$@"
	at net close "$@"
}

serves() { # PORT [OUR PORT]
	open_connection c "$@" && talks c && close_both c
}

cannot_connect() { # PORT [OUR PORT]
	! at host connect c "$us" "${2:-0}" "$peer" "$1" 0.7
}

listen_all() {
	local port
	for port in 8086 8087 554 2546 9000; do
		at net listen "server-$port" "$peer" "$port"
	done
}

stop_listening() {
	at net close server-8086 server-8087 server-554 server-2546 server-9000
}

# --- connections of every kind, of which nothing may be dropped

ports_and_profiles() {
	local port
	for port in 8086 8087 2546; do
		check "IPv$1: to $port" serves "$port"
	done
	is "IPv$1: nobody serves 2147, which is told at once" "$(at host connect c "$us" 0 "$peer" 2147)" \
		"Connection refused"
	check "IPv$1: then 554" serves 554
	for port in 1024 32768 65535; do
		check "IPv$1: from port $port" serves 8087 "$port"
	done
}

simultaneous_open() { # FAMILY
	# Our first SYN goes to a MAC address that nobody has, so that the peer's SYN arrives first.
	ip -n host neighbour replace "$peer" lladdr 02:00:00:00:00:99 dev eth1
	at host begin c "$us" 40001 "$peer" 2546
	at net close server-2546
	is "IPv$1: our SYN is on its way" "$(at host state c)" syn-sent
	ip -n host neighbour replace "$peer" lladdr 02:00:00:00:00:05 dev eth1
	at net begin c "$peer" 2546 "$us" 40001
	check "IPv$1: simultaneous open" busywait 20 is_state host c established
	check "IPv$1: on the other side" busywait 20 is_state net c established
	check "IPv$1: it carries data" talks c
	close_both c
	at net listen server-2546 "$peer" 2546
}

half_closed() { # FAMILY FIRST SECOND
	check "IPv$1: a connection" open_connection c 8087
	at "$2" shut c
	is "IPv$1: $2 ends its direction" "$(at "$3" take c)" end
	at "$3" pour c 4
	at "$2" drain c
	is "IPv$1: the other direction goes on" "$(at "$2" result drain c)" "$(at "$3" result pour c)"
	close_both c
}

in_state() { # STATE OUR PORT: of a socket of the kernel, which no process need hold
	[ -n "$(host ss -Htan state "$1" sport = ":$2")" ]
}

time_wait() { # FAMILY
	open_connection c 8087 40002
	at host close c
	is "IPv$1: we close first" "$(at net take c)" end
	check "IPv$1: half of the connection is left" busywait 20 in_state fin-wait-2 40002
	at net close c
	check "IPv$1: and then TIME_WAIT" busywait 20 in_state time-wait 40002
	is "IPv$1: a segment to it passes" "$(moves forge "$peer" 8087 "$us" 40002 R)" "pass flow +1"
	is "IPv$1: one to the next port does not" "$(moves forge "$peer" 8087 "$us" 40003 R)" \
		"drop connection +1"
}

server_closes_first() { # FAMILY
	open_connection c 8087
	at net close c
	is "IPv$1: the server closes first" "$(at host take c)" end
	is "IPv$1: our side waits" "$(at host state c)" close-wait
	at host close c
}

reset_by_peer() { # FAMILY
	open_connection c 8087
	at net reset c
	is "IPv$1: a reset of the peer's arrives" "$(at host take c)" "Connection reset by peer"
	at host close c
}

# The flow cache keeps a verdict for a moment after the socket has gone, and no longer.
socket_has_gone() { # FAMILY
	open_connection c 8087 40004
	talks c
	at host reset c
	at net close c
	at host udp c "$us" 40005
	forge "$peer" 5301 "$us" 40005 udp >/dev/null
	at host close c
	sleep 1.5
	is "IPv$1: after the end of a connection: segments to where it was" \
		"$(moves forge "$peer" 8087 "$us" 40004 A PA R --count 6)" "drop connection +2, pass stray +4"
	is "IPv$1: after the end of a UDP socket: datagrams to where it was" \
		"$(moves forge "$peer" 5301 "$us" 40005 udp --count 3)" "drop connection +3"
}

# --- a client that has crashed, and segments of no connection

# The kernel's memory of the connection is gone, and nothing has told the server.
vanished() { # FAMILY
	local before
	check "IPv$1: a connection" open_connection c 8087
	talks c
	at host vanish c
	next_strays # and what the flow cache kept has lapsed
	before=$(resets)
	is "IPv$1: our side has crashed; what the server sends is a stray" \
		"$(moves at net send c ask)" "pass stray +1"
	is "IPv$1: the server learns of it" "$(at net take c 2)" "Connection reset by peer"
	is "IPv$1: by one reset" "$(($(resets) - before))" 1
	at net close c
}

vanished_for_fin() { # FAMILY
	check "IPv$1: a connection" open_connection c 8087
	at host vanish c
	next_strays
	is "IPv$1: the server ends a connection that has crashed" "$(moves at net shut c)" "pass stray +1"
	is "IPv$1: and learns of it, too" "$(at net take c 2)" "Connection reset by peer"
	at net close c
}

# No more than so many; the rest is dropped as before, and each that passed gets one reset.
many_strays() { # FAMILY
	local old_resets old start most moved strays drops
	next_strays
	old_resets=$(resets) old=$(tally) start=${EPOCHREALTIME/./}
	forge "$peer" 8087 "$us" 61020-61999 A PA FA --count 2000 >/dev/null
	most=$(strays_within $(((${EPOCHREALTIME/./} - start) / 1000)))
	moved=$(moved_since "$old")
	says "IPv$1: 2,000 forged segments: some are strays" "$moved" \
		'^drop connection \+[0-9]+, pass stray \+[0-9]+$'
	drops=${moved%%,*} drops=${drops##*+} strays=${moved##*+}
	is_between "IPv$1: at most 16 a second and processor" "$strays" 16 "$most"
	is "IPv$1: all others are dropped" "$drops" $((2000 - strays))
	is "IPv$1: the host answers each stray with a reset, and nothing else" \
		"$(($(resets) - old_resets))" "$strays"
	is "IPv$1: and has opened no connection" "$(host ss -Htan state established state syn-recv \
		'( sport >= :61020 and sport <= :61999 )')" ""
}

kinds_of_sockets() {
	use_family 4
	check "an IPv6 socket to an IPv4 address" at host connect c ::ffff:$us 0 ::ffff:$peer 8087
	at net accept c server-8087
	check "carries data" talks c
	close_both c
	check "a socket bound to the interface" at host connect c "$us" 0 "$peer" 8087 5 eth1
	at net accept c server-8087
	check "carries data" talks c
	close_both c
}

link_local() {
	local here there
	here=fe80::ff:fe00:1%eth1 there=fe80::ff:fe00:5
	at net listen link "$there%peer0" 9001
	check "link-local addresses" at host connect c "$here" 0 "$there%eth1" 9001
	at net accept c link
	check "carry data" talks c
	close_both c
	at net close link
}

every_kind() { # WHEN
	local before family
	before=$(tally)
	for family in 4 6; do
		use_family "$family"
		listen_all
		ports_and_profiles "$family"
		half_closed "$family" host net
		half_closed "$family" net host
		server_closes_first "$family"
		reset_by_peer "$family"
		[ "$family" = 6 ] || kinds_of_sockets
		stop_listening
	done
	link_local
	is "$1: nothing of all that is dropped" "$(drops_since "$before")" ""
}

odd_kinds() {
	local before family
	for family in 4 6; do
		use_family "$family"
		listen_all
		before=$(tally)
		simultaneous_open "$family"
		is "IPv$family: nothing of it is dropped" "$(drops_since "$before")" ""
		time_wait "$family"
		socket_has_gone "$family"
		vanished "$family"
		vanished_for_fin "$family"
		many_strays "$family"
		stop_listening
	done
}

pinned() {
	policy sockets 'ports: {tunnel: 554}'
	reload >/dev/null 2>&1
	for family in 4 6; do
		use_family "$family"
		listen_all
		is "IPv$family: with the tunnel on 554, the answer from 2147 is dropped" \
			"$(moves cannot_connect 2147)" "drop port +1"
		check "IPv$family: 554 works" serves 554
		stop_listening
	done
	policy sockets
	reload >/dev/null 2>&1
}

# --- UDP

# Asks with the socket `c`, and checks that the server's `s` gets the question.
asks() { # ADDRESS PORT
	at host post c "$1" "$2" ask && [ "$(at net take s)" = ask ]
}

# Sends a datagram from a socket of the server to ours.
answer() { # SOCKET
	at net post "$1" "$us" "$(at host port c)" answer
}

datagrams() { # FAMILY
	at net udp s "$peer" 5301
	at net udp next-port "$peer" 5302
	at net udp elsewhere "$other" 5301

	at host udp c "$us" 0
	check "IPv$1: UDP, a question" asks "$peer" 5301
	is "IPv$1: and its answer" "$(moves answer s)" "pass flow +1"
	is "IPv$1: arrives" "$(at host take c)" answer
	is "IPv$1: to a socket that is not connected, any peer's" "$(moves answer elsewhere)" "pass flow +1"
	at host close c

	at host udp c "$us" 0 "$peer" 5301
	at host send c ask
	is "IPv$1: a connected socket's question" "$(at net take s)" ask
	is "IPv$1: and its answer" "$(moves answer s)" "pass flow +1"
	is "IPv$1: arrives" "$(at host take c)" answer
	is "IPv$1: from another port" "$(moves answer next-port)" "$2"
	is "IPv$1: from another peer" "$(moves answer elsewhere)" "$2"
	check "IPv$1: neither arrives" at host silent c
	is "IPv$1: to a port where nobody is" \
		"$(moves forge "$peer" 5301 "$us" 45454 udp --count 3 --data 9)" "${2/+1/+3}"
	at host close c
	at net close s next-port elsewhere
}

datagrams_by_address() {
	ip -n host address add 10.20.30.2/24 dev eth1
	use_family 4
	at host udp c "$us" 45000
	is "UDP to another address of ours than the socket's" \
		"$(moves forge "$peer" 5301 10.20.30.2 45000 udp)" "drop connection +1"
	at host close c
	at host udp c :: 45000
	is "UDP over IPv4 to a socket for both families" \
		"$(moves forge "$peer" 5301 10.20.30.2 45000 udp)" "pass flow +1"
	at host close c
	ip -n host address del 10.20.30.2/24 dev eth1
}

# --- forged segments from the address of the allowed peer and from the allowed port

# Sends five segments of each kind but SYN. The second MOVES is for later segments, if they
# differ.
forged() { # WHAT OUR_PORT MOVES [MOVES]
	local what=$1 flags data name wanted
	next_strays
	while read -r flags data name; do
		wanted=$3
		[[ "$flags" == *[SR]* ]] || wanted=${4:-$3}
		is "$what: forged $name" \
			"$(moves forge "$peer" 8087 "$us" "$2" "$flags" --data "$data" --count 5)" "$wanted"
	done <<-END
	A 0 ACK
	SA 0 SYN-ACK
	R 0 RST
	PA 100 data
	FA 0 FIN
	END
}

forgeries() { # FAMILY MODE MOVES [MOVES OF LATER SEGMENTS WITHOUT A SOCKET]
	local before syn="drop connection +5"
	open_connection c 8086 40010
	at host listen high "$us" 9999
	at host listen low "$us" 111
	talks c
	sleep 0.3 # a delayed ACK comes within 0.2 s
	before=$(resets)
	forged "IPv$1, $2, closed port" 40011 "$3" "${4:-}"
	forged "IPv$1, $2, listening port" 9999 "$3"
	forged "IPv$1, $2, port of another connection" 40010 "$3" "${4:-}"
	forged "IPv$1, $2, listening port below 1024" 111 "drop port +5"
	for port in 40011 9999 40010; do
		is "IPv$1, $2: forged SYN to $port" "$(moves forge "$peer" 8087 "$us" "$port" S --count 5)" "$syn"
	done
	[ "$2" = flags ] || is "IPv$1: the host answered the strays, three times five to each of two ports" \
		"$(($(resets) - before))" 30
	check "IPv$1, $2: the connection is as it was" talks c
	is "IPv$1, $2: none of them has opened a connection" "$(host ss -Htan state connected \
		'( sport = :9999 or sport = :111 or sport = :40011 )')" ""
	is "IPv$1, $2: forged, but to a connection that there is" \
		"$(moves forge "$peer" 8086 "$us" 40010 A --count 5)" "pass flow +5"
	close_both c
	at host close high low
}

local_ports() { # FAMILY
	policy sockets
	reload >/dev/null 2>&1
	is "IPv$1: from port 700: the answer is dropped" "$(moves cannot_connect 9000 700)" "drop port +1"
	write_file <<-END
	flows:
	  - {name: low, from: self, to: $servers, tcp: [8087, 9000], local-ports: 700-710}
	END
	reload >/dev/null 2>&1
	check "IPv$1: local-ports: 700-710: from port 700" serves 9000 700
	check "IPv$1: from port 710" serves 9000 710
	is "IPv$1: not from 711" "$(moves cannot_connect 9000 711)" "drop port +1"
	is "IPv$1: nor from 40000" "$(moves cannot_connect 9000 40000)" "drop port +1"
	policy sockets
	reload >/dev/null 2>&1
}

# --- connections that go on while the filter is replaced and taken off

opened_before() { # FAMILY
	open_connection before 8087
	open_connection busy 8086
	transfer_begins busy
}

again_and_again() { # FAMILY
	for _ in 1 2 3 4 5; do
		reload
		bkxdp detach eth1
		attach
	done
}

goes_on() { # FAMILY
	check "IPv$1: replaced and taken away while data flows" again_and_again
	transfer_goes_on "IPv$1: a transfer" busy
	check "IPv$1: a connection opened before attach goes on" talks before
	close_both before busy
}

# --- what can't be judged

# Takes the tables of both slots out of the running filter's outer map.
lose() { # MAP
	local program id slot
	program=$(status .program_id)
	for id in $("$(find_bpftool)" -j prog show id "$program" | jq '.map_ids[]'); do
		[ "$("$(find_bpftool)" -j map show id "$id" | jq -r .name)" = "$1" ] || continue
		for slot in 0 1; do
			"$(find_bpftool)" map delete id "$id" key "$slot" 0 0 0 2>/dev/null
		done
	done
}

without_a_map() { # MAP
	policy sockets
	check "a new policy" reload
	lose "$1"
	is "without $1, nothing can be judged: a packet is dropped" \
		"$(moves forge "$peer" 5301 "$us" 40001 udp)" "drop internal +1"
}

# ---

make_network
make_quiet
puppet host host
puppet net net

policy sockets
for family in 4 6; do
	use_family "$family"
	listen_all
	opened_before "$family"
	[ "$family" = 6 ] || check "attach" attach
	goes_on "$family"
	is "IPv$family: nothing is dropped since the last attach" "$(status '[.reasons[] |
		select(.verdict == "drop") | .packets] | add')" 0
	stop_listening
done

every_kind sockets
odd_kinds
pinned
datagrams_by_address
for family in 4 6; do
	use_family "$family"
	listen_all
	datagrams "$family" "drop connection +1"
	forgeries "$family" sockets "drop connection +5" "pass stray +5"
	local_ports "$family"
	stop_listening
done

policy flags
check "connections: flags" reload
every_kind flags
for family in 4 6; do
	use_family "$family"
	listen_all
	datagrams "$family" "pass flow +1"
	forgeries "$family" flags "pass flow +5"
	before=$(tally)
	simultaneous_open "$family"
	says "IPv$family, flags: the peer's SYN is dropped, and the connection opens all the same" \
		"$(drops_since "$before")" '^drop connection \+[1-3]$'
	stop_listening
done

use_family 4
without_a_map services
without_a_map peers

check "detach" bkxdp detach eth1
check "leaves nothing" nothing_is_left
finish
