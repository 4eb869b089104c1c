#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests as a target of the kernel's selftests: lib.mk, runner.sh and run_kselftest.sh of the
# distribution's kernels (package linux-source) build, install, pack and run them, and the usual
# parsers read the results: the kernel's kunit.py, tappy, TAP::Parser, and a stricter one here.

set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
readonly nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --)

kselftest() { "$root/scripts/kselftest" "$@"; }

# in_tree TREE ARGUMENT OF MAKE...: as the CI of the network's maintainers calls it
in_tree() { make -C "$1/tools/testing/selftests" TARGETS=bkxdp "${@:2}"; }

# outcome OF RUN: "ok NAME" or "not ok NAME", and what follows, in order, without numbers
outcome() { sed -nE 's/^((not )?ok) [0-9]+ selftests: bkxdp: /\1 /p' "$1"; }

# Prints the output of the programs in a run, without the runner's prefix.
inner() { sed -n 's/^# //p' "$1"; }

# --- parsers of results

# Checks the output of a program line by line, and prints what is wrong. Words by which the
# network's CI takes a test as failed or skipped must not occur in other lines.
strict() { # FILE
	awk '
		function bad(why) { print FILENAME ":" FNR ": " why ": " $0 }
		FNR == 1 { if ($0 != "TAP version 13") bad("no version line"); next }
		/ FAIL:|\[FAIL\]|\[fail\]|\[SKIP\]|SKIP:/ { bad("a word of the CI") }
		/^(not )?ok / {
			number = $1 == "ok" ? $2 : $3
			if (number != ++points) bad("not number " points)
			if ($0 ~ /# SKIP ./) skips++
			else if ($1 == "not") failures++
			if (gsub(/#/, "#") > 0 && !/^[^#]* # SKIP [^#]+$/) bad("a name with #")
			if ($0 !~ /^(not )?ok [0-9]+ [^ ]/ || /^(not )?ok [0-9]+ #/) bad("no name")
			next
		}
		/^1\.\.0 # SKIP ./ { plan = 0; planned = whole = 1; next }
		/^1\.\.[0-9]+$/ { plan = substr($0, 4); planned++; next }
		/^# Totals: / { total = $0; next }
		!/^#/ { bad("neither result nor comment") }
		END {
			if (planned != 1 || plan != points + 0) print FILENAME ": plan " plan ", results " points
			wanted = sprintf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:%d error:0",
				points - failures - skips, failures, skips)
			if (!whole && total != wanted) print FILENAME ": has \"" total "\", not \"" wanted "\""
		}' "$1"
}

kunit() { # FILE: the kernel's own parser
	python3 "$newest/tools/testing/kunit/kunit.py" parse "$1" 2>&1 | sed 's/\x1b\[[0-9;]*m//g'
}

# Each parser's counts of the runner's output: "passed failed skipped"
by_kunit() {
	kunit "$1" | awk '/Testing complete\./ {
		for (i = 1; i < NF; i++) { sub(/,$/, "", $(i + 1)); of[$i] = $(i + 1) }
		print of["passed:"] + 0, of["failed:"] + 0, of["skipped:"] + 0 }'
}

by_tappy() {
	/usr/bin/python3 - "$1" <<-'END' | tail -n 1
	import sys
	from tap.parser import Parser
	results = [line for line in Parser().parse_file(sys.argv[1]) if line.category == "test"]
	skipped = sum(line.skip for line in results)
	failed = sum(not line.ok for line in results)
	print(len(results) - skipped - failed, failed, skipped)
	END
}

by_perl() {
	perl -MTAP::Parser -e '
		my $parser = TAP::Parser->new({tap => do { local $/; <STDIN> }});
		my ($passed, $failed, $skipped) = (0, 0, 0);
		while (my $line = $parser->next) {
			next unless $line->is_test;
			if ($line->has_skip) { $skipped++ } elsif ($line->is_ok) { $passed++ } else { $failed++ }
		}
		die join "; ", $parser->parse_errors if $parser->parse_errors;
		print "$passed $failed $skipped\n"' <"$1" 2>&1
}

# is_read_by_all WHAT FILE PASSED FAILED SKIPPED
is_read_by_all() {
	is "$1: kunit.py counts passed, failed, skipped" "$(by_kunit "$2")" "$3 $4 $5"
	if /usr/bin/python3 -c 'import tap' 2>/dev/null; then
		is "$1: tappy, too" "$(by_tappy "$2")" "$3 $4 $5"
	else
		skip "$1: tappy, too" "python3-tap is not installed"
	fi
	if perl -MTAP::Parser -e 1 2>/dev/null; then
		is "$1: TAP::Parser, too" "$(by_perl "$2")" "$3 $4 $5"
	else
		skip "$1: TAP::Parser, too" "perl's modules are not installed"
	fi
}

# --- what a run leaves

files_of_target() { (cd "$unpacked/bkxdp" && find . | sort); }
left() {
	ls -A /run/netns
	find /sys/fs/bpf -mindepth 1 ! -name '*.debug' # those are the kernel's own
	# All processes of this world belong to this test, or to those that it runs.
	# shellcheck disable=SC2009 # pgrep can't leave out
	ps -eo args= | grep -vE 'e2e_kselftest|^(ps|grep) '
	files_of_target | diff "$WORK/files" -
}
nothing_left() { [ -z "$(left)" ]; }

# --- the target in a tree

builds() { # TREE
	local text
	check "$name: builds" in_tree "$1" FORCE_TARGETS=1
	text=$(in_tree "$1" 2>&1)
	is "$name: nothing is made twice" "$(grep -E '^ +[A-Z]+ |will be skipped' <<<"$text")" ''
}

packs() { # TREE...: gen_tar, with the programs in the source tree, or elsewhere
	local tarball=$WORK/install/kselftest-packages/kselftest.tar.gz
	check "$name: gen_tar${2:+ with $2}" in_tree "$1" FORCE_TARGETS=1 \
		KSFT_INSTALL_PATH="$WORK/install" "${@:2}" gen_tar
	rm -rf "${unpacked:?}"/*
	check "$name: is an archive" tar -C "$unpacked" -xf "$tarball"
	is "$name: all that is listed is there and can be run" "$(sed 's/.*://' "$unpacked/kselftest-list.txt" |
		while read -r file; do [ -x "$unpacked/bkxdp/$file" ] || echo "$file"; done)" ''
	is "$name: the list is that of the Makefile" "$(sed 's/.*://' "$unpacked/kselftest-list.txt" | sort)" "$(
		sed -nE '/^TEST_(GEN_)?PROGS/,/^# end/s/^\t(.*) \\$/\1/p' "$root/tests/kselftest/Makefile" | sort)"
	rm -rf "$WORK/install"
	files_of_target >"$WORK/files"
}

runs_one() { # TREE: a program of each kind, as the network's CI asks for one
	local program
	for program in e2e_mtu.sh test_sockets; do
		in_tree "$1" TEST_PROGS=$program TEST_GEN_PROGS='' run_tests 2>&1 | cat >"$WORK/out"
		is "$name: run_tests of $program" "$(outcome "$WORK/out")" "ok $program"
	done
}

# run FILE ARGUMENT...: runs the unpacked run_kselftest.sh. Its output goes through a pipe,
# because the runner opens its output anew: in a file it would overwrite the lines of its shell.
run() { (cd "$unpacked" && ./run_kselftest.sh "${@:2}") 2>&1 | cat >"$1"; }

# --- all programs

# Divides the output of a run into a file for each program: inner.NAME.
divide() { # FILE
	inner "$1" | awk -v to="$WORK/inner." '
		/^selftests: bkxdp: / { file = to $3; printf "" >file; next }
		file && !/^timeout set to/ { print >file }'
}

# Runs all programs, the last first, and meanwhile the quick ones by themselves: two runs at the
# same time must not disturb each other.
all_of_them() {
	local program status
	cp "$unpacked/kselftest-list.txt" "$WORK/whole"
	tac "$WORK/whole" >"$WORK/list" && cp "$WORK/list" "$unpacked/kselftest-list.txt"
	run "$WORK/all" -c bkxdp &
	for program in $quick; do
		(cd "$unpacked/bkxdp" && exec "./$program") >"$WORK/alone.$program" 2>"$WORK/errors.$program"
		echo "$program $?"
	done >"$WORK/alone"
	wait $!
	cp "$WORK/whole" "$unpacked/kselftest-list.txt"
	is "run_kselftest.sh: all programs, and none fails" "$(outcome "$WORK/all")" \
		"$(sed 's/.*:/ok /' "$WORK/list")" || diag "$(inner "$WORK/all" | grep -A 5 '^not ok')"
	divide "$WORK/all"
	while IFS=: read -r _ program; do
		is "$program: what it says is in order" "$(strict "$WORK/inner.$program")" ''
	done <"$WORK/list"
	while read -r program status; do
		is "$program: again, alone" "$status" 0 || diag "$(grep -A 5 '^not ok' "$WORK/alone.$program")"
		is "$program: what it says is in order again" "$(strict "$WORK/alone.$program")" ''
		is "$program: says nothing else" "$(cat "$WORK/errors.$program")" ''
	done <"$WORK/alone"
	is_read_by_all "run_kselftest.sh" "$WORK/all" "$(wc -l <"$WORK/list")" 0 0
	is "nothing is left of all that" "$(left)" ''
}
quick='test_sockets e2e_flood.sh e2e_mtu.sh test_mutated test_packets e2e_attach.sh e2e_scale.sh'

# --- failures and skips must be seen

breaks() {
	sed -i 's/^check "leaves nothing" .*/check "leaves nothing" false/' "$unpacked/bkxdp/e2e_mtu.sh"
	run "$WORK/broken" -t bkxdp:e2e_mtu.sh
	is "a broken check of a script fails" "$(outcome "$WORK/broken")" "not ok e2e_mtu.sh # exit=1"
	inner "$WORK/broken" | sed -n '/^TAP version/,$p' >"$WORK/inner"
	is "and is the one that fails" "$(grep '^not ok' "$WORK/inner" | sed 's/[0-9]\+ //')" "not ok leaves nothing"
	is_read_by_all "a failure" "$WORK/broken" 0 1 0

	sed -i '0,/"flow"/s//"port"/' "$newest/tools/testing/selftests/bkxdp/src/tests/test_sockets.c"
	in_tree "$newest" >"$WORK/out" 2>&1
	in_tree "$newest" TEST_PROGS=test_sockets TEST_GEN_PROGS='' run_tests 2>&1 | cat >"$WORK/out"
	is "a broken check of a program fails" "$(outcome "$WORK/out")" "not ok test_sockets # exit=1"
}

# As the user nobody, in a folder that this user can reach; the pipe must belong to nobody, too.
skips_without_root() {
	cp -r "$unpacked" "$WORK/open" && chmod -R a+rX "$WORK/open" # what install makes is root's
	"${nobody[@]}" sh -c "cd $WORK/open && ./run_kselftest.sh -c bkxdp 2>&1 | cat" >"$WORK/out"
	rm -r "$WORK/open"
	is "without root: nothing fails" "$(outcome "$WORK/out" | grep -c '^ok')" \
		"$(wc -l <"$unpacked/kselftest-list.txt")"
	is "without root: every script is skipped" "$(outcome "$WORK/out" | grep -c 'e2e.* # SKIP')" \
		"$(grep -c e2e "$unpacked/kselftest-list.txt")"
	is "without root: they say why" "$(inner "$WORK/out" | grep -c '^1\.\.0 # SKIP needs root$')" \
		"$(grep -c e2e "$unpacked/kselftest-list.txt")"
}

# A kernel without BPF has no such directory.
skips_without_bpf() {
	unshare --mount sh -c "mount -t tmpfs tmpfs /sys/fs && cd $unpacked &&
		./run_kselftest.sh -t bkxdp:e2e_reload.sh" 2>&1 | cat >"$WORK/out"
	is "without BPF: is skipped" "$(outcome "$WORK/out")" "ok e2e_reload.sh # SKIP"
	says "without BPF: says why" "$(cat "$WORK/out")" '1\.\.0 # SKIP needs a kernel with BPF'
	is_read_by_all "a skip" "$WORK/out" 0 0 1
}

# A machine that builds kernels need not have our libraries.
skips_without_libraries() {
	PKG_CONFIG_LIBDIR=/nonexistent in_tree "$newest" O="$WORK/bare" KSFT_INSTALL_PATH="$WORK/install" \
		install >"$WORK/out" 2>&1
	is "without libraries: the build goes on" $? 0 || diag "$(tail -n 5 "$WORK/out")"
	(cd "$WORK/install" && ./run_kselftest.sh -c bkxdp) 2>&1 | cat >"$WORK/out"
	is "without libraries: all is skipped" "$(outcome "$WORK/out" | grep -v '^ok .* # SKIP$')" ''
	is "without libraries: and says why" \
		"$(inner "$WORK/out" | grep -c '^1\.\.0 # SKIP not built, because libbpf was not installed')" \
		"$(wc -l <"$WORK/install/kselftest-list.txt")"
	rm -rf "$WORK/bare" "$WORK/install"
}

has_begun() { grep -q '^ok 3 ' "$WORK/killed"; }

leaves_nothing_when_killed() { # PROGRAM SIGNAL
	(cd "$unpacked/bkxdp" && exec "./$1") >"$WORK/killed" 2>&1 &
	busywait 60 has_begun || not_ok "$1 begins"
	kill "-$2" $!
	wait $! 2>/dev/null
	check "$1: nothing is left after SIG$2" busywait 10 nothing_left || diag "$(left)"
}

stops_in_time() {
	cp "$unpacked/bkxdp/settings" "$WORK/settings" && echo timeout=2 >"$unpacked/bkxdp/settings"
	run "$WORK/out" -t bkxdp:e2e_reload.sh
	cp "$WORK/settings" "$unpacked/bkxdp/settings"
	is "what takes too long is stopped" "$(outcome "$WORK/out")" "not ok e2e_reload.sh # TIMEOUT 2 seconds"
	check "and leaves nothing" busywait 10 nothing_left || diag "$(left)"
}

# Run by bash: in a shell that does not know &>, the runner deletes the namespace too early.
in_a_namespace_of_the_runner() {
	(cd "$unpacked" && ./run_kselftest.sh --help) 2>&1 | grep -q -e --netns ||
		{ skip "run_kselftest.sh --netns" "this kernel's runner has no such option"; return; }
	(cd "$unpacked" && bash ./run_kselftest.sh -n -t bkxdp:e2e_mtu.sh) 2>&1 | cat >"$WORK/out"
	is "run_kselftest.sh --netns" "$(outcome "$WORK/out")" "ok e2e_mtu.sh" || diag "$(cat "$WORK/out")"
}

# Debian has the tarballs in /usr/src, Ubuntu has them one below.
sources() {
	shopt -s nullglob
	printf '%s\n' ${KSRC:+"$KSRC"} /usr/src/linux-source-*.tar.* /usr/src/linux-source-*/linux-source-*.tar.* |
		grep . | sort -uV
}

mapfile -t sources < <(sources)
[ ${#sources[@]} -gt 0 ] || skip_all "needs a kernel's selftests: apt-get install linux-source, or say KSRC=..."
needs perl rsync tar xz make
# Each program has a /run of its own, so the files that it needs must be elsewhere.
readonly unpacked=$root/build/kselftest/unpacked
rm -rf "$unpacked" && mkdir -p "$unpacked" || bail "there is no room for $unpacked"
trap 'rm -rf "$unpacked"' EXIT

for source in "${sources[@]}"; do
	name=$(basename "$source")
	newest=$(kselftest copy "$source") || { not_ok "$name: copy"; continue; }
	newest=${newest%/tools/*}
	builds "$newest"
	packs "$newest"
	runs_one "$newest"
done
in_a_namespace_of_the_runner
all_of_them
leaves_nothing_when_killed e2e_reload.sh KILL
leaves_nothing_when_killed e2e_connections.sh TERM
stops_in_time
skips_without_root
skips_without_bpf
skips_without_libraries
packs "$newest" O="$WORK/objects"
packs "$newest" O=objects
rm -rf "$newest/objects"
check "clean" in_tree "$newest" clean
breaks
finish
