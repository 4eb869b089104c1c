/* SPDX-License-Identifier: GPL-2.0-only */
/* Snapshots as Prometheus text, format 0.0.4. Pure: no kernel, no clock. */
#ifndef METRICS_H
#define METRICS_H

#include <stdio.h>

#include "counters.h"

/* What one scrape saw; errors: interfaces that could not be read. */
struct scrape {
	struct snapshot **snapshot;
	size_t snapshots;
	uint64_t errors;
	double seconds;
};

void metrics_print(FILE *to, const struct scrape *scrape);

#endif
