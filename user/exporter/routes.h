/* SPDX-License-Identifier: GPL-2.0-only */
/* What is answered at which path. Knows nothing of the HTTP library. */
#ifndef EXPORTER_ROUTES_H
#define EXPORTER_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

struct request {
	const char *path, *accept, *accept_encoding; /* NULL: no such header */
};

struct answer {
	unsigned int status;
	const char *type;
	char *text; /* to be freed; NULL: the body is a scrape */
	int scrape; /* a file to be closed, and its size */
	uint64_t size;
	bool gzip;
};

struct routes {
	const char *telemetry_path;
	uint64_t errors; /* of scrapes, since the start */
	char *said;      /* the complaints of the last scrape, to be freed */
};
struct answer routes_answer(struct routes *routes, const struct request *request);

/* An answer of one sentence. */
struct answer answer_say(unsigned int status, const char *sentence);

#endif
