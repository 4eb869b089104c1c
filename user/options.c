// SPDX-License-Identifier: GPL-2.0-only
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "compile.h"

static int engine_failed(int error)
{
	if (error == EPERM || error == EACCES)
		return fail("judging with the kernel's program needs CAP_BPF and CAP_NET_ADMIN: "
			    "run it as root, or with --engine user");
	return fail("the kernel does not take the program: %s; --engine user needs no kernel",
		    strerror(error));
}

static void say_user_space(int error)
{
	const char *why = error == EPERM || error == EACCES
				  ? "without CAP_BPF and CAP_NET_ADMIN"
				  : "because the kernel does not take the program";

	fprintf(stderr, "bkxdp: judged by the same code in user space, %s\n", why);
}

static int open_engine(struct bench *bench, const char *choice)
{
	if (!choice || strcmp(choice, "user") != 0) {
		bench->engine = engine_kernel(bench->tables);
		if (bench->engine)
			return EXIT_DONE;
		if (choice)
			return engine_failed(errno);
		say_user_space(errno);
	}
	bench->engine = engine_user(bench->tables);
	return EXIT_DONE;
}

static int read_policy(struct bench *bench, const char *file, const struct bench_options *options)
{
	struct site_lookup lookup = {options->dirs.value, options->dirs.count, options->resolve};
	struct complaints complaints = {};

	bench->policy = site_read(file, &lookup, &complaints);
	if (bench->policy)
		bench->tables = compile(bench->policy, &complaints);
	complaints_print(&complaints);
	complaints_free(&complaints);
	if (!bench->tables)
		return EXIT_FAILED;
	for (size_t i = 0; i < bench->policy->notes; i++)
		fprintf(stderr, "bkxdp: %s\n", bench->policy->note[i]);
	return EXIT_DONE;
}

int bench_open(struct bench *bench, const char *file, const struct bench_options *options)
{
	int status;

	*bench = (struct bench){};
	if (options->engine && strcmp(options->engine, "kernel") != 0 &&
	    strcmp(options->engine, "user") != 0)
		return misuse(options->verb, "--engine %s: it is kernel or user", options->engine);
	status = read_policy(bench, file, options);
	if (!status)
		status = open_engine(bench, options->engine);
	if (status)
		bench_close(bench);
	return status;
}

void bench_close(struct bench *bench)
{
	if (bench->engine)
		bench->engine->close(bench->engine);
	tables_free(bench->tables);
	policy_free(bench->policy);
	*bench = (struct bench){};
}
