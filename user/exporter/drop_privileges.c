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

bool unprivileged_user_exists(const char *user)
{
	return getpwnam(user);
}

static int refuse(struct diagnostics *diag, const char *what, const char *why)
{
	diag_at(diag, NULL, "giving up privileges failed: %s: %s", what, why);
	return -1;
}

/* All three sets; what is not permitted can't be asked for. */
static int set_capabilities(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = effective, .permitted = permitted},
		{.effective = effective >> 32, .permitted = permitted >> 32},
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static uint64_t permitted_now(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &header, data))
		return 0;
	return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

static int become(const char *user, struct diagnostics *diag)
{
	const struct passwd *entry = getpwnam(user);

	if (!entry) {
		diag_at(diag, NULL, "there is no user \"%s\"; --user names another", user);
		return -1;
	}
	/* keeps what is permitted over the change of user, until set_capabilities() */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return refuse(diag, "PR_SET_KEEPCAPS", strerror(errno));
	if (initgroups(user, entry->pw_gid) ||
	    setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) ||
	    setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid))
		return refuse(diag, user, strerror(errno));
	return 0;
}

/*
 * No program is to be loaded: the kernel lets one write to a map whoever names
 * it by a file that is open for reading only. Of the command it takes 32 bits.
 */
static int forbid_programs(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error;

	if (!filter)
		return -ENOMEM;
	error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(bpf), 1,
				 SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, BPF_PROG_LOAD));
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

int unprivileged_become(const char *user, bool (*works)(void), struct diagnostics *diag)
{
	uint64_t keep = permitted_now() & (1ull << CAP_BPF);
	int error;

	if (user && !geteuid() && become(user, diag))
		return -1;
	error = set_capabilities(0, keep);
	if (!error)
		error = works() ? set_capabilities(0, 0) : set_capabilities(keep, keep);
	if (error)
		return refuse(diag, "capabilities", strerror(-error));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return refuse(diag, "PR_SET_NO_NEW_PRIVS", strerror(errno));
	error = forbid_programs();
	return error ? refuse(diag, "seccomp", strerror(-error)) : 0;
}
