# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For the end-to-end tests: a private world with a network in it, TAP, and counters.
# A test sources this file, makes its checks, and ends with `finish`.
#
#      namespace "net"                       namespace "host"
#   peer0  10.20.30.5  the server   <---->   eth1  10.20.30.1
#          10.20.30.6  a stranger                  2001:db8:20::1
#          2001:db8:20::5, ::6

# Among a kernel's selftests all files are in one folder, otherwise in those of the repository.
suite=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
shared=$suite/scripts/lib.sh
[ -e "$shared" ] || shared=$suite/../scripts/lib.sh
# shellcheck source=scripts/lib.sh
. "$shared"

built() { # NAME: prints where a program is, or should be
	local path
	for path in "$suite/$1" "$root/build/tests/$1" "$root/build/$1"; do
		[ ! -x "$path" ] || break
	done
	echo "$path"
}

BKXDP=${BKXDP:-$(built bkxdp)}
readonly suite WORK=/run/work open=/run/open
# shellcheck disable=SC2034 # for the tests
readonly host4=10.20.30.1 server4=10.20.30.5 stranger4=10.20.30.6 \
	host6=2001:db8:20::1 server6=2001:db8:20::5 stranger6=2001:db8:20::6

skip_all() { # REASON
	echo "1..0 # SKIP $*"
	exit 4
}

needs() { # COMMAND...
	local command
	for command; do
		command -v "$command" >/dev/null || skip_all "needs $command, which is not installed"
	done
}

# A test that needs options of in_private_world sets `world` before it sources this file.
[ -n "${world[*]-}" ] || world=()

# Prints whether the kernel knows frames of several buffers; true if the probe is not built.
has_frags() {
	local probe
	probe=$(built vm/probe)
	if [ -x "$probe" ] && ! "$probe" frags; then echo false; else echo true; fi
}

must_be_built() { # PROGRAM
	local said
	[ -x "$1" ] || skip_all "there is no $1; make builds it"
	# Among a kernel's selftests, a program that could not be built is a script that says why.
	said=$("$1" --help 2>&1)
	[ $? != 4 ] || skip_all "${said##*SKIP }"
}

if [ -z "${BKXDP_WORLD:-}" ]; then
	echo "TAP version 13"
	must_be_built "$BKXDP"
	needs ip jq mount nsenter python3 setpriv unshare
	reason=$(may_filter) || skip_all "$reason"
	in_private_world "${world[@]}" "$(realpath "$0")" "$@"
	exit
fi
enter_private_world || skip_all "the private world could not be made"

# Copies programs and profiles to a place that every user can reach: the tree may be in a home
# that is closed to other users, and to root without capabilities.
make_open() {
	local exporter
	exporter=$(built bkxdp-exporter)
	mkdir "$open" && cp "$BKXDP" "$open/bkxdp" && cp -r "$root/profiles" "$open/profiles" || return
	[ ! -x "$exporter" ] || cp "$exporter" "$open/bkxdp-exporter" || return
	chmod -R a+rX "$open"
}
make_open || skip_all "the programs could not be copied to $open"
readonly BKXDP=$open/bkxdp
cd "$WORK" || exit 1

# --- TAP

points=0 failures=0 skips=0

ok() {
	points=$((points + 1))
	echo "ok $points $*"
}

not_ok() {
	points=$((points + 1))
	failures=$((failures + 1))
	echo "not ok $points $*"
}

skip() { # WHAT # REASON
	points=$((points + 1))
	skips=$((skips + 1))
	echo "ok $points $1 # SKIP $2"
}

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# check WHAT COMMAND...: the command must succeed.
check() {
	local what=$1 output status
	shift
	output=$("$@" 2>&1)
	status=$?
	if [ "$status" = 0 ]; then ok "$what"; else
		not_ok "$what"
		diag "status $status of: $*"
		[ -z "$output" ] || diag "$output"
	fi
	return "$status"
}

# fails WHAT STATUS COMMAND...: the command must end with that status; its output is in $said.
fails() {
	local what=$1 wanted=$2 status
	shift 2
	said=$("$@" 2>&1)
	status=$?
	is "$what" "$status" "$wanted" || diag "$*: $said"
}

is() { # WHAT GOT WANTED
	if [ "$2" = "$3" ]; then ok "$1"; else
		not_ok "$1"
		diag "got    '$2'"
		diag "wanted '$3'"
		return 1
	fi
}

says() { # WHAT TEXT PATTERN: the text must match the extended regular expression
	if grep -Eq -- "$3" <<<"$2"; then ok "$1"; else
		not_ok "$1"
		diag "no match for '$3' in:"
		diag "$2"
		return 1
	fi
}

is_between() { # WHAT GOT LOW HIGH
	if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then ok "$1"; else
		not_ok "$1"
		diag "got $2, wanted $3 to $4"
		return 1
	fi
}

bail() {
	echo "Bail out! $*"
	exit 1
}

finish() {
	echo "1..$points"
	echo "# Totals: pass:$((points - failures - skips)) fail:$failures xfail:0 xpass:0 skip:$skips error:0"
	[ "$failures" = 0 ] || exit 1
	[ "$points" != "$skips" ] || exit 4
	exit 0
}

