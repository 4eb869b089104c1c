#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Policies are replaced while traffic runs: no allowed packet is lost, no other packet gets
# in even for a moment, and the counters go on. Then replacements are killed.
#
# The two policies would show a mixture of them. Each allows one pair of address and port
# that the other does not. The crossed pairs are allowed by neither, but a policy with the
# addresses of one and the services of the other would allow them.
#
#              always    red             blue            never
#   server     5000      7001                            7002
#   stranger                             7002            7001

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

readonly replacements=50 kills=20

policy_red() {
	write_file <<-END
	flows:
	  - {name: backup, from: [$server4], to: self, udp: 5000, tcp: 6000}
	  - {name: red, from: [$server4], to: self, udp: 7001}
	END
}

policy_blue() {
	write_file <<-END
	flows:
	  - {name: blue, from: [$stranger4], to: self, udp: 7002}
	  - {name: many, from: [$(seq -s ', ' -f '172.16.%g.0/24' 1 200)], to: self, tcp: 1-1000}
	  - {name: backup, from: [$server4], to: self, udp: 5000, tcp: 6000}
	END
}

policy() { # NUMBER
	if [ $(($1 % 2)) = 0 ]; then policy_red; else policy_blue; fi
}

# run NAME NAMESPACE VERB...: runs it in the background; its output is in $WORK/NAME.
declare -A runs
run() {
	begin "$WORK/$1" "${@:2}"
	runs[$1]=$!
}

end() { # NAME...
	local name
	for name; do
		kill "${runs[$name]}" && wait "${runs[$name]}"
	done
}

result() { # NAME KEY: prints the value from the last line of its output
	tail -n 1 "$WORK/$1" | jq -c ".$2"
}

counters_now() {
	bkxdp status eth1 --json |
		jq -c '[(.reasons[] | {key: .reason, value: .packets}),
			(.flows[] | {key: (.flow + " " + .side), value: .packets})] | from_entries'
}

# Prints the names of counters that are lower in the second set than in the first.
lower() {
	jq -nr --argjson old "$1" --argjson new "$2" \
		'$old | to_entries[] | select($new[.key] != null and $new[.key] < .value) | .key'
}

under_traffic() {
	local number old new went_down='' failed=0 allowed
	policy_red
	attach >/dev/null 2>&1 || bail "attach failed"

	for port in 5000 7001 7002; do
		run "received-$port" host receive "$port"
	done
	run served host serve 6000
	run backup net stream "$server4" "$host4" 5000 --rate 3000
	run crossed1 net stream "$server4" "$host4" 7002
	run crossed2 net stream "$stranger4" "$host4" 7001
	traffic net send "$server4" "$host4" 6000 104857600 --seconds 4 >"$WORK/bytes" &
	sender=$!

	old=$(counters_now)
	for number in $(seq "$replacements"); do
		policy "$number"
		reload >"$WORK/reload" 2>&1 || { failed=$((failed + 1)); diag "$(cat "$WORK/reload")"; }
		new=$(counters_now)
		went_down+=$(lower "$old" "$new")
		old=$new
	done
	wait "$sender"

	is "$replacements replacements succeed" "$failed" 0
	is "no counter ever goes down" "$went_down" ""
	is "100 MiB over TCP arrive whole" "$(cat "$WORK/bytes")" 104857600
	end backup crossed1 crossed2
	end received-5000 received-7001 received-7002
	allowed=$(result backup sent)
	diag "$allowed datagrams during $replacements replacements"
	is "none of the allowed datagrams is lost" "$(result received-5000 received)" "$allowed"
	is "no datagram arrives twice" "$(result received-5000 again)" 0
	is "the crossed pairs were tried" "$(($(result crossed1 sent) > 100 && $(result crossed2 sent) > 100))" 1
	is "no datagram of the server reached the stranger's port" "$(result received-7002 received)" 0
	is "no datagram of the stranger reached the server's port" "$(result received-7001 received)" 0
	exact "$allowed"
}

# The counter of a flow is kept by the flow's name when the policy is replaced, so it has all that
# was sent.
exact() { # DATAGRAMS
	local segments
	segments=$(net cat /proc/net/snmp | awk '/^Udp: [0-9]/ { print $5 }')
	is "all datagrams sent were judged" "$((segments))" \
		"$(($1 + $(result crossed1 sent) + $(result crossed2 sent)))"
	is "the crossed pairs are counted, each once" "$(($(dropped port) + $(dropped source)))" \
		"$(($(result crossed1 sent) + $(result crossed2 sent)))"
	is_between "the flow's counter has all the datagrams and the TCP segments" \
		"$(flow site/backup inbound)" "$(($1 + 10))" "$(($1 + 110000))"
	is "the flows' counters and the reason 'flow' agree" "$(status '[.flows[].packets] | add')" "$(passed flow)"
}

