// SPDX-License-Identifier: GPL-2.0-only
/* metrics: the counters of all filtered interfaces as Prometheus text, printed or in a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/exit.h"
#include "base/memory.h"
#include "base/options.h"
#include "cli/cmd.h"
#include "datapath/datapath.h"
#include "datapath/scrape_all.h"

/* Writes all of it, or returns an error. The last write may fail only when the file is closed. */
static int write_whole(FILE *file, const struct scrape *scrape)
{
	errno = 0;
	metrics_print(file, scrape);
	if (!fflush(file) && !ferror(file))
		return 0;
	return errno ? -errno : -EIO;
}

/* A pipe or a device is written to and not replaced. */
static int write_in_place(const char *path, const struct scrape *scrape)
{
	FILE *file = fopen(path, "we");
	int error;

	if (!file)
		return -errno;
	error = write_whole(file, scrape);
	if (fclose(file) && !error)
		error = -errno;
	return error;
}

/*
 * Is this very file at the path? It must not belong to another user, and another run must not
 * have moved it away.
 */
static bool is_ours(int fd, const char *path)
{
	struct stat here, there;

	return !fstat(fd, &here) && !lstat(path, &there) && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino && S_ISREG(here.st_mode) && here.st_nlink == 1 &&
	       here.st_uid == geteuid();
}

/* The name is always the same, so the next run takes over what a killed run left. */
static int open_beside(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		error = errno == EWOULDBLOCK ? -EBUSY : -errno;
	else if (!is_ours(fd, path))
		error = -EEXIST;
	else if (ftruncate(fd, 0) || fchmod(fd, 0644))
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error;
}

/*
 * Gives the file the owner and permissions of the former one. This comes last, because it is
 * written to as this user's own file.
 */
static int take_over(int fd, const char *path)
{
	struct stat former;

	if (stat(path, &former))
		return errno == ENOENT ? 0 : -errno;
	if (fchown(fd, former.st_uid, former.st_gid) && errno != EPERM)
		return -errno;
	return fchmod(fd, former.st_mode & 0777) ? -errno : 0;
}

static int write_beside(const char *path, const struct scrape *scrape)
{
	AUTO_FREE char *beside = must_format("%s.new", path);
	int fd = open_beside(beside), error;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file)
		return fd < 0 ? fd : -errno;
	error = write_whole(file, scrape);
	if (!error)
		error = take_over(fd, path);
	if (!error && rename(beside, path))
		error = -errno;
	if (error)
		(void)unlink(beside);
	(void)fclose(file);
	return error;
}

/*
 * A reader sees the old file or the new one. node_exporter reads as another user, and ignores
 * names that do not end in .prom. A symbolic link stays: the file that it points to is
 * replaced.
 */
static int write_file(const char *path, const struct scrape *scrape)
{
	AUTO_FREE char *whole = realpath(path, NULL);
	struct stat there;

	if (!whole && errno != ENOENT)
		return -errno;
	if (!whole && !lstat(path, &there))
		return -ENOLINK;
	if (whole && !stat(whole, &there) && !S_ISREG(there.st_mode))
		return write_in_place(whole, scrape);
	return write_beside(whole ? whole : path, scrape);
}

static void say_unwritten(const char *path, int error)
{
	if (error == -ENOLINK)
		(void)fail("%s: is a link to a missing file, so the metrics can't be "
			   "written; write that file's own path",
			   path);
	else if (error == -ENOENT && strchr(path, '/'))
		(void)fail("%s: can't write the metrics there: the folder %.*s is not there", path,
			   (int)(strrchr(path, '/') - path), path);
	else if (error == -EBUSY)
		(void)fail("%s: another run of bkxdp is writing the metrics there", path);
	else if (error == -EEXIST)
		(void)fail("%s: the metrics can't be written, because %s.new beside it is not a "
			   "regular file of this user; remove it",
			   path, path);
	else
		(void)fail("%s: can't write the metrics there: %s", path, strerror(-error));
}

static int print_metrics(const char *output)
{
	struct diagnostics diag = {};
	struct scrape scrape = {};
	int error = 0;

	scrape_all(&scrape, &diag);
	if (output && !scrape.list_failed)
		error = write_file(output, &scrape);
	else if (!output)
		metrics_print(stdout, &scrape);
	diag_print(&diag);
	if (output && scrape.list_failed)
		(void)fail("%s: nothing could be read, so nothing is written there", output);
	if (error)
		say_unwritten(output, error);
	diag_free(&diag);
	error = error || scrape.errors;
	scrape_free(&scrape);
	return error ? EXIT_FAILED : EXIT_DONE;
}

int cmd_metrics(int argc, char **argv)
{
	const char *output = NULL;
	const struct option_row rows[] = {
		{"output", "FILE", "write there, for node_exporter's textfile collector",
		 .value = &output},
	};
	const struct usage usage = {
		"metrics",
		"[OPTION...]",
		"Prints the counters of all filtered interfaces once, as Prometheus text.\n",
		rows,
		sizeof(rows) / sizeof(*rows),
		0,
		0};
	char **operands;
	int count, status = arguments_read(&usage, argc, argv, &operands, &count);

	if (status >= 0)
		return status;
	return print_metrics(output);
}
