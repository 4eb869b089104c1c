// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this kernel can do of what bkxdp uses, and what its verifier says of the
 * program as it would be attached here. Lines "NAME VALUE".
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "datapath_internal.h"

static const char *yes(bool holds)
{
	return holds ? "yes" : "no";
}

static bool batches_supported(void)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "probe", 4, 4, 2, NULL);
	uint32_t keys[2] = {1, 2}, values[2] = {0}, count = 2;
	bool taken = fd >= 0 && !bpf_map_update_batch(fd, keys, values, &count, &opts);

	if (fd >= 0)
		close(fd);
	return taken;
}

/* Level 4: figures only, and the reason of a refusal. */
static int verify(const struct program_plan *plan)
{
	static char log[65536];
	struct bkxdp_bpf *program = program_open(plan);
	unsigned long instructions, microseconds;
	const char *figures;
	int error;

	if (!program)
		return -errno;
	bpf_program__set_log_buf(program->progs.bkxdp, log, sizeof(log));
	bpf_program__set_log_level(program->progs.bkxdp, 4);
	error = bkxdp_bpf__load(program);
	bkxdp_bpf__destroy(program);
	figures = strstr(log, "processed ");
	if (figures && sscanf(figures, "processed %lu", &instructions) == 1)
		printf("instructions %lu\n", instructions);
	figures = strstr(log, "verification time ");
	if (figures && sscanf(figures, "verification time %lu", &microseconds) == 1)
		printf("microseconds %lu\n", microseconds);
	if (error)
		printf("refused %s\n%s\n", strerror(-error), log);
	return error;
}

int main(void)
{
	struct program_plan plan = {
		.purpose = PROGRAM_ATTACHED,
		.frags = program_frags_supported(),
		.sockets = program_sockets_supported(),
		.cache = CACHE_ON,
	};

	libraries_listen();
	printf("frags %s\n", yes(plan.frags));
	printf("sockets %s\n", yes(plan.sockets));
	printf("batches %s\n", yes(batches_supported()));
	return verify(&plan) ? 1 : 0;
}
