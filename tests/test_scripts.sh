#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The function of the scripts that finds a mirror in apt's sources, in either format.

set -u
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../scripts/lib.sh"

echo "TAP version 13"
command -v apt-get >/dev/null || {
	echo "1..0 # SKIP needs apt-get"
	exit 4
}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
points=0 failures=0

is() { # WHAT GOT WANTED
	points=$((points + 1))
	if [ "$2" = "$3" ]; then echo "ok $points $1"; else
		failures=$((failures + 1))
		printf 'not ok %s\n# got    %s\n# wanted %s\n' "$points $1" "'$2'" "'$3'"
	fi
}

# An apt with sources of its own, which has not read any lists yet.
mkdir -p "$scratch/parts" "$scratch/lists/partial" "$scratch/cache/archives/partial"
cat >"$scratch/apt.conf" <<-END
	Dir::Etc::sourcelist "$scratch/sources.list";
	Dir::Etc::sourceparts "$scratch/parts";
	Dir::State::lists "$scratch/lists";
	Dir::Cache "$scratch/cache";
END
export APT_CONFIG=$scratch/apt.conf
: >"$scratch/sources.list"

is "without sources there is no mirror" "$(mirror_of Debian || echo none)" none
cat >"$scratch/sources.list" <<-END
	# deb http://old.example.com/debian bookworm main
	deb [arch=amd64 trusted=yes] https://one.example.com/pub/debian/ bookworm main
	deb http://one.example.com/debian-security bookworm-security main
END
is "a source in the format of one line" "$(mirror_of Debian)" https://one.example.com/pub/debian
is "the mirror of its security updates" "$(mirror_of Debian-Security)" http://one.example.com/debian-security
is "a distribution that has no source" "$(mirror_of Ubuntu || echo none)" none
: >"$scratch/sources.list"
cat >"$scratch/parts/a.sources" <<-END
	Types: deb
	URIs: http://off.example.com/debian
	Suites: trixie
	Components: main
	Enabled: no

	Types: deb deb-src
	URIs:
	 https://two.example.com/ubuntu
	Suites: noble
	 noble-updates
	Components: main universe
END
is "a source in the format of several lines" "$(mirror_of Ubuntu)" https://two.example.com/ubuntu
is "a source that is disabled in that format" "$(mirror_of Debian || echo none)" none

is "nothing is built for a test that does not exist" \
	"$("$root/scripts/test" nosuch 2>&1)" "test: no test is called: nosuch"
is "the help of the demonstration does not run it" \
	"$("$root/scripts/demo" --help | awk '/^host#/ { ran++ } END { print (NR > 0), ran + 0 }')" "1 0"

echo "1..$points"
[ "$failures" = 0 ]
