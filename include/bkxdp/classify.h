/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From facts to a verdict, in the order of docs/verdicts.md: the first step that decides,
 * decides. Pure like packet.h. What it must know about the policy and the host it asks, by
 * the functions that are declared here and defined by its includer (bpf/answers.h,
 * user/engine/engine_user.c).
 *
 * If a look-up that can't fail does fail, the includer notes it in its world and drops the
 * packet as `internal`, whatever the result here.
 */
#ifndef BKXDP_CLASSIFY_H
#define BKXDP_CLASSIFY_H

#include "flows.h"
#include "layout.h"
#include "packet.h"

/* Whatever the includer's answers need; opaque here. */
struct bkxdp_world;

/* The peer class of an address (network byte order, IPv4 mapped); 0: no peer of any flow. */
static __always_inline bkxdp_peer_class ask_peer(struct bkxdp_world *world, const __u32 address[4]);

/* Octet n of an address, in the order of the wire. */
#define BKXDP_OCTET(address, n) (((const __u8 *)(address))[n])

static __always_inline int bkxdp_takes_vlan(const struct bkxdp_settings *settings, __u16 vlan)
{
	return settings->vlans_any ||
	       (settings->vlans[(vlan / 64) % (BKXDP_VLANS / 64)] >> (vlan % 64) & 1);
}

/* Steps 1 to 3: frame, tags, ethertype. */
static __always_inline __u32 bkxdp_judge_link(const struct bkxdp_packet *packet,
					      const struct bkxdp_settings *settings)
{
	if (packet->kind == BKXDP_FRAME_CUT)
		return BKXDP_DROP_MALFORMED;
	if (packet->kind == BKXDP_FRAME_LINK)
		return BKXDP_PASS_LINK;
	if (packet->tags_refused)
		return packet->tags_refused;
	if (!bkxdp_takes_vlan(settings, packet->vlan))
		return BKXDP_DROP_VLAN;
	if (packet->kind == BKXDP_FRAME_ARP)
		return BKXDP_PASS_ARP;
	if (packet->kind == BKXDP_FRAME_OTHER)
		return BKXDP_DROP_ETHERTYPE;
	return BKXDP_UNDECIDED;
}

/* 0.0.0.0, 127/8, 224/4, 255.255.255.255 (RFC 1122, 3.2.1.3). */
static __always_inline int bkxdp_ipv4_source_invalid(__u32 address)
{
	__u8 first = BKXDP_OCTET(&address, 0);

	return !address || address == 0xffffffffu || first == 127 || (first & 0xf0) == 0xe0;
}

static __always_inline int bkxdp_is_unspecified(const __u32 address[4])
{
	return !(address[0] | address[1] | address[2] | address[3]);
}

static __always_inline int bkxdp_is_link_local(const __u32 address[4])
{
	return BKXDP_OCTET(address, 0) == 0xfe && (BKXDP_OCTET(address, 1) & 0xc0) == 0x80;
}

/* ff00::/8, ::/96, ::ffff:0:0/96; `::` itself is a source for neighbour discovery only. */
static __always_inline int bkxdp_ipv6_source_invalid(const struct bkxdp_packet *packet)
{
	const __u32 *from = packet->saddr;

	if (BKXDP_OCTET(from, 0) == 0xff)
		return 1;
	if (from[0] | from[1])
		return 0;
	if (from[2] == BKXDP_MAPPED_WORD)
		return 1;
	if (from[2])
		return 0;
	return !(bkxdp_is_unspecified(from) && packet->protocol == IPPROTO_ICMPV6 &&
		 packet->fragment == BKXDP_FRAGMENT_NONE);
}

/* Step 5. */
static __always_inline __u32 bkxdp_judge_source(const struct bkxdp_packet *packet)
{
	if (packet->kind == BKXDP_FRAME_IPV4 ? bkxdp_ipv4_source_invalid(packet->saddr[3])
					     : bkxdp_ipv6_source_invalid(packet))
		return BKXDP_DROP_SOURCE_INVALID;
	if (bkxdp_same_address(packet->saddr_half, packet->daddr_half))
		return BKXDP_DROP_SOURCE_INVALID;
	return BKXDP_UNDECIDED;
}

/* Step 6. */
static __always_inline __u32 bkxdp_judge_fragment(const struct bkxdp_packet *packet,
						  const struct bkxdp_settings *settings,
						  bkxdp_peer_class peer)
{
	if (packet->fragment == BKXDP_FRAGMENT_NONE)
		return BKXDP_UNDECIDED;
	if (settings->fragments != BKXDP_FRAGMENTS_PEERS)
		return BKXDP_DROP_FRAGMENT;
	if (packet->fragment == BKXDP_FRAGMENT_FIRST)
		return BKXDP_UNDECIDED;
	return peer ? BKXDP_PASS_FRAGMENT : BKXDP_DROP_SOURCE;
}

static __always_inline __u32 bkxdp_judge_ping(const struct bkxdp_settings *settings,
					      bkxdp_peer_class peer)
{
	if (settings->ping == BKXDP_PING_ANY || (settings->ping == BKXDP_PING_PEERS && peer))
		return BKXDP_PASS_PING;
	return BKXDP_DROP_ICMP;
}

/* Step 7, IPv4. */
static __always_inline __u32 bkxdp_judge_icmp(const struct bkxdp_packet *packet,
					      const struct bkxdp_settings *settings,
					      bkxdp_peer_class peer)
{
	switch (packet->icmp_type) {
	case BKXDP_ICMP_UNREACHABLE:
	case BKXDP_ICMP_TIME_EXCEEDED:
	case BKXDP_ICMP_PARAMETER_PROBLEM:
		return BKXDP_PASS_ICMP_ERROR;
	case BKXDP_ICMP_ECHO:
	case BKXDP_ICMP_ECHO_REPLY:
		return bkxdp_judge_ping(settings, peer);
	default:
		return BKXDP_DROP_ICMP;
	}
}

