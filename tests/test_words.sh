#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One set of words: what the program takes is what the manual, the completion
# and the documents say, and the other way round.

# shellcheck disable=SC2016 # backquotes and $ in patterns are meant
set -u
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../scripts/lib.sh"
# shellcheck source=tests/points.sh
. "$(dirname "$0")/points.sh"
cd "$root" || exit 1
readonly BKXDP=${BKXDP:-$root/build/bkxdp}
readonly man=man/bkxdp.8 documents='README.md CONTRIBUTING.md docs/*.md'
export NO_COLOR=1

echo "TAP version 13"
[ -x "$BKXDP" ] || {
	echo "1..0 # SKIP there is no $BKXDP; make builds it"
	exit 4
}

# Words of one list that are not in the other, each way.
differ() { # NAME WORDS NAME WORDS
	comm -23 <(tr ' ' '\n' <<<"$2" | sort -u) <(tr ' ' '\n' <<<"$4" | sort -u) | grep . | sed "s/\$/: in $1, not in $3/"
	comm -13 <(tr ' ' '\n' <<<"$2" | sort -u) <(tr ' ' '\n' <<<"$4" | sort -u) | grep . | sed "s/\$/: in $3, not in $1/"
}

# lacking WORDS FILE...: words that no file has in `backquotes`
lacking() {
	local word
	for word in $1; do
		grep -qF -- "\`$word\`" "${@:2}" || echo "\`$word\` is not in ${*:2}"
	done
}

# --- the rooms of user/

# The map in CONTRIBUTING names each file of a room, and no other.
rooms_that_differ() {
	local room
	for room in user/*/; do
		room=$(basename "$room")
		differ "the room $room" "$(find "user/$room" -name '*.[ch]' -printf '%f\n' | sed 's/\.[ch]$//' | sort -u | xargs)" \
			"CONTRIBUTING" "$(awk -F' \\| ' -v room="| $room/" '$1 == room { gsub(/[|,]/, " ", $3); print $3 }' CONTRIBUTING.md | xargs)"
	done
}
report "the map of user/ in CONTRIBUTING.md is that of the tree" "$(rooms_that_differ)"

# --- what the program says

verbs_of_help() { "$BKXDP" --help | awk '/^Commands:/ { on = 1; next } on && !NF { exit } on { print $1 }'; }
options_of_help() { "$BKXDP" "$1" --help | awk '/^Options:/ { on = 1; next } on && /^  --/ { print $1 }'; }
global_options_of_help() { "$BKXDP" --help | awk '/^Global options/ { on = 1; next } on && /^  --/ { print $1 }'; }

verbs=$(verbs_of_help)
[ -n "$verbs" ] || failures=1
declare -A options
for verb in $verbs; do
	options[$verb]=$(options_of_help "$verb")
done
global=$(global_options_of_help)
# bkxdp-exporter is a program of its own, and has all of its options in its own --help
report "an option of all commands is none of one of them" \
	"$(for verb in $verbs; do
		[ "$verb" = exporter ] || grep -xF -- "$global" <<<"${options[$verb]}" | sed "s/^/$verb: /"
	done)"
report "there are options of all commands" "$([ -n "$global" ] || echo "bkxdp --help lists none")"

# --- manual

section() { awk -v name=".Sh $1" '/^\.Sh / { on = $0 == name } on' "$man"; }
synopsis_of() { section SYNOPSIS | awk -v verb="$1" '/^\.Nm/ { on = 0 } $1 == ".Cm" { on = $2 == verb } on'; }
flags() { grep -oE 'Fl -[a-z][a-z.-]*' | sed 's/Fl -/--/'; }

report "the manual's COMMANDS are those of --help" \
	"$(differ manual "$(section COMMANDS | awk '$1 == ".It" && $2 == "Cm" { print $3 }')" help "$verbs")"
report "the manual's SYNOPSIS has the commands of --help" \
	"$(differ manual "$(section SYNOPSIS | awk '$1 == ".Cm" { print $2 }')" help "$verbs")"
for verb in $verbs; do
	report "the manual has the options of $verb" \
		"$(differ manual "$(synopsis_of "$verb" | flags) --help" help "${options[$verb]}")"
done
report "the manual describes each option, and no other" \
	"$(differ manual "$(section OPTIONS | grep '^\.It' | flags)" help "${options[*]//$'\n'/ } $global --version")"
report "the manual's SYNOPSIS has the options of all commands" \
	"$(differ manual "$(section SYNOPSIS | grep -B1 -x '\.Ar COMMAND \.\.\.' | flags)" help "$global")"
if command -v man >/dev/null && command -v groff >/dev/null; then
	report "the manual is set without warnings" "$(man --warnings -E UTF-8 -l -Tutf8 -Z "$man" 2>&1 >/dev/null)"
else
	skip "the manual is set without warnings" "there is no man or no groff"
fi

# --- completion

# shellcheck source=completion/bkxdp.bash
. completion/bkxdp.bash
completed() { # WORD...: what may stand for the last one
	COMP_WORDS=("$BKXDP" "$@")
	COMP_CWORD=$#
	_bkxdp
	echo "${COMPREPLY[*]}"
}

report "the completion's commands are those of --help" \
	"$(differ completion "$(completed '')" help "$verbs $global --help --version")"
for verb in $verbs; do
	report "the completion has the options of $verb" \
		"$(differ completion "$(completed "$verb" --)" help "${options[$verb]} $global")"
done
report "the completion knows a command behind an option" \
	"$(differ completion "$(completed --bpffs /sys/fs/bpf status --)" help "${options[status]} $global")"
report "the completion has the commands behind an option" \
	"$(differ completion "$(completed --bpffs /sys/fs/bpf '')" help "$verbs $global --help --version")"
names=$(cd profiles && for file in *.yaml; do echo "${file%.yaml}"; done)
report "the completion has the profiles" \
	"$(differ completion "$(completed profiles --profiles profiles '')" profiles "$names")"
report "the completion has a profile's roles" \
	"$(differ completion "$(completed attach eth1 --profiles profiles --use livevault : '')" \
		livevault "agent primary-gateway backup-gateway")"

# --- documents

reasons() { sed -nE 's/^.*X\([A-Z_0-9]+, "([a-z-]+)", (PASS|DROP),.*/\2 \1/p' include/bkxdp/verdict.h | tr '[:upper:]' '[:lower:]' | sort; }
reasons_of_table() { sed -nE 's/^\| (pass|drop) \| `([a-z-]+)`.*/\1 \2/p' docs/verdicts.md | sort; }
# The document's list of reasons may have no more and no less; the README's table has them in other words.
report "docs/verdicts.md has the reasons of verdict.h" "$(diff <(reasons) <(reasons_of_table))"
report "the README's table has the reasons of verdict.h" \
	"$(reasons | while read -r verdict reason; do
		grep -qE "\| .*$verdict \`$reason\`" README.md || echo "no row has \"$verdict \`$reason\`\""
	done)"

