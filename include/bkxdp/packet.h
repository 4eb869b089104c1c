/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a frame's bytes to facts about it; with bpf/fast_parse.h the only code that reads
 * a packet's bytes.
 *
 * The same source runs in the kernel, in the tests, in `replay` and in the fuzzer, so it uses
 * no libc and no BPF helper, and nothing in it depends on who
 * compiles it. Two files say how a frame is read, and include this
 * one: bpf/frame.h in the kernel, user/packet/user_frame.h in user space. Before the #include
 * they define:
 *
 *   bkxdp_frame    the type of a received frame
 *   BKXDP_SUBPROG  how to declare a function that takes only a frame and numbers. In the
 *                  kernel such a function is global, so that the verifier checks it once
 *                  and not once for each call.
 *
 * The parser refuses nothing itself. It records why a layer can't be read, and classify.h
 * decides in the order of docs/verdicts.md.
 */
#ifndef BKXDP_PACKET_H
#define BKXDP_PACKET_H

#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/types.h>
#include <linux/udp.h>
#include <stddef.h>

#include "layout.h"
#include "verdict.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* The flags byte of a TCP header (RFC 9293, 3.1): <linux/tcp.h> has them as bit fields only. */
#define BKXDP_TCP_FIN 0x01
#define BKXDP_TCP_SYN 0x02
#define BKXDP_TCP_RST 0x04
#define BKXDP_TCP_PSH 0x08
#define BKXDP_TCP_ACK 0x10
#define BKXDP_TCP_URG 0x20

/*
 * ICMP types (IANA registry). Those of ICMP because <linux/icmp.h> includes libc's
 * <sys/socket.h>; those of neighbour discovery (RFC 4861) because <linux/icmpv6.h> lacks them.
 */
#define BKXDP_ICMP_ECHO_REPLY                0
#define BKXDP_ICMP_UNREACHABLE               3
#define BKXDP_ICMP_REDIRECT                  5
#define BKXDP_ICMP_ECHO                      8
#define BKXDP_ICMP_TIME_EXCEEDED             11
#define BKXDP_ICMP_PARAMETER_PROBLEM         12
#define BKXDP_ICMP_TIMESTAMP                 13
#define BKXDP_ICMPV6_ROUTER_SOLICITATION     133
#define BKXDP_ICMPV6_ROUTER_ADVERTISEMENT    134
#define BKXDP_ICMPV6_NEIGHBOUR_SOLICITATION  135
#define BKXDP_ICMPV6_NEIGHBOUR_ADVERTISEMENT 136
#define BKXDP_ICMPV6_REDIRECT                137

#define BKXDP_TAGS_MAX       8
#define BKXDP_EXTENSIONS_MAX 16

/* Of the 40 bytes that an IPv4 header can have beyond its first 20. */
#define BKXDP_OPTION_BYTES_MAX 40

enum bkxdp_frame_kind {
	BKXDP_FRAME_CUT, /* shorter than an Ethernet header */
	BKXDP_FRAME_LINK,
	BKXDP_FRAME_ARP,
	BKXDP_FRAME_IPV4,
	BKXDP_FRAME_IPV6,
	BKXDP_FRAME_OTHER,
};

enum bkxdp_fragment {
	BKXDP_FRAGMENT_NONE,
	BKXDP_FRAGMENT_FIRST,
	BKXDP_FRAGMENT_LATER, /* has an offset, so its first bytes are no L4 header */
};

/*
 * Everything that a verdict can depend on. The `_refused` fields are enum bkxdp_reason, 0 if
 * the layer can be read.
 */
struct bkxdp_packet {
	/*
	 * network byte order, IPv4 as ::ffff:a.b.c.d; the halves are for fast copies and
	 * comparisons
	 */
	union {
		__u32 saddr[4];
		__u64 saddr_half[2];
	};
	union {
		__u32 daddr[4];
		__u64 daddr_half[2];
	};
	__u16 sport; /* host byte order; TCP and UDP */
	__u16 dport;
	__u16 vlan;    /* 0: untagged */
	__u8 kind;     /* enum bkxdp_frame_kind */
	__u8 protocol; /* after all extension headers */
	__u8 fragment; /* enum bkxdp_fragment */
	__u8 tcp_flags;
	__u8 icmp_type;
	__u8 hop_limit; /* IPv6 */
	__u8 tags_refused;
	__u8 l3_refused;
	__u8 l4_refused;
	__u8 link_broadcast; /* to ff:ff:ff:ff:ff:ff */
	__u32 length;        /* bytes of the frame, of all its buffers */
	__u32 reserved;
};

