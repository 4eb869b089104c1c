/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control connections: which peers have a live one, and so may open data
 * connections. Pure like packet.h. Its includer defines, before the #include:
 *
 *   static __u64 ask_now(struct bkxdp_world *);     ns, monotonic
 *   static int ask_established(struct bkxdp_world *, const struct bkxdp_packet *,
 *                              const struct bkxdp_connection *);
 *                                is this TCP connection with the packet's source established?
 *   static int ask_connection(struct bkxdp_world *, const struct bkxdp_packet *);
 *                                as for flows.h
 *   static struct bkxdp_control *find_control(struct bkxdp_world *,
 *                                             const struct bkxdp_control_key *);
 *                                what is remembered, or NULL; it may be written to
 *   static struct bkxdp_control *add_control(struct bkxdp_world *,
 *                                            const struct bkxdp_control_key *);
 *                                the same, zeroed where nothing was remembered; NULL if it can't:
 *                                the peer's data flows are then dropped, not passed
 *   static void forget_control(struct bkxdp_world *, const struct bkxdp_control_key *);
 */
#ifndef BKXDP_CONTROL_H
#define BKXDP_CONTROL_H

#include "packet.h"
#include "policy.h"

#define BKXDP_NS_PER_SECOND 1000000000ull

static __always_inline void bkxdp_control_key(struct bkxdp_control_key *key,
					      const struct bkxdp_packet *packet, __u32 control)
{
	__builtin_memcpy(key->address, packet->saddr, sizeof(key->address));
	key->control = control;
}

/* Another CPU may have stored a later time than ours, so the difference is signed. */
static __always_inline int bkxdp_is_recent(struct bkxdp_world *world,
					   const struct bkxdp_control *control)
{
	return (__s64)(ask_now(world) - control->seen) <
	       (__s64)(BKXDP_CONTROL_SECONDS * BKXDP_NS_PER_SECOND);
}

static __always_inline int bkxdp_control_is_live(struct bkxdp_world *world,
						 const struct bkxdp_packet *packet,
						 const struct bkxdp_settings *settings,
						 __u32 required)
{
	struct bkxdp_control_key key;

	bkxdp_control_key(&key, packet, required);

	const struct bkxdp_control *control = find_control(world, &key);

	if (!control)
		return 0;
	if (settings->connections == BKXDP_CONNECTIONS_FLAGS)
		return bkxdp_is_recent(world, control);
	for (int i = 0; i < BKXDP_CONTROL_CONNECTIONS; i++)
		if (ask_established(world, packet, &control->connection[i]))
			return 1;
	return 0;
}

static __always_inline int bkxdp_same_connection(const struct bkxdp_connection *a,
						 const struct bkxdp_connection *b)
{
	return a->port == b->port && a->peer_port == b->peer_port &&
	       a->address[0] == b->address[0] && a->address[1] == b->address[1] &&
	       a->address[2] == b->address[2] && a->address[3] == b->address[3];
}

static __always_inline int bkxdp_remembers(const struct bkxdp_control *control,
					   const struct bkxdp_connection *connection)
{
	for (int i = 0; i < BKXDP_CONTROL_CONNECTIONS; i++)
		if (bkxdp_same_connection(&control->connection[i], connection))
			return 1;
	return 0;
}

/*
 * Takes the place of one that is no more, never of one that is established: forged
 * packets can't push a real control connection out. With all places taken by
 * live ones nothing needs to be remembered: any live one will do.
 */
static __always_inline void bkxdp_remember(struct bkxdp_world *world,
					   const struct bkxdp_packet *packet,
					   struct bkxdp_control *control,
					   const struct bkxdp_connection *connection)
{
	for (int i = 0; i < BKXDP_CONTROL_CONNECTIONS; i++) {
		if (ask_established(world, packet, &control->connection[i]))
			continue;
		control->connection[i] = *connection;
		return;
	}
}

/*
 * Sockets: a segment of a connection that both sides have opened, as far as can
 * be seen. Of one that is remembered already nothing is left to be noted.
 */
static __always_inline void bkxdp_note_connection(struct bkxdp_world *world,
						  const struct bkxdp_packet *packet,
						  const struct bkxdp_control_key *key)
{
	__u8 flags =
		packet->tcp_flags & (BKXDP_TCP_SYN | BKXDP_TCP_FIN | BKXDP_TCP_RST | BKXDP_TCP_ACK);
	struct bkxdp_connection connection = {.port = packet->dport, .peer_port = packet->sport};
	struct bkxdp_control *control;

	if (packet->protocol != BKXDP_PROTO_TCP || flags != BKXDP_TCP_ACK)
		return;
	__builtin_memcpy(connection.address, packet->daddr, sizeof(connection.address));
	control = find_control(world, key);
	if (control && bkxdp_remembers(control, &connection))
		return;
	/* forged segments of no connection must not crowd out real entries */
	if (!ask_connection(world, packet))
		return;
	control = add_control(world, key);
	if (control)
		bkxdp_remember(world, packet, control, &connection);
}

/* Flags: live until a FIN, an RST, or silence. */
static __always_inline void bkxdp_note_flags(struct bkxdp_world *world,
					     const struct bkxdp_packet *packet,
					     const struct bkxdp_control_key *key)
{
	struct bkxdp_control *control;

	if (packet->tcp_flags & (BKXDP_TCP_FIN | BKXDP_TCP_RST)) {
		forget_control(world, key);
		return;
	}
	control = add_control(world, key);
	if (control)
		control->seen = ask_now(world);
}

/* A packet of the control flow passes. */
static __always_inline void bkxdp_note_control(struct bkxdp_world *world,
					       const struct bkxdp_packet *packet,
					       const struct bkxdp_settings *settings, __u32 control)
{
	struct bkxdp_control_key key;

	bkxdp_control_key(&key, packet, control);
	if (settings->connections == BKXDP_CONNECTIONS_FLAGS)
		bkxdp_note_flags(world, packet, &key);
	else
		bkxdp_note_connection(world, packet, &key);
}

#endif
