// SPDX-License-Identifier: GPL-2.0-only
/* Which flow counts where: names keep their places, and no place has two names at a time. */
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "policy/counters.h"
#include "tap.h"

#define FLOWS BKXDP_FLOWS_MAX

/* Flows PREFIX-0, PREFIX-1 ..., each inbound. */
static struct policy *make(const char *prefix, size_t flows)
{
	struct policy *policy = must_alloc(1, sizeof(*policy));

	policy->flows = must_alloc(flows, sizeof(*policy->flows));
	policy->rules = must_alloc(flows, sizeof(*policy->rules));
	policy->n_flows = policy->n_rules = flows;
	for (size_t i = 0; i < flows; i++) {
		snprintf(policy->flows[i].profile, BKXDP_NAME_MAX, "site");
		snprintf(policy->flows[i].name, BKXDP_NAME_MAX, "%s-%zu", prefix, i);
		policy->rules[i] = (struct rule){.flow = i, .side = SIDE_INBOUND};
	}
	return policy;
}

static void drop(struct policy *policy)
{
	free(policy->flows);
	free(policy->rules);
	free(policy);
}

/* Do the counters of all its rules have their names? */
static bool is_named(const struct policy *policy, const struct counter_names *names)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct bkxdp_flow_name *name = &names->name[policy->rules[i].counter];

		if (!names->used[policy->rules[i].counter] ||
		    strcmp(name->flow, policy->flows[policy->rules[i].flow].name))
			return false;
	}
	return true;
}

/* One policy after the other, as reloads bring them. */
static void test_reloads(struct counter_names *names)
{
	struct policy *current = make("first", FLOWS);
	unsigned int kept = 0, named = 0;

	check_int(counters_assign(current, names, NULL), 0, "the first policy");
	for (unsigned int i = 0; i < 20; i++) {
		char prefix[16];
		struct policy *next;

		snprintf(prefix, sizeof(prefix), "turn%u", i);
		next = make(prefix, FLOWS);
		memset(names->reclaimed, 0, sizeof(names->reclaimed));
		if (counters_assign(next, names, current))
			break;
		kept += is_named(current, names);
		named += is_named(next, names);
		drop(current);
		current = next;
	}
	check_int((int)named, 20, "each has counters of its own, however many came before");
	check_int((int)kept, 20, "and takes none of the policy that it replaces");
	drop(current);
}

/* All places have had a name by now. */
static void test_unknown_current(struct counter_names *names)
{
	struct counter_names *before = must_alloc(1, sizeof(*before));
	struct policy *next = make("other", 1);

	memcpy(before, names, sizeof(*before));
	check_int(counters_assign(next, names, NULL), -ENOSPC,
		  "what is in force is not known: no place is taken from another name");
	check(!memcmp(before->name, names->name, sizeof(names->name)), "and none is named anew");
	drop(next);
	free(before);
}

static void test_return(void)
{
	struct counter_names *names = must_alloc(1, sizeof(*names));
	struct policy *one = make("a", 2), *two = make("b", 1), *again = make("a", 2);

	check(!counters_assign(one, names, NULL) && !counters_assign(two, names, one) &&
		      !counters_assign(again, names, two),
	      "a flow that comes back");
	check_int(again->rules[1].counter, one->rules[1].counter, "counts where it did");
	check(!names->reclaimed[again->rules[1].counter], "and goes on");
	drop(one);
	drop(two);
	drop(again);
	free(names);
}

int main(void)
{
	struct counter_names *names = must_alloc(1, sizeof(*names));

	test_reloads(names);
	test_unknown_current(names);
	test_return();
	free(names);
	return tap_done();
}
