#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packets that audit would drop and packets that are dropped are counted apart, on every
# screen: the same traffic is audited, then enforced, then audited again.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

policy() { # VERDICT
	write_file <<-END
	verdict: $1
	flows: [{name: backup, from: [$server4], to: self, udp: 6000}]
	END
}

asks() { traffic net ask "$1" "$host4" "$2" "${@:3}"; }

# Prints the reasons of a verdict that were counted, as "port 1, source 2".
counted() { # VERDICT
	status "[.reasons[] | select(.verdict == \"$1\" and .packets > 0) | \"\\(.reason) \\(.packets)\"] | join(\", \")"
}
metric() { # VERDICT
	bkxdp metrics | sed -nE 's/^bkxdp_packets_total\{device="eth1",verdict="'"$1"'",reason="([a-z-]+)"\} ([1-9][0-9]*)$/\1 \2/p' |
		paste -sd, | sed 's/,/, /g'
}
bytes() { # VERDICT
	bkxdp metrics | awk -v verdict="verdict=\"$1\"" '/^bkxdp_bytes_total/ && index($1, verdict) { sum += $2 } END { print sum + 0 }'
}
# Prints the rows of a screen for people, without the numbers of bytes.
rows() { # COMMAND...
	"$@" | awk '$1 == "drop" { drop = drop ", drop " $2 " " $3 }
		$1 == "would" { would = would ", would drop " $3 " " $4 }
		END { if (drop) printf "%s;", substr(drop, 3); if (would) printf "%s;", substr(would, 3) }'
}
top_rows() { # VERDICT, of $top; in the order of status
	jq -r <<<"$top" "[.reasons[] | select(.verdict == \"$1\")] | sort_by(.reason) | reverse | [.[] | \"\\(.reason) \\(.packets)\"] | join(\", \")"
}
top_page() { bkxdp top eth1 --once --interval 0.5; }

# counts WHEN WOULD DROPPED PASSED: checks them on all screens; the first two as "source 1, port 1"
counts() {
	local verdict wanted top
	top=$(bkxdp top eth1 --once --interval 0.5 --json)
	for verdict in would_drop drop; do
		[ "$verdict" = drop ] && wanted=$3 || wanted=$2
		is "$1: status: $verdict" "$(counted "$verdict")" "$wanted"
		is "$1: metrics: $verdict" "$(metric "$verdict")" "$wanted"
		is "$1: top: $verdict" "$(top_rows "$verdict")" "$wanted"
	done
	is "$1: status, for people" "$(rows bkxdp status eth1)" "$(named drop "$3")$(named 'would drop' "$2")"
	is "$1: top, for people" "$(top_page | sed -nE 's/^(dropped|would drop) .* ([0-9]+) packets$/\1 \2/p' | xargs)" \
		"dropped $(sum "$3") would drop $(sum "$2")"
	is "$1: top, for programs" "$(jq -r '"\(.dropped.packets) \(.would_drop.packets)"' <<<"$top")" "$(sum "$3") $(sum "$2")"
	is "$1: flows count what they pass" "$(flow site/backup inbound) $(passed flow)" "$4 $4"
	check "$1: every frame sent is one packet counted" busywait 10 nothing_unjudged
}
sum() { grep -oE '[0-9]+' <<<"$1" | awk '{ sum += $1 } END { print sum + 0 }'; }
named() { sed -E "/./ { s/(^|, )/&$1 /g; s/\$/;/ }" <<<"$2"; }

# Prints how many frames were sent and not judged, or nothing if one was sent meanwhile.
unjudged() {
	local before count
	before=$(sent) count=$(judged)
	[ "$before" = "$(sent)" ] && echo $((before - count))
}
nothing_unjudged() { [ "$(unjudged)" = "$unjudged" ]; }
knows_unjudged() { unjudged=$(unjudged); } # before the attach nothing was judged

complete() {
	local drops
	drops=$(status '.reasons[] | select(.verdict == "drop") | .reason')
	check "there are reasons for drops" grep -qx port <<<"$drops"
	is "each is there from the start for what would be dropped, too" \
		"$(status '.reasons[] | select(.verdict == "would_drop") | .reason')" "$drops"
}

under_audit() {
	policy audit
	check "audit: attach" attach
	complete
	busywait 10 knows_unjudged || bail "there is no moment in which nothing is sent"
	check "audit: a packet of a flow" asks "$server4" 6000
	check "audit: a packet of a peer to another port" asks "$server4" 7000
	check "audit: a packet of a stranger" asks "$stranger4" 6000
	check "audit: a packet of a stranger to another port" asks "$stranger4" 7000
	counts audit "source 2, port 1" "" 1
	says "audit: the rows of top say what would be dropped" "$(top_page)" '^port +would drop '
	says "audit: top says where that comes from" "$(top_page)" '^WOULD DROP FROM '
}

enforced() {
	local bytes
	bytes=$(bytes would_drop)
	policy enforce
	check "enforced: reload" reload
	counts "before any packet" "source 2, port 1" "" 1
	check "enforced: a packet of a flow" asks "$server4" 6000
	fails "enforced: a packet of a peer to another port" 1 asks "$server4" 7000 --timeout 0.5
	fails "enforced: a packet of a stranger" 1 asks "$stranger4" 6000 --timeout 0.5
	counts enforced "source 2, port 1" "source 1, port 1" 2
	is "enforced: the bytes of audit stay" "$(bytes would_drop)" "$bytes"
	is "enforced: the bytes of drops are those of the dropped packets" "$(bytes drop)" $((bytes * 2 / 3))
	says "enforced: top says where drops come from" "$(top_page)" '^DROPPED SOURCE '
	is "enforced: status no longer points to --would-drop" "$(bkxdp status eth1 | grep -e --would-drop)" ""
}

audited_again() {
	policy audit
	check "once more: reload" reload
	check "once more: a packet of a peer to another port" asks "$server4" 7000
	counts "once more" "source 2, port 2" "source 1, port 1" 2
}

make_network
listen host udp:6000 udp:7000
under_audit
enforced
audited_again
bkxdp detach eth1 >/dev/null
check "leaves nothing" nothing_is_left
finish
