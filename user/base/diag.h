/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Diagnostics: everything that is wrong with a user's files, with its place. They are collected
 * here, and printed by diag_print().
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>

/* A place in a file. Lines and columns count from 1; line 0 is the file as a whole. */
struct place {
	const char *file; /* not owned; must live as long as the place */
	unsigned int line;
	unsigned int column;
};

struct diagnostics {
	char **text; /* each "FILE:LINE:COL: what, which, what would be right" */
	size_t count;
	size_t n_omitted; /* not kept, because there were DIAGNOSTICS_MAX already */
};
#define DIAGNOSTICS_MAX 100

/* Adds a diagnostic for this place; "bkxdp: ..." if the place is NULL. */
void diag_at(struct diagnostics *diag, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds a sentence without a place; whoever prints it says what it is about. */
void diag_add(struct diagnostics *diag, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Prints one diagnostic per line to standard error, and how many were not kept. */
void diag_print(const struct diagnostics *diag);
void diag_free(struct diagnostics *diag);

/*
 * For what is looked at again and again: are these others than those of *before (NULL: none), which
 * they replace? The caller frees *before at last.
 */
bool diag_is_news(const struct diagnostics *diag, char **before);

#endif
