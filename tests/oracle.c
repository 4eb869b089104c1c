// SPDX-License-Identifier: GPL-2.0-only
#include "oracle.h"

#include <netinet/in.h>
#include <string.h>

/* What the oracle understood of a frame. `plain`: it understood all of it, including the ports. */
struct seen {
	bool link_broadcast;
	bool ip, plain, ipv4, invalid_source;
	uint8_t from[16], to[16];
	unsigned int protocol, offset, more;
	const uint8_t *l4;
	size_t l4_length;
	uint16_t sport, dport;
};

static unsigned int be16(const uint8_t *at)
{
	return at[0] * 256u + at[1];
}

static void map_ipv4(uint8_t *to, const uint8_t *address)
{
	memset(to, 0, 10);
	to[10] = to[11] = 255;
	memcpy(to + 12, address, 4);
}

/* Returns false if this can't be an IPv4 packet that passes. */
static bool see_ipv4(const uint8_t *ip, size_t length, struct seen *seen)
{
	unsigned int header, total;

	if (length < 20 || ip[0] / 16 != 4)
		return false;
	header = ip[0] % 16 * 4u;
	total = be16(ip + 2);
	if (header < 20 || total < header || total > length)
		return false;
	seen->ip = seen->ipv4 = true;
	seen->plain = header == 20;
	seen->protocol = ip[9];
	seen->offset = be16(ip + 6) % 8192;
	seen->more = be16(ip + 6) / 8192 % 2;
	map_ipv4(seen->from, ip + 12);
	map_ipv4(seen->to, ip + 16);
	seen->invalid_source = ip[12] == 127 || (ip[12] >= 224 && ip[12] <= 239) ||
			       !memcmp(ip + 12, "\0\0\0\0", 4) ||
			       !memcmp(ip + 12, "\377\377\377\377", 4);
	seen->l4 = ip + header;
	seen->l4_length = total - header;
	return true;
}

static bool see_ipv6(const uint8_t *ip, size_t length, struct seen *seen)
{
	static const uint8_t zeroes[16];

	if (length < 40 || ip[0] / 16 != 6 || !be16(ip + 4) || be16(ip + 4) > length - 40)
		return false;
	seen->ip = true;
	seen->protocol = ip[6];
	seen->plain = ip[6] == IPPROTO_TCP || ip[6] == IPPROTO_UDP || ip[6] == IPPROTO_ICMPV6;
	memcpy(seen->from, ip + 8, 16);
	memcpy(seen->to, ip + 24, 16);
	seen->invalid_source = ip[8] == 255 ||
			       (!memcmp(ip + 8, zeroes, 10) && !memcmp(ip + 18, "\377\377", 2)) ||
			       (!memcmp(ip + 8, zeroes, 12) && memcmp(ip + 8, zeroes, 16));
	seen->l4 = ip + 40;
	seen->l4_length = be16(ip + 4);
	return true;
}