metrics=$(grep -ohE '"bkxdp_[a-z_]+"' user/stats/prometheus_text.c | tr -d '"' | sort -u)
report "docs/metrics.md has the metrics" "$(lacking "$metrics" docs/metrics.md)"

if command -v jq >/dev/null; then
	keys() { jq -r "$2 | .properties | keys[] | \"$3\" + ." "profiles/$1.schema.json"; }
	report "the README's table has the keys of the interface file" "$(lacking "$(
		keys interface . ''
		keys interface '."$defs".use' use.
		keys interface '."$defs".flow' flows.
	)" README.md)"
	report "docs/files.md has the keys of profiles" "$(lacking "$(
		keys profile . ''
		keys profile '."$defs".role' roles.X. | grep -vE '\.(title|note)$'
		keys profile '."$defs".portSet' ports.X. | grep -v '\.note$'
		keys profile '."$defs".flow' flows. | grep -v '\.note$'
	)" docs/files.md)"
else
	skip "the README's table has the keys of the interface file" "there is no jq"
	skip "docs/files.md has the keys of profiles" "there is no jq"
fi

# Lines "VERB REST" for each command that a document or unit shows.
shown() {
	# shellcheck disable=SC2086 # patterns of files
	{
		# typed at a prompt, in an indented block, in a unit, or in the middle of a sentence
		grep -hoE '^([#$] |    )(.*[ |])?bkxdp [a-z].*' $documents | grep -oE '\bbkxdp [a-z].*'
		grep -hoE '`((sudo|pre-up|nsenter [^ ]+) )?bkxdp [a-z][^`]*`' $documents | tr -d '`' | grep -oE '\bbkxdp [a-z].*'
		sed -n 's|^Exec[A-Za-z]*=/[^ ]*/bkxdp |bkxdp |p' systemd/*.service
		section EXAMPLES | grep '^bkxdp'
	} | sed -E 's/^bkxdp //; s/ [#|] .*//'
}

unknown_words() {
	local verb rest option
	while read -r verb rest; do
		if [ -z "${options[$verb]:-}" ]; then
			echo "bkxdp $verb: no such command"
			continue
		fi
		grep -oE -- '--[a-z.-]+[a-z]' <<<"$rest" | while read -r option; do
			grep -qxF -- "$option" <<<"${options[$verb]}"$'\n'"$global" || echo "bkxdp $verb has no option $option"
		done
	done < <(shown)
}
report "documents, manual and unit show commands and options that exist" "$(unknown_words)"
report "there are such commands at all" "$([ "$(shown | wc -l)" -ge 20 ] || shown)"

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# The N-th YAML block of a document.
yaml() { awk -v n="$2" '/^```$/ { on = 0 } on; /^```yaml$/ { on = ++count == n }' "$1"; }
sound() { "$BKXDP" check "$1" --profiles profiles >"$scratch/said" 2>&1 || cat "$scratch/said"; }

yaml README.md 1 >"$scratch/eth1.yaml"
report "the README's interface file is sound" "$(sound "$scratch/eth1.yaml")"
report "the README's interface file uses every key of its top" \
	"$(for key in interface use flows mode verdict connections ping fragments vlans dhcp; do
		grep -q "^$key:" "$scratch/eth1.yaml" || echo "$key is not used"
	done)"
