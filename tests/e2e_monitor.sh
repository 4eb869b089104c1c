#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# monitor: every dropped packet is shown or counted as lost, and tshark reads the same in it;
# several monitors, their conditions, their rates, and how they end. Watching changes no
# verdict, and the program reports nothing if nobody listens.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

readonly wire=$root/build/tests/wire
bpftool=$(find_bpftool) || skip_all "there is no bpftool that runs here"
[ -x "$wire" ] || skip_all "there is no $wire; make tests builds it"

policy() { # [LINE...]
	write_file <<-END
	use:
	  - profile: backup-exec
	    as: remote-agent
	    addresses: {media-server: [$server4, '$server6']}
	    ports: {data: 50000-50100}
	$(printf '%s\n' "$@")
	END
}

# start NAME [OPTION...]: a monitor of eth1 that listens; $! is its process.
start() {
	local name=$1
	shift
	: >"$WORK/$name.err"
	in_net_begin host "$BKXDP" monitor "${on:-eth1}" "$@" >"$WORK/$name.out" 2>"$WORK/$name.err"
	busywait 20 grep -q showing "$WORK/$name.err" || bail "monitor $* does not start: $(cat "$WORK/$name.err")"
}

# end PROCESS [SIGNAL]: its status is in $ended.
end() {
	kill -"${2:-INT}" "$1"
	wait "$1" 2>/dev/null
	ended=$?
}

lines() { wc -l <"$WORK/$1.out"; }
has_lines() { [ "$(lines "$1")" -ge "$2" ]; }
shown() { sed -nE 's/.*: ([0-9]+) shown, .*/\1/p' "$WORK/$1.err"; }
lost() { sed -nE 's/.* shown, ([0-9]+) lost.*/\1/p' "$WORK/$1.err"; }
has_ended() { ! kill -0 "$1" 2>/dev/null; }
drops() { bkxdp status "${on:-eth1}" --json | jq '[.reasons[] | select(.verdict == "drop") | .packets] | add'; }
has_dropped() { [ "$(drops)" -ge "$1" ]; }
has_judged() { [ "$(bkxdp status "${on:-eth1}" --json | jq '[.reasons[].packets] | add')" -ge "$1" ]; }

# One SYN that is dropped.
knock() { flood "$@" 1 --syn; }
flood() { traffic net flood peer0 "$@"; }
tshark_fields() { # FILE FIELD...
	local file=$1
	shift
	# shellcheck disable=SC2046 # two words each
	tshark -r "$file" -o ip.defragment:FALSE -o ipv6.defragment:FALSE -T fields -E occurrence=f \
		$(printf -- '-e %s ' "$@") 2>/dev/null
}

# --- the packet table: all reasons, and tshark's opinion of each packet

make_wire() {
	in_net net sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	ip link add wire0 netns host type veth peer name wire1 netns net || bail "no veth pair"
	ip -n net link set wire1 arp off up
	ip -n host link set wire0 address 02:00:00:00:00:01 up
}

send_table() {
	net "$wire" wire1 02:00:00:00:00:01 >/dev/null || not_ok "the table is sent"
	busywait 20 has_judged "$("$wire" --list | wc -l)" || not_ok "the table is judged"
}

counters() {
	bkxdp status wire0 --json | jq -c '[.reasons[] | select(.packets > 0) | {(.verdict + " " + .reason): .packets}] | add'
}

# Prints the lines in which the two disagree: ours has 7 columns, and theirs follows with 9.
disagreements() {
	jq -r '[.reason, .length, .from.address // "", .to.address // "", .from.port // "", .to.port // "", .vlan // ""] | map(tostring) | join("|")' \
		"$WORK/table.out" >"$WORK/ours"
	tshark -r "$WORK/table.pcapng" -o ip.defragment:FALSE -o ipv6.defragment:FALSE -T fields -E occurrence=f -E 'separator=|' \
		-e frame.len -e ip.src -e ipv6.src -e ip.dst -e ipv6.dst -e tcp.srcport -e udp.srcport -e tcp.dstport -e udp.dstport \
		2>/dev/null >"$WORK/theirs"
	paste -d '|' "$WORK/ours" "$WORK/theirs" | awk -F'|' '
		function differ(ours, a, b) { return ours != "" && ours != a && ours != b }
		$2 != $8 || differ($3, $9, $10) || differ($4, $11, $12) || differ($5, $13, $14) || differ($6, $15, $16)'
}

