// SPDX-License-Identifier: GPL-2.0-only
#include "engine/nearest.h"

#include <limits.h>
#include <netinet/in.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

/* ---- source ------------------------------------------------------------- */

static enum membership membership(const struct group *group, const struct bkxdp_packet *packet)
{
	for (size_t i = 0; i < group->prefixes.count; i++)
		if (prefix_contains(&group->prefixes.prefix[i], packet->saddr))
			return MEMBER;
	return group->prefixes.count < group->total ? MEMBER_UNKNOWN : MEMBER_NOT;
}

/* ---- distance ----------------------------------------------------------- */

static unsigned int range_distance(struct port_range range, uint16_t port)
{
	if (port < range.low)
		return range.low - port;
	return port > range.high ? port - range.high : 0;
}

static unsigned int set_distance(const struct port_set *set, uint16_t port)
{
	unsigned int smallest = UINT_MAX;

	for (size_t i = 0; i < set->count; i++) {
		unsigned int distance = range_distance(set->range[i], port);

		if (distance < smallest)
			smallest = distance;
	}
	return smallest;
}

static unsigned int ports_distance(const struct rule *rule, const struct bkxdp_packet *packet)
{
	if (rule->side == SIDE_INBOUND)
		return set_distance(&rule->ports, packet->dport);
	return set_distance(&rule->ports, packet->sport) +
	       range_distance(rule->local, packet->dport);
}

static bool opens_connection(const struct bkxdp_packet *packet)
{
	return packet->protocol == IPPROTO_TCP && (packet->tcp_flags & BKXDP_TCP_SYN) &&
	       !(packet->tcp_flags & BKXDP_TCP_ACK);
}

/*
 * Could the rule have passed a packet that was dropped for this reason? A rule without an
 * address passes nothing.
 */
static bool could_pass(const struct policy *policy, const struct rule *rule,
		       enum bkxdp_reason reason, enum membership source)
{
	if (!policy->groups[rule->group].total)
		return false;
	switch (reason) {
	case BKXDP_DROP_SOURCE:
	case BKXDP_DROP_PORT:
	case BKXDP_DROP_BROADCAST:
		return true;
	case BKXDP_DROP_CONTROL:
		return rule->side == SIDE_INBOUND && policy->flows[rule->flow].required >= 0 &&
		       source != MEMBER_NOT;
	case BKXDP_DROP_CONNECTION:
		return rule->side == SIDE_REPLY && source != MEMBER_NOT;
	default:
		return false;
	}
}

/*
 * Lower is nearer. The right port counts more than the right source, because whoever asks means
 * a service. A reply rule is no help if the packet opens a connection.
 */
static unsigned int rank_of(const struct nearest *candidate, const struct bkxdp_packet *packet)
{
	unsigned int rank;

	if (candidate->ports_fit)
		rank = candidate->same_protocol ? 0 : 3;
	else
		rank = candidate->same_protocol ? 6 : 9;
	rank += candidate->source;
	return rank + (candidate->rule->side == SIDE_REPLY && opens_connection(packet) ? 12 : 0);
}

static unsigned long cost_of(const struct nearest *candidate, const struct bkxdp_packet *packet,
			     unsigned int distance)
{
	return (unsigned long)rank_of(candidate, packet) << 20 | distance;
}

bool nearest_find(const struct policy *policy, const struct bkxdp_packet *packet,
		  enum bkxdp_reason reason, struct nearest *nearest)
{
	unsigned long best = ULONG_MAX;

	/* ICMP and later fragments have no ports to compare */
	if ((packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP) ||
	    packet->fragment == BKXDP_FRAGMENT_LATER)
		return false;
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		unsigned int distance = ports_distance(rule, packet);
		struct nearest candidate = {rule, MEMBER, rule->protocol == packet->protocol,
					    !distance};

		/*
		 * the source is looked up last: that takes longest, and can only make the rule
		 * less near
		 */
		if (cost_of(&candidate, packet, distance) >= best)
			continue;
		candidate.source = membership(&policy->groups[rule->group], packet);
		if (cost_of(&candidate, packet, distance) >= best ||
		    !could_pass(policy, rule, reason, candidate.source))
			continue;
		best = cost_of(&candidate, packet, distance);
		*nearest = candidate;
	}
	return best != ULONG_MAX;
}

