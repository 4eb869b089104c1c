#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A real Prometheus scrapes a real exporter of a real filter. Ten million frames in flows of
# several vendors, while the policy is replaced, are ten million in Prometheus, by flow and by
# reason, and no counter ever goes down. Then each alert is provoked, and fires. The configuration
# and the rules are those of monitoring/, with shorter times.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

readonly BENCH=$root/build/tests/bench seconds=60 exporter=127.0.0.1:10471 server=127.0.0.1:9090
for tool in prometheus curl jq; do
	command -v "$tool" >/dev/null || skip_all "there is no $tool; scripts/setup test installs it"
done
[ -x "$BENCH" ] || skip_all "there is no $BENCH; make tests builds it"
"$BKXDP" exporter --help >/dev/null 2>&1 || skip_all "this bkxdp has no command \"exporter\""

# --- the filter: the same flows at changing positions, among others that come and go

profiles_in_use() {
	cat <<-END
	  - profile: backup-exec
	    as: remote-agent
	    addresses: {media-server: [$server4, "$server6"]}
	    ports: {data: 50000-50100}
	    enable: [oracle]
	  - profile: ibm-cloud-backup
	    as: agent
	    level: strict
	    addresses: {director: $server4}
	END
}

own_flows() {
	cat <<-END
	  - {name: reply, from: self, to: $server4, tcp: 6000}
	  - {name: pulse, from: $server4, to: self, udp: 7003}
	END
}

