// SPDX-License-Identifier: GPL-2.0-only
#include "cli/top_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/printable.h"
#include "engine/engine.h"
#include "policy/reasons.h"

const char *const top_sort_words[TOP_SORTS] = {"bits", "packets", "name"};

/* ---- rates ------------------------------------------------------------------ */

/* A counter that is lower than before was reset, so all of it is new. */
static uint64_t growth(uint64_t before, uint64_t now)
{
	return now < before ? now : now - before;
}

static struct top_amount amount_of(const struct bkxdp_counter *before,
				   const struct bkxdp_counter *now, double seconds)
{
	struct top_amount amount = {.packets = now->packets, .bytes = now->bytes};

	if (seconds <= 0 || !before)
		return amount;
	amount.packet_rate = (double)growth(before->packets, now->packets) / seconds;
	amount.bit_rate = (double)growth(before->bytes, now->bytes) * 8 / seconds;
	return amount;
}

static void add_amount(struct top_amount *sum, const struct top_amount *more)
{
	sum->packet_rate += more->packet_rate;
	sum->bit_rate += more->bit_rate;
	sum->packets += more->packets;
	sum->bytes += more->bytes;
}

static double seconds_between(const struct top_sample *before, const struct top_sample *now)
{
	if (!before->time || before->time >= now->time ||
	    strcmp(before->reading.device, now->reading.device) != 0)
		return 0;
	return (double)(now->time - before->time) / 1e9;
}

/* ---- rows ------------------------------------------------------------------- */

static struct top_row *add_row(struct top_rows *rows, const struct top_amount *amount)
{
	struct top_row *row = APPEND(rows->row, rows->count);

	row->amount = *amount;
	return row;
}

static bool is_same_flow(const struct reading *a, size_t i, const struct reading *b, size_t j)
{
	const struct flow_count *left = &a->flows[i], *right = &b->flows[j];

	return left->side == right->side &&
	       !strcmp(reading_flow(a, left), reading_flow(b, right)) &&
	       !strcmp(reading_profile(a, left), reading_profile(b, right));
}

/* The flow has the same index, unless a reload came between. Returns NULL if it is new. */
static const struct bkxdp_counter *flow_before(const struct reading *before,
					       const struct reading *now, size_t i)
{
	if (i < before->n_flows && is_same_flow(now, i, before, i))
		return &before->flows[i].sum;
	for (size_t j = 0; j < before->n_flows; j++)
		if (is_same_flow(now, i, before, j))
			return &before->flows[j].sum;
	return NULL;
}

static void add_flows(struct top *top, const struct reading *before, const struct reading *now)
{
	static const struct bkxdp_counter none;

	for (size_t i = 0; i < now->n_flows; i++) {
		const struct flow_count *flow = &now->flows[i];
		const struct bkxdp_counter *old = NULL;
		struct top_amount amount;
		struct top_row *row;

		if (!flow->sum.packets)
			continue;
		if (top->seconds > 0)
			old = flow_before(before, now, i);
		amount = amount_of(old ? old : &none, &flow->sum, top->seconds);
		row = add_row(&top->table[TOP_FLOWS], &amount);
		snprintf(row->what, sizeof(row->what), "%s/%s", reading_profile(now, flow),
			 reading_flow(now, flow));
		snprintf(row->detail, sizeof(row->detail), "%s", side_word(flow->side));
	}
}

static void add_reasons(struct top *top, const struct reading *before, const struct reading *now)
{
	for (unsigned int t = 1; t < BKXDP_TALLIES; t++) {
		struct top_amount amount =
			amount_of(&before->tally[t], &now->tally[t], top->seconds);
		enum tally_verdict verdict = tally_verdict(t);
		struct top_row *row;

		add_amount(&top->sum[verdict], &amount);
		if (verdict == TALLY_PASS || !amount.packets)
			continue;
		row = add_row(&top->table[TOP_REASONS], &amount);
		row->tally = t;
		snprintf(row->what, sizeof(row->what), "%s", reason_word(tally_reason(t)));
		snprintf(row->detail, sizeof(row->detail), "%s", tally_verdict_text(t));
	}
}

/* A group that was discarded and made again has another `first`, so all of it is new. */
static void add_sources(struct top *top, const struct top_sample *before,
			const struct top_sample *now)
{
	for (size_t i = 0; i < now->groups.count; i++) {
		const struct drop_group *group = &now->groups.group[i], *old = NULL;
		struct bkxdp_counter sum = {group->sum.packets, group->sum.bytes}, last = {};
		struct top_amount amount;
		struct top_row *row;

		if (before->groups.count)
			old = bsearch(group, before->groups.group, before->groups.count,
				      sizeof(*group), groups_compare);
		if (old && old->sum.first == group->sum.first)
			last = (struct bkxdp_counter){old->sum.packets, old->sum.bytes};
		amount = amount_of(before->grouped ? &last : NULL, &sum, top->seconds);
		row = add_row(&top->table[TOP_SOURCES], &amount);
		group_source_text(&group->key, row->what);
		group_service_text(&group->key, row->detail);
		row->reason = reason_word(group->key.reason);
	}
}

/* ---- sorting ---------------------------------------------------------------- */

static int more_first(double a, double b)
{
	return (a < b) - (a > b);
}

static int by_name(const void *a, const void *b)
{
	const struct top_row *left = a, *right = b;
	int order = strcmp(left->what, right->what);

	return order ? order : strcmp(left->detail, right->detail);
}

/* Rows with equal rates are in the order of their totals, then of their names. */
static int by_total(const void *a, const void *b)
{
	const struct top_row *left = a, *right = b;
	int order = more_first((double)left->amount.packets, (double)right->amount.packets);

	return order ? order : by_name(a, b);
}

static int by_bits(const void *a, const void *b)
{
	const struct top_row *left = a, *right = b;
	int order = more_first(left->amount.bit_rate, right->amount.bit_rate);

	return order ? order : by_total(a, b);
}

static int by_packets(const void *a, const void *b)
{
	const struct top_row *left = a, *right = b;
	int order = more_first(left->amount.packet_rate, right->amount.packet_rate);

	return order ? order : by_total(a, b);
}

static int (*const orders[TOP_SORTS])(const void *, const void *) = {by_bits, by_packets, by_name};

/* ---- all -------------------------------------------------------------------- */

void top_make(const struct top_sample *before, const struct top_sample *now, enum top_sort sort,
	      struct top *top)
{
	memset(top, 0, sizeof(*top));
	(void)printable_put(top->device, now->reading.device);
	top->attached = now->reading.attached != ATTACHED_NO;
	top->generic = now->reading.generic;
	top->audits = now->reading.audits;
	top->grouped = now->grouped;
	top->seconds = seconds_between(before, now);
	add_flows(top, &before->reading, &now->reading);
	add_reasons(top, &before->reading, &now->reading);
	add_sources(top, before, now);
	for (int i = 0; i < TOP_TABLES; i++)
		if (top->table[i].count)
			qsort(top->table[i].row, top->table[i].count, sizeof(struct top_row),
			      orders[sort]);
}

void top_free(struct top *top)
{
	for (int i = 0; i < TOP_TABLES; i++)
		free(top->table[i].row);
	memset(top, 0, sizeof(*top));
}
