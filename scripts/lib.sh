# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Functions for the scripts and the end-to-end tests. This file is sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
	bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' grey=$'\e[90m' plain=$'\e[0m'
else
	bold='' red='' green='' grey='' plain=''
fi
# shellcheck disable=SC2034 # for those who source this
readonly root bold red green grey plain

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# busywait SECONDS COMMAND...: succeeds as soon as the command does, and fails after SECONDS.
busywait() {
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@"; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		sleep 0.02
	done
}

kernel_is_at_least() { # MAJOR MINOR
	local major minor rest
	IFS=.- read -r major minor rest < <(uname -r)
	[ "$major" -gt "$1" ] || { [ "$major" -eq "$1" ] && [ "$minor" -ge "$2" ]; }
}

# Ubuntu's bpftool is a wrapper that refuses to run under other kernels than its own.
find_bpftool() {
	local tool
	for tool in "$(command -v bpftool)" /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do
		[ -x "$tool" ] && "$tool" version >/dev/null 2>&1 && echo "$tool" && return
	done
	return 1
}

build() { # MAKE ARGUMENT...
	local tool
	tool=$(find_bpftool) || die "there is no bpftool that runs here; scripts/setup installs one"
	make -C "$root" -s -j"$(nproc)" BPFTOOL="$tool" "$@"
}

# Prints the mirror from which apt takes packages with this label (Debian, Debian-Security,
# Ubuntu), or fails if there is none. apt itself is asked, because it reads both formats of its
# sources. Without lists of packages it knows no labels: then the first mirror of that name is it.
mirror_of() { # LABEL
	local site
	# shellcheck disable=SC2016 # for apt
	site=$(apt-get indextargets --format '$(SITE)' "Label: $1" 2>/dev/null | head -n 1)
	[ -n "$site" ] ||
		site=$(apt-get --print-uris update 2>/dev/null | sed -nE "s|^'(.*/${1,,})/dists/.*|\1|p" | head -n 1)
	[ -n "$site" ] && echo "$site"
}

# in_private_world [--with-network|--with-processes] COMMAND ARGUMENT...
#
# Runs a command with mounts, processes and network namespaces of its own:
# /run (with /run/netns in it) and /sys/fs/bpf are fresh, and so are the network and
# the processes unless the machine's own are asked for. However the command ends, even by
# SIGKILL, the kernel removes all of this.
in_private_world() {
	local world status network=(--net) processes=(--pid --fork --kill-child=KILL --mount-proc)
	case $1 in
	--with-network) network=() && shift ;;
	--with-processes) processes=() && shift ;;
	esac
	BKXDP_WORLD=1 setpriv --pdeathsig KILL -- \
		unshare "${network[@]}" --mount "${processes[@]}" --propagation unchanged -- "$@" <&0 &
	world=$!
	# shellcheck disable=SC2064 # this world, not a later one
	trap "kill -KILL $world 2>/dev/null; wait $world 2>/dev/null; exit 130" INT TERM HUP
	wait "$world"
	status=$?
	trap - INT TERM HUP
	return "$status"
}

# The other half: a script that runs in there calls it first.
enter_private_world() {
	local where
	unset BKXDP_WORLD
	# One by one, because the root of a chroot may not be a mount point.
	while read -r _ _ _ _ where _; do
		mount --make-private "$(printf '%b' "$where")" 2>/dev/null
	done </proc/self/mountinfo
	mount -t tmpfs -o mode=755 tmpfs /run && mkdir -m 755 /run/netns /run/work || return
	mountpoint -q /sys || mount -t sysfs sysfs /sys || return
	mount -t bpf bpf /sys/fs/bpf
}

# in_net NAMESPACE COMMAND...; `ip netns exec` would hide /sys/fs/bpf.
in_net() {
	nsenter --net="/run/netns/$1" -- "${@:2}"
}

# Like in_net, but in the background; $! is the command itself, not a shell around it.
in_net_begin() {
	nsenter --net="/run/netns/$1" -- "${@:2}" &
}

# `ip -n NAMESPACE ...` as usual, but it does not remount the root of the file system,
# which fails if that is not a mount point, as in most chroots.
ip() {
	case ${1:-} in
	-n) in_net "$2" ip "${@:3}" ;;
	*) command ip "$@" ;;
	esac
}

# add_net NAMESPACE...: makes network namespaces in which addresses work at once.
add_net() {
	local name
	for name; do
		touch "/run/netns/$name" && unshare --net="/run/netns/$name" true &&
			ip -n "$name" link set lo up &&
			in_net "$name" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad' || return
	done
}

# Fails and prints why, if the kernel or the container does not let us filter packets.
may_filter() {
	if [ "$(id -u)" != 0 ]; then
		echo "needs root"
	elif ! kernel_is_at_least 5 10; then
		echo "needs Linux 5.10 or later, and this is $(uname -r)"
	elif [ ! -d /sys/fs/bpf ]; then
		echo "needs a kernel with BPF: there is no directory /sys/fs/bpf (is /sys mounted?)"
	elif [ ! -e /sys/kernel/btf/vmlinux ] && [ -z "${without_btf:-}" ]; then
		echo "needs a kernel with BTF (CONFIG_DEBUG_INFO_BTF), and $(uname -r) is without"
	elif ! in_private_world "$BASH" "${BASH_SOURCE[0]}" probe_world 2>/dev/null; then
		echo "needs to mount and to make network devices, and the kernel or this container refuses" \
			"(CAP_SYS_ADMIN, CAP_NET_ADMIN, veth)"
	elif ! in_private_world "$BASH" "${BASH_SOURCE[0]}" probe_bpf >/dev/null 2>&1; then
		echo "needs to use BPF, and the kernel or this container refuses (CAP_BPF; lockdown?)"
	else
		return 0
	fi
	return 1
}

probe_world() {
	enter_private_world && ip link add probe type veth
}

# If there is no bpftool, the first attach has to find out.
probe_bpf() {
	local tool
	tool=$(find_bpftool) || return 0
	enter_private_world &&
		"$tool" map create /sys/fs/bpf/probe type array key 4 value 4 entries 1 name probe
}

# If this file is run, it runs one of the probes.
[ "${BASH_SOURCE[0]}" != "$0" ] || "$@"
