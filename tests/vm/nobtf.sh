#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel that was built without BTF can't verify the program: what attach says then, that it
# leaves nothing, and what still works.

set -u
# shellcheck disable=SC2034 # for lib.sh, which would skip it
readonly without_btf=1
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

[ ! -e /sys/kernel/btf/vmlinux ] || skip_all "this kernel has BTF"
make_network
write_file <<END
flows:
  - {name: backup, from: [$server4], to: self, tcp: 6000}
END
fails "attach is refused" 1 attach
says "says what the kernel lacks" "$said" 'without BTF'
says "says by which name" "$said" 'CONFIG_DEBUG_INFO_BTF'
check "leaves nothing" nothing_is_left
check "check of a file works" bkxdp check "$WORK/eth1.yaml"
says "explain of a file works" "$(bkxdp explain "$WORK/eth1.yaml" "tcp $server4:40000 > $host4:6000")" \
	'site/backup'
fails "explain of a file says no" 1 bkxdp explain "$WORK/eth1.yaml" "tcp $stranger4:40000 > $host4:6000"
says "by the engine in user space" "$said" 'engine +user'
finish
