/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters of all filtered interfaces at one moment. */
#ifndef DATAPATH_SCRAPE_ALL_H
#define DATAPATH_SCRAPE_ALL_H

#include "base/diag.h"
#include "stats/prometheus_text.h"

/* Adds to scrape->errors what can't be read, with complaints, and reads the rest. */
void scrape_all(struct scrape *scrape, struct diagnostics *diag);
void scrape_free(struct scrape *scrape);

#endif
