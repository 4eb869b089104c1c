# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completion for bkxdp. Commands and options are asked of the program's own
# --help, interfaces of the kernel, profiles of the program: no list to keep.

_bkxdp_ask() {
	"${COMP_WORDS[0]/#\~/$HOME}" "$@" 2>/dev/null
}

_bkxdp_commands() {
	_bkxdp_ask --help | awk '/^Commands:/ { on = 1; next } on && !NF { exit } on { print $1 }'
}

_bkxdp_options() { # COMMAND
	_bkxdp_ask "$1" --help | awk '/^Options:/ { on = 1; next } on && /^  --/ { print $1 }'
}

_bkxdp_global_options() {
	_bkxdp_ask --help | awk '/^Global options/ { on = 1; next } on && /^  --/ { print $1 }'
}

# Prints the first word that is a command; options of all commands may stand before it.
_bkxdp_command() {
	local i commands
	commands=" $(_bkxdp_commands | xargs) "
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ "$commands" != *" ${COMP_WORDS[i]} "* ]] || { echo "${COMP_WORDS[i]}" && return; }
	done
}

_bkxdp_interfaces() {
	local path
	for path in /sys/class/net/*; do echo "${path##*/}"; done
}

_bkxdp_filtered() {
	local path
	for path in /sys/fs/bpf/bkxdp/*/; do
		path=${path%/}
		[ ! -d "$path" ] || [ "${path##*/}" = %lock ] || echo "${path##*/}"
	done
}

# A --profiles that is already on the line counts here, too.
_bkxdp_profiles() { # [NAME]
	local i dirs=()
	for ((i = 2; i < COMP_CWORD - 1; i++)); do
		[ "${COMP_WORDS[i]}" != --profiles ] || dirs+=(--profiles "${COMP_WORDS[i + 1]}")
	done
	_bkxdp_ask profiles "$@" "${dirs[@]}"
}

_bkxdp_profile_names() {
	_bkxdp_profiles | awk '{ print $1 }'
}

_bkxdp_roles() { # PROFILE
	_bkxdp_profiles "$1" | awk '/^Notes$|^Sources$/ { exit } /^  [a-z0-9-]+( |$)/ { print $1 }'
}

_bkxdp_reasons() {
	_bkxdp_ask monitor --help | sed -n 's/^REASON: //p'
}

_bkxdp_choose() { # WORDS: offers those that begin like the word under the cursor
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_bkxdp_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_bkxdp_value() { # OPTION WORD: fails if that option takes no value
	case $1 in
	--config | --output | --write | --web.config.file) _bkxdp_files "$2" ;;
	--profiles | --bpffs)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$2")
		;;
	--use)
		compopt -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -W "$(_bkxdp_profile_names)" -S : -- "$2")
		;;
	--engine) _bkxdp_choose "kernel user" "$2" ;;
	--reason) _bkxdp_choose "$(_bkxdp_reasons)" "$2" ;;
	--connections) _bkxdp_choose "flags sockets" "$2" ;;
	--user) mapfile -t COMPREPLY < <(compgen -u -- "$2") ;;
	--web.listen-address) _bkxdp_choose "127.0.0.1:10471 [::1]:10471 :10471" "$2" ;;
	--sort) _bkxdp_choose "bits packets name" "$2" ;;
	--limit | --interval | --address | --port | --enable | --web.telemetry-path) COMPREPLY=() ;;
	*) return 1 ;;
	esac
}

_bkxdp_operand() { # COMMAND WORD
	case $1 in
	attach) _bkxdp_choose "$(_bkxdp_interfaces)" "$2" ;;
	detach | reload | status | monitor | top) _bkxdp_choose "$(_bkxdp_filtered)" "$2" ;;
	explain)
		_bkxdp_files "$2"
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$(_bkxdp_filtered)" -- "$2")
		;;
	profiles) _bkxdp_choose "$(_bkxdp_profile_names)" "$2" ;;
	check | replay) _bkxdp_files "$2" ;;
	esac
}

_bkxdp() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command owner=''
	command=$(_bkxdp_command)
	COMPREPLY=()
	if [ -z "$command" ]; then
		_bkxdp_value "$before" "$word" ||
			_bkxdp_choose "$(_bkxdp_commands) $(_bkxdp_global_options) --help --version" "$word"
		return
	fi
	# bash splits PROFILE:ROLE into three words
	if [ "$word" = : ]; then
		owner=$before word=''
	elif [ "$before" = : ]; then
		owner=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [ -n "$owner" ]; then
		_bkxdp_choose "$(_bkxdp_roles "$owner")" "$word"
	elif _bkxdp_value "$before" "$word"; then
		return
	elif [[ "$word" == -* ]]; then
		_bkxdp_choose "$(_bkxdp_options "$command") $(_bkxdp_global_options)" "$word"
	else
		_bkxdp_operand "$command" "$word"
	fi
}

complete -F _bkxdp bkxdp
