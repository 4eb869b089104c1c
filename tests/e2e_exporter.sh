#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The exporter: what it serves, to whom, as whom, and what can't stop it.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

readonly port=10471 at=http://127.0.0.1:10471
use=(--use backup-exec:remote-agent --address "media-server=$server4" --profiles "$open/profiles")

as_user() { host setpriv --reuid 964 --regid 964 --clear-groups --inh-caps=-all "$@"; }

# --- the exporter

answers() { host curl -s -o /dev/null "$at/healthz"; }
says_where() { grep -q 'metrics at' "$WORK/log"; }

start() { # ARGUMENT...: its process is $exporter
	in_net_begin host "$BKXDP" exporter "$@" 2>"$WORK/log"
	exporter=$!
	busywait 20 says_where || { diag "$(cat "$WORK/log")"; bail "does not start: $*"; }
}

stop() {
	kill -TERM "$exporter"
	wait "$exporter"
}
ends_well() { # WHAT
	stop
	is "$1" $? 0
}

# get PATH [CURL OPTION...]: the body goes to $WORK/body, the headers to $WORK/head
get() { host curl -s -m 60 -D "$WORK/head" -o "$WORK/body" "${@:2}" "$at$1"; }
# code PATH [CURL OPTION...]: the status of an answer, 000 where there is none
code() { host curl -s -m 60 -o /dev/null -w '%{http_code}' "${@:2}" "$at$1"; }
header() { awk -v name="$1" -F ': ' 'tolower($1) == name { print $2 }' "$WORK/head" | tr -d '\r'; }
value() { get /metrics && awk -v series="$1" '$1 == series { print $2 }' "$WORK/body"; }
client() { in_net host "$python" "$root/tests/exporter.py" "$@"; }
client_begin() { in_net_begin host "$python" "$root/tests/exporter.py" "${@:2}" >"$1"; }
python=python3
"$python" -c 'import prometheus_client' 2>/dev/null || python=/usr/bin/python3

raw() { client raw 127.0.0.1 $port "$1"; }

# --- what is served

pages() {
	is "/metrics" "$(code /metrics)" 200
	is "/healthz" "$(code /healthz)" 200
	is "a page that there is not" "$(code /none)" 404
	is "POST is refused" "$(code /metrics -d x=1)" 405
	is "a body, too" "$(code /metrics -X GET -d x=1)" 400
	get /
	says "the first page links to the metrics" "$(cat "$WORK/body")" 'href="/metrics"'
	says "and shows the interface" "$(cat "$WORK/body")" '<td>eth1</td><td>yes</td>'
	is "each of its columns has a heading" "$(grep -o '<td>' "$WORK/body" | wc -l)" "$(grep -o '<th>' "$WORK/body" | wc -l)"
	get /metrics -I
	is "HEAD has the type" "$(header content-type)" 'text/plain; version=0.0.4; charset=utf-8'
	is "and no body" "$(grep -c bkxdp_ "$WORK/body")" 0
	get /metrics
	check "promtool finds nothing" promtool_is_quiet
	is "the interface is there" "$(value 'bkxdp_attached{device="eth1"}')" 1
	is "no error" "$(value bkxdp_scrape_errors_total)" 0
}

promtool_is_quiet() {
	local text
	text=$(promtool check metrics <"$WORK/body" 2>&1) && [ -z "$text" ] || { echo "$text"; return 1; }
}