/* Bytes of the frame, in all its buffers. */
static __always_inline __u32 frame_length(bkxdp_frame *frame);
/*
 * These bytes of the frame, in place or copied to `spare`; NULL if the frame is shorter. In
 * place they may be unaligned.
 */
static __always_inline const void *frame_at(bkxdp_frame *frame, __u32 offset, __u32 length,
					    void *spare);

static __always_inline int bkxdp_same_address(const __u64 a[2], const __u64 b[2])
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]));
}

/* The parser's position: offsets of the next header and of the first byte after the L3 packet. */
struct bkxdp_span {
	__u32 offset;
	__u32 end;
};

/* Network to host byte order. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BKXDP_NTOHS(x) ((__u16)__builtin_bswap16(x))
#else
#define BKXDP_NTOHS(x) ((__u16)(x))
#endif

/* ---- link layer --------------------------------------------------------- */

static __always_inline int bkxdp_is_tag(__u16 type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD;
}

/* IEEE 802.1Q table 8-1: these sixteen addresses never leave the link. */
static __always_inline int bkxdp_is_link_control(const struct ethhdr *eth, __u16 type)
{
	const __u8 *to = eth->h_dest;

	if (type == ETH_P_IP || type == ETH_P_IPV6 || bkxdp_is_tag(type))
		return 0;
	return to[0] == 0x01 && to[1] == 0x80 && to[2] == 0xc2 && to[3] == 0 && to[4] == 0 &&
	       (to[5] & 0xf0) == 0;
}

static __always_inline int bkxdp_is_link_broadcast(const struct ethhdr *eth)
{
	const __u16 *to = (const void *)eth->h_dest;

	return (to[0] & to[1] & to[2]) == 0xffff;
}

/*
 * Reads the VLAN tags. Tags with VID 0 count as none (Linux delivers stacked ones without a
 * VLAN device). What is left must be no tag, one tag, or an 802.1ad tag with an 802.1Q tag in
 * it, whose VID counts. The result is packed: ethertype, VID, offset of what follows, reason to
 * refuse.
 */
#define BKXDP_TAGS_TYPE(t)    ((__u16)(t))
#define BKXDP_TAGS_VLAN(t)    ((__u16)((t) >> 16))
#define BKXDP_TAGS_OFFSET(t)  ((__u16)((t) >> 32))
#define BKXDP_TAGS_REFUSED(t) ((__u8)((t) >> 48))

/* An 802.1Q or 802.1ad tag behind its ethertype; <linux/if_vlan.h> has no such struct. */
struct bkxdp_tag {
	__u16 control; /* the low 12 bits are the VID */
	__u16 type;    /* of what follows */
};

BKXDP_SUBPROG __u64 bkxdp_tags(bkxdp_frame *frame, __u32 first_type)
{
	__u16 type = first_type, vlan = 0, outer = 0;
	__u64 offset = sizeof(struct ethhdr);
	struct bkxdp_tag spare;

	for (int i = 0; i < BKXDP_TAGS_MAX && bkxdp_is_tag(type); i++) {
		const struct bkxdp_tag *tag = frame_at(frame, offset, sizeof(spare), &spare);

		if (!tag)
			return (__u64)BKXDP_DROP_VLAN << 48;
		offset += sizeof(*tag);

		__u16 vid = BKXDP_NTOHS(tag->control) & 0x0fff;

		if (vid) {
			if (vlan && !(outer == ETH_P_8021AD && type == ETH_P_8021Q))
				return (__u64)BKXDP_DROP_VLAN << 48;
			/* A third tag with a VID finds that `outer` is an 802.1Q tag, and is
			 * refused. */
			outer = type;
			vlan = vid;
		}
		type = BKXDP_NTOHS(tag->type);
	}
	if (bkxdp_is_tag(type))
		return (__u64)BKXDP_DROP_VLAN << 48;
	return type | (__u64)vlan << 16 | offset << 32;
}

