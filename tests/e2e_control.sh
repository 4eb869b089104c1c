#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A data connection needs a live control connection of its peer, as with Backup Exec: control
# on 10000, data on 1025-65535. However the control connection ends, no data connection can be
# opened afterwards, but those that are open go on to their end. Nobody can feign or end a
# control connection by forged packets.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/puppets.sh
. "$(dirname "$0")/puppets.sh"

# Peers whose addresses no machine has: a machine would answer forged packets by resets.
readonly nobody4=10.20.30.77 nobody6=2001:db8:20::77 noise=2001:db8:21::1

policy() { # sockets|flags
	write_file <<-END
	use:
	  - profile: backup-exec
	    as: remote-agent
	    addresses:
	      media-server: [$server4, 10.20.30.7, $nobody4,
	                     '$server6', '2001:db8:20::7', '$nobody6', '2001:db8:21::/64']
	flows:
	  - {name: control-udp, from: [$server4, '$server6'], to: self, tcp: 1000}
	  - {name: data-udp, from: [$server4, '$server6'], to: self, udp: 700, requires: control-udp}
	  - name: third
	    from: [$server4, '$server6']
	    to: self
	    tcp: 800
	    requires: {flow: backup-exec/control, with: [10.20.30.7, '2001:db8:20::7']}
	connections: $1
	END
}

# Opens a control connection from there to ours; another puppet than `net` may hold their side.
control() { # NAME [PUPPET [FROM]]
	at "${2:-net}" connect "$1" "${3:-$peer}" 0 "$us" 10000 && at host accept "$1" control &&
		busywait 20 is_state host "$1" established
}

data() { # NAME [FROM]
	at net connect "$1" "${2:-$peer}" 0 "$us" 50007 && at host accept "$1" data
}

close_both() { # NAME...
	at host close "$@"
	at net close "$@"
}

data_works() { # [FROM]
	data d "$@" && at net send d block && [ "$(at host take d)" = block ] && close_both d
}

# Sends a SYN that is not answered.
data_syn() { at net connect d "${1:-$peer}" 0 "$us" 50007 0.5; } # [FROM]

no_data() { # WHAT [FROM]
	is "$1" "$(moves data_syn "${2:-}")" "drop control +1"
}

# Sends a segment on the control connection, and an answer to it.
says_something() { # NAME
	at net send "$1" notify && at host take "$1" && at host send "$1" ok && at net take "$1"
}

# --- how it ends

ends_by() { # HOW
	case $1 in
		'FIN from the media server') at net close c ;;
		'FIN from us') at host close c ;;
		'FIN of one direction') at net shut c ;;
		'RST from the media server') at net reset c ;;
		'RST from us') at host reset c ;;
		'their process killed') kill_puppet victim ;;
		'our process killed') kill_puppet victim ;;
	esac
}

# The process that will be killed holds the socket of its side.
begin_control() { # HOW
	case $1 in
		'their process killed') puppet victim net && control c victim ;;
		'our process killed')
			puppet victim host
			at host close control
			at victim listen control "$us" 10000
			at net connect c "$peer" 0 "$us" 10000 && at victim accept c control
			;;
		*) control c ;;
	esac
}

after_control() { # HOW
	close_both c
	[ "$1" != 'our process killed' ] || at host listen control "$us" 10000
}

control_ends() { # FAMILY HOW
	local before
	# Without `check`, which runs in a subshell and so would lose a new puppet.
	begin_control "$2" && ok "IPv$1, $2: control" || not_ok "IPv$1, $2: control"
	check "IPv$1, $2: data" data open
	transfer_begins open
	before=$(tally)
	ends_by "$2"
	data_syn >/dev/null
	is "IPv$1, $2: no new data connection" "$(drops_since "$before")" "drop control +1"
	transfer_goes_on "IPv$1, $2: the transfer" open
	is "IPv$1, $2: nothing else is dropped" "$(drops_since "$before")" "drop control +1"
	close_both open
	after_control "$2"
}

every_end() { # FAMILY
	local how
	for how in 'FIN from the media server' 'FIN from us' 'FIN of one direction' \
		'RST from the media server' 'RST from us' 'their process killed' 'our process killed'; do
		control_ends "$1" "$how"
	done
}

# --- several