# What a proxy might take for the end of a request, or for another path, is refused.
requests() {
	local path wanted head
	while read -r wanted path; do
		is "the path $path" "$(code "$path" --path-as-is)" "$wanted"
	done <<-'END'
	200 /healthz?x=1
	200 /%68ealthz
	400 /healthz%00
	400 /healthz%00x
	404 /healthz%2500x
	404 /healthz%3fx
	404 /healthz%20
	404 /healthz;x
	404 /healthz/
	404 //healthz
	400 /metrics%00
	400 /%00
	END
	is "a path that a NUL ends" "$(raw 'GET /healthz\0x HTTP/1.1\r\nHost: here\r\n\r\n' | grep -c 200)" 0
	is "also before another version" "$(raw 'GET /healthz\0HTTP/1.1 HTTP/1.1\r\nHost: here\r\n\r\n' | grep -c 200)" 0
	is "without one there is an answer" "$(raw 'GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n')" 200
	while read -r head; do
		says "$head" "$(raw "GET /healthz HTTP/1.1\r\nHost: here\r\n$head\r\n\r\nGET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")" '^400( 400)?$'
	done <<-'END'
	Content-Length: 0\r\nContent-Length: 5
	Content-Length: 5\r\nContent-Length: 0
	Content-Length: 0\r\nContent-Length: 0
	Content-Length: 0\r\nTransfer-Encoding: chunked
	Transfer-Encoding: chunked\r\nContent-Length: 0
	Transfer-Encoding: identity
	Content-Length: 0, 0
	Content-Length: 5
	Content-Length: +0
	Content-Length : 5
	Transfer-Encoding : chunked
	END
}

# Without what differs from scrape to scrape.
lasting() { grep -vE '^#|bkxdp_scrape_duration_seconds' "$1" | sed -E 's/^([a-z_]+) /\1{} /' | sort; }

negotiation() {
	local accept wanted
	while IFS='|' read -r wanted accept; do
		get /metrics -H "Accept: $accept"
		says "Accept: $accept" "$(header content-type)" "^$wanted; version="
	done <<-END
	text/plain|
	text/plain|*/*
	text/plain|text/html
	text/plain|text/plain;version=0.0.4;q=0.5, application/openmetrics-text;version=1.0.0;q=0.4
	text/plain|application/openmetrics-text;version=0.0.1
	text/plain|application/openmetrics-text; q=0, */*
	application/openmetrics-text|application/openmetrics-text
	application/openmetrics-text|application/openmetrics-text; version=1.0.0
	application/openmetrics-text|application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1
	application/openmetrics-text|TEXT/PLAIN;Q=0.1, Application/OpenMetrics-Text;Version="1.0.0"
	END
	openmetrics
	get /metrics -H 'Accept-Encoding: gzip'
	is "gzip says so" "$(header content-encoding)" gzip
	check "and is the same" busywait 20 gzip_is_the_same
	get /metrics -H 'Accept-Encoding: br, gzip;q=0'
	is "no gzip where it is refused" "$(header content-encoding)" ''
}

# A packet may come between two scrapes: then they are asked again.
gzip_is_the_same() {
	get /metrics && lasting "$WORK/body" >"$WORK/text"
	get /metrics -H 'Accept-Encoding: gzip' && zcat "$WORK/body" | lasting /dev/stdin | diff "$WORK/text" -
}

openmetrics_is_the_same() {
	get /metrics && lasting "$WORK/body" | awk '{ $NF = sprintf("%.17g", $NF) } 1' >"$WORK/text"
	get /metrics -H 'Accept: application/openmetrics-text;version=1.0.0'
	client openmetrics "$WORK/body" | grep -v scrape_duration | sort | diff "$WORK/text" -
}

openmetrics() {
	get /metrics -H 'Accept: application/openmetrics-text;version=1.0.0'
	is "OpenMetrics ends with its mark" "$(tail -n 1 "$WORK/body")" '# EOF'
	if client openmetrics "$WORK/body" 2>&1 | grep -q "No module named 'prometheus_client'"; then
		skip "a parser of it sees what the text says" "python3-prometheus-client is not installed"
	else
		check "a parser of it sees what the text says" busywait 20 openmetrics_is_the_same
	fi
}

# --- as whom

