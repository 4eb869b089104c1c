/* SPDX-License-Identifier: GPL-2.0-only */
/* `top` on a terminal: reads, shows, and does what the keys say. */
#ifndef CLI_TOP_LIVE_H
#define CLI_TOP_LIVE_H

#include "base/diag.h"
#include "cli/top_page.h"

#define INTERVAL_LEAST 0.5
#define INTERVAL_MOST  60.0

struct request {
	const char *interface; /* or NULL: whichever there are */
	double interval;       /* s */
	enum top_sort sort;
	bool json;
};

/* The exit status, when somebody left. */
int top_live(const struct request *request);

/* Has drops grouped until the reading after the next one, also if that is late. */
void top_ask_for_groups(const char *interface, double interval);
/* 1, 0 where it is just coming or going, -1 with complaints. */
int top_take_sample(const char *interface, struct top_sample *sample, struct diagnostics *diag);
void top_sample_free(struct top_sample *sample);

#endif
