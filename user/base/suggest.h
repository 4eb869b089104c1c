/* SPDX-License-Identifier: GPL-2.0-only */
/* What would have been right instead of an unknown word. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

/* The most similar of `count` words, or NULL when none is near: for "did you mean". */
const char *suggest_nearest(const char *word, const char *const *words, size_t count);

/*
 * The tail of a complaint, which the caller frees: `: did you mean "x"?`, or
 * `: there are a, b and c`, or `: there are none`.
 */
char *suggest(const char *word, const char *const *known, size_t count);

/* For arrays of structs whose first member is a name. */
char *suggest_named(const char *word, const void *first, size_t stride, size_t count);
int find_named(const char *word, const void *first, size_t stride, size_t count); /* or -1 */
#define SUGGEST_NAMED(word, array, count) suggest_named(word, array, sizeof(*(array)), count)
#define FIND_NAMED(word, array, count)    find_named(word, array, sizeof(*(array)), count)

#endif
