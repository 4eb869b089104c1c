/* SPDX-License-Identifier: GPL-2.0-only */
/* How packet.h reads a frame in the kernel. Whoever includes this file has the parser. */
#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

typedef struct xdp_md bkxdp_frame;
#define BKXDP_SUBPROG __attribute__((noinline))

#include <bkxdp/packet.h>

/* 1: frames may have several buffers (kernel 5.18). The verifier sees a constant. */
const volatile __u8 bkxdp_frags = 0;

/*
 * Above any offset that the parser can reach: 14 bytes of Ethernet, 8 tags, an IPv6 header and
 * 16 extension headers of 2,048 bytes. The verifier takes no offset above 65,535.
 */
#define FRAME_OFFSET_MAX 40000

/* Bytes of the first buffer. Most frames have no other. */
static __always_inline __u32 frame_near(struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data;
}

static __always_inline __u32 frame_length(struct xdp_md *ctx)
{
	return bkxdp_frags ? bpf_xdp_get_buff_len(ctx) : frame_near(ctx);
}

/*
 * Headers may lie beyond the first buffer, which some drivers leave empty (mlx5). What is read
 * in place may be unaligned; the machines that have XDP drivers can load it.
 */
static __always_inline const void *frame_at(struct xdp_md *ctx, __u32 offset, __u32 length,
					    void *spare)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u64 at = offset;

	/*
	 * The verifier sees the bound only if the register that is compared is the one that is
	 * added.
	 */
	asm volatile("" : "+r"(at));
	if (at > FRAME_OFFSET_MAX)
		return NULL;
	if (data + at + length <= end)
		return data + at;
	if (bkxdp_frags && !bpf_xdp_load_bytes(ctx, offset, spare, length))
		return spare;
	return NULL;
}

static __always_inline const void *frame_begin(struct xdp_md *ctx)
{
	return (void *)(long)ctx->data;
}

static __always_inline const void *frame_end(struct xdp_md *ctx)
{
	return (void *)(long)ctx->data_end;
}

#endif
