/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A string that grows: a stream to print to, and what was printed in the end.
 *
 *	struct strbuf list;
 *
 *	strbuf_open(&list);
 *	for (size_t i = 0; i < n_words; i++)
 *		fprintf(strbuf_next(&list, ", "), "\"%s\"", words[i]);
 *	return strbuf_close(&list);
 *
 * Without memory the program ends with a sentence, as in base/memory.h.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stddef.h>
#include <stdio.h>

struct strbuf {
	FILE *out;
	char *text; /* these two are the stream's own until it is closed */
	size_t length;
};

/* The stream, which is also strbuf.out. The struct may not move until strbuf_close(). */
FILE *strbuf_open(struct strbuf *strbuf);
/* The stream, behind a separator unless nothing was printed so far. */
FILE *strbuf_next(struct strbuf *strbuf, const char *separator);
/* What was printed; the caller frees it. */
char *strbuf_close(struct strbuf *strbuf) __attribute__((warn_unused_result));

#endif
