/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A string that grows: a stream to print to, and the text once it is closed.
 *
 *	struct strbuf list;
 *
 *	strbuf_open(&list);
 *	for (size_t i = 0; i < n_words; i++)
 *		fprintf(strbuf_next(&list, ", "), "\"%s\"", words[i]);
 *	return strbuf_close(&list);
 *
 * Without memory, the program ends with a sentence, as in base/memory.h.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stddef.h>
#include <stdio.h>

struct strbuf {
	FILE *out;
	char *text; /* belongs to the stream until strbuf_close(), as does length */
	size_t length;
};

/* Returns the stream, which is also strbuf.out. The struct must not move until strbuf_close(). */
FILE *strbuf_open(struct strbuf *strbuf);
/* Prints the separator, unless nothing has been printed yet. Returns the stream. */
FILE *strbuf_next(struct strbuf *strbuf, const char *separator);
/* Closes the stream and returns what was printed; the caller frees it. */
char *strbuf_close(struct strbuf *strbuf) __attribute__((warn_unused_result));

#endif
