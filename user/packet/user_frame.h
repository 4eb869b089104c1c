/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How packet.h reads a frame in user space. Whoever includes this file has the datapath's
 * parser.
 */
#ifndef PACKET_USER_FRAME_H
#define PACKET_USER_FRAME_H

#include <netinet/in.h> /* must come before <linux/in.h>, which then leaves out what libc defines */
#include <stdint.h>
#include <string.h>

typedef const struct user_frame bkxdp_frame;
struct user_frame {
	const uint8_t *bytes;
	uint32_t length;   /* length of the whole frame */
	uint32_t captured; /* number of bytes that are present */
};

#define BKXDP_SUBPROG static inline

#include <bkxdp/packet.h>

static inline uint32_t frame_length(bkxdp_frame *frame)
{
	return frame->length;
}

/* Copies the bytes, so that no load is unaligned. */
static inline const void *frame_at(bkxdp_frame *frame, uint32_t offset, uint32_t length,
				   void *spare)
{
	if (offset > frame->captured || length > frame->captured - offset)
		return NULL;
	return memcpy(spare, frame->bytes + offset, length);
}

#endif