static __always_inline __u8 bkxdp_kind_of(__u16 type)
{
	switch (type) {
	case ETH_P_IP:
		return BKXDP_FRAME_IPV4;
	case ETH_P_IPV6:
		return BKXDP_FRAME_IPV6;
	case ETH_P_ARP:
		return BKXDP_FRAME_ARP;
	default:
		return BKXDP_FRAME_OTHER;
	}
}

/*
 * Sets kind, vlan and tags_refused. Returns the offset of what follows the Ethernet header and
 * its tags.
 */
static __always_inline __u32 bkxdp_parse_link(bkxdp_frame *frame, struct bkxdp_packet *packet)
{
	struct ethhdr spare;
	const struct ethhdr *eth = frame_at(frame, 0, sizeof(spare), &spare);

	if (!eth) {
		packet->kind = BKXDP_FRAME_CUT;
		return 0;
	}

	__u16 type = BKXDP_NTOHS(eth->h_proto);

	packet->link_broadcast = bkxdp_is_link_broadcast(eth);
	if (bkxdp_is_link_control(eth, type)) {
		packet->kind = BKXDP_FRAME_LINK;
		return 0;
	}
	if (!bkxdp_is_tag(type)) {
		packet->kind = bkxdp_kind_of(type);
		return sizeof(*eth);
	}

	__u64 tags = bkxdp_tags(frame, type);

	packet->tags_refused = BKXDP_TAGS_REFUSED(tags);
	packet->vlan = BKXDP_TAGS_VLAN(tags);
	packet->kind = bkxdp_kind_of(BKXDP_TAGS_TYPE(tags));
	return BKXDP_TAGS_OFFSET(tags);
}

/* ---- IPv4, RFC 791 ------------------------------------------------------ */

/* Of iphdr.frag_off. */
#define BKXDP_IPV4_MORE_FRAGMENTS 0x2000
#define BKXDP_IPV4_OFFSET         0x1fff
/* Option types: RFC 791, 3.1. */
#define BKXDP_IPOPT_END  0
#define BKXDP_IPOPT_NOP  1
#define BKXDP_IPOPT_LSRR 131
#define BKXDP_IPOPT_SSRR 137

/*
 * Reads one option. Returns the offset of the next one, or 0 for a source route or a length
 * that exceeds the header.
 */
BKXDP_SUBPROG __u32 bkxdp_ipv4_option(bkxdp_frame *frame, __u32 offset, __u32 end)
{
	__u8 spare;
	const __u8 *byte = frame_at(frame, offset, 1, &spare);

	if (!byte)
		return 0;
	if (*byte == BKXDP_IPOPT_END)
		return end;
	if (*byte == BKXDP_IPOPT_NOP)
		return offset + 1;
	if (*byte == BKXDP_IPOPT_LSRR || *byte == BKXDP_IPOPT_SSRR || offset + 2 > end)
		return 0;
	byte = frame_at(frame, offset + 1, 1, &spare);
	if (!byte || *byte < 2 || offset + *byte > end)
		return 0;
	return offset + *byte;
}

static __always_inline int bkxdp_ipv4_options_valid(bkxdp_frame *frame, __u32 offset, __u32 end)
{
	for (int i = 0; i < BKXDP_OPTION_BYTES_MAX && offset < end; i++) {
		offset = bkxdp_ipv4_option(frame, offset, end);
		if (!offset)
			return 0;
	}
	return 1;
}

static __always_inline __u8 bkxdp_fragment_of(__u16 offset, __u16 more)
{
	if (offset)
		return BKXDP_FRAGMENT_LATER;
	return more ? BKXDP_FRAGMENT_FIRST : BKXDP_FRAGMENT_NONE;
}

/* The second half of ::ffff:a.b.c.d, from `ipv4` in network byte order. */
static __always_inline __u64 bkxdp_mapped_half(__u32 ipv4)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (__u64)ipv4 << 32 | BKXDP_MAPPED_WORD;
#else
	return (__u64)BKXDP_MAPPED_WORD << 32 | ipv4;
#endif
}

/* The first or second 32-bit word of half an address, in network byte order. */
static __always_inline __u32 bkxdp_word(__u64 half, int second)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return second ? half >> 32 : half;
#else
	return second ? half : half >> 32;
#endif
}

static __always_inline __u8 bkxdp_parse_ipv4(bkxdp_frame *frame, struct bkxdp_span *span,
					     struct bkxdp_packet *packet)
{
	struct iphdr spare;
	const struct iphdr *ip = frame_at(frame, span->offset, sizeof(spare), &spare);