# --- network

host() { in_net host "$@"; }
net() { in_net net "$@"; }
bkxdp() { in_net host "$BKXDP" "$@"; }

# Makes a machine with the exporter's user, and with a BPF file system as systemd mounts it.
make_reader() {
	{ grep -v '^bkxdp:' /etc/passwd; echo 'bkxdp:x:964:964::/:/usr/sbin/nologin'; } >"$WORK/passwd"
	{ grep -v '^bkxdp:' /etc/group; echo 'bkxdp:x:964:'; } >"$WORK/group"
	chmod 644 "$WORK/passwd" "$WORK/group"
	mount --bind "$WORK/passwd" /etc/passwd && mount --bind "$WORK/group" /etc/group &&
		chmod 700 /sys/fs/bpf
}

make_network() { # [MTU]
	if ! add_net host net || ! ip link add eth1 netns host type veth peer name peer0 netns net; then
		bail "no veth pair"
	fi
	# With fixed addresses, a test can name them; the MTU must be set on both ends before an attach.
	ip -n host link set eth1 address 02:00:00:00:00:01 mtu "${1:-1500}"
	ip -n net link set peer0 address 02:00:00:00:00:05 mtu "${1:-1500}"
	ip -n host address add "$host4/24" dev eth1
	ip -n host address add "$host6/64" dev eth1
	ip -n net address add "$server4/24" dev peer0
	ip -n net address add "$stranger4/24" dev peer0
	ip -n net address add "$server6/64" dev peer0
	ip -n net address add "$stranger6/64" dev peer0
	ip -n host link set eth1 up
	ip -n net link set peer0 up
}

# The distribution's Python, without additional modules: another python3 of PATH may take several
# times as long to start, and the tests start it often.
python=/usr/bin/python3
[ -x "$python" ] || python=$(command -v python3)

# traffic NAMESPACE COMMAND...: see tests/traffic.py
traffic() { in_net "$1" "$python" -IS "$suite/traffic.py" "${@:2}"; }

# begin OUTPUT NAMESPACE COMMAND...: like traffic, but in the background. It returns when the
# command is ready; $! is its process.
begin() {
	in_net_begin "$2" "$python" -IS "$suite/traffic.py" "${@:3}" >"$1"
	busywait 10 test -s "$1" || bail "does not start: ${*:2}"
}

# listen NAMESPACE WHERE...: servers on tcp:PORT or udp:PORT, which run until the test ends.
listen() { begin "$WORK/listen.$2" "$1" listen "${@:2}"; }

# connects FROM TO PORT: sends one SYN, and succeeds if it is answered in time.
connects() { traffic net connect "$@"; }
connects_not() { ! connects "$@"; }

# --- counters

# stands_still COMMAND...: succeeds if the number that it prints no longer changes. For busywait.
stands_still() {
	local before
	before=$("$@")
	sleep 0.3
	[ "$("$@")" = "$before" ]
}

# status QUERY: prints the answer of jq about the status of eth1.
status() { bkxdp status eth1 --json | jq -r "$1"; }
dropped() { status ".reasons[] | select(.verdict == \"drop\" and .reason == \"$1\") | .packets"; }
would_drop() { status ".reasons[] | select(.verdict == \"would_drop\" and .reason == \"$1\") | .packets"; }
passed() { status ".reasons[] | select(.verdict == \"pass\" and .reason == \"$1\") | .packets"; }
flow() { # PROFILE/FLOW SIDE [packets|bytes]
	status ".flows[] | select(.profile + \"/\" + .flow == \"$1\" and .side == \"$2\") | .${3:-packets}"
}
judged() { status '[.reasons[].packets] | add'; }
sent() { in_net net cat /proc/net/dev | awk '$1 == "peer0:" { print $11 }'; }

# watch_words NAME: prints the values of this name in eth1's struct bkxdp_watch, a line each, or
# nothing if the kernel has no BTF. The struct stands near the beginning of a map that bpftool
# takes seconds to print as a whole.
watch_words() {
	"$(find_bpftool)" map dump pinned /sys/fs/bpf/bkxdp/eth1/words 2>/dev/null |
		sed -nE "/\"settings\"/q; s/^ *\"$1\": ([0-9]+),?\$/\1/p"
}

# Writes standard input as the interface file of eth1, atomically.
write_file() {
	{ echo "interface: eth1"; cat; } >"$WORK/new.yaml"
	mv "$WORK/new.yaml" "$WORK/eth1.yaml"
}

attach() { bkxdp attach eth1 --config "$WORK/eth1.yaml" --profiles "$root/profiles" "$@"; }
reload() { bkxdp reload eth1 --config "$WORK/eth1.yaml" --profiles "$root/profiles" "$@"; }

nothing_is_left() {
	local pins
	# The pins of bkxdp, and those that libxdp makes for it.
	pins=$(find /sys/fs/bpf -path '*/bkxdp/*' -o -path '*/xdp/*' 2>/dev/null)
	[ -z "$pins" ] || { echo "pinned: $pins"; return 1; }
	! host ip -d link | grep 'xdp'
}
