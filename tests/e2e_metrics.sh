#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The metrics: sound for Prometheus, complete from the start, and equal to the status.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

use=(--use backup-exec:remote-agent --address "media-server=$server4" --profiles "$root/profiles")

sample() { # NAME LABEL...: prints the value of the one sample with these labels
	local labels="$2" label
	for label in "${@:3}"; do
		labels+=",$label"
	done
	awk -v name="$1" -v labels="$labels" '
		index($0, name "{") == 1 {
			found = 1
			split(labels, wanted, ",")
			for (n in wanted)
				if (!index($0, wanted[n])) found = 0
			if (found) print $NF
		}' "$WORK/metrics"
}

scrape() { bkxdp metrics >"$WORK/metrics"; }

sound() { # WHEN
	check "$1: metrics" scrape
	if command -v promtool >/dev/null; then
		check "$1: promtool finds nothing" promtool_is_quiet
	else
		skip "$1: promtool finds nothing" "promtool (package prometheus) is not installed"
	fi
	is "$1: no error" "$(awk '$1 == "bkxdp_scrape_errors_total" { print $2 }' "$WORK/metrics")" 0
	is "$1: no address is a label" "$(grep -cE '="[^"]*[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+' "$WORK/metrics")" 0
	is "$1: build_info is 1" "$(sample bkxdp_build_info version=)" 1
}

promtool_is_quiet() {
	local text
	text=$(promtool check metrics <"$WORK/metrics" 2>&1) && [ -z "$text" ] || { echo "$text"; return 1; }
}

nothing_came_between() {
	bkxdp status eth1 --json >"$json" && scrape && status .reasons | cmp -s - <(jq -r .reasons "$json")
}

equal_to_status() {
	local json=$WORK/status.json wrong=0 reason verdict packets bytes profile flow side
	# Neighbour discovery of IPv6 may still be under way.
	busywait 10 nothing_came_between || not_ok "status and metrics of one moment"
	while read -r reason verdict packets bytes; do
		[ "$(sample bkxdp_packets_total "reason=\"$reason\"" "verdict=\"$verdict\"" 'device="eth1"')" = "$packets" ] &&
			[ "$(sample bkxdp_bytes_total "reason=\"$reason\"" "verdict=\"$verdict\"" 'device="eth1"')" = "$bytes" ] ||
			{ wrong=$((wrong + 1)); diag "$verdict $reason differs"; }
	done < <(jq -r '.reasons[] | "\(.reason) \(.verdict) \(.packets) \(.bytes)"' "$json")
	is "every reason has the status's packets and bytes" "$wrong" 0

	wrong=0
	while read -r profile flow side packets bytes; do
		[ "$(sample bkxdp_flow_packets_total "profile=\"$profile\"" "flow=\"$flow\"" "side=\"$side\"")" = "$packets" ] &&
			[ "$(sample bkxdp_flow_bytes_total "profile=\"$profile\"" "flow=\"$flow\"" "side=\"$side\"")" = "$bytes" ] ||
			{ wrong=$((wrong + 1)); diag "$profile/$flow $side differs"; }
	done < <(jq -r '.flows[] | "\(.profile) \(.flow) \(.side) \(.packets) \(.bytes)"' "$json")
	is "every flow has the status's packets and bytes" "$wrong" 0

	is "the number of IPv4 prefixes is that of the status" "$(sample bkxdp_policy_prefixes 'family="ipv4"')" "$(jq .prefixes.ipv4 "$json")"
	is "the number of IPv6 prefixes is that of the status" "$(sample bkxdp_policy_prefixes 'family="ipv6"')" "$(jq .prefixes.ipv6 "$json")"
	is "device_info has digest, mode and enforcement" "$(sample bkxdp_device_info \
		"digest=\"$(jq -r .digest "$json")\"" "mode=\"$(jq -r .mode "$json")\"" 'enforcement="enforce"')" 1
	is_between "the policy was loaded when status says" "$(sample bkxdp_policy_loaded_timestamp_seconds 'device="eth1"' | cut -d. -f1)" \
		"$(date -d "$(jq -r .loaded "$json")" +%s)" "$(($(date -d "$(jq -r .loaded "$json")" +%s) + 1))"
}

