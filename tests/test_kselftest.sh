#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The files of the kernel's selftest target: their form, and that no test is missing.
# tests/e2e_kselftest.sh tests that the target builds and runs in a kernel's tree.

set -u
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../scripts/lib.sh"
# shellcheck source=tests/points.sh
. "$(dirname "$0")/points.sh"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# The form that the CI of the network's maintainers checks (check_selftest of nipa).
form() {
	local target=$root/tests/kselftest variable
	LC_ALL=C sort -c <(sed 's/^CONFIG_//; s/_//g' "$target/config") 2>&1
	grep -vE '^CONFIG_[A-Z0-9_]+=[ym]$' "$target/config"
	sort -c "$target/.gitignore" 2>&1
	grep -vE '^timeout=[0-9]+$' "$target/settings"
	for variable in TEST_PROGS TEST_GEN_PROGS TEST_GEN_FILES TEST_FILES; do
		sed -n "/^$variable := /,/^# end of $variable\$/p" "$target/Makefile" | sed '1d;$d' >"$work/items"
		[ -s "$work/items" ] || echo "there is no $variable"
		grep -vP '^\t[a-z0-9_.]+ \\$' "$work/items"
		sort -c "$work/items" 2>&1
	done
}

# Without this check, nobody would miss a test that was forgotten.
forgotten() {
	local test name
	for test in "$root"/tests/e2e_*.sh; do
		name=$(basename "$test")
		[[ " $elsewhere " == *" ${name%.sh} "* ]] ||
			grep -qP "^\t\Q$name\E \\\\$" "$root/tests/kselftest/Makefile" || echo "$name"
	done
}
# Not tests of what the kernel does: they test the program itself (messages, failures, its exporter, its
# screen) or need Prometheus, a terminal or Wireshark.
readonly elsewhere='e2e_exporter e2e_exporter_scale e2e_faults e2e_interfaces e2e_kselftest e2e_metrics e2e_monitor e2e_prometheus e2e_realtime e2e_top'

echo "TAP version 13"
report "the files of the target have the form that the CI checks" "$(form)"
report "every test of the kernel is in the target" "$(forgotten)"
echo "1..$points"
[ "$failures" = 0 ]
