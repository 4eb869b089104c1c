/* SPDX-License-Identifier: GPL-2.0-only */
/* `top` on a terminal: reads the counters, shows them, and obeys keys. */
#ifndef CLI_TOP_LIVE_H
#define CLI_TOP_LIVE_H

#include "base/diag.h"
#include "cli/top_page.h"

#define INTERVAL_LEAST 0.5
#define INTERVAL_MOST  60.0

struct request {
	const char *interface; /* or NULL: all that are attached */
	double interval;       /* s */
	enum top_sort sort;
	bool json;
};

/* Returns the exit status when the user leaves. */
int top_live(const struct request *request);

/* Makes the filter group drops until the reading after the next one, even if that comes late. */
void top_ask_for_groups(const char *interface, double interval);
/* Returns 1; 0 if the interface is just being attached or detached; -1 with diagnostics. */
int top_take_sample(const char *interface, struct top_sample *sample, struct diagnostics *diag);
void top_sample_free(struct top_sample *sample);

#endif
