// SPDX-License-Identifier: GPL-2.0-only
#include "config/source_files.h"

#include <string.h>
#include <sys/stat.h>

#include "base/strbuf.h"

char *source_files(const struct policy *policy, size_t *size)
{
	const char *last = policy->file;
	struct strbuf files;
	char *text;

	strbuf_open(&files);
	if (last)
		fprintf(files.out, "%s%c", last, '\0');
	/* flows of one file stand together */
	for (size_t i = 0; last && i < policy->n_flows; i++) {
		const char *file = policy->flows[i].place.file;

		if (!file || !strcmp(file, last))
			continue;
		fprintf(files.out, "%s%c", file, '\0');
		last = file;
	}
	fputc('\0', files.out);
	text = strbuf_close(&files);
	*size = files.length;
	return text;
}

static uint64_t written(const char *path)
{
	struct stat file;

	return stat(path, &file) || file.st_mtime < 0 ? 0 : (uint64_t)file.st_mtime;
}

uint64_t source_files_changed(const char *files)
{
	uint64_t newest = written(files);

	for (const char *file = files; newest && *file; file += strlen(file) + 1) {
		uint64_t time = written(file);

		if (time > newest)
			newest = time;
	}
	return newest;
}
