#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `replay` and `explain`, end to end: one table of packets through both engines, captures of
# every shape, and the output for people.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

make_network
write_file <<-END
	use:
	  - profile: $open/profiles/backup-exec.yaml
	    as: remote-agent
	    addresses: {media-server: [$server4, 10.20.31.0/24, "$server6"]}
	    ports: {data: 50000-50100}
	flows:
	  - {name: ssh, from: [10.20.40.0/24], to: self, tcp: 22}
	  - {name: log, from: self, to: [10.20.30.7], udp: 514}
	connections: flags
END
file=$WORK/eth1.yaml

# --- captures

# Writes each packet, and the line that it must get. Times are in seconds, written in microseconds.
cat >captures.py <<-'END'
	import json, socket, struct, sys

	SERVER, OTHER, SELF = "10.20.30.5", "10.20.99.9", "10.20.30.1"
	SYN, FIN, ACK = 2, 1, 16

	def ethernet(payload, kind=0x0800, tags=(), to="020000000001"):
	    for tag in reversed(tags):
	        payload = struct.pack("!HH", tag, kind) + payload
	        kind = 0x8100
	    return bytes.fromhex(to + "020000000005") + struct.pack("!H", kind) + payload

	def ipv4(source, protocol, payload, fragment=0):
	    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, fragment, 64, protocol, 0) + \
	        socket.inet_aton(source) + socket.inet_aton(SELF) + payload

	def tcp(source, to, flags=SYN, data=b"", origin=40000, fragment=0):
	    segment = struct.pack("!HHIIBBHHH", origin, to, 1, 1, 0x50, flags, 64240, 0, 0) + data
	    return ethernet(ipv4(source, 6, segment, fragment))

	def udp(source, origin, to):
	    return ethernet(ipv4(source, 17, struct.pack("!HHHH", origin, to, 8, 0)))

	def icmp(source, kind):
	    return ethernet(ipv4(source, 1, struct.pack("!BBHI", kind, 0, 0, 1)))

	def ipv6(payload, next_header, hop=64, source="2001:db8:20::5"):
	    return ethernet(struct.pack("!IHBB", 6 << 28, len(payload), next_header, hop) +
	                    socket.inet_pton(socket.AF_INET6, source) +
	                    socket.inet_pton(socket.AF_INET6, "2001:db8:20::1") + payload, 0x86dd)

	def tcp6(to, flags=SYN):
	    return ipv6(struct.pack("!HHIIBBHHH", 40000, to, 1, 1, 0x50, flags, 64240, 0, 0), 6)

	def flow(name, side="inbound"):
	    return {"verdict": "pass", "flow": name, "side": side}

	def passed(reason):
	    return {"verdict": "pass", "reason": reason}

	def drop(reason):
	    return {"verdict": "drop", "reason": reason}

	control, data = flow("backup-exec/control"), flow("backup-exec/data")
	advertise = flow("backup-exec/advertise", "reply")
	big = b"x" * 1400

	# time, frame, verdict, and the captured bytes if not all were captured
	PACKETS = [
	    (1, tcp(SERVER, 50001), drop("control")),
	    (2, tcp(SERVER, 10000), control),
	    (3, tcp(SERVER, 50001), data),
	    (4, tcp("10.20.31.9", 50001), drop("control")),
	    (5, tcp(SERVER, 10000, ACK, big), control),
	    (6, tcp(SERVER, 10000, FIN | ACK, big), control),
	    (7, tcp(SERVER, 50002), drop("control")),
	    (8, tcp(SERVER, 50001, ACK), data),
	    (8, tcp(SERVER, 10000, ACK), control),
	    (8, tcp(SERVER, 50002), drop("control")),  # the last ACK of a close makes nothing live
	    (9, tcp(SERVER, 10000, origin=40009), control),
	    (9 + 7499, tcp(SERVER, 50003), data),
	    (9 + 7501, tcp(SERVER, 50003), drop("control")),
	    (10, tcp(SERVER, 50003), drop("control")),  # the clock goes back: it does not live again
	    (8500, tcp(SERVER, 22), drop("port")),
	    (8500, tcp("10.20.40.9", 22), flow("site/ssh")),
	    (8500, tcp(OTHER, 22), drop("source")),
	    (8500, tcp(SERVER, 40000, ACK, origin=6101), advertise),
	    (8500, tcp(SERVER, 40000, SYN, origin=6101), drop("connection")),
	    (8500, udp("10.20.30.7", 514, 40000), flow("site/log", "reply")),
	    (8500, icmp(SERVER, 8), passed("ping")),
	    (8500, icmp(OTHER, 8), drop("icmp")),
	    (8500, icmp(OTHER, 3), passed("icmp-error")),
	    (8500, ethernet(bytes(28), 0x0806), passed("arp")),
	    (8500, ethernet(bytes(46), 0x88cc, to="0180c200000e"), passed("link")),
	    (8500, ethernet(bytes(46), 0x88cc), drop("ethertype")),
	    (8500, ipv6(struct.pack("!BBHI16x", 135, 0, 0, 0), 58, 255), passed("nd")),
	    (8500, tcp6(10000), control),
	    (8500, tcp6(50000), data),
	    (8500, tcp(SERVER, 10000, fragment=0x2000), drop("fragment")),
	    (8500, tcp("127.0.0.1", 10000), drop("source-invalid")),
	    (8500, tcp(SERVER, 10000, 0), drop("tcp-flags")),
	    (8500, ethernet(ipv4(SERVER, 47, bytes(8))), drop("protocol")),
	    (8500, ethernet(ipv4(SERVER, 6, bytes(8))), drop("malformed")),
	    (8500, ethernet(ipv4(SERVER, 6, tcp(SERVER, 10000)[34:]), tags=(7,)), control),
	    (8500, ethernet(bytes(40), tags=(1, 2)), drop("vlan")),
	    (8500, tcp(SERVER, 10000, ACK, b"x" * 1400), control, 114),
	    (8500, tcp(SERVER, 10000, ACK, b"x" * 1400), dict(control, cut=True), 60),
	    (8500, tcp(SERVER, 10000, ACK, b"x" * 1400), dict(drop("source-invalid"), cut=True), 20),
	]
	# what no test run takes, and what not every kernel's does
	ODD = [
	    (8501, tcp(SERVER, 10000)[:13], drop("malformed")),
	    (8501, b"\x02", drop("malformed")),
	    (8501, tcp(SERVER, 10000, FIN | ACK, b"x" * 60000, origin=40009), control),
	    (8501, tcp(SERVER, 10000, ACK) + bytes(200000), control),
	    (8502, tcp(SERVER, 10000, origin=40010) + bytes(200000), control),
	    (8503, tcp(SERVER, 50003), data),
	]

	def write(name, expected, packets):
	    with open(name, "wb") as out, open(expected, "w") as lines:
	        out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
	        for n, (when, frame, verdict, *held) in enumerate(packets, 1):
	            kept = frame[:held[0]] if held else frame
	            out.write(struct.pack("<IIII", when, 0, len(kept), len(frame)) + kept)
	            lines.write(json.dumps({"n": n, **verdict}, separators=(",", ":")) + "\n")

	write("table.pcap", "expected", PACKETS)
	write("odd.pcap", "expected.odd", PACKETS + ODD)
	with open("any.pcap", "wb") as out:
	    out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 113))
	with open("none.pcap", "wb") as out:
	    out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
	write("empty.pcap", "expected.empty", [(1, b"", drop("malformed"))] * 2)
	with open("many.pcap", "wb") as out:
	    out.write(struct.pack(">IHHIIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
	    frame = tcp(SERVER, 10000)
	    out.write((struct.pack(">IIII", 1, 0, len(frame), len(frame)) + frame) * 100000)
END

one_table_two_engines() {
	local engine
	for engine in kernel user; do
		bkxdp replay "$file" table.pcap --json --engine "$engine" >lines 2>errors
		is "engine $engine: status" $? 0
		check "engine $engine: each line is as expected" diff -u expected lines
		check "engine $engine: nothing on standard error" test ! -s errors
	done
	bkxdp replay "$file" table.pcap --json >lines 2>errors
	check "by the engine that is permitted: the same" diff -u expected lines
	check "by the engine that is permitted: the kernel's, so nothing on standard error" test ! -s errors
	for engine in kernel user; do
		bkxdp replay "$file" - --json --engine "$engine" <table.pcap >both 2>errors
		check "engine $engine, from standard input" diff -u expected both
		check "engine $engine, from standard input: nothing on standard error" test ! -s errors
	done
	bkxdp replay "$file" - --json <table.pcap >both 2>errors
	check "from standard input, by no engine named" diff -u expected both
	says "from standard input, by no engine named: says who judged" "$(cat errors)" 'user space, because .* pipe'
}

# A packet that a test run in the kernel does not take is judged in user space, with all packets
# before it.
odd_lengths() {
	bkxdp replay "$file" odd.pcap --json >lines 2>errors
	is "frames of odd lengths: status" $? 0
	check "frames of odd lengths: each line is as expected" diff -u expected.odd lines
	says "frames of odd lengths: says who judged" "$(cat errors)" 'user space, because .*test run.* 1 to 65621 bytes$'
	bkxdp replay "$file" odd.pcap --json --engine user >lines 2>errors
	check "frames of odd lengths, engine user: the same" diff -u expected.odd lines
	check "frames of odd lengths, engine user: nothing on standard error" test ! -s errors
	fails "frames of odd lengths, engine kernel" 1 bkxdp replay "$file" odd.pcap --engine kernel
	says "frames of odd lengths, engine kernel: what to do" "$said" 'odd.pcap can.t .*test run.*--engine user takes any'
	says "and nothing was judged" "$(grep -c VERDICT <<<"$said")" '^0$'
	bkxdp replay "$file" - --json --engine kernel <odd.pcap >lines 2>errors
	is "frames of odd lengths through a pipe, engine kernel: status" $? 1
	check "the packets before them are judged" diff -u expected lines
	says "and the first of them is named" "$(cat errors)" 'packet 40, of 13 bytes: .*--engine user'
	bkxdp replay "$file" empty.pcap --json >lines 2>errors
	is "frames of no length alone: status" $? 0
	check "frames of no length alone: each line is as expected" diff -u expected.empty lines
	fails "frames of no length alone, engine kernel" 1 bkxdp replay "$file" empty.pcap --engine kernel
	says "frames of no length alone, engine kernel: what to do" "$said" 'empty.pcap can.t .*test run.*--engine user takes any'
}

other_shapes() {
	local shape
	if ! command -v editcap mergecap >/dev/null; then
		skip "other formats of the same packets" "no editcap and mergecap"
		return
	fi
	for shape in pcapng nsecpcap modpcap; do
		editcap -F "$shape" table.pcap "table.$shape" 2>errors
		bkxdp replay "$file" "table.$shape" --json >"$shape" 2>&1
		check "the same from $shape" diff -u expected "$shape"
	done
	mergecap -a -w merged.pcapng none.pcap table.pcap
	bkxdp replay "$file" merged.pcapng --json >merged 2>&1
	check "the same from a merged capture" diff -u expected merged
}

summary() {
	local said
	said=$(bkxdp replay "$file" table.pcap)
	says "summary: a flow with its side" "$said" '^pass +flow +backup-exec/control +inbound +9 '
	says "summary: a reason" "$said" '^drop +control +6 +324$'
	says "summary: the total" "$said" '^total +39 +[0-9]+$'
	says "summary: cut packets are counted" "$said" '^2 cut by the capture'
	says "summary: no colour, no controls in it" "$(grep -c $'\e' <<<"$said")" '^0$'
	said=$(bkxdp replay "$file" none.pcap)
	is "an empty capture: status" $? 0
	is "an empty capture: nothing on standard error" "$(bkxdp replay "$file" none.pcap 2>&1 >/dev/null)" ""
	says "an empty capture: 0 packets" "$said" '^total +0 +0$'
	sed 's/^connections:.*/verdict: audit/' "$file" >audit.yaml
	bkxdp replay audit.yaml table.pcap --json >audit
	check "audit: the verdict it would have been" diff -u expected audit
	says "audit: the summary says so" "$(bkxdp replay audit.yaml table.pcap)" 'would count these drops'
}

connections() {
	local engine
	sed '/^connections:/d' "$file" >default.yaml
	bkxdp replay default.yaml table.pcap --json >lines
	check "a file with connections: sockets is replayed by flags" diff -u expected lines
	for engine in kernel user; do
		bkxdp replay "$file" table.pcap --json --engine $engine --connections sockets >sockets.$engine
		check "engine $engine, --connections sockets: an answer without a socket" \
			grep -qx '{"n":18,"verdict":"pass","reason":"stray"}' sockets.$engine
	done
	check "--connections sockets: the same from both engines" diff -u sockets.kernel sockets.user
	fails "explain: an answer by the flags" 0 bkxdp explain default.yaml tcp $server4:6101 to 40000 ack
	says "explain: what must be so besides" "$said" 'provided +this host has opened that connection'
	fails "explain: one without a socket, by the sockets" 0 \
		bkxdp explain default.yaml tcp $server4:6101 to 40000 ack --connections sockets
	says "explain: passes as a stray" "$said" '^  reason +stray: segment of a connection that this host no longer has$'
	fails "explain: an answer to no SYN of ours, by the sockets" 1 \
		bkxdp explain default.yaml tcp $server4:6101 to 40000 syn ack --connections sockets
	says "explain: why not" "$said" 'advertise takes answers .*; this host has no such connection'
}

# A control connection lets in the data of its own flow and of no other; also in the policy of a
# file, in which flows have no counters.
control_of_each() {
	local engine
	cat >two.yaml <<-END
	interface: eth1
	use:
	  - {profile: $root/profiles/backup-exec.yaml, as: remote-agent, addresses: {media-server: [$server4]}, ports: {data: 50000-50100}}
	flows:
	  - {name: own-control, from: [$server4], to: self, tcp: 11000}
	  - {name: own-data, from: [$server4], to: self, tcp: 12000, requires: own-control}
	connections: flags
	END
	python3 - <<-'END'
	import sys
	sys.argv = ["captures.py"]
	exec(open("captures.py").read())
	with open("two.pcap", "wb") as out:
	    out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
	    for when, frame in enumerate([tcp(SERVER, 11000), tcp(SERVER, 50001), tcp(SERVER, 12000),
	                                  tcp(SERVER, 10000), tcp(SERVER, 50001)], 1):
	        out.write(struct.pack("<IIII", when, 0, len(frame), len(frame)) + frame)
	END
	for engine in kernel user; do
		is "engine $engine: control of one flow is none of another" \
			"$(bkxdp replay two.yaml two.pcap --json --engine $engine | jq -r '.flow // .reason' | xargs)" \
			"site/own-control control site/own-data backup-exec/control backup-exec/data"
	done
}

damaged() {
	fails "capture of -i any" 1 bkxdp replay "$file" any.pcap
	says "capture of -i any: what to do" "$said" 'any.pcap: .*LINUX_SLL.*capture on the interface itself'
	fails "not a capture" 1 bkxdp replay "$file" "$file"
	says "not a capture: says so" "$said" 'not a pcap or pcapng capture'
	fails "no capture" 1 bkxdp replay "$file" nowhere.pcap
	says "no capture: says so" "$said" 'nowhere.pcap: No such file'
	head -c 150 table.pcap >cut.pcap
	fails "cut off in packet 2" 1 bkxdp replay "$file" cut.pcap --json
	says "cut off: packet 1 is judged" "$said" '^\{"n":1,"verdict":"drop","reason":"control"\}$'
	says "cut off: says where" "$said" 'packet 2 is truncated.*the 1 packet'
	fails "full disk" 1 sh -c "'$BKXDP' replay '$file' table.pcap --engine user >/dev/full"
	fails "two operands" 2 bkxdp replay "$file"
	fails "engine unknown" 2 bkxdp replay "$file" table.pcap --engine magic
	fails "connections unknown" 2 bkxdp replay "$file" table.pcap --connections maybe
	fails "no such interface file" 1 bkxdp replay nowhere.yaml table.pcap
}

# Run without capabilities; everybody may read the files.
as_nobody() { setpriv --reuid 65534 --clear-groups --bounding-set=-all --inh-caps=-all "$BKXDP" "$@"; }

unprivileged() {
	chmod -R a+rX "$WORK"
	as_nobody replay "$file" table.pcap --json >nobody 2>errors
	check "without privileges: the same lines" diff -u expected nobody
	says "without privileges: says who judged" "$(cat errors)" 'user space.*CAP_BPF and CAP_NET_ADMIN'
	as_nobody replay "$file" table.pcap --json --engine user >nobody 2>errors
	check "--engine user: no word of it" test ! -s errors
	fails "--engine kernel without privileges" 1 as_nobody replay "$file" table.pcap --engine kernel
	says "--engine kernel: names what is missing" "$said" 'CAP_BPF and CAP_NET_ADMIN'
	fails "explain without privileges" 0 as_nobody explain "$file" tcp $server4 to 10000
}

long_captures() {
	local engine
	for engine in kernel user; do
		is "engine $engine: 100,000 packets" \
			"$(bkxdp replay "$file" many.pcap --engine $engine | awk '$1 == "total" { print $2 }')" 100000
	done
}

real_traffic() {
	local tcpdump
	in_net_begin host tcpdump -Z root -i eth1 -Q in -U -w real.pcap tcp 2>/dev/null
	tcpdump=$!
	busywait 20 test -s real.pcap || bail "tcpdump does not start"
	listen host tcp:10000
	connects $server4 $host4 10000 >/dev/null 2>&1
	connects $server6 $host6 22 >/dev/null 2>&1
	connects $stranger4 $host4 10000 >/dev/null 2>&1
	busywait 20 sh -c "tcpdump -nr real.pcap src $stranger4 2>/dev/null | grep -q ."
	kill -INT $tcpdump
	wait $tcpdump
	bkxdp replay "$file" real.pcap --json | jq -r '.flow // .reason' | sort -u | xargs >real
	is "what tcpdump saw of real connections" "$(cat real)" "backup-exec/control port source"
}

# explains WHAT STATUS PATTERN WORD...
explains() {
	local engine
	for engine in user kernel; do
		fails "explain $1, $engine" "$2" bkxdp explain "$file" "${@:4}" --engine $engine
		says "explain $1, $engine: why" "$said" "$3"
	done
}

explain_file() {
	explains "a control connection" 0 'flow +backup-exec/control, inbound' "tcp $server4:40000 > 10000"
	says "its file and line" "$said" 'at +.*profiles/backup-exec.yaml:[0-9]+$'
	says "its source" "$said" 'source +Veritas article'
	explains "a flow of the site" 0 'flow +site/ssh, inbound' tcp 10.20.40.9 to 22
	says "its file" "$said" 'at +.*eth1.yaml:[0-9]+$'
	explains "a reply" 0 'backup-exec/advertise, reply' tcp $server4:6101 to 40000 ack
	explains "a neighbour" 0 'reason +nd' icmpv6 fe80::1 neighbour-solicitation
	explains "the wrong port" 1 \
		'nearest +backup-exec/control takes TCP 10000 from this address$' tcp $server4 to 10001
	explains "the wrong protocol" 1 \
		'nearest +backup-exec/control takes TCP 10000 \(not UDP\) from this address$' udp $server4 to 10000
	explains "the wrong peer" 1 \
		'nearest +site/ssh takes TCP 22, but only from 10.20.40.0/24$' tcp $server4 to 22
	explains "a stranger" 1 \
		'control takes TCP 10000, but only from 10.20.30.5 and 2 more$' tcp 10.9.9.9 to 10000
	explains "data without control" 1 \
		'data takes TCP 50000-50100 from this address, while a connection of backup-exec/control \(TCP 10000\) with' \
		tcp $server4 to 50001
	explains "an answer to nothing" 1 \
		'advertise takes answers from TCP 6101 .*; a packet with neither ACK nor RST' tcp $server4:6101 to 40000
	explains "a ping of a stranger" 1 'setting +ping: peers' icmp 10.9.9.9
	explains "a fragment" 1 'setting +fragments: peers' udp 10.20.30.7:514 to 40000 first-fragment
	fails "explain --json" 1 bkxdp explain "$file" tcp $server4 to 10001 --json
	is "explain --json: its facts" \
		"$(jq -c '[.verdict, .reason, .nearest.flow, .nearest.side, .nearest.ports]' <<<"$said")" \
		'["drop","port","backup-exec/control","inbound","10000"]'
	fails "explain --json of a pass" 0 bkxdp explain "$file" tcp $server4 to 10000 --json --engine user
	is "explain --json of a pass: its facts" \
		"$(jq -c '[keys_unsorted, .flow, .side, .engine]' <<<"$said")" \
		'[["verdict","reason","flow","side","place","source","engine","enforced","packet"],"backup-exec/control","inbound","user"]'
}

explain_wrong() {
	fails "a word that is wrong" 2 bkxdp explain "$file" "tcp $server4:40000 > 10000 sin"
	says "it is named" "$said" '"sin" is not known.*for example'
	fails "an unquoted >" 2 bkxdp explain "$file" tcp "$server4:40000"
	says "the shell is named" "$said" 'quote the packet, or the shell'
	fails "neither interface nor file" 1 bkxdp explain eth7 tcp "$server4" to 1
	says "it is named" "$said" '"eth7" is neither an interface nor an interface file'
	fails "an interface without a filter" 1 bkxdp explain eth1 tcp "$server4" to 1
	says "it is named" "$said" 'eth1 has no filter'
	fails "no packet" 2 bkxdp explain "$file"
}

explain_attached() {
	check "attach" attach
	fails "attached: a pass" 0 bkxdp explain eth1 tcp $server4 to 10000
	says "attached: to our own address" "$said" "> $host4:10000 syn"
	says "attached: its file and line" "$said" 'at +.*profiles/backup-exec.yaml:[0-9]+$'
	fails "attached: asking opens no control connection" 1 bkxdp explain eth1 tcp $server4 to 50001
	is "attached: asking counts nothing" "$(status '[.flows[].packets] | add')" 0
	fails "attached: a stranger" 1 bkxdp explain eth1 "tcp [2001:db8:20::6]:1 > 10000"
	says "attached: the nearest flow" "$said" 'takes TCP 10000, but only from 10.20.30.5 and 2 more'
	fails "attached: not in user space" 2 bkxdp explain eth1 tcp $server4 to 1 --engine user
	sed "s|10.20.31.0/24|10.20.32.1, 10.20.32.3, 10.20.32.5, 10.20.32.7|" "$file" >more.yaml
	check "reload with more peers than are described" bkxdp reload eth1 --config more.yaml
	fails "attached: a peer that is not described" 1 bkxdp explain eth1 tcp 10.20.32.7 to 22222
	says "attached: no claim about its address" "$said" 'takes TCP 10000 from 10.20.30.5 and 5 more$'
	check "detach" bkxdp detach eth1
}

python3 captures.py || bail "the captures could not be made"
one_table_two_engines
odd_lengths
other_shapes
summary
connections
control_of_each
damaged
unprivileged
long_captures
real_traffic
explain_file
explain_wrong
explain_attached
finish
