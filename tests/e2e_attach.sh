#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A protected server with a real profile: what passes, what is dropped, what is counted and
# printed; attach, attach again, an attach that fails half way, and detach.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

readonly control_segments="tcp dst port 10000 and (src $server4 or src $server6)"
use=(--use backup-exec:remote-agent --address "media-server=$server4,$server6" --profiles "$open/profiles")

segments_on_wire() { # CAPTURE FILTER
	tcpdump -nr "$1" "$2" 2>/dev/null | wc -l
}

captures() { # CAPTURE PORT: sends a probe, and succeeds if it is in the file
	connects "$stranger4" "$host4" "$2" >/dev/null 2>&1
	[ "$(segments_on_wire "$1" "port $2")" -gt 0 ]
}

policy_of_real_profile() {
	local capture=$WORK/out.pcap tcpdump before held
	check "attach as remote-agent of Backup Exec" bkxdp attach eth1 "${use[@]}"
	is "status says attached" "$(status .attached)" true
	is "status says driver mode" "$(status .mode)" native
	is "status says frames of several buffers, if the kernel has them" "$(status .frags)" "$(has_frags)"
	is "status says enforce" "$(status .enforcement)" enforce
	is "status says profile and role" "$(status '.uses[] | .profile + ":" + .role')" backup-exec:remote-agent

	in_net_begin net tcpdump -Z root --immediate-mode -i peer0 -Q out -U -w "$capture" 2>/dev/null
	tcpdump=$!
	busywait 60 captures "$capture" 9 || bail "tcpdump does not start"
	before=$(dropped source)

	check "IPv4: data before control is cut" connects_not "$server4" "$host4" 50000
	is "IPv4: data before control is counted once, as 'control'" "$(dropped control)" 1
	check "IPv4: server to control port" connects "$server4" "$host4" 10000
	check "IPv4: server to SSH is cut" connects_not "$server4" "$host4" 22
	is "IPv4: SSH is counted once, as 'port'" "$(dropped port)" 1
	check "IPv4: stranger to control port is cut" connects_not "$stranger4" "$host4" 10000
	is "IPv4: the stranger is counted once, as 'source'" "$(dropped source)" $((before + 1))

	begin "$WORK/held" net connect "$server4" "$host4" 10000 --hold 30
	held=$!
	check "data is open while a control connection lives" connects "$server4" "$host4" 50000
	check "but not for another address of the same role" connects_not "$server6" "$host6" 50000
	is "the other address counts as 'control'" "$(dropped control)" 2
	kill "$held"
	busywait 20 no_connection_to 10000
	check "and no longer when it is closed" connects_not "$server4" "$host4" 50000
	is "data after control counts as 'control'" "$(dropped control)" 3

	check "IPv6: server to control port" connects "$server6" "$host6" 10000 --reset
	busywait 20 no_connection_to 10000
	check "IPv6: data after the control connection was reset is cut" connects_not "$server6" "$host6" 50000
	is "and counted once more, as 'control'" "$(dropped control)" 4
	check "IPv6: server to SSH is cut" connects_not "$server6" "$host6" 22
	is "and counted once more, as 'port'" "$(dropped port)" 2
	check "IPv6: stranger to control port is cut" connects_not "$stranger6" "$host6" 10000
	is "and counted once more, as 'source'" "$(dropped source)" $((before + 2))

	busywait 20 quiet
	busywait 20 as_captured "$capture"
	kill -INT "$tcpdump"
	wait "$tcpdump"
	is "the control flow counts what tcpdump saw" "$(flow backup-exec/control inbound)" \
		"$(segments_on_wire "$capture" "$control_segments")"
	is "the data flow counts what tcpdump saw" "$(flow backup-exec/data inbound)" \
		"$(($(segments_on_wire "$capture" "tcp dst port 50000") - 4))"
}

no_connection_to() {
	[ -z "$(host ss -Htna state connected "sport = :$1" 2>/dev/null)" ]
}

# tcpdump may still have packets to write.
as_captured() {
	[ "$(flow backup-exec/control inbound)" = "$(segments_on_wire "$1" "$control_segments")" ]
}

