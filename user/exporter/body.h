/* SPDX-License-Identifier: GPL-2.0-only */
/* A scrape as a stream of bytes, compressed if that is wanted. */
#ifndef EXPORTER_BODY_H
#define EXPORTER_BODY_H

#include <stdbool.h>
#include <sys/types.h>

#include "stats/prometheus_text.h"

struct stream;

/* Takes the scrape over. */
struct stream *stream_new(const struct scrape *scrape, enum metrics_format format, bool gzip);
/* The next bytes, 0 at the end, -1 where compressing failed. */
ssize_t stream_read(struct stream *stream, char *to, size_t room);
void stream_free(struct stream *stream);

#endif
