/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast path's parser: facts about nearly all packets, in registers and in one pass. It
 * reads TCP or UDP in IPv4 without options or IPv6 without extension headers, unfragmented,
 * with at most one 802.1Q tag, and valid in every respect. All others are left to packet.h.
 *
 * It only accelerates: of every packet that it reads, bkxdp_parse() says the same, and the
 * tests compare the two (tests/facts.c). Whoever includes it has included bpf/frame.h, or what
 * stands for it in user space.
 */
#ifndef FAST_PARSE_H
#define FAST_PARSE_H

#include <bkxdp/packet.h>

/* The bytes of the frame that can be read in place, from the first to one past the last. */
static __always_inline const void *frame_begin(bkxdp_frame *frame);
static __always_inline const void *frame_end(bkxdp_frame *frame);

/* What the packets of one connection have in common. */
struct bkxdp_flow_key {
	__u64 saddr[2]; /* as in struct bkxdp_packet */
	__u64 daddr[2];
	__u64 rest; /* BKXDP_KEY_REST() */
};

#define BKXDP_KEY_REST(sport, dport, vlan, kind, protocol)                                         \
	((sport) | (__u64)(dport) << 16 | (__u64)(vlan) << 32 | (__u64)(kind) << 48 |              \
	 (__u64)(protocol) << 56)
#define BKXDP_REST_SPORT(rest)    ((__u16)(rest))
#define BKXDP_REST_DPORT(rest)    ((__u16)((rest) >> 16))
#define BKXDP_REST_VLAN(rest)     ((__u16)((rest) >> 32))
#define BKXDP_REST_KIND(rest)     ((__u8)((rest) >> 48))
#define BKXDP_REST_PROTOCOL(rest) ((__u8)((rest) >> 56))

struct bkxdp_fast {
	struct bkxdp_flow_key key;
	__u32 l3_end; /* offset of the end of the L3 packet; the frame may be shorter */
	__u8 tcp_flags;
	__u8 link_broadcast;
};

/* The position at which a layer is read. */
struct bkxdp_reader {
	const void *at;
	const void *end; /* of what can be read in place */
	__u32 offset;    /* of `at` in the frame */
	__u16 type;      /* what is there: an ethertype, later a protocol */
	__u16 vlan;
};

/*
 * A packet that the fast path takes has at least an IPv4 header, so a tag needs no check of its
 * own.
 */
static __always_inline int bkxdp_fast_link(struct bkxdp_reader *r, struct bkxdp_fast *p)
{
	const struct ethhdr *eth = r->at;
	const struct bkxdp_tag *tag;

	if (r->at + sizeof(*eth) + sizeof(struct iphdr) > r->end)
		return 0;
	r->type = BKXDP_NTOHS(eth->h_proto);
	p->link_broadcast = bkxdp_is_link_broadcast(eth);
	r->at += sizeof(*eth);
	r->offset = sizeof(*eth);
	if (r->type != ETH_P_8021Q)
		return 1;
	tag = r->at;
	r->vlan = BKXDP_NTOHS(tag->control) & 0x0fff;
	r->type = BKXDP_NTOHS(tag->type);
	r->at += sizeof(*tag);
	r->offset += sizeof(*tag);
	return r->at + sizeof(struct iphdr) <= r->end;
}

static __always_inline int bkxdp_fast_ipv4(struct bkxdp_reader *r, struct bkxdp_fast *p)
{
	const struct iphdr *ip = r->at;
	struct bkxdp_flow_key *key = &p->key;

	if (*(const __u8 *)ip != 0x45 ||
	    (BKXDP_NTOHS(ip->frag_off) & (BKXDP_IPV4_MORE_FRAGMENTS | BKXDP_IPV4_OFFSET)))
		return 0;
	key->saddr[0] = key->daddr[0] = 0;
	key->saddr[1] = bkxdp_mapped_half(ip->saddr);
	key->daddr[1] = bkxdp_mapped_half(ip->daddr);
	p->l3_end = r->offset + BKXDP_NTOHS(ip->tot_len);
	r->type = ip->protocol;
	r->offset += sizeof(*ip);
	r->at += sizeof(*ip);
	return 1;
}

