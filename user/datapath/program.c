// SPDX-License-Identifier: GPL-2.0-only
/* Opens the program, sets its constants and loads it. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#include "datapath/internal.h"

/* The verifier's log level for statistics without instructions. */
#define VERIFIER_STATISTICS 4

const struct map_name map_names[MAP_COUNT] = {
	[MAP_GLOBALS] = {".bss", "words", true},
	[MAP_PEERS] = {"peers", "peers", false},
	[MAP_SERVICES] = {"services", "services", false},
	[MAP_CONTROLS] = {"controls", "controls", false},
	[MAP_CONTROL_COUNTS] = {"control_counts", "control_counts", true},
	[MAP_REASONS] = {"reasons", "reasons", true},
	[MAP_FLOWS] = {"flows", "flows", true},
	[MAP_NAMES] = {"names", "names", true},
	[MAP_ATTACHMENT] = {"attachment", "attachment", true},
	[MAP_RINGS] = {"rings", "rings", false},
	[MAP_GROUPS] = {"groups", "groups", false},
	[MAP_WATCH_STATE] = {"watch_state", "watch_state", false},
	[MAP_CONTROL_PEERS] = {"control_peers", "control_peers", false},
	[MAP_CONTROL_OLDER] = {"control_older", "control_older", false},
	[MAP_BOUND] = {"bound_connections", "bound_connections", false},
	[MAP_CONTROL_TUPLES] = {"control_tuples", "control_tuples", false},
	[MAP_MEMORY_WANTED] = {"memory_wanted", "memory_wanted", false},
	[MAP_MEMORY_LOST] = {"memory_lost", "memory_lost", true},
};

int program_frags_supported(void)
{
	struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "probe", "GPL", pass, 2, &opts);

	if (fd >= 0)
		close(fd);
	if (fd >= 0)
		return 1;
	return errno == EINVAL ? 0 : -errno;
}

bool program_sockets_supported(void)
{
	/* an error of the probe is ignored: if the helpers are missing, the load reports it */
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_skc_lookup_tcp, NULL) != 0 &&
	       libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_sk_lookup_udp, NULL) != 0;
}

static struct bpf_map *map_of(const struct bkxdp_bpf *program, enum map map)
{
	return bpf_object__find_map_by_name(program->obj, map_names[map].program);
}

void program_maps(const struct bkxdp_bpf *program, struct maps *maps)
{
	for (int i = 0; i < MAP_COUNT; i++)
		maps->fd[i] = bpf_map__fd(map_of(program, i));
}

/* A test run gets a small memory of its own, unless it shares the host's. */
#define TEST_MEMORY_ENTRIES 1024

static int shrink_memory(const struct bkxdp_bpf *program)
{
	int error = 0;

	for (int i = MAP_CONTROL_PEERS; i <= MAP_CONTROL_TUPLES && !error; i++)
		error = bpf_map__set_max_entries(map_of(program, i), TEST_MEMORY_ENTRIES);
	return error;
}

static int reuse(const struct bkxdp_bpf *program, const struct maps *maps)
{
	for (int i = 0; i < MAP_COUNT; i++) {
		int error;

		if (maps->fd[i] < 0)
			continue;
		error = bpf_map__reuse_fd(map_of(program, i), maps->fd[i]);
		if (error)
			return error;
	}
	return 0;
}

struct bkxdp_bpf *program_open(const struct program_plan *plan)
{
	struct bkxdp_bpf *program = bkxdp_bpf__open();
	size_t log_size;
	char *log = libraries_verifier_buffer(&log_size);
	int error = 0;

	if (!program)
		return NULL;
	program->rodata->bkxdp_frags = plan->frags;
	program->rodata->bkxdp_sockets = plan->sockets;
	if (plan->cache == CACHE_OFF)
		program->rodata->bkxdp_cache_entries = program->rodata->bkxdp_source_prefilter = 0;
	if (plan->cache == CACHE_ONE_ENTRY)
		program->rodata->bkxdp_cache_entries = 1;
	program->rodata->bkxdp_report = plan->purpose == PROGRAM_TEST_RUN;
	if (plan->frags)
		error = bpf_program__set_flags(program->progs.bkxdp, BPF_F_XDP_HAS_FRAGS);
	if (!error)
		error = bpf_program__set_log_buf(program->progs.bkxdp, log, log_size);
	if (!error)
		error = bpf_program__set_log_level(program->progs.bkxdp, VERIFIER_STATISTICS);
	if (!error && plan->purpose == PROGRAM_TEST_RUN)
		error = shrink_memory(program);
	if (!error && plan->reuse)
		error = reuse(program, plan->reuse);
	if (error) {
		bkxdp_bpf__destroy(program);
		errno = -error;
		return NULL;
	}
	return program;
}

struct bkxdp_bpf *program_load(const struct program_plan *plan)
{
	struct bkxdp_bpf *program = program_open(plan);
	int error;

	if (!program)
		return NULL;
	error = bkxdp_bpf__load(program);
	if (error) {
		bkxdp_bpf__destroy(program);
		errno = -error;
		return NULL;
	}
	return program;
}