# Prints how many frames were sent and not judged. It is read while no frame is sent: hosts send
# some by themselves now and then.
unjudged() {
	local before count
	before=$(sent) count=$(judged)
	if [ "$before" = "$(sent)" ]; then echo $((before - count)); else unjudged; fi
}

# Tried several times, because hosts may send something between the two readings.
metrics_agree() { # packets|bytes
	[ "$(metric_total "$1")" = "$(status "[.reasons[].$1] | add")" ]
}

every_packet_counts_once() {
	local packets
	check "attach again replaces" bkxdp attach eth1 "${use[@]}"
	busywait 20 quiet
	packets=$(unjudged)
	connects "$server4" "$host4" 10000
	connects "$stranger4" "$host4" 10000 2>/dev/null
	connects "$server6" "$host6" 22 2>/dev/null
	busywait 20 quiet
	is "every frame sent is one packet judged" "$(unjudged)" "$packets"
	check "metrics say how many packets, as status does" busywait 20 metrics_agree packets
	check "metrics say how many bytes, as status does" busywait 20 metrics_agree bytes
}

quiet() { stands_still sent; }

metric_total() { # packets|bytes
	bkxdp metrics | awk -v name="bkxdp_$1_total{" 'index($1, name) == 1 { sum += $2 } END { printf "%d", sum }'
}

explanations() {
	local text
	text=$(bkxdp explain eth1 "tcp $server4:40000 > $host4:10000")
	is "explain: status 0 for a packet that passes" $? 0
	says "explain names the flow" "$text" 'backup-exec/control'
	says "explain names file and line" "$text" 'backup-exec\.yaml:[0-9]+'
	says "explain names the vendor's document" "$text" '100017208'
	fails "explain: status 1 for a packet that does not" 1 bkxdp explain eth1 "tcp $stranger4:40000 > $host4:10000"
	says "explain names the reason" "$said" 'source'
	fails "explain: SSH is refused" 1 bkxdp explain eth1 "tcp $server4:40000 > $host4:22"
	says "explain names the reason" "$said" 'port'
	fails "explain: a packet that is none is misuse" 2 bkxdp explain eth1 "tcp 10.20.30.555 > 1"
	says "explain quotes what it does not understand" "$said" '10\.20\.30\.555'
}

detached() {
	check "detach" bkxdp detach eth1
	check "no program, no pin is left" nothing_is_left
	check "everything flows again: SSH" connects "$server4" "$host4" 22
	check "everything flows again: stranger" connects "$stranger4" "$host4" 10000
	fails "detach of an interface without filter" 1 bkxdp detach eth1
	says "says so, with its name" "$said" 'eth1'
	fails "status of an interface without filter" 1 bkxdp status eth1
	says "says so, with its name" "$said" 'eth1'
}

half_way() {
	printf 'interface: eth1\nuse:\n  - profile: backup-exec\n    as: remote-agnet\n' >"$WORK/bad.yaml"
	fails "attach with a file that is wrong" 1 \
		bkxdp attach eth1 --config "$WORK/bad.yaml" --profiles "$root/profiles"
	says "names file and line" "$said" 'bad\.yaml:4:'
	says "names the value" "$said" 'remote-agnet'
	check "leaves nothing" nothing_is_left

	fails "attach with a file that is not there" 1 bkxdp attach eth1 --config "$WORK/none.yaml"
	says "names the file" "$said" 'none\.yaml'
	check "leaves nothing" nothing_is_left

	fails "attach to an interface that is not there" 1 bkxdp attach eth11 "${use[@]}"
	says "names the nearest one" "$said" '\beth1\b'
	check "leaves nothing" nothing_is_left

	fails "attach without an interface is misuse" 2 bkxdp attach
	fails "an unknown option is misuse" 2 bkxdp attach eth1 --colour
	fails "an unknown command is misuse" 2 bkxdp atach eth1
}

