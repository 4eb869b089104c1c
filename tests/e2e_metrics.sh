#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The metrics: sound for Prometheus, complete from the start, equal to the status.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

use=(--use backup-exec:remote-agent --address "media-server=$server4" --profiles "$root/profiles")

sample() { # NAME LABEL...: the value of the one sample with these labels
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

equal_to_status() {
	local json=$WORK/status.json wrong=0 reason verdict packets bytes profile flow side
	bkxdp status eth1 --json >"$json"
	scrape
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

	is "prefixes of IPv4" "$(sample bkxdp_policy_prefixes 'family="ipv4"')" "$(jq .prefixes.ipv4 "$json")"
	is "prefixes of IPv6" "$(sample bkxdp_policy_prefixes 'family="ipv6"')" "$(jq .prefixes.ipv6 "$json")"
	is "device_info has digest, mode and enforcement" "$(sample bkxdp_device_info \
		"digest=\"$(jq -r .digest "$json")\"" "mode=\"$(jq -r .mode "$json")\"" 'enforcement="enforce"')" 1
	is_between "loaded when status says" "$(sample bkxdp_policy_loaded_timestamp_seconds 'device="eth1"' | cut -d. -f1)" \
		"$(date -d "$(jq -r .loaded "$json")" +%s)" "$(($(date -d "$(jq -r .loaded "$json")" +%s) + 1))"
}

# "port drop", and "port would_drop" for what audit lets pass.
reasons_of_source() {
	sed -n 's/^[[:space:]]*X([A-Z_]*, "\([a-z-]*\)", \(PASS\|DROP\).*/\1 \L\2/p' "$root/include/bkxdp/verdict.h" |
		awk '{ print } $2 == "drop" { print $1, "would_drop" }' | sort
}

complete() {
	is "every reason of the source has its sample" \
		"$(awk '/^bkxdp_packets_total\{/' "$WORK/metrics" |
			sed 's/.*reason="\([^"]*\)".*/& \1/; s/.*verdict="\([^"]*\)".* \([a-z-]*\)$/\2 \1/' | sort)" \
		"$(reasons_of_source)"
	is "those that cannot have happened are 0" \
		"$(sample bkxdp_packets_total 'reason="internal"' 'verdict="drop"')" 0
}

to_a_file() {
	check "--output writes a file for the textfile collector" bkxdp metrics --output "$WORK/out.prom"
	is "that holds the metrics" "$(grep -c '^bkxdp_packets_total{' "$WORK/out.prom")" "$(reasons_of_source | wc -l)"
	is "and no other file stays beside it" "$(find "$WORK" -name '*out.prom*' | wc -l)" 1
	fails "--output to a directory that is not there" 1 bkxdp metrics --output "$WORK/none/out.prom"
	says "names it" "$said" 'none/out\.prom'
}

# A file that is newer than the policy: the interface file, or a profile that a flow of it is from.
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
	is "or the profile's, if that is newer" "$(scrape; sample bkxdp_policy_file_timestamp_seconds 'device="eth1"')" "$newest"
	rm "$WORK/profiles/backup-exec.yaml"
	is "a profile that is gone has none" "$(scrape; sample bkxdp_policy_file_timestamp_seconds 'device="eth1"')" 1700000000
	rm "$WORK/eth1.yaml"
	sound "the files are gone"
	is "no file, no time" "$(sample bkxdp_policy_file_timestamp_seconds 'device="eth1"')" ''
}

make_network
listen host tcp:22 tcp:10000
sound "nothing attached"
bkxdp attach eth1 "${use[@]}" >/dev/null 2>&1 || bail "attach failed"
sound "just attached"
complete
is "without a file there is no time of one" "$(sample bkxdp_policy_file_timestamp_seconds 'device="eth1"')" ''
is "attached is 1" "$(sample bkxdp_attached 'device="eth1"')" 1
connects "$server4" "$host4" 10000
connects "$server4" "$host4" 22 2>/dev/null
connects "$stranger4" "$host4" 10000 2>/dev/null
is "the SYN to SSH is in the metrics" "$(scrape; sample bkxdp_packets_total 'reason="port"' 'verdict="drop"')" 1
is "the SYN of the stranger, too" "$(sample bkxdp_packets_total 'reason="source"' 'verdict="drop"')" 1
sleep 0.3 # neighbour discovery of IPv6 may still be under way
equal_to_status
sound "after traffic"
to_a_file
files_times
bkxdp detach eth1 >/dev/null
check "leaves nothing" nothing_is_left
finish
