// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "arguments.h"
#include "cmd.h"
#include "datapath.h"
#include "scrape.h"

/* A pipe or a device is written to, not replaced. */
static int write_in_place(const char *path, const struct scrape *scrape)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return -errno;
	metrics_print(file, scrape);
	return fclose(file) ? -errno : 0;
}

static int write_beside(const char *path, const struct scrape *scrape)
{
	AUTO_FREE char *beside = must_format("%s.XXXXXX", path);
	int fd = mkstemp(beside), error = 0;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file)
		return -errno;
	metrics_print(file, scrape);
	if (fchmod(fd, 0644) || fflush(file) || ferror(file))
		error = errno ? -errno : -EIO;
	if (fclose(file) && !error)
		error = -errno;
	if (!error && rename(beside, path))
		error = -errno;
	if (error)
		(void)unlink(beside);
	return error;
}

/* A reader sees the old file or the new one; node_exporter reads as another user. */
static int write_file(const char *path, const struct scrape *scrape)
{
	struct stat there;

	if (!stat(path, &there) && !S_ISREG(there.st_mode))
		return write_in_place(path, scrape);
	return write_beside(path, scrape);
}

static int print_metrics(const char *output)
{
	struct complaints complaints = {};
	struct scrape scrape = {};
	int error = 0;

	scrape_all(&scrape, &complaints);
	if (output)
		error = write_file(output, &scrape);
	else
		metrics_print(stdout, &scrape);
	complaints_print(&complaints);
	if (error)
		(void)fail("%s: can't write the metrics there: %s", output, strerror(-error));
	complaints_free(&complaints);
	error = error || scrape.errors;
	scrape_free(&scrape);
	return error ? EXIT_FAILED : EXIT_DONE;
}

int cmd_metrics(int argc, char **argv)
{
	const char *output = NULL, *bpffs = NULL;
	const struct option_row rows[] = {
		{"output", "FILE", "write there, for node_exporter's textfile collector",
		 .value = &output},
		{"bpffs", "DIR", "where the BPF file system is mounted (/sys/fs/bpf)",
		 .value = &bpffs},
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
	if (bpffs)
		datapath_set_bpffs(bpffs);
	return print_metrics(output);
}
