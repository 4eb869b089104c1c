/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes a scrape as Prometheus text format 0.0.4 or OpenMetrics 1.0. Pure: no kernel, no clock. */
#ifndef STATS_PROMETHEUS_TEXT_H
#define STATS_PROMETHEUS_TEXT_H

#include <stdio.h>

#include "base/printable.h"
#include "stats/reading.h"

/* The result of one scrape. */
struct scrape {
	struct reading *readings;
	size_t n_readings;
	uint64_t errors; /* interfaces that could not be read since the process started */
	double seconds;
	bool list_failed; /* it could not be read which interfaces are filtered */
};

enum metrics_format { METRICS_TEXT, METRICS_OPENMETRICS };

/* A metric's name and the device label, each byte of which may be escaped. */
#define METRICS_HEAD_MAX (64 + 2 * PRINTABLE_DEVICE_MAX)

/* The progress of writing. At the beginning, all is zero but the first two fields. */
struct rendering {
	const struct scrape *scrape;
	enum metrics_format format;
	size_t family, reading, sample;
	bool headed, ended;
	char head[METRICS_HEAD_MAX];
};

#define METRICS_LINES_MAX 512 /* bytes; no group of lines that are written together is longer */

/*
 * Writes the next whole lines and returns the number of bytes, or 0 at the end. `room` is at least
 * METRICS_LINES_MAX. The text is written in pieces, because that of thousands of flows has
 * megabytes.
 */
size_t metrics_fill(struct rendering *rendering, char *text, size_t room);

void metrics_print(FILE *to, const struct scrape *scrape);

#endif
