/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Step 10 of a verdict: the first flow of the policy whose conditions hold. Pure like
 * packet.h; it asks by the functions declared here, which the includer defines.
 */
#ifndef BKXDP_FLOWS_H
#define BKXDP_FLOWS_H

#include "layout.h"
#include "packet.h"

/* The result of a search through one side: the rule that matches, and what other rules lacked. */
struct bkxdp_found {
	__u16 rule;
	__u16 counter;
	__u16 flags; /* the candidate's */
	__u8 holds;  /* 1: there is such a rule */
	__u8 wants;  /* BKXDP_WANTS_...: conditions that failed */
	__u32 control;
};
#define BKXDP_WANTS_CONTROL    1
#define BKXDP_WANTS_CONNECTION 2
#define BKXDP_WANTS_SOCKET     4 /* a later segment for which there is no socket at all */

#define BKXDP_WANTS_LISTENER 8 /* a later segment for which there is only a listener: it opens */

/* The socket of ours that takes a packet. */
enum bkxdp_socket {
	BKXDP_SOCKET_NONE,
	BKXDP_SOCKET_LISTENER, /* no other */
	BKXDP_SOCKET_CONNECTION,
	BKXDP_SOCKET_UNKNOWN, /* none is found, but a listener that can't be found may take it */
};

/* ---- what it asks --------------------------------------------------------- */

struct bkxdp_world;

/* The classes of a port; never NULL for a port that exists. */
static __always_inline const struct bkxdp_port *ask_port(struct bkxdp_world *world, __u16 port);

/* The rules for a peer class and a port class; NULL if there are none. */
static __always_inline const struct bkxdp_service *ask_service(struct bkxdp_world *world,
							       const struct bkxdp_service_key *key);

/*
 * bkxdp_lacks() for the socket of ours that takes the packet. BKXDP_SOCKET_CONNECTION: one for
 * exactly these addresses and ports; for a SYN without ACK, one that has itself sent a SYN (RFC
 * 9293, 3.5, simultaneous open).
 */
static __always_inline __u32 ask_connection(struct bkxdp_world *world,
					    const struct bkxdp_packet *packet);

/* May one more stray pass now? Counts it. */
static __always_inline int ask_stray(struct bkxdp_world *world);

/* Is there a live control connection that the requirement with this number takes? control.h */
static __always_inline int ask_control(struct bkxdp_world *world, const struct bkxdp_packet *packet,
				       const struct bkxdp_settings *settings, __u32 required);

/* A packet of this control flow passes under `connections: flags`. control.h */
static __always_inline void tell_control(struct bkxdp_world *world,
					 const struct bkxdp_packet *packet,
					 const struct bkxdp_settings *settings, __u32 control);

/* ---- the conditions of a rule ----------------------------------------------- */

static __always_inline int bkxdp_opens(const struct bkxdp_packet *packet)
{
	if (packet->protocol == IPPROTO_UDP)
		return 1;
	return (packet->tcp_flags & (BKXDP_TCP_SYN | BKXDP_TCP_ACK)) == BKXDP_TCP_SYN;
}

/* The answer to a connection that we opened; only reply flows allow it. */
static __always_inline int bkxdp_answers(const struct bkxdp_packet *packet)
{
	return packet->protocol == IPPROTO_TCP &&
	       (packet->tcp_flags & (BKXDP_TCP_SYN | BKXDP_TCP_ACK)) ==
		       (BKXDP_TCP_SYN | BKXDP_TCP_ACK);
}

/* A segment of a connection that both sides have opened; neither SYN nor RST. */
static __always_inline int bkxdp_is_later_segment(const struct bkxdp_packet *packet)
{
	return packet->protocol == IPPROTO_TCP &&
	       (packet->tcp_flags & (BKXDP_TCP_SYN | BKXDP_TCP_RST | BKXDP_TCP_ACK)) ==
		       BKXDP_TCP_ACK;
}

