// SPDX-License-Identifier: GPL-2.0-only
/* The program: its switches, its loading, its test runs, and why it was refused. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "alloc.h"
#include "datapath_internal.h"
#include "privileges.h"

const struct map_name map_names[MAP_COUNT] = {
	[MAP_WORDS] = {".bss", "words", true},
	[MAP_PEERS] = {"peers", "peers", false},
	[MAP_SERVICES] = {"services", "services", false},
	[MAP_CONTROLS] = {"controls", "controls", false},
	[MAP_REASONS] = {"reasons", "reasons", true},
	[MAP_FLOWS] = {"flows", "flows", true},
	[MAP_NAMES] = {"names", "names", false},
	[MAP_ATTACHMENT] = {"attachment", "attachment", true},
	[MAP_RINGS] = {"rings", "rings", false},
	[MAP_GROUPS] = {"groups", "groups", false},
	[MAP_WATCH_STATE] = {"watch_state", "watch_state", false},
};

/* ---- what the libraries say ------------------------------------------------ */

static char said[8192];

/*
 * The verifier writes here, at the level of statistics: with a buffer of its own
 * libbpf would repeat a refused load with ever larger logs of every instruction.
 */
static char verified[65536];
#define VERIFIER_STATISTICS 4

#define LAST_WORDS_MAX 600

/* Keeps the end: the reason stands last in a verifier's log. */
static void listen_to(const char *format, va_list args)
{
	char line[sizeof(said) / 2];
	size_t have = strlen(said), length;

	vsnprintf(line, sizeof(line), format, args);
	length = strlen(line);
	if (have + length >= sizeof(said)) {
		size_t drop = have + length - sizeof(said) + 1;

		memmove(said, said + drop, have - drop + 1);
		have -= drop;
	}
	memcpy(said + have, line, length + 1);
}

static int from_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level != LIBBPF_DEBUG)
		listen_to(format, args);
	return 0;
}

static int from_libxdp(enum libxdp_print_level level, const char *format, va_list args)
{
	if (level != LIBXDP_DEBUG)
		listen_to(format, args);
	return 0;
}

void libraries_listen(void)
{
	said[0] = verified[0] = '\0';
	libbpf_set_print(from_libbpf);
	libxdp_set_print(from_libxdp);
}

/* The netlink answer's text: libbpf prints it behind these words. */
const char *libraries_kernel_words(void)
{
	static const char mark[] = "Kernel error message: ";
	static char words[256];
	const char *found = said, *last = NULL;

	while ((found = strstr(found, mark)))
		last = found += strlen(mark);
	snprintf(words, sizeof(words), "%.*s", last ? (int)strcspn(last, "\n") : 0,
		 last ? last : "");
	return words;
}

/* The end of what the verifier said, else of what the libraries did. */
static const char *last_words(void)
{
	const char *text = *verified ? verified : said;
	size_t length = strlen(text);

	return length > LAST_WORDS_MAX ? text + length - LAST_WORDS_MAX : text;
}

void complain_of_load(struct complaints *complaints, const char *doing, int error)
{
	AUTO_FREE char *missing = privileges_missing();
	const char *words = last_words();

	if (error == -EPERM && *missing)
		complain(complaints, NULL,
			 "%s needs %s, which this process does not have: run it as root", doing,
			 missing);
	else if (error == -EPERM)
		complain(complaints, NULL,
			 "%s: the kernel refuses BPF to this process though it has the "
			 "capabilities: a "
			 "container, a seccomp filter or kernel lockdown forbids it",
			 doing);
	else if (error == -EROFS)
		complain(complaints, NULL, "%s: %s is mounted read-only", doing, pins_bpffs());
	else if (error == -ENOMEM || error == -E2BIG)
		complain(complaints, NULL,
			 "%s: the kernel has no memory for the policy's maps (%s)", doing,
			 strerror(-error));
	else if (access("/sys/kernel/btf/vmlinux", F_OK))
		complain(
			complaints, NULL,
			"%s: the kernel refused the program (%s), for it was built without BTF, "
			"by which it knows what the program's functions take: bkxdp needs a kernel "
			"with CONFIG_DEBUG_INFO_BTF=y",
			doing, strerror(-error));
	else
		complain(complaints, NULL,
			 "%s: the kernel refused the program or a map (%s); bkxdp needs Linux 5.10 "
			 "or "
			 "later%s%s",
			 doing, strerror(-error), *words ? ". It said: " : "", words);
}

/* ---- the program ----------------------------------------------------------- */

