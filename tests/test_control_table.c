// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of control connections under `connections: flags`: as many fit as it promises, forged
 * segments push none out, and CPUs that note connections at the same time lose none and leave no
 * mixture. tests/packets.c has what a single full set does.
 */
#include <bkxdp/control_table.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "engine/engine.h"
#include "packets.h"
#include "policy/reasons.h"
#include "tap.h"
#include "variants.h"

#define SECOND 1000000000ull
#define FITS   65536

/* ---- which set ------------------------------------------------------------- */

/* How peers' addresses differ. */
static const struct shape {
	const char *name;
	uint32_t first[4];
	int word; /* that counts up, in network byte order */
	uint32_t step;
} shapes[] = {
	{"IPv4 hosts of a /16", {0, 0, BKXDP_MAPPED_WORD, 0x0a010000}, 3, 1},
	{"IPv4 hosts, one of each /24", {0, 0, BKXDP_MAPPED_WORD, 0x0a000001}, 3, 256},
	{"IPv6 hosts of a /112", {0x20010db8, 0, 0, 0}, 3, 1},
	{"IPv6 hosts, one of each /64", {0x20010db8, 0, 0, 1}, 1, 1},
	{"IPv6 hosts, one of each /48", {0x20010db8, 0, 0, 1}, 1, 65536},
};

static uint64_t random_state;

