/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an interface has counted, read at one moment and under one policy: status, top and
 * the metrics show this. Flows have the names that are kept with their counters, so the
 * policy itself is not needed. Pure.
 */
#ifndef STATS_READING_H
#define STATS_READING_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <bkxdp/verdict.h>

#include "policy/counters.h"
#include "policy/policy.h"

/* One side of a flow. Small, because scrapes hold up to 100,000 of them at a time. */
struct flow_count {
	uint32_t profile; /* where its text begins within the reading's names */
	uint32_t name : 31;
	uint32_t side : 1; /* enum side */
	struct bkxdp_counter sum;
};

enum attached { ATTACHED_NO, ATTACHED_YES, ATTACHED_UNKNOWN };

struct reading {
	char device[IF_NAMESIZE]; /* what the interface was called at the attach */
	enum attached attached;
	bool generic;
	bool audits;
	struct bkxdp_policy_record policy;
	uint64_t changed; /* the newest file of the policy, s since the epoch; 0: not known */
	struct bkxdp_counter tally[BKXDP_TALLIES];
	struct flow_count *flows; /* each flow side of the policy once, in its order */
	size_t n_flows;
	char *names; /* of flows and their profiles, each with its NUL */
};

/* Makes the reading's flows, one for each of these counters, with its name and no sum yet. */
void reading_name_flows(struct reading *reading, const struct counter_names *names,
			const uint16_t *counters, size_t n_counters);
/* Frees what the reading points to, and clears it. */
void reading_free(struct reading *reading);

static inline const char *reading_profile(const struct reading *reading,
					  const struct flow_count *flow)
{
	return reading->names + flow->profile;
}

static inline const char *reading_flow(const struct reading *reading, const struct flow_count *flow)
{
	return reading->names + flow->name;
}

#endif
