# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# TAP for tests that only look at files and need no private world. Sourced, not run.

# shellcheck disable=SC2034 # the test prints its plan of them
points=0 failures=0

# report WHAT WRONG: the point passes if WRONG is empty; otherwise WRONG has a line for each mistake
report() {
	points=$((points + 1))
	if [ -z "$2" ]; then echo "ok $points $1"; else
		failures=$((failures + 1))
		echo "not ok $points $1"
		printf '%s\n' "$2" | head -n 40 | sed 's/^/# /'
	fi
}

skip() { # WHAT REASON
	points=$((points + 1))
	echo "ok $points $1 # SKIP $2"
}
