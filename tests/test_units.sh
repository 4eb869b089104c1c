#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The units of the filter: they are sound, and no restart opens an interface. scripts/vmboot
# tests what they do on a machine that runs systemd.

set -u
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../scripts/lib.sh"
# shellcheck source=tests/points.sh
. "$(dirname "$0")/points.sh"
readonly unit=$root/systemd/bkxdp@.service names=$root/systemd/bkxdp-names@.service

echo "TAP version 13"
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# Lines of a unit by which it may do less.
sandbox() { # FILE
	grep -E '^(Protect|Private|Restrict|LockPersonality|MemoryDeny|NoNewPrivileges|CapabilityBounding|SystemCall)' "$1" | sort
}
report "the names have the sandbox of the filter" "$(comm -23 <(sandbox "$unit") <(sandbox "$names"))"
report "which is one" "$([ "$(sandbox "$unit" | wc -l)" -ge 15 ] || sandbox "$unit")"

without() { # PATTERN FILE: says if no line is such
	grep -qE "$1" "$2" || echo "${2##*/} has no line such as $1"
}

report "no unit takes a filter off" "$(grep -nE '^Exec(Stop|StopPost)=' "$unit" "$names")"
for verb in Start Reload; do
	report "Exec$verb= names the interface file" "$(without "^Exec$verb=.* --config /etc/bkxdp/%I\.yaml" "$unit")"
done
report "no other command of the unit lacks it" \
	"$(grep -E '^Exec' "$unit" | grep -vF -- '--config /etc/bkxdp/%I.yaml')"
report "a start of the filter starts the names" "$(without '^Wants=bkxdp-names@%i\.service$' "$unit")"
report "the names stop and restart with the filter" "$(without '^PartOf=bkxdp@%i\.service$' "$names")"

# The units as they are installed; the programs that they start need not be.
for file in "$root"/systemd/*.{service,socket}; do
	sed 's|/usr/local/sbin/bkxdp|/bin/true|' "$file" >"$scratch/${file##*/}"
done

sound() {
	SYSTEMD_UNIT_PATH=$scratch: systemd-analyze verify --man=no "$scratch"/*.{service,socket} 2>&1 | grep -F bkxdp
}

exposed() { # UNIT: prints its exposure if that is 4.0 or more
	systemd-analyze security --offline=yes --no-pager "$1" |
		awk '/Overall exposure level/ { seen = 1; sub(/.*: /, ""); if ($1 >= 4) print "exposure " $1 }
			END { if (!seen) print "exposure not told" }'
}

if ! command -v systemd-analyze >/dev/null; then
	skip "systemd finds no mistake in the units" "there is no systemd-analyze"
else
	report "systemd finds no mistake in the units" "$(sound)"
	echo 'NoSuchKey=1' >>"$scratch/bkxdp@.service"
	report "systemd finds a mistake that is put there" "$([ -n "$(sound)" ] || echo "it finds nothing")"
	sed -i '$d' "$scratch/bkxdp@.service"
fi
for file in "$unit" "$names"; do
	if ! systemd-analyze security --offline=yes "$scratch/${file##*/}" >/dev/null 2>&1; then
		skip "${file##*/} has a sandbox" "there is no systemd-analyze that judges files"
	else
		report "${file##*/} has a sandbox" "$(exposed "$scratch/${file##*/}")"
	fi
done

echo "1..$points"
[ "$failures" = 0 ]