/* Hop limit 255: the packet comes from this link (RFC 4861, 6.1); MLD has 1 (RFC 3810, 5). */
static __always_inline int bkxdp_is_neighbour_discovery(const struct bkxdp_packet *packet)
{
	__u8 type = packet->icmp_type;

	if (type >= BKXDP_ICMPV6_ROUTER_SOLICITATION && type <= BKXDP_ICMPV6_REDIRECT)
		return packet->hop_limit == 255;
	if ((type >= ICMPV6_MGM_QUERY && type <= ICMPV6_MGM_REDUCTION) ||
	    type == ICMPV6_MLD2_REPORT)
		return packet->hop_limit == 1 &&
		       (bkxdp_is_link_local(packet->saddr) || bkxdp_is_unspecified(packet->saddr));
	return 0;
}

/* Step 7, IPv6. */
static __always_inline __u32 bkxdp_judge_icmpv6(const struct bkxdp_packet *packet,
						const struct bkxdp_settings *settings,
						bkxdp_peer_class peer)
{
	__u8 type = packet->icmp_type;

	if (type >= ICMPV6_DEST_UNREACH && type <= ICMPV6_PARAMPROB)
		return BKXDP_PASS_ICMP_ERROR;
	if (bkxdp_is_neighbour_discovery(packet))
		return BKXDP_PASS_ND;
	if (type == ICMPV6_ECHO_REQUEST || type == ICMPV6_ECHO_REPLY)
		return bkxdp_judge_ping(settings, peer);
	return BKXDP_DROP_ICMP;
}

/* Step 9: RFC 2131 and RFC 8415, server to client. */
static __always_inline __u32 bkxdp_judge_dhcp(const struct bkxdp_packet *packet,
					      const struct bkxdp_settings *settings)
{
	if (!settings->dhcp || packet->protocol != IPPROTO_UDP)
		return BKXDP_UNDECIDED;
	if (packet->kind == BKXDP_FRAME_IPV4 && packet->sport == 67 && packet->dport == 68)
		return BKXDP_PASS_DHCP;
	if (packet->kind == BKXDP_FRAME_IPV6 && packet->sport == 547 && packet->dport == 546 &&
	    bkxdp_is_link_local(packet->saddr))
		return BKXDP_PASS_DHCP;
	return BKXDP_UNDECIDED;
}

/*
 * A group address (RFC 1112, 4; RFC 4291, 2.7) or the limited broadcast address
 * (RFC 919, 7). An IPv6 packet to a mapped IPv4 address is to no group.
 */
static __always_inline int bkxdp_is_group(const __u64 half[2], __u8 kind)
{
	__u32 ipv4 = bkxdp_word(half[1], 1);

	if (kind == BKXDP_FRAME_IPV6)
		return BKXDP_OCTET(half, 0) == 0xff;
	return (BKXDP_OCTET(&ipv4, 0) & 0xf0) == 0xe0 || ipv4 == 0xffffffffu;
}

/* UDP to a group or to all hosts on the link, such as mDNS. It is not a scan of this host. */
static __always_inline int bkxdp_is_for_everybody(const struct bkxdp_packet *packet)
{
	return packet->protocol == IPPROTO_UDP &&
	       (packet->link_broadcast || bkxdp_is_group(packet->daddr_half, packet->kind));
}

/* The verdict on a packet that no flow allows. */
static __always_inline struct bkxdp_verdict bkxdp_refuse(const struct bkxdp_packet *packet,
							 __u32 reason)
{
	if (reason != BKXDP_DROP_INTERNAL && bkxdp_is_for_everybody(packet))
		reason = BKXDP_DROP_BROADCAST;
	return bkxdp_decided(reason);
}

/* ---- all steps ---------------------------------------------------------- */

static __always_inline __u32 bkxdp_judge_ip(const struct bkxdp_packet *packet,
					    const struct bkxdp_settings *settings,
					    bkxdp_peer_class peer)
{
	__u32 reason = bkxdp_judge_fragment(packet, settings, peer);

	if (reason)
		return reason;
	if (packet->l4_refused)
		return packet->l4_refused;
	if (packet->protocol == IPPROTO_ICMP)
		return bkxdp_judge_icmp(packet, settings, peer);
	if (packet->protocol == IPPROTO_ICMPV6)
		return bkxdp_judge_icmpv6(packet, settings, peer);
	return bkxdp_judge_dhcp(packet, settings);
}

static __always_inline struct bkxdp_verdict bkxdp_classify(struct bkxdp_world *world,
							   const struct bkxdp_packet *packet,
							   const struct bkxdp_settings *settings)
{
	__u32 reason = bkxdp_judge_link(packet, settings);

	if (reason)
		return bkxdp_decided(reason);
	if (packet->l3_refused)
		return bkxdp_decided(packet->l3_refused);
	reason = bkxdp_judge_source(packet);
	if (reason)
		return bkxdp_decided(reason);

	bkxdp_peer_class peer = ask_peer(world, packet->saddr);

	reason = bkxdp_judge_ip(packet, settings, peer);
	if (reason)
		return bkxdp_decided(reason);
	if (!peer)
		return bkxdp_refuse(packet, BKXDP_DROP_SOURCE);

	struct bkxdp_verdict verdict = bkxdp_judge_flows(world, packet, settings, peer);

	return verdict.reason == BKXDP_PASS_FLOW ? verdict : bkxdp_refuse(packet, verdict.reason);
}

#endif
