/* SPDX-License-Identifier: GPL-2.0-only */
/* How packet.h reads a frame in user space; a file that includes this has the datapath's parser. */
#ifndef PACKET_USER_FRAME_H
#define PACKET_USER_FRAME_H

#include <netinet/in.h> /* before <linux/in.h>, which then leaves out what libc has */
#include <stdint.h>
#include <string.h>

typedef const struct received bkxdp_frame;
struct received {
	const uint8_t *bytes;
	uint32_t length; /* of the frame */
	uint32_t held;   /* bytes of it that are here */
};

#define BKXDP_SUBPROG static inline

#include <bkxdp/packet.h>

static inline uint32_t frame_length(bkxdp_frame *frame)
{
	return frame->length;
}

/* A copy, so that no load is unaligned. */
static inline const void *frame_at(bkxdp_frame *frame, uint32_t offset, uint32_t length,
				   void *spare)
{
	if (offset > frame->held || length > frame->held - offset)
		return NULL;
	return memcpy(spare, frame->bytes + offset, length);
}

#endif