/* BKXDP_WANTS_...: what a packet with this socket lacks to be of a connection of ours. */
static __always_inline __u32 bkxdp_lacks(const struct bkxdp_packet *packet,
					 enum bkxdp_socket socket)
{
	if (socket == BKXDP_SOCKET_CONNECTION)
		return 0;
	if (!bkxdp_is_later_segment(packet))
		return BKXDP_WANTS_CONNECTION;
	if (socket == BKXDP_SOCKET_LISTENER)
		return BKXDP_WANTS_CONNECTION | BKXDP_WANTS_LISTENER;
	if (socket == BKXDP_SOCKET_NONE)
		return BKXDP_WANTS_CONNECTION | BKXDP_WANTS_SOCKET;
	return BKXDP_WANTS_CONNECTION | BKXDP_WANTS_LISTENER | BKXDP_WANTS_SOCKET;
}

static __always_inline int bkxdp_inbound_holds(struct bkxdp_world *world,
					       const struct bkxdp_packet *packet,
					       const struct bkxdp_settings *settings,
					       const struct bkxdp_candidate *rule,
					       struct bkxdp_found *found)
{
	__u32 lacks = BKXDP_WANTS_LISTENER;

	if (!(rule->flags & BKXDP_CANDIDATE_REQUIRES))
		return 1;
	if (!bkxdp_opens(packet)) {
		if (settings->connections == BKXDP_CONNECTIONS_FLAGS)
			return 1;
		lacks = ask_connection(world, packet);
		if (!lacks)
			return 1;
		found->wants |= lacks;
	}
	/*
	 * Under SYN cookies the last ACK of a handshake finds only the listener, and opens. Since
	 * it still wants a connection, the flow cache does not keep the verdict.
	 */
	if (!(lacks & BKXDP_WANTS_LISTENER))
		return 0;
	if (ask_control(world, packet, settings, rule->required))
		return 1;
	found->wants |= BKXDP_WANTS_CONTROL;
	return 0;
}

/* BKXDP_WANTS_...: what a packet to one of our reply flows lacks, whichever rule it meets. */
static __always_inline __u32 bkxdp_reply_lacks(struct bkxdp_world *world,
					       const struct bkxdp_packet *packet,
					       const struct bkxdp_settings *settings)
{
	if (settings->connections == BKXDP_CONNECTIONS_SOCKETS)
		return ask_connection(world, packet);
	if (packet->protocol == IPPROTO_UDP ||
	    (packet->tcp_flags & (BKXDP_TCP_ACK | BKXDP_TCP_RST)))
		return 0;
	return BKXDP_WANTS_CONNECTION;
}

static __always_inline __u32 bkxdp_kind(const struct bkxdp_packet *packet, int reply)
{
	/* TCP is 6 and UDP is 17. A branch would make the verifier check the search twice. */
	return (packet->protocol >> 4 & 1) + (reply ? BKXDP_TCP_REPLY : BKXDP_TCP_INBOUND);
}

/* The rules of this side that the packet can meet; NULL: none. */
static __always_inline const struct bkxdp_service *bkxdp_side(struct bkxdp_world *world,
							      const struct bkxdp_packet *packet,
							      bkxdp_peer_class peer, int reply)
{
	const struct bkxdp_port *port = ask_port(world, reply ? packet->sport : packet->dport);
	struct bkxdp_service_key key = {.peer_class = peer, .kind = bkxdp_kind(packet, reply)};

	key.port_class = port ? port->classes[key.kind] : 0;
	return key.port_class ? ask_service(world, &key) : NULL;
}

static __always_inline void bkxdp_take(struct bkxdp_found *found,
				       const struct bkxdp_candidate *rule)
{
	found->holds = 1;
	found->rule = rule->rule;
	found->counter = rule->counter;
	found->flags = rule->flags;
	found->control = rule->control;
}

