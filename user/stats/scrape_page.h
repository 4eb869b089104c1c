/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes a scrape as an HTML page. Pure: no input or output. */
#ifndef STATS_SCRAPE_PAGE_H
#define STATS_SCRAPE_PAGE_H

#include "stats/prometheus_text.h"

/*
 * Returns a page with a table of the interfaces and links to /healthz and to the metrics at
 * `telemetry_path`. The caller frees it.
 */
char *scrape_page(const struct scrape *scrape, const char *telemetry_path);

#endif