static bool l4_may_pass(struct seen *seen)
{
	const uint8_t *l4 = seen->l4;
	size_t there = seen->l4_length;

	if (seen->protocol == (seen->ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return there >= 8;
	if (seen->protocol == IPPROTO_TCP) {
		if (there < 20 || l4[12] / 16 < 5 || l4[12] / 16 * 4u > there)
			return false;
		if ((l4[13] & 2 && l4[13] & 5) || !(l4[13] & 0x16))
			return false;
	} else if (seen->protocol == IPPROTO_UDP) {
		if (there < 8 || be16(l4 + 4) < 8 || (!seen->more && be16(l4 + 4) > there))
			return false;
	} else {
		return false;
	}
	seen->sport = be16(l4);
	seen->dport = be16(l4 + 2);
	return seen->sport && seen->dport;
}

static bool prefix_of_seen(const struct bkxdp_prefix *prefix, const struct seen *seen)
{
	const uint8_t *address = (const uint8_t *)prefix->address;

	/* a short IPv6 prefix does not hold IPv4 addresses */
	if (seen->ipv4 && prefix->bits < 96)
		return false;
	for (unsigned int bit = 0; bit < prefix->bits; bit++)
		if ((address[bit / 8] ^ seen->from[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static bool group_holds(const struct group *group, const struct seen *seen)
{
	for (size_t i = 0; i < group->prefixes.count; i++)
		if (prefix_of_seen(&group->prefixes.prefix[i], seen))
			return true;
	return false;
}

static bool is_group(const struct seen *seen)
{
	if (!seen->ipv4)
		return seen->to[0] == 255;
	return (seen->to[12] >= 224 && seen->to[12] <= 239) ||
	       !memcmp(seen->to + 12, "\377\377\377\377", 4);
}

static bool is_for_everybody(const struct seen *seen)
{
	return seen->protocol == IPPROTO_UDP && (seen->link_broadcast || is_group(seen));
}

static bool is_peer(const struct policy *policy, const struct seen *seen)
{
	for (size_t i = 0; i < policy->n_groups; i++)
		if (group_holds(&policy->groups[i], seen))
			return true;
	return false;
}

static bool by_sockets(const struct policy *policy)
{
	return policy->settings.connections == BKXDP_CONNECTIONS_SOCKETS;
}

/* All conditions of a rule except those that depend on other packets or on sockets. */
static bool rule_may_hold(const struct policy *policy, const struct rule *rule,
			  const struct seen *seen)
{
	bool reply = rule->side == SIDE_REPLY;

	if (rule->protocol != seen->protocol || !group_holds(&policy->groups[rule->group], seen) ||
	    !port_set_has(&rule->ports, reply ? seen->sport : seen->dport))
		return false;
	if (!reply)
		return rule->protocol != IPPROTO_TCP || (seen->l4[13] & 0x12) != 0x12;
	return seen->dport >= rule->local.low && seen->dport <= rule->local.high &&
	       (by_sockets(policy) || rule->protocol == IPPROTO_UDP || seen->l4[13] & 0x14);
}

static bool is_certain(const struct policy *policy, const struct rule *rule,
		       const struct seen *seen)
{
	if (rule->side == SIDE_REPLY)
		return !by_sockets(policy);
	if (policy->flows[rule->flow].required < 0)
		return true;
	return !by_sockets(policy) && rule->protocol == IPPROTO_TCP && (seen->l4[13] & 0x12) != 2;
}

static const char *object_to_flow(const struct policy *policy, const struct seen *seen,
				  const struct judgement *judgement)
{
	bool flow = judgement->reason == BKXDP_PASS_FLOW;
	size_t until = flow ? judgement->rule : policy->n_rules;

	if (flow && (judgement->rule >= policy->n_rules ||
		     !rule_may_hold(policy, &policy->rules[judgement->rule], seen)))
		return "passed by a rule that does not hold";
	for (size_t i = 0; i < until; i++)
		if (rule_may_hold(policy, &policy->rules[i], seen) &&
		    is_certain(policy, &policy->rules[i], seen))
			return flow ? "passed by a rule, though one before it holds"
				    : "dropped, though a rule holds";
	return NULL;
}

static const char *object_to_plain(const struct policy *policy, const struct seen *seen,
				   const struct judgement *judgement)
{
	bool peer = is_peer(policy, seen);

	switch (judgement->reason) {
	case BKXDP_PASS_FRAGMENT:
		return peer ? NULL : "a fragment from nobody passed";
	case BKXDP_DROP_SOURCE:
		if (!seen->offset && is_for_everybody(seen))
			return "a datagram to everybody that counts for its source";
		return peer ? "dropped for its source, which is a peer" : NULL;
	case BKXDP_DROP_BROADCAST:
		if (seen->offset || !is_for_everybody(seen))
			return "dropped as a datagram to everybody, which it is not";
		return peer ? object_to_flow(policy, seen, judgement) : NULL;
	case BKXDP_DROP_PORT:
	case BKXDP_DROP_CONTROL:
	case BKXDP_DROP_CONNECTION:
		if (!peer)
			return "dropped for its port, but its source is no peer";
		if (is_for_everybody(seen))
			return "a datagram to everybody that counts for its port";
		return object_to_flow(policy, seen, judgement);
	case BKXDP_PASS_STRAY:
		if (!peer)
			return "a stray from nobody";
		if (!by_sockets(policy) || seen->protocol != IPPROTO_TCP ||
		    (seen->l4[13] & 0x16) != 0x10)
			return "a stray that is no later segment";
		return object_to_flow(policy, seen, judgement);
	case BKXDP_PASS_FLOW:
		return object_to_flow(policy, seen, judgement);
	default:
		return NULL;
	}
}

static const char *object_to_ip(const struct policy *policy, struct seen *seen,
				const struct judgement *judgement)
{
	bool passes = bkxdp_reason_passes(judgement->reason);
	bool drops_fragments = policy->settings.fragments == BKXDP_FRAGMENTS_DROP;

	if (passes && seen->invalid_source)
		return "passed from an invalid source";
	if (passes && !memcmp(seen->from, seen->to, 16))
		return "passed to its own source";
	if (passes && drops_fragments && (seen->offset || seen->more))
		return "passed a fragment";
	if (!seen->plain)
		return NULL;
	if (passes && seen->offset && judgement->reason != BKXDP_PASS_FRAGMENT)
		return "passed a later fragment as something else";
	if (passes && !seen->offset && judgement->reason == BKXDP_PASS_FRAGMENT)
		return "passed as a fragment what is none";
	if (!seen->offset && !l4_may_pass(seen))
		return passes ? "passed what has no sound L4 header" : NULL;
	return object_to_plain(policy, seen, judgement);
}

static bool is_link(const uint8_t *frame)
{
	return !memcmp(frame, "\1\200\302\0\0", 5) && frame[5] < 16;
}

const char *oracle_objects(const struct policy *policy, const uint8_t *frame, size_t length,
			   const struct judgement *judgement)
{
	enum bkxdp_reason reason = judgement->reason;
	bool passes = bkxdp_reason_passes(reason), sound;
	struct seen seen = {};

	if (reason <= BKXDP_UNDECIDED || reason >= BKXDP_DROP_INTERNAL)
		return "no reason that a packet can have";
	if (judgement->passes != (passes || policy->settings.enforcement == BKXDP_AUDIT))
		return "what becomes of it contradicts the reason";
	if (length < 14)
		return reason == BKXDP_DROP_MALFORMED ? NULL
						      : "a short frame that is not malformed";
	seen.link_broadcast = !memcmp(frame, "\377\377\377\377\377\377", 6);
	if (be16(frame + 12) == 0x0800)
		sound = see_ipv4(frame + 14, length - 14, &seen);
	else if (be16(frame + 12) == 0x86dd)
		sound = see_ipv6(frame + 14, length - 14, &seen);
	else
		return reason == BKXDP_PASS_LINK && !is_link(frame) ? "link control elsewhere"
								    : NULL;
	if (!sound)
		return passes ? "passed what is no IP packet" : NULL;
	return object_to_ip(policy, &seen, judgement);
}