table() {
	local without with on=wire0
	bkxdp attach wire0 --config "$root/tests/wire.yaml" >/dev/null
	send_table
	without=$(counters)
	bkxdp detach wire0 >/dev/null
	bkxdp attach wire0 --config "$root/tests/wire.yaml" >/dev/null
	start table --json --write "$WORK/table.pcapng" --rate 100000
	send_table
	with=$(counters)
	busywait 10 has_lines table "$(drops)"
	end $!
	is "SIGINT ends it with status 0" "$ended" 0
	is "a monitor changes no verdict" "$with" "$without"
	is "each dropped packet is shown once, with its reason" \
		"$(jq -sc 'group_by(.reason) | map({("drop " + .[0].reason): length}) | add' "$WORK/table.out")" \
		"$(jq -Sc 'with_entries(select(.key | startswith("drop")))' <<<"$with")"
	is "packets of every reason but internal are shown" "$(jq -sr 'map(.reason) | unique | length' "$WORK/table.out")" 14
	is "no packet of the table is lost" "$(lost table)" 0
	check "each line has the fields that it must have" jq -es 'all(
		(.time | test("^20..-..-..T..:..:..\\.[0-9]{9}Z$")) and .device == "wire0" and .verdict == "drop" and
		.enforced == true and (.length | type == "number") and (.packet | type == "string") and
		((.from // {address: ""}).address | type == "string"))' "$WORK/table.out"
	is "tshark has the reasons as comments" "$(tshark_fields "$WORK/table.pcapng" frame.comment | sed 's/^drop \([a-z-]*\):.*/\1/')" \
		"$(jq -r .reason "$WORK/table.out")"
	is "tshark agrees on lengths, addresses and ports" "$(disagreements)" ""
	is_between "many of these packets have addresses" "$(jq -r 'select(.from) | .reason' "$WORK/table.out" | wc -l)" 150 100000
	is_between "many of these packets have ports" "$(jq -r 'select(.from.port) | .reason' "$WORK/table.out" | wc -l)" 50 100000
	is_between "many of these packets are IPv6" "$(jq -r 'select(.from.address // "" | contains(":")) | .reason' "$WORK/table.out" | wc -l)" 50 100000
	is_between "some of these packets have a VLAN" "$(jq -r 'select(.vlan) | .reason' "$WORK/table.out" | wc -l)" 3 100000
	is "some of these packets are fragments of both kinds" "$(jq -sr 'map(.fragment // empty) | unique | join(" ")' "$WORK/table.out")" "first later"
	is "tshark sees that all frames came in by this interface" "$(tshark_fields "$WORK/table.pcapng" frame.interface_name | sort -u)" wire0
	check "detach" bkxdp detach wire0
}

# --- lines, conditions, places

people() {
	local pid
	start people
	pid=$!
	knock "$server4" "$host4" 445
	knock "$stranger6" "$host6" 10000
	knock "$server4" "$host4" 50001
	busywait 10 has_lines people 3
	end "$pid" TERM
	is "SIGTERM ends it with status 0" "$ended" 0
	says "the line about a port that no flow has" "$(sed -n 1p "$WORK/people.out")" \
		"^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6} drop port +tcp $server4:[0-9]+ > $host4:445 syn \(nearest: backup-exec/"
	says "the line about a stranger, IPv6" "$(sed -n 2p "$WORK/people.out")" \
		" drop source +tcp \[$stranger6\]:[0-9]+ > \[$host6\]:10000 syn \(nearest: backup-exec/control takes TCP 10000, but only from "
	says "the line about data without control" "$(sed -n 3p "$WORK/people.out")" ' drop control .*while a connection of backup-exec/control'
	says "the last line has the sum" "$(cat "$WORK/people.err")" 'eth1: 3 shown, 0 lost'
	is "a file has no colour" "$(grep -c $'\e' "$WORK/people.out")" 0
	is "explain takes the packet as it is shown" "$(bkxdp explain eth1 \
		"$(sed -nE '1s/.* (tcp .*) \(nearest.*/\1/p' "$WORK/people.out")" --json | jq -r .reason)" port
}

conditions() {
	local all from port
	start all --json
	all=$!
	start from --json --from "$stranger4/32"
	from=$!
	start port --json --reason port,control --reason tcp-flags
	port=$!
	knock "$server4" "$host4" 445
	knock "$stranger4" "$host4" 445
	knock "$stranger6" "$host6" 445
	knock "$server4" "$host4" 50002
	busywait 10 has_lines all 4
	busywait 10 has_lines port 2
	busywait 10 has_lines from 1
	end "$all" && end "$from" && end "$port"
	is "a monitor without conditions sees all packets" "$(jq -r .reason "$WORK/all.out" | xargs)" "port source source control"
	is "a monitor with --from sees the packets of that address" "$(jq -r '.from.address' "$WORK/from.out")" "$stranger4"
	is "a monitor with --reason sees the packets of these reasons" "$(jq -r .reason "$WORK/port.out" | xargs)" "port control"
	is "packets that were not asked for do not count as lost" "$(lost all) $(lost from) $(lost port)" "0 0 0"
	start prefix --json --from 2001:db8:20::/64 --count 1
	knock "$stranger4" "$host4" 445
	knock "$stranger6" "$host6" 445
	wait $!
	is "--count ends it with status 0" $? 0
	is "an IPv6 prefix holds no IPv4" "$(jq -r '.from.address' "$WORK/prefix.out")" "$stranger6"
}

can_listen() {
	in_net_begin host "$BKXDP" monitor eth1 >/dev/null 2>"$WORK/can.err"
	busywait 20 test -s "$WORK/can.err"
	end $! 2>/dev/null
	grep -q showing "$WORK/can.err"
}

# Each place is served until a time of the monotonic clock.
places_have_ended() {
	[ "$(watch_words until | sort -n | tail -n 1)" -lt "$("$python" -ISc 'import time; print(time.monotonic_ns())')" ]
}
told() { "$bpftool" -j map dump pinned /sys/fs/bpf/bkxdp/eth1/watch_state | jq -c '[.. | select(.lost?) | {window, sent, lost}]'; }

places() {
	local i before
	local -a pid
	for i in 1 2 3 4; do
		start "place$i" --json
		pid[i]=$!
	done
	fails "a fifth monitor is refused" 1 bkxdp monitor eth1
	says "the fifth monitor says why" "$said" 'already has 4 monitors'
	knock "$server4" "$host4" 445
	for i in 1 2 3 4; do
		busywait 10 has_lines "place$i" 1
		is "monitor $i of 4 sees it" "$(jq -r .reason "$WORK/place$i.out")" port
	done
	kill -KILL "${pid[@]}"
	wait "${pid[@]}" 2>/dev/null
	check "the places of killed ones are free after a while" busywait 60 can_listen
	if [ -z "$(watch_words listeners)" ]; then
		skip "if nobody listens, the program reports nothing" "bpftool shows no names: the kernel has no BTF"
		return
	fi
	busywait 20 places_have_ended || not_ok "places are kept that nobody has"
	knock "$server4" "$host4" 445
	is "the first drop after that turns the reports off" "$(watch_words listeners)" 0
	before=$(told)
	flood "$stranger4" "$host4" 445 100
	busywait 10 has_dropped 1
	is "if nobody listens, the program reports nothing" "$(told)" "$before"
}

# --- how fast

# The first packet that is shown after a loss says how many are missing.
tells_losses() { # NAME
	knock "$stranger4" "$host4" 445
	jq -es 'map(.lost // 0) | add > 0' "$WORK/$1.out"
}

amounts() {
	local before after pid other start=$SECONDS
	before=$(dropped source)
	start fast --json --rate 200 --from "$stranger4"
	pid=$!
	start other --json --rate 1 --from "$server4"
	other=$!
	flood "$stranger4" "$host4" 445 100000
	busywait 20 stands_still dropped source
	busywait 20 grep -q 'not shown' "$WORK/fast.err"
	check "a line says how many are missing" busywait 20 tells_losses fast
	after=$(dropped source)
	end "$pid"
	end "$other"
	is_between "the flood was dropped" $((after - before)) 1000 101000
	is "all of the flood is shown or counted as lost" $(($(shown fast) + $(lost fast))) $((after - before))
	is "there are as many lines as it says" "$(lines fast)" "$(shown fast)"
	is_between "not more than --rate are shown each second and CPU" "$(shown fast)" 200 $((200 * $(nproc) * (SECONDS - start + 2)))
	is "lines say that no more are missing than were lost" \
		"$(($(jq -s 'map(.lost // 0) | add' "$WORK/fast.out") <= $(lost fast)))" 1
	says "losses are said while it runs" "$(cat "$WORK/fast.err")" '[1-9][0-9]* packets not shown: more than 200'
	is "the flood does not use up another monitor's rate" "$(shown other) $(lost other)" "0 0"
}

# A place is kept for 5 s without being renewed. For longer than that nobody reads the pipe of
# one monitor, and two others are stopped: one goes on, the place of the other is taken.
slow_and_stopped() {
	local before after slow resumed robbed i
	mkfifo "$WORK/slow"
	exec 9<>"$WORK/slow"
	before=$(dropped source)
	in_net_begin host "$BKXDP" monitor eth1 --rate 100000 >"$WORK/slow" 2>"$WORK/slow.err"
	slow=$!
	busywait 20 grep -q showing "$WORK/slow.err"
	flood "$stranger4" "$host4" 445 5000
	start resumed
	resumed=$!
	start robbed
	robbed=$!
	kill -STOP "$resumed" "$robbed"
	sleep 5.5
	flood "$stranger4" "$host4" 445 5000
	busywait 20 stands_still dropped source
	after=$(dropped source)
	end "$slow"
	exec 9>&-
	is_between "what a slow reader missed is counted, also after a long time" "$(lost slow)" \
		$((after - before - 4000)) $((after - before))
	is_between "the slow reader missed a flood" $((after - before)) 5000 10000
	kill -CONT "$resumed"
	check "a monitor that was stopped says so" busywait 10 grep -q 'did not run for' "$WORK/resumed.err"
	knock "$server4" "$host4" 445
	check "a monitor that was stopped goes on" busywait 10 has_lines resumed 1
	end "$resumed"
	for i in 1 2 3 4; do start "taker$i" && local "taker$i=$!"; done
	kill -CONT "$robbed"
	wait "$robbed"
	is "a monitor whose place was taken ends" $? 1
	says "a monitor whose place was taken says why" "$(cat "$WORK/robbed.err")" 'another took its place'
	knock "$server4" "$host4" 445
	for i in 1 2 3 4; do
		busywait 10 has_lines "taker$i" 1 || not_ok "those that took the places go on"
		robbed=taker$i
		end "${!robbed}"
	done
	is "those that took the places lost nothing" "$(lost taker1) $(lost taker2) $(lost taker3) $(lost taker4)" "0 0 0 0"
}

# --- files, pipes, terminals

files() {
	local pid
	start file --write "$WORK/file.pcapng"
	pid=$!
	knock "$server4" "$host4" 445
	busywait 10 has_lines file 1
	says "a file is whole while it grows" "$(tshark_fields "$WORK/file.pcapng" tcp.dstport frame.comment)" \
		$'^445\tdrop port: a peer, but no flow has this port; nearest: backup-exec'
	knock "$server4" "$host4" 446
	busywait 10 has_lines file 2
	end "$pid" KILL
	is "a file is whole after SIGKILL" "$(tshark_fields "$WORK/file.pcapng" tcp.dstport | xargs)" "445 446"
	in_net_begin host "$BKXDP" monitor eth1 --count 2 --write - 2>"$WORK/pipe.err" \
		> >(tshark_fields - tcp.dstport frame.interface_name >"$WORK/pipe.fields"; echo read >"$WORK/pipe.done")
	pid=$!
	busywait 20 grep -q showing "$WORK/pipe.err"
	knock "$server4" "$host4" 447
	knock "$server4" "$host4" 448
	wait "$pid"
	busywait 20 test -s "$WORK/pipe.done"
	is "tshark reads it from a pipe" "$(xargs <"$WORK/pipe.fields")" "447 eth1 448 eth1"
	in_net_begin host "$BKXDP" monitor eth1 2>"$WORK/head.err" > >(head -n 1 >"$WORK/head.out")
	pid=$!
	busywait 20 grep -q showing "$WORK/head.err"
	knock "$server4" "$host4" 445
	check "it ends when nobody reads its output any more" busywait 10 has_ended "$pid"
	wait "$pid"
	is "its status then is that of SIGPIPE" $? 141
	fails "--write with the name of a folder fails" 1 bkxdp monitor eth1 --write "$WORK"
	says "it says that a folder can't be written" "$said" "$WORK: can't write packets there"
	fails "--write to a full disk fails" 1 bkxdp monitor eth1 --write /dev/full
	says "it says that the disk is full" "$said" '/dev/full: .*No space left.*; the file is incomplete$'
}

# on_terminal COMMAND...: runs it on a terminal; its output is in $said.
on_terminal() {
	said=$(TERM=xterm NO_COLOR=${no_colour:-} script -qec "$(printf '%q ' "$@")" /dev/null </dev/null 2>&1)
}

terminals() {
	local monitor=(nsenter --net=/run/netns/host -- "$BKXDP" monitor eth1) no_colour=''
	on_terminal "${monitor[@]}" --write -
	is "a terminal gets no pcapng" $? 2
	says "says what to do" "$said" 'terminal.*wireshark'
	for no_colour in '' 1; do
		while :; do knock "$server4" "$host4" 445; sleep 0.3; done &
		on_terminal "${monitor[@]}" --count 1
		kill $!
		wait $! 2>/dev/null
		is "colour on a terminal unless NO_COLOR='$no_colour'" "$(grep -c $'\e\\[33mport' <<<"$said")" \
			$((!${#no_colour}))
	done
}

# --- the policy or the program changes while a monitor runs

changes() {
	local pid
	start changes --json
	pid=$!
	knock "$server4" "$host4" 445
	policy 'flows: [{name: extra, from: 10.99.0.1, to: self, tcp: 445}]'
	reload >/dev/null
	knock "$server4" "$host4" 445
	policy 'verdict: audit'
	reload >/dev/null
	knock "$server4" "$host4" 445
	busywait 10 has_lines changes 3
	is "the nearest flow is that of the policy that dropped the packet" \
		"$(head -n 3 "$WORK/changes.out" | jq -r .nearest.flow | xargs)" \
		"backup-exec/control site/extra backup-exec/control"
	is "lines say whether the packet was dropped or only would be" "$(head -n 3 "$WORK/changes.out" | jq -r '"\(.verdict) \(.enforced)"' | xargs)" \
		"drop true drop true would_drop false"
	start audit --count 1
	check "under audit a packet passes" connects "$stranger4" "$host4" 445
	wait $!
	says "the line says that the packet would be dropped" "$(cat "$WORK/audit.out")" " would drop source +tcp $stranger4:[0-9]+ > $host4:445 syn"
	says "a monitor under audit says so at the start" "$(cat "$WORK/audit.err")" 'would be dropped.*audit'
	bkxdp detach eth1 >/dev/null
	wait "$pid"
	is "detach ends a monitor" $? 1
	says "a monitor says that the filter was detached" "$(cat "$WORK/changes.err")" 'eth1: the filter was detached'
	check "detach leaves nothing" nothing_is_left
}

# What can't be looked at for want of file descriptors is neither detached nor gone.
goes_on_without_descriptors() {
	local pid
	start starved
	pid=$!
	prlimit --pid "$pid" --nofile=3:1024
	sleep 2.5
	check "a monitor that can open nothing goes on" kill -0 "$pid"
	is "a monitor that can open nothing claims nothing" "$(grep -cE 'detached|gone' "$WORK/starved.err")" 0
	prlimit --pid "$pid" --nofile=1024:1024
	end "$pid"
	is "a monitor that could open nothing for a while ends well" "$ended" 0
}

# While another command is at work, a monitor whose program is gone waits for what becomes of it.
waits_well() {
	local pid holder began
	start waiting
	pid=$!
	mkdir -m 700 /sys/fs/bpf/bkxdp/%lock
	flock /sys/fs/bpf/bkxdp/%lock sleep 60 &
	holder=$!
	host ip link set dev eth1 xdp off
	sleep 2.5
	check "a monitor waits for the command that is at work" kill -0 "$pid"
	began=$SECONDS
	end "$pid"
	is "SIGINT ends it meanwhile" "$ended" 0
	is_between "SIGINT ends it at once" $((SECONDS - began)) 0 3
	in_net_begin host "$BKXDP" monitor eth1 2>"$WORK/early.err"
	pid=$!
	sleep 1.5
	began=$SECONDS
	end "$pid"
	is "SIGINT ends a monitor that waits to begin" "$ended" 0
	is_between "SIGINT ends that one at once, too" $((SECONDS - began)) 0 3
	is "it says nothing" "$(cat "$WORK/early.err")" ""
	kill "$holder"
	wait "$holder" 2>/dev/null
	rmdir /sys/fs/bpf/bkxdp/%lock
}

ends() {
	local pid
	policy
	attach >/dev/null
	start gone
	pid=$!
	host ip link set dev eth1 xdp off
	wait "$pid"
	is "a monitor ends if the program is taken off" $? 1
	says "says what to do" "$(cat "$WORK/gone.err")" 'the program is gone, so nothing is filtered.*bkxdp status eth1'
	fails "a monitor of a filter whose program is gone fails" 1 bkxdp monitor eth1
	says "says what to do" "$said" 'the program is gone, so nothing is filtered.*bkxdp status eth1'
	attach >/dev/null
	start slow
	pid=$!
	host strace -f -qq -o "$WORK/trace" -e trace=unlink,unlinkat \
		-e inject=unlink,unlinkat:delay_enter=800000:when=1 "$BKXDP" detach eth1 >/dev/null
	wait "$pid"
	is "a monitor ends if a detach takes long" $? 1
	says "it says that the filter was detached, not that its program is gone" \
		"$(cat "$WORK/slow.err")" 'the filter was detached'
	check "such a detach leaves nothing, nor does the monitor" nothing_is_left
	attach >/dev/null
	waits_well
	attach >/dev/null
	start anew
	pid=$!
	bkxdp detach eth1 >/dev/null
	attach >/dev/null
	wait "$pid"
	is "a monitor ends if the filter is attached anew" $? 1
	says "it says that the filter was detached" "$(cat "$WORK/anew.err")" 'the filter was detached'
}

misuse() {
	fails "an interface without a filter" 1 bkxdp monitor lo
	says "says what to do" "$said" 'lo is not filtered by bkxdp; "bkxdp attach lo"'
	fails "no interface" 1 bkxdp monitor eth9
	fails "without capabilities" 1 in_net host setpriv --bounding-set=-all --inh-caps=-all -- "$BKXDP" monitor eth1
	says "names what is missing" "$said" 'CAP_'
	fails "no such reason" 2 bkxdp monitor eth1 --reason controll
	says "names the nearest" "$said" '"controll".*did you mean "control"'
	fails "a reason that passes" 2 bkxdp monitor eth1 --reason arp
	fails "no address" 2 bkxdp monitor eth1 --from example
	fails "host bits" 2 bkxdp monitor eth1 --from 10.20.30.5/24
	says "names the prefix" "$said" '10\.20\.30\.0/24'
	fails "all addresses of both kinds" 2 bkxdp monitor eth1 --from ::/0
	fails "no rate" 2 bkxdp monitor eth1 --rate 0
	fails "too much" 2 bkxdp monitor eth1 --rate 1000001
	fails "no number" 2 bkxdp monitor eth1 --count 1x
	fails "two for one output" 2 bkxdp monitor eth1 --json --write -
}

# --- generic mode, and frames of several buffers

# Checks that the captured bytes are those that were sent.
captured_right() { # WHAT LENGTH
	local pid sent
	start "$1" --count 1 --from "$stranger4" --write "$WORK/$1.pcapng"
	pid=$!
	sent=$(flood "$stranger4" "$host4" 445 1 --length "$2" --print)
	wait "$pid"
	is "$1: the length" "$(tshark_fields "$WORK/$1.pcapng" frame.len frame.cap_len)" "$2"$'\t'"$(($2 < 192 ? $2 : 192))"
	is "$1: the bytes" "$(tshark -r "$WORK/$1.pcapng" -x 2>/dev/null | sed -nE 's/^[0-9a-f]{4}  (([0-9a-f]{2} ){1,16}).*/\1/p' | tr -d ' \n')" \
		"${sent:0:$(($2 < 192 ? $2 * 2 : 384))}"
}

bytes_of() { # MODE
	policy "mode: $1"
	attach >/dev/null 2>&1
	captured_right "$1-small" 60
	captured_right "$1-191" 191
	captured_right "$1-193" 193
	[ "$mtu" = 1500 ] || captured_right "$1-jumbo" 8000
	bkxdp detach eth1 >/dev/null
}

# a driver takes large frames with XDP only if they may have several buffers
mtu=1500
! kernel_is_at_least 5 18 || mtu=9000
make_network "$mtu"
make_wire
listen host tcp:445
table
policy
attach >/dev/null
people
conditions
places
amounts
slow_and_stopped
files
terminals
misuse
goes_on_without_descriptors
changes
ends
bkxdp detach eth1 >/dev/null
bytes_of native
bytes_of generic
check "leaves nothing" nothing_is_left
finish
