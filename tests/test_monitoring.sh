#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Configuration, rules and dashboard for Prometheus and Grafana: they are sound, their metrics
# and commands exist, and the alerts fire when they should and not otherwise (unit tests of
# promtool). tests/e2e_prometheus.sh tests them with a real server and a real filter.

set -u
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../scripts/lib.sh"
# shellcheck source=tests/points.sh
. "$(dirname "$0")/points.sh"
cd "$root/monitoring" || exit 1
readonly BKXDP=${BKXDP:-$root/build/bkxdp} rules=bkxdp.rules.yml dashboard=bkxdp-dashboard.json
export NO_COLOR=1

echo "TAP version 13"
for tool in promtool python3; do
	command -v "$tool" >/dev/null || {
		echo "1..0 # SKIP there is no $tool; scripts/setup test installs it"
		exit 4
	}
done
[ -x "$BKXDP" ] || {
	echo "1..0 # SKIP there is no $BKXDP; make builds it"
	exit 4
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# quiet COMMAND...: prints its output if it fails
quiet() { "$@" >"$scratch/said" 2>&1 || { cat "$scratch/said" && echo "status $?"; }; }

# words PATTERN FILE...: prints the words that match, each once
words() { grep -ohE -- "$@" | sort -u; }

lacking() { # WORDS WORDS: prints those of the first that are not among the second
	comm -23 <(sort -u <<<"$1") <(sort -u <<<"$2") | grep .
}

report "promtool finds the configuration sound" "$(quiet promtool check config prometheus.yml)"
awk '/^```$/ { on = 0 } on; /^```yaml$/ { on = 1 }' ../docs/monitoring.md >"$scratch/example.yml"
report "promtool finds the example of docs/monitoring.md sound" "$(quiet grep -q job_name "$scratch/example.yml")$(
	quiet promtool check config --syntax-only "$scratch/example.yml")"
report "promtool finds the rules sound" "$(quiet promtool check rules --lint=all --lint-fatal "$rules")"

report "the alerts fire when they should" "$(quiet promtool test rules tests/alerts.yaml tests/audit.yaml)"
# With QUICK only one schedule, because all of them take a minute.
flows=()
[ -z "${QUICK:-}" ] || flows=(one-night)
tests/silence.py "$PWD/$rules" "${flows[@]}" >"$scratch/silence.yml" || exit 1
report "the alert about silence fires when it should, over months of schedules" "$(quiet promtool test rules "$scratch/silence.yml")"
# Without thresholds the unit tests must fail; otherwise they would prove nothing.
sed 's/1\.25 \* bkxdp:flow_usual_gap_seconds + 3600/1.01 * bkxdp:flow_usual_gap_seconds + 60/' "$rules" >"$scratch/nervous.yml"
tests/silence.py "$scratch/nervous.yml" one-night >"$scratch/nervous-test.yml" || exit 1
report "its tests would fail with another limit" \
	"$(! promtool test rules "$scratch/nervous-test.yml" >/dev/null 2>&1 || echo "the tests pass with another limit")"

sed 's/verdict="drop"/verdict=~"drop|would_drop"/' "$rules" >"$scratch/bkxdp.rules.yml"
mkdir "$scratch/tests" && cp tests/alerts.yaml "$scratch/tests/"
report "the tests of drops would fail if packets that audit passes counted as drops" \
	"$(promtool test rules "$scratch/tests/alerts.yaml" 2>&1 | grep -q 'got:.*"BkxdpPeerScan", device="eth1"' ||
		echo "the tests pass with either verdict")"

alerts=$(sed -n 's/^ *- alert: //p' "$rules")
report "there are alerts" "$([ "$(wc -l <<<"$alerts")" -ge 10 ] || echo "$alerts")"
report "each alert has a severity, a summary and a description" "$(
	for word in severity summary description; do
		[ "$(grep -cE "^ +$word: *[^ ]" "$rules")" = "$(wc -l <<<"$alerts")" ] || echo "not every alert has a $word"
	done
)"
report "each alert has its unit test" "$(for alert in $alerts; do grep -q "$alert" tests/*.yaml tests/silence.py || echo "$alert"; done)"
report "docs/monitoring.md explains each alert, and no other" \
	"$(diff <(sort <<<"$alerts") <(sed -n 's/^### \(Bkxdp[A-Za-z]*\)$/\1/p' ../docs/monitoring.md | sort))"

# Prints "VERB" and "VERB --OPTION" for each command that the texts advise, between quotes, also
# across ends of lines.
advised() {
	local verb rest
	cat "$rules" "$dashboard" | tr '\\\n' ' ' | grep -oE '"bkxdp +[a-z][^"]*"' | tr -d '"' |
		while read -r _ verb rest; do
			echo "$verb"
			grep -oE -- '--[a-z-]+' <<<"$rest" | sed "s/^/$verb /"
		done | sort -u
}
offered() {
	local verb
	"$BKXDP" --help | awk '/^Commands:/ { on = 1; next } on && !NF { exit } on { print $1 }' | while read -r verb; do
		echo "$verb"
		"$BKXDP" "$verb" --help | grep -oE '^ +--[a-z.-]+' | sed "s/^ */$verb /"
	done
}
report "rules and texts advise commands and options that exist" "$(lacking "$(advised)" "$(offered)")"
report "rules and texts do advise commands" "$([ "$(advised | wc -l)" -ge 8 ] || advised)"

report "the dashboard is well made" "$(tests/dashboard.py lint "$dashboard" 2>&1)"
tests/dashboard.py queries "$dashboard" >"$scratch/queries" || exit 1
report "the dashboard has queries" "$([ "$(wc -l <"$scratch/queries")" -ge 20 ] || echo "$(wc -l <"$scratch/queries") queries")"
{
	printf 'groups:\n- name: dashboard\n  rules:\n'
	awk '{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); printf "  - record: query%d\n    expr: \"%s\"\n", NR, $0 }' "$scratch/queries"
} >"$scratch/queries.yml"
report "each query of the dashboard is PromQL" "$(quiet promtool check rules "$scratch/queries.yml")"

report "no query adds drops and packets that audit passed" "$(
	grep -E 'bkxdp_(packets|bytes)_total' "$rules" "$scratch/queries" | grep -vE 'verdict="(pass|drop|would_drop)"|reason="internal"')"
report "the dashboard shows both verdicts" "$(lacking $'drop\nwould_drop' \
	"$(grep -ohE 'verdict="[a-z_]+"' "$scratch/queries" | cut -d '"' -f 2)")"
report "rules and dashboard use metrics that exist" "$(lacking \
	"$(words '\bbkxdp_[a-z_]+' "$rules" "$scratch/queries")" \
	"$(words '"bkxdp_[a-z_]+"' ../user/stats/prometheus_text.c | tr -d '"')")"
report "rules and dashboard use series that are recorded" "$(lacking \
	"$(words '\bbkxdp:[a-z_]+' "$rules" "$scratch/queries")" "$(sed -n 's/^ *- record: //p' "$rules" | sort -u)")"
report "reasons in the rules are reasons of the filter" "$(lacking \
	"$(grep -ohE 'reason=~?"[a-z|-]+"' "$rules" "$scratch/queries" | sed 's/.*"\(.*\)"/\1/' | tr '|' '\n')" \
	"$(sed -nE 's/^.*X\([A-Z_0-9]+, "([a-z-]+)".*/\1/p' ../include/bkxdp/verdict.h)")"

echo "1..$points"
[ "$failures" = 0 ]
