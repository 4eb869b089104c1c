/* SPDX-License-Identifier: GPL-2.0-only */
/* What would have been right instead of an unknown word. */
#ifndef HINT_H
#define HINT_H

#include <stddef.h>

/*
 * The tail of a complaint, which the caller frees: `: did you mean "x"?`, or
 * `: there are a, b and c`, or `: there are none`.
 */
char *hint(const char *word, const char *const *known, size_t count);

/* For arrays of structs whose first member is a name. */
char *hint_named(const char *word, const void *first, size_t stride, size_t count);
int find_named(const char *word, const void *first, size_t stride, size_t count); /* or -1 */

#endif