several() { # FAMILY
	local name
	for name in a b c; do control "$name"; done
	close_both a
	check "IPv$1: of three control connections the first ends: data" data_works
	close_both c
	check "IPv$1: the third ends: data" data_works
	close_both b
	no_data "IPv$1: all have ended"
}

# Eight are remembered. The others take the places of those that end, with their next segment.
many() { # FAMILY
	local name
	for name in {1..10}; do control "$name" && says_something "$name" >/dev/null; done
	check "IPv$1: ten control connections: data" data_works
	close_both 9 10
	check "IPv$1: the last two end: data" data_works
	close_both {1..7}
	check "IPv$1: only the eighth is left: data" data_works
	control 9 && control 10
	close_both 8
	check "IPv$1: two later ones: data" data_works
	close_both 9 10
	no_data "IPv$1: all have ended"
	for name in {1..9}; do control "$name" && says_something "$name" >/dev/null; done
	close_both {1..8}
	says_something 9 >/dev/null
	check "IPv$1: the ninth of nine, with its next segment: data" data_works
	close_both 9
}

other_peers() { # FAMILY
	control c net "$other"
	no_data "IPv$1: the control connection of another peer does not help"
	check "IPv$1: but that peer" data_works "$other"
	close_both c
}

third_syn() { at net connect d "$peer" 0 "$us" 800 0.5; }

# The data of one peer under the control connection of another. The first stays a peer of its own.
with_another() { # FAMILY
	is "IPv$1: with another host: no control connection" "$(moves third_syn)" "drop control +1"
	control own
	is "IPv$1: with another host: its own control connection does not help" \
		"$(moves third_syn)" "drop control +1"
	control c net "$other"
	at host listen third "$us" 800
	at net connect t "$peer" 0 "$us" 800
	check "IPv$1: with another host: while that has one" at host accept t third
	close_both own
	close_both c
	is "IPv$1: with another host: when that has ended" "$(moves third_syn)" "drop control +1"
	at net send t block
	is "IPv$1: with another host: the data connection goes on" "$(at host take t)" block
	close_both t
	at host close third
}

# --- segments of no connection

# Where somebody listens, an ACK could be the last of a handshake under SYN cookies, and needs
# control as a SYN does. The kernel knows its cookies: a forged one opens nothing.
strays() { # FAMILY
	local before flags
	next_strays
	before=$(resets)
	for flags in A PA FA; do
		is "IPv$1: a segment ($flags) to a listener without control" \
			"$(moves forge "$peer" 20000 "$us" 50007 "$flags" --data 9)" "drop control +1"
		is "IPv$1: one to no socket at all" \
			"$(moves forge "$peer" 20000 "$us" 50008 "$flags" --data 9)" "pass stray +1"
	done
	is "IPv$1: the host answers the strays by resets" "$(($(resets) - before))" 3
	control c
	is "IPv$1: a segment to a listener, with control" \
		"$(moves forge "$peer" 20000 "$us" 50007 A PA FA --count 6)" "pass flow +6"
	is "IPv$1: a reset to a listener, with control" "$(moves forge "$peer" 20000 "$us" 50007 R RA --count 4)" \
		"drop connection +4"
	is "IPv$1: a SYN-ACK" "$(moves forge "$peer" 20000 "$us" 50007 SA)" "drop port +1"
	is "IPv$1: the host answers them by resets, too" "$(($(resets) - before))" 9
	is "IPv$1: and has opened nothing" \
		"$(host ss -Htan state established state syn-recv 'sport = :50007 or sport = :50008')" ""
	close_both c
}

# The kernel's memory of our side is gone, and the media server waits for an answer.
vanished() { # FAMILY
	control c
	data open
	says_something c >/dev/null
	at host vanish open
	next_strays # and what the flow cache kept has lapsed
	is "IPv$1: our side of a data connection has crashed; what the server sends, with a live control" \
		"$(moves at net send open block)" "pass flow +1"
	is "IPv$1: the server learns of it" "$(at net take open 2)" "Connection reset by peer"
	at net close open
	data open
	at host vanish open
	at host close data
	close_both c
	next_strays
	is "IPv$1: the same with neither listener nor control: a stray" "$(moves at net send open block)" "pass stray +1"
	is "IPv$1: the server learns of it" "$(at net take open 2)" "Connection reset by peer"
	at net close open
	at host listen data "$us" 50007
}

# --- SYN cookies: the kernel has no socket until the last ACK of the handshake

