// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs filters that are attached to interfaces: without the interface, by test
 * runs; and with it, by frames that a test run sends from the other end of a veth pair.
 *
 * A test run repeats one packet. If packets must differ, the benchmark's program changes
 * the packet and calls the filter by a tail call. The empty program is called in the same
 * way, so that the difference is the cost of the filter alone.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "base/memory.h"
#include "bench.h"
#include "bench.skel.h"

struct rig {
	struct bench_bpf *program;
};

/*
 * Tail calls need programs that were loaded alike, and the kernel doesn't tell how a program
 * was loaded.
 */
enum { PLAIN, FRAGS, TYPED, TYPED_FRAGS, RIGS };
static struct rig rigs[RIGS];

__attribute__((format(printf, 1, 2))) static int failed(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fprintf(stderr, ": %s\n", strerror(error));
	va_end(args);
	return -1;
}

static int silence(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static struct bench_bpf *load(unsigned int which)
{
	struct bench_bpf *program = bench_bpf__open();
	struct bpf_program *each;

	if (!program)
		return NULL;
	bpf_object__for_each_program(each, program->obj)
	{
		bpf_program__set_expected_attach_type(each, which & TYPED ? BPF_XDP : 0);
		/* otherwise libbpf sets the type */
		bpf_program__set_autoattach(each, false);
		if (which & FRAGS)
			bpf_program__set_flags(each, BPF_F_XDP_HAS_FRAGS);
	}
	if (!bench_bpf__load(program))
		return program;
	bench_bpf__destroy(program);
	return NULL;
}

static struct rig *rig_get(unsigned int which)
{
	libbpf_set_print(silence);
	if (!rigs[which].program)
		rigs[which].program = load(which);
	return rigs[which].program ? &rigs[which] : NULL;
}

static int set_target(const struct rig *rig, int filter)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(bpf_map__fd(rig->program->maps.target), &zero, &filter, 0);
}

static int program_of(const char *interface)
{
	uint32_t id = 0;
	int index = (int)if_nametoindex(interface), fd;

	if (!index || bpf_xdp_query_id(index, 0, &id) || !id) {
		errno = ENOENT;
		return failed("no XDP program runs on %s", interface);
	}
	fd = bpf_prog_get_fd_by_id(id);
	return fd < 0 ? failed("program %u of %s", id, interface) : fd;
}

int rig_of(const char *interface, struct rig **rig)
{
	int fd = program_of(interface);

	for (unsigned int which = RIGS; fd >= 0 && which-- > 0;) {
		*rig = rig_get(which);
		if (*rig && !set_target(*rig, fd))
			return fd;
	}
	if (fd < 0)
		return -1;
	close(fd);
	return failed("the program of %s takes no tail call", interface);
}

int rig_attach(const char *interface, bool pass)
{
	struct rig *rig = rig_get(TYPED_FRAGS);
	struct bpf_program *program;

	if (!rig)
		return failed("the benchmark's own programs");
	program = pass ? rig->program->progs.empty_pass : rig->program->progs.empty_drop;
	if (bpf_xdp_attach((int)if_nametoindex(interface), bpf_program__fd(program),
			   XDP_FLAGS_DRV_MODE, NULL))
		return failed("attaching to %s", interface);
	return 0;
}

int rig_instructions(const char *interface, uint32_t *count)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);
	int fd = program_of(interface);

	if (fd < 0)
		return -1;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return failed("the program of %s", interface);
	close(fd);
	*count = info.verified_insns;
	return 0;
}

/* ---- test runs --------------------------------------------------------------- */

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The kernel's own figure is in whole ns. CPU time does not include what else ran meanwhile. */
static double timed_run(int program, const struct kind *kind, unsigned int repeat, uint32_t *said)
{
	static uint8_t frame[BUILD_BYTES_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .repeat = (int)repeat);
	double start;

	opts.data_size_in = (uint32_t)build(&kind->frame, frame);
	start = cpu_seconds();
	if (bpf_prog_test_run_opts(program, &opts))
		return failed("test run of \"%s\"", kind->name);
	*said = opts.retval;
	return (cpu_seconds() - start) * 1e9 / repeat;
}

double rig_cost(struct rig *rig, int filter, const struct kind *kind, uint32_t prefixes,
		unsigned int repeat)
{
	int empty = bpf_program__fd(rig->program->progs.empty_drop);
	int program = filter == RIG_EMPTY ? empty : filter;
	uint32_t want = filter != RIG_EMPTY && kind->passes ? XDP_PASS : XDP_DROP, said = 0;
	struct bench_vary vary = kind_vary(kind, prefixes);
	double ns;

	if (vary.addresses || vary.ports) {
		rig->program->bss->how = vary;
		if (set_target(rig, program))
			return failed("tail call");
		program = bpf_program__fd(rig->program->progs.vary);
	}
	/* to fill the caches */
	ns = timed_run(program, kind, repeat / 20 + 1, &said);
	if (ns >= 0)
		ns = timed_run(program, kind, repeat, &said);
	if (ns < 0 || said == want)
		return ns;
	fprintf(stderr, "bench: \"%s\" got verdict %u, not %u\n", kind->name, said, want);
	return -1;
}

