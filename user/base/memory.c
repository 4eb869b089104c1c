// SPDX-License-Identifier: GPL-2.0-only
#include "base/memory.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

void *must_have(void *memory)
{
	if (!memory) {
		fputs("bkxdp: out of memory: the command may be only half done; try again\n",
		      stderr);
		exit(1);
	}
	return memory;
}

void *must_alloc(size_t count, size_t size)
{
	return must_have(calloc(count ? count : 1, size ? size : 1));
}

char *must_copy(const char *text)
{
	return must_have(strdup(text));
}

char *must_format(const char *format, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return must_have(text);
}

static size_t next_power(size_t count)
{
	size_t power = 1;

	while (power <= count)
		power *= 2;
	return power;
}

/*
 * The capacity is always the next power of two, so it need not be stored. An array that was
 * made in another way may have less; then the allocator knows its size.
 */
void *must_grow(void *array, size_t count, size_t size)
{
	bool full = !(count & (count - 1)) || malloc_usable_size(array) / size <= count;

	if (full)
		array = must_have(reallocarray(array, next_power(count), size));
	memset((char *)array + count * size, 0, size);
	return array;
}
