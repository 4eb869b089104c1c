/* SPDX-License-Identifier: GPL-2.0-only */
/* A scrape as Prometheus text, format 0.0.4, or as OpenMetrics 1.0. Pure: no kernel, no clock. */
#ifndef STATS_PROMETHEUS_TEXT_H
#define STATS_PROMETHEUS_TEXT_H

#include <stdio.h>

#include "base/printable.h"
#include "stats/reading.h"

/* What one scrape saw. */
struct scrape {
	struct reading *readings;
	size_t n_readings;
	uint64_t errors; /* interfaces that could not be read, since the process began */
	double seconds;
	bool blind; /* which interfaces are filtered could not be read */
};

enum metrics_format { METRICS_TEXT, METRICS_OPENMETRICS };

/* A metric's name, and the device as a label, each byte of which may be escaped. */
#define METRICS_HEAD_MAX (64 + 2 * PRINTABLE_DEVICE_MAX)

/* How far the text has come; all zero but the first two: nowhere yet. */
struct rendering {
	const struct scrape *scrape;
	enum metrics_format format;
	size_t family, reading, sample;
	bool headed, ended;
	char head[METRICS_HEAD_MAX];
};

#define METRICS_LINES_MAX 512 /* bytes of the longest lines that are written together */

/*
 * Writes the next lines, whole ones only, and returns their bytes; 0 at the end.
 * `room` is at least METRICS_LINES_MAX. Piece by piece, because thousands of flows
 * are megabytes of text.
 */
size_t metrics_fill(struct rendering *rendering, char *text, size_t room);

void metrics_print(FILE *to, const struct scrape *scrape);

#endif