# Prints the reasons of the source with their verdicts: "port drop", and "port would_drop" for
# what passes while the policy audits.
reasons_of_source() {
	sed -n 's/^[[:space:]]*X([A-Z_]*, "\([a-z-]*\)", \(PASS\|DROP\).*/\1 \L\2/p' "$root/include/bkxdp/verdict.h" |
		awk '{ print } $2 == "drop" { print $1, "would_drop" }' | sort
}

complete() {
	is "every reason of the source has its sample" \
		"$(awk '/^bkxdp_packets_total\{/' "$WORK/metrics" |
			sed 's/.*reason="\([^"]*\)".*/& \1/; s/.*verdict="\([^"]*\)".* \([a-z-]*\)$/\2 \1/' | sort)" \
		"$(reasons_of_source)"
	is "a reason that cannot have happened is 0" \
		"$(sample bkxdp_packets_total 'reason="internal"' 'verdict="drop"')" 0
}

to_a_file() {
	check "--output writes a file for the textfile collector" bkxdp metrics --output "$WORK/out.prom"
	is "the file has the metrics" "$(grep -c '^bkxdp_packets_total{' "$WORK/out.prom")" "$(reasons_of_source | wc -l)"
	is "no other file stays beside it" "$(find "$WORK" -name '*out.prom*' | wc -l)" 1
	fails "--output to a directory that is not there" 1 bkxdp metrics --output "$WORK/none/out.prom"
	says "names it" "$said" 'none/out\.prom: .*the folder .*/none is not there$'
	cp "$WORK/out.prom" "$WORK/before.prom"
	chmod 777 "$WORK" && chmod 666 "$WORK/out.prom" && chmod 700 /sys/fs/bpf
	fails "--output without the right to read anything fails" 1 host setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$BKXDP" metrics --output "$WORK/out.prom"
	says "says so" "$said" 'out\.prom: nothing could be read, so nothing is written there$'
	check "that leaves the file as it was" cmp "$WORK/out.prom" "$WORK/before.prom"
	chmod 755 "$WORK" && rm "$WORK/before.prom"
}

# The file that a textfile collector reads may be a link to a place with more room.
to_a_link() {
	mkdir "$WORK/textfile" "$WORK/space"
	ln -s "$WORK/space/real.prom" "$WORK/textfile/link.prom"
	fails "--output to a link to nothing" 1 bkxdp metrics --output "$WORK/textfile/link.prom"
	says "says so" "$said" 'link to a missing file'
	echo old >"$WORK/space/real.prom"
	check "--output to a link" bkxdp metrics --output "$WORK/textfile/link.prom"
	is "--output to a link leaves the link" "$(readlink "$WORK/textfile/link.prom")" "$WORK/space/real.prom"
	says "--output to a link writes the file that it names" "$(cat "$WORK/space/real.prom")" '^bkxdp_packets_total'
	chown 65534:65534 "$WORK/space/real.prom" && chmod 600 "$WORK/space/real.prom"
	check "--output to another user's private file" bkxdp metrics --output "$WORK/space/real.prom"
	is "the file still belongs to that user, and is private" "$(stat -c %u:%g:%a "$WORK/space/real.prom")" 65534:65534:600
	is "there is no other file beside the link and its file" "$(find "$WORK/textfile" "$WORK/space" | wc -l)" 4
}

# A limit of one block for each file kills it by a signal while it writes.
killed() { ! (ulimit -f 1 && bkxdp metrics --output "$WORK/killed/out.prom"); }
after_a_kill() {
	mkdir "$WORK/killed"
	check "killed while it writes" killed
	check "killed again" killed
	is "there is no file for the collector" "$(find "$WORK/killed" -name '*.prom')" ''
	check "the next run writes it" bkxdp metrics --output "$WORK/killed/out.prom"
	is "the next run removes what the killed ones left" "$(find "$WORK/killed" -type f)" "$WORK/killed/out.prom"
	touch "$WORK/killed/out.prom.new" && chown 65534 "$WORK/killed/out.prom.new"
	fails "what another user put beside it is not written to" 1 bkxdp metrics --output "$WORK/killed/out.prom"
	says "which is said" "$said" 'out\.prom\.new'
	rm "$WORK/killed/out.prom.new"
}

