#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A scrape of 16 interfaces with 4,096 flows each: whole, and within 20 MiB. How
# long it takes is told and not judged; tests/budget.sh counts what it costs.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

readonly interfaces=16 flows=4096 at=http://127.0.0.1:10471/metrics

make_interfaces() {
	local n
	add_net host || bail "no namespace"
	{
		echo "flows:"
		awk -v count="$flows" 'BEGIN { for (n = 0; n < count; n++)
			printf "  - {name: flow-%d, from: [10.%d.%d.0/24], to: self, tcp: %d}\n",
				n, 64 + n / 256, n % 256, 2000 + n }'
	} >"$WORK/flows"
	for ((n = 0; n < interfaces; n++)); do
		ip -n host link add "backup$n" type veth peer name "far$n" || bail "no veth pair"
		{ echo "interface: backup$n"; cat "$WORK/flows"; } >"$WORK/backup$n.yaml"
		bkxdp attach "backup$n" --config "$WORK/backup$n.yaml" >"$WORK/said" 2>&1 || bail "$(cat "$WORK/said")"
	done
}

says_where() { grep -q 'metrics at' "$WORK/log"; }
resident() { awk -v line="$1:" '$1 == line { print $2 }' "/proc/$exporter/status"; }

# What is kept in memory for those who have not yet read it.
kept() { find "/proc/$exporter/fd" -lname '/memfd:*' -exec stat -Lc %s {} + | awk '{ sum += $1 } END { print int(sum / 1048576) }'; }

# In ticks of the clock, of which there are 100 in a second.
processor() { awk '{ print $14 + $15 }' "/proc/$exporter/stat"; }

scrape() { # WHAT CURL OPTION...
	local before after took
	before=$(processor)
	took=$(host curl -s -m 120 -o "$WORK/body" -w '%{time_total} s, %{size_download} bytes' "${@:2}" "$at")
	after=$(processor)
	diag "$1: $took; processor $(((after - before) * 10)) ms; resident $(resident VmRSS) KiB"
}

all_at_once() {
	local n clients=()
	for n in 1 2 3 4; do
		host curl -s -m 120 --compressed -o "$WORK/body.$n" "$at" &
		clients+=($!)
	done
	wait "${clients[@]}"
	cat "$WORK"/body.? | grep -c '^bkxdp_flow_packets_total{'
}

make_interfaces
in_net_begin host "$BKXDP" exporter --user root 2>"$WORK/log"
exporter=$!
busywait 20 says_where || bail "$(cat "$WORK/log")"
for n in 1 2 3; do
	scrape "text"
	scrape "gzip" --compressed
done
is "every flow is there" "$(grep -c '^bkxdp_flow_packets_total{' "$WORK/body")" $((interfaces * flows))
is "every interface is attached" "$(grep -c '^bkxdp_attached{.*} 1$' "$WORK/body")" "$interfaces"
is "no error" "$(awk '$1 == "bkxdp_scrape_errors_total" { print $2 }' "$WORK/body")" 0
diag "one at a time: resident $(resident VmHWM) KiB at most"
is "four at a time are whole, too" "$(all_at_once)" $((4 * interfaces * flows))
is_between "resident, at most, in KiB" "$(resident VmHWM)" 1000 20480
diag "four at a time: resident $(resident VmHWM) KiB at most"
in_net_begin host python3 "$root/tests/exporter.py" sip 127.0.0.1 10471 8 >"$WORK/crowd"
crowd=$!
busywait 60 test -s "$WORK/crowd" || bail "no slow readers"
scrape "while eight read nothing"
is_between "scrapes that are kept for slow readers, in MiB" "$(kept)" 1 100
is "a scrape is whole while eight read nothing" "$(grep -c '^bkxdp_flow_packets_total{' "$WORK/body")" $((interfaces * flows))
kill "$crowd"
is_between "resident, at most, in KiB, of slow readers too" "$(resident VmHWM)" 1000 20480
kill "$exporter"
wait "$exporter"
is "ends well" $? 0
for ((n = 0; n < interfaces; n++)); do
	bkxdp detach "backup$n" >/dev/null
done
check "leaves nothing" nothing_is_left
finish
