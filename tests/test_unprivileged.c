// SPDX-License-Identifier: GPL-2.0-only
/* What a process can't do after it gave up its privileges, although it kept CAP_BPF. */
#include "exporter/drop_privileges.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

/* Returns errno, or 0 if it was loaded. */
static int load(uint64_t command)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uintptr_t)nothing,
		.insn_cnt = sizeof(nothing) / sizeof(*nothing),
		.license = (uintptr_t) "GPL",
	};

	return syscall(SYS_bpf, command, &attr, sizeof(attr)) < 0 ? errno : 0;
}

static int make_map(uint64_t command)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = sizeof(uint32_t),
		.max_entries = 1,
	};

	return syscall(SYS_bpf, command, &attr, sizeof(attr)) < 0 ? errno : 0;
}

static bool never(void)
{
	return false;
}

/* Returns the exit status of a process that did it without privileges. */
static int unprivileged(int (*doing)(uint64_t command), uint64_t command)
{
	struct diagnostics diag = {};
	int status = -1;
	pid_t child = fork();

	if (!child)
		_exit(drop_privileges(NULL, never, &diag) ? 255 : doing(command));
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
	int before = load(BPF_PROG_LOAD);

	if (before == EPERM || before == ENOSYS) {
		skip("no program is loaded", "needs the right to load one");
		return tap_done();
	}
	check_int(before, 0, "a program can be loaded before");
	check_int(unprivileged(make_map, BPF_MAP_CREATE), 0, "CAP_BPF is kept, and makes a map");
	check_int(unprivileged(load, BPF_PROG_LOAD), EPERM, "no program is loaded");
	check_int(unprivileged(load, BPF_PROG_LOAD | 1ull << 32), EPERM,
		  "nor with bits that the kernel does not look at");
	return tap_done();
}