policy_of() { # ADDRESS
	write_file <<<"flows: [{name: backup, from: [$1], to: self, udp: 5000}]"
}

has_dropped() { [ "$(dropped source)" -gt "$1" ]; } # PACKETS
has_passed() { [ "$(flow site/backup inbound)" -gt "$1" ]; } # PACKETS

# After a replacement, the flow cache and the peer cache must not judge by the former policy. The
# new policy has a neighbour of the former peer, so that the prefilter does not tell them apart.
forgotten() {
	local passed dropped port
	policy_of "$server4"
	reload >/dev/null 2>&1
	run warm net stream "$server4" "$host4" 5000 --from-port 40000 --rate 3000
	check "a peer's datagrams pass" busywait 10 has_passed "$(($(flow site/backup inbound) + 1000))"
	policy_of "${server4%.*}.77"
	check "a policy without this peer" reload
	passed=$(flow site/backup inbound) dropped=$(dropped source) port=$(dropped port)
	check "drops its datagrams" busywait 10 has_dropped $((dropped + 1000))
	run other net stream "$server4" "$host4" 5000 --rate 3000
	check "and those of its other conversations" busywait 10 has_dropped $((dropped + 4000))
	end warm other
	is "no datagram passed after the replacement" "$(flow site/backup inbound)" "$passed"
	is "the former peer is not taken for a peer" "$(dropped port)" "$port"
}

bad_file() {
	local before
	policy_red
	reload >/dev/null 2>&1
	before=$(status .digest)
	printf 'interface: eth1\nflows:\n  - {name: x, from: [10.0.0.1/8], to: self, tcp: 70000}\n' >"$WORK/eth1.yaml"
	fails "reload with a file that is wrong" 1 reload
	says "the message names the wrong port" "$said" 'eth1\.yaml:3:.*70000'
	says "the message also names the wrong prefix" "$said" 'eth1\.yaml:3:.*10\.0\.0\.1/8'
	is "the policy in force is the old one" "$(status .digest)" "$before"
	check "the old policy works" connects "$server4" "$host4" 6000 --timeout 2
	fails "reload of an interface without filter" 1 \
		bkxdp reload lo --config "$WORK/eth1.yaml" --profiles "$root/profiles"
}

# A policy is whole if its digest is that of one of the two, and the packets are judged by it.
is_whole() {
	local digest
	digest=$(status .digest)
	[[ " $digests " == *" $digest "* ]] || { echo "digest $digest, not one of $digests"; return 1; }
	traffic_is_judged || { echo "traffic is not judged as it should be"; return 1; }
}

traffic_is_judged() {
	connects "$server4" "$host4" 6000 &&
		connects_not "$stranger4" "$host4" 6000 --timeout 0.2 2>/dev/null
}

killed() {
	local number broken=0 digests='' complaint pid unfinished=0 start whole
	for number in 0 1; do
		policy "$number"
		start=${EPOCHREALTIME/./}
		reload >/dev/null 2>&1
		whole=$((${EPOCHREALTIME/./} - start))
		digests+=" $(status .digest)"
	done
	diag "a replacement takes $((whole / 1000)) ms"
	for number in $(seq "$kills"); do
		policy "$number"
		in_net_begin host "$BKXDP" reload eth1 --config "$WORK/eth1.yaml" >/dev/null 2>&1
		pid=$!
		sleep "$(printf '0.%06d' $((RANDOM * whole * 11 / 10 / 32768)))"
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		[ $? != 137 ] || unfinished=$((unfinished + 1))
		complaint=$(is_whole) || { broken=$((broken + 1)); diag "after kill $number: $complaint"; }
		reload >"$WORK/reload" 2>&1 || { broken=$((broken + 1)); diag "$(cat "$WORK/reload")"; }
		complaint=$(is_whole) || { broken=$((broken + 1)); diag "after reload $number: $complaint"; }
	done
	diag "$unfinished of $kills were killed before they were done"
	is "$kills killed replacements leave a whole policy, and the next one works" "$broken" 0
	check "detach" bkxdp detach eth1
	check "leaves nothing" nothing_is_left
}

make_network
under_traffic
forgotten
kill "${runs[served]}"
listen host tcp:6000
bad_file
killed
finish
