// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/scrape_all.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/strv.h"
#include "datapath/datapath.h"

static void scrape_one(struct scrape *scrape, const char *interface, struct diagnostics *diag)
{
	struct reading reading;
	int found = datapath_scrape(interface, &reading, diag);

	if (found < 0)
		scrape->errors++;
	if (found > 0)
		*APPEND(scrape->readings, scrape->n_readings) = reading;
}

void scrape_all(struct scrape *scrape, struct diagnostics *diag)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC);
	char **interface;
	size_t count;

	scrape->list_failed = datapath_interfaces(&interface, &count, diag);
	if (scrape->list_failed)
		scrape->errors++;
	for (size_t i = 0; i < count; i++)
		scrape_one(scrape, interface[i], diag);
	strv_free(interface, count);
	scrape->seconds = (double)(clock_ns(CLOCK_MONOTONIC) - start) / NS_PER_S;
}

void scrape_free(struct scrape *scrape)
{
	for (size_t i = 0; i < scrape->n_readings; i++)
		reading_free(&scrape->readings[i]);
	free(scrape->readings);
	scrape->readings = NULL;
	scrape->n_readings = 0;
}
