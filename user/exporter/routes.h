/* SPDX-License-Identifier: GPL-2.0-only */
/* What the exporter answers at which path. Knows nothing of the HTTP library. */
#ifndef EXPORTER_ROUTES_H
#define EXPORTER_ROUTES_H

#include <stdbool.h>

#include "exporter/body.h"

struct pages;
struct pages *pages_new(const char *telemetry_path);
void pages_free(struct pages *pages);

struct page_request {
	const char *path, *accept, *accept_encoding; /* NULL: no such header */
	bool head;                                   /* only the headers are wanted */
};

struct page {
	unsigned int status;
	const char *type;
	bool varies; /* by the Accept headers */
	bool gzip;
	char *text;            /* the body; the caller frees it; or else: */
	struct stream *stream; /* the caller gives it to pages_close() */
};

void pages_answer(struct pages *pages, const struct page_request *request, struct page *page);
void pages_close(struct pages *pages, struct stream *stream);
/* A page of one sentence. */
void page_say(struct page *page, unsigned int status, const char *sentence);

#endif
