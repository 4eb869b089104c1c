// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark's own programs: those that make packets differ, and the empty programs with
 * which everything is compared.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bench_vary.h"

char LICENSE[] SEC("license") = "GPL";

#define OFFSET_MAX                                                                                 \
	63 /* a power of two minus one, so that the verifier sees the bound in the mask */

struct bench_vary how;
__u64 random;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

/* Returns 0 to limit - 1. Only one CPU runs it at a time, so the state needs no lock. */
static __always_inline __u32 pick(__u32 limit)
{
	random = random * 6364136223846793005ull + 1442695040888963407ull;
	return (random >> 32) * limit >> 32;
}

static __always_inline void *place(struct xdp_md *ctx, __u32 offset, __u32 length)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	data += offset & OFFSET_MAX;
	return data + length <= end ? data : NULL;
}

static __always_inline void set_port(struct xdp_md *ctx)
{
	__u16 *port = place(ctx, how.port_at, sizeof(*port));

	if (port)
		*port = bpf_htons(how.port_first + pick(how.ports));
}

/* RFC 1624: the checksum is adapted to the new address without reading the rest. */
static __always_inline void mend_sum(struct xdp_md *ctx, __u32 before, __u32 after)
{
	__u16 *sum = place(ctx, how.sum_at, sizeof(*sum));
	__u32 total;

	if (!sum)
		return;
	total = (__u16) ~*sum + (__u16)~before + (__u16) ~(before >> 16) + (__u16)after +
		(after >> 16);
	total = (total & 0xffff) + (total >> 16);
	*sum = ~(total + (total >> 16));
}

static __always_inline void set_address(struct xdp_md *ctx)
{
	__u32 *address = place(ctx, how.address_at, sizeof(*address));
	__u32 before;

	if (!address)
		return;
	before = *address;
	*address = bpf_htonl(how.address_first + how.address_step * pick(how.addresses));
	if (how.sum_at)
		mend_sum(ctx, before, *address);
}

static __always_inline void change(struct xdp_md *ctx)
{
	if (how.addresses)
		set_address(ctx);
	if (how.ports)
		set_port(ctx);
}

/* A test run repeats one packet; this changes it each time before the program sees it. */
SEC("xdp")
int vary(struct xdp_md *ctx)
{
	change(ctx);
	bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int transmit(struct xdp_md *ctx)
{
	change(ctx);
	return XDP_TX;
}

SEC("xdp")
int empty_drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp")
int empty_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}
