// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damaged frames of the packet table: all engines must give the same verdict for each, the
 * oracle must not object, both readers must read the same, and the counters must add up. The
 * seed can be given.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/engine.h"
#include "facts.h"
#include "oracle.h"
#include "packets.h"
#include "policy/reasons.h"
#include "tap.h"
#include "variants.h"

#define PACKETS      20000 /* for each policy */
#define LENGTH_MAX   4096
#define LENGTH_MIN   14 /* of a test run */
#define SHOWN_MAX    5  /* disagreements that are printed */
#define SEED_DEFAULT 0x626b786470ull

static const char *const variants[] = {"wire",       "fragments", "vlans-list", "dhcp", "order",
				       "candidates", "nested",    "any6",       "any",  "control",
				       "audit",      "sockets",   "short"};

static bool reached[BKXDP_REASON_COUNT];

/* ---- chance: xorshift64*, so that a seed is a test ------------------------ */

static uint64_t chance_state;

static uint64_t chance(void)
{
	chance_state ^= chance_state >> 12;
	chance_state ^= chance_state << 25;
	chance_state ^= chance_state >> 27;
	return chance_state * 0x2545f4914f6cdd1dull;
}

static size_t below(size_t limit)
{
	return limit ? (size_t)((chance() >> 16) % limit) : 0;
}

/* ---- frames ---------------------------------------------------------------- */

struct mutant {
	uint8_t bytes[2 * LENGTH_MAX];
	size_t length;
};

struct pool {
	struct mutant *frame;
	size_t frames;
};

static void add_row(struct pool *pool, const struct row *row)
{
	static uint8_t bytes[BUILD_BYTES_MAX];

	for (size_t i = 0; i < STEPS_MAX && row->step[i].reason; i++) {
		size_t length = build(&row->step[i].frame, bytes);
		struct mutant *frame;

		if (length < LENGTH_MIN || length > LENGTH_MAX)
			continue;
		frame = APPEND(pool->frame, pool->frames);
		memcpy(frame->bytes, bytes, length);
		frame->length = length;
	}
}

/* The variant's own rows come twice as often, because it has few of the others' addresses. */
static struct pool pool_of(const char *variant)
{
	struct pool pool = {};

	for (size_t i = 0; i < row_count; i++)
		add_row(&pool, &rows[i]);
	for (size_t size = pool.frames; pool.frames < 2 * size;)
		for (size_t i = 0; i < row_count && pool.frames < 2 * size; i++)
			if (!strcmp(rows[i].variant, variant))
				add_row(&pool, &rows[i]);
	return pool;
}

/* ---- damage ---------------------------------------------------------------- */

static void flip_bits(struct mutant *m)
{
	for (size_t n = 1 + below(4); n; n--)
		m->bytes[below(m->length)] ^= (uint8_t)(1 << below(8));
}

/* Flips bits in the headers, by which most is decided. */
static void flip_in_headers(struct mutant *m)
{
	for (size_t n = 1 + below(3); n; n--)
		m->bytes[12 + below(m->length < 76 ? m->length - 12 : 64)] ^=
			(uint8_t)(1 << below(8));
}

static void truncate_at(struct mutant *m)
{
	m->length = LENGTH_MIN + below(m->length - LENGTH_MIN);
}

static void insert_bytes(struct mutant *m)
{
	size_t at = below(m->length + 1), count = 1 + below(16);

	memmove(m->bytes + at + count, m->bytes + at, m->length - at);
	for (size_t i = 0; i < count; i++)
		m->bytes[at + i] = (uint8_t)chance();
	m->length += count;
}

static void repeat_span(struct mutant *m)
{
	size_t at = below(m->length), count = 1 + below(m->length - at < 64 ? m->length - at : 64);

	memmove(m->bytes + at + count, m->bytes + at, m->length - at);
	m->length += count;
}

static void remove_span(struct mutant *m)
{
	size_t at = below(m->length - LENGTH_MIN + 1), count = below(m->length - LENGTH_MIN + 1);

	if (count > m->length - at)
		count = m->length - at;
	memmove(m->bytes + at, m->bytes + at + count, m->length - at - count);
	m->length -= count;
}

static void insert_tag(struct mutant *m)
{
	static const uint8_t tag[][4] = {
		{0x81, 0, 0, 0}, {0x81, 0, 0, 10}, {0x88, 0xa8, 0, 10}, {0x88, 0xa8, 0, 0}};

	memmove(m->bytes + 16, m->bytes + 12, m->length - 12);
	memcpy(m->bytes + 12, tag[below(4)], 4);
	m->length += 4;
}

