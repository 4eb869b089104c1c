#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# attach, reload and detach run with one failing system call each time (strace injects the
# error), and with few file descriptors. Whatever fails, the filter is the old one or the new
# one, in driver mode, or there is none if there was none; the exit status and the messages are
# true; and no pins or programs are orphaned.
#
#	WALK=all   every call; without it every second bpf(), and the last call of each other kind
#	CALLS=...  only these kinds: "bpf close"

set -u
readonly WALK=${WALK:-}
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

# Advice that would open the interface, or that does not help.
readonly bad_advice='detach|attach again|attaches it|xdp off|was changed'

policy_a() { write_file <<<"flows: [{name: a, from: [$server4], to: self, tcp: 6000}]"; }
policy_b() { write_file <<<"flows: [{name: b, from: [$server4], to: self, tcp: [6000, 7000]}]"; }

# --- the commands, and the states from which they begin

command_of() { # VERB: prints its words, one a line; a reload needs no options
	case $1 in
	attach) printf '%s\n' "$BKXDP" attach eth1 --config "$WORK/eth1.yaml" ;;
	*) printf '%s\n' "$BKXDP" "$1" eth1 ;;
	esac
}

# Makes the state in which the command begins, from whatever the last one left.
begin_from() { # VERB
	policy_a
	case $1,${now:=$(state)} in
	attach,none | detach,A) ;;
	reload,A) policy_b ;;
	attach,*) clear_all ;;
	*,B) attach >/dev/null 2>&1 ;;
	*) clear_all && attach >/dev/null 2>&1 ;;
	esac
	now=''
	[ "$1" != reload ] || policy_b
}

clear_all() {
	bkxdp detach eth1 >/dev/null 2>&1
	nothing_is_left >/dev/null && return
	host ip link set dev eth1 xdp off
	rm -rf /sys/fs/bpf/bkxdp
	nothing_is_left >/dev/null
}

# Prints none, A, B, or a description of a state that must not be.
state() {
	local mode pinned=false digest
	mode=$(host ip -j link show eth1 | jq -r '.[0].xdp.mode // 0')
	[ -z "$(find /sys/fs/bpf -path '*/bkxdp/*' -print -quit)" ] || pinned=true
	case $mode,$pinned in
	0,false) echo none && return ;;
	0,true) echo "pins without a program" && return ;;
	*,false) echo "a program without pins" && return ;;
	1,*) ;;
	*) echo "mode $mode" && return ;;
	esac
	digest=$(bkxdp status eth1 --json 2>/dev/null | jq -r 'select(.attached and .enforcement == "enforce") | .digest')
	case $digest in
	"$digest_a") echo A ;;
	"$digest_b") echo B ;;
	*) echo "attached with policy '$digest'" ;;
	esac
}

# --- one case

declare -A ends=()
cases=0 wrong=0
now='' # the state, if nothing was done since it was read

# If the answer could not be written, the status says so, and nothing about what was done.
is_right() { # VERB STATUS STATE CALL
	[ "$4" != write ] || { [[ "$2,$3" == [01],[AB] || "$2,$3" == [01],none ]]; return; }
	case $1,$2,$3 in
	attach,0,A | attach,1,none | reload,0,B | reload,1,A | detach,0,none | detach,1,A) ;;
	*) return 1 ;;
	esac
}

# Whether a failure has a message; it need not if writing the message is what failed.
says_why() { # STATUS CALL
	[ "$1" = 0 ] || [ "$2" = write ] || grep -q '^[^ ]*: .' "$WORK/said"
}

judge() { # VERB STATUS WHAT CALL
	now=$(state)
	cases=$((cases + 1))
	ends["$1: status $2, $now"]=$((${ends["$1: status $2, $now"]:-0} + 1))
	if ! is_right "$1" "$2" "$now" "$4"; then
		complain "$3: status $2, and then: $now"
	elif ! says_why "$2" "$4"; then
		complain "$3: status $2, and no word"
	elif [ "$2" != 0 ] && [ "$now" != none ] && grep -Eq "$bad_advice" "$WORK/said"; then
		complain "$3: advice that opens the interface"
	fi
}

complain() { # WHAT
	wrong=$((wrong + 1))
	diag "$1"
	diag "$(head -c 500 "$WORK/said")"
}