	if (!ip)
		return BKXDP_DROP_MALFORMED;

	__u32 header = ip->ihl * 4;
	__u32 total = BKXDP_NTOHS(ip->tot_len);
	__u16 fragment = BKXDP_NTOHS(ip->frag_off);

	if (ip->version != 4 || header < sizeof(*ip) || total < header)
		return BKXDP_DROP_MALFORMED;
	packet->saddr_half[1] = bkxdp_mapped_half(ip->saddr);
	packet->daddr_half[1] = bkxdp_mapped_half(ip->daddr);
	packet->protocol = ip->protocol;
	packet->fragment = bkxdp_fragment_of(fragment & BKXDP_IPV4_OFFSET,
					     fragment & BKXDP_IPV4_MORE_FRAGMENTS);
	span->end = span->offset + total;
	if (span->end > packet->length)
		return BKXDP_DROP_MALFORMED;
	if (header > sizeof(*ip) &&
	    !bkxdp_ipv4_options_valid(frame, span->offset + sizeof(*ip), span->offset + header))
		return BKXDP_DROP_MALFORMED;
	span->offset += header;
	return 0;
}

/* ---- IPv6, RFC 8200 ----------------------------------------------------- */

/* An in6_addr in a packet, where nothing is aligned to 8 bytes, in two loads. */
struct bkxdp_halves {
	__u64 half[2];
} __attribute__((packed, aligned(4)));

static __always_inline void bkxdp_copy_ipv6(__u64 to[2], const struct in6_addr *from)
{
	const struct bkxdp_halves *halves = (const void *)from;

	to[0] = halves->half[0];
	to[1] = halves->half[1];
}

/*
 * The first 8 bytes of any extension header; none is shorter. The fragment
 * header uses the last four, and its second byte is reserved, not a length.
 */
struct bkxdp_extension {
	__u8 next_header;
	__u8 length;
	union {
		__u16 fragment; /* offset and flags */
		struct {
			__u8 type, segments_left; /* of a routing header */
		} routing;
	};
	__u8 rest[4];
};

#define BKXDP_IPV6_OFFSET         0xfff8
#define BKXDP_IPV6_MORE_FRAGMENTS 0x0001

static __always_inline int bkxdp_is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_DSTOPTS || next == IPPROTO_ROUTING ||
	       next == IPPROTO_FRAGMENT || next == IPPROTO_AH;
}

static __always_inline __u32 bkxdp_extension_length(__u8 type, __u8 length)
{
	switch (type) {
	case IPPROTO_FRAGMENT:
		return 8;
	case IPPROTO_AH: /* counted in 32-bit words, RFC 4302, 2.2 */
		return (length + 2) * 4;
	default:
		return (length + 1) * 8;
	}
}

/* The result of the walk, packed: offset of what follows, protocol, fragment, reason to refuse. */
#define BKXDP_WALK_OFFSET(w)      ((__u32)(w))
#define BKXDP_WALK_PROTOCOL(w)    ((__u8)((w) >> 32))
#define BKXDP_WALK_FRAGMENT(w)    ((__u8)((w) >> 40))
#define BKXDP_WALK_REFUSED(w)     ((__u8)((w) >> 48))
#define BKXDP_WALK_REFUSE(reason) ((__u64)(reason) << 48)

/*
 * Reads one extension header of this type. Returns what follows it, packed like the walk's
 * result.
 */
BKXDP_SUBPROG __u64 bkxdp_ipv6_extension(bkxdp_frame *frame, __u32 offset, __u32 end, __u32 type)
{
	struct bkxdp_extension spare;
	const struct bkxdp_extension *ext =
		offset + sizeof(spare) > end ? NULL
					     : frame_at(frame, offset, sizeof(spare), &spare);
	__u64 next, fragment = BKXDP_FRAGMENT_NONE;

	if (!ext)
		return BKXDP_WALK_REFUSE(BKXDP_DROP_MALFORMED);
	next = ext->next_header;
	offset += bkxdp_extension_length(type, ext->length);
	if (offset > end)
		return BKXDP_WALK_REFUSE(BKXDP_DROP_MALFORMED);
	if (type == IPPROTO_ROUTING && (!ext->routing.type || ext->routing.segments_left))
		return BKXDP_WALK_REFUSE(BKXDP_DROP_EXTENSION);
	if (type == IPPROTO_FRAGMENT) {
		__u16 bits = BKXDP_NTOHS(ext->fragment);

		fragment = bkxdp_fragment_of(bits & BKXDP_IPV6_OFFSET,
					     bits & BKXDP_IPV6_MORE_FRAGMENTS);
	}
	return offset | next << 32 | fragment << 40;
}

