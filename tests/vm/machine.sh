# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # scripts/vmtest sets what is not set here
# For scripts/vmtest: starts virtual machines. A bridge in a network namespace of QEMU's own
# connects two NICs of a machine with each other, so nothing of it stays.

readonly queues=4 jumbo=9000
# The machine ends when the process that started it ends, for whatever reason.
readonly leash=(setpriv --pdeathsig KILL --)

# KVM may exist and not work, so a kernel must boot with it in time.
choose_acceleration() { # KERNEL INITRAMFS
	[ -z "${acceleration:-}" ] || return 0
	acceleration=${ACCEL:-tcg}
	[ -z "${ACCEL:-}" ] && [ -w /dev/kvm ] || return 0
	(boot_qemu "$kvm_seconds" "$1" "$2" kvm vmtest.up </dev/null 2>/dev/null) | grep -q '^@done' &&
		acceleration=kvm
	return 0
}

# Runs in the namespace; `declare` passes this function to `bash -c`.
with_nics() { # COMMAND...
	local name
	ip link add wire type bridge && ip link set wire up mtu "$jumbo" || return
	for name in nic0 nic1; do
		ip tuntap add dev "$name" mode tap multi_queue &&
			ip link set "$name" mtu "$jumbo" master wire up || return
	done
	exec "$@"
}

nics_possible() {
	[ "$(id -u)" = 0 ] && unshare --net ip tuntap add dev probe mode tap multi_queue 2>/dev/null
}

nic_options() {
	local number
	for number in 0 1; do
		echo "-netdev tap,id=n$number,ifname=nic$number,script=no,downscript=no,vhost=off,queues=$queues"
		echo "-device virtio-net-pci,netdev=n$number,mq=on,vectors=$((2 * queues + 2)),host_mtu=$jumbo,mac=02:00:00:00:01:0$number,romfile="
	done
}

boot_qemu() { # SECONDS KERNEL INITRAMFS ACCELERATION WORD...
	local cpu=max command nics=()
	[ "$4" != kvm ] || cpu=host
	command=("${leash[@]}" timeout -k 5 "$1" "${leash[@]}" qemu-system-x86_64 -M q35 -accel "$4" -cpu "$cpu,la57=off" -m 1536 -smp 2
		-nodefaults -no-user-config -display none -no-reboot -serial stdio -kernel "$2" -initrd "$3"
		-append "console=ttyS0 quiet panic=-1 no_timer_check mitigations=off init_on_alloc=0 audit=0 rcupdate.rcu_expedited=1 ${*:5}")
	if [[ " ${*:5} " == *" vmtest.up "* ]] || ! nics_possible; then
		exec "${command[@]}"
	fi
	mapfile -t nics < <(nic_options | tr ' ' '\n')
	exec "${leash[@]}" unshare --net bash -c "$(declare -p jumbo; declare -f with_nics); with_nics \"\$@\"" with_nics \
		"${command[@]}" "${nics[@]}"
}

# A kernel that is a program, without BTF and JIT, with one CPU. Its memory is a file in TMPDIR.
boot_uml() { # SECONDS KERNEL INITRAMFS WORD...
	TMPDIR=$tree.uml exec "${leash[@]}" timeout -k 5 "$1" "${leash[@]}" "$2" mem=1536M initrd="$3" con=null con0=null,fd:1 \
		uml_dir="$tree.uml" quiet panic=-1 "${@:4}"
}

boot_any() { # SECONDS NAME KERNEL INITRAMFS
	if [ "$2" = uml ]; then
		mkdir -p "$tree.uml" && boot_uml "$1" "$3" "$4"
	else
		boot_qemu "$1" "$3" "$4" "$acceleration"
	fi
}

# Writes the output of the machine to a file. The machine ends after its tests, after SECONDS, or
# with us.
boot() { # SECONDS NAME KERNEL INITRAMFS LOG
	boot_any "${@:1:4}" </dev/null >"$5" 2>&1 &
	booted=$!
	# shellcheck disable=SC2064 # this one
	trap "kill $booted 2>/dev/null; exit 130" INT TERM HUP
	wait "$booted"
	trap - INT TERM HUP
	sed -i 's/\r$//' "$5"
}