as_whom() {
	local status=/proc/$exporter/status
	is "it runs as the user bkxdp" "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "$status")" "964 964 964 964"
	is "with that group alone" "$(awk '/^Gid:/ { print $2 } /^Groups:/ { $1 = ""; print }' "$status" | xargs)" "964 964"
	if kernel_is_at_least 5 19; then
		is "without a capability" "$(awk '/^Cap(Prm|Eff|Amb):/ { print $2 }' "$status" | sort -u)" 0000000000000000
	fi
	is "and can gain none" "$(awk '/^NoNewPrivs:/ { print $2 }' "$status")" 1
	is "nor load a program (test_unprivileged)" "$(awk '/^Seccomp:/ { print $2 }' "$status")" 2
	is "other pins stay root's own" "$(stat -c '%a %G' /sys/fs/bpf/bkxdp/eth1/controls)" "600 root"
	is "those of a scrape are the group's to read" "$(stat -c '%a %G' /sys/fs/bpf/bkxdp/eth1/flows)" "640 bkxdp"
	chmod 755 /sys/fs/bpf
	fails "the user can't write a counter" 255 as_user "$(find_bpftool)" map update pinned \
		/sys/fs/bpf/bkxdp/eth1/flows key 0 0 0 0 value 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
	says "for want of permission" "$said" 'Permission denied|Operation not permitted'
	as_user flock /sys/fs/bpf/bkxdp sleep 60 &
	check "nor keep others from changing the filter" timeout 20 nsenter --net=/run/netns/host \
		"$BKXDP" attach eth1 "${use[@]}"
	kill "$!"
	fails "nor read who is connected" 255 as_user "$(find_bpftool)" map dump pinned /sys/fs/bpf/bkxdp/eth1/controls
	chmod 700 /sys/fs/bpf
}

# The sysctl is the whole machine's, so a file stands in for it.
where_any_user_loads_programs() {
	local switch=/proc/sys/kernel/unprivileged_bpf_disabled
	bkxdp detach eth1 >/dev/null
	echo 0 >"$WORK/zero"
	mount --bind "$WORK/zero" "$switch"
	check "attach where any user may load programs" bkxdp attach eth1 "${use[@]}"
	is "all pins stay root's" "$(find /sys/fs/bpf/bkxdp/eth1 ! -group root -o -type f ! -perm 600)" ""
	start
	is "the exporter reads nothing" "$(value bkxdp_scrape_errors_total)" 1
	says "the log says which sysctl" "$(cat "$WORK/log")" 'kernel.unprivileged_bpf_disabled to 2'
	umount "$switch"
	check "attach where it is not so" bkxdp attach eth1 "${use[@]}"
	is "lets the exporter read" "$(value 'bkxdp_attached{device="eth1"}')" 1
	stop
}

by_another_user() {
	fails "nobody but root becomes another" 1 as_user "$BKXDP" exporter --user nobody --web.listen-address 127.0.0.1:0
	says "and is told" "$said" 'only root can become "nobody"'
	start --user nobody
	is "a user outside the group reads nothing" "$(value bkxdp_scrape_errors_total)" 1
	says "and the log says why" "$(cat "$WORK/log")" 'open to root and to the group "bkxdp"'
	is "healthz says it, too" "$(code /healthz)" 503
	stop
	start --user root
	is "root without capabilities reads" "$(value 'bkxdp_attached{device="eth1"}')" 1
	stop
}

# Where the program can't tell its own place, it takes no exporter of the folder it is called in.
start_of_nowhere() {
	mkdir "$WORK/planted"
	printf '#!/bin/sh\necho planted\n' >"$WORK/planted/bkxdp-exporter" && chmod 755 "$WORK/planted/bkxdp-exporter"
	# shellcheck disable=SC2016 # for the inner shell
	said=$(cd "$WORK/planted" && host unshare --mount sh -c \
		'mount -t tmpfs none /proc && exec "$0" exporter --help' "$BKXDP" 2>&1)
	is "without /proc nothing of the current folder is run" "$(grep -c planted <<<"$said")" 0
}