/* ---- printing ----------------------------------------------------------- */

static const char *protocol_word(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? "TCP" : "UDP";
}

static void print_group(FILE *out, const struct group *group)
{
	char text[PREFIX_TEXT_MAX] = "some address";

	if (group->prefixes.count)
		prefix_text(&group->prefixes.prefix[0], text);
	fputs(text, out);
	if (group->total > 1)
		fprintf(out, " and %zu more", group->total - 1);
}

static void print_source(FILE *out, const struct policy *policy, const struct nearest *nearest)
{
	static const char *const texts[] = {" from this address", " from ", ", but only from "};

	fputs(texts[nearest->source], out);
	if (nearest->source != MEMBER)
		print_group(out, &policy->groups[nearest->rule->group]);
}

static void print_service(FILE *out, const struct rule *rule)
{
	AUTO_FREE char *ports = port_set_text(&rule->ports);

	fprintf(out, "%s %s", protocol_word(rule->protocol), ports);
}

/* Returns the rule of the control flow that takes this source, or else any rule of that flow. */
static const struct rule *control_rule(const struct policy *policy,
				       const struct bkxdp_packet *packet, unsigned int flow)
{
	const struct rule *any = NULL;

	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->flow != flow)
			continue;
		if (membership(&policy->groups[rule->group], packet) == MEMBER)
			return rule;
		any = any ? any : rule;
	}
	return any;
}

/* "dma (10.20.30.5 and 2 more)", or only what the file has if that begins with the address. */
static void print_hosts(FILE *out, const struct flow *flow)
{
	char text[PREFIX_TEXT_MAX] = "no address";

	if (flow->with.count)
		prefix_text(&flow->with.prefix[0], text);
	fprintf(out, " with %s", flow->with_role);
	if (!strncmp(flow->with_role, text, strlen(text)))
		return;
	fprintf(out, " (%s", text);
	if (flow->with.count > 1)
		fprintf(out, " and %zu more", flow->with.count - 1);
	fputc(')', out);
}

static void print_control(FILE *out, const struct policy *policy, const struct bkxdp_packet *packet,
			  const struct flow *data)
{
	const struct flow *flow;
	const struct rule *rule;

	if (data->required < 0)
		return;
	flow = &policy->flows[data->required];
	fprintf(out, ", while a connection of %s/%s", flow->profile, flow->name);
	rule = control_rule(policy, packet, (unsigned int)data->required);
	if (rule) {
		fputs(rule->side == SIDE_INBOUND ? " (" : " (ours to ", out);
		print_service(out, rule);
		fputc(')', out);
	}
	if (data->with_role)
		print_hosts(out, data);
	else
		fputs(" with the same address", out);
	fputs(" is live", out);
}

static void print_nearest(FILE *out, const struct policy *policy, const struct bkxdp_packet *packet,
			  enum bkxdp_reason reason, const struct nearest *nearest)
{
	const struct rule *rule = nearest->rule;
	const struct flow *flow = &policy->flows[rule->flow];
	bool reply = rule->side == SIDE_REPLY;

	fprintf(out, "%s/%s takes %s", flow->profile, flow->name, reply ? "answers from " : "");
	print_service(out, rule);
	if (reply)
		fprintf(out, " to our ports %u-%u", rule->local.low, rule->local.high);
	if (!nearest->same_protocol)
		fprintf(out, " (not %s)", protocol_word(packet->protocol));
	print_source(out, policy, nearest);
	if (!reply)
		print_control(out, policy, packet, flow);
	if (reason == BKXDP_DROP_CONNECTION)
		fputs(packet->tcp_flags & (BKXDP_TCP_ACK | BKXDP_TCP_RST)
			      ? "; this host has no such connection"
			      : "; a packet with neither ACK nor RST is no answer",
		      out);
}

char *nearest_text(const struct policy *policy, const struct bkxdp_packet *packet,
		   enum bkxdp_reason reason, const struct nearest *nearest)
{
	struct strbuf text;

	print_nearest(strbuf_open(&text), policy, packet, reason, nearest);
	return strbuf_close(&text);
}
