#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A judge that knows nothing of bkxdp: nmap, from a peer and from a stranger, with the
# scans that get past simple packet filters. First without the filter, so that "found
# nothing" means something: nmap sees all that listens then.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/puppets.sh
. "$(dirname "$0")/puppets.sh"

readonly few=1-600,1020-1030,2540-2550,3000-3003,8086,8087,9999,10000 \
	many=1-4096,8000-8100,9990-10010,50000-50200 \
	fewest=1-40,111,2548,3000-3003,8086,9999,10000 datagrams=150-200,9000-9003
# Of these the policy allows 22, 2548, 3000 and 3002, and of UDP 9000.
readonly listeners='22/open 111/open 2548/open 3000/open 3002/open 8086/open 9999/open 10000/open'
readonly allowed='22/open 2548/open 3000/open 3001/closed 3002/open 3003/closed'
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

# One answer of ICMP a second would make a UDP scan long, and some ports silent.
answer_at_any_rate() {
	host sh -c 'cd /proc/sys/net
		echo 0 >ipv4/icmp_ratelimit
		echo 0 >ipv6/icmp/ratelimit
		echo 1000000 >ipv4/icmp_msgs_per_sec
		echo 1000000 >ipv4/icmp_msgs_burst' 2>"$WORK/sysctl"
}

# scan FROM PORTS OPTION...: "STATE OF MOST: PORT/STATE ...", where no port but those is in another state.
# Without --min-rate nmap becomes slow where nothing answers.
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

# finds WHAT FINDINGS FROM PORTS OPTION...
finds() {
	is "$1" "$(scan "${@:3}")" "$2"
}

unfiltered() { # FAMILY
	local is="IPv$1, no filter"
	finds "$is: a SYN scan finds all that listens" "closed: $listeners" "$peer" "$few" -sS
	finds "$is: a stranger's does" "closed: $listeners" "$stranger" "$few" -sS
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

from_peer() { # WHAT OPTION...
	local what=$1
	shift
	finds "$what: SYN: what the policy allows, and nothing else" "filtered: $allowed" "$peer" "$few" -sS "$@"
	finds "$what: ACK" "filtered: $allowed_ack" "$peer" "$few" -sA "$@"
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

# Few ports: later fragments pass, and those whose first was dropped stay in the host's memory
# for 30 seconds, where they meet others with the same id.
fragmented() {
	local mode is wanted=() pieces=(-sS --mtu 24 --data-length 64)
	for mode in drop peers; do
		policy sockets "$mode"
		reload >/dev/null 2>&1
		is="fragments: $mode"
		# With -g, nmap itself overlooks a reset that acknowledges the data, too.
		[ "$mode" = drop ] || wanted=(" $allowed" ' 22/open 2548/open 3000/open 3002/open')
		finds "$is: in pieces of 8 bytes" "filtered:" "$peer" "$fewest" -sS -f
		finds "$is: from port 8087" "filtered:" "$peer" "$fewest" -sS -f -g 8087
		finds "$is: in pieces that hold the TCP header" "filtered:${wanted[0]-}" \
			"$peer" "$fewest" "${pieces[@]}"
		finds "$is: from port 8087" "filtered:${wanted[1]-}" "$peer" "$fewest" "${pieces[@]}" -g 8087
		finds "$is: a stranger's" "filtered:" "$stranger" "$fewest" "${pieces[@]}"
		finds "$is: a stranger's from port 8087" "filtered:" "$stranger" "$fewest" "${pieces[@]}" -g 8087
	done
	policy sockets
	reload >/dev/null 2>&1
}

# What docs/verdicts.md says of flags: an ACK with an allowed source port gets through to high ports.
by_flags() { # FAMILY
	local is="IPv$1, flags" ports=22,111,1023,1024,2548,9999,65535
	finds "$is: SYN" "filtered: $allowed" "$peer" "$few" -sS
	finds "$is: SYN from port 8087" "filtered: $allowed" "$peer" "$few" -sS -g 8087
	finds "$is: ACK" "filtered: $allowed_ack" "$peer" "$few" -sA
	finds "$is: ACK from port 8087: ports from 1024 on, which answer with a reset" \
		": 22/unfiltered 111/filtered 1023/filtered 1024/unfiltered 2548/unfiltered 9999/unfiltered 65535/unfiltered" \
		"$peer" "$ports" -sA -g 8087
	finds "$is: a stranger's ACK from port 8087" "filtered:" "$stranger" "$few" -sA -g 8087
}

data_without_control() { # FAMILY
	local is="IPv$1, data: 1025-65535"
	finds "$is, no control connection: SYN" "filtered: 10000/open" "$peer" "$many" -sS
	finds "$is: SYN from port 6101" "filtered: 10000/open" "$peer" "$many" -sS -g 6101
	finds "$is: ACK" "filtered: 10000/unfiltered" "$peer" "$few" -sA
	finds "$is: ACK from port 6101" "filtered: 10000/unfiltered" "$peer" "$few" -sA -g 6101
	finds "$is: FIN" "open|filtered:" "$peer" "$few" -sF
	finds "$is: UDP" "open|filtered:" "$peer" "$datagrams" -sU
	finds "$is: a stranger's SYN" "filtered:" "$stranger" "$many" -sS
}

data_with_control() { # FAMILY
	local is="IPv$1, data: 1025-65535"
	at net connect control "$peer" 0 "$us" 10000
	finds "$is, a control connection: data ports, and no other" \
		"filtered: 1025/closed 1026/closed 3000/open 9999/open 10000/open 50007/open" \
		"$peer" 1-100,111,1020-1026,3000,9999,10000,50007 -sS
	finds "$is, another's control connection" "filtered:" "$stranger" "$many" -sS
	at net close control
	finds "$is, it has ended" "filtered: 10000/open" "$peer" "$many" -sS
}

needs nmap
make_network
make_quiet
answer_at_any_rate
puppet net net
listen host tcp:22 tcp:111 tcp:2548 tcp:3000 tcp:3002 tcp:8086 tcp:9999 tcp:10000 tcp:50007 udp:161 udp:9000

for family in 4 6; do
	use_family "$family"
	unfiltered "$family"
done

policy sockets
check "attach" attach
for family in 4 6; do
	use_family "$family"
	from_peer "IPv$family"
	from_peer "IPv$family, from port 8087" -g 8087
	from_stranger "IPv$family, a stranger"
	from_stranger "IPv$family, a stranger from port 8087" -g 8087
done
use_family 4
fragmented

policy flags
check "connections: flags" reload
for family in 4 6; do
	use_family "$family"
	by_flags "$family"
done

policy_with_control
check "data that needs control" reload
for family in 4 6; do
	use_family "$family"
	data_without_control "$family"
	data_with_control "$family"
done

check "detach" bkxdp detach eth1
check "leaves nothing" nothing_is_left
finish
