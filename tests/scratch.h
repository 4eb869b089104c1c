/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory of files for one test program, which is removed when it exits. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"

static char scratch_dir[64] = "/tmp/bkxdp-test-XXXXXX";

static inline int scratch_remove_one(const char *path, const struct stat *status, int type,
				     struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void scratch_end(void)
{
	nftw(scratch_dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_begin(void)
{
	if (!mkdtemp(scratch_dir)) {
		perror("mkdtemp");
		exit(1);
	}
	atexit(scratch_end);
}

/* Returns a path that is valid during the next seven calls. */
static inline const char *scratch_path(const char *name)
{
	static char path[8][160];
	static unsigned int turn;
	char *text = path[turn++ % 8];

	snprintf(text, sizeof(path[0]), "%s/%s", scratch_dir, name);
	return text;
}

static inline const char *scratch_bytes(const char *name, const void *bytes, size_t count)
{
	const char *path = scratch_path(name);
	FILE *file = fopen(path, "w");

	if (!file || fwrite(bytes, 1, count, file) != count || fclose(file)) {
		perror(path);
		exit(1);
	}
	return path;
}

static inline const char *scratch_file(const char *name, const char *text)
{
	return scratch_bytes(name, text, strlen(text));
}

/*
 * Returns all diagnostics, one per line, without the name of the directory; the caller frees
 * the text.
 */
static inline char *scratch_diagnostics(const struct diagnostics *diag)
{
	size_t length = strlen(scratch_dir) + 1, size;
	char *text = NULL, *at;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < diag->count; i++)
		fprintf(out, "%s%s", i ? "\n" : "", diag->text[i]);
	if (diag->n_omitted)
		fprintf(out, "\n+%zu", diag->n_omitted);
	fclose(out);
	while ((at = strstr(text, scratch_dir)))
		memmove(at, at + length, strlen(at + length) + 1);
	return text;
}

#endif
