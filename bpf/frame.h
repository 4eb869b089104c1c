/* SPDX-License-Identifier: GPL-2.0-only */
/* How packet.h reads a frame in the kernel; a file that includes this has the parser. */
#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

typedef struct xdp_md bkxdp_frame;
#define BKXDP_SUBPROG __attribute__((noinline))

#include <bkxdp/packet.h>

/* Frames may have parts beyond the linear one (kernel 5.18). A constant to the verifier. */
const volatile __u8 bkxdp_frags = 0;

/*
 * Any offset that the parser can reach lies below: 14 bytes of Ethernet, 8
 * tags, an IPv6 header and 16 extension headers of 2,048 bytes. The verifier
 * takes no offset beyond 65,535.
 */
#define FRAME_OFFSET_MAX 40000

/* Bytes of the first buffer: most frames have no other. */
static __always_inline __u32 frame_near(struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data;
}

static __always_inline __u32 frame_length(struct xdp_md *ctx)
{
	return bkxdp_frags ? bpf_xdp_get_buff_len(ctx) : frame_near(ctx);
}

/*
 * Headers may lie beyond the linear part; some drivers hand over an empty one
 * (mlx5). Loads from the frame itself may be unaligned: no alignment is assumed
 * of a frame by the machines that have XDP drivers.
 */
static __always_inline const void *frame_at(struct xdp_md *ctx, __u32 offset, __u32 length,
					    void *spare)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u64 at = offset;

	/* the register that is compared must be the one that is added, or the verifier can't see it
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
