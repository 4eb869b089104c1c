// SPDX-License-Identifier: GPL-2.0-only
/*
 * Judges the packet table with both engines and checks reason, flow, side, whether the packet
 * passes, and that the counter of this reason moved and no other.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <string.h>

#include "base/memory.h"
#include "engine/engine.h"
#include "oracle.h"
#include "packets.h"
#include "policy/reasons.h"
#include "tap.h"
#include "variants.h"

/* One policy, judged by one engine. */
struct court {
	const char *name;
	const struct policy *policy;
	struct engine *engine;
	int times; /* how often each packet comes; what is remembered of the first must change
		      nothing */
	uint64_t now;
};

/*
 * Whether the last packet was too long for a test run of this kernel; before 5.18 it may have
 * one page.
 */
static bool too_long;
static bool reached[BKXDP_REASON_COUNT];

/* Returns whether just one counter moved, by one. What audit lets pass must not count as a drop. */
static bool has_moved(struct court *court, const uint64_t *before, enum bkxdp_reason reason)
{
	bool audit = court->policy->settings.enforcement == BKXDP_AUDIT;
	bool would_drop = audit && !bkxdp_reason_passes(reason);
	unsigned int moved = would_drop ? reason + BKXDP_WOULD_DROPS : reason;

	for (unsigned int i = 1; i < BKXDP_TALLIES; i++)
		if (court->engine->counted(court->engine, i) != before[i] + (i == moved))
			return false;
	return true;
}

/* Returns NULL, or what is wrong; the caller frees it. */
static char *wrong_verdict(struct court *court, const struct step *step,
			   const struct judgement *got)
{
	bool audit = court->policy->settings.enforcement == BKXDP_AUDIT;
	const struct rule *rule;

	if (got->reason != step->reason)
		return must_format("is %s, expected %s", reason_word(got->reason),
				   reason_word(step->reason));
	if (got->passes != (bkxdp_reason_passes(step->reason) || audit))
		return must_format("%s", got->passes ? "passes" : "is dropped");
	if (step->reason != BKXDP_PASS_FLOW)
		return NULL;
	if (got->rule >= court->policy->n_rules)
		return must_format("is taken by rule %u, which there is not", got->rule);
	rule = &court->policy->rules[got->rule];
	if (strcmp(court->policy->flows[rule->flow].name, step->flow) || rule->side != step->side)
		return must_format("is taken by flow %s (%s), expected %s (%s)",
				   court->policy->flows[rule->flow].name, side_word(rule->side),
				   step->flow, side_word(step->side));
	return NULL;
}

static char *judge_once(struct court *court, const struct step *step)
{
	static uint8_t bytes[BUILD_BYTES_MAX];
	struct judgement got = {};
	size_t length = build(&step->frame, bytes);
	uint64_t before[BKXDP_TALLIES];
	const char *objection;
	char *wrong;
	int error;

	for (unsigned int i = 1; i < BKXDP_TALLIES; i++)
		before[i] = court->engine->counted(court->engine, i);
	error = court->engine->judge(court->engine, bytes, (uint32_t)length, court->now, &got);
	too_long = error == -EMSGSIZE;
	if (error)
		return must_format("can't be judged: %s", strerror(-error));
	wrong = wrong_verdict(court, step, &got);
	if (wrong)
		return wrong;
	reached[got.reason] = true;
	if (!has_moved(court, before, got.reason))
		return must_format("did not move the tally of its reason, and no other, by one");
	objection = oracle_objects(court->policy, bytes, length, &got);
	return objection ? must_format("has an objection: %s", objection) : NULL;
}

static char *run_step(struct court *court, const struct step *step, int times)
{
	char *wrong = NULL;

	court->now += step->wait * 1000000000ull;
	for (int i = 0; i < times && !wrong; i++)
		wrong = judge_once(court, step);
	return wrong;
}

static bool is_shorter(const struct row *row, size_t least)
{
	static uint8_t bytes[BUILD_BYTES_MAX];

	for (size_t i = 0; i < STEPS_MAX && row->step[i].reason; i++)
		if (build(&row->step[i].frame, bytes) < least)
			return true;
	return false;
}

static void run_row(struct court *court, const struct row *row)
{
	char *wrong = NULL;
	size_t i;

	/* no interface delivers shorter frames, and no test run takes them */
	if (!strcmp(court->engine->name, "kernel") && is_shorter(row, ETH_HLEN))
		return;
	court->now += ROW_NS;
	for (i = 0; i < STEPS_MAX && row->step[i].reason && !wrong; i++)
		wrong = run_step(court, &row->step[i], row->step[i].once ? 1 : court->times);
	if (wrong && too_long)
		skip_as("this kernel's test runs take no frame of that length", "%s: %s",
			court->name, row->name);
	else
		check(!wrong, "%s: %s", court->name, row->name);
	if (wrong)
		printf("#   packet %zu %s\n", i, wrong);
	free(wrong);
}

static void run_rows(struct court *court)
{
	const char *variant = court->policy->interface;

	if (!court->engine) {
		if (kernel_is_closed(errno))
			skip_as(strerror(errno), "%s: variant %s", court->name, variant);
		else
			check(false, "%s: variant %s: %s", court->name, variant, strerror(errno));
		return;
	}
	for (size_t i = 0; i < row_count; i++)
		if (!strcmp(rows[i].variant, variant))
			run_row(court, &rows[i]);
	court->engine->close(court->engine);
}

static void run_variant(const char *name)
{
	struct policy *policy = variant_policy(name);
	struct tables *tables = variant_tables(policy);

	run_rows(&(struct court){"user", policy, engine_user(tables), 1, 0});
	run_rows(&(struct court){"kernel", policy, engine_kernel(tables, CACHE_ON), 1, 0});
	run_rows(&(struct court){"kernel, cached", policy, engine_kernel(tables, CACHE_ON), 3, 0});
	run_rows(&(struct court){"kernel, one cache entry", policy,
				 engine_kernel(tables, CACHE_ONE_ENTRY), 2, 0});
	run_rows(&(struct court){"kernel, no cache", policy, engine_kernel(tables, CACHE_OFF), 1,
				 0});
	tables_free(tables);
	policy_free(policy);
}

static const struct row *find_row(const char *name)
{
	for (size_t i = 0; i < row_count; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static size_t rows_of(const char *variant)
{
	size_t count = 0;

	for (size_t i = 0; i < row_count; i++)
		count += !strcmp(rows[i].variant, variant);
	return count;
}

/* Checks that each row is run: one that is never run would look like one that passes. */
static void check_table(void)
{
	size_t known = 0, unique = 0;

	for (size_t i = 0; variant_name(i); i++) {
		known += rows_of(variant_name(i));
		check(rows_of(variant_name(i)), "table: variant %s has rows", variant_name(i));
	}
	for (size_t i = 0; i < row_count; i++)
		unique += find_row(rows[i].name) == &rows[i];
	check_int((long long)known, (long long)row_count, "table: every row has a variant");
	check_int((long long)unique, (long long)row_count, "table: every name is used once");
}

static void check_reasons(void)
{
	for (int reason = 1; reason < BKXDP_REASON_COUNT; reason++)
		if (reason != BKXDP_DROP_INTERNAL)
			check(reached[reason], "table: reason %s occurs", reason_word(reason));
}

int main(void)
{
	stay_on_this_cpu();
	/*
	 * so that this machine's sockets don't count; without the privilege there is no kernel
	 * engine either
	 */
	(void)unshare(CLONE_NEWNET);
	check_table();
	for (size_t i = 0; variant_name(i); i++)
		run_variant(variant_name(i));
	check_reasons();
	return tap_done();
}
