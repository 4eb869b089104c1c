#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# MTU 9000, as every backup network has it, in driver mode: frames of several buffers pass
# and are counted whole. Generic mode is never used silently.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

readonly bytes=$((256 << 20))

site() { # MODE
	write_file <<-END
	mode: $1
	flows:
	  - {name: backup, from: [$server4, "$server6"], to: self, tcp: 6000, udp: 5000}
	END
}

transfer() { # MODE FROM TO
	local before
	before=$(flow site/backup inbound bytes)
	is "$1: $((bytes >> 20)) MiB arrive whole from $2" \
		"$(traffic net send "$2" "$3" 6000 "$bytes")" "$bytes"
	is_between "$1: and are counted whole" "$(($(flow site/backup inbound bytes) - before))" \
		"$bytes" "$((bytes + bytes / 10))"
}

jumbo() { # MODE
	local text before
	site "$1"
	text=$(attach 2>&1)
	is "$1: attach at MTU 9000" $? 0 || diag "$text"
	is "$1: status says the mode" "$(status .mode)" "$1"
	transfer "$1" "$server4" "$host4"
	transfer "$1" "$server6" "$host6"

	before=$(flow site/backup inbound bytes)
	net "$python" -ISc 'import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((sys.argv[1], 0)); s.sendto(bytes(8000), (sys.argv[2], 5000))' "$server4" "$host4"
	busywait 20 moved "$before"
	is "$1: a datagram of 8,000 bytes counts as its frame has them" \
		"$(($(flow site/backup inbound bytes) - before))" $((8000 + 8 + 20 + 14))
	[ "$1" = native ] || says "generic: attach says what it costs" "$text" 'GRO|LRO'
	check "$1: detach" bkxdp detach eth1
}

counted() { # VERDICT REASON packets|bytes
	status ".reasons[] | select(.verdict == \"$1\" and .reason == \"$2\") | .$3"
}

# Frames of 9,014 bytes around short packets: bytes behind the packet are counted, too.
padded() { # WHAT FROM VERDICT REASON KIND [IP LENGTH]
	local before packets
	before=$(counted "$3" "$4" bytes) packets=$(counted "$3" "$4" packets)
	net "$python" -IS - "$2" "$5" "${6:-60}" <<-'END'
	import socket, struct, sys
	source, kind, length = sys.argv[1], sys.argv[2], int(sys.argv[3])
	segment = struct.pack("!HHIIBBHHH", 40000, 6000, 1, 1, 0x50, 0x10, 64240, 0, 0).ljust(length - 20, b"x")
	if kind == "arp":
	    frame = struct.pack("!H", 0x0806)
	else:
	    options = b"\1\1\1\1" if kind == "options" else b""
	    frame = struct.pack("!HBBHHHBBH", 0x0800, 0x45 + len(options) // 4, 0, length + len(options), 1, 0, 64, 6, 0) + \
	        socket.inet_aton(source) + socket.inet_aton("10.20.30.1") + options + segment
	frame = (bytes.fromhex("020000000001020000000005") + frame).ljust(9014, b"\0")
	s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
	s.bind(("peer0", 0))
	for _ in range(10):
	    s.send(frame)
	END
	busywait 3 has_ten "$3" "$4" "$packets"
	is "$1: 10 padded frames" "$(($(counted "$3" "$4" packets) - packets))" 10
	is "$1: are counted with all their bytes" "$(($(counted "$3" "$4" bytes) - before))" 90140
}

has_ten() { [ "$(counted "$1" "$2" packets)" -ge $(($3 + 10)) ]; }

all_padded() {
	site native
	check "padded: attach" attach
	padded "of a conversation" "$server4" pass flow plain
	padded "of a stranger nearby" "$stranger4" drop source plain
	padded "of a stranger far away" 192.0.2.1 drop source plain
	padded "with options" "$server4" pass flow options
	padded "longer ones" "$server4" pass flow plain 1500
	padded "ARP" "$server4" pass arp arp
	check "padded: detach" bkxdp detach eth1
}

moved() { [ "$(flow site/backup inbound bytes)" != "$1" ]; }

no_driver_support() { # NAME TYPE
	local text
	ip -n host link add "$1" type "$2" 2>/dev/null || {
		skip "auto on a $2" "this kernel has no $2 devices"
		return
	}
	ip -n host link set "$1" up
	site auto
	sed -i "s/^interface: .*/interface: $1/" "$WORK/eth1.yaml"
	text=$(bkxdp attach "$1" --config "$WORK/eth1.yaml" 2>&1)
	is "auto on a $2: attach" $? 0 || diag "$text"
	is "auto on a $2: status says generic" "$(bkxdp status "$1" --json | jq -r .mode)" generic
	says "auto on a $2: attach says so" "$text" 'generic'
	says "auto on a $2: and what it costs" "$text" 'GRO|LRO'
	check "auto on a $2: detach" bkxdp detach "$1"

	sed -i "s/^mode: .*/mode: native/" "$WORK/eth1.yaml"
	fails "native on a $2 is refused" 1 bkxdp attach "$1" --config "$WORK/eth1.yaml"
	says "native on a $2: says which mode to use" "$said" 'generic|auto'
	check "native on a $2: leaves nothing" test -z "$(find /sys/fs/bpf -path '*/bkxdp/*')"
	ip -n host link delete "$1"
}

make_network 9000
begin "$WORK/serve" host serve 6000
if [ "$(has_frags)" = true ]; then
	jumbo native
	all_padded
	is "frames of several buffers were possible" "$(site native; attach >/dev/null 2>&1; status .frags; bkxdp detach eth1 >/dev/null)" true
else
	skip "native: MTU 9000" "this kernel has no frames of several buffers"
fi
jumbo generic
no_driver_support quiet0 dummy
no_driver_support bridge0 bridge
check "leaves nothing" nothing_is_left
finish
