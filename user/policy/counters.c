// SPDX-License-Identifier: GPL-2.0-only
#include "policy/counters.h"

#include <errno.h>
#include <search.h>
#include <string.h>

#include "base/memory.h"

static void name_of(struct bkxdp_flow_name *name, const struct policy *policy,
		    const struct rule *rule)
{
	const struct flow *flow = &policy->flows[rule->flow];

	memset(name, 0, sizeof(*name));
	memcpy(name->profile, flow->profile, sizeof(name->profile));
	memcpy(name->flow, flow->name, sizeof(name->flow));
	name->side = rule->side;
}

/* Compares what identifies a flow side, and not its place. */
static int compare_names(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct bkxdp_flow_name, place));
}

/* Marks the counters of flows that the policy has. The nodes of the tree are names in `names`. */
static void mark(bool *wanted, const struct policy *policy, const struct counter_names *names,
		 void **tree)
{
	struct bkxdp_flow_name name;

	for (size_t r = 0; r < policy->n_rules; r++) {
		const struct bkxdp_flow_name **found;

		name_of(&name, policy, &policy->rules[r]);
		found = tfind(&name, tree, compare_names);
		if (found)
			wanted[*found - names->name] = true;
	}
}

static int take_free(struct counter_names *names, const bool *wanted, size_t *next, bool reclaim)
{
	for (; *next < BKXDP_COUNTERS_MAX; ++*next)
		if (reclaim ? !wanted[*next] : !names->used[*next])
			return (*next)++;
	return -ENOSPC;
}

struct assignment {
	struct counter_names *names;
	bool wanted[BKXDP_COUNTERS_MAX]; /* in the new policy, or possibly in the one in force */
	size_t next_free, next_stale;
	void *tree;
};

static int assign_rule(struct assignment *a, struct policy *policy, struct rule *rule)
{
	const struct bkxdp_flow_name **found;
	struct bkxdp_flow_name name;
	int index;

	name_of(&name, policy, rule);
	found = tfind(&name, &a->tree, compare_names);
	if (found) {
		rule->counter = *found - a->names->name;
		return 0;
	}
	index = take_free(a->names, a->wanted, &a->next_free, false);
	if (index < 0) {
		index = take_free(a->names, a->wanted, &a->next_stale, true);
		if (index < 0)
			return index;
		tdelete(&a->names->name[index], &a->tree, compare_names);
		a->names->reclaimed[index] = true;
	}
	a->names->name[index] = name;
	a->names->used[index] = true;
	a->wanted[index] = true;
	tsearch(&a->names->name[index], &a->tree, compare_names);
	rule->counter = index;
	return 0;
}

static void keep_node(void *node)
{
	(void)node; /* the nodes belong to counter_names */
}

int counters_assign(struct policy *policy, struct counter_names *names,
		    const struct policy *current)
{
	AUTO_FREE struct assignment *a = must_alloc(1, sizeof(*a));
	int error = 0;

	a->names = names;
	for (size_t i = 0; i < BKXDP_COUNTERS_MAX; i++)
		if (names->used[i])
			tsearch(&names->name[i], &a->tree, compare_names);
	mark(a->wanted, policy, names, &a->tree);
	if (current)
		mark(a->wanted, current, names, &a->tree);
	else
		memcpy(a->wanted, names->used, sizeof(a->wanted));
	for (size_t r = 0; r < policy->n_rules && !error; r++)
		error = assign_rule(a, policy, &policy->rules[r]);
	tdestroy(a->tree, keep_node);
	return error;
}

/* ---- which are in a policy, and in what order ------------------------------ */

void counters_place(struct counter_names *names, const struct policy *policy, uint32_t slot)
{
	for (size_t i = 0; i < BKXDP_COUNTERS_MAX; i++)
		names->name[i].place[slot] = 0;
	/* in reverse order, so that the first of the rules that share a counter remains */
	for (size_t r = policy->n_rules; r-- > 0;)
		names->name[policy->rules[r].counter].place[slot] = r + 1;
}

static bool is_valid(const struct bkxdp_flow_name *name, uint32_t slot)
{
	return !name->profile[BKXDP_NAME_MAX - 1] && !name->flow[BKXDP_NAME_MAX - 1] &&
	       name->side <= SIDE_REPLY && name->place[slot] <= BKXDP_RULES_MAX;
}

int counters_placed(const struct counter_names *names, uint32_t slot, uint16_t **counters,
		    size_t *n_counters)
{
	AUTO_FREE uint16_t *at = must_alloc(BKXDP_RULES_MAX + 1, sizeof(*at));
	size_t count = 0;

	for (size_t i = 0; i < BKXDP_COUNTERS_MAX; i++) {
		const struct bkxdp_flow_name *name = &names->name[i];

		if (!names->used[i] || !name->place[slot])
			continue;
		if (!is_valid(name, slot) || at[name->place[slot]])
			return -EBADMSG;
		at[name->place[slot]] = i + 1;
		count++;
	}
	*counters = must_alloc(count, sizeof(**counters));
	*n_counters = 0;
	for (size_t place = 1; place <= BKXDP_RULES_MAX; place++)
		if (at[place])
			(*counters)[(*n_counters)++] = at[place] - 1;
	return 0;
}
