/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that is there or the program ends with a sentence. An end here is as if
 * the process had been killed: what runs is whole, and pins tell of what is left.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The memory, where there is any. */
void *must_have(void *memory);
void *must_alloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
char *must_copy(const char *text) __attribute__((warn_unused_result));
char *must_format(const char *format, ...)
	__attribute__((format(printf, 1, 2), warn_unused_result));

/* Makes room for one more at the end of a growing array, which may have been made in any way; the
 * new one is zero. */
void *must_grow(void *array, size_t count, size_t size) __attribute__((warn_unused_result));
#define APPEND(array, count)                                                                       \
	((array) = must_grow((array), (count), sizeof(*(array))), &(array)[(count)++])

static inline void auto_free_(void *p)
{
	free(*(void **)p);
}
static inline void auto_close_(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void auto_fclose_(FILE **file)
{
	if (*file)
		fclose(*file);
}
#define AUTO_FREE   __attribute__((cleanup(auto_free_)))
#define AUTO_CLOSE  __attribute__((cleanup(auto_close_)))
#define AUTO_FCLOSE __attribute__((cleanup(auto_fclose_)))

#endif
