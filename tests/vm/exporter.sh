#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The exporter as a user of its own on this kernel: before 5.19 it keeps one capability, from
# then on none. Its counters are those of the status in both cases.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

[ -x "${BKXDP%/*}/bkxdp-exporter" ] || skip_all "there is no bkxdp-exporter"

says_where() { grep -q 'metrics at' "$WORK/log"; }
scrape() {
	host python3 -c 'import urllib.request as r; print(r.urlopen("http://127.0.0.1:10471/metrics").read().decode())' >"$WORK/metrics"
}
sample() { awk -v series="$1" '$1 == series { print $2 }' "$WORK/metrics"; }
capabilities() { awk '/^Cap(Prm|Eff):/ { print $2 }' "/proc/$exporter/status" | sort -u; }

# Outside of a virtual machine, this setting belongs to the administrator.
echo 1 >/proc/sys/kernel/unprivileged_bpf_disabled
make_network
make_reader || bail "no user"
listen host tcp:6000
write_file <<END
flows:
  - {name: backup, from: [$server4], to: self, tcp: 6000}
END
attach >"$WORK/said" 2>&1 || bail "$(cat "$WORK/said")"
connects "$server4" "$host4" 6000
in_net_begin host "$BKXDP" exporter 2>"$WORK/log"
exporter=$!
busywait 60 says_where || bail "$(cat "$WORK/log")"

is "it is the user bkxdp" "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$exporter/status")" "964 964 964 964"
if kernel_is_at_least 5 19; then
	is "without a capability" "$(capabilities)" 0000000000000000
else
	is "with CAP_BPF alone" "$(capabilities)" 0000008000000000
fi
check "it answers" scrape
is "without an error" "$(sample bkxdp_scrape_errors_total)" 0
is "the interface is attached" "$(sample 'bkxdp_attached{device="eth1"}')" 1
says "the flow has counted" "$(sample 'bkxdp_flow_packets_total{device="eth1",profile="site",flow="backup",side="inbound"}')" '^[1-9]'
is "as the status has it" "$(sample 'bkxdp_flow_packets_total{device="eth1",profile="site",flow="backup",side="inbound"}')" \
	"$(flow site/backup inbound)"
bkxdp detach eth1 >/dev/null
check "it answers after the detach" scrape
is "and has nothing" "$(grep -c device= "$WORK/metrics")" 0
kill "$exporter"
wait "$exporter"
is "ends well" $? 0
finish
