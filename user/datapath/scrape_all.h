/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads the counters of all filtered interfaces. */
#ifndef DATAPATH_SCRAPE_ALL_H
#define DATAPATH_SCRAPE_ALL_H

#include "base/diag.h"
#include "stats/prometheus_text.h"

/* Reads all interfaces. Those that can't be read are added to scrape->errors, with diagnostics. */
void scrape_all(struct scrape *scrape, struct diagnostics *diag);
void scrape_free(struct scrape *scrape);

#endif