# If the disk is full, the status is 1 and a sentence says so, whatever is printed.
to_a_full_disk() {
	local words
	fails "--output to a full disk" 1 bkxdp metrics --output /dev/full
	says "says why" "$said" '/dev/full: .*No space left'
	mkdir "$WORK/full" && mount -t tmpfs -o size=4k,mode=755 full "$WORK/full"
	fails "--output to a file on a full disk" 1 bkxdp metrics --output "$WORK/full/out.prom"
	says "says why" "$said" 'full/out\.prom: .*No space left'
	is "--output to a full disk leaves nothing there" "$(find "$WORK/full" -type f)" ''
	umount "$WORK/full"
	for words in metrics 'status' 'status --json' 'status eth1 --would-drop' "profiles --profiles $root/profiles" \
		"profiles backup-exec --json --profiles $root/profiles" 'explain eth1 icmp 10.0.0.1' 'top eth1 --once --interval 0.5' 'metrics --help' '--version' "check $root/profiles/backup-exec.yaml"; do
		# shellcheck disable=SC2086,SC2016 # words; the inner shell's
		fails "to a full disk: $words" 1 in_net host sh -c '"$0" "$@" >/dev/full' "$BKXDP" $words
		says "which is said" "$said" 'could not be written completely'
	done
}

is_text() { iconv -f UTF-8 -t UTF-8 && ! grep -q '[[:cntrl:]]'; } # of each line

