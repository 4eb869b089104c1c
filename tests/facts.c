// SPDX-License-Identifier: GPL-2.0-only
#include "facts.h"

#include "packet/user_frame.h"

#include "../bpf/fast_parse.h"

static const void *frame_begin(bkxdp_frame *frame)
{
	return frame->bytes;
}

static const void *frame_end(bkxdp_frame *frame)
{
	return frame->bytes + frame->length;
}

const char *facts_object(const uint8_t *bytes, size_t length, bool *fast)
{
	struct user_frame frame = {bytes, (uint32_t)length, (uint32_t)length};
	struct bkxdp_packet slow = {}, fast_facts = {};
	struct bkxdp_fast facts = {};

	*fast = bkxdp_fast_parse(&frame, &facts) && facts.l3_end <= frame.length;
	if (!*fast)
		return NULL;
	bkxdp_fast_facts(&facts, frame.length, &fast_facts);
	bkxdp_parse(&frame, &slow);
	if (slow.tags_refused | slow.l3_refused | slow.l4_refused)
		return "the fast path takes a packet that the slow path refuses";
	if (slow.fragment != BKXDP_FRAGMENT_NONE)
		return "the fast path takes a fragment";
	slow.hop_limit = 0;
	return memcmp(&slow, &fast_facts, sizeof(slow)) ? "the fast path reads other facts" : NULL;
}
