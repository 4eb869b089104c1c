/* SPDX-License-Identifier: GPL-2.0-only */
/* What `explain` and `replay` share: a policy and who judges by it. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "engine.h"
#include "site.h"

enum engine_choice { ENGINE_ANY, ENGINE_KERNEL, ENGINE_USER };

struct bench_options {
	enum engine_choice choice;
	const char **dir;
	size_t dirs;
	bool resolve;
	bool json;
	bool help;
};

/* For getopt_long(): what both commands have. */
// clang-format off
#define BENCH_OPTIONS                                   \
	{"engine", required_argument, NULL, 'e'},       \
	{"profiles", required_argument, NULL, 'p'},     \
	{"resolve", no_argument, NULL, 'r'},            \
	{"json", no_argument, NULL, 'j'},               \
	{"help", no_argument, NULL, 'h'}
// clang-format on

/* One of them, or what getopt_long() says of a wrong one: 0 or the status of misuse. */
int bench_option(struct bench_options *options, const char *verb, int option, char **argv);

struct bench {
	struct policy *policy;
	struct tables *tables; /* NULL where an attached program judges */
	struct engine *engine;
};

/* Read, compiled and ready to judge; or an exit status, with all that is wrong explained. */
int bench_open(struct bench *bench, const char *file, const struct bench_options *options);
void bench_close(struct bench *bench);

#endif
