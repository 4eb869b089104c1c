# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # scripts/vmtest sets what is not set here
# For scripts/vmtest: fetches kernels. Each gets a folder below $cache with the file `kernel`,
# the modules in `lib/modules`, and the kernel's version in `release`.

readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg
readonly suites='bullseye bullseye-security bookworm bookworm-security trixie trixie-security
	trixie-backports sid'

# apt with lists of its own, so that those of this machine are not touched. It checks what it fetches.
own_apt() { # COMMAND ARGUMENT...
	"$1" -q -o Dir::Etc::sourcelist="$cache/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$cache/apt/lists" -o Dir::Cache="$cache/apt/cache" \
		-o APT::Sandbox::User=root -o APT::Architecture=amd64 -o APT::Architectures=amd64 \
		-o Acquire::Retries=3 "${@:2}"
}

# The mirror that debootstrap would take.
default_mirror() { sed -n 's/^DEF_MIRROR="\(.*\)"$/\1/p' "$(command -v debootstrap)"; }

# Security updates come from the mirror from which this machine takes its own, if there is one.
sources() {
	local suite site debian security
	debian=$(mirror_of Debian || default_mirror)
	security=$(mirror_of Debian-Security)
	for suite in $suites; do
		site=$debian
		[[ $suite != *-security ]] || site=$security
		[ -z "$site" ] || echo "deb [signed-by=$keyring] $site $suite main"
	done
}

# Reads the lists once an hour, or when the suites have changed.
update_lists() {
	mkdir -p "$cache/apt/lists/partial" "$cache/apt/cache/archives/partial" || return
	sources >"$cache/apt/sources.new"
	if [ -n "$(find "$cache/apt/updated" -mmin -60 2>/dev/null)" ] &&
		cmp -s "$cache/apt/sources.new" "$cache/apt/sources.list"; then
		return
	fi
	mv "$cache/apt/sources.new" "$cache/apt/sources.list"
	own_apt apt-get update >"$cache/apt/log" 2>&1 && touch "$cache/apt/updated"
}

# Prints the packages of the newest cloud kernel of a version, or of all; from 7 on there are two.
debian_packages() { # VERSION|newest
	local version=${1//./\\.} release
	[ "$1" != newest ] || version='[0-9]+\.[0-9]+'
	release=$(own_apt apt-cache pkgnames linux- |
		sed -nE "s/^linux-(image|binary)-($version\.[0-9].*-cloud-amd64)$/\2/p" | sort -V | tail -n 1)
	[ -n "$release" ] || return
	if own_apt apt-cache show "linux-binary-$release" >/dev/null 2>&1; then
		echo "linux-binary-$release linux-modules-$release"
	else
		echo "linux-image-$release"
	fi
}

packages_of() { # KERNEL
	case $1 in
	uml) echo user-mode-linux/bookworm ;;
	running) debian_image_of "$(uname -r)" ;;
	*) debian_packages "$1" ;;
	esac
}

debian_image_of() { # RELEASE
	own_apt apt-cache show "linux-image-$1" >/dev/null 2>&1 && echo "linux-image-$1"
}

# Moves the kernel and lib/modules to their places from where the packages have them.
arrange() { # FOLDER
	local kernel modules
	kernel=$(find "$1/root" \( -name 'vmlinuz*' -o -name linux.uml \) -type f -print -quit)
	modules=$(find "$1/root" -path '*/modules/*' -name kernel -type d -printf '%h\n' -quit)
	[ -n "$kernel" ] && [ -n "$modules" ] || return
	mkdir -p "$1/lib/modules" && mv "$kernel" "$1/kernel" && mv "$modules" "$1/lib/modules/" || return
	basename "$modules" >"$1/release"
	rm -rf "$1/root"
	depmod -b "$1" "$(cat "$1/release")" 2>/dev/null
}

download() { # FOLDER PACKAGE...
	local package
	(cd "$1" && own_apt apt-get download "${@:2}") >"$cache/apt/log" 2>&1 || {
		echo "apt can't fetch ${*:2}: $(tail -n 1 "$cache/apt/log")"
		return 1
	}
	for package in "$1"/*.deb; do
		dpkg-deb -x "$package" "$1/root" || return
	done
	rm -f "$1"/*.deb
	arrange "$1" || { echo "${*:2} hold no kernel with modules"; return 1; }
}

# Prints why, if that fails.
fetch() { # KERNEL
	local packages new=$cache/new.$$ status
	[ ! -e "$cache/$1/release" ] || [ -n "$update" ] || return 0
	update_lists || {
		echo "apt finds no lists of packages: $(tail -n 1 "$cache/apt/log")"
		return 1
	}
	packages=$(packages_of "$1")
	[ -n "$packages" ] || { echo "Debian has no package of this kernel"; return 1; }
	[ ! -e "$cache/$1/release" ] || [ "$(cat "$cache/$1/packages")" != "$packages" ] || return 0
	rm -rf "$new" && mkdir -p "$new/root" || return
	# shellcheck disable=SC2086 # words
	download "$new" $packages
	status=$?
	[ "$status" = 0 ] && echo "$packages" >"$new/packages" && rm -rf "${cache:?}/$1" &&
		mv "$new" "$cache/$1"
	rm -rf "$new"
	return "$status"
}

# The kernel of this machine, if its files are here or Debian has them.
find_running() {
	local release file
	release=$(uname -r)
	for file in "/boot/vmlinuz-$release" "/usr/lib/modules/$release/vmlinuz"; do
		[ -r "$file" ] && [ -e "/lib/modules/$release/modules.dep" ] || continue
		kernel=$file modules=/ version=$release
		return
	done
	fetch running >/dev/null && take_cached running && return
	echo "the files of $release are neither in /boot nor in Debian; scripts/test runs on it"
	return 1
}

take_cached() { # KERNEL
	kernel=$cache/$1/kernel modules=$cache/$1 version=$(cat "$cache/$1/release")
}

# Sets `kernel`, `modules` and `version`, or prints why not. FILE:FOLDER is a kernel of your own.
find_kernel() { # KERNEL
	case $1 in
	running) find_running ;;
	*) fetch "$1" && take_cached "$1" ;;
	esac
}