# --- what comes and goes

come_and_go() {
	ip link add eth2 netns host type veth peer name peer2 netns net
	ip -n host link set eth2 up
	bkxdp attach eth2 "${use[@]}" >/dev/null 2>&1
	is "an interface that is attached later is there" "$(value 'bkxdp_attached{device="eth2"}')" 1
	host ip link set eth2 xdp off 2>/dev/null
	if kernel_is_at_least 5 19; then
		is "its program taken off is told" "$(value 'bkxdp_attached{device="eth2"}')" 0
	fi
	bkxdp detach eth2 >/dev/null 2>&1
	is "a detached one is gone" "$(value 'bkxdp_attached{device="eth2"}')" ''
	bkxdp detach eth1 >/dev/null
	is "none is left" "$(get /metrics && grep -c device= "$WORK/body")" 0
	bkxdp attach eth1 "${use[@]}" >/dev/null 2>&1
	is "and it is back" "$(value 'bkxdp_attached{device="eth1"}')" 1
	is "without an error" "$(value bkxdp_scrape_errors_total)" 0
}

reloads_under_scrapes() {
	local round climbing
	client_begin "$WORK/climbed" climb "$at/metrics"
	climbing=$!
	for round in 1 2 3 4 5 6; do
		bkxdp attach eth1 "${use[@]}" --port "data=$((50000 + round))-50100" >/dev/null 2>&1
		bkxdp attach eth2 "${use[@]}" >/dev/null 2>&1
		traffic net connect "$server4" "$host4" 10000 >/dev/null 2>&1
		bkxdp detach eth2 >/dev/null 2>&1
	done
	kill "$climbing"
	wait "$climbing"
	is_between "scrapes while it is reloaded" "$(head -n 1 "$WORK/climbed" | cut -d' ' -f1)" 5 1000000
	is "no counter of what stays goes down" "$(grep -- '->' "$WORK/climbed" | grep -v 'device="eth2"')" ''
	is "and none of it is an error" "$(value bkxdp_scrape_errors_total)" 0
	is "the last reload is in the metrics" "$(value 'bkxdp_device_info{device="eth1",mode="native",enforcement="enforce",digest="'"$(status .digest)"'"}')" 1
}

# --- who may ask

