#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Compares counts of instructions with the ceilings of tests/budget.txt: those that the
# verifier walks through to accept the program, and those that checking a file takes.
#
#	tests/budget.sh            compares
#	tests/budget.sh --renew    writes today's figures, and room, as the new ceilings

set -u
# It says what the verifier did; the other tests do without it.
if [ -z "${BKXDP_WORLD:-}" ]; then
	# shellcheck source=scripts/lib.sh
	(. "$(dirname "$0")/../scripts/lib.sh" && build build/tests/bench >/dev/null) || exit 1
fi
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

readonly budget=$root/tests/budget.txt room=15
# Compilers and C libraries differ by release, and the numbers of instructions with them.
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
[ "${1:-}" = --renew ] && renew=1 || renew=0

ceiling() { # NAME
	awk -F ' *[|] *' -v name="$1" '$1 == name { print $2 }' "$budget"
}

record() { # NAME FIGURE WHAT
	local others
	others=$(awk -F ' *[|] *' -v name="$1" '/^#/ || $1 != name' "$budget")
	printf '%s\n%s | %d | %s\n' "$others" "$1" $(($2 + $2 * room / 100)) "$3" >"$budget"
}

within() { # NAME FIGURE WHAT
	local most
	[ "$renew" = 0 ] || record "$@"
	most=$(ceiling "$1")
	diag "$3: $2 instructions, at most ${most:-unknown}"
	if [ -z "$most" ]; then
		skip "$3" "no ceiling \"$1\" in tests/budget.txt"
	else
		is_between "$3" "$2" 1 "$most"
	fi
}

# The program as it is attached, with the switches of this kernel.
verifier() {
	local linux figure
	linux=$(uname -r | grep -oE '^[0-9]+\.[0-9]+')
	echo "flows: [{name: backup, from: [$server4], to: self, tcp: 6000}]" | write_file
	attach >"$WORK/said" 2>&1 || { not_ok "attach" && diag "$(cat "$WORK/said")" && return; }
	figure=$(host "$root/build/tests/bench" instructions eth1)
	bkxdp detach eth1 >/dev/null
	if [ "${figure:-0}" = 0 ]; then
		skip "verifier" "this kernel does not tell (5.16 and later do)"
	else
		within "verifier-$linux-$release" "$figure" "the verifier's walk on Linux $linux"
	fi
}

example() {
	cat <<-END
	interface: eth1
	use:
	  - profile: backup-exec
	    as: remote-agent
	    addresses: {media-server: [10.20.30.5, 10.20.31.0/24, "2001:db8:20::/64"]}
	    ports: {data: 50000-50100}
	    enable: [oracle]
	  - {profile: ibm-cloud-backup, as: agent, addresses: {director: 10.9.9.9}}
	flows:
	  - {name: ssh, from: [10.20.0.0/24], to: self, tcp: 22}
	END
}

ten_thousand() {
	printf 'interface: eth1\nflows:\n  - name: backup\n    to: self\n    tcp: 6000\n    from:\n'
	awk 'BEGIN { for (n = 0; n < 10000; n++)
		printf "      - 16.%d.%d.%d/28\n", n / 2048, n / 8 % 256, n % 8 * 32 }'
}

checking() { # NAME WHAT; the file on standard input
	local figure
	cat >"$WORK/$1.yaml"
	if ! command -v valgrind >/dev/null; then
		skip "$2" "valgrind is not installed"
		return
	fi
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$BKXDP" check \
		--profiles "$root/profiles" "$WORK/$1.yaml" >"$WORK/said" 2>&1 ||
		{ not_ok "$2" && diag "$(cat "$WORK/said")" && return; }
	figure=$(awk '/Collected : / { print $NF }' "$WORK/said")
	within "$1-$release" "${figure:-0}" "$2"
}

# Reading and printing the counters of four interfaces.
scraping() {
	local n figure
	echo "flows:" >"$WORK/flows"
	awk 'BEGIN { for (n = 0; n < 4096; n++)
		printf "  - {name: flow-%d, from: [10.%d.%d.0/24], to: self, tcp: %d}\n",
			n, 64 + n / 256, n % 256, 2000 + n }' >>"$WORK/flows"
	for n in 1 2 3 4; do
		ip -n host link add "backup$n" type veth peer name "far$n"
		{ echo "interface: backup$n"; cat "$WORK/flows"; } >"$WORK/backup.yaml"
		bkxdp attach "backup$n" --config "$WORK/backup.yaml" >"$WORK/said" 2>&1 ||
			{ not_ok "attach" && diag "$(cat "$WORK/said")" && return; }
	done
	host valgrind --tool=callgrind --callgrind-out-file=/dev/null "$BKXDP" metrics >/dev/null 2>"$WORK/said" ||
		{ not_ok "a scrape" && diag "$(cat "$WORK/said")" && return; }
	figure=$(awk '/Collected : / { print $NF }' "$WORK/said")
	within "scrape-4x4096-$release" "${figure:-0}" "a scrape of 4 interfaces with 4,096 flows"
	for n in 1 2 3 4; do bkxdp detach "backup$n" >/dev/null; done
}

make_network
verifier
checking check-example "check of two vendors" < <(example)
checking check-10000 "check of 10,000 prefixes" < <(ten_thousand)
if command -v valgrind >/dev/null; then scraping; else skip "scrape" "valgrind is not installed"; fi
finish