# inject VERB CALL ERROR N: fails if the command makes less than N such calls.
inject() {
	local status words
	mapfile -t words < <(command_of "$1")
	begin_from "$1"
	host strace -f --seccomp-bpf -qq -o "$WORK/trace" -e "trace=$2" -e "inject=$2:error=$3:when=$4" \
		"${words[@]}" >"$WORK/said" 2>&1
	status=$?
	grep -q INJECTED "$WORK/trace" || return 1
	judge "$1" "$status" "$1, $2 number $4 fails with $3" "$2"
}

# --- the walk

errors_of() { # CALL
	case $1 in
	bpf) if [ "$WALK" = all ]; then echo ENOMEM EINVAL EPERM; else echo ENOMEM; fi ;;
	socket | openat | open | fcntl | dup3) echo EMFILE ;;
	mmap | munmap | brk | mprotect) echo ENOMEM ;;
	send* | recv*) echo ENOBUFS ;;
	access | faccessat* | *stat* | readlink*) echo EACCES ;;
	mkdir* | unlink* | rmdir | rename*) echo EBUSY ;;
	flock) echo ENOLCK ;;
	*) echo EIO ;;
	esac
}

# Prints a line "CALL BEFORE ALL" for each kind of call in an undisturbed run: how many the loader
# makes before the program begins, and how many there are. brk() is left out: it returns an
# address, and an injected error would be taken for one.
calls_of() { # VERB
	local words
	mapfile -t words < <(command_of "$1")
	begin_from "$1"
	host strace -f -qq -o "$WORK/trace" "${words[@]}" >/dev/null 2>&1
	sed -E 's/^[0-9]+ +//' "$WORK/trace" | awk -F'(' '
		/^[a-z_0-9]+\(/ { all[$1]++ }
		!started { before[$1]++ }
		/^prlimit64\(0, RLIMIT_STACK/ { started = 1 }
		END {
			for (call in all)
				if (call !~ /^(brk|exit_group|execve|rt_sig|futex|set_|rseq|arch_prctl)/)
					print call, started ? before[call] + 0 : 0, all[call]
		}' | sort
}

# Prints the numbers of the calls that are made to fail.
numbers() { # CALL BEFORE ALL
	local first=$(($2 + 1))
	if [ "$WALK" = all ]; then
		seq "$first" "$3"
	elif [ "$1" = bpf ]; then
		seq "$first" 2 "$3"
	else
		echo "$3"
	fi
}

walk() { # VERB
	local call before all number error calls failed=$wrong start=$cases
	calls=$(calls_of "$1") now=''
	while read -r call before all; do
		[ "$all" -gt "$before" ] || continue
		[[ " ${CALLS:-$call} " == *" $call "* ]] || continue
		for number in $(numbers "$call" "$before" "$all"); do
			for error in $(errors_of "$call"); do
				inject "$1" "$call" "$error" "$number" </dev/null
			done
		done
	done <<<"$calls"
	is "$1: each of $((cases - start)) failing calls ends well" $((wrong - failed)) 0
	is_between "$1: calls were walked" $((cases - start)) 1 100000
}

# --- few file descriptors

descriptors() { # VERB
	local limit words status failed=$wrong step=17
	[ "$WALK" != all ] || step=1
	mapfile -t words < <(command_of "$1")
	for limit in $(seq 4 "$step" 60) 255; do
		begin_from "$1"
		host setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource -- \
			prlimit --nofile="$limit:$limit" "${words[@]}" >"$WORK/said" 2>&1
		status=$?
		judge "$1" "$status" "$1 with $limit descriptors" none
	done
	is "$1: with few file descriptors" $((wrong - failed)) 0
	begin_from "$1"
	check "$1: takes as many as it may" host prlimit --nofile=20: "${words[@]}"
}

needs strace prlimit
make_network
listen host tcp:6000
policy_b
attach >/dev/null 2>&1 || bail "attach failed"
digest_b=$(status .digest) digest_a=''
policy_a
reload >/dev/null 2>&1
digest_a=$(status .digest)
is "the state is told" "$(state)" A

for verb in attach reload detach; do
	walk "$verb"
	[ -n "${CALLS:-}" ] || descriptors "$verb"
done
begin_from detach
check "at last the filter works: the server" connects "$server4" "$host4" 6000
check "at last the filter works: a stranger" connects_not "$stranger4" "$host4" 6000
check "detach" bkxdp detach eth1
check "leaves nothing" nothing_is_left
diag "$cases cases, $wrong wrong; by what they ended with:"
for end in "${!ends[@]}"; do
	diag "$(printf '%6d  %s' "${ends[$end]}" "$end")"
done | sort -k 3
finish
