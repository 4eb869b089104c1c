#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# nmap, which knows nothing of bkxdp, scans from a peer and from a stranger, in the ways that
# get past simple packet filters. First it scans without the filter and finds all that listens,
# so that "found nothing" means something.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/puppets.sh
. "$(dirname "$0")/puppets.sh"

readonly few=1-600,1020-1030,2540-2550,3000-3003,8086,8087,9999,10000 \
	many=1-4096,8000-8100,9990-10010,50000-50200 \
	fewest=1-40,111,2548,3000-3003,8086,9999,10000 datagrams=150-200,9000-9003
# The policy allows 22, 2548, 3000 and 3002 of these, and UDP 9000.
readonly listeners='22/open 111/open 2548/open 3000/open 3002/open 8086/open 9999/open 10000/open'
readonly allowed='22/open 2548/open 3000/open 3001/closed 3002/open 3003/closed'
readonly pieces=(-sS --mtu 24 --data-length 64)
readonly allowed_ack='22/unfiltered 2548/unfiltered 3000/unfiltered 3001/unfiltered 3002/unfiltered 3003/unfiltered'

policy() { # sockets|flags [drop|peers]
	local servers="[$server4, '$server6']"
	write_file <<-END
	use:
	  - profile: ibm-cloud-backup
	    as: agent
	    addresses: {portal: $servers, amp-proxy: $servers, director: $servers, manager: $servers}
	flows:
	  - {name: ssh, from: $servers, to: self, tcp: 22}
	  - {name: site, from: $servers, to: self, tcp: 3000-3003, udp: 9000-9001}
	connections: $1
	fragments: ${2:-drop}
	END
}

policy_with_control() {
	write_file <<-END
	use:
	  - {profile: backup-exec, as: remote-agent, addresses: {media-server: [$server4, '$server6']}}
	END
}

# With one ICMP answer a second, a UDP scan would take long, and some ports would be silent.
answer_at_any_rate() {
	host sh -c 'cd /proc/sys/net
		echo 0 >ipv4/icmp_ratelimit
		echo 0 >ipv6/icmp/ratelimit
		echo 1000000 >ipv4/icmp_msgs_per_sec
		echo 1000000 >ipv4/icmp_msgs_burst' 2>"$WORK/sysctl"
}

# scan FROM PORTS OPTION...: prints "STATE OF MOST: PORT/STATE ...", with all ports that are in
# another state. Without --min-rate, nmap becomes slow if nothing answers.
scan() {
	local family=()
	[[ "$1" != *:* ]] || family=(-6)
	net nmap "${family[@]}" -n -Pn -S "$1" -e peer0 -p "$2" --min-rate 8000 --max-retries 2 \
		--initial-rtt-timeout 500ms --max-rtt-timeout 3s "${@:3}" -oG - "$us" 2>&1 | findings
}

# From "Host: ADDRESS ()	Ports: 22/open/tcp//ssh///, ...	Ignored State: closed (1201)".
findings() {
	awk -F '\t' '
		/\tPorts: / {
			for (i = 2; i <= NF; i++) {
				if (sub(/^Ports: /, "", $i))
					count = split($i, port, ", ")
				else if (sub(/^Ignored State: /, "", $i))
					most = substr($i, 1, index($i, " ") - 1)
			}
			line = most ":"
			for (i = 1; i <= count; i++)
				if (split(port[i], part, "/") > 1)
					line = line " " part[1] "/" part[2]
			print line
			next
		}
		!/^#|Status: Up|^$/ { print "nmap says:", $0 }'
}

# finds WHAT FINDINGS FROM PORTS OPTION...: a line for at_once, which compares.
finds() { printf '%s;%s;%s\n' "$1" "$2" "$(scan "${@:3}")"; }

# The same for an ACK scan whose segments may pass as strays.
finds_strays() { printf '%s;%s;%s\n' "$1" "$2" "$(scan "${@:3}" | without_strays "$2")"; } # AS finds

# Leaves out what strays may show: ports from 1024 on, on which nothing listens.
without_strays() { # FINDINGS THAT STAY
	local most ports port left='' listening=" ${listeners//[a-z\/]/} "
	IFS=: read -r most ports
	for port in $ports; do
		if [[ " ${1#*:} " = *" $port "* || "$port" != */unfiltered || "${port%/*}" -lt 1024 ||
			"$listening" = *" ${port%/*} "* ]]; then
			left+=" $port"
		fi
	done
	echo "$most:$left"
}

