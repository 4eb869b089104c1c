/* SPDX-License-Identifier: GPL-2.0-only */
/* Arrays of allocated strings, as APPEND() of base/memory.h makes them. */
#ifndef BASE_STRV_H
#define BASE_STRV_H

#include <stddef.h>

/* Frees the strings and their array, which may be NULL if it is empty. */
void strv_free(char **strings, size_t count);
/* Sorts the strings by their bytes, in place. */
void strv_sort(char **strings, size_t count);

#endif
