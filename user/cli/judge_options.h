/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `explain` and `replay` share: the policy of an interface file, and the engine that
 * judges by it.
 */
#ifndef CLI_JUDGE_OPTIONS_H
#define CLI_JUDGE_OPTIONS_H

#include "base/options.h"
#include "config/site.h"
#include "engine/engine.h"

struct bench_options {
	const char *verb;
	const char *engine;      /* "kernel", "user", or NULL: the first that is permitted */
	const char *connections; /* "flags", "sockets", or NULL: by flags */
	struct values dirs;      /* --profiles */
	bool resolve;
};

struct bench {
	struct policy *policy;
	struct tables *tables; /* NULL if an attached program judges */
	struct engine *engine;
};

/* True if the file's policy asks the socket table, but TCP flags were used here instead. */
bool bench_by_flags_only(const struct bench *bench);

/*
 * Reads and compiles the policy and opens the engine. Returns 0, or an exit status after
 * reporting what is wrong.
 */
int bench_open(struct bench *bench, const char *file, const struct bench_options *options);
/* Changes to the user engine, which has seen no packet yet, and prints why unless that is NULL. */
void bench_to_user_space(struct bench *bench, const char *why);
void bench_close(struct bench *bench);

#endif