static uint64_t next_random(void)
{
	uint64_t x = random_state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/* Returns how many of the connections find no slot. */
static unsigned int without_slot(const struct shape *shape, const struct bkxdp_settings *settings)
{
	static uint8_t used[BKXDP_CONTROL_SETS];
	struct bkxdp_control_key key = {.control = 0x12345678};
	unsigned int without = 0;

	memset(used, 0, sizeof(used));
	for (uint32_t i = 0; i < FITS; i++) {
		for (int word = 0; word < 4; word++)
			key.address[word] = htonl(shape->first[word] +
						  (word == shape->word ? i * shape->step : 0));
		if (shape->first[2] == BKXDP_MAPPED_WORD)
			key.address[2] = BKXDP_MAPPED_WORD;
		if (++used[bkxdp_control_set_of(settings, &key)] > BKXDP_CONTROL_SLOTS)
			without++;
	}
	return without;
}

static void test_sets(void)
{
	struct bkxdp_settings settings = {.control_sets = BKXDP_CONTROL_SETS};
	enum { TABLES = 20 };

	for (size_t s = 0; s < sizeof(shapes) / sizeof(*shapes); s++) {
		unsigned int without = 0, most = 0, now;

		for (int table = 0; table < TABLES; table++) {
			for (int i = 0; i <= BKXDP_CONTROL_WORDS; i++)
				settings.control_hash[i] = next_random();
			now = without_slot(&shapes[s], &settings);
			without += now;
			most = now > most ? now : most;
		}
		/* 0.02 are expected in each table */
		check(without <= 4 && most <= 3,
		      "%s: of 65,536 in each of 20 tables %u find no slot, at most %u in one",
		      shapes[s].name, without, most);
	}
}

/* ---- packets --------------------------------------------------------------- */

static enum bkxdp_reason judged(struct engine *engine, uint64_t now, const struct frame *frame)
{
	static _Thread_local uint8_t bytes[BUILD_BYTES_MAX];
	static pthread_mutex_t building = PTHREAD_MUTEX_INITIALIZER;
	struct judgement judgement = {};
	size_t length;

	pthread_mutex_lock(&building);
	length = build(frame, bytes);
	pthread_mutex_unlock(&building);
	if (engine->judge(engine, bytes, (uint32_t)length, now, &judgement))
		return BKXDP_UNDECIDED;
	return judgement.reason;
}

#define JUDGE(engine, now, ...) judged(engine, now, &(struct frame){__VA_ARGS__})

static enum bkxdp_reason data_of(struct engine *engine, uint64_t now, const char *peer)
{
	return JUDGE(engine, now, .from = peer, .to = SELF6, .dport = 20000);
}

static void flood(struct engine *engine, uint64_t now, unsigned int from, unsigned int to)
{
	char peer[64];

	for (unsigned int i = from; i < to; i++) {
		snprintf(peer, sizeof(peer), "2001:db8:1::%x:%x", 1 + i / 65536, i % 65536);
		JUDGE(engine, now, .from = peer, .to = SELF6, .dport = 10000, .flags = ACK);
	}
}

/* A peer that is real says something, is idle, and its whole /64 is forged. */
static void test_forged(struct engine *engine)
{
	static const char peer[] = "2001:db8:1::5", late[] = "2001:db8:1::6";
	uint64_t now = SECOND;
	char *name = must_copy(engine->name);

	check_text(reason_word(data_of(engine, now, peer)), "control", "%s: no control", name);
	JUDGE(engine, now, .from = peer, .to = SELF6, .dport = 10000);
	check_text(reason_word(data_of(engine, now, peer)), "flow", "%s: control", name);
	now += 3600 * SECOND;
	flood(engine, now, 0, 40000);
	check_text(reason_word(data_of(engine, now, peer)), "flow",
		   "%s: 40,000 forged segments of other addresses do not push it out", name);
	JUDGE(engine, now, .from = late, .to = SELF6, .dport = 10000);
	check_text(reason_word(data_of(engine, now, late)), "flow",
		   "%s: and leave room for one more", name);
	flood(engine, now, 40000, 600000);
	check_text(reason_word(data_of(engine, now, peer)), "flow",
		   "%s: neither do 600,000, which fill the table", name);
	check_text(reason_word(data_of(engine, now, late)), "flow",
		   "%s: nor do they push out the other", name);
	JUDGE(engine, now, .from = peer, .to = SELF6, .dport = 10000, .flags = RST);
	check_text(reason_word(data_of(engine, now, peer)), "control", "%s: its end is seen", name);
	free(name);
}

/* ---- two CPUs -------------------------------------------------------------- */

#define ROUNDS 20000

static struct engine *shared;
static uint64_t shared_now;
static atomic_uint arrived;

/* Both threads leave it at the same moment. */
static void meet(unsigned int *round)
{
	unsigned int all = 2 * ++*round;

	atomic_fetch_add(&arrived, 1);
	while (atomic_load(&arrived) < all)
		;
}

struct side_of_race {
	const char *peer;
	int cpu;
	unsigned int lost, mixed;
};

/* In each round both note a connection, look, end it, and look again. */
static void *race(void *argument)
{
	struct side_of_race *side = argument;
	unsigned int round = 0;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(side->cpu, &cpus);
	(void)sched_setaffinity(0, sizeof(cpus), &cpus);
	for (int i = 0; i < ROUNDS; i++) {
		uint16_t port = 1024 + i;

		meet(&round);
		JUDGE(shared, shared_now, .from = side->peer, .sport = port, .dport = 10000,
		      .flags = ACK);
		meet(&round);
		if (JUDGE(shared, shared_now, .from = side->peer, .dport = 20000) !=
		    BKXDP_PASS_FLOW)
			side->lost++;
		meet(&round);
		JUDGE(shared, shared_now, .from = side->peer, .sport = port, .dport = 10000,
		      .flags = RST);
		meet(&round);
		if (JUDGE(shared, shared_now, .from = side->peer, .dport = 20000) !=
		    BKXDP_DROP_CONTROL)
			side->mixed++;
		meet(&round);
		/* what has ended may be replaced in the next round */
		if (!side->cpu)
			shared_now += (BKXDP_CONTROL_ENDED_SECONDS + 1) * SECOND;
	}
	return NULL;
}

static void test_race(struct engine *engine)
{
	struct side_of_race side[2] = {{"10.1.0.5", 0, 0, 0}, {"10.1.0.6", 1, 0, 0}};
	pthread_t other;

	shared = engine;
	shared_now = SECOND;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		skip("two CPUs note connections in one set", "this machine has one CPU");
		return;
	}
	must_have(pthread_create(&other, NULL, race, &side[1]) ? NULL : side);
	race(&side[0]);
	pthread_join(other, NULL);
	check_int(side[0].lost + side[1].lost, 0,
		  "two CPUs note connections in one set: none is lost");
	check_int(side[0].mixed + side[1].mixed, 0, "and none outlives its end");
}

/* ---- all ------------------------------------------------------------------- */

static void run(const char *variant, struct engine *(*open)(const struct tables *),
		void (*test)(struct engine *))
{
	struct policy *policy = variant_policy(variant);
	struct tables *tables = variant_tables(policy);
	struct engine *engine = open(tables);

	if (engine) {
		test(engine);
		engine->close(engine);
	} else if (kernel_is_closed(errno)) {
		skip(variant, strerror(errno));
	} else {
		check(false, "%s: %s", variant, strerror(errno));
	}
	tables_free(tables);
	policy_free(policy);
}

static struct engine *kernel(const struct tables *tables)
{
	return engine_kernel(tables, CACHE_ON);
}

static struct engine *kernel_without_cache(const struct tables *tables)
{
	return engine_kernel(tables, CACHE_OFF);
}

int main(void)
{
	test_sets();
	run("control", engine_user, test_forged);
	run("control", kernel, test_forged);
	run("one-set", kernel_without_cache, test_race);
	return tap_done();
}