cookies_taken() { # SyncookiesRecv
	host cat /proc/net/netstat | awk '/^TcpExt: [0-9]/ { print $3 }'
}

set_cookies() { host sh -c "echo $1 >/proc/sys/net/ipv4/tcp_syncookies"; } # 1|2

twenty_data_work() {
	local number
	for number in {1..20}; do
		data "d$number" && at net send "d$number" block && [ "$(at host take "d$number")" = block ] || return
	done
	close_both d{1..20}
}

# A SYN from a port that is still in TIME-WAIT gets no cookie, so there may be a few less.
always_cookies() { # FAMILY
	local taken before
	set_cookies 2
	taken=$(cookies_taken)
	no_data "IPv$1, SYN cookies: a SYN without control"
	is "IPv$1, SYN cookies: an ACK without control" "$(moves forge "$peer" 20000 "$us" 50007 A)" "drop control +1"
	before=$(tally)
	check "IPv$1, SYN cookies: control" control c
	check "IPv$1, SYN cookies: 20 data connections" twenty_data_work
	is "IPv$1, SYN cookies: nothing of them is dropped" "$(drops_since "$before")" ""
	is_between "IPv$1, SYN cookies: nearly all 21 were opened by cookies" "$(($(cookies_taken) - taken))" 17 21
	close_both c
	no_data "IPv$1, SYN cookies: control has ended"
	set_cookies 1
}

# SYNs of another peer whose handshakes never end fill the queue of the data listener; then the
# kernel sends cookies.
full_backlog() { # FAMILY
	local taken before
	at host close data
	at host listen data "$us" 50007 1
	control c
	control others net "$other"
	ip -n host neighbour replace "$other" lladdr 02:00:00:00:00:99 dev eth1
	is "IPv$1, full backlog: SYNs of another peer" \
		"$(moves forge "$other" 30000-30007 "$us" 50007 S --count 8)" "pass flow +8"
	taken=$(cookies_taken) before=$(tally)
	check "IPv$1, full backlog: 20 data connections" twenty_data_work
	is "IPv$1, full backlog: nothing of them is dropped" "$(drops_since "$before")" ""
	is_between "IPv$1, full backlog: nearly all were opened by cookies" "$(($(cookies_taken) - taken))" 16 20
	close_both c
	no_data "IPv$1, full backlog: control has ended"
	ip -n host neighbour replace "$other" lladdr 02:00:00:00:00:05 dev eth1
	close_both others
	at host close data
	at host listen data "$us" 50007
}

# --- connections that were open before an attach

opened_before_attach() { # FAMILY
	bkxdp detach eth1 >/dev/null
	control c
	data open
	check "IPv$1: attach, with control and data open" attach
	check "IPv$1: a control connection from before is known: data" data_works
	at net send open block
	is "IPv$1: the data connection from before goes on" "$(at host take open)" block
	check "IPv$1: reload" reload
	check "IPv$1: control is still known: data" data_works
	bkxdp detach eth1 >/dev/null
	attach >/dev/null
	at net send open block
	is "IPv$1: detach and attach: the data connection goes on" "$(at host take open)" block
	close_both c open
	no_data "IPv$1: all have ended"
}

# --- forgeries

forgeries() { # FAMILY NOBODY
	ip -n host neighbour replace "$2" lladdr 02:00:00:00:00:66 dev eth1
	forge "$2" 30000-30049 "$us" 10000 S --count 50 >/dev/null
	forge "$2" 30000-30049 "$us" 10000 A PA SA R FA --data 10 --count 250 >/dev/null
	is "IPv$1: forged SYNs and ACKs make no control connection" \
		"$(moves forge "$2" 40000 "$us" 50007 S --count 3)" "drop control +3"

	forge "$peer" 30000-30049 "$us" 10000 A --count 200 >/dev/null
	no_data "IPv$1: nor do those of the peer's own address"
	control c
	check "IPv$1: a real one, after them: data" data_works
	forge "$peer" 30000-30999 "$us" 10000 A PA S --data 10 --count 3000 >/dev/null
	check "IPv$1: a real one, before them: data" data_works
	forge "$peer" "$(at net port c)" "$us" 10000 R FA S A --count 400 >/dev/null
	check "IPv$1: forged segments of the connection itself: data" data_works
	close_both c
	no_data "IPv$1: it ends"
}

