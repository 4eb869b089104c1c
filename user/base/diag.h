/* SPDX-License-Identifier: GPL-2.0-only */
/* All that is wrong with a user's files, each with its place; nothing is printed here. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>

/* Where something stands in a file. Lines and columns count from 1; line 0: the file as a whole. */
struct place {
	const char *file; /* not owned; lives as long as the document's owner */
	unsigned int line;
	unsigned int column;
};

struct diagnostics {
	char **text; /* "FILE:LINE:COL: what, which, what would be right" */
	size_t count;
	size_t unsaid; /* beyond DIAGNOSTICS_MAX */
};
#define DIAGNOSTICS_MAX 100

/* Without a place it is the program that complains. */
void diag_at(struct diagnostics *diag, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A sentence only: whoever prints it says of what it is. */
void diag_add(struct diagnostics *diag, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* One a line to standard error, with how many were left unsaid. */
void diag_print(const struct diagnostics *diag);
void diag_free(struct diagnostics *diag);

/*
 * For what is looked at again and again: are these others than those of *before (NULL: none), which
 * they replace? The caller frees *before at last.
 */
bool diag_is_news(const struct diagnostics *diag, char **before);

#endif
