/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters of all filtered interfaces at one moment. */
#ifndef SCRAPE_H
#define SCRAPE_H

#include "complain.h"
#include "metrics.h"

/* Adds to scrape->errors what can't be read, with complaints, and reads the rest. */
void scrape_all(struct scrape *scrape, struct complaints *complaints);
void scrape_free(struct scrape *scrape);

#endif
