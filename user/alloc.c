// SPDX-License-Identifier: GPL-2.0-only
#include "alloc.h"

#include <stdarg.h>
#include <string.h>

static void *or_end(void *memory)
{
	if (!memory) {
		fputs("bkxdp: out of memory; nothing was changed\n", stderr);
		exit(1);
	}
	return memory;
}

void *must_alloc(size_t count, size_t size)
{
	return or_end(calloc(count ? count : 1, size ? size : 1));
}

char *must_copy(const char *text)
{
	return or_end(strdup(text));
}

char *must_format(const char *format, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return or_end(text);
}

/* The capacity is the next power of two, so it needs no place of its own. */
void *must_grow(void *array, size_t count, size_t size)
{
	size_t room = count ? count * 2 : 1;

	if (count & (count - 1))
		return array;
	array = or_end(reallocarray(array, room, size));
	memset((char *)array + count * size, 0, (room - count) * size);
	return array;
}
