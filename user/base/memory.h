/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocation that never returns NULL: without memory, the program ends with a sentence. That is
 * no worse than being killed: what runs in the kernel is complete, and pins show what is left
 * over.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Returns `memory`, unless it is NULL: then the program ends. */
void *must_have(void *memory);
void *must_alloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
char *must_copy(const char *text) __attribute__((warn_unused_result));
char *must_format(const char *format, ...)
	__attribute__((format(printf, 1, 2), warn_unused_result));

/*
 * Returns the array with room for one more element, which is all zero. The array may have been
 * allocated in any way.
 */
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
