// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter in the kernel: it reads a packet, decides and counts. packet.h reads the bytes,
 * classify.h decides.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bkxdp/verdict.h>

#include "answers.h"
#include "drop_events.h"
#include "fast_path.h"
#include "flow_cache.h"
#include "frame.h"
#include "maps.h"

char LICENSE[] SEC("license") = "GPL";

/* ---- counting: never changes a verdict ------------------------------------ */

static __always_inline void count(void *map, __u32 index, __u32 bytes)
{
	struct bkxdp_counter *counter = bpf_map_lookup_elem(map, &index);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += bytes;
}

/* ---- the program ---------------------------------------------------------- */

/* The verdict on a packet, and whether it is only counted and the packet passes anyway. */
struct fate {
	struct bkxdp_verdict verdict;
	__u32 audit;
};

static __always_inline void read_packet(struct xdp_md *ctx, struct bkxdp_packet *packet)
{
	__builtin_memset(packet, 0, sizeof(*packet));
	bkxdp_parse(ctx, packet);
}

/* Decides by the policy's maps. */
static __always_inline void decide(const struct bkxdp_packet *packet, struct bkxdp_world *world,
				   struct fate *fate)
{
	const struct bkxdp_settings *settings = settings_of(world->slot);

	fate->audit = settings->enforcement == BKXDP_AUDIT;
	fate->verdict = bkxdp_classify(world, packet, settings);
	if (world->failed)
		fate->verdict = bkxdp_decided(BKXDP_DROP_INTERNAL);
}

/* The slow path. */
static __always_inline void judge(struct xdp_md *ctx, const struct bkxdp_packet *packet,
				  const struct bkxdp_active *now, struct fate *fate)
{
	struct bkxdp_world world = {.ctx = ctx, .slot = now->slot, .generation = now->generation};
	struct bkxdp_flow_key key = {};
	struct flow_cache_entry *entry = NULL;

	world.stranger = bkxdp_source_prefilter && !may_be_peer(now->slot, packet->saddr_half);
	if (bkxdp_cache_entries && !world.stranger && is_well_formed(packet)) {
		key = flow_key_of(packet);
		entry = flow_cache_find(&key);
	}
	if (entry && is_syn_fin_rst(packet->tcp_flags)) {
		flow_cache_clear(entry, &key);
		entry = NULL;
	}
	decide(packet, &world, fate);
	if (entry && fate->verdict.cacheable)
		flow_cache_store(entry, &key, now->generation, &fate->verdict);
}

/*
 * Counts the packet, reports a drop to those who watch, and returns the action. `in_scratch`:
 * the scratch holds this packet. The fast path leaves it empty if nobody listens; whoever begins
 * to listen meanwhile sees the next packet.
 */
static __always_inline int settle(struct xdp_md *ctx, const struct fate *fate, __u32 length,
				  __u32 generation, int in_scratch)
{
	const struct bkxdp_verdict *verdict = &fate->verdict;
	__u32 action = XDP_DROP;

	count(&reasons, bkxdp_tally(verdict->reason, fate->audit), length);
	if (verdict->reason == BKXDP_PASS_FLOW)
		count(&flows, verdict->counter, length);
	if (bkxdp_reason_passes(verdict->reason) || fate->audit)
		action = XDP_PASS;
	if (in_scratch && !bkxdp_reason_passes(verdict->reason) && is_watched(fate->audit))
		bkxdp_watch_drop(ctx, verdict->reason, fate->audit, generation);
	if (bkxdp_report)
		return BKXDP_REPORT(action, verdict->reason, verdict->rule);
	return action;
}

SEC("xdp")
int bkxdp(struct xdp_md *ctx)
{
	struct fate fate = {};
	struct bkxdp_active now;
	__u32 length = 0;
	struct scratch *s;
	__u64 fast;

	/* read once, so that a packet sees one policy */
	*(__u64 *)&now = *(const volatile __u64 *)&globals.active;
	fast = fast_verdict(ctx, &now, &length);
	if (fast && fast != BKXDP_HANDED_OVER) {
		fate.verdict = unpack(fast);
		return settle(ctx, &fate, length, now.generation, 0);
	}
	s = scratch();
	if (s) {
		if (!fast)
			read_packet(ctx, &s->packet);
		judge(ctx, &s->packet, &now, &fate);
		length = s->packet.length;
	} else {
		fate.verdict = bkxdp_decided(BKXDP_DROP_INTERNAL);
		length = frame_length(ctx);
	}
	return settle(ctx, &fate, length, now.generation, 1);
}
