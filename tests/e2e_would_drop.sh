#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `status --would-drop`: traffic is audited, the advice is written into the interface file as it
# stands, and the file is enforced: the same traffic passes, and what had no advice is dropped. The
# same is done from an observation alone.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

readonly scanner4=10.20.30.7 client4=10.20.30.8 agent4=10.20.30.9

would() { bkxdp status eth1 --would-drop --limit 0 --json | jq -r "$1"; }
lines() { would ".advice[] | select(.kind == \"$1\") | .line"; }
is_empty() { [ -z "$("$@")" ]; }

# --- the traffic: a check for each kind, so that a kind that fails is seen

from_peers() { # WHEN
	check "$1: a stranger to tcp 445" connects "$stranger4" "$host4" 445
	check "$1: another to tcp 445" connects "$client4" "$host4" 445
	check "$1: a stranger to tcp 445 over IPv6" connects "$stranger6" "$host6" 445
	check "$1: the server to tcp 22" connects "$server4" "$host4" 22
	check "$1: a stranger to udp 5000" traffic net ask "$stranger4" "$host4" 5000
	check "$1: ours to tcp 993" traffic host connect "$host4" "$stranger4" 993
	check "$1: ours to tcp 993 over IPv6" traffic host connect "$host6" "$server6" 993
	check "$1: ours to udp 53" traffic host ask "$host4" "$server4" 53
}

# A data connection while a control connection is open, to ports above the sender's.
of_other_kinds() { # WHEN
	local control
	begin "$WORK/control" net connect "$client4" "$host4" 10000 --hold 60
	control=$!
	check "$1: a data connection of a second server" connects "$client4" "$host4" 65000
	kill "$control"
	wait "$control" 2>/dev/null
	check "$1: an agent to our tcp 5633" connects "$agent4" "$host4" 5633
	check "$1: a ping" pings "$stranger4" "$host4"
	check "$1: a datagram in fragments" traffic net ask "$stranger4" "$host4" 5000 --bytes 4000
}

pings() { net nping --icmp -c 1 -e peer0 -S "$1" "$2" | grep 'Rcvd: 1 '; }

scan() { net nmap -n -Pn -sS -p 1-40,65001-65030 --max-retries 0 --host-timeout 60s -e peer0 -S "$scanner4" "$host4"; }

# --- files

policy() { # VERDICT MEDIA-SERVERS SETTINGS FLOWS
	write_file <<-END
	use:
	  - profile: backup-exec
	    as: remote-agent
	    addresses:
	      $2
	  - profile: backup-exec
	    as: media-server
	    addresses: {remote-agent: [$agent4]}
	    ${5:-}
	verdict: $1
	${3:-ping: none}
	flows:
	  - {name: tcp-22, from: [10.99.0.1], to: self, tcp: 2222}
	$4
	END
}

pasted() { sed 's/^/  /'; }

audited() {
	policy audit "media-server: [$server4]" '' ''
	check "audit: attach" attach
	from_peers audit
	of_other_kinds audit
	check "audit: a scan" scan

	says "status points to it" "$(bkxdp status eth1)" 'bkxdp status eth1 --would-drop'
	said=$(bkxdp status eth1 --would-drop --limit 0)
	diag "$said"
	says "a row" "$said" '^  \[[0-9]+\] .* source +10\.20\.30\.6 +to tcp 445$'
	says "a row of answers" "$said" ' source +10\.20\.30\.6 +from tcp 993$'
	says "a scan is one row" "$said" ' source +10\.20\.30\.7 +70 ports, 1-65030$'
	says "that is called so" "$said" 'looks like a scan'
	is "one line for all who come to tcp 445" "$(lines flow | grep 'tcp: 445')" \
		"- {name: tcp-445, from: [$stranger4, $client4, \"$stranger6\"], to: self, tcp: 445}"
	is "the peer's tcp 22, by a name that is free" "$(lines flow | grep 'tcp: 22')" \
		"- {name: tcp-22-2, from: [$server4], to: self, tcp: 22}"
	is "answers to us" "$(lines flow | grep 'tcp: 993')" \
		"- {name: to-tcp-993, from: self, to: [$stranger4, \"$server6\"], tcp: 993}"
	is "UDP answers to us" "$(lines flow | grep 'udp: 53}')" \
		"- {name: to-udp-53, from: self, to: [$server4], udp: 53}"
	is "a role's address, in place of a flow" "$(lines address)" "media-server: [$server4, $client4]"
	is "and none for its data connections" "$(lines flow | grep -E '10000|65000')" ""
	is "an optional flow" "$(lines enable)" "enable: [oracle]"
	says "ping" "$(lines setting)" '^ping: peers$'
	says "fragments" "$(lines setting)" '^fragments: peers$'
	is "nothing for everyone" "$(would '.advice[].line // empty' | grep -w any)" ""
	is "nothing for the scanner" "$(would '.advice[] | select(.line) | .sources[]' | grep -F "$scanner4")" ""
	is "all packets are in groups" "$(would '[.groups[].packets] | add')" \
		"$(status '[.reasons[] | select(.verdict == "would_drop") | .packets] | add')"
	is "none is missing" "$(would '[.ungrouped, .full, .more] | map(tostring) | join(" ")')" "0 false 0"

	said=$(bkxdp status eth1 --would-drop --limit 2)
	is "--limit" "$(grep -cE '^  \[[0-9]+\] ' <<<"$said")" 2
	says "says how many more" "$said" "^  $(would '.groups | length - 2') more \(--limit 0 lists all\)$"
	fails "--limit of no number" 2 bkxdp status eth1 --would-drop --limit x
	fails "--limit alone" 2 bkxdp status eth1 --limit 3
}

