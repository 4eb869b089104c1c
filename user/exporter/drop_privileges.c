// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/drop_privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CAP_BPF
#define CAP_BPF 39
#endif

/* All three sets; what is not permitted can't be asked for. 0 or negative errno. */
static int set_capabilities(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = effective, .permitted = permitted},
		{.effective = effective >> 32, .permitted = permitted >> 32},
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/*
 * A BPF program may write to any map that its loader names by a file, even if that file is open for
 * reading only: so none is to be loaded. The kernel takes 32 bits of the command.
 */
static int forbid_programs(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error = -ENOMEM;

	if (filter)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(bpf), 1,
					 SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, BPF_PROG_LOAD));
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

int drop_privileges(const char *user, bool (*works)(void), struct diagnostics *diag)
{
	const struct passwd *entry = user ? getpwnam(user) : NULL;
	uint64_t keep = 1ull << CAP_BPF;
	int error = 0;

	if (user && !entry) {
		diag_at(diag, NULL, "there is no user \"%s\"; --user names another", user);
		return -1;
	}
	/* what is permitted outlives the change of user, until set_capabilities() */
	if (entry && !geteuid() &&
	    (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || initgroups(user, entry->pw_gid) ||
	     setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) ||
	     setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid)))
		error = -errno;
	if (!error && (set_capabilities(0, keep) || works()))
		keep = 0;
	if (!error)
		error = set_capabilities(keep, keep);
	if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		error = -errno;
	if (!error)
		error = forbid_programs();
	if (error)
		diag_at(diag, NULL, "giving up privileges failed: %s", strerror(-error));
	return error ? -1 : 0;
}