/* Sets a field of an untagged frame to a value that has a meaning in some field. */
static void set_field(struct mutant *m)
{
	static const struct {
		uint8_t offset, width;
		uint16_t value[8];
	} field[] = {
		{12, 2, {0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x88cc, 0x0027, 0x0801}},
		{14, 1, {0x45, 0x46, 0x4f, 0x44, 0x60, 0x65, 0x40, 0x55}},
		{16, 2, {0, 19, 20, 28, 39, 40, 41, 65535}},
		{18, 2, {0, 1, 8, 19, 20, 28, 40, 65535}},
		{20, 2, {0, 0x2000, 1, 0x2001, 0x4000, 0x8000, 0x1fff, 0x1000}},
		{20, 1, {0, 6, 17, 43, 44, 51, 58, 60}},
		{21, 1, {0, 1, 2, 64, 128, 253, 254, 255}},
		{22, 2, {0, 0x2001, 0xfe80, 0xff02, 0xfec0, 0x0064, 0xfd00, 0xfebf}},
		{23, 1, {0, 1, 6, 17, 47, 58, 60, 255}},
		{26, 2, {0, 0x0a14, 0x0a01, 0x7f00, 0xe000, 0xf000, 0xffff, 0xc000}},
		{34, 2, {0, 6101, 123, 300, 900, 67, 12000, 40000}},
		{36, 2, {0, 10000, 50000, 9000, 68, 100, 443, 20000}},
		{38, 2, {0, 7, 8, 9, 20, 28, 100, 65535}},
		{46, 2, {0x5002, 0x5010, 0x5003, 0x5000, 0x4002, 0x6002, 0x5006, 0x5011}},
		{54, 1, {0, 1, 3, 128, 130, 135, 143, 44}},
		{54, 2, {0, 6101, 123, 300, 44, 60, 51, 40000}},
		{56, 2, {0, 10000, 50000, 9000, 1, 8, 0xfd00, 20000}},
	};
	size_t f = below(sizeof(field) / sizeof(field[0]));
	uint16_t value = field[f].value[below(8)];

	if (field[f].offset + 2u > m->length)
		return;
	if (field[f].width == 2)
		m->bytes[field[f].offset] = value >> 8;
	m->bytes[field[f].offset + field[f].width - 1] = value & 0xff;
}

/* Damage behind a wrong length has no effect, so the length is corrected in every other frame. */
static void settle_length(struct mutant *m)
{
	bool six = m->bytes[12] == 0x86;
	size_t at = six ? 18 : 16, length = m->length - (six ? 54 : 14);

	if (m->length < 56)
		return;
	m->bytes[at] = (uint8_t)(length >> 8);
	m->bytes[at + 1] = (uint8_t)length;
}

static void damage(struct mutant *m)
{
	static void (*const way[])(struct mutant *) = {
		flip_bits,   flip_in_headers, flip_in_headers, truncate_at, insert_bytes,
		repeat_span, remove_span,     insert_tag,      set_field,   set_field};

	for (size_t n = 1 + below(3); n; n--)
		way[below(sizeof(way) / sizeof(way[0]))](m);
	if (below(2))
		settle_length(m);
}

/* ---- both engines ---------------------------------------------------------- */

static const struct {
	const char *name;
	enum cache_use cache;
} kernels[] = {{"kernel", CACHE_ON}, {"one cache entry", CACHE_ONE_ENTRY}, {"no cache", CACHE_OFF}};
#define KERNELS (sizeof(kernels) / sizeof(kernels[0]))

struct match {
	const struct policy *policy;
	struct engine *user, *kernel[KERNELS]; /* kernel: NULL if it can't be used ... */
	bool closed[KERNELS]; /* ... and whether this kernel, not bkxdp, is the cause */
	uint64_t now;
	unsigned int apart[KERNELS], objections, misread, plain;
};

static void show(const struct mutant *m, const char *text)
{
	printf("# %s: ", text);
	for (size_t i = 0; i < m->length && i < 128; i++)
		printf("%02x", m->bytes[i]);
	printf(" (%zu bytes)\n", m->length);
}

static bool agree(const struct judgement *a, const struct judgement *b)
{
	return a->reason == b->reason && a->passes == b->passes &&
	       (a->reason != BKXDP_PASS_FLOW || a->rule == b->rule);
}

static void judge_by_kernel(struct match *match, size_t number, const struct mutant *m,
			    const struct judgement *user)
{
	struct engine *engine = match->kernel[number];
	struct judgement kernel = {};
	int error = engine->judge(engine, m->bytes, (uint32_t)m->length, match->now, &kernel);

	if (!error && agree(user, &kernel))
		return;
	if (match->apart[number]++ >= SHOWN_MAX)
		return;
	printf("# user: %s, rule %u; %s: %s, rule %u; error %d\n", reason_word(user->reason),
	       user->rule, kernels[number].name, reason_word(kernel.reason), kernel.rule, error);
	show(m, "the engines disagree");
}