# at_once "FUNCTION ARGUMENT"...: scans in parallel, and then a point for each scan in the usual
# order. What runs in parallel must have different addresses, or one scan would take the
# answers to another for its own.
at_once() {
	local lane scanning=() what wanted got
	for lane; do
		# shellcheck disable=SC2086 # words
		$lane >"$WORK/scans of $lane" &
		scanning+=($!)
	done
	wait "${scanning[@]}"
	for lane; do
		[ -s "$WORK/scans of $lane" ] || not_ok "$lane made no scan"
		while IFS=';' read -r what wanted got; do
			is "$what" "$got" "$wanted"
		done <"$WORK/scans of $lane"
	done
}

unfiltered() { # FAMILY
	local is="IPv$1, no filter"
	use_family "$1"
	finds "$is: a SYN scan finds all that listens" "closed: $listeners" "$peer" "$few" -sS
	finds "$is: one from port 8087 does" "closed: $listeners" "$peer" "$few" -sS -g 8087
	finds "$is: an ACK scan gets through" "unfiltered:" "$peer" "$few" -sA
	finds "$is: a FIN scan finds them" "closed: ${listeners//open/open|filtered}" "$peer" "$few" -sF
	finds "$is: a NULL scan does" "closed: ${listeners//open/open|filtered}" "$peer" "$few" -sN
	finds "$is: an Xmas scan does" "closed: ${listeners//open/open|filtered}" "$peer" "$few" -sX
	finds "$is: a UDP scan does" "closed: 161/open 9000/open" "$peer" "$datagrams" -sU
	[ "$1" = 4 ] || return
	finds "$is: a scan in fragments does" "closed: $listeners" "$peer" "$few" -sS -f
	finds "$is: one in larger fragments does" "closed: $listeners" "$peer" "$few" -sS --mtu 24 --data-length 64
}

unfiltered_stranger() { # FAMILY
	use_family "$1"
	finds "IPv$1, no filter: a stranger's SYN scan finds all that listens" "closed: $listeners" \
		"$stranger" "$few" -sS
}

