// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which counter belongs to which flow: names keep their places, and no place has two names at
 * the same time.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "policy/counters.h"
#include "tap.h"

#define FLOWS BKXDP_FLOWS_MAX

/* Adds the inbound flows PREFIX-0, PREFIX-1 ... */
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

/* Returns whether the counters of all rules have their names. */
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

/* One policy after the other, as with reloads. */
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

/* ---- places ------------------------------------------------------------------ */

/* "b-2 b-1": the flows of the slot's policy, as the names tell them; the caller frees it. */
static char *placed(const struct counter_names *names, uint32_t slot)
{
	AUTO_FREE uint16_t *counters = NULL;
	size_t n_counters = 0;
	int error = counters_placed(names, slot, &counters, &n_counters);
	char *text = must_copy(error == -EBADMSG ? "damaged" : "");

	for (size_t i = 0; i < n_counters; i++) {
		char *longer =
			must_format("%s%s%s", text, i ? " " : "", names->name[counters[i]].flow);

		free(text);
		text = longer;
	}
	return text;
}

static void check_placed(const struct counter_names *names, uint32_t slot, const char *wanted,
			 const char *what)
{
	AUTO_FREE char *text = placed(names, slot);

	check_text(text, wanted, "%s", what);
}

static void test_places(void)
{
	AUTO_FREE struct counter_names *names = must_alloc(1, sizeof(*names));
	struct policy *one = make("a", 3), *two = make("b", 2);

	check_placed(names, 0, "", "places: without a policy there are none");
	one->rules[0].flow = 2;
	one->rules[2].flow = 0;
	check_int(counters_assign(one, names, NULL), 0, "places: a policy");
	counters_place(names, one, 1);
	check_placed(names, 1, "a-2 a-1 a-0", "places: in the order of its rules");
	check_placed(names, 0, "", "places: the other slot has none of it");
	check_int(counters_assign(two, names, one), 0, "places: the next one");
	counters_place(names, two, 0);
	check_placed(names, 0, "b-0 b-1", "places: has its own");
	check_placed(names, 1, "a-2 a-1 a-0", "places: and leaves those of the one in force");
	one->rules[1] = one->rules[2];
	one->n_rules = 2;
	check_int(counters_assign(one, names, two), 0, "places: a flow less");
	counters_place(names, one, 1);
	check_placed(names, 1, "a-2 a-0", "places: is not in it, though it has its counter");
	one->rules[1] = one->rules[0];
	counters_place(names, one, 1);
	check_placed(names, 1, "a-2", "places: two rules of a flow are one");
	drop(one);
	drop(two);
}

/* What is in the map is read with care, though only root writes it. */
static void test_damage(void)
{
	AUTO_FREE struct counter_names *names = must_alloc(1, sizeof(*names));
	struct policy *policy = make("a", 200);
	unsigned int taken = 0, refused = 0;

	check_int(counters_assign(policy, names, NULL), 0, "damage: a policy");
	counters_place(names, policy, 0);
	srand(1);
	for (int i = 0; i < 1000; i++) {
		struct bkxdp_flow_name *name = &names->name[rand() % 200], whole = *name;
		AUTO_FREE uint16_t *counters = NULL;
		size_t n_counters = 0;

		for (int n = rand() % 3; n >= 0; n--)
			((char *)name)[rand() % sizeof(*name)] = rand();
		if (counters_placed(names, 0, &counters, &n_counters))
			refused++;
		for (size_t c = 0; c < n_counters; c++)
			taken += strlen(names->name[counters[c]].flow) < BKXDP_NAME_MAX;
		*name = whole;
	}
	check(taken && refused, "damage: is read with bounds, or refused (%u)", refused);
	memset(names->name[7].flow, 'a', BKXDP_NAME_MAX);
	check_placed(names, 0, "damaged", "damage: a name without an end");
	names->name[7] = names->name[8];
	check_placed(names, 0, "damaged", "damage: two at one place");
	names->name[7].place[0] = BKXDP_RULES_MAX + 1;
	check_placed(names, 0, "damaged", "damage: a place beyond all rules");
	names->name[7].place[0] = 8;
	names->name[7].side = 2;
	check_placed(names, 0, "damaged", "damage: a third side");
	drop(policy);
}

int main(void)
{
	struct counter_names *names = must_alloc(1, sizeof(*names));

	test_reloads(names);
	test_unknown_current(names);
	test_return();
	test_places();
	test_damage();
	free(names);
	return tap_done();
}
