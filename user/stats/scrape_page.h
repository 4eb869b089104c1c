/* SPDX-License-Identifier: GPL-2.0-only */
/* A scrape as a page of HTML, for people. Pure. */
#ifndef STATS_SCRAPE_PAGE_H
#define STATS_SCRAPE_PAGE_H

#include "stats/prometheus_text.h"

/*
 * A table of the interfaces, with links to the metrics, at that path, and to the health. The caller
 * frees it.
 */
char *scrape_page(const struct scrape *scrape, const char *telemetry_path);

#endif
