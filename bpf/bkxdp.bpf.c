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

/*
 * Reads the packet into the scratch, for bkxdp_judge(). Returns 0 if there is no scratch, which
 * can't happen. `stranger`: the source prefilter excludes its source.
 */
static __always_inline int read_packet(struct xdp_md *ctx, __u32 slot, __u32 *stranger)
{
	struct scratch *s = scratch();

	if (!s)
		return 0;
	__builtin_memset(&s->packet, 0, sizeof(s->packet));
	bkxdp_parse(ctx, &s->packet);
	*stranger = bkxdp_source_prefilter && !may_be_peer(slot, s->packet.saddr_half);
	return 1;
}

/*
 * The slow path: the packed verdict on the packet in the scratch. A global function, so that the
 * verifier checks it once and not once for each way to it. It finds the entry of the flow cache
 * where it uses it; else the decision would be checked once with an entry and once without one.
 */
BKXDP_SUBPROG __u64 bkxdp_judge(struct xdp_md *ctx, __u32 slot, __u32 generation, __u32 stranger)
{
	struct bkxdp_world world = {
		.ctx = ctx, .slot = slot, .generation = generation, .stranger = stranger};
	const struct scratch *s = scratch();
	struct bkxdp_verdict verdict;

	if (!s || !ctx)
		return BKXDP_DROP_INTERNAL;
	if (is_syn_fin_rst(s->packet.tcp_flags) && !world.stranger)
		flow_cache_clear(&s->packet);
	verdict = bkxdp_classify(&world, &s->packet, settings_of(slot));
	if (world.failed)
		return BKXDP_DROP_INTERNAL;
	if (verdict.cacheable && !is_syn_fin_rst(s->packet.tcp_flags))
		flow_cache_store(&s->packet, generation, &verdict);
	return pack(&verdict);
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
	struct fate fate = {.verdict = {.reason = BKXDP_DROP_INTERNAL}};
	__u32 length = 0, stranger = 0;
	struct bkxdp_active now;
	__u64 fast;

	/* read once, so that a packet sees one policy */
	*(__u64 *)&now = *(const volatile __u64 *)&globals.active;
	fast = fast_verdict(ctx, &now, &length);
	if (fast && fast != BKXDP_HANDED_OVER) {
		fate.verdict = unpack(fast);
		return settle(ctx, &fate, length, now.generation, 0);
	}
	if (!fast)
		length = frame_length(ctx);
	if (fast || read_packet(ctx, now.slot, &stranger)) {
		fate.verdict = unpack(bkxdp_judge(ctx, now.slot, now.generation, stranger));
		fate.audit = settings_of(now.slot)->enforcement == BKXDP_AUDIT;
	}
	return settle(ctx, &fate, length, now.generation, 1);
}
