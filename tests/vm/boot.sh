#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs inside the machine of scripts/vmboot, at the end of each boot. At the first it enables the
# units, restarts and stops them, and reboots; at the second it checks what came back, and when.

set -u
readonly mark=/var/lib/boot-test file=/etc/bkxdp/eth0.yaml
readonly named='tcp 10.20.30.7:40000 > 10000' moved='tcp 10.20.30.8:40000 > 10000' \
	stranger='tcp 10.20.30.9:40000 > 10000'
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

# Prints microseconds since the kernel began.
when() { # UNIT PROPERTY
	systemctl show "$1" --property "$2" --value
}

before() { # WHAT EARLIER LATER
	echo "# $2 us, then $3 us"
	check "$1" test "$2" -gt 0 -a "$2" -lt "$3"
}

status() { bkxdp status eth0 --json | jq -r "$1"; }

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
	check "first boot: nothing is attached" is_not_attached
	a_missing_file
	check "first boot: enable" systemctl enable --now bkxdp@eth0
	is "first boot: attached" "$(status .attached)" true
	check "first boot: a named host is known soon" within 120 named_host_passes
	a_broken_file
	a_restart
	a_stop
	if ! systemctl --quiet is-active bkxdp@eth0; then
		finish
		return
	fi
	echo "$points" >"$mark"
	systemctl reboot
}

# A unit never observes: without its file it fails, and leaves the interface as it was.
a_missing_file() {
	mv "$file" "$file.away"
	check "a missing file: the unit fails" refused systemctl start bkxdp@eth0
	check "and says which file" journal_has "$file"
	check "and observes nothing" is_not_attached
	mv "$file.away" "$file"
}

a_broken_file() {
	local before
	before=$(program)
	mv "$file" "$file.sound"
	{ cat "$file.sound" && echo 'ping: sometimes'; } >"$file"
	check "a restart with a mistake in the file fails" refused systemctl restart bkxdp@eth0
	is "and the same program goes on" "$(program)" "$before"
	is "which lets no stranger in" "$(verdict "$stranger")" drop
	is "and lets the named host in" "$(verdict "$named")" pass
	mv "$file.sound" "$file"
}

# Meanwhile the name has moved to another address.
a_restart() {
	local before
	before=$(program)
	sed -i 's/^10.20.30.7 /10.20.30.8 /' /etc/hosts
	check "a restart with a sound file" systemctl restart bkxdp@eth0
	is "takes no program off" "$(program)" "$before"
	check "and has names looked up again" within 120 passes "$moved"
	is "which lets the old address go" "$(verdict "$named")" drop
	sed -i 's/^10.20.30.8 /10.20.30.7 /' /etc/hosts
}

a_stop() {
	local before
	before=$(program)
	check "stop" systemctl stop bkxdp@eth0
	is "leaves the filter on" "$(program)" "$before"
	is "which lets no stranger in" "$(verdict "$stranger")" drop
	check "start" systemctl start bkxdp@eth0
	is "finds it there" "$(program)" "$before"
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
	is "and a stranger is not" "$(verdict "$stranger")" drop
	is "no unit failed" "$(systemctl --failed --plain --no-legend)" ""
	check "disable --now" systemctl disable --now bkxdp@eth0
	is "leaves it filtered, too" "$(verdict "$stranger")" drop
	check "detach" bkxdp detach eth0
	check "leaves nothing" test -z "$(ip -d link show eth0 | grep xdp)$(find /sys/fs/bpf -path '*/bkxdp/*')"
	finish
}

has_address() { [ -n "$(ip -4 -o address show eth0)" ]; }
is_not_attached() { ! ip -d link show eth0 | grep xdp; }
program() { ip -d -j link show eth0 | jq -c '.[0].xdp // "none"'; }
verdict() { bkxdp explain eth0 "$1" | head -n 1 | cut -d' ' -f 1; } # PACKET
passes() { [ "$(verdict "$1")" = pass ]; }
named_host_passes() { passes "$named"; }

# systemd must not refuse a start because a test makes several of them in a row.
refused() { # systemctl VERB UNIT
	systemctl reset-failed "$3" 2>/dev/null
	! "$@"
}

journal_has() { journalctl -b --no-pager -u bkxdp@eth0 | grep -F "$1"; }

# The time of networkd's message in the journal, which comes after the kernel has the address.
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
