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
	ino_t *visited;
	size_t count;
	uint32_t program;
	int result; /* 1 if the program runs in one of them, else the first error, or 0 */
};

static bool is_visited(const struct namespaces *namespaces, ino_t inode)
{
	for (size_t i = 0; i < namespaces->count; i++)
		if (namespaces->visited[i] == inode)
			return true;
	return false;
}

/*
 * Marks the namespace as visited; returns false if it already was. A mount in /run/netns and
 * any number of processes may have the same one.
 */
static bool mark_visited(struct namespaces *namespaces, ino_t inode)
{
	if (is_visited(namespaces, inode))
		return false;
	*APPEND(namespaces->visited, namespaces->count) = inode;
	return true;
}

static int any_interface_runs(uint32_t program)
{
	struct if_nameindex *interfaces = if_nameindex();
	int result = interfaces ? 0 : -errno;

	for (size_t i = 0; interfaces && interfaces[i].if_index && !result; i++) {
		struct netdev_programs programs;

		result = netdev_programs(interfaces[i].if_index, &programs);
		if (!result)
			result = programs.driver == program || programs.generic == program;
		else if (result == -ENODEV)
			result = 0; /* the interface was removed meanwhile */
	}
	if_freenameindex(interfaces);
	return result;
}

/*
 * The kernel's name of a namespace begins with this, both in links below /proc and in lists of
 * mounts.
 */
#define NAMESPACE_PREFIX "net:["

/* Does the error mean that there is a namespace, but that this process may not enter it? */
static bool is_access_denied(int error)
{
	return error == -EACCES || error == -EPERM;
}

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_DENIED, ANSWER_UNKNOWN };

static enum answer answer_of(int namespace, uint32_t program)
{
	int result = setns(namespace, CLONE_NEWNET) ? -errno : any_interface_runs(program);

	if (result < 0)
		return is_access_denied(result) ? ANSWER_DENIED : ANSWER_UNKNOWN;
	return result ? ANSWER_YES : ANSWER_NO;
}

/* Enters the namespace in a child, so that this process never stays in another namespace. */
static int check_in_child(int namespace, uint32_t program)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (!child)
		_exit((int)answer_of(namespace, program));
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status) || WEXITSTATUS(status) >= ANSWER_UNKNOWN)
		return -EIO;
	if (WEXITSTATUS(status) == ANSWER_DENIED)
		return -EPERM;
	return WEXITSTATUS(status) == ANSWER_YES;
}