/* Walks the extension headers as Linux does, until the end or a fragment with an offset. */
BKXDP_SUBPROG __u64 bkxdp_ipv6_walk(bkxdp_frame *frame, __u32 start, __u32 end, __u32 first_next)
{
	__u64 at = start | (__u64)first_next << 32, fragment = BKXDP_FRAGMENT_NONE;
	__u32 fragment_seen = 0;

	for (int i = 0; i < BKXDP_EXTENSIONS_MAX; i++) {
		__u8 type = BKXDP_WALK_PROTOCOL(at);

		if (!bkxdp_is_extension(type))
			break;
		if ((type == IPPROTO_HOPOPTS && i) || (type == IPPROTO_FRAGMENT && fragment_seen))
			return BKXDP_WALK_REFUSE(BKXDP_DROP_EXTENSION);
		at = bkxdp_ipv6_extension(frame, BKXDP_WALK_OFFSET(at), end, type);
		if (BKXDP_WALK_REFUSED(at))
			return at;
		if (type == IPPROTO_FRAGMENT) {
			fragment_seen = 1;
			fragment = BKXDP_WALK_FRAGMENT(at);
			if (fragment == BKXDP_FRAGMENT_LATER)
				return at;
		}
	}
	if (bkxdp_is_extension(BKXDP_WALK_PROTOCOL(at)))
		return BKXDP_WALK_REFUSE(BKXDP_DROP_EXTENSION);
	return BKXDP_WALK_OFFSET(at) | (__u64)BKXDP_WALK_PROTOCOL(at) << 32 | fragment << 40;
}

static __always_inline __u8 bkxdp_parse_ipv6(bkxdp_frame *frame, struct bkxdp_span *span,
					     struct bkxdp_packet *packet)
{
	struct ipv6hdr spare;
	const struct ipv6hdr *ip = frame_at(frame, span->offset, sizeof(spare), &spare);

	if (!ip)
		return BKXDP_DROP_MALFORMED;

	__u32 payload = BKXDP_NTOHS(ip->payload_len);
	__u8 next = ip->nexthdr;

	if (ip->version != 6 || !payload)
		return BKXDP_DROP_MALFORMED;
	bkxdp_copy_ipv6(packet->saddr_half, &ip->saddr);
	bkxdp_copy_ipv6(packet->daddr_half, &ip->daddr);
	packet->hop_limit = ip->hop_limit;
	packet->protocol = next;
	span->offset += sizeof(*ip);
	span->end = span->offset + payload;
	if (span->end > packet->length)
		return BKXDP_DROP_MALFORMED;
	if (!bkxdp_is_extension(next))
		return 0;

	__u64 walk = bkxdp_ipv6_walk(frame, span->offset, span->end, next);

	packet->protocol = BKXDP_WALK_PROTOCOL(walk);
	packet->fragment = BKXDP_WALK_FRAGMENT(walk);
	span->offset = BKXDP_WALK_OFFSET(walk);
	return BKXDP_WALK_REFUSED(walk);
}

/* ---- ICMP (RFC 792, 4443), TCP (RFC 9293), UDP (RFC 768) ---------------- */

/* <linux/icmp.h> can't be included here: it includes libc's <sys/socket.h>. */
struct bkxdp_icmp {
	__u8 type;
	__u8 code;
	__u8 checksum[2];
	__u8 rest[4];
};

static __always_inline __u8 bkxdp_tcp_flags(const struct tcphdr *tcp)
{
	return ((const __u8 *)tcp)[13];
}

static __always_inline __u8 bkxdp_tcp_flags_refused(__u8 flags)
{
	if ((flags & BKXDP_TCP_SYN) && (flags & (BKXDP_TCP_FIN | BKXDP_TCP_RST)))
		return BKXDP_DROP_TCP_FLAGS;
	if (!(flags & (BKXDP_TCP_SYN | BKXDP_TCP_RST | BKXDP_TCP_ACK)))
		return BKXDP_DROP_TCP_FLAGS;
	return 0;
}

