/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Step 10 of a verdict: the first flow of the policy whose conditions hold. Pure
 * like packet.h. What it must know it asks of its includer, who defines, before
 * the #include:
 *
 *   static const struct bkxdp_port *ask_port(struct bkxdp_world *, __u16 port);
 *   static const struct bkxdp_service *ask_service(struct bkxdp_world *,
 *                                                  const struct bkxdp_service_key *);
 *   static int ask_connection(struct bkxdp_world *, const struct bkxdp_packet *);
 *                                is there a socket of ours for exactly these addresses and ports,
 *                                and not a listening one? For a SYN without ACK: one that has
 *                                sent its own SYN (RFC 9293, 3.5, simultaneous open)?
 *   static int ask_control(struct bkxdp_world *, const struct bkxdp_packet *,
 *                          const struct bkxdp_settings *, __u32 control);
 *                                does the packet's source have a live control connection?
 *   static void tell_control(struct bkxdp_world *, const struct bkxdp_packet *,
 *                            const struct bkxdp_settings *, __u32 control);
 *                                a packet of that control flow passes
 *                                (control.h has the answers to both)
 */
#ifndef BKXDP_FLOWS_H
#define BKXDP_FLOWS_H

#include "packet.h"
#include "policy.h"

/* What the search through both sides has found so far. */
struct bkxdp_search {
	const struct bkxdp_candidate *best;
	__u8 want_control;
	__u8 want_connection;
};

static __always_inline int bkxdp_opens(const struct bkxdp_packet *packet)
{
	if (packet->protocol == BKXDP_PROTO_UDP)
		return 1;
	return (packet->tcp_flags & (BKXDP_TCP_SYN | BKXDP_TCP_ACK)) == BKXDP_TCP_SYN;
}

/* The answer to a connection of ours: reply flows alone let it in. */
static __always_inline int bkxdp_answers(const struct bkxdp_packet *packet)
{
	return packet->protocol == BKXDP_PROTO_TCP &&
	       (packet->tcp_flags & (BKXDP_TCP_SYN | BKXDP_TCP_ACK)) ==
		       (BKXDP_TCP_SYN | BKXDP_TCP_ACK);
}

static __always_inline int bkxdp_inbound_holds(struct bkxdp_world *world,
					       const struct bkxdp_packet *packet,
					       const struct bkxdp_settings *settings,
					       const struct bkxdp_candidate *rule,
					       struct bkxdp_search *search)
{
	if (bkxdp_answers(packet))
		return 0;
	if (!(rule->flags & BKXDP_CANDIDATE_REQUIRES))
		return 1;
	if (bkxdp_opens(packet)) {
		if (ask_control(world, packet, settings, rule->requires))
			return 1;
		search->want_control = 1;
		return 0;
	}
	if (settings->connections == BKXDP_CONNECTIONS_FLAGS || ask_connection(world, packet))
		return 1;
	search->want_connection = 1;
	return 0;
}

static __always_inline int bkxdp_reply_holds(struct bkxdp_world *world,
					     const struct bkxdp_packet *packet,
					     const struct bkxdp_settings *settings,
					     const struct bkxdp_candidate *rule,
					     struct bkxdp_search *search)
{
	if (packet->dport < rule->local_low || packet->dport > rule->local_high)
		return 0;
	if (settings->connections == BKXDP_CONNECTIONS_SOCKETS) {
		if (ask_connection(world, packet))
			return 1;
	} else if (packet->protocol == BKXDP_PROTO_UDP ||
		   (packet->tcp_flags & (BKXDP_TCP_ACK | BKXDP_TCP_RST))) {
		return 1;
	}
	search->want_connection = 1;
	return 0;
}

/* The first rule of one side whose conditions hold, if it comes before the best so far. */
static __always_inline void bkxdp_search_side(struct bkxdp_world *world,
					      const struct bkxdp_packet *packet,
					      const struct bkxdp_settings *settings,
					      bkxdp_peer_class peer, __u32 kind,
					      struct bkxdp_search *search)
{
	int reply = kind == BKXDP_TCP_REPLY || kind == BKXDP_UDP_REPLY;
	const struct bkxdp_port *port = ask_port(world, reply ? packet->sport : packet->dport);

	if (!port || !port->class[kind])
		return;

	struct bkxdp_service_key key = {peer, port->class[kind], kind};
	const struct bkxdp_service *service = ask_service(world, &key);

	if (!service)
		return;
	for (__u32 i = 0; i < BKXDP_CANDIDATES_MAX; i++) {
		const struct bkxdp_candidate *rule = &service->candidate[i];

		if (i >= service->count || (search->best && search->best->rule < rule->rule))
			return;
		if (reply ? bkxdp_reply_holds(world, packet, settings, rule, search)
			  : bkxdp_inbound_holds(world, packet, settings, rule, search)) {
			search->best = rule;
			return;
		}
	}
}

/*
 * Not so where every packet of a control flow is noted, where it needs a live one
 * itself, or where an earlier rule would have it as soon as its condition holds.
 */
static __always_inline int bkxdp_keeps(const struct bkxdp_packet *packet,
				       const struct bkxdp_search *search)
{
	if ((search->best->flags & BKXDP_CANDIDATE_IS_CONTROL) || search->want_control ||
	    search->want_connection)
		return 0;
	return !(search->best->flags & BKXDP_CANDIDATE_REQUIRES) ||
	       packet->protocol == BKXDP_PROTO_TCP;
}

/* `peer` is the class of some peer, never 0. */
static __always_inline struct bkxdp_verdict bkxdp_judge_flows(struct bkxdp_world *world,
							      const struct bkxdp_packet *packet,
							      const struct bkxdp_settings *settings,
							      bkxdp_peer_class peer)
{
	struct bkxdp_search search = {};
	struct bkxdp_verdict verdict = {.reason = BKXDP_PASS_FLOW};
	int tcp = packet->protocol == BKXDP_PROTO_TCP;

	bkxdp_search_side(world, packet, settings, peer,
			  tcp ? BKXDP_TCP_INBOUND : BKXDP_UDP_INBOUND, &search);
	bkxdp_search_side(world, packet, settings, peer, tcp ? BKXDP_TCP_REPLY : BKXDP_UDP_REPLY,
			  &search);
	if (search.best) {
		verdict.rule = search.best->rule;
		verdict.counter = search.best->counter;
		verdict.keeps = bkxdp_keeps(packet, &search);
		if (search.best->flags & BKXDP_CANDIDATE_IS_CONTROL)
			tell_control(world, packet, settings, search.best->control);
		return verdict;
	}
	if (search.want_control)
		return bkxdp_decided(BKXDP_DROP_CONTROL);
	return bkxdp_decided(search.want_connection ? BKXDP_DROP_CONNECTION : BKXDP_DROP_PORT);
}

#endif
