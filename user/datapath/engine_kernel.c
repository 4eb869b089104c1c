// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's engine: the program in test runs, with given tables or a copy of the attached
 * policy.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#include "base/memory.h"
#include "datapath/internal.h"

/* The device of test runs: the first of each network namespace. */
#define LOOPBACK 1

struct kernel_engine {
	struct engine engine;
	struct bkxdp_bpf *program;
	struct maps maps;
	int link; /* of a memory of its own; -1: none */
};

static int kernel_judge(struct engine *engine, const void *frame, uint32_t length, uint64_t now,
			struct judgement *judgement)
{
	struct kernel_engine *kernel = (struct kernel_engine *)engine;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = length, .repeat = 1);
	uint32_t reason;

	kernel->program->bss->globals.clock = now;
	if (bpf_prog_test_run_opts(bpf_program__fd(kernel->program->progs.bkxdp), &opts))
		return -errno;
	reason = BKXDP_REPORT_REASON(opts.retval);
	if (!reason || reason >= BKXDP_REASON_COUNT)
		return -EBADMSG;
	judgement->reason = reason;
	judgement->rule = BKXDP_REPORT_RULE(opts.retval);
	judgement->passes = BKXDP_REPORT_ACTION(opts.retval) == XDP_PASS;
	return 0;
}

static uint64_t kernel_counted(struct engine *engine, unsigned int tally)
{
	struct kernel_engine *kernel = (struct kernel_engine *)engine;
	struct bkxdp_counter sum = {};
	uint16_t index = tally;

	(void)counters_read(kernel->maps.fd[MAP_REASONS], &index, 1, &sum);
	return sum.packets;
}

static void kernel_close(struct engine *engine)
{
	struct kernel_engine *kernel = (struct kernel_engine *)engine;

	if (kernel->link >= 0)
		close(kernel->link);
	bkxdp_bpf__destroy(kernel->program);
	free(kernel);
}

static struct kernel_engine *kernel_engine(enum cache_use cache, const struct maps *reuse)
{
	struct program_plan plan = {PROGRAM_TEST_RUN, program_frags_supported() > 0,
				    program_sockets_supported(), cache, reuse};
	struct kernel_engine *kernel;
	struct bkxdp_bpf *program;

	libraries_capture_log();
	program = program_load(&plan);
	if (!program)
		return NULL;
	kernel = must_alloc(1, sizeof(*kernel));
	kernel->engine = (struct engine){"kernel", kernel_judge, kernel_counted, kernel_close};
	kernel->program = program;
	kernel->link = -1;
	program_maps(program, &kernel->maps);
	return kernel;
}

static int know_connections(struct kernel_engine *kernel, const struct tables *tables)
{
	if (tables->settings.connections != BKXDP_CONNECTIONS_SOCKETS || !tables->n_requirements)
		return 0;
	kernel->link = memory_follow_unpinned(&kernel->maps, tables);
	return kernel->link < 0 ? kernel->link : 0;
}

struct engine *engine_kernel(const struct tables *tables, enum cache_use cache)
{
	struct kernel_engine *kernel = kernel_engine(cache, NULL);
	struct tables here = *tables;
	bool all;
	struct bkxdp_active next;
	int error;

	if (!kernel)
		return NULL;
	error = memory_read_devices(LOOPBACK, &here.devices, &all);
	if (!error)
		error = slot_next(&kernel->maps, &next);
	if (!error)
		error = know_connections(kernel, &here);
	if (!error)
		error = slot_publish(&kernel->maps, &next, &here);
	if (error) {
		kernel_close(&kernel->engine);
		errno = -error;
		return NULL;
	}
	return &kernel->engine;
}

/*
 * Copies the present policy to the engine's own maps, which a later reload does not change. Engine
 * and policy must be of one generation. Returns -EAGAIN if a reload came between.
 */
static int open_generation(const char *interface, const struct maps *pinned,
			   struct kernel_engine *kernel, struct policy **policy)
{
	struct bkxdp_active before;
	uint32_t generation;
	int error = slot_active(pinned, &before);

	if (!error)
		error = slot_copy(pinned, &kernel->maps);
	/* an inner map that disappeared was removed by a reload */
	if (error)
		return error == -ENOENT ? -EAGAIN : error;
	*policy = policy_in(interface, pinned, &generation);
	if (!*policy)
		return -errno;
	if (before.generation == generation)
		return 0;
	policy_free(*policy);
	*policy = NULL;
	return -EAGAIN;
}

struct engine *engine_attached(const char *interface, struct policy **policy)
{
	struct kernel_engine *kernel;
	struct maps pinned, memory;
	int error = pins_open(interface, &pinned, 0);

	if (error) {
		errno = -error;
		return NULL;
	}
	memory_of(&pinned, &memory);
	kernel = kernel_engine(CACHE_ON, &memory);
	error = kernel ? -EAGAIN : -errno;
	for (int i = 0; i < RELOAD_TRIES && error == -EAGAIN; i++)
		error = open_generation(interface, &pinned, kernel, policy);
	maps_close(&pinned);
	if (!error)
		return &kernel->engine;
	if (kernel)
		kernel_close(&kernel->engine);
	errno = -error;
	return NULL;
}