static __always_inline int bkxdp_fast_ipv6(struct bkxdp_reader *r, struct bkxdp_fast *p)
{
	const struct ipv6hdr *ip = r->at;
	struct bkxdp_flow_key *key = &p->key;

	if (r->at + sizeof(*ip) > r->end || ip->version != 6)
		return 0;
	bkxdp_copy_ipv6(key->saddr, &ip->saddr);
	bkxdp_copy_ipv6(key->daddr, &ip->daddr);
	r->offset += sizeof(*ip);
	r->at += sizeof(*ip);
	p->l3_end = r->offset + BKXDP_NTOHS(ip->payload_len);
	r->type = ip->nexthdr;
	return 1;
}

/* TCP and UDP both begin with the ports. */
static __always_inline int bkxdp_fast_ports(const struct udphdr *l4, __u16 vlan, __u8 kind,
					    __u8 protocol, struct bkxdp_fast *p)
{
	p->key.rest = BKXDP_KEY_REST(BKXDP_NTOHS(l4->source), BKXDP_NTOHS(l4->dest), vlan, kind,
				     protocol);
	return l4->source && l4->dest;
}

static __always_inline int bkxdp_fast_tcp(const struct bkxdp_reader *r, __u8 kind,
					  struct bkxdp_fast *p)
{
	const struct tcphdr *tcp = r->at;
	__u32 header;

	if (r->at + sizeof(*tcp) > r->end)
		return 0;
	header = tcp->doff * 4;
	p->tcp_flags = bkxdp_tcp_flags(tcp);
	return header >= sizeof(*tcp) && r->offset + header <= p->l3_end &&
	       !bkxdp_tcp_flags_refused(p->tcp_flags) &&
	       bkxdp_fast_ports(r->at, r->vlan, kind, IPPROTO_TCP, p);
}

static __always_inline int bkxdp_fast_udp(const struct bkxdp_reader *r, __u8 kind,
					  struct bkxdp_fast *p)
{
	const struct udphdr *udp = r->at;
	__u32 length;

	if (r->at + sizeof(*udp) > r->end)
		return 0;
	length = BKXDP_NTOHS(udp->len);
	p->tcp_flags = 0;
	return length >= sizeof(*udp) && r->offset + length <= p->l3_end &&
	       bkxdp_fast_ports(udp, r->vlan, kind, IPPROTO_UDP, p);
}

static __always_inline int bkxdp_fast_l4(const struct bkxdp_reader *r, __u8 kind,
					 struct bkxdp_fast *p)
{
	if (r->type == IPPROTO_TCP)
		return bkxdp_fast_tcp(r, kind, p);
	return r->type == IPPROTO_UDP && bkxdp_fast_udp(r, kind, p);
}

/*
 * Returns 1 if the fast path can take the frame, provided that it has p->l3_end bytes; else 0,
 * and *p means nothing.
 */
static __always_inline int bkxdp_fast_parse(bkxdp_frame *frame, struct bkxdp_fast *p)
{
	struct bkxdp_reader r = {.at = frame_begin(frame), .end = frame_end(frame)};

	if (!bkxdp_fast_link(&r, p))
		return 0;
	if (r.type == ETH_P_IP)
		return bkxdp_fast_ipv4(&r, p) && bkxdp_fast_l4(&r, BKXDP_FRAME_IPV4, p);
	return r.type == ETH_P_IPV6 && bkxdp_fast_ipv6(&r, p) &&
	       bkxdp_fast_l4(&r, BKXDP_FRAME_IPV6, p);
}

/* The same facts in packet.h's form, except the hop limit, which only ICMPv6 is judged by. */
static __always_inline void bkxdp_fast_facts(const struct bkxdp_fast *p, __u32 length,
					     struct bkxdp_packet *packet)
{
	const struct bkxdp_flow_key *key = &p->key;

	packet->saddr_half[0] = key->saddr[0];
	packet->saddr_half[1] = key->saddr[1];
	packet->daddr_half[0] = key->daddr[0];
	packet->daddr_half[1] = key->daddr[1];
	packet->sport = BKXDP_REST_SPORT(key->rest);
	packet->dport = BKXDP_REST_DPORT(key->rest);
	packet->vlan = BKXDP_REST_VLAN(key->rest);
	packet->kind = BKXDP_REST_KIND(key->rest);
	packet->protocol = BKXDP_REST_PROTOCOL(key->rest);
	packet->tcp_flags = p->tcp_flags;
	packet->link_broadcast = p->link_broadcast;
	packet->length = length;
}

#endif
