#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
#	build.sh FOLDER PROGRAM
#
# Builds a program of src/ into a folder. If libraries or tools for that are missing, it makes a
# script instead that says so and is skipped, because the build of other selftests must go on; with
# FORCE_TARGETS=1 it fails.

set -u
folder=$1 program=$2
CC=${CC:-cc} CLANG=${CLANG:-clang} PKG_CONFIG=${PKG_CONFIG:-pkg-config}
PATH=$PATH:/usr/sbin:/sbin
BPFTOOL=${BPFTOOL:-$(command -v bpftool)}
libraries=$(${MAKE:-make} -s --no-print-directory -C src packages 2>/dev/null)

# The libraries must also be those of the machine for which the compiler builds.
links() {
	# shellcheck disable=SC2046,SC2086 # one word an option
	echo 'int main(void) { return 0; }' |
		$CC -x c - -o "$folder/$program" $("$PKG_CONFIG" --cflags --libs $libraries) 2>/dev/null
}

# Prints a sentence if it can't be built.
lacking() {
	for tool in "$CLANG" "$PKG_CONFIG"; do
		command -v "$tool" >/dev/null || { echo "there was no $tool"; return; }
	done
	"${BPFTOOL:-false}" version >/dev/null 2>&1 || { echo "there was no bpftool that runs"; return; }
	for library in $libraries; do
		"$PKG_CONFIG" --exists "$library" || { echo "$library was not installed for development"; return; }
	done
	links || echo "$CC could not link with $libraries"
}

reason=$(lacking)
if [ -n "$reason" ]; then
	[ -z "${FORCE_TARGETS:-}" ] || { echo "$program can't be built: $reason" >&2; exit 1; }
	echo "$program will be skipped: $reason" >&2
	cat >"$folder/$program" <<-END
	#!/bin/sh
	echo "TAP version 13"
	echo "1..0 # SKIP not built, because $reason"
	exit 4
	END
	chmod 755 "$folder/$program"
	exit
fi

case $program in bkxdp) path=bkxdp ;; *) path=tests/$program ;; esac
# shellcheck disable=SC2086 # one word an option of make
${MAKE:-make} -C src BUILD="$(realpath "$folder")/build" CC="$CC" CLANG="$CLANG" BPFTOOL="$BPFTOOL" \
	"$(realpath "$folder")/build/$path" && cp "$folder/build/$path" "$folder/$program"
