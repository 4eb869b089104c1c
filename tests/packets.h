/* SPDX-License-Identifier: GPL-2.0-only */
/* The packet table: the verdict that each packet must get. See packets.c. */
#ifndef PACKETS_H
#define PACKETS_H

#include <bkxdp/verdict.h>
#include <sched.h>

#include "build.h"
#include "policy/policy.h"

#define STEPS_MAX 24

/* One packet of a row; `reason` is never 0, so 0 ends the steps. */
struct step {
	enum bkxdp_reason reason;
	const char *flow; /* the flow's name, if the reason is BKXDP_PASS_FLOW */
	enum side side;
	unsigned int wait; /* seconds between the packet before and this one */
	bool once;         /* the runs that repeat packets do not repeat this one */
	struct frame frame;
};

struct row {
	const char *name;
	const char *variant;
	struct step step[STEPS_MAX];
};

extern const struct row rows[];
extern const size_t row_count;

/* No control connection lives longer than this, so rows that begin so far apart are independent. */
#define ROW_SECONDS (2 * BKXDP_CONTROL_SECONDS)
#define ROW_NS      (ROW_SECONDS * 1000000000ull)

/* Strays are counted for each CPU, so all test runs must be on one. */
static inline void stay_on_this_cpu(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	(void)sched_setaffinity(0, sizeof(cpus), &cpus);
}

#endif