# The kernel allows nearly any byte in the name of an interface.
strange_names() {
	local strange=$'e\e[1m\xff' shown='e\x1b[1m\xff'
	ip link add "$strange" netns host type veth peer name peer1 netns net
	echo 'flows: [{name: ssh, from: 10.9.0.0/16, to: self, tcp: 22}]' >"$WORK/any.yaml"
	check "attach to an interface whose name is no text" bkxdp attach "$strange" --config "$WORK/any.yaml"
	{
		bkxdp attach "$strange" --config "$WORK/any.yaml"
		bkxdp status "$strange"
		bkxdp status "$strange" --would-drop
		bkxdp explain "$strange" nonsense
		bkxdp status $'no\e[1m\xff'
		bkxdp top "$strange" --once --interval 0.5
	} >"$WORK/strange" 2>&1
	check "no command steers a terminal by it" is_text <"$WORK/strange"
	says "it is shown by its bytes" "$(cat "$WORK/strange")" '^e\\x1b\[1m\\xff: '
	is "status --json is JSON" "$(bkxdp status --json | jq -r '.[].device' | sort | paste -sd' ')" "$shown eth1"
	is "--would-drop --json is JSON" "$(bkxdp status "$strange" --would-drop --json | jq -r .device)" "$shown"
	is "top --json is JSON" "$(bkxdp top "$strange" --once --json --interval 0.5 | jq -r .device)" "$shown"
	sound "an interface whose name is no text"
	check "the metrics are UTF-8" is_text <"$WORK/metrics"
	is "the metrics have that interface" "$(grep -cFx 'bkxdp_attached{device="e\\x1b[1m\\xff"} 1' "$WORK/metrics")" 1
	is "the metrics have the other interface" "$(sample bkxdp_attached 'device="eth1"')" 1
	check "detach" bkxdp detach "$strange"
}

# A directory may have very many profiles; each has its own name on all screens.
many_profiles() {
	local i
	mkdir "$WORK/many"
	for i in $(seq 300); do
		printf 'profile: vendor-%s\nroles: {a: {title: a}, b: {title: b}}\nflows:\n  - {name: flow, from: a, to: b, tcp: %s}\n' \
			"$i" "$((20000 + i))" >"$WORK/many/vendor-$i.yaml"
	done
	ip link add eth2 netns host type veth peer name peer2 netns net
	check "attach: observes more than 256 profiles" bkxdp attach eth2 --profiles "$WORK/many"
	sound "more than 256 profiles"
	is "each has its flow in the metrics" \
		"$(grep '^bkxdp_flow_packets_total{device="eth2"' "$WORK/metrics" | grep -oE 'profile="vendor-[0-9]+"' | sort -u | wc -l)" 300
	check "top shows the interface" bkxdp top eth2 --once --interval 0.5
	check "detach" bkxdp detach eth2
}

# The time of the newest file of the policy: of the interface file, or of a profile that it uses.
files_times() {
	local newest
	mkdir "$WORK/profiles"
	cp "$root/profiles/backup-exec.yaml" "$WORK/profiles/"
	write_file <<-END
	use: [{profile: backup-exec, as: remote-agent, addresses: {media-server: [$server4]}}]
	END
	touch -d '@1700000000' "$WORK/eth1.yaml"
	touch -d '@1600000000' "$WORK/profiles/backup-exec.yaml"
	check "reload from a file" bkxdp reload eth1 --config "$WORK/eth1.yaml" --profiles "$WORK/profiles"
	newest=1700000000
	is "the time is the interface file's" "$(scrape; sample bkxdp_policy_file_timestamp_seconds 'device="eth1"')" "$newest"
	newest=$(($(sample bkxdp_policy_loaded_timestamp_seconds 'device="eth1"') + 1))
	touch -d "@$newest" "$WORK/profiles/backup-exec.yaml"
	is "the time is the profile's, if that is newer" "$(scrape; sample bkxdp_policy_file_timestamp_seconds 'device="eth1"')" "$newest"
	rm "$WORK/profiles/backup-exec.yaml"
	is "the time of a profile that is gone does not count" "$(scrape; sample bkxdp_policy_file_timestamp_seconds 'device="eth1"')" 1700000000
	rm "$WORK/eth1.yaml"
	sound "the files are gone"
	is "if both files are gone, there is no time" "$(sample bkxdp_policy_file_timestamp_seconds 'device="eth1"')" ''
}

# Metrics and status never show another policy than the one that judges packets.
killed_reloads() {
	local number=1 status=137 wrong=0 next=two flows really
	if ! command -v strace >/dev/null; then
		skip "a reload that is killed" "strace is not installed"
		return
	fi
	echo 'flows: [{name: one, from: 10.1.0.1, to: self, tcp: 1}]' >"$WORK/one.yaml"
	echo 'flows: [{name: one, from: 10.1.0.1, to: self, tcp: 1}, {name: two, from: 10.1.0.2, to: self, tcp: 2}]' >"$WORK/two.yaml"
	check "attach" bkxdp attach eth1 --config "$WORK/one.yaml"
	while [ "$status" != 0 ] && [ "$number" -lt 300 ]; do
		host strace -qq -o "$WORK/trace" -e trace=bpf -e "inject=bpf:signal=KILL:when=$number" \
			"$BKXDP" reload eth1 --config "$WORK/$next.yaml" >"$WORK/said" 2>&1
		status=$?
		really=1 next=two
		bkxdp explain eth1 "tcp 10.1.0.2:40000 > $host4:2" >/dev/null 2>&1 && really=2 next=one
		flows=$(bkxdp metrics | grep -c '^bkxdp_flow_packets_total{'),$(status '.flows | length')
		[ "$flows" = "$really,$really" ] ||
			{ wrong=$((wrong + 1)); diag "killed at bpf() number $number: metrics and status have $flows flows, the policy has $really"; }
		number=$((number + 4))
	done
	is "reloads were killed at $((number / 4)) calls, and one was not" "$status,$((number > 40))" 0,1
	is "metrics and status have the policy in force" "$wrong" 0
	check "detach" bkxdp detach eth1
}

make_network
listen host tcp:22 tcp:10000
sound "nothing attached"
killed_reloads
bkxdp attach eth1 "${use[@]}" >/dev/null 2>&1 || bail "attach failed"
sound "just attached"
complete
is "without a file there is no time of one" "$(sample bkxdp_policy_file_timestamp_seconds 'device="eth1"')" ''
is "attached is 1" "$(sample bkxdp_attached 'device="eth1"')" 1
connects "$server4" "$host4" 10000
connects "$server4" "$host4" 22 2>/dev/null
connects "$stranger4" "$host4" 10000 2>/dev/null
is "the SYN to SSH is in the metrics" "$(scrape; sample bkxdp_packets_total 'reason="port"' 'verdict="drop"')" 1
is "the SYN of the stranger is in the metrics" "$(sample bkxdp_packets_total 'reason="source"' 'verdict="drop"')" 1
equal_to_status
sound "after traffic"
to_a_file
to_a_link
after_a_kill
to_a_full_disk
strange_names
many_profiles
files_times
bkxdp detach eth1 >/dev/null
check "leaves nothing" nothing_is_left
finish