static int check_namespace(struct namespaces *namespaces, const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct statfs fs;
	struct stat status;

	if (fd < 0) /* the process has ended */
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	if (fstat(fd, &status) || fstatfs(fd, &fs))
		return -errno;
	if (fs.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return 0; /* not a namespace, or one of another kind */
	return mark_visited(namespaces, status.st_ino) ? check_in_child(fd, namespaces->program)
						       : 0;
}

/*
 * Checks one path. Keeps the first error, but goes on, because the program may run in the next
 * namespace.
 */
static void check_path(struct namespaces *namespaces, const char *path)
{
	int result = check_namespace(namespaces, path);

	if (result > 0 || (result && !namespaces->result))
		namespaces->result = result;
}

static void check_paths(struct namespaces *namespaces, const char *pattern)
{
	glob_t paths = {};
	int error = glob(pattern, GLOB_NOSORT, NULL, &paths);

	if (error && error != GLOB_NOMATCH)
		namespaces->result = -EIO;
	for (size_t i = 0; i < paths.gl_pathc && namespaces->result <= 0; i++)
		check_path(namespaces, paths.gl_pathv[i]);
	globfree(&paths);
}

static bool is_mount_visited(const struct namespaces *namespaces, const char *word)
{
	unsigned long inode;

	/* true also if it is no network namespace at all */
	return sscanf(word, NAMESPACE_PREFIX "%lu]", &inode) != 1 || is_visited(namespaces, inode);
}

/*
 * Is the file another network namespace that was not visited yet? This neither opens the file
 * nor asks a file server. The link's text does not tell, because it is a path if the namespace
 * was opened by its name.
 */
static bool is_new_namespace(const struct namespaces *namespaces, const char *file)
{
	struct statx own, status;

	if (statx(AT_FDCWD, "/proc/self/ns/net", 0, STATX_INO, &own) ||
	    statx(AT_FDCWD, file, AT_STATX_DONT_SYNC, STATX_INO, &status))
		return false;
	return status.stx_dev_major == own.stx_dev_major &&
	       status.stx_dev_minor == own.stx_dev_minor && !is_visited(namespaces, status.stx_ino);
}

/* Namespaces that a process holds open as files. */
static void check_open_files(struct namespaces *namespaces)
{
	glob_t paths = {};
	int error = glob("/proc/[0-9]*/fd/*", GLOB_NOSORT, NULL, &paths);

	if (error && error != GLOB_NOMATCH)
		namespaces->result = -EIO;
	for (size_t i = 0; i < paths.gl_pathc && namespaces->result <= 0; i++)
		if (is_new_namespace(namespaces, paths.gl_pathv[i]))
			check_path(namespaces, paths.gl_pathv[i]);
	globfree(&paths);
}

/* In /proc/PID/mountinfo, spaces and the like are octal escapes. */
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

/* The path of the mount is relative to the root directory of the process. */
static void check_mount(struct namespaces *namespaces, const char *process, const char *line)
{
	AUTO_FREE char *root = NULL, *mount_point = NULL;

	if (sscanf(line, "%*d %*d %*s %ms %ms", &root, &mount_point) != 2 ||
	    is_mount_visited(namespaces, root))
		return;
	unescape(mount_point);
	AUTO_FREE char *path = must_format("%s/root%s", process, mount_point);

	check_path(namespaces, path);
	if (!namespaces->result && !is_mount_visited(namespaces, root))
		namespaces->result = -EPERM; /* another mount hides it */
}

static void check_mounts_of(struct namespaces *namespaces, const char *process)
{
	AUTO_FREE char *path = must_format("%s/mountinfo", process), *line = NULL;
	AUTO_FCLOSE FILE *mounts = fopen(path, "re");
	size_t size = 0;

	if (!mounts && errno != ENOENT && errno != ESRCH && !namespaces->result)
		namespaces->result = -errno;
	while (mounts && namespaces->result <= 0 && getline(&line, &size, mounts) > 0)
		if (strstr(line, " " NAMESPACE_PREFIX))
			check_mount(namespaces, process, line);
}

static void check_all_mounts(struct namespaces *namespaces)
{
	glob_t paths = {};
	int error = glob("/proc/[0-9]*", GLOB_NOSORT, NULL, &paths);

	if (error)
		namespaces->result = -EIO;
	for (size_t i = 0; i < paths.gl_pathc && namespaces->result <= 0; i++)
		check_mounts_of(namespaces, paths.gl_pathv[i]);
	globfree(&paths);
}

/*
 * PROC_PID_INIT_INO of the kernel: the initial PID namespace, in which all processes are
 * visible.
 */
#define INITIAL_PID_NAMESPACE 0xEFFFFFFCU

static bool sees_all_processes(void)
{
	struct stat status;

	return !stat("/proc/self/ns/pid", &status) && status.st_ino == INITIAL_PID_NAMESPACE &&
	       !access("/proc/1", F_OK);
}

int namespaces_run_program(uint32_t program)
{
	struct namespaces namespaces = {.program = program};

	(void)mark_visited(&namespaces, netdev_namespace());
	namespaces.result = any_interface_runs(program);
	if (namespaces.result <= 0)
		check_paths(&namespaces, "/run/netns/*");
	if (namespaces.result <= 0)
		check_paths(&namespaces, "/proc/[0-9]*/task/[0-9]*/ns/net");
	if (namespaces.result <= 0)
		check_all_mounts(&namespaces);
	if (namespaces.result <= 0)
		check_open_files(&namespaces);
	free(namespaces.visited);
	if (!namespaces.result && !sees_all_processes())
		return -EXDEV;
	return is_access_denied(namespaces.result) ? -EXDEV : namespaces.result;
}