opened_among_forgeries() { # FAMILY
	local before
	before=$(flow backup-exec/control inbound)
	forge "$peer" 30000-30999 "$us" 10000 A --rate 5000 --until "$WORK/enough" >"$WORK/forged" &
	busywait 20 has_come $((before + 500))
	control c
	says_something c >/dev/null
	check "IPv$1: a real one, among them, that has said something: data" data_works
	touch "$WORK/enough"
	wait $!
	rm "$WORK/enough"
	diag "IPv$1: $(cut -d' ' -f2 "$WORK/forged") forged segments a second"
	check "IPv$1: after them: data" data_works
	close_both c
}
has_come() { [ "$(flow backup-exec/control inbound)" -gt "$1" ]; } # PACKETS

# Forged segments from very many addresses of a prefix that the policy takes.
flooded() {
	control c
	forge "$noise" 30000-30999 "$us" 10000 A --sources 150000 --count 150000 >/dev/null
	check "a real one, before forged ones from 150,000 addresses of another peer's prefix: data" data_works
	close_both c
}

# --- UDP, and flags

datagrams() { # FAMILY
	at host listen control-udp "$us" 1000
	is "IPv$1: UDP without control" "$(moves forge "$peer" 700 "$us" 700 udp --data 5)" "drop control +1"
	at net connect u "$peer" 0 "$us" 1000 && at host accept u control-udp
	busywait 20 is_state host u established
	is "IPv$1: UDP with control" "$(moves forge "$peer" 700 "$us" 700 udp --data 5)" "pass flow +1"
	close_both u
	is "IPv$1: UDP after control" "$(moves forge "$peer" 700 "$us" 700 udp --data 5)" "drop control +1"
	at host close control-udp
}

by_flags() { # FAMILY
	is "IPv$1, flags: no control" "$(moves data_syn)" "drop control +1"
	control c
	check "IPv$1, flags: data" data open
	at net close c
	no_data "IPv$1, flags: control has ended"
	says "IPv$1, flags: status says that none is live" "$(bkxdp status eth1)" '^  none live; [0-9]+ remembered that ended$'
	at net send open block
	is "IPv$1, flags: the data connection goes on" "$(at host take open)" block
	is "IPv$1, flags: and so does what only looks like one" \
		"$(moves forge "$peer" 40000 "$us" 50008 A)" "pass flow +1"
	# The answer to our FIN is the last segment of the close; it must not make the connection live.
	at host close c
	busywait 20 is_closed c
	no_data "IPv$1, flags: control has ended on both sides"
	close_both open
}

# What is known stays known: idle, behind forged segments, and through reloads that change the policy.
known_by_flags() { # FAMILY
	local before
	before=$(status '.control_table.remembered')
	control c
	is "IPv$1, flags: one more is remembered" "$(($(status '.control_table.remembered') - before))" 1
	[ "$1" = 4 ] || {
		forge "$noise" 30000 "$us" 10000 A --sources 40000 --count 40000 >/dev/null
		check "IPv$1, flags: data, behind forged segments of 40,000 addresses" data_works
	}
	says "IPv$1, flags: status names it" "$(bkxdp status eth1 --all)" \
		"^  live     backup-exec/control with $peer, its port [0-9]+, ours 10000, last seen [0-9]+ s ago\$"
	says "IPv$1, flags: explain names it" "$(bkxdp explain eth1 "tcp $(literal "$peer"):40000 > $(literal "$us"):50007")" \
		"^  control  backup-exec/control with $peer, its port [0-9]+, ours 10000, last seen [0-9]+ s ago\$"
	policy flags && echo "ping: none" >>"$WORK/eth1.yaml" && check "IPv$1, flags: another policy" reload
	check "IPv$1, flags: data goes on" data_works
	policy flags && check "IPv$1, flags: and back" reload
	check "IPv$1, flags: data goes on" data_works
	policy sockets && check "IPv$1, flags: to sockets, while it is idle" reload
	check "IPv$1, flags: data goes on" data_works
	policy flags && check "IPv$1, flags: and back, while it is idle" reload
	check "IPv$1, flags: data goes on" data_works
	close_both c
	busywait 20 is_closed c
	no_data "IPv$1, flags: control has ended"
	fails "IPv$1, flags: explain says no" 1 bkxdp explain eth1 "tcp $(literal "$peer"):40000 > $(literal "$us"):50007"
	says "IPv$1, flags: and why" "$said" \
		"^  control  no connection of $peer to our port 10000 is live; the last one ended [0-9]+ s ago\$"
	[ "$1" = 4 ] || return
	is "IPv$1, flags: as many are remembered as before" "$(status '.control_table.remembered')" 0
	is "IPv$1, flags: the metric says so, too" "$(bkxdp metrics | grep '^bkxdp_control_connections{')" \
		'bkxdp_control_connections{device="eth1"} 0'
}