enforced() {
	policy enforce "$(lines address)" "$(lines setting)" "$(lines flow | pasted)" "$(lines enable)"
	diag "$(cat "$WORK/eth1.yaml")"
	check "what was advised is sound" bkxdp check "$WORK/eth1.yaml" --profiles "$root/profiles"
	check "and put in force" reload
	is "groups of the policy before are not shown" "$(would '.groups | length')" 0
	says "says how to see groups" "$(bkxdp status eth1 --would-drop)" 'leave "bkxdp top eth1" running, and ask again$'
	from_peers enforced
	of_other_kinds enforced
	before=$(dropped source)
	scan >/dev/null
	is "enforced: the scanner is dropped, packet by packet" $(($(dropped source) - before)) 70
	check "detach" bkxdp detach eth1
}

# An observation without a file: the data ports of some profiles are nearly all ports, so it can't
# see everything, and the file is audited once more before it is enforced.
observed() {
	local seen
	check "observe: attach" bkxdp attach eth1 --profiles "$root/profiles"
	from_peers observed
	says "says what to do next" "$(bkxdp status eth1 --would-drop)" 'verdict: audit.*look again'
	seen=$(lines flow | pasted)
	says "sees a service of its own" "$seen" 'tcp: 445}'
	write_file <<<$'verdict: audit\nflows:\n'"$seen"
	check "what was advised is sound" bkxdp check "$WORK/eth1.yaml"
	check "and put in force, for another look" attach
	from_peers "audited once more"
	seen+=$'\n'$(lines flow | pasted)
	write_file <<<$'verdict: enforce\nflows:\n'"$seen"
	diag "$(cat "$WORK/eth1.yaml")"
	check "with what was advised then, enforced" attach
	from_peers "after observation"
	is "nothing is dropped" "$(status '[.reasons[] | select(.verdict == "drop") | .packets] | add')" 0
	check "detach" bkxdp detach eth1
}

# More sources at once than there is room for.
flooded() {
	write_file <<<$'verdict: audit\nflows:\n'"  - {name: a, from: [$server4], to: self, tcp: 22}"
	check "flood: attach" attach
	check "flood: the server's own, before" connects "$server4" "$host4" 22
	traffic net sources peer0 "$host4" 445 40000
	said=$(bkxdp status eth1 --would-drop)
	says "flood: very many sources are one row" "$said" ' [0-9]{4,5} sources +to tcp 445$'
	says "flood: and no line" "$said" '^  # \[1\] [0-9]{4,5} sources: '
	says "flood: says that some are missing" "$said" 'are not among these|are left out'
	is "flood: JSON does, too" "$(would '.ungrouped > 0 or .full')" true
	says "flood: every packet is counted by its reason" "$(would_drop source)" '^4[0-9]{4}$'
	check "flood: detach" bkxdp detach eth1
}

make_network
ip -n net address add "$scanner4/24" dev peer0
ip -n net address add "$client4/24" dev peer0
ip -n net address add "$agent4/24" dev peer0
listen host tcp:22 tcp:445 tcp:5633 tcp:10000 tcp:65000 udp:5000
listen net tcp:993 udp:53
audited
enforced
observed
flooded
check "leaves nothing" nothing_is_left
finish
