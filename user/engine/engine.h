/* SPDX-License-Identifier: GPL-2.0-only */
/* What judges a frame: the real program in a test run, or the same C code in user space. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <bkxdp/verdict.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/compile.h"

struct judgement {
	enum bkxdp_reason reason;
	unsigned int rule; /* index into policy.rules; only if the reason is BKXDP_PASS_FLOW */
	bool passes;       /* is the packet passed? In audit mode it is, whatever the reason */
};

struct engine {
	const char *name; /* "kernel", "user" */
	/* Judges a frame. `now` is in ns and must not go back. Returns 0 or a negative errno. */
	int (*judge)(struct engine *engine, const void *frame, uint32_t length, uint64_t now,
		     struct judgement *judgement);
	/* Returns how many packets the tally has counted. */
	uint64_t (*counted)(struct engine *engine, unsigned int tally);
	void (*close)(struct engine *engine);
};

/* The same code in user space. The tables must outlive the engine. */
struct engine *engine_user(const struct tables *tables);

/* Use of the datapath's flow cache and source prefilter, which change no verdict. */
enum cache_use {
	CACHE_ON,
	CACHE_OFF,       /* without the source prefilter, too */
	CACHE_ONE_ENTRY, /* all flows share one entry: for tests */
};

/*
 * The real program in test runs; it is loaded for this engine and attached to nothing. Returns
 * NULL with errno: EPERM if the caller may not load programs. `tables` may be freed afterwards.
 */
struct engine *engine_kernel(const struct tables *tables, enum cache_use cache);

#endif
