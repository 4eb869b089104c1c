/* SPDX-License-Identifier: GPL-2.0-only */
/* What `explain` and `replay` share: the policy of an interface file, and who judges by it. */
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
	struct tables *tables; /* NULL where an attached program judges */
	struct engine *engine;
};

/* Whether the file leaves to the socket table what was judged by TCP flags here. */
bool bench_by_flags_only(const struct bench *bench);

/* Read, compiled and ready to judge; or an exit status, with all that is wrong explained. */
int bench_open(struct bench *bench, const char *file, const struct bench_options *options);
/* From now on the user engine judges, which has seen no packet; says why unless that is NULL. */
void bench_to_user_space(struct bench *bench, const char *why);
void bench_close(struct bench *bench);

#endif