beside_a_stranger() {
	# Two instructions: return XDP_PASS. bpftool attaches them without a dispatcher.
	other_program || {
		skip "another XDP program is respected" "it could not be made here"
		return
	}
	fails "attach where another XDP program sits alone" 1 bkxdp attach eth1 "${use[@]}"
	says "says that another program is there" "$said" 'XDP'
	check "the other program stays" grep -q 'prog/xdp' <(host ip link show eth1)
	check "no pin is left" test -z "$(find /sys/fs/bpf -path '*/bkxdp/*')"
	host ip link set dev eth1 xdp off
}

other_program() {
	printf '__attribute__((section("xdp"))) int pass(void *context)\n{\n\treturn 2;\n}\n' >"$WORK/pass.c"
	clang -O2 -g -target bpf -c "$WORK/pass.c" -o "$WORK/pass.o" 2>/dev/null &&
		"$(find_bpftool)" prog load "$WORK/pass.o" /sys/fs/bpf/pass 2>/dev/null &&
		host ip link set dev eth1 xdp pinned /sys/fs/bpf/pass &&
		rm /sys/fs/bpf/pass
}

without_rights() {
	local none=(setpriv --bounding-set=-all --inh-caps=-all --)
	fails "attach without capabilities" 1 in_net host "${none[@]}" "$BKXDP" attach eth1 "${use[@]}"
	says "names the one that is missing" "$said" 'CAP_(BPF|NET_ADMIN|SYS_ADMIN|PERFMON)'
	fails "attach without CAP_NET_ADMIN" 1 in_net host setpriv --bounding-set=-net_admin \
		--inh-caps=-net_admin -- "$BKXDP" attach eth1 "${use[@]}"
	says "names it" "$said" 'CAP_NET_ADMIN'
	check "leaves nothing" nothing_is_left
	check "explain of a file needs no rights" "${none[@]}" "$BKXDP" explain "$WORK/good.yaml" \
		"tcp $server4:40000 > $host4:10000" --profiles "$open/profiles"
	check "check of a file needs no rights" "${none[@]}" "$BKXDP" check "$WORK/good.yaml" --profiles "$open/profiles"
}

uninstalls() { in_net host make -s -C "$root" uninstall PREFIX="$WORK/prefix"; }

# Once bkxdp is removed, nothing is left that could take a filter off.
uninstall() {
	grep -qs '^uninstall:' "$root/Makefile" || return 0
	command -v make >/dev/null || { skip "uninstall" "make is not installed"; return; }
	mkdir -p "$WORK/prefix/sbin" && cp "$BKXDP" "$WORK/prefix/sbin/bkxdp"
	bkxdp attach eth1 "${use[@]}" >/dev/null 2>&1 || bail "attach failed"
	check "uninstall into a package's folder takes no filter off" \
		in_net host make -s -C "$root" uninstall PREFIX="$WORK/prefix" DESTDIR="$WORK/package"
	is "which goes on" "$(status .attached)" true
	said=$(uninstalls 2>&1)
	is "uninstall" $? 0 || diag "$said"
	says "says what it takes off" "$said" '^eth1: detached$'
	check "leaves nothing" nothing_is_left
	is "uninstall leaves no program" "$(find "$WORK/prefix" -type f)" ''
	check "uninstall once more" uninstalls
	cp "$BKXDP" "$WORK/prefix/sbin/bkxdp"
	ip -n host link add eth1.7 type veth peer name peer7 && ip -n host link set eth1.7 up
	bkxdp attach eth1.7 "${use[@]}" >/dev/null 2>&1 || bail "attach failed"
	mkdir -m 700 /sys/fs/bpf/bkxdp/%lock # as a command that was killed leaves it
	said=$(uninstalls 2>&1)
	is "uninstall where an interface has the name of a VLAN and a command was killed" $? 0 || diag "$said"
	says "says what it takes off" "$said" '^eth1\.7: detached$'
	check "leaves nothing" nothing_is_left
	ip -n host link delete eth1.7
}

