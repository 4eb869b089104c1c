#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A backup and a restore during a flood of forged answers: from the allowed peer's address and
# its vault's port, segments of all kinds, 10,000 a second, to closed and listening ports and to
# those of other connections. Every forged segment is counted once: a few as strays, which the
# host answers with resets, and all others as `connection`, which are dropped. Both transfers
# are whole.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/puppets.sh
. "$(dirname "$0")/puppets.sh"

# Pieces of 256 KiB: 1 GiB, and 256 MiB.
readonly large=4096 small=1024 rate=10000

policy() {
	write_file <<-END
	use:
	  - profile: ibm-cloud-backup
	    as: agent
	    addresses: {portal: [$server4, '$server6'], amp-proxy: [$server4, '$server6'],
	                director: [$server4, '$server6'], manager: [10.99.0.1]}
	END
}

# A connection of ours from a port that the forgers leave out.
open_connection() { # NAME OUR PORT
	at host connect "$1" "$us" "$2" "$peer" 2546 && at net accept "$1" vault
}

# Prints how many frames were lost in a full ring of the veth pair; older kernels don't tell the
# sender.
lost_on_the_wire() { net cat /proc/net/dev | awk '$1 == "peer0:" { print $13 }'; }
has_grown() { [ "$(dropped connection)" -gt "$(($1 + rate / 10))" ]; }

flood() { # FAMILY PIECES UP, PIECES DOWN
	local before lost old_resets mark start most forged near sent strays counted
	check "IPv$1: connections" open_connection upload 50000
	open_connection download 50001 && open_connection idle 50002
	at host listen listener "$us" 40100
	before=$(dropped connection) lost=$(lost_on_the_wire) old_resets=$(resets) mark=$(tally)
	strays=$(passed stray) start=${EPOCHREALTIME/./}
	forge "$peer" 2546 "$us" 40000-40999 A SA R PA FA --data 20 --rate "$rate" --until "$WORK/enough" \
		--seconds 100 >"$WORK/forged.high" &
	forged=$!
	forge "$peer" 8086-8087 "$us" 50000-50002 A SA R PA FA S --rate 1000 --until "$WORK/enough" \
		--seconds 100 >"$WORK/forged.near" &
	near=$!
	busywait 20 has_grown "$before"

	at net drain upload
	at host pour upload "$2"
	transfer "IPv$1: $(($2 / 4)) MiB to the vault" host net upload
	at host drain download
	at net pour download "$3"
	transfer "IPv$1: $(($3 / 4)) MiB back" net host download

	touch "$WORK/enough"
	wait "$forged" && wait "$near"
	is "IPv$1: the forgers sent all that time" $? 0
	rm "$WORK/enough"
	most=$(strays_within $(((${EPOCHREALTIME/./} - start) / 1000)))
	strays=$(($(passed stray) - strays))
	sent=$(($(cut -d' ' -f1 "$WORK/forged.high") + $(cut -d' ' -f1 "$WORK/forged.near")))
	diag "IPv$1: $sent forged segments, $(cut -d' ' -f2 "$WORK/forged.high")" \
		"and $(cut -d' ' -f2 "$WORK/forged.near") a second"
	lost=$(($(lost_on_the_wire) - lost))
	counted=$(($(dropped connection) - before + strays))
	if [ "$lost" != 0 ] && [ "$counted" != "$sent" ]; then
		diag "IPv$1: up to $lost of them never came to the filter"
		is_between "IPv$1: each that arrived is counted" "$counted" "$((sent - lost))" "$sent"
		sent=$counted
	fi
	is "IPv$1: each forged one but the strays is dropped and counted, and nothing else" \
		"$(drops_since "$mark")" "drop connection +$((sent - strays))"
	is_between "IPv$1: at most 16 strays a second and processor" "$strays" 16 "$most"
	is "IPv$1: they were answered by resets, and nothing else" "$(($(resets) - old_resets))" "$strays"
	at host send idle ask
	is "IPv$1: the idle connection is as it was" "$(at net take idle)" ask
	at host close upload download idle listener
	at net close upload download idle
}

transfer() { # WHAT FROM TO SOCKET
	local start=${EPOCHREALTIME/./}
	is "$1 arrive whole" "$(at "$3" result drain "$4")" "$(at "$2" result pour "$4")"
	diag "$1: $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
}

make_network
make_quiet
puppet host host
puppet net net
policy
check "attach" attach
for family in 4 6; do
	use_family "$family"
	at net listen vault "$peer" 2546
	if [ "$family" = 4 ]; then flood 4 "$large" "$small"; else flood 6 "$small" "$small"; fi
	at net close vault
done
check "detach" bkxdp detach eth1
check "leaves nothing" nothing_is_left
finish