# More forged segments than the table has room for: what is known stays, and what is not is counted.
crowded_by_flags() { # FAMILY
	control c
	is "IPv$1, flags: there is room so far" "$(status '.control_table.no_room')" 0
	forge "$noise" 30001 "$us" 10000 A --sources 150000 --count 150000 >/dev/null
	check "IPv$1, flags: data, behind forged segments of 150,000 addresses" data_works
	check "IPv$1, flags: some found no room" [ "$(status '.control_table.no_room')" -gt 0 ]
	says "IPv$1, flags: status says so" "$(bkxdp status eth1)" \
		'^  [0-9]+ segments of others since the attach found no room, so their peers'"'"' data was dropped$'
	check "IPv$1, flags: so does the metric" \
		grep -q '^bkxdp_control_no_room_total{device="eth1"} [1-9]' <<<"$(bkxdp metrics)"
	close_both c
}

literal() { if [[ $1 == *:* ]]; then echo "[$1]"; else echo "$1"; fi; } # ADDRESS

is_closed() { [ -z "$(host ss -Htn state established state fin-wait-1 state closing state last-ack "sport = :10000")" ]; }

# A control connection that was seen with flags ends while the mode is sockets: it must not be
# live again with flags.
modes_change() { # FAMILY
	policy flags && check "IPv$1: from flags" reload
	control c
	check "IPv$1: flags: data" data_works
	policy sockets && check "IPv$1: to sockets" reload
	check "IPv$1: then sockets: data goes on" data_works
	close_both c
	busywait 20 is_closed c
	no_data "IPv$1: then sockets: control has ended"
	policy flags && check "IPv$1: and back to flags" reload
	no_data "IPv$1: flags again: control has ended"
	is "IPv$1: flags again: and is not called live" "$(status '[.controls[] | select(.live)] | length')" 0
	idle_through_modes "$1"
	ended_untold "$1"
}

# While the mode is flags, nobody tells the memory of the ends, of more connections than it lists.
ended_untold() { # FAMILY
	local name
	policy sockets && reload >/dev/null
	for name in {1..9}; do control "$name"; done
	policy flags && reload >/dev/null
	close_both {1..9}
	busywait 20 is_closed
	policy sockets && check "IPv$1: to sockets, when all have ended meanwhile" reload
	no_data "IPv$1: they are not live"
	policy flags && reload >/dev/null
}

# One that never says a word.
idle_through_modes() { # FAMILY
	local before mode
	policy sockets && reload >/dev/null
	control idle
	before=$(tally)
	for mode in flags sockets flags; do
		policy "$mode" && check "IPv$1: to $mode, while a control connection is idle" reload
		check "IPv$1: $mode: data" data_works
	done
	is "IPv$1: nothing of that is dropped" "$(drops_since "$before")" ""
	close_both idle
}

# ---

make_network
make_quiet
puppet host host
puppet net net

policy sockets
check "attach" attach
for family in 4 6; do
	use_family "$family"
	at host listen control "$us" 10000
	at host listen data "$us" 50007
	nobody=nobody$family
	no_data "IPv$family: no control connection"
	every_end "$family"
	several "$family"
	many "$family"
	other_peers "$family"
	with_another "$family"
	strays "$family"
	vanished "$family"
	always_cookies "$family"
	full_backlog "$family"
	opened_before_attach "$family"
	forgeries "$family" "${!nobody}"
	opened_among_forgeries "$family"
	[ "$family" = 4 ] || flooded
	datagrams "$family"
	at host close control data
done

policy flags
check "connections: flags" reload
for family in 4 6; do
	use_family "$family"
	at host listen control "$us" 10000
	at host listen data "$us" 50007
	by_flags "$family"
	with_another "$family"
	known_by_flags "$family"
	modes_change "$family"
	[ "$family" = 4 ] || crowded_by_flags "$family"
	at host close control data
done

check "detach" bkxdp detach eth1
check "leaves nothing" nothing_is_left
finish