/* The first inbound rule whose conditions hold. */
static __always_inline struct bkxdp_found
bkxdp_search_inbound(struct bkxdp_world *world, const struct bkxdp_packet *packet,
		     const struct bkxdp_settings *settings, bkxdp_peer_class peer)
{
	const struct bkxdp_service *service = bkxdp_side(world, packet, peer, 0);
	struct bkxdp_found found = {};

	if (!service || bkxdp_answers(packet))
		return found;
	for (__u32 i = 0; i < BKXDP_CANDIDATES_MAX && i < service->count; i++) {
		const struct bkxdp_candidate *rule = &service->candidate[i];

		if (bkxdp_inbound_holds(world, packet, settings, rule, &found)) {
			bkxdp_take(&found, rule);
			break;
		}
	}
	return found;
}

/* Likewise of the replies, among the rules with a number below `before`. */
static __always_inline struct bkxdp_found bkxdp_search_reply(struct bkxdp_world *world,
							     const struct bkxdp_packet *packet,
							     const struct bkxdp_settings *settings,
							     bkxdp_peer_class peer, __u32 before)
{
	const struct bkxdp_service *service = bkxdp_side(world, packet, peer, 1);
	struct bkxdp_found found = {};

	if (!service)
		return found;
	for (__u32 i = 0; i < BKXDP_CANDIDATES_MAX && i < service->count; i++) {
		const struct bkxdp_candidate *rule = &service->candidate[i];

		if (rule->rule >= before)
			break;
		if (packet->dport >= rule->local_low && packet->dport <= rule->local_high) {
			bkxdp_take(&found, rule);
			break;
		}
	}
	if (found.holds) {
		found.wants = bkxdp_reply_lacks(world, packet, settings);
		found.holds = !found.wants;
	}
	return found;
}

/*
 * May the flow cache keep the verdict? Not if the rule needs a live control connection for every
 * packet; and not if an earlier rule would match as soon as its condition holds. Under
 * `connections: flags` it is enough to see a control connection now and then; its end is always
 * seen.
 */
static __always_inline int bkxdp_cacheable(const struct bkxdp_packet *packet,
					   const struct bkxdp_found *found)
{
	if (found->wants)
		return 0;
	return !(found->flags & BKXDP_CANDIDATE_REQUIRES) || packet->protocol == IPPROTO_TCP;
}

/* The first matching rule of both sides. `peer` is the class of a peer, never 0. */
static __always_inline struct bkxdp_found bkxdp_search(struct bkxdp_world *world,
						       const struct bkxdp_packet *packet,
						       const struct bkxdp_settings *settings,
						       bkxdp_peer_class peer)
{
	struct bkxdp_found inbound = bkxdp_search_inbound(world, packet, settings, peer);
	struct bkxdp_found reply = bkxdp_search_reply(
		world, packet, settings, peer, inbound.holds ? inbound.rule : BKXDP_RULES_MAX);

	reply.wants |= inbound.wants;
	if (reply.holds)
		return reply;
	inbound.wants = reply.wants;
	return inbound;
}

static __always_inline struct bkxdp_verdict bkxdp_judge_flows(struct bkxdp_world *world,
							      const struct bkxdp_packet *packet,
							      const struct bkxdp_settings *settings,
							      bkxdp_peer_class peer)
{
	struct bkxdp_found found = bkxdp_search(world, packet, settings, peer);
	struct bkxdp_verdict verdict = {.reason = BKXDP_PASS_FLOW};

	if (found.holds) {
		verdict.rule = found.rule;
		verdict.counter = found.counter;
		verdict.cacheable = bkxdp_cacheable(packet, &found);
		if (settings->connections == BKXDP_CONNECTIONS_FLAGS &&
		    (found.flags & BKXDP_CANDIDATE_IS_CONTROL))
			tell_control(world, packet, settings, found.control);
		return verdict;
	}
	if ((found.wants & BKXDP_WANTS_SOCKET) && ask_stray(world))
		return bkxdp_decided(BKXDP_PASS_STRAY);
	if (found.wants & BKXDP_WANTS_CONTROL)
		return bkxdp_decided(BKXDP_DROP_CONTROL);
	return bkxdp_decided(found.wants ? BKXDP_DROP_CONNECTION : BKXDP_DROP_PORT);
}

#endif
