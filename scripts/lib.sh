# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the scripts and the end-to-end tests share. Sourced, not run.

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

# busywait SECONDS COMMAND...: true as soon as the command is.
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

# Ubuntu's bpftool is a wrapper that refuses to run under another kernel than its own.
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

# The mirror of which apt takes what has this label (Debian, Debian-Security, Ubuntu), asked of
# apt itself, which knows both formats of its sources; false where there is none. Without
# lists of packages it knows no labels: then it is the first that is called so.
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
# Runs a command where its mounts, processes and network namespaces are its own:
# /run (with /run/netns in it) and /sys/fs/bpf are fresh, and so are the network and
# the processes if the machine's own are not asked for. Whatever ends it, even SIGKILL,
# the kernel takes all of it away.
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

# The other half, called first thing by a script that runs in there.
enter_private_world() {
	local where
	unset BKXDP_WORLD
	# One by one, because the root of a chroot need not be a mount point.
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

# The same in the background; $! is the command itself, not a shell around it.
in_net_begin() {
	nsenter --net="/run/netns/$1" -- "${@:2}" &
}

# `ip -n NAMESPACE ...` as ever, but not by remounting the root of the file system,
# which cannot be done where that is no mount point: in most chroots.
ip() {
	case ${1:-} in
	-n) in_net "$2" ip "${@:3}" ;;
	*) command ip "$@" ;;
	esac
}

# add_net NAMESPACE...: network namespaces whose addresses work at once.
add_net() {
	local name
	for name; do
		touch "/run/netns/$name" && unshare --net="/run/netns/$name" true &&
			ip -n "$name" link set lo up &&
			in_net "$name" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad' || return
	done
}

# A sentence on standard output and false, where the kernel does not let us.
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

# Where there is no bpftool, the first attach has to find out.
probe_bpf() {
	local tool
	tool=$(find_bpftool) || return 0
	enter_private_world &&
		"$tool" map create /sys/fs/bpf/probe type array key 4 value 4 entries 1 name probe
}

# The probes are the only things that this file does when it is run.
[ "${BASH_SOURCE[0]}" != "$0" ] || "$@"