# From a port of a reply flow, later segments to no socket are strays.
from_peer() { # WHAT OPTION...
	local what=$1 ack=finds
	shift
	[ $# = 0 ] || ack=finds_strays
	finds "$what: SYN: what the policy allows, and nothing else" "filtered: $allowed" "$peer" "$few" -sS "$@"
	"$ack" "$what: ACK" "filtered: $allowed_ack" "$peer" "$few" -sA "$@"
	finds "$what: FIN" "open|filtered:" "$peer" "$few" -sF "$@"
	finds "$what: NULL" "open|filtered:" "$peer" "$few" -sN "$@"
	finds "$what: Xmas" "open|filtered:" "$peer" "$few" -sX "$@"
	finds "$what: UDP" "open|filtered: 9000/open 9001/closed" "$peer" "$datagrams" -sU "$@"
}

from_stranger() { # WHAT OPTION...
	local what=$1
	shift
	finds "$what: SYN" "filtered:" "$stranger" "$few" -sS "$@"
	finds "$what: ACK" "filtered:" "$stranger" "$few" -sA "$@"
	finds "$what: FIN" "open|filtered:" "$stranger" "$few" -sF "$@"
	finds "$what: NULL" "open|filtered:" "$stranger" "$few" -sN "$@"
	finds "$what: Xmas" "open|filtered:" "$stranger" "$few" -sX "$@"
	finds "$what: UDP" "open|filtered:" "$stranger" "$datagrams" -sU "$@"
}

scans_of_peer() { # FAMILY
	use_family "$1"
	from_peer "IPv$1"
	from_peer "IPv$1, from port 8087" -g 8087
}

scans_of_stranger() { # FAMILY
	use_family "$1"
	from_stranger "IPv$1, a stranger"
	from_stranger "IPv$1, a stranger from port 8087" -g 8087
}

# Few ports, because later fragments pass: if their first one was dropped, they stay in the host's
# memory for 30 seconds, and may be joined with others of the same id.
fragments_of_peer() { # drop|peers
	local is="fragments: $1" wanted=()
	use_family 4
	# With -g, nmap overlooks a reset that also acknowledges the data.
	[ "$1" = drop ] || wanted=(" $allowed" ' 22/open 2548/open 3000/open 3002/open')
	finds "$is: in pieces of 8 bytes" "filtered:" "$peer" "$fewest" -sS -f
	finds "$is: in pieces of 8 bytes from port 8087" "filtered:" "$peer" "$fewest" -sS -f -g 8087
	finds "$is: in pieces that hold the TCP header" "filtered:${wanted[0]-}" \
		"$peer" "$fewest" "${pieces[@]}"
	finds "$is: in such pieces from port 8087" "filtered:${wanted[1]-}" "$peer" "$fewest" "${pieces[@]}" -g 8087
}

fragments_of_stranger() { # drop|peers
	local is="fragments: $1"
	use_family 4
	finds "$is: a stranger's" "filtered:" "$stranger" "$fewest" "${pieces[@]}"
	finds "$is: a stranger's from port 8087" "filtered:" "$stranger" "$fewest" "${pieces[@]}" -g 8087
}

fragmented() {
	local mode
	for mode in drop peers; do
		policy sockets "$mode"
		check "fragments: $mode: reload" reload
		at_once "fragments_of_peer $mode" "fragments_of_stranger $mode"
	done
}

# With flags, an ACK from an allowed source port reaches high ports, as docs/verdicts.md says.
by_flags() { # FAMILY
	local is="IPv$1, flags" ports=22,111,1023,1024,2548,9999,65535
	use_family "$1"
	finds "$is: SYN" "filtered: $allowed" "$peer" "$few" -sS
	finds "$is: SYN from port 8087" "filtered: $allowed" "$peer" "$few" -sS -g 8087
	finds "$is: ACK" "filtered: $allowed_ack" "$peer" "$few" -sA
	finds "$is: ACK from port 8087: ports from 1024 on, which answer with a reset" \
		": 22/unfiltered 111/filtered 1023/filtered 1024/unfiltered 2548/unfiltered 9999/unfiltered 65535/unfiltered" \
		"$peer" "$ports" -sA -g 8087
}

stranger_by_flags() { # FAMILY
	use_family "$1"
	finds "IPv$1, flags: a stranger's ACK from port 8087" "filtered:" "$stranger" "$few" -sA -g 8087
}

data_without_control() { # FAMILY
	local is="IPv$1, data: 1025-65535, no control connection"
	use_family "$1"
	finds "$is: SYN" "filtered: 10000/open" "$peer" "$many" -sS
	finds "$is: SYN from port 6101" "filtered: 10000/open" "$peer" "$many" -sS -g 6101
	finds_strays "$is: ACK" "filtered: 10000/unfiltered" "$peer" "$few" -sA
	finds_strays "$is: ACK from port 6101" "filtered: 10000/unfiltered" "$peer" "$few" -sA -g 6101
	finds "$is: FIN" "open|filtered:" "$peer" "$few" -sF
	finds "$is: UDP" "open|filtered:" "$peer" "$datagrams" -sU
}

stranger_without_control() { # FAMILY
	use_family "$1"
	finds "IPv$1, data: 1025-65535, no control connection: a stranger's SYN" "filtered:" "$stranger" "$many" -sS
}

data_with_control() { # FAMILY
	use_family "$1"
	finds "IPv$1, data: 1025-65535, a control connection: data ports, and no other" \
		"filtered: 1025/closed 1026/closed 3000/open 9999/open 10000/open 50007/open" \
		"$peer" 1-100,111,1020-1026,3000,9999,10000,50007 -sS
}

stranger_with_control() { # FAMILY
	use_family "$1"
	finds "IPv$1, data: 1025-65535, another's control connection" "filtered:" "$stranger" "$many" -sS
}

data_after_control() { # FAMILY
	use_family "$1"
	finds "IPv$1, data: 1025-65535, its control connection has ended" "filtered: 10000/open" "$peer" "$many" -sS
}

needs nmap
make_network
make_quiet
answer_at_any_rate
puppet net net
listen host tcp:22 tcp:111 tcp:2548 tcp:3000 tcp:3002 tcp:8086 tcp:9999 tcp:10000 tcp:50007 udp:161 udp:9000

at_once 'unfiltered 4' 'unfiltered_stranger 4' 'unfiltered 6' 'unfiltered_stranger 6'

policy sockets
check "attach" attach
at_once 'scans_of_peer 4' 'scans_of_stranger 4' 'scans_of_peer 6' 'scans_of_stranger 6'
fragmented

policy flags
check "connections: flags" reload
at_once 'by_flags 4' 'stranger_by_flags 4' 'by_flags 6' 'stranger_by_flags 6'

policy_with_control
check "data that needs control" reload
at_once 'data_without_control 4' 'stranger_without_control 4' 'data_without_control 6' 'stranger_without_control 6'
for family in 4 6; do
	use_family "$family"
	check "IPv$family: a control connection" at net connect "control$family" "$peer" 0 "$us" 10000
done
at_once 'data_with_control 4' 'stranger_with_control 4' 'data_with_control 6' 'stranger_with_control 6'
check "the control connections end" at net close control4 control6
at_once 'data_after_control 4' 'data_after_control 6'

check "detach" bkxdp detach eth1
check "leaves nothing" nothing_is_left
finish
