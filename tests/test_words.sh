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
readonly man=man/bkxdp.8 pages='man/*.[58]' documents='README.md CONTRIBUTING.md docs/*.md'
export NO_COLOR=1

echo "TAP version 13"
[ -x "$BKXDP" ] || {
	echo "1..0 # SKIP there is no $BKXDP; make builds it"
	exit 4
}

# Words of one list that are not in the other, each way.
differ() { # NAME WORDS NAME WORDS
	comm -23 <(tr ' ' '\n' <<<"$2" | sort -u) <(tr ' ' '\n' <<<"$4" | sort -u) | grep . | sed "s|\$|: in $1, not in $3|"
	comm -13 <(tr ' ' '\n' <<<"$2" | sort -u) <(tr ' ' '\n' <<<"$4" | sort -u) | grep . | sed "s|\$|: in $3, not in $1|"
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

# Those of the shared headers and of the kernel's part have a row for each file.
files_that_differ() {
	local folder
	for folder in include/bkxdp bpf; do
		differ "$folder" "$(find "$folder" -type f -printf '%f\n' | xargs)" "CONTRIBUTING" \
			"$(awk -F '|' -v head="| $folder/ " 'index($0, head) == 1 { on = 1; next } /^$/ { on = 0 }
				on && !/^\|-/ { gsub(/[ ,]+/, " ", $2); print $2 }' CONTRIBUTING.md | xargs)"
	done
}
report "those of include/bkxdp/ and bpf/, too" "$(files_that_differ)"

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

# section NAME [PAGE]
section() { awk -v name=".Sh $1" '/^\.Sh / { on = $0 == name } on' "${2:-$man}"; }
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

# The exporter has a page of its own; a build may be without it.
readonly exporter_program=${BKXDP%/*}/bkxdp-exporter exporter_page=man/bkxdp-exporter.8
if [ -x "$exporter_program" ]; then
	of_exporter=$("$exporter_program" --help | awk '/^Options:/ { on = 1; next } on && /^  --/ { print $1 }')
	report "bkxdp-exporter(8) has the options of --help in its SYNOPSIS" \
		"$(differ manual "$(section SYNOPSIS $exporter_page | flags) --help" help "$of_exporter")"
	report "and describes each of them, and no other" \
		"$(differ manual "$(section OPTIONS $exporter_page | grep '^\.It' | flags)" help "$of_exporter")"
else
	skip "bkxdp-exporter(8) has the options of --help in its SYNOPSIS" "there is no $exporter_program"
	skip "and describes each of them, and no other" "there is no $exporter_program"
fi
report "bkxdp-exporter(8) has the keys of the web configuration" "$(differ manual \
	"$(section 'WEB CONFIGURATION' $exporter_page | sed -n 's/^\.It //p' | grep -oE 'Cm [a-z0-9_.]+' |
		sed -E 's/^Cm ([a-z0-9_]+)\.?/\1 /')" \
	program "$(grep -oE '\{"[a-z0-9_]+", read_' user/exporter/web_config.c | cut -d'"' -f2 | xargs)")"
for page in $pages; do
	if command -v man >/dev/null && command -v groff >/dev/null; then
		report "$page is set without warnings" "$(man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)"
	else
		skip "$page is set without warnings" "there is no man or no groff"
	fi
done

# Lines "NAME SECTION" of our own pages that this one refers to.
refers() { section 'SEE ALSO' "$1" | awk '$1 == ".Xr" && $2 ~ /^bkxdp/ { print $2, $3 }'; }
pages_apart() {
	local page name number
	for page in $pages; do
		name=$(basename "$page") number=${page##*.}
		[ "$page" = "$man" ] && continue
		refers "$man" | grep -qxF "${name%.*} $number" || echo "$man does not refer to $name"
		refers "$page" | grep -qxF "bkxdp 8" || echo "$page does not refer to bkxdp.8"
	done
}
report "the manual's pages refer to each other" "$(pages_apart)"

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

# Lines "VERDICT|REASON|MEANING"
reasons() {
	tr '\n' ' ' <include/bkxdp/verdict.h | grep -oE 'X\([A-Z_0-9]+, "[^"]+", (PASS|DROP),[^"]+"[^"]+"\)' |
		sed -E 's/^[^"]+"([^"]+)", ([A-Z]+),[^"]+"([^"]+)"\)/\L\2\E|\1|\3/'
}
reasons_of_table() { sed -nE 's/^\| (pass|drop) \| `([^`]+)` \| ([^|]+) \|.*/\1|\2|\3/p' docs/verdicts.md | tr -d '`'; }
report "docs/verdicts.md has the reasons of verdict.h, in its words" "$(diff <(reasons) <(reasons_of_table))"
report "there are reasons at all" "$([ "$(reasons | wc -l)" -ge 20 ] || reasons)"

metrics=$(grep -ohE '"bkxdp_[a-z_]+"' user/stats/prometheus_text.c | tr -d '"' | sort -u)
report "docs/metrics.md has the metrics" "$(lacking "$metrics" docs/metrics.md)"

# The keys that a section of a page describes, and those with one of a few values as "KEY VALUE".
keys_of_page() { section "$1" "$2" | awk '$1 == ".It" && $2 == "Ic" { print $3 }'; }
values_of_page() { section "$1" "$2" | awk '$1 == ".It" && $2 == "Ic" { key = $3 } $1 == ".It" && $2 == "Cm" { print key, $3 }'; }

# same_keys WHAT SECTION PAGE KIND FILTER: the page's section has the keys of the schema, and no other
same_keys() {
	report "$3 has the keys of $1" "$(differ "${3##*/}" "$(keys_of_page "$2" "$3" | xargs)" \
		"the schema" "$(jq -r "$5" "profiles/$4.schema.json" | xargs)")"
}
same_values() {
	report "$3 has the values of $1" "$(diff <(values_of_page "$2" "$3" | sort) <(jq -r "($5)"'.properties | to_entries[] |
		.key as $key | .value | (.enum // .anyOf[]?.enum // [])[] | "\($key) \(.)"' "profiles/$4.schema.json" | sort))"
}
if command -v jq >/dev/null; then
	page=man/bkxdp.yaml.5
	same_keys "an interface file" 'KEYS OF THE FILE' "$page" interface '.properties | keys[]'
	same_keys "a use" 'KEYS OF A USE' "$page" interface '."$defs".use.properties | keys[]'
	same_keys "a flow" 'KEYS OF A FLOW' "$page" interface '."$defs".flow.properties | keys[]'
	same_values "an interface file" 'KEYS OF THE FILE' "$page" interface .
	same_values "a use" 'KEYS OF A USE' "$page" interface '."$defs".use'
	page=man/bkxdp-profile.5
	same_keys "a profile" 'KEYS OF THE FILE' "$page" profile '.properties | keys[]'
	same_keys "a role" 'KEYS OF A ROLE' "$page" profile \
		'."$defs".role.properties | keys[], (.addresses.anyOf[].properties // {} | keys[])'
	same_keys "a port set" 'KEYS OF A PORT SET' "$page" profile '."$defs".portSet.properties | keys[]'
	same_keys "a flow" 'KEYS OF A FLOW' "$page" profile '."$defs".flow.properties | keys[]'
else
	skip "the manual has the keys of both kinds of file" "there is no jq"
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
		# shellcheck disable=SC2086 # a pattern of files
		sed -n 's/^\.Ql bkxdp \([a-z]\)/bkxdp \1/p' $pages
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

# The first YAML block of a document, and what an example of a page shows.
yaml() { awk '/^```$/ { on = 0 } on; /^```yaml$/ { on = ++count == 1 }' "$1"; }
example() { section EXAMPLES "$1" | awk -v n="$2" '/^\.Ed/ { on = 0 } on; /^\.Bd/ { on = ++count == n }' | sed 's/\\-/-/g'; }
sound() { "$BKXDP" check "$1" --profiles profiles >"$scratch/said" 2>&1 || cat "$scratch/said"; }

for document in README.md docs/guide.md; do
	yaml "$document" >"$scratch/eth1.yaml"
	report "the interface file of $document is sound" "$(sound "$scratch/eth1.yaml")"
done
example man/bkxdp.yaml.5 1 >"$scratch/eth1.yaml"
report "the first example of bkxdp.yaml(5) is sound" "$(sound "$scratch/eth1.yaml")"
report "it has every key of its top" "$(keys_of_page 'KEYS OF THE FILE' man/bkxdp.yaml.5 | while read -r key; do
	grep -q "^$key:" "$scratch/eth1.yaml" || echo "$key is not used"
done)"
example man/bkxdp.yaml.5 2 >"$scratch/eth2.yaml"
report "the second example of bkxdp.yaml(5) is sound" "$(sound "$scratch/eth2.yaml")"
example man/bkxdp-profile.5 1 >"$scratch/example-backup.yaml"
report "the example of bkxdp-profile(5) is sound" "$(sound "$scratch/example-backup.yaml")"
report "it has every key" "$(grep -h '^\.It Ic' man/bkxdp-profile.5 | while read -r _ _ key; do
	grep -qE "(^|[ {])$key:" "$scratch/example-backup.yaml" || echo "$key is not used"
done)"

# fits KIND FILE: what the schema has against it
fits() {
	python3 -c '
import json, sys, yaml
from jsonschema import Draft202012Validator
schema = json.load(open(sys.argv[1]))
for wrong in Draft202012Validator(schema).iter_errors(yaml.safe_load(open(sys.argv[2]))):
    print(wrong.json_path, wrong.message)' "profiles/$1.schema.json" "$2" 2>&1
}
if python3 -c 'import yaml, jsonschema' 2>/dev/null; then
	report "the examples of the pages fit the schemas" "$(fits interface "$scratch/eth1.yaml"
		fits interface "$scratch/eth2.yaml"
		fits profile "$scratch/example-backup.yaml")"
else
	skip "the examples of the pages fit the schemas" "there is no python3-yaml or no python3-jsonschema"
fi

# Mirrors are the machine's own; an SVG's namespace is no address, example.com is nobody's.
hosts() {
	grep -rnEI '(https?|ftp)://[a-z0-9-]+\.' scripts tests .ci |
		grep -vE '://(www\.w3\.org/2000/svg|127\.0\.0\.1|([a-z0-9-]+\.)*example\.(com|org))\b'
}
report "no script and no test names a host of the Internet" "$(hosts)"

# What a heading is called in a link.
anchors() { sed -n 's/^##* //p' "$1" | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9_\n-'; }
dead_links() {
	local document link path
	for document in $documents; do
		grep -oE '\]\([^)]+' "$document" | cut -c 3- | while read -r link; do
			path=$(dirname "$document")/${link%%#*}
			[ -n "${link%%#*}" ] || path=$document
			[ -e "$path" ] || echo "$document: $link"
			[[ "$link" != *#* ]] || anchors "$path" | grep -qxF -- "${link#*#}" || echo "$document: $link has no such heading"
		done
	done
}
report "links between documents lead somewhere" "$(dead_links)"

# Our own documents and pages that are named without a link.
unknown_files() {
	# shellcheck disable=SC2086 # patterns of files
	grep -noE '\bdocs/[a-z]+\.md\b' $documents $pages | while IFS=: read -r document line name; do
		[ -e "$name" ] || echo "$document:$line: $name"
	done
}
report "documents that are named are there" "$(unknown_files)"

# All that the program can say: the pieces of a message stand side by side in its source.
cat user/*/*.c | tr '\n\t' '  ' | sed 's/" *"//g' | tr -s ' ' >"$scratch/sources"
# docs/trouble.md quotes messages in the table whose first column is "message"; "..." stands for anything.
quoted_messages() {
	awk -F ' \\| ' '/^\| message / { on = 1; next } /^$/ { on = 0 } on && !/^\|-/ { print $1 }' docs/trouble.md |
		grep -oE '`[^`]+`' | tr -d '`' | sed 's/ *\.\.\. */\n/g' | grep .
}
report "docs/trouble.md quotes what the program says" "$(quoted_messages | while read -r piece; do
	grep -qF -- "$piece" "$scratch/sources" || echo "\"$piece\" is said nowhere"
done)"
report "it quotes messages at all" "$([ "$(quoted_messages | wc -l)" -ge 20 ] || quoted_messages)"

# --- installed

installed() {
	local unit=$scratch/to/usr/local/lib/systemd/system/bkxdp@.service file
	local exporter=${unit%@.service}-exporter.service
	make -s install DESTDIR="$scratch/to" >"$scratch/said" 2>&1 || { cat "$scratch/said"; return; }
	for file in sbin/bkxdp libexec/bkxdp/bkxdp-exporter lib/sysusers.d/bkxdp.conf share/man/man8/bkxdp.8 share/man/man8/bkxdp-exporter.8 share/man/man5/bkxdp.yaml.5 \
		share/man/man5/bkxdp-profile.5 share/bash-completion/completions/bkxdp \
		share/bkxdp/profiles/backup-exec.yaml share/bkxdp/monitoring/bkxdp.rules.yml \
		share/bkxdp/monitoring/prometheus.yml share/bkxdp/monitoring/bkxdp-dashboard.json share/doc/bkxdp/README.md \
		share/doc/bkxdp/docs/trouble.md; do
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
