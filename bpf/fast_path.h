/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast path: two verdicts that need none of the policy's maps, and that nearly all packets
 * get. A packet whose flow key is in the flow cache passes; one whose source the prefilter
 * excludes is dropped as `source`. Whatever is not certain here takes the slow path, as all
 * packets do if the cache is off. The tests compare the two.
 */
#ifndef FAST_PATH_H
#define FAST_PATH_H

#include "answers.h"
#include "drop_events.h"
#include "flow_cache.h"
#include "maps.h"

/*
 * Bytes of the shortest frame, without its checksum; shorter ones are padded (IEEE 802.3,
 * 4.2.3.3).
 */
#define BKXDP_FRAME_LEAST 60

/* No verdict, but the packet has been read into the scratch. It is no enum bkxdp_reason. */
#define BKXDP_HANDED_OVER 0xff

/*
 * Returns 0 if no host may send from the IPv6 source, which the slow path then drops as
 * `source-invalid`. The prefilter sends such IPv4 sources to the slow path itself. It has no
 * bits to spare for the IPv6 ones; those are ff00::/8 and addresses that begin with four zero
 * octets.
 */
static __always_inline int is_valid_source(const struct bkxdp_flow_key *key)
{
	return BKXDP_REST_KIND(key->rest) == BKXDP_FRAME_IPV4 ||
	       (bkxdp_word(key->saddr[0], 0) && BKXDP_OCTET(key->saddr, 0) != 0xff);
}

/* Would the slow path drop it as `source`, and for no earlier reason? */
static __always_inline int is_dropped_as_source(const struct bkxdp_fast *fast,
						const struct bkxdp_settings *settings)
{
	const struct bkxdp_flow_key *key = &fast->key;

	if (BKXDP_REST_PROTOCOL(key->rest) == IPPROTO_UDP &&
	    (settings->dhcp || fast->link_broadcast ||
	     bkxdp_is_group(key->daddr, BKXDP_REST_KIND(key->rest))))
		return 0;
	return bkxdp_takes_vlan(settings, BKXDP_REST_VLAN(key->rest)) && is_valid_source(key) &&
	       !bkxdp_same_address(key->saddr, key->daddr);
}

/* Whoever watches drops needs the whole packet, which the slow path reads. */
static __always_inline int is_dropped_unseen(const struct bkxdp_settings *settings)
{
	return settings->enforcement == BKXDP_ENFORCE && !is_watched(0);
}

/* Spares the slow path the parsing; returns 0 if too little is known. */
static __always_inline __u64 hand_over(const struct bkxdp_fast *fast, __u32 length)
{
	struct scratch *s = scratch();

	if (!s || fast->l3_end > length)
		return 0;
	__builtin_memset(&s->packet, 0, sizeof(s->packet));
	bkxdp_fast_facts(fast, length, &s->packet);
	return BKXDP_HANDED_OVER;
}

/*
 * Bytes of the frame. Asking the kernel for those beyond the first buffer costs as much as all
 * else here, so it is not asked if the IP packet ends with that buffer, or if the frame has
 * Ethernet's least length. Then nothing follows, unless somebody pads a packet that fills the
 * driver's first buffer exactly.
 */
static __always_inline __u32 fast_length(struct xdp_md *ctx, const struct bkxdp_fast *fast)
{
	__u32 near = frame_near(ctx);

	return fast->l3_end == near || near <= BKXDP_FRAME_LEAST ? near : frame_length(ctx);
}

/*
 * Returns the packed verdict if it is certain, else 0 or BKXDP_HANDED_OVER. It is one register,
 * because every condition that fails would have to clear each of several.
 */
static __always_inline __u64 fast_verdict(struct xdp_md *ctx, const struct bkxdp_active *now,
					  __u32 *length)
{
	const struct bkxdp_settings *settings = settings_of(now->slot);
	const struct bkxdp_flow_key *key;
	const struct flow_cache_entry *entry;
	struct bkxdp_fast fast;

	if (!bkxdp_cache_entries || !bkxdp_fast_parse(ctx, &fast))
		return 0;
	key = &fast.key;
	*length = fast_length(ctx, &fast);
	if (!may_be_peer(now->slot, key->saddr)) {
		if (fast.l3_end > *length || !is_dropped_as_source(&fast, settings) ||
		    !is_dropped_unseen(settings))
			return 0;
		return BKXDP_DROP_SOURCE;
	}
	entry = flow_cache_find(key);
	if (is_syn_fin_rst(fast.tcp_flags) || !entry ||
	    !flow_cache_holds(entry, key, now->generation) || fast.l3_end > *length)
		return hand_over(&fast, *length);
	return BKXDP_PACKED(BKXDP_PASS_FLOW, 0, entry->rule, entry->counter);
}

#endif
