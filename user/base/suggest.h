/* SPDX-License-Identifier: GPL-2.0-only */
/* Suggestions for an unknown word. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

/* Returns the most similar of the words, or NULL if none is similar enough. */
const char *suggest_nearest(const char *word, const char *const *words, size_t n_words);

/*
 * Returns the end of a message, which the caller frees: `: did you mean "x"?`, or `: there are
 * a, b and c`, or `: there are none`.
 */
char *suggest(const char *word, const char *const *known, size_t n_known);

/*
 * The same for an array of structs whose first member is a name, `char [N]`. `stride` is the
 * struct's size.
 */
char *suggest_named(const char *word, const void *first, size_t stride, size_t count);
int find_named(const char *word, const void *first, size_t stride, size_t count); /* or -1 */
#define SUGGEST_NAMED(word, array, count) suggest_named(word, array, sizeof(*(array)), count)
#define FIND_NAMED(word, array, count)    find_named(word, array, sizeof(*(array)), count)

#endif