certificates() {
	(
		umask 077
		cd "$WORK" || exit
		for name in ca other; do
			openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$name" \
				-keyout "$name.key" -out "$name.crt"
		done
		signed server ca serverAuth 1 && signed second ca serverAuth 2 &&
			signed client ca clientAuth 3 && signed foreign other clientAuth 4
		chgrp bkxdp ./*.key ./*.crt && chmod 640 ./*.key ./*.crt
	) >"$WORK/openssl.log" 2>&1
}

signed() { # NAME AUTHORITY PURPOSE SERIAL
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" &&
		openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -set_serial "$4" -days 2 -out "$1.crt" \
			-extfile <(echo "subjectAltName=IP:127.0.0.1,DNS:localhost"; echo "extendedKeyUsage=$3")
}

# By crypt(3) as perl has it; the least cost, so that the test is quick.
bcrypt() { perl -e 'print crypt($ARGV[0], "\$2b\$0$ARGV[1]\$" . "abcdefghijklmnopqrstuv")' "$1" "${2:-4}"; }

web_config() {
	cat >"$WORK/web.new"
	chmod 644 "$WORK/web.new"
	mv "$WORK/web.new" "$WORK/web.yml"
}

tls_section() { # CERTIFICATE [LINE...]
	printf 'tls_server_config:\n  cert_file: %s.crt\n  key_file: %s.key\n' "$1" "$1"
	shift
	[ $# = 0 ] || printf '  %s\n' "$@"
}

over_tls() { host curl -s -m 60 -o /dev/null -w '%{http_code}' --cacert "$WORK/ca.crt" "$@" "https://127.0.0.1:$port/metrics"; }
served_certificate() { # the common name
	host openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null | sed -n 's/^subject=.*CN *= *//p'
}

tls() {
	tls_section server | web_config
	start --web.config.file "$WORK/web.yml"
	says "it says https" "$(cat "$WORK/log")" 'https://127\.0\.0\.1:10471/metrics'
	is "TLS" "$(over_tls)" 200
	is "TLS 1.3" "$(over_tls --tlsv1.3)" 200
	is "TLS 1.2" "$(over_tls --tls-max 1.2)" 200
	is "TLS 1.1 is too old" "$(over_tls --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0)" 000
	forward_secrecy
	is "plain HTTP gets nothing" "$(code /metrics)" 000
	tls_section second | web_config
	check "another certificate is taken while it runs" busywait 20 served_is second
	echo 'tls_server_config: {cert_file: none.crt, key_file: none.key}' | web_config
	kill -HUP "$exporter"
	check "a configuration with mistakes is not" busywait 20 grep -q 'what was read before stays' "$WORK/log"
	says "the log says where" "$(cat "$WORK/log")" 'web\.yml:1:32: .*none\.crt can.t be read'
	is "what was before goes on" "$(over_tls)" 200
	tls_section server 'client_auth_type: RequireAndVerifyClientCert' 'client_ca_file: ca.crt' 'min_version: TLS13' | web_config
	kill -HUP "$exporter"
	check "SIGHUP takes the next" busywait 20 served_is server
	is "a client without a certificate" "$(over_tls)" 403
	is "one with a certificate of ours" "$(over_tls --cert "$WORK/client.crt" --key "$WORK/client.key")" 200
	is "one with another's" "$(over_tls --cert "$WORK/foreign.crt" --key "$WORK/foreign.key")" 403
	is "one with a server's" "$(over_tls --cert "$WORK/second.crt" --key "$WORK/second.key")" 403
	is "TLS 1.2 is now too old" "$(over_tls --tls-max 1.2)" 000
	stop
}

# Of a key by which a client could also send its secret: that is what is not offered.
forward_secrecy() {
	(cd "$WORK" && umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=rsa -keyout rsa.key -out rsa.crt &&
		chgrp bkxdp rsa.key rsa.crt && chmod 640 rsa.key rsa.crt) >/dev/null 2>&1
	tls_section rsa | web_config
	kill -HUP "$exporter"
	check "a certificate of RSA" busywait 20 served_is rsa
	is "TLS 1.2 with it" "$(host curl -sk -o /dev/null -w '%{http_code}' --tls-max 1.2 "https://127.0.0.1:$port/metrics")" 200
	is "not without forward secrecy" "$(host openssl s_client -connect "127.0.0.1:$port" -tls1_2 \
		-cipher 'kRSA:@SECLEVEL=0' </dev/null 2>&1 | grep -cE '^ *Cipher *: *[A-Z]+[0-9]')" 0
	tls_section server | web_config
	kill -HUP "$exporter"
	check "and back" busywait 20 served_is server
}
served_is() { [ "$(served_certificate)" = "$1" ]; }

passwords() {
	{
		tls_section server
		printf 'http_server_config:\n  headers: {X-Frame-Options: deny}\n'
		printf 'basic_auth_users:\n  prometheus: %s\n  slow: %s\n' "$(bcrypt 'right:word')" "$(bcrypt other 9)"
	} | web_config
	start --web.config.file "$WORK/web.yml"
	is "no password" "$(over_tls -D "$WORK/head")" 401
	says "asks for one" "$(header www-authenticate)" '^Basic realm='
	is "with the headers of the file" "$(header x-frame-options)" deny
	is "the right one" "$(over_tls -u 'prometheus:right:word')" 200
	is "a wrong one" "$(over_tls -u 'prometheus:right')" 401
	is "an unknown user" "$(over_tls -u 'nobody:right:word')" 401
	is "another's" "$(over_tls -u 'slow:right:word')" 401
	is "not basic" "$(over_tls -H 'Authorization: Bearer x')" 401
	is "not base64" "$(over_tls -H 'Authorization: Basic ***')" 401
	is "health wants it, too" "$(host curl -sk -o /dev/null -w '%{http_code}' "https://127.0.0.1:$port/healthz")" 401
	stop
}

# Somebody is being answered all the time, for the buffers hold less than an answer.
who_stays() {
	local relay
	host sysctl -qw net.ipv4.tcp_wmem='4096 4096 4096'
	printf 'http_server_config:\n  headers: {X-Frame-Options: deny}\n' | web_config
	start --web.config.file "$WORK/web.yml"
	slow_readers 4
	slow_readers 150
	client_begin "$WORK/relay" relay 127.0.0.1 "$port"
	relay=$!
	busywait 20 grep -q ready "$WORK/relay"
	printf 'basic_auth_users:\n  prometheus: %s\n' "$(bcrypt 'right:word')" | web_config
	check "slow readers one after the other put a new configuration off, and not for ever" \
		busywait 100 asks_for_a_password
	kill "$relay"
	stop
}

# Of whom nobody reads on. In a scrape of 39 each is whole.
slow_readers() { # N
	local crowd n whole=0
	client_begin "$WORK/crowd" sip 127.0.0.1 $port "$1"
	crowd=$!
	busywait 60 test -s "$WORK/crowd"
	for ((n = 0; n < 39; n++)); do
		[ "$(code /metrics)" != 200 ] || whole=$((whole + 1))
	done
	is "scrapes while $1 read nothing" "$whole" 39
	kill "$crowd"
}
asks_for_a_password() { [ "$(code /healthz)" = 401 ]; }

with_users() { # HEADER'S VALUE USER PASSWORD COST [USER PASSWORD COST...]
	printf 'http_server_config:\n  headers: {X-Frame-Options: %s}\nbasic_auth_users:\n' "$1"
	shift
	while [ $# != 0 ]; do
		printf '  %s: %s\n' "$1" "$(bcrypt "$2" "$3")"
		shift 3
	done
}
asked_as() { host curl -s -m 20 -D "$WORK/head" -o /dev/null -w '%{http_code}' -u "$1" "${@:2}" "$at/healthz"; }
reads_anew() { # HEADER'S VALUE: without a password, so nobody becomes known by it
	host curl -s -o /dev/null -D "$WORK/head" "$at/healthz"
	[ "$(header x-frame-options)" = "$1" ]
}
guess_begin() { # N
	client_begin "$WORK/guesser" guess 127.0.0.1 "$port" slow "$1"
	guesser=$!
	busywait 20 test -s "$WORK/guesser"
	sleep 1
}
ticks() { awk '{ print $14 + $15 }' "/proc/$exporter/stat"; }

# Guessers wait, so that they get no further than their share; who has the password gets in.
guesses() {
	local before
	with_users one slow right 9 prometheus right:word 9 changed before 4 removed before 4 | web_config
	start --web.config.file "$WORK/web.yml"
	is "a user who is known by now" "$(asked_as slow:right)" 200
	is "one whose password will change" "$(asked_as changed:before)" 200
	is "one who will be removed" "$(asked_as removed:before)" 200
	guess_begin 16
	before=$(ticks)
	sleep 4
	is_between "guesses get a share of the processor, in hundredths of seconds of four" $(($(ticks) - before)) 10 280
	is "who is known has no need to wait" "$(asked_as slow:right -m 3)" 200
	is "who is not gets in, too" "$(asked_as prometheus:right:word)" 200
	with_users two slow right 9 prometheus right:word 9 changed after 4 | web_config
	kill -HUP "$exporter"
	check "a configuration is read among guesses" busywait 20 reads_anew two
	sleep 3
	is "who was known still is" "$(asked_as slow:right -m 3)" 200
	is "not by a password that was changed" "$(asked_as changed:before)" 401
	is "but by the new one" "$(asked_as changed:after)" 200
	is "a removed user is gone" "$(asked_as removed:before)" 401
	stop
	start --web.config.file "$WORK/web.yml"
	sleep 1
	is "who is known to nobody gets in after a start among guesses" "$(asked_as slow:right)" 200
	kill "$guesser"
	guess_begin 150
	is "more guessers than connections don't stop another address" "$(asked_as prometheus:right:word --interface 127.0.0.2)" 200
	kill "$guesser"
	stop
}

bad_configs() {
	local text wanted
	while IFS='|' read -r wanted text; do
		printf '%b\n' "$text" | web_config
		fails "web configuration: $text" 1 host "$BKXDP" exporter --web.config.file "$WORK/web.yml" --web.listen-address 127.0.0.1:0
		says "is told" "$said" "$wanted"
	done <<-'END'
	web\.yml:1:1: unknown key "tls_config"|tls_config: {}
	web\.yml:2:3: unknown key "certfile": did you mean "cert_file"|tls_server_config:\n  certfile: x
	the key "key_file" is missing|tls_server_config:\n  cert_file: server.crt
	web\.yml:1:48: unknown key "cipher_suites"|tls_server_config: {cert_file: a, key_file: b, cipher_suites: [x]}
	"TLS14" is not a valid value|tls_server_config: {cert_file: a, key_file: b, min_version: TLS14}
	"RequestClientCert" is not a valid value|tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequestClientCert}
	needs client_ca_file|tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAndVerifyClientCert}
	web\.yml:1:20: certificate, key|tls_server_config: {cert_file: server.crt, key_file: client.key}
	web\.yml:2:7: the password of "me" is no bcrypt hash|basic_auth_users:\n  me: secret
	no user is named|basic_auth_users: {}
	END
	fails "a web configuration that is not there" 1 host "$BKXDP" exporter --web.config.file "$WORK/none.yml"
	says "is told" "$said" 'none\.yml: cannot be read'
}

