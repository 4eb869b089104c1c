// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells which features this kernel has. If a test compares the answer with bkxdp's, it is found
 * without bkxdp's own code.
 *
 *	probe frags           programs for frames of several buffers
 *	probe native DEVICE   its driver takes a program, as the device is now
 *	probe sockets         programs may ask the socket table
 *	probe batches         maps are filled by batches
 *	probe verifier        takes the filter; prints what that cost
 *
 * 0 yes, 1 no, 2 misused.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datapath/internal.h"

/* Loads a program that returns XDP_PASS. */
static int load_pass(uint32_t flags)
{
	struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = flags);

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "probe", "GPL", pass, 2, &opts);
}

static bool frags(void)
{
	int fd = load_pass(BPF_F_XDP_HAS_FRAGS);

	return fd >= 0 && !close(fd);
}

static bool native(const char *device)
{
	uint32_t flags = XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST;
	int fd = load_pass(frags() ? BPF_F_XDP_HAS_FRAGS : 0), index = if_nametoindex(device);
	bool taken = fd >= 0 && index && !bpf_xdp_attach(index, fd, flags, NULL);

	if (taken)
		bpf_xdp_detach(index, XDP_FLAGS_DRV_MODE, NULL);
	if (fd >= 0)
		close(fd);
	return taken;
}

static bool sockets(void)
{
	return program_sockets_supported();
}

static bool batches(void)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "probe", 4, 4, 2, NULL);
	uint32_t keys[2] = {1, 2}, values[2] = {0}, count = 2;
	bool taken = fd >= 0 && !bpf_map_update_batch(fd, keys, values, &count, &opts);

	if (fd >= 0)
		close(fd);
	return taken;
}

/* Returns the last figure behind these words in the log. */
static unsigned long figure(const char *log, const char *words)
{
	unsigned long value = 0;

	while ((log = strstr(log, words))) {
		log += strlen(words);
		value = strtoul(log, NULL, 10);
	}
	return value;
}

/* Before 5.16 only the log has it. */
static unsigned long instructions(const struct bkxdp_bpf *program, const char *log)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);
	int fd = bpf_program__fd(program->progs.bkxdp);

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size) && info.verified_insns)
		return info.verified_insns;
	return figure(log, "processed ");
}

/* Level 4 prints figures only, and the reason of a refusal. */
static bool is_taken(const char *name, enum cache_use cache)
{
	static char log[65536];
	struct program_plan plan = {
		.purpose = PROGRAM_ATTACHED,
		.frags = program_frags_supported() > 0,
		.sockets = program_sockets_supported(),
		.cache = cache,
	};
	struct bkxdp_bpf *program = program_open(&plan);
	int error;

	if (!program)
		return false;
	bpf_program__set_log_buf(program->progs.bkxdp, log, sizeof(log));
	bpf_program__set_log_level(program->progs.bkxdp, 4);
	error = bkxdp_bpf__load(program);
	printf("%s %lu instructions %lu microseconds\n", name, instructions(program, log),
	       figure(log, "verification time "));
	bkxdp_bpf__destroy(program);
	if (error)
		printf("refused %s: %s\n%s\n", name, strerror(-error), log);
	return !error;
}

static bool verifier(void)
{
	bool cached = is_taken("program", CACHE_ON);

	return is_taken("program-without-cache", CACHE_OFF) && cached;
}

static const struct probe {
	const char *word;
	bool (*ask)(void);
} probes[] = {
	{"frags", frags},
	{"sockets", sockets},
	{"batches", batches},
	{"verifier", verifier},
};

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	libraries_capture_log();
	if (argc == 3 && !strcmp(word, "native"))
		return native(argv[2]) ? 0 : 1;
	for (size_t i = 0; argc == 2 && i < sizeof(probes) / sizeof(*probes); i++)
		if (!strcmp(word, probes[i].word))
			return probes[i].ask() ? 0 : 1;
	fprintf(stderr, "probe: frags, native DEVICE, sockets, batches or verifier\n");
	return 2;
}
