// SPDX-License-Identifier: GPL-2.0-only
#include "cli/judge_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/exit.h"
#include "policy/compile.h"

static int engine_failed(int error)
{
	if (error == EPERM || error == EACCES)
		return fail("judging with the kernel's program needs CAP_BPF and CAP_NET_ADMIN: "
			    "run it as root, or with --engine user");
	return fail("the kernel does not take the program: %s; --engine user needs no kernel",
		    strerror(error));
}

void bench_to_user_space(struct bench *bench, const char *why)
{
	if (bench->engine)
		bench->engine->close(bench->engine);
	bench->engine = engine_user(bench->tables);
	if (why)
		fprintf(stderr, "bkxdp: judged by the same code in user space, %s\n", why);
}

static int open_engine(struct bench *bench, const char *choice)
{
	const char *why = NULL;

	if (!choice || strcmp(choice, "user") != 0) {
		bench->engine = engine_kernel(bench->tables, CACHE_ON);
		if (bench->engine)
			return EXIT_DONE;
		if (choice)
			return engine_failed(errno);
		why = errno == EPERM || errno == EACCES
			      ? "without CAP_BPF and CAP_NET_ADMIN"
			      : "because the kernel does not take the program";
	}
	bench_to_user_space(bench, why);
	return EXIT_DONE;
}

static int read_policy(struct bench *bench, const char *file, const struct bench_options *options)
{
	struct site_lookup lookup = {options->dirs.value, options->dirs.count, options->resolve};
	struct diagnostics diag = {};

	bench->policy = site_read(file, &lookup, &diag);
	if (bench->policy)
		bench->tables = compile(bench->policy, &diag);
	diag_print(&diag);
	diag_free(&diag);
	if (!bench->policy || !bench->tables)
		return EXIT_FAILED;
	for (size_t i = 0; i < bench->policy->n_notes; i++)
		fprintf(stderr, "bkxdp: %s\n", bench->policy->notes[i]);
	return EXIT_DONE;
}

static int check_words(const struct bench_options *options)
{
	const char *engine = options->engine, *connections = options->connections;

	if (engine && strcmp(engine, "kernel") != 0 && strcmp(engine, "user") != 0)
		return misuse(options->verb, "--engine %s: it is kernel or user", engine);
	if (connections && strcmp(connections, "flags") != 0 && strcmp(connections, "sockets") != 0)
		return misuse(options->verb, "--connections %s: it is flags or sockets",
			      connections);
	return EXIT_DONE;
}

int bench_open(struct bench *bench, const char *file, const struct bench_options *options)
{
	int status = check_words(options);

	*bench = (struct bench){};
	if (!status)
		status = read_policy(bench, file, options);
	if (!status) {
		bool sockets = options->connections && !strcmp(options->connections, "sockets");

		/* packets that nobody sent belong to no socket */
		bench->tables->settings.connections =
			sockets ? BKXDP_CONNECTIONS_SOCKETS : BKXDP_CONNECTIONS_FLAGS;
		status = open_engine(bench, options->engine);
	}
	if (status)
		bench_close(bench);
	return status;
}

bool bench_by_flags_only(const struct bench *bench)
{
	return bench->tables && bench->policy->settings.connections == BKXDP_CONNECTIONS_SOCKETS &&
	       bench->tables->settings.connections == BKXDP_CONNECTIONS_FLAGS;
}

void bench_close(struct bench *bench)
{
	if (bench->engine)
		bench->engine->close(bench->engine);
	tables_free(bench->tables);
	policy_free(bench->policy);
	*bench = (struct bench){};
}