# --- what can't stop it

still_answers() { # WHILE WHAT
	local code
	code=$(host curl -s -m 20 -o /dev/null -w '%{http_code}' "$at/metrics")
	is "answers while $1" "$code" 200
}

crowds() {
	local crowd
	client_begin "$WORK/crowd" silent 127.0.0.1 $port 1000
	crowd=$!
	check "a thousand silent connections" busywait 60 test -s "$WORK/crowd"
	still_answers "a thousand say nothing"
	is_between "keeps few of them" "$(find "/proc/$exporter/fd" -lname 'socket:*' | wc -l)" 1 200
	kill "$crowd"
	client_begin "$WORK/crowd" sip 127.0.0.1 $port 3
	crowd=$!
	busywait 60 test -s "$WORK/crowd"
	still_answers "some read nothing"
	kill "$crowd"
	says "an oversized head is refused" "$(code /metrics -H "X: $(head -c 60000 /dev/zero | tr '\0' x)")" '431|414|413|400|000'
	is "and it goes on" "$(code /metrics)" 200
	is_between "a request that trickles in is cut off" "$(client trickle 127.0.0.1 $port)" 5 40
	is_between "all this in less than 20 MiB" "$(awk '/^VmHWM:/ { print $2 }' "/proc/$exporter/status")" 1000 20480
	is "and no scrape is kept" "$(find "/proc/$exporter/fd" -lname '/memfd:*' | wc -l)" 0
}