yaml docs/files.md 1 >"$scratch/example-backup.yaml"
report "the profile in docs/files.md is sound" "$(sound "$scratch/example-backup.yaml")"

# Mirrors are the machine's own; an SVG's namespace is no address, example.com is nobody's.
hosts() {
	grep -rnEI '(https?|ftp)://[a-z0-9-]+\.' scripts tests .ci |
		grep -vE '://(www\.w3\.org/2000/svg|127\.0\.0\.1|([a-z0-9-]+\.)*example\.(com|org))\b'
}
report "no script and no test names a host of the Internet" "$(hosts)"

dead_links() {
	local document link
	for document in $documents; do
		grep -oE '\]\([^)#]+' "$document" | cut -c 3- | while read -r link; do
			[ -e "$(dirname "$document")/$link" ] || echo "$document: $link"
		done
	done
}
report "links between documents lead somewhere" "$(dead_links)"

# --- installed

installed() {
	local unit=$scratch/to/usr/local/lib/systemd/system/bkxdp@.service file
	local exporter=${unit%@.service}-exporter.service
	make -s install DESTDIR="$scratch/to" >"$scratch/said" 2>&1 || { cat "$scratch/said"; return; }
	for file in sbin/bkxdp libexec/bkxdp/bkxdp-exporter lib/sysusers.d/bkxdp.conf share/man/man8/bkxdp.8 share/bash-completion/completions/bkxdp \
		share/bkxdp/profiles/backup-exec.yaml share/bkxdp/monitoring/bkxdp.rules.yml \
		share/bkxdp/monitoring/prometheus.yml share/bkxdp/monitoring/bkxdp-dashboard.json share/doc/bkxdp/README.md; do
		[ -e "$scratch/to/usr/local/$file" ] || echo "$file is not installed"
	done
	[ -e "$exporter" ] && [ -e "${exporter%.service}.socket" ] || echo "the exporter's units are not installed"
	sed -n 's/^Exec[A-Za-z]*=\(\/usr\/local\/[^ ]*\).*/\1/p' "$unit" "$exporter" | while read -r file; do
		[ -x "$scratch/to$file" ] || echo "the unit starts $file, which is not installed"
	done
	make -s uninstall DESTDIR="$scratch/to" >/dev/null 2>&1
	find "$scratch/to" -type f
}

# Paths below some /etc that a text or program names, but for those of SYSCONFDIR.
in_etc() { grep -aohE '[a-z/]*/etc/(default/)?bkxdp[a-z/-]*' "$@" | grep -v '^/usr/local/etc/'; }

# As a packager's make with SYSCONFDIR=; only what names the folder is compiled again.
elsewhere() {
	local to=$scratch/else new=() file
	mkdir -p "$scratch/build" && cp -a build/user build/bkxdp* "$scratch/build" || return
	mapfile -t new < <(grep -rl BKXDP_CONFIG_DIR user --include='*.c' | sed 's/^/--what-if=/')
	local sysconf=(make -s "BUILD=$scratch/build" SYSCONFDIR=/usr/local/etc)
	"${sysconf[@]}" "${new[@]}" all >"$scratch/said" 2>&1 && "${sysconf[@]}" install DESTDIR="$to" >"$scratch/said" 2>&1 ||
		{ cat "$scratch/said"; return; }
	"$to/usr/local/sbin/bkxdp" --help | grep -q 'Files: /usr/local/etc/bkxdp/IFACE.yaml' || echo "--help names another folder"
	"$to/usr/local/sbin/bkxdp" attach --help | in_etc - | sed 's/^/attach --help: /'
	[ -d "$to/usr/local/etc/bkxdp/profiles" ] || echo "there is no folder for profiles"
	[ ! -e "$to/etc" ] || echo "something is in /etc"
	grep -q -- '--config /usr/local/etc/bkxdp/%I.yaml' "$to/usr/local/lib/systemd/system/bkxdp@.service" ||
		echo "the unit names another file"
	find "$to" -type f | while read -r file; do
		in_etc "$file" | sort -u | sed "s|^|${file#"$to"}: |"
	done
	make -s install "BUILD=$scratch/build" DESTDIR="$scratch/other" >"$scratch/said" 2>&1 && echo "it is installed for /etc, too"
}
if [ -x build/bkxdp ] && grep -qF /usr/local/share/bkxdp build/bkxdp; then
	report "what the unit starts is installed, and uninstall leaves nothing" "$(installed)"
	report "SYSCONFDIR: program, units and documents name that folder and no other" "$(elsewhere)"
else
	skip "SYSCONFDIR: program, units and documents name that folder and no other" "build/bkxdp is for another place"
	skip "what the unit starts is installed, and uninstall leaves nothing" "build/bkxdp is for another place"
fi

echo "1..$points"
[ "$failures" = 0 ]
