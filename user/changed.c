// SPDX-License-Identifier: GPL-2.0-only
#include "changed.h"

#include <sys/stat.h>

static uint64_t written(const char *path)
{
	struct stat file;

	return stat(path, &file) || file.st_mtime < 0 ? 0 : (uint64_t)file.st_mtime;
}

uint64_t policy_changed(const struct policy *policy)
{
	uint64_t newest = policy->file ? written(policy->file) : 0;

	for (size_t i = 0; newest && i < policy->file_names; i++) {
		uint64_t time = written(policy->file_name[i]);

		if (time > newest)
			newest = time;
	}
	return newest;
}
