/* SPDX-License-Identifier: GPL-2.0-only */
/* Arrays of strings, each of them allocated, as APPEND() of base/memory.h makes them. */
#ifndef BASE_STRV_H
#define BASE_STRV_H

#include <stddef.h>

/* The strings and their array, which may be NULL where there are none. */
void strv_free(char **strings, size_t count);
/* By their bytes, in place. */
void strv_sort(char **strings, size_t count);

#endif