# --- where it listens

addresses() {
	start --web.listen-address "[::1]:$port" --web.listen-address 127.0.0.1:9100 --web.telemetry-path /counters
	is "IPv6" "$(host curl -s -o /dev/null -w '%{http_code}' "http://[::1]:$port/counters")" 200
	is "and IPv4, another port" "$(host curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9100/counters)" 200
	is "not where it was not asked to" "$(code /counters)" 000
	fails "an address that is taken" 1 host "$BKXDP" exporter --web.listen-address 127.0.0.1:9100
	says "is told" "$said" 'can.t listen on "127\.0\.0\.1:9100": Address already in use'
	stop
	start --web.listen-address ":$port"
	is "any address: IPv4" "$(code /metrics)" 200
	is "any address: IPv6" "$(host curl -s -o /dev/null -w '%{http_code}' "http://[::1]:$port/metrics")" 200
	stop
	fails "an address without a port" 1 host "$BKXDP" exporter --web.listen-address 127.0.0.1
	says "is told" "$said" 'no address with a port'
	fails "a port that is none" 1 timeout 20 nsenter --net=/run/netns/host "$BKXDP" exporter \
		--web.listen-address 127.0.0.1:99999
	says "is told" "$said" '"127\.0\.0\.1:99999": a port is a number up to 65535'
	fails "a path without a slash" 2 host "$BKXDP" exporter --web.telemetry-path metrics
	fails "no socket of systemd" 1 host "$BKXDP" exporter --web.systemd-socket
	says "is told" "$said" 'no socket was passed'
}

