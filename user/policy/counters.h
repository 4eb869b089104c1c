/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which counter belongs to which flow side, known by its name through reloads, and which
 * counters a policy has, in its order. Scrapes need no more of a policy. Pure.
 */
#ifndef POLICY_COUNTERS_H
#define POLICY_COUNTERS_H

#include "policy/policy.h"

/* All counters of flows that an interface has had since attach, by index: the map `names`. */
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

/* Notes which counters the slot's policy has, in the order of its rules, which have theirs. */
void counters_place(struct counter_names *names, const struct policy *policy, uint32_t slot);

/*
 * The counters of the slot's policy as they were noted, each once, in their order; the
 * caller frees them. 0, or -EBADMSG if the names are damaged.
 */
int counters_placed(const struct counter_names *names, uint32_t slot, uint16_t **counters,
		    size_t *n_counters);

#endif