/* A header of the transport layer; NULL if it does not lie wholly within the L3 packet. */
static __always_inline const void *bkxdp_l4(bkxdp_frame *frame, const struct bkxdp_span *span,
					    __u32 length, void *spare)
{
	if (span->offset + length > span->end)
		return NULL;
	return frame_at(frame, span->offset, length, spare);
}

static __always_inline __u8 bkxdp_parse_tcp(bkxdp_frame *frame, const struct bkxdp_span *span,
					    struct bkxdp_packet *packet)
{
	struct tcphdr spare;
	const struct tcphdr *tcp = bkxdp_l4(frame, span, sizeof(spare), &spare);

	if (!tcp)
		return BKXDP_DROP_MALFORMED;

	__u32 header = tcp->doff * 4;

	packet->sport = BKXDP_NTOHS(tcp->source);
	packet->dport = BKXDP_NTOHS(tcp->dest);
	packet->tcp_flags = bkxdp_tcp_flags(tcp);
	if (header < sizeof(*tcp) || span->offset + header > span->end)
		return BKXDP_DROP_MALFORMED;
	if (!packet->sport || !packet->dport)
		return BKXDP_DROP_MALFORMED;
	return bkxdp_tcp_flags_refused(packet->tcp_flags);
}

static __always_inline __u8 bkxdp_parse_udp(bkxdp_frame *frame, const struct bkxdp_span *span,
					    struct bkxdp_packet *packet)
{
	struct udphdr spare;
	const struct udphdr *udp = bkxdp_l4(frame, span, sizeof(spare), &spare);

	if (!udp)
		return BKXDP_DROP_MALFORMED;

	__u32 length = BKXDP_NTOHS(udp->len);

	packet->sport = BKXDP_NTOHS(udp->source);
	packet->dport = BKXDP_NTOHS(udp->dest);
	/* A first fragment need not hold the whole datagram. */
	if (length < sizeof(*udp) ||
	    (packet->fragment == BKXDP_FRAGMENT_NONE && span->offset + length > span->end))
		return BKXDP_DROP_MALFORMED;
	if (!packet->sport || !packet->dport)
		return BKXDP_DROP_MALFORMED;
	return 0;
}

static __always_inline __u8 bkxdp_parse_icmp(bkxdp_frame *frame, const struct bkxdp_span *span,
					     struct bkxdp_packet *packet)
{
	struct bkxdp_icmp spare;
	const struct bkxdp_icmp *icmp = bkxdp_l4(frame, span, sizeof(spare), &spare);

	if (!icmp)
		return BKXDP_DROP_MALFORMED;
	packet->icmp_type = icmp->type;
	return 0;
}

static __always_inline __u8 bkxdp_parse_l4(bkxdp_frame *frame, const struct bkxdp_span *span,
					   struct bkxdp_packet *packet)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
		return bkxdp_parse_tcp(frame, span, packet);
	case IPPROTO_UDP:
		return bkxdp_parse_udp(frame, span, packet);
	case IPPROTO_ICMP:
		if (packet->kind == BKXDP_FRAME_IPV4)
			return bkxdp_parse_icmp(frame, span, packet);
		return BKXDP_DROP_PROTOCOL;
	case IPPROTO_ICMPV6:
		if (packet->kind == BKXDP_FRAME_IPV6)
			return bkxdp_parse_icmp(frame, span, packet);
		return BKXDP_DROP_PROTOCOL;
	default:
		return BKXDP_DROP_PROTOCOL;
	}
}

/* Reads all facts of a frame. `packet` must be zeroed. */
static __always_inline void bkxdp_parse(bkxdp_frame *frame, struct bkxdp_packet *packet)
{
	struct bkxdp_span span = {};

	packet->length = frame_length(frame);
	span.offset = bkxdp_parse_link(frame, packet);
	if (packet->tags_refused)
		return;
	if (packet->kind == BKXDP_FRAME_IPV4)
		packet->l3_refused = bkxdp_parse_ipv4(frame, &span, packet);
	else if (packet->kind == BKXDP_FRAME_IPV6)
		packet->l3_refused = bkxdp_parse_ipv6(frame, &span, packet);
	else
		return;
	if (!packet->l3_refused && packet->fragment != BKXDP_FRAGMENT_LATER)
		packet->l4_refused = bkxdp_parse_l4(frame, &span, packet);
}

#endif
