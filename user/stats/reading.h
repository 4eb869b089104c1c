/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an interface has counted, read at one moment and under one policy. status, top and the
 * metrics show it. The flows' names are stored with their counters, so the policy itself is not
 * needed. Pure: no input or output.
 */
#ifndef STATS_READING_H
#define STATS_READING_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <bkxdp/verdict.h>

#include "policy/counters.h"
#include "policy/policy.h"

/* The count of one side of a flow. It is small, because a scrape holds up to 100,000 of them. */
struct flow_count {
	uint32_t profile; /* offset of its string in reading.names; the same for `name` */
	uint32_t name : 31;
	uint32_t side : 1; /* enum side */
	struct bkxdp_counter sum;
};

enum attached { ATTACHED_NO, ATTACHED_YES, ATTACHED_UNKNOWN };

struct reading {
	char device[IF_NAMESIZE]; /* name of the interface when it was attached */
	enum attached attached;
	bool generic;
	bool audits;
	struct bkxdp_policy_record policy;
	uint64_t changed; /* the newest file of the policy, s since the epoch; 0: not known */
	struct bkxdp_counter tally[BKXDP_TALLIES];
	uint64_t remembered;      /* control connections whose end was not seen */
	uint64_t no_room;         /* control connections, or segments of them, that found no room */
	struct flow_count *flows; /* each side of a flow of the policy once, in its order */
	size_t n_flows;
	char *names; /* of flows and profiles, each with its NUL */
};

/* Makes one flow for each of these counters, with its name. The sums are 0. */
void reading_name_flows(struct reading *reading, const struct counter_names *names,
			const uint16_t *counters, size_t n_counters);
/* Frees what the reading points to and clears it. */
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
