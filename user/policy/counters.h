/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which counter belongs to which side of a flow, and which counters a policy has, in the order of
 * its rules. A counter is known by the flow's name, also after a reload. A scrape needs nothing
 * else of a policy. Pure: no input or output.
 */
#ifndef POLICY_COUNTERS_H
#define POLICY_COUNTERS_H

#include "policy/policy.h"

/* All flow counters that an interface has used since it was attached, by index: the map `names`. */
struct counter_names {
	struct bkxdp_flow_name name[BKXDP_COUNTERS_MAX];
	bool used[BKXDP_COUNTERS_MAX];
	bool reclaimed[BKXDP_COUNTERS_MAX]; /* belonged to another flow; must be zeroed */
};

/*
 * Gives every rule its counter: the one that a flow of that name and side had before; otherwise a
 * free one; otherwise one of a flow that is neither in the policy nor in `current`. `current` is
 * the policy in force, which continues to count and to be read. If it is NULL, any flow in `names`
 * may be in force, so no counter in use is given away. Returns 0, or -ENOSPC if there are not
 * enough counters.
 */
int counters_assign(struct policy *policy, struct counter_names *names,
		    const struct policy *current);

/*
 * Records which counters the policy of the slot has, in the order of its rules. Every rule must
 * have its counter already.
 */
void counters_place(struct counter_names *names, const struct policy *policy, uint32_t slot);

/*
 * Returns the counters that counters_place() recorded for the slot, each once, in their order. The
 * caller frees them. Returns 0, or -EBADMSG if the names are damaged.
 */
int counters_placed(const struct counter_names *names, uint32_t slot, uint16_t **counters,
		    size_t *n_counters);

#endif
