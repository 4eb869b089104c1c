/* SPDX-License-Identifier: GPL-2.0-only */
/* Which counter belongs to which flow side: it keeps its place by name. Pure. */
#ifndef POLICY_COUNTERS_H
#define POLICY_COUNTERS_H

#include "policy/policy.h"

/* All counters of flows that an interface has had since attach, by index. */
struct counter_names {
	struct bkxdp_flow_name name[BKXDP_COUNTERS_MAX];
	bool used[BKXDP_COUNTERS_MAX];
	bool reclaimed[BKXDP_COUNTERS_MAX]; /* had another flow: to be zeroed */
};

/*
 * Gives every rule its counter: the one that a flow of that name and side has
 * had before, else a free one, else one of a flow that is neither in the policy
 * nor in `current`. Where that is NULL, any name may be of what is in force, which
 * goes on counting and is read, so none loses its place. -ENOSPC where there is none.
 */
int counters_assign(struct policy *policy, struct counter_names *names,
		    const struct policy *current);

#endif
