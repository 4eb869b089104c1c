// SPDX-License-Identifier: GPL-2.0-only
#include "net/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "net/netdev.h"

struct namespaces {
	ino_t *seen;
	size_t count;
	uint32_t program;
	int result; /* 1: it runs in one; else the first error */
};

static bool peer_cache_holds(const struct namespaces *namespaces, ino_t inode)
{
	for (size_t i = 0; i < namespaces->count; i++)
		if (namespaces->seen[i] == inode)
			return true;
	return false;
}

/* A bind mount in /run/netns and any number of processes may be of the same one. */
static bool is_new(struct namespaces *namespaces, ino_t inode)
{
	if (peer_cache_holds(namespaces, inode))
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

/* How the kernel names one: as what a link of /proc leads to, as what is mounted. */
#define NAMESPACE_WORD "net:["

/* What can't be looked into, and not for want of it. */
static bool is_denied(int error)
{
	return error == -EACCES || error == -EPERM;
}

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_DENIED, ANSWER_UNKNOWN };

static enum answer answer_in(int namespace, uint32_t program)
{
	int result = setns(namespace, CLONE_NEWNET) ? -errno : any_runs(program);

	if (result < 0)
		return is_denied(result) ? ANSWER_DENIED : ANSWER_UNKNOWN;
	return result ? ANSWER_YES : ANSWER_NO;
}

/* In a process of its own: this one must not be left in another namespace. */
static int ask_in(int namespace, uint32_t program)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (!child)
		_exit((int)answer_in(namespace, program));
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status) || WEXITSTATUS(status) >= ANSWER_UNKNOWN)
		return -EIO;
	if (WEXITSTATUS(status) == ANSWER_DENIED)
		return -EPERM;
	return WEXITSTATUS(status) == ANSWER_YES;
}

static int look_in(struct namespaces *namespaces, const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct statfs fs;
	struct stat status;

	if (fd < 0) /* a process that ended */
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	if (fstat(fd, &status) || fstatfs(fd, &fs))
		return -errno;
	if (fs.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return 0; /* a name without a namespace, a namespace of another kind */
	return is_new(namespaces, status.st_ino) ? ask_in(fd, namespaces->program) : 0;
}

/* A yes ends it; what could not be looked into does not, for the next may be the one. */
static void look(struct namespaces *namespaces, const char *path)
{
	int result = look_in(namespaces, path);

	if (result > 0 || (result && !namespaces->result))
		namespaces->result = result;
}

static void look_at_all(struct namespaces *namespaces, const char *pattern)
{
	glob_t paths = {};
	int error = glob(pattern, GLOB_NOSORT, NULL, &paths);

	if (error && error != GLOB_NOMATCH)
		namespaces->result = -EIO;
	for (size_t i = 0; i < paths.gl_pathc && namespaces->result <= 0; i++)
		look(namespaces, paths.gl_pathv[i]);
	globfree(&paths);
}

static bool is_seen(const struct namespaces *namespaces, const char *word)
{
	unsigned long inode;

	/* or no network namespace at all */
	return sscanf(word, NAMESPACE_WORD "%lu]", &inode) != 1 ||
	       peer_cache_holds(namespaces, inode);
}

/*
 * Is it another namespace? Asked without opening it, and without asking a file server.
 * Not by what the link says: of one that was opened by its name that is a path.
 */
static bool is_unseen_namespace(const struct namespaces *namespaces, const char *file)
{
	struct statx own, status;

	if (statx(AT_FDCWD, "/proc/self/ns/net", 0, STATX_INO, &own) ||
	    statx(AT_FDCWD, file, AT_STATX_DONT_SYNC, STATX_INO, &status))
		return false;
	return status.stx_dev_major == own.stx_dev_major &&
	       status.stx_dev_minor == own.stx_dev_minor &&
	       !peer_cache_holds(namespaces, status.stx_ino);
}

/* Files that a process holds open. */
static void look_at_files(struct namespaces *namespaces)
{
	glob_t paths = {};
	int error = glob("/proc/[0-9]*/fd/*", GLOB_NOSORT, NULL, &paths);

	if (error && error != GLOB_NOMATCH)
		namespaces->result = -EIO;
	for (size_t i = 0; i < paths.gl_pathc && namespaces->result <= 0; i++)
		if (is_unseen_namespace(namespaces, paths.gl_pathv[i]))
			look(namespaces, paths.gl_pathv[i]);
	globfree(&paths);
}

/* A space and its like are octal there. */
static void unescape(char *text)
{
	char *to = text;
	unsigned int byte;

	for (; *text; text++) {
		if (*text == '\\' && sscanf(text + 1, "%3o", &byte) == 1) {
			*to++ = (char)byte;
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* As the process sees its mounts: the path is below its root. */
static void look_at_mount(struct namespaces *namespaces, const char *process, const char *line)
{
	AUTO_FREE char *root = NULL, *where = NULL;

	if (sscanf(line, "%*d %*d %*s %ms %ms", &root, &where) != 2 || is_seen(namespaces, root))
		return;
	unescape(where);
	AUTO_FREE char *path = must_format("%s/root%s", process, where);

	look(namespaces, path);
	if (!namespaces->result && !is_seen(namespaces, root))
		namespaces->result = -EPERM; /* another mount lies over it */
}

static void look_at_mounts(struct namespaces *namespaces, const char *process)
{
	AUTO_FREE char *path = must_format("%s/mountinfo", process), *line = NULL;
	AUTO_FCLOSE FILE *mounts = fopen(path, "re");
	size_t room = 0;

	if (!mounts && errno != ENOENT && errno != ESRCH && !namespaces->result)
		namespaces->result = -errno;
	while (mounts && namespaces->result <= 0 && getline(&line, &room, mounts) > 0)
		if (strstr(line, " " NAMESPACE_WORD))
			look_at_mount(namespaces, process, line);
}

static void look_at_all_mounts(struct namespaces *namespaces)
{
	glob_t paths = {};
	int error = glob("/proc/[0-9]*", GLOB_NOSORT, NULL, &paths);

	if (error)
		namespaces->result = -EIO;
	for (size_t i = 0; i < paths.gl_pathc && namespaces->result <= 0; i++)
		look_at_mounts(namespaces, paths.gl_pathv[i]);
	globfree(&paths);
}

/* PROC_PID_INIT_INO: the machine's own, from which all processes are seen. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCU

static bool sees_all_processes(void)
{
	struct stat status;

	return !stat("/proc/self/ns/pid", &status) && status.st_ino == FIRST_PID_NAMESPACE &&
	       !access("/proc/1", F_OK);
}

int namespaces_run(uint32_t program)
{
	struct namespaces namespaces = {.program = program};

	(void)is_new(&namespaces, netdev_namespace());
	namespaces.result = any_runs(program);
	if (namespaces.result <= 0)
		look_at_all(&namespaces, "/run/netns/*");
	if (namespaces.result <= 0)
		look_at_all(&namespaces, "/proc/[0-9]*/task/[0-9]*/ns/net");
	if (namespaces.result <= 0)
		look_at_all_mounts(&namespaces);
	if (namespaces.result <= 0)
		look_at_files(&namespaces);
	free(namespaces.seen);
	if (!namespaces.result && !sees_all_processes())
		return -EXDEV;
	return is_denied(namespaces.result) ? -EXDEV : namespaces.result;
}
