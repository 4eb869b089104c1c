// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: any bytes as a frame, judged by the code that runs in the kernel. The first
 * byte of the input picks the policy; if its high bit is set, a control connection is opened
 * before. The oracle must not object.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/engine.h"
#include "oracle.h"
#include "packets.h"
#include "policy/reasons.h"
#include "variants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VARIANTS_MAX 32

static struct {
	struct policy *policy;
	struct engine *engine;
} court[VARIANTS_MAX];
static size_t courts;

static void open_courts(void)
{
	for (courts = 0; courts < VARIANTS_MAX && variant_name(courts); courts++) {
		court[courts].policy = variant_policy(variant_name(courts));
		/* never freed: they are needed until the last input */
		court[courts].engine = engine_user(variant_tables(court[courts].policy));
	}
}

static void judge(size_t number, const uint8_t *frame, size_t length, uint64_t now)
{
	struct judgement judgement = {};
	const char *objection;

	if (court[number].engine->judge(court[number].engine, frame, (uint32_t)length, now,
					&judgement))
		abort();
	objection = oracle_objects(court[number].policy, frame, length, &judgement);
	if (!objection)
		return;
	fprintf(stderr, "%s: %s: %s\n", variant_name(number), reason_word(judgement.reason),
		objection);
	abort();
}

static void open_control(size_t number, uint64_t now)
{
	static const struct frame opening[] = {{.from = PEER},
					       {.from = PEER6},
					       {.from = "10.1.0.5"},
					       {.from = "10.1.0.5", .dport = 100}};
	static uint8_t bytes[BUILD_BYTES_MAX];

	for (size_t i = 0; i < sizeof(opening) / sizeof(opening[0]); i++)
		judge(number, bytes, build(&opening[i], bytes), now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t now;
	size_t number;

	if (!courts)
		open_courts();
	if (!size)
		return 0;
	/* so that nothing is remembered from one input to the next */
	now += ROW_NS;
	number = (data[0] & 0x7f) % courts;
	if (data[0] & 0x80)
		open_control(number, now);
	judge(number, data + 1, size - 1, now);
	return 0;
}