policy() { # NUMBER [KEY]
	{
		echo "connections: flags"
		echo "use:"
		profiles_in_use
		[ $(($1 % 2)) = 0 ] || printf '  - %s\n' '{profile: livevault, as: agent, addresses: {primary-gateway: 172.16.0.1, backup-gateway: 172.16.0.2}}'
		echo "flows:"
		[ $(($1 % 2)) = 1 ] || for number in $(seq $(($1 % 7 + 1))); do
			echo "  - {name: before$number, from: 172.16.$number.0/24, to: self, tcp: $((700 + number))}"
		done
		own_flows
		[ $# = 1 ] || echo "${*:2}"
	} | write_file
}

# --- the senders

# The number of rounds; the number of frames of each kind in one round.
readonly rounds=20 frames='150000/long 25000/long-1500 25000/long-ipv6 100000/control 100000/director
	50000/reply 25000/scan 25000/sent-strangers'

# shellcheck disable=SC2086 # one word a kind
send_begin() { in_net_begin net "$BENCH" send peer0 "$rounds" $frames >"$WORK/sent" 2>"$WORK/sent.errors"; }

# sent_of KIND... packets|bytes: prints the sender's sum
sent_of() {
	awk -v kinds=" ${*:1:$#-1} " -v what="${*: -1}" '
		index(kinds, " " $1 " ") { sum += what == "bytes" ? $2 * $3 : $2 }
		END { printf "%d\n", sum }' "$WORK/sent"
}

# A flow with a packet every few seconds, until it is told to stop.
pulse() {
	while [ ! -e "$WORK/no-pulse" ]; do
		in_net net bash -c "echo beat >/dev/udp/$host4/7003"
		sleep 4
	done
}

# --- Prometheus

# Shortens the times of the rules, and changes nothing else.
short_rules() {
	sed -E '
		s/^( +for:) .*/\1 1s/
		s/^( +interval:) .*/\1 1s/
		/name: bkxdp-flows/,/name: bkxdp-drops/ {
			s/offset 15m/offset 1s/g
			s/\[28d\]/[10m]/g; s/\[[0-9]+[dh]\]/[1m]/g
			s/> 3600$/> 2/
			s/\* 0 \+ 3600$/* 0 + 2/
			s/\+ 3600$/+ 2/
			s/>= 7 \* 86400/>= 15/
		}
		/name: bkxdp-state/,$ s/\[(5|15)m\]/[5s]/g
		s/\[6h\]/[9m]/; s/\[(5|10|15)m\]/[20s]/g
	' "$root/monitoring/bkxdp.rules.yml"
}

configure() { # NAME-OF-THE-JOB
	sed "s/^\( *scrape_interval:\).*/\1 1s/; s/^\( *evaluation_interval:\).*/\1 1s/; s/job_name: bkxdp/job_name: $1/" \
		"$root/monitoring/prometheus.yml" >"$WORK/prometheus.yml"
}

start_exporter() {
	in_net_begin host "$BKXDP" exporter >"$WORK/exporter" 2>&1
	exporting=$!
	busywait "$seconds" host curl -sf -o /dev/null "http://$exporter/metrics" ||
		bail "the exporter does not answer: $(cat "$WORK/exporter")"
}

start_prometheus() {
	configure bkxdp
	short_rules >"$WORK/bkxdp.rules.yml"
	check "promtool finds the shortened configuration sound" promtool check config "$WORK/prometheus.yml"
	# With the delta, a series that no target has any more is forgotten after seconds, not 5 minutes.
	in_net_begin host prometheus --config.file="$WORK/prometheus.yml" --storage.tsdb.path="$WORK/tsdb" \
		--web.listen-address="$server" --query.lookback-delta=5s --log.level=warn >"$WORK/prometheus" 2>&1
	prometheus=$!
	busywait "$seconds" answers 'up{job="bkxdp"}' 1 || bail "Prometheus scrapes nothing: $(tail "$WORK/prometheus")"
}

ask() { # QUERY: prints its values, a line each
	host curl -sf --data-urlencode "query=$1" "http://$server/api/v1/query" | jq -r '.data.result[].value[1]'
}
answers() { [ "$(ask "$1")" = "$2" ]; }
# Waits for the value, because counters reach Prometheus with the next scrape.
reaches() { # WHAT QUERY VALUE
	busywait "$seconds" answers "$2" "$3"
	is "$1" "$(ask "$2")" "$3"
}

active() { # ALERT WORDS: prints those that fire and whose texts have the words
	host curl -sf "http://$server/api/v1/alerts" |
		jq -ce ".data.alerts[] | select(.labels.alertname == \"$1\" and .state == \"firing\") | .annotations" |
		grep -E -- "$2"
}
inactive() { ! active "$1" '' >/dev/null; }

fires() { # ALERT [WORDS]: checks that it fires, and that its texts are whole
	local said
	busywait "$seconds" active "$1" "${2:-eth1}" >/dev/null
	said=$(active "$1" "${2:-eth1}" | head -n 1)
	says "$1 fires, about '${2:-eth1}'" "$said" "${2:-eth1}" || {
		diag "$(host curl -sf "http://$server/api/v1/alerts")"
		diag "$(cat "$WORK/prometheus")"
		return
	}
	is "$1 says what to do" "$(jq '(.summary | length > 20) and (.description | length > 100)' <<<"$said")" true
	is "$1 has whole texts" "$(grep -cE '<no value>|error expanding|\{\{' <<<"$said")" 0
}

ends() { # ALERT
	busywait "$seconds" inactive "$1"
	is "$1 ends" "$(active "$1" '')" ''
}

# --- the tests

# Replaces the policy until the sender ends; counts in $replaced.
replaced=0 refused=0
replace_while_sending() {
	while kill -0 "$sending" 2>/dev/null; do
		policy "$((replaced + 1))"
		reload >"$WORK/reload" 2>&1 || { refused=$((refused + 1)); diag "$(cat "$WORK/reload")"; }
		replaced=$((replaced + 1))
		sleep 0.3
	done
	wait "$sending"
}

flow_is() { # FLOW SIDE KIND...
	local labels="profile=\"${1%/*}\", flow=\"${1#*/}\", side=\"$2\"" kinds=("${@:3}")
	reaches "$1 $2 has the packets of ${kinds[*]}" "bkxdp_flow_packets_total{$labels}" "$(sent_of "${kinds[@]}" packets)"
	reaches "$1 $2 has their bytes" "bkxdp_flow_bytes_total{$labels}" "$(sent_of "${kinds[@]}" bytes)"
}

reason_is() { # REASON KIND
	reaches "$1 has the packets of $2" "bkxdp_packets_total{verdict=\"drop\", reason=\"$1\"}" "$(sent_of "$2" packets)"
	reaches "$1 has their bytes" "bkxdp_bytes_total{verdict=\"drop\", reason=\"$1\"}" "$(sent_of "$2" bytes)"
}

never_down() { # COUNTER
	is "$1 never went down" "$(ask "max(resets($1[10m]))")" 0
}

ten_million() {
	local all=(long long-1500 long-ipv6 control director reply scan sent-strangers)
	is "all flows begin at 0" "$(ask 'sum(bkxdp_flow_packets_total{flow!="pulse"})')" 0
	send_begin
	sending=$!
	replace_while_sending
	is "the sender has sent all" "$? $(cat "$WORK/sent.errors")" "0 "
	diag "$replaced replacements meanwhile"
	is "the policy was replaced meanwhile" "$((replaced >= 5)) $refused" "1 0"
	is "ten million were sent" "$(sent_of "${all[@]}" packets)" 10000000

	flow_is backup-exec/data inbound long long-1500 long-ipv6
	flow_is backup-exec/control inbound control
	flow_is ibm-cloud-backup/vault reply director
	flow_is site/reply reply reply
	reason_is port scan
	reason_is source sent-strangers
	is "no packet counts as one that would be dropped" "$(ask 'sum(bkxdp_packets_total{verdict="would_drop"})')" 0
	reaches "a flow that never ran is 0" 'bkxdp_flow_packets_total{flow="oracle"}' 0
	is "flows and the reason \"flow\" agree" \
		"$(ask 'sum(bkxdp_flow_packets_total{flow!="pulse"}) - ignoring(x) (sum(bkxdp_packets_total{reason="flow"}) - sum(bkxdp_flow_packets_total{flow="pulse"}))')" 0
	for counter in bkxdp_flow_packets_total bkxdp_flow_bytes_total bkxdp_packets_total bkxdp_bytes_total; do
		never_down "$counter"
	done
	is "several scrapes saw the counters rise" "$(ask 'changes(bkxdp_flow_packets_total{flow="control"}[10m]) >= bool 3')" 1
	is "no scrape failed" "$(ask 'min_over_time(up{job="bkxdp"}[10m])') $(ask bkxdp_scrape_errors_total)" "1 0"
}

# Called right after the traffic, because some queries are about the last minute.
dashboard() {
	local query empty='' queries=0
	while read -r query; do
		queries=$((queries + 1))
		[ -n "$(ask "$query")" ] || empty+="$query"$'\n'
	done < <("$root/monitoring/tests/dashboard.py" queries "$root/monitoring/bkxdp-dashboard.json")
	is_between "the dashboard has queries" "$queries" 20 1000
	is "every query of the dashboard has an answer" "$empty" ''
}

traffic_alerts() {
	fires BkxdpPeerScan
	fires BkxdpPeerDropped '\(port\)'
	fires BkxdpStrangersFlood
}

silence() {
	busywait "$seconds" answers 'count(bkxdp:flow_deadline_timestamp_seconds{flow="pulse"})' 1
	dashboard
	touch "$WORK/no-pulse"
	wait "$pulsing"
	fires BkxdpFlowSilent 'site/pulse'
	is "a flow that never ran is not missed" "$(ask 'ALERTS{alertname="BkxdpFlowSilent", flow="oracle"}')" ''
}

state_alerts() {
	host ip link set eth1 xdp off
	fires BkxdpDetached
	check "attach" attach
	ends BkxdpDetached
	policy 0 'verdict: audit'
	check "reload in audit mode" reload
	fires BkxdpAuditMode
	touch -d "@$(($(bkxdp metrics | awk '$1 ~ /^bkxdp_policy_loaded_/ { print $2 }') + 1))" "$WORK/eth1.yaml"
	fires BkxdpPolicyOlderThanFile
	policy 0
	check "reload" reload
	ends BkxdpPolicyOlderThanFile
	ends BkxdpAuditMode
}

rules_work() {
	is "no rule failed" "$(host curl -sf "http://$server/metrics" |
		awk '/^prometheus_rule_evaluation_failures_total/ { sum += $2; seen++ } END { print (seen >= 4) " " sum + 0 }')" "1 0"
	is "Prometheus met no error" "$(grep -i "level=error" "$WORK/prometheus")" ''
}

exporter_alerts() {
	check "one map is lost" rm "$(find /sys/fs/bpf/bkxdp/eth1 -name 'reasons*')"
	fires BkxdpScrapeErrors exporter
	check "detach" bkxdp detach eth1
	ends BkxdpScrapeErrors
	fires BkxdpDeviceGone
	configure another
	kill -HUP "$prometheus"
	fires BkxdpNoTargets 'no bkxdp'
	configure bkxdp
	kill -HUP "$prometheus"
	ends BkxdpNoTargets
	kill "$exporting"
	wait "$exporting" 2>/dev/null
	fires BkxdpExporterDown "$exporter"
}

make_network
policy 0
attach >"$WORK/attach" 2>&1 || bail "attach failed: $(cat "$WORK/attach")"
start_exporter
start_prometheus
busywait "$seconds" answers 'count(bkxdp_attached)' 1 || bail "no interface in Prometheus"
pulse &
pulsing=$!
ten_million
traffic_alerts
silence
state_alerts
exporter_alerts
rules_work
check "leaves nothing" nothing_is_left
finish
