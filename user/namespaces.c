// SPDX-License-Identifier: GPL-2.0-only
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "alloc.h"
#include "netdev.h"

struct namespaces {
	ino_t *seen;
	size_t count;
};

/* A bind mount in /run/netns and any number of processes may be of the same one. */
static bool is_new(struct namespaces *namespaces, ino_t inode)
{
	for (size_t i = 0; i < namespaces->count; i++)
		if (namespaces->seen[i] == inode)
			return false;
	*APPEND(namespaces->seen, namespaces->count) = inode;
	return true;
}

static int any_runs(uint32_t program)
{
	struct if_nameindex *all = if_nameindex();
	int result = all ? 0 : -errno;

	for (size_t i = 0; all && all[i].if_index && !result; i++) {
		struct netdev_programs on;

		result = netdev_programs(all[i].if_index, &on);
		if (!result)
			result = on.driver == program || on.generic == program;
		else if (result == -ENODEV)
			result = 0; /* it went meanwhile */
	}
	if_freenameindex(all);
	return result;
}

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN };

/* In a process of its own: this one must not be left in another namespace. */
static int ask_in(int namespace, uint32_t program)
{
	pid_t child = fork();
	int status, result;

	if (child < 0)
		return -errno;
	if (!child) {
		result = setns(namespace, CLONE_NEWNET) ? -errno : any_runs(program);
		_exit(result < 0 ? ANSWER_UNKNOWN : result ? ANSWER_YES : ANSWER_NO);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status) || WEXITSTATUS(status) >= ANSWER_UNKNOWN)
		return -EIO;
	return WEXITSTATUS(status) == ANSWER_YES;
}

static int look_in(struct namespaces *namespaces, const char *path, uint32_t program)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (fd < 0) /* a process that ended, a name without a namespace */
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	if (fstat(fd, &status))
		return -errno;
	return is_new(namespaces, status.st_ino) ? ask_in(fd, program) : 0;
}

int namespaces_run(uint32_t program)
{
	struct namespaces namespaces = {};
	glob_t paths = {};
	int result = 0, error = glob("/run/netns/*", 0, NULL, &paths);

	if (!error || error == GLOB_NOMATCH)
		error = glob("/proc/[0-9]*/ns/net", GLOB_APPEND, NULL, &paths);
	if (error && error != GLOB_NOMATCH)
		result = -EIO;
	for (size_t i = 0; i < paths.gl_pathc && !result; i++)
		result = look_in(&namespaces, paths.gl_pathv[i], program);
	globfree(&paths);
	free(namespaces.seen);
	return result;
}