bool program_frags_supported(void)
{
	struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "probe", "GPL", pass, 2, &opts);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool program_sockets_supported(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_skc_lookup_tcp, NULL) == 1 &&
	       libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_sk_lookup_udp, NULL) == 1;
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
	int error = 0;

	if (!program)
		return NULL;
	program->rodata->bkxdp_frags = plan->frags;
	program->rodata->bkxdp_sockets = plan->sockets;
	if (plan->cache == CACHE_OFF)
		program->rodata->bkxdp_cache_entries = program->rodata->bkxdp_first_look = 0;
	if (plan->cache == CACHE_ONE_ENTRY)
		program->rodata->bkxdp_cache_entries = 1;
	program->rodata->bkxdp_report = plan->purpose == PROGRAM_TEST_RUN;
	if (plan->frags)
		error = bpf_program__set_flags(program->progs.bkxdp, BPF_F_XDP_HAS_FRAGS);
	if (!error)
		error = bpf_program__set_log_buf(program->progs.bkxdp, verified, sizeof(verified));
	if (!error)
		error = bpf_program__set_log_level(program->progs.bkxdp, VERIFIER_STATISTICS);
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

/* ---- test runs ------------------------------------------------------------- */

struct kernel_engine {
	struct engine engine;
	struct bkxdp_bpf *program;
	struct maps maps;
};

static int kernel_judge(struct engine *engine, const void *frame, uint32_t length, uint64_t now,
			struct judgement *judgement)
{
	struct kernel_engine *kernel = (struct kernel_engine *)engine;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = length, .repeat = 1);
	uint32_t reason;

	kernel->program->bss->words.clock = now;
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

static uint64_t kernel_counted(struct engine *engine, enum bkxdp_reason reason)
{
	struct kernel_engine *kernel = (struct kernel_engine *)engine;
	struct bkxdp_counter sum = {};

	(void)counter_read(kernel->maps.fd[MAP_REASONS], reason, &sum);
	return sum.packets;
}

static void kernel_close(struct engine *engine)
{
	struct kernel_engine *kernel = (struct kernel_engine *)engine;

	bkxdp_bpf__destroy(kernel->program);
	free(kernel);
}

static struct kernel_engine *kernel_engine(enum cache_use cache)
{
	struct program_plan plan = {PROGRAM_TEST_RUN, program_frags_supported(),
				    program_sockets_supported(), cache, NULL};
	struct kernel_engine *kernel;
	struct bkxdp_bpf *program;

	libraries_listen();
	program = program_load(&plan);
	if (!program)
		return NULL;
	kernel = must_alloc(1, sizeof(*kernel));
	kernel->engine = (struct engine){"kernel", kernel_judge, kernel_counted, kernel_close};
	kernel->program = program;
	program_maps(program, &kernel->maps);
	return kernel;
}

struct engine *engine_kernel(const struct tables *tables, enum cache_use cache)
{
	struct kernel_engine *kernel = kernel_engine(cache);
	int error;

	if (!kernel)
		return NULL;
	error = slot_publish(&kernel->maps, tables);
	if (error) {
		kernel_close(&kernel->engine);
		errno = -error;
		return NULL;
	}
	return &kernel->engine;
}

/* A copy: judging a packet must not make a control connection live for real ones. */
static int copy_controls(int to, int from)
{
	struct bkxdp_control_key key, *before = NULL;
	struct bkxdp_control control;

	while (!bpf_map_get_next_key(from, before, &key)) {
		before = &key;
		if (bpf_map_lookup_elem(from, &key, &control))
			continue; /* it went away meanwhile */
		if (bpf_map_update_elem(to, &key, &control, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* A program and maps of its own, with the policy of now; a later reload does not reach them. */
static int copy_attached(const struct maps *pinned, const struct kernel_engine *kernel)
{
	int error = slot_copy(pinned, &kernel->maps);

	return error ? error
		     : copy_controls(kernel->maps.fd[MAP_CONTROLS], pinned->fd[MAP_CONTROLS]);
}

/* Engine and description of one and the same generation: -EAGAIN where a reload came between. */
static int open_generation(const char *interface, const struct maps *pinned,
			   struct kernel_engine *kernel, struct policy **policy)
{
	struct description description = {};
	struct bkxdp_active before, after;
	int error = slot_active(pinned, &before);

	if (!error)
		error = copy_attached(pinned, kernel);
	if (!error && !policy_in(interface, pinned, &description))
		error = -errno;
	if (!error)
		error = slot_active(pinned, &after);
	if (!error && before.generation == after.generation) {
		*policy = description.policy;
		return 0;
	}
	policy_free(description.policy);
	/* what is gone under our hands went with a reload */
	return !error || error == -ENOENT ? -EAGAIN : error;
}

#define RELOAD_TRIES 20

struct engine *engine_attached(const char *interface, struct policy **policy)
{
	struct kernel_engine *kernel;
	struct maps pinned;
	int error = pins_open(interface, &pinned, 0);

	if (error) {
		errno = -error;
		return NULL;
	}
	kernel = kernel_engine(CACHE_ON);
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
