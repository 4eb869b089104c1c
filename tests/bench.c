// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures what scripts/bench has set up; each figure is a line of JSON. All that a command
 * measures is measured in turns, round by round, so that a disturbance of the machine concerns
 * all of it.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "bench.h"

#define CPU 1 /* the first CPU takes most interrupts */

static int usage(void)
{
	fputs("usage: bench cost ROUNDS REPEAT WHO/POLICY/IFACE/PREFIXES/KIND,KIND...\n"
	      "       bench flood ROUNDS SECONDS WHO/POLICY/IFACE/PREFIXES/KIND,KIND...\n"
	      "       bench time ROUNDS WHO/POLICY/WHAT UNDO COMMAND...\n"
	      "       bench send IFACE ROUNDS FRAMES/KIND...\n"
	      "       bench attach IFACE drop|pass\n"
	      "       bench instructions IFACE\n"
	      "See scripts/bench.\n",
	      stderr);
	return 2;
}

static void stay_on_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(CPU % sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* One kind of traffic at one interface. */
struct measured {
	char *who, *policy, *interface;
	uint32_t prefixes;
	const struct kind *kind;
	struct rig *rig;
	int filter;
	struct series value;
};

struct plan {
	struct measured *each;
	size_t count;
};

static int plan_add(struct plan *plan, const char *text)
{
	struct measured proto = {.filter = -1};
	char *kinds = NULL, *rest = NULL;

	if (sscanf(text, "%m[^/]/%m[^/]/%m[^/]/%u/%ms", &proto.who, &proto.policy, &proto.interface,
		   &proto.prefixes, &kinds) != 5)
		return usage();
	for (char *name = strtok_r(kinds, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		proto.kind = kind_find(name);
		if (!proto.kind)
			return 2;
		*APPEND(plan->each, plan->count) = proto;
	}
	free(kinds);
	return 0;
}

static int plan_read(struct plan *plan, char **texts, int count)
{
	int status = 0;

	for (int i = 0; i < count && !status; i++)
		status = plan_add(plan, texts[i]);
	return status;
}

static void plan_print(const struct plan *plan, const char *part, const char *unit)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct measured *m = &plan->each[i];
		struct row row = {part, m->who, m->policy, m->kind->title, unit, m->value};

		row_print(&row);
	}
}

/* The empty program is measured right before the filter, and the difference is kept. */
static int cost_once(struct measured *m, unsigned int repeat)
{
	double empty = rig_cost(m->rig, RIG_EMPTY, m->kind, m->prefixes, repeat);
	double filter = empty < 0 ? -1 : rig_cost(m->rig, m->filter, m->kind, m->prefixes, repeat);

	if (filter < 0) {
		fprintf(stderr, "bench: %s, %s\n", m->who, m->policy);
		return -1;
	}
	series_add(&m->value, filter - empty);
	return 0;
}

static int cost(char **args, int count)
{
	unsigned int rounds = (unsigned int)atoi(args[0]), repeat = (unsigned int)atoi(args[1]);
	struct plan plan = {};
	int status = plan_read(&plan, args + 2, count - 2);

	if (status || kind_sockets())
		return status ? status : 1;
	stay_on_cpu();
	for (size_t i = 0; i < plan.count; i++) {
		plan.each[i].filter = rig_of(plan.each[i].interface, &plan.each[i].rig);
		if (plan.each[i].filter < 0)
			return 1;
	}
	for (unsigned int round = 0; round < rounds; round++)
		for (size_t i = 0; i < plan.count; i++)
			if (cost_once(&plan.each[i], repeat))
				return 1;
	plan_print(&plan, "cost", "ns");
	return 0;
}

static int flood(char **args, int count)
{
	unsigned int rounds = (unsigned int)atoi(args[0]);
	double seconds = atof(args[1]);
	struct plan plan = {};
	int status = plan_read(&plan, args + 2, count - 2);

	if (status)
		return status;
	stay_on_cpu();
	for (unsigned int round = 0; round < rounds; round++)
		for (size_t i = 0; i < plan.count; i++) {
			struct measured *m = &plan.each[i];
			double rate = rig_flood(m->interface, m->kind, m->prefixes, seconds);

			if (rate < 0)
				return 1;
			series_add(&m->value, rate);
		}
	plan_print(&plan, "flood", "packets/s");
	return 0;
}

static int run(char **command, double *seconds, double *mebibytes)
{
	double start = seconds_now();
	struct rusage used;
	int status;
	pid_t pid = fork();

	if (!pid) {
		execvp(command[0], command);
		fprintf(stderr, "bench: %s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
		return -1;
	*seconds = seconds_now() - start;
	*mebibytes = (double)used.ru_maxrss / 1024;
	return status ? -1 : 0;
}

/* The command prints to standard error, because standard output is for rows. */
static int time_it(char **args, int count)
{
	struct row took = {.part = "load", .unit = "s"}, held = {.part = "load", .unit = "MiB"};
	char *who = NULL, *policy = NULL, *what = NULL;
	int keep = dup(STDOUT_FILENO);

	if (count < 4 || keep < 0 ||
	    sscanf(args[1], "%m[^/]/%m[^/]/%m[^\n]", &who, &policy, &what) != 3)
		return usage();
	took.who = held.who = who;
	took.policy = held.policy = policy;
	took.what = must_format("%s, time", what);
	held.what = must_format("%s, peak memory", what);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	for (int rounds = atoi(args[0]); rounds > 0; rounds--) {
		double seconds, mebibytes;

		if (run(args + 3, &seconds, &mebibytes) || (rounds > 1 && system(args[2]))) {
			fprintf(stderr, "bench: failed: %s\n", args[1]);
			return 1;
		}
		series_add(&took.value, seconds);
		series_add(&held.value, mebibytes);
	}
	dup2(keep, STDOUT_FILENO);
	row_print(&took);
	row_print(&held);
	return 0;
}

/*
 * Sends frames until the other end has taken exactly so many of each kind, a part of each in
 * every round.
 */
static int send_frames(char **args, int count)
{
	int rounds = atoi(args[1]);

	for (int round = 0; round < rounds; round++)
		for (int i = 2; i < count; i++) {
			char *slash = strchr(args[i], '/');
			const struct kind *kind = slash ? kind_find(slash + 1) : NULL;
			uint32_t frames = (uint32_t)atoi(args[i]);
			int length = kind ? rig_send(args[0], kind, frames) : -1;

			if (length < 0)
				return 1;
			if (round == rounds - 1)
				printf("%s %u %d\n", kind->name, frames * (uint32_t)rounds, length);
		}
	return 0;
}

static int attach(char **args, int count)
{
	if (count != 2)
		return usage();
	return rig_attach(args[0], !strcmp(args[1], "pass")) ? 1 : 0;
}

static int instructions(char **args, int count)
{
	uint32_t walked;

	if (count != 1)
		return usage();
	if (rig_instructions(args[0], &walked))
		return 1;
	printf("%u\n", walked);
	return 0;
}

static const struct verb {
	const char *word;
	int (*run)(char **args, int count);
	int least;
} verbs[] = {
	{"cost", cost, 3},        {"flood", flood, 3},   {"time", time_it, 4},
	{"send", send_frames, 3}, {"attach", attach, 2}, {"instructions", instructions, 1},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[1], verbs[i].word) && argc - 2 >= verbs[i].least)
			return verbs[i].run(argv + 2, argc - 2);
	return usage();
}