/* ---- frames that are sent ------------------------------------------------------ */

static int ethtool(const char *interface, void *request)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq ask = {.ifr_data = request};

	snprintf(ask.ifr_name, sizeof(ask.ifr_name), "%s", interface);
	return fd < 0 ? -1 : ioctl(fd, SIOCETHTOOL, &ask);
}

/* Returns the sum of the device's statistics of that name over all queues. */
static int64_t statistic(const char *interface, const char *name)
{
	struct ethtool_drvinfo about = {.cmd = ETHTOOL_GDRVINFO};
	AUTO_FREE struct ethtool_gstrings *names = NULL;
	AUTO_FREE struct ethtool_stats *values = NULL;
	int64_t sum = 0;

	if (ethtool(interface, &about))
		return failed("statistics of %s", interface);
	names = must_alloc(1, sizeof(*names) + about.n_stats * ETH_GSTRING_LEN);
	values = must_alloc(1, sizeof(*values) + about.n_stats * sizeof(uint64_t));
	*names = (struct ethtool_gstrings){ETHTOOL_GSTRINGS, ETH_SS_STATS, about.n_stats};
	*values = (struct ethtool_stats){ETHTOOL_GSTATS, about.n_stats};
	if (ethtool(interface, names) || ethtool(interface, values))
		return failed("statistics of %s", interface);
	for (uint32_t i = 0; i < about.n_stats; i++) {
		const char *each = (const char *)names->data + (size_t)i * ETH_GSTRING_LEN;
		size_t length = strlen(each);

		if (length >= strlen(name) && !strcmp(each + length - strlen(name), name))
			sum += (int64_t)values->data[i];
	}
	return sum;
}

#define SENT_AT_ONCE (1 << 18)

/* Returns the length of a frame. Frames are lost if the ring of the other end is full. */
static int send_once(const char *interface, const struct kind *kind, int count)
{
	static uint8_t frame[BUILD_BYTES_MAX];
	struct xdp_md context = {.ingress_ifindex = if_nametoindex(interface)};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .repeat = count, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	int program = bpf_program__fd(rigs[PLAIN].program->progs.transmit);

	opts.data_size_in = context.data_end = (uint32_t)build(&kind->frame, frame);
	if (bpf_prog_test_run_opts(program, &opts))
		return failed("sending from %s", interface);
	return (int)opts.data_size_in;
}

static int send_for(const char *interface, const struct kind *kind, double seconds)
{
	double end = cpu_seconds() + seconds;

	while (cpu_seconds() < end)
		if (send_once(interface, kind, SENT_AT_ONCE) < 0)
			return -1;
	return 0;
}

int rig_send(const char *interface, const struct kind *kind, uint32_t frames)
{
	struct rig *rig = rig_get(PLAIN);
	int64_t start = statistic(interface, "_xdp_xmit"), before = start - 1, now = start;
	int length = 0;

	if (!rig || start < 0)
		return failed("the benchmark's own programs");
	rig->program->bss->how = kind_vary(kind, 0);
	while (length >= 0 && now > before && now < start + frames) {
		int64_t left = start + frames - now;

		length = send_once(interface, kind, left < SENT_AT_ONCE ? (int)left : SENT_AT_ONCE);
		before = now;
		now = statistic(interface, "_xdp_xmit");
	}
	if (length >= 0 && now != start + frames) {
		errno = EIO;
		return failed("%s: its other end takes no frames", interface);
	}
	return length;
}

/*
 * Measures by CPU time: the far end takes the frames on the sender's core and in its time, and
 * a call begins and ends with waits in the kernel that are no work.
 */
double rig_flood(const char *interface, const struct kind *kind, uint32_t prefixes, double seconds)
{
	struct rig *rig = rig_get(PLAIN);
	int64_t before, after;
	double start, took;

	if (!rig)
		return failed("the benchmark's own programs");
	rig->program->bss->how = kind_vary(kind, prefixes);
	if (send_for(interface, kind, seconds / 10))
		return -1;
	before = statistic(interface, "_xdp_xmit");
	start = cpu_seconds();
	if (before < 0 || send_for(interface, kind, seconds))
		return -1;
	took = cpu_seconds() - start;
	after = statistic(interface, "_xdp_xmit");
	return after < 0 ? -1 : (double)(after - before) / took;
}
