// SPDX-License-Identifier: GPL-2.0-only
#include "base/strv.h"

#include <stdlib.h>
#include <string.h>

void strv_free(char **strings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(strings[i]);
	free(strings);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(char **strings, size_t count)
{
	if (count)
		qsort(strings, count, sizeof(*strings), compare);
}