service() {
	client_begin "$WORK/out" activate "127.0.0.1:$port" '[::1]:9100' -- "$BKXDP" exporter --web.systemd-socket 2>"$WORK/log"
	exporter=$!
	check "sockets that were passed" busywait 20 answers
	is "the second, too" "$(host curl -s -o /dev/null -w '%{http_code}' 'http://[::1]:9100/healthz')" 200
	ends_well "SIGTERM is a good end"
	client_begin "$WORK/out" activate "127.0.0.1:$port" -- "$BKXDP" exporter 2>"$WORK/log"
	exporter=$!
	check "without the option, too" busywait 20 answers
	ends_well "and ends well"
	tls_section server | web_config
	client_begin "$WORK/out" notified "$WORK/notified" "$BKXDP" exporter --web.config.file "$WORK/web.yml" 2>"$WORK/log"
	exporter=$!
	check "tells the service manager that it is ready" busywait 20 grep -qs '^READY=1$' "$WORK/notified"
	kill -HUP "$exporter"
	check "that it reads its files again" busywait 20 grep -q '^RELOADING=1$' "$WORK/notified"
	check "and is through" busywait 20 ready_twice
	ends_well "ends well"
	is "and tells that" "$(grep -c '^STOPPING=1$' "$WORK/notified")" 1
}
ready_twice() { [ "$(grep -c '^READY=1$' "$WORK/notified")" = 2 ]; }

units() {
	local unit text
	command -v systemd-analyze >/dev/null || { skip "the units are sound" "there is no systemd-analyze"; return; }
	mkdir "$WORK/units"
	for unit in "$root"/systemd/bkxdp-exporter.*; do
		sed "s|/usr/local/sbin/bkxdp|$BKXDP|" "$unit" >"$WORK/units/${unit##*/}"
	done
	text=$(SYSTEMD_UNIT_PATH=$WORK/units: systemd-analyze verify "$WORK"/units/bkxdp-exporter.{service,socket} 2>&1 |
		grep -F bkxdp-exporter | grep -v "Command 'man ")
	is "systemd finds nothing in the units" "$text" ''
}

make_network
make_reader || bail "no user"
listen host tcp:22 tcp:10000
bkxdp attach eth1 "${use[@]}" >/dev/null 2>&1 || bail "attach failed"
connects "$server4" "$host4" 10000

start
pages
requests
negotiation
as_whom
come_and_go
reloads_under_scrapes
crowds
ends_well "SIGTERM is a good end"
by_another_user
start_of_nowhere
where_any_user_loads_programs
check "certificates for the test" certificates
tls
passwords
guesses
who_stays
bad_configs
addresses
service
units
bkxdp detach eth1 >/dev/null
check "leaves nothing" nothing_is_left
finish