observation() {
	local text
	text=$(bkxdp attach eth1 --profiles "$root/profiles" 2>&1)
	is "attach without file and options observes" $? 0 || diag "$text"
	says "says that nothing is dropped" "$text" '(observ|drop)'
	is "status says that it observes" "$(status .observes)" true
	is "status says audit" "$(status .enforcement)" audit
	check "SSH passes" connects "$server4" "$host4" 22
	check "the control port passes" connects "$stranger4" "$host4" 10000
	is_between "status shows whose traffic was seen" \
		"$(status '[.flows[] | select(.profile == "backup-exec" and .flow == "control") | .packets] | add')" 3 20
	is_between "status shows what would have been dropped" "$(would_drop port)" 3 20
	check "detach" bkxdp detach eth1
	check "leaves nothing" nothing_is_left
}

other_bpffs() {
	mkdir "$WORK/bpf" && mount -t bpf bpf "$WORK/bpf"
	check "attach with pins elsewhere" bkxdp attach eth1 "${use[@]}" --bpffs "$WORK/bpf"
	check "the pins are in that file system" test -d "$WORK/bpf/bkxdp/eth1"
	check "status finds them" bkxdp status eth1 --bpffs "$WORK/bpf"
	check "status finds them, said before it" bkxdp --bpffs "$WORK/bpf" status eth1
	fails "status does not find them in another folder" 1 bkxdp --bpffs "$WORK" status eth1
	check "detach finds them" bkxdp --bpffs="$WORK/bpf" detach eth1
	check "leaves nothing" nothing_is_left
	is "nothing is left in that file system" "$(find "$WORK/bpf" -path '*/bkxdp/*')" ""
	umount "$WORK/bpf"
}

# Another user, who may write to the BPF file system (by default everybody may), plants a link or
# a folder there.
planted() { # WHAT COMMAND...
	local what=$1 command
	shift
	setpriv --reuid 65534 --clear-groups "$@" "$WORK/bpf/bkxdp"
	for command in "attach eth1 ${use[*]}" "detach eth1" "status eth1" "monitor eth1"; do
		# shellcheck disable=SC2086 # words
		fails "${command%% *}, with $what for the pins" 1 bkxdp $command --bpffs "$WORK/bpf"
		says "says why" "$said" 'could be forged; remove it'
	done
	rm -d "$WORK/bpf/bkxdp"
}

forged_folder() {
	{ grep -v '^bkxdp:' /etc/group; echo 'bkxdp:x:964:'; } >"$WORK/group"
	mount --bind "$WORK/group" /etc/group
	mount -t bpf -o mode=1777 bpf "$WORK/bpf"
	mkdir -m 700 "$WORK/private"
	planted "a link" ln -s "$WORK/private"
	is "nothing changes where the link leads" "$(stat -c '%a %g' "$WORK/private")" "700 0"
	planted "another's folder" mkdir
	umount "$WORK/bpf" /etc/group
	check "leaves nothing" nothing_is_left
}

gone() {
	ip -n host link add eth9 type veth peer name eth8
	check "attach to an interface that will go" bkxdp attach eth9 "${use[@]}"
	ip -n host link delete eth9
	check "detach after the interface has gone clears the pins" bkxdp detach eth9
	check "leaves nothing" nothing_is_left
	ip -n host link add eth9 type veth peer name eth8
	bkxdp attach eth9 "${use[@]}" >/dev/null 2>&1 || bail "attach failed"
	ip -n host link delete eth9
	ip -n host link add eth9 type veth peer name eth8
	check "attach to an interface that has come again" bkxdp attach eth9 "${use[@]}"
	is "the interface that has come again is filtered" "$(bkxdp status eth9 --json | jq .attached)" true
	check "detach" bkxdp detach eth9
	ip -n host link delete eth9
	check "leaves nothing" nothing_is_left
}

needs tcpdump
make_network
listen host tcp:22 tcp:10000 tcp:50000
write_file <<END
use:
  - {profile: backup-exec, as: remote-agent, addresses: {media-server: [$server4]}}
END
mv eth1.yaml good.yaml

check "before: SSH can be reached" connects "$server4" "$host4" 22
policy_of_real_profile
every_packet_counts_once
explanations
detached
half_way
beside_a_stranger
without_rights
uninstall
observation
other_bpffs
forged_folder
gone
finish
