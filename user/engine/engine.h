/* SPDX-License-Identifier: GPL-2.0-only */
/* Who judges a frame: the real program in a test run, or the same C in user space. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include <bkxdp/verdict.h>

#include "policy/compile.h"

struct judgement {
	enum bkxdp_reason reason;
	unsigned int rule; /* index into policy.rule; with BKXDP_PASS_FLOW */
	bool passes;       /* what becomes of the packet: differs from the reason in audit */
};

struct engine {
	const char *name; /* "kernel", "user" */
	/* now: ns, never earlier than in the call before. 0 or negative errno. */
	int (*judge)(struct engine *engine, const void *frame, uint32_t length, uint64_t now,
		     struct judgement *judgement);
	/* Packets of a tally so far; the kernel's own counters in the kernel's engine. */
	uint64_t (*counted)(struct engine *engine, unsigned int tally);
	void (*close)(struct engine *engine);
};

/* The tables must outlive the engine. */
struct engine *engine_user(const struct tables *tables);

/* The datapath's accelerators, which change no verdict. */
enum cache_use {
	CACHE_ON,
	CACHE_OFF,       /* also without the first look at sources */
	CACHE_ONE_ENTRY, /* all flows meet in one entry: for tests */
};

/*
 * A program of its own, attached to nothing, in a test run. NULL with errno:
 * EPERM where the caller may not load programs. `tables` may be freed after.
 */
struct engine *engine_kernel(const struct tables *tables, enum cache_use cache);

#endif
