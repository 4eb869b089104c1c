#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernels built with PREEMPT_RT: attach goes by what the kernel tells about itself; this test
# puts other answers in those places.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

use=(--use backup-exec:remote-agent --address "media-server=$server4" --profiles "$root/profiles")

# To add a file below /sys/kernel, that folder must be replaced by another one.
make_sys_kernel() {
	local entry
	mkdir "$WORK/kernel" "$WORK/boot" && mount --rbind /sys/kernel "$WORK/kernel" &&
		mount -t tmpfs tmpfs /sys/kernel || return
	for entry in btf debug tracing; do
		[ ! -d "$WORK/kernel/$entry" ] ||
			{ mkdir "/sys/kernel/$entry" && mount --rbind "$WORK/kernel/$entry" "/sys/kernel/$entry"; } || return
	done
	[ -e /boot ] || mkdir /boot
	mount --bind "$WORK/boot" /boot
}

# Writes a file with the kernel's configuration; without one, the configuration can't be read.
configure() { # proc|boot TEXT
	umount /proc/config.gz 2>/dev/null
	rm -f "$WORK"/boot/* "$WORK/config.gz"
	case $1 in
	proc) gzip -c <<<"$2" >"$WORK/config.gz" ;;
	boot)
		echo "$2" >"$WORK/boot/config-$(uname -r)"
		printf '\x1f\x8b\x08damaged' >"$WORK/config.gz"
		;;
	none) printf '\x1f\x8b\x08damaged' >"$WORK/config.gz" ;;
	esac
	[ ! -e /proc/config.gz ] || mount --bind "$WORK/config.gz" /proc/config.gz
}

attaches() { # WHAT
	check "$1: attaches" bkxdp attach eth1 "${use[@]}"
	check "$1: and detaches" bkxdp detach eth1
}

refuses() { # WHAT PATTERN
	fails "$1: refused" 1 bkxdp attach eth1 "${use[@]}"
	says "$1: says why" "$said" "$2"
	check "$1: nothing is left" nothing_is_left
}

make_network
attaches "no PREEMPT_RT"
make_sys_kernel || bail "no /sys/kernel of its own"
attaches "/sys/kernel without realtime"
echo 0 >/sys/kernel/realtime
configure boot '# CONFIG_PREEMPT_RT_NEEDS_BH_LOCK is not set'
attaches "realtime is 0"

echo 1 >/sys/kernel/realtime
configure boot 'CONFIG_PREEMPT_RT_NEEDS_BH_LOCK=y'
attaches "with the lock"
configure boot 'CONFIG_PREEMPT_RT=y'
attaches "before the lock was an option"
configure boot '# CONFIG_PREEMPT_RT_NEEDS_BH_LOCK is not set'
refuses "without the lock" 'without CONFIG_PREEMPT_RT_NEEDS_BH_LOCK: one packet can interrupt'
if [ -e /proc/config.gz ]; then
	configure proc '# CONFIG_PREEMPT_RT_NEEDS_BH_LOCK is not set'
	refuses "without the lock, by /proc/config.gz" 'without CONFIG_PREEMPT_RT_NEEDS_BH_LOCK'
	configure proc 'CONFIG_PREEMPT_RT_NEEDS_BH_LOCK=y'
	attaches "with the lock, by /proc/config.gz"
else
	skip "by /proc/config.gz" "this kernel has none"
fi
configure none ''
if kernel_is_at_least 6 18; then
	refuses "its configuration can't be read" 'can be read neither from /proc/config.gz nor from /boot'
else
	attaches "its configuration can't be read, but is too old for the option"
fi
rm /sys/kernel/realtime
mkdir /sys/kernel/realtime
refuses "realtime can't be read" "can't be read from /sys/kernel/realtime"
finish
