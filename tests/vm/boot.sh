#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Inside the machine of scripts/vmboot, at the end of each boot. At the first it enables
# the units and reboots; at the second it asks what came back, and when.

set -u
readonly mark=/var/lib/boot-test
points=0

point() { # WHAT STATUS
	points=$((points + 1))
	[ "$2" = 0 ] && echo "ok $points $1" || echo "not ok $points $1"
}

check() { # WHAT COMMAND...
	local said status
	said=$("${@:2}" 2>&1)
	status=$?
	point "$1" "$status"
	[ "$status" = 0 ] || printf '# %s\n' "$said"
}

is() { # WHAT GOT WANTED
	check "$1" test "$2" = "$3"
	[ "$2" = "$3" ] || echo "# got '$2', wanted '$3'"
}

# Microseconds since the kernel began.
when() { # UNIT PROPERTY
	systemctl show "$1" --property "$2" --value
}

before() { # WHAT EARLIER LATER
	echo "# $2 us, then $3 us"
	check "$1" test "$2" -gt 0 -a "$2" -lt "$3"
}

status() { bkxdp status eth0 --json | jq -r "$1"; }

explained() { # PACKET
	bkxdp explain eth0 "$1" | head -n 1
}

within() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	until "${@:2}" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return
		sleep 1
	done
}

finish() {
	journalctl -b -o short-monotonic --no-pager -u 'bkxdp*' -u systemd-networkd | sed 's/^/# /'
	echo "1..$points"
	systemctl poweroff
}

first_boot() {
	check "first boot: there is an interface" ip link show eth0
	check "first boot: nothing is attached" test -z "$(ip -d link show eth0 | grep xdp)"
	check "first boot: enable" systemctl enable --now bkxdp@eth0
	is "first boot: attached" "$(status .attached)" true
	if ! systemctl --quiet is-active bkxdp@eth0; then
		finish
		return
	fi
	echo "$points" >"$mark"
	systemctl reboot
}

second_boot() {
	points=$(cat "$mark")
	is "after the reboot: the unit is active" "$(systemctl is-active bkxdp@eth0)" active
	is "after the reboot: attached" "$(status .attached)" true
	is "after the reboot: in driver mode" "$(status .mode)" native
	is "after the reboot: enforcing" "$(status .enforcement)" enforce
	is "after the reboot: the exporter's group may read" "$(stat -c %G /sys/fs/bpf/bkxdp/eth0)" bkxdp
	before "attached before the network's service started" \
		"$(when bkxdp@eth0 ExecMainExitTimestampMonotonic)" \
		"$(when systemd-networkd ExecMainStartTimestampMonotonic)"
	check "the interface has its address" within 60 has_address
	before "attached before the kernel had the address" \
		"$(when bkxdp@eth0 ExecMainExitTimestampMonotonic)" "$(address_since)"
	check "a named host is known once the network is up" within 120 named_host_passes
	is "and a stranger is not" "$(explained 'tcp 10.20.30.9:40000 > 10000' | cut -d' ' -f 1)" drop
	is "no unit failed" "$(systemctl --failed --plain --no-legend)" ""
	check "stop detaches" systemctl stop bkxdp@eth0
	check "and leaves nothing" test -z "$(ip -d link show eth0 | grep xdp)$(find /sys/fs/bpf -path '*/bkxdp/*')"
	finish
}

has_address() { [ -n "$(ip -4 -o address show eth0)" ]; }
named_host_passes() { explained 'tcp 10.20.30.7:40000 > 10000' | grep -q '^pass'; }

# When the journal has networkd say so; it does after the kernel has it.
address_since() {
	journalctl -b -o json --no-pager -u systemd-networkd |
		jq -r 'select(.MESSAGE == "eth0: Gained carrier") | .__MONOTONIC_TIMESTAMP' | head -n 1
}

if [ ! -e "$mark" ]; then
	echo "@begin"
	first_boot
else
	second_boot
fi