/* The frame gets memory of its exact size, so that AddressSanitizer sees a read beyond it. */
static void read_twice(struct match *match, const struct mutant *m)
{
	AUTO_FREE uint8_t *bytes = must_alloc(m->length, 1);
	const char *objection;
	bool fast;

	memcpy(bytes, m->bytes, m->length);
	objection = facts_object(bytes, m->length, &fast);
	match->plain += fast;
	if (objection && match->misread++ < SHOWN_MAX)
		show(m, objection);
}

static void judge(struct match *match, const struct mutant *m)
{
	struct judgement user = {};
	const char *objection;

	match->user->judge(match->user, m->bytes, (uint32_t)m->length, match->now, &user);
	reached[user.reason] = true;
	for (size_t i = 0; i < KERNELS; i++)
		if (match->kernel[i])
			judge_by_kernel(match, i, m, &user);
	objection = oracle_objects(match->policy, m->bytes, m->length, &user);
	if (objection && match->objections++ < SHOWN_MAX)
		show(m, objection);
	read_twice(match, m);
}

static bool counters_agree(const struct match *match, size_t number)
{
	struct engine *kernel = match->kernel[number];

	for (unsigned int tally = 1; tally < BKXDP_TALLIES; tally++)
		if (match->user->counted(match->user, tally) != kernel->counted(kernel, tally))
			return false;
	return true;
}

static void report(const struct match *match, const char *variant)
{
	check_int(match->objections, 0, "%s: the oracle does not object", variant);
	check_int(match->misread, 0, "%s: both readers read the same", variant);
	check(match->plain > PACKETS / 20, "%s: often enough", variant);
	for (size_t i = 0; i < KERNELS; i++) {
		const char *name = kernels[i].name;

		if (match->closed[i]) {
			skip_as("no test runs here", "%s: user and %s agree", variant, name);
			continue;
		}
		if (!check(match->kernel[i], "%s: the kernel takes %s", variant, name))
			continue;
		check_int(match->apart[i], 0, "%s: user and %s agree", variant, name);
		check(counters_agree(match, i), "%s: their counters, too", variant);
	}
}

static void match_open(struct match *match, const struct tables *tables)
{
	match->user = engine_user(tables);
	for (size_t i = 0; i < KERNELS; i++) {
		match->kernel[i] = engine_kernel(tables, kernels[i].cache);
		match->closed[i] = !match->kernel[i] && kernel_is_closed(errno);
	}
}

static void match_close(struct match *match)
{
	match->user->close(match->user);
	for (size_t i = 0; i < KERNELS; i++)
		if (match->kernel[i])
			match->kernel[i]->close(match->kernel[i]);
}

/* Some frames come twice, damaged or not, because only then can a cache be wrong. */
static void run_packets(struct match *match, const struct pool *pool)
{
	struct mutant m;

	check(pool->frames, "%s: there are frames to damage", match->policy->interface);
	if (!pool->frame)
		return;
	m = pool->frame[0];
	for (int i = 0; i < PACKETS; i++) {
		if (below(4)) {
			m = pool->frame[below(pool->frames)];
			if (below(8))
				damage(&m);
		}
		/* most follow at once, and some when all control connections have expired */
		match->now += below(100) ? below(1000000000) : ROW_NS;
		judge(match, &m);
	}
}

static void run_variant(const char *variant)
{
	struct policy *policy = variant_policy(variant);
	struct tables *tables = variant_tables(policy);
	struct pool pool = pool_of(variant);
	struct match match = {.policy = policy, .now = ROW_NS};

	match_open(&match, tables);
	run_packets(&match, &pool);
	report(&match, variant);
	match_close(&match);
	free(pool.frame);
	tables_free(tables);
	policy_free(policy);
}

int main(int argc, char **argv)
{
	unsigned int distinct = 0;

	/*
	 * so that this machine's sockets don't count; without the privilege there is no kernel
	 * engine either
	 */
	(void)unshare(CLONE_NEWNET);
	chance_state = argc > 1 ? strtoull(argv[1], NULL, 0) : SEED_DEFAULT;
	if (!chance_state)
		chance_state = SEED_DEFAULT; /* 0 is the only state that it never leaves */
	printf("# seed 0x%" PRIx64 "\n", chance_state);
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		run_variant(variants[i]);
	for (int reason = 1; reason < BKXDP_REASON_COUNT; reason++) {
		distinct += reached[reason];
		if (reason != BKXDP_DROP_INTERNAL)
			check(reached[reason], "reason %s occurs", reason_word(reason));
	}
	printf("# %u reasons reached\n", distinct);
	return tap_done();
}
