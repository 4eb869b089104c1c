/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The quick way: two answers without a look at the policy's maps, which nearly
 * all packets get. One of a cached conversation passes; one whose source is no
 * peer's at the first look is a stranger's. Whatever is not certain here goes
 * the long way, as everything does where the cache is switched off; so the
 * tests hold the one way against the other.
 */
#ifndef QUICK_H
#define QUICK_H

#include "cache.h"
#include "watch.h"

/* Without the checksum: shorter ones are filled up (IEEE 802.3, 4.2.3.3). */
#define BKXDP_FRAME_LEAST 60

/* No verdict, but the packet at hand is read; no enum bkxdp_reason. */
#define BKXDP_HANDED_OVER 0xff

/*
 * False where no host may send from the source: of IPv4 the first look knows
 * them; of IPv6 it would have too many, and the rest begins with a zero word.
 */
static __always_inline int is_valid_source(const struct bkxdp_conversation *c)
{
	return BKXDP_REST_KIND(c->rest) == BKXDP_FRAME_IPV4 ||
	       (bkxdp_word(c->saddr[0], 0) && BKXDP_OCTET(c->saddr, 0) != 0xff);
}

/* Is it dropped as `source`, and by nothing that comes before? */
static __always_inline int is_plainly_strange(const struct bkxdp_plain *plain,
					      const struct bkxdp_settings *mode)
{
	const struct bkxdp_conversation *c = &plain->conversation;

	if (BKXDP_REST_PROTOCOL(c->rest) == BKXDP_PROTO_UDP &&
	    (mode->dhcp || plain->link_broadcast ||
	     bkxdp_is_group(c->daddr, BKXDP_REST_KIND(c->rest))))
		return 0;
	return bkxdp_takes_vlan(mode, BKXDP_REST_VLAN(c->rest)) && is_valid_source(c) &&
	       !bkxdp_same_address(c->saddr, c->daddr);
}

/* Who looks at drops wants the whole packet. */
static __always_inline int is_dropped_unseen(const struct bkxdp_settings *mode)
{
	return mode->enforcement == BKXDP_ENFORCE && !is_watched(0);
}

/* What is known by now spares the long way its parsing; 0 where it is not enough. */
static __always_inline __u64 hand_over(const struct bkxdp_plain *plain, __u32 length)
{
	struct scratch *s = at_hand();

	if (!s || plain->end > length)
		return 0;
	__builtin_memset(&s->packet, 0, sizeof(s->packet));
	bkxdp_plain_facts(plain, length, &s->packet);
	return BKXDP_HANDED_OVER;
}

/*
 * Bytes of the frame. To ask for those beyond the first buffer costs as much as
 * all else here. It is not done where the IP packet ends with that buffer, or
 * the frame is as short as Ethernet has them: there is nothing more, unless
 * somebody pads a packet that is just as long as the driver's first buffer.
 */
static __always_inline __u32 quick_length(struct xdp_md *ctx, const struct bkxdp_plain *plain)
{
	__u32 near = frame_near(ctx);

	return plain->end == near || near <= BKXDP_FRAME_LEAST ? near : frame_length(ctx);
}

/*
 * The verdict, packed, where it is certain; else 0, or BKXDP_HANDED_OVER. One
 * register: every failed condition would have to clear each of several.
 */
static __always_inline __u64 decide_quickly(struct xdp_md *ctx, const struct bkxdp_active *now,
					    __u32 *length)
{
	const struct bkxdp_settings *mode = settings_of(now->slot);
	const struct bkxdp_conversation *c;
	const struct cached *entry;
	struct bkxdp_plain plain;

	if (!bkxdp_cache_entries || !bkxdp_parse_plain(ctx, &plain))
		return 0;
	c = &plain.conversation;
	*length = quick_length(ctx, &plain);
	if (!may_be_peer(now->slot, c->saddr)) {
		if (plain.end > *length || !is_plainly_strange(&plain, mode) ||
		    !is_dropped_unseen(mode))
			return 0;
		return BKXDP_DROP_SOURCE;
	}
	entry = cache_entry(c);
	if (turns(plain.tcp_flags) || !entry || !cache_holds(entry, c, now->generation) ||
	    plain.end > *length)
		return hand_over(&plain, *length);
	return BKXDP_PACKED(BKXDP_PASS_FLOW, 0, entry->rule, entry->counter);
}

#endif
