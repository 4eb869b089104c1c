/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control connections: which peers have a live one, and so may open data connections. They
 * are TCP. Pure like packet.h; it asks by the functions declared here, which the includer
 * defines.
 */
#ifndef BKXDP_CONTROL_H
#define BKXDP_CONTROL_H

#include "layout.h"
#include "packet.h"

#define BKXDP_NS_PER_SECOND 1000000000ull

/* ---- what it asks --------------------------------------------------------- */

struct bkxdp_world;

/* ns, CLOCK_MONOTONIC */
static __always_inline __u64 ask_now(struct bkxdp_world *world);

/* Is this TCP connection with this peer established? */
static __always_inline int ask_established(struct bkxdp_world *world, const __u32 peer[4],
					   const struct bkxdp_connection *connection);

/* As for flows.h: 0 if the kernel has the socket of this packet's connection. */
static __always_inline __u32 ask_connection(struct bkxdp_world *world,
					    const struct bkxdp_packet *packet);

/* What is remembered under the key, writable; NULL: nothing. */
static __always_inline struct bkxdp_control *find_control(struct bkxdp_world *world,
							  const struct bkxdp_control_key *key);

/*
 * The same, zeroed if nothing was remembered. NULL if there is no room: the peer's data
 * flows are then dropped.
 */
static __always_inline struct bkxdp_control *add_control(struct bkxdp_world *world,
							 const struct bkxdp_control_key *key);

/* bkxdp_live_with() and bkxdp_live_with_any() for the requirement with this number. */
static __always_inline int ask_live_with(struct bkxdp_world *world,
					 const struct bkxdp_packet *packet,
					 const struct bkxdp_settings *settings, __u32 required,
					 __u32 n);
static __always_inline int ask_live_with_any(struct bkxdp_world *world,
					     const struct bkxdp_packet *packet,
					     const struct bkxdp_settings *settings, __u32 required);

/* ---- keys and slots ---------------------------------------------------------- */

static __always_inline void bkxdp_control_key(struct bkxdp_control_key *key, const __u32 peer[4],
					      __u32 control)
{
	__builtin_memcpy(key->address, peer, sizeof(key->address));
	key->control = control;
}

static __always_inline void bkxdp_connection_of(struct bkxdp_connection *connection,
						const struct bkxdp_packet *packet)
{
	__builtin_memcpy(connection->address, packet->daddr, sizeof(connection->address));
	connection->port = packet->dport;
	connection->peer_port = packet->sport;
}

static __always_inline int bkxdp_same_connection(const struct bkxdp_connection *a,
						 const struct bkxdp_connection *b)
{
	return a->port == b->port && a->peer_port == b->peer_port &&
	       a->address[0] == b->address[0] && a->address[1] == b->address[1] &&
	       a->address[2] == b->address[2] && a->address[3] == b->address[3];
}

static __always_inline struct bkxdp_control_slot *
bkxdp_find_slot(struct bkxdp_control *control, const struct bkxdp_connection *connection)
{
	for (int i = 0; i < BKXDP_CONTROL_CONNECTIONS; i++)
		if (bkxdp_same_connection(&control->slot[i].connection, connection))
			return &control->slot[i];
	return NULL;
}

/* ---- connections: flags ------------------------------------------------- */

/* A slot that was filled under `connections: sockets` has no time. */
static __always_inline int bkxdp_is_younger(const struct bkxdp_control_slot *slot, __u64 now,
					    __u64 seconds)
{
	/* another CPU may have stored a later time than ours, so the difference is signed */
	return slot->seen && (__s64)(now - slot->seen) < (__s64)(seconds * BKXDP_NS_PER_SECOND);
}

static __always_inline int bkxdp_slot_is_live(const struct bkxdp_control_slot *slot, __u64 now)
{
	return !slot->ended && bkxdp_is_younger(slot, now, BKXDP_CONTROL_SECONDS);
}

/*
 * A slot that is empty or was silent for too long, else the one whose connection ended first.
 * Never one with a live connection.
 */
static __always_inline struct bkxdp_control_slot *bkxdp_free_slot(struct bkxdp_control *control,
								  __u64 now)
{
	struct bkxdp_control_slot *ended = NULL;

	for (int i = 0; i < BKXDP_CONTROL_CONNECTIONS; i++) {
		struct bkxdp_control_slot *slot = &control->slot[i];

		if (!bkxdp_is_younger(slot, now, BKXDP_CONTROL_SECONDS))
			return slot;
		if (slot->ended && (!ended || slot->seen < ended->seen))
			ended = slot;
	}
	return ended;
}

/*
 * Two CPUs may fill one slot at the same time, and leave a mixture of both connections, whose
 * end nobody would see. The CPU that sees the mixture marks it as ended, and the next segment
 * of each connection finds a slot again.
 */
static __always_inline void bkxdp_fill_slot(struct bkxdp_control_slot *slot,
					    const struct bkxdp_connection *connection, __u64 now,
					    __u32 ended)
{
	slot->ended = 1;
	slot->connection = *connection;
	slot->seen = now;
	asm volatile("" ::: "memory");
	slot->ended = ended;
	asm volatile("" ::: "memory");
	if (!bkxdp_same_connection(&slot->connection, connection)) {
		slot->ended = 1;
		slot->seen = 0;
	}
}

/*
 * A connection is live from its first segment without FIN and RST until one with either.
 * Segments that follow that one, such as the ACK of our own FIN, do not make it live again.
 */
static __always_inline void bkxdp_note_flags(struct bkxdp_world *world,
					     const struct bkxdp_packet *packet,
					     const struct bkxdp_control_key *key)
{
	__u32 ends = packet->tcp_flags & (BKXDP_TCP_FIN | BKXDP_TCP_RST);
	struct bkxdp_control *control = add_control(world, key);
	struct bkxdp_connection connection;
	struct bkxdp_control_slot *slot;
	__u64 now = ask_now(world);

	if (!control)
		return;
	bkxdp_connection_of(&connection, packet);
	slot = bkxdp_find_slot(control, &connection);
	if (slot && slot->ended && bkxdp_is_younger(slot, now, BKXDP_CONTROL_ENDED_SECONDS))
		return;
	if (slot) {
		slot->seen = now;
		slot->ended = !!ends;
		return;
	}
	slot = bkxdp_free_slot(control, now);
	if (slot)
		bkxdp_fill_slot(slot, &connection, now, !!ends);
}

/* ---- connections: sockets ----------------------------------------------- */

/*
 * Replaces a connection that no longer exists, never one that is established, so forged packets
 * can't push out a real control connection. If all places hold established connections, nothing
 * needs to be remembered, because any of them will do.
 */
static __always_inline void bkxdp_remember(struct bkxdp_world *world,
					   const struct bkxdp_packet *packet,
					   struct bkxdp_control *control,
					   const struct bkxdp_connection *connection)
{
	for (int i = 0; i < BKXDP_CONTROL_CONNECTIONS; i++) {
		struct bkxdp_control_slot *slot = &control->slot[i];

		if (ask_established(world, packet->saddr, &slot->connection))
			continue;
		slot->connection = *connection;
		slot->seen = 0;
		return;
	}
}

/*
 * Remembers the connection if this segment looks like one of an open connection and the kernel
 * has its socket. If it is already remembered, nothing is left to do.
 */
static __always_inline void bkxdp_note_connection(struct bkxdp_world *world,
						  const struct bkxdp_packet *packet,
						  const struct bkxdp_control_key *key)
{
	__u8 flags =
		packet->tcp_flags & (BKXDP_TCP_SYN | BKXDP_TCP_FIN | BKXDP_TCP_RST | BKXDP_TCP_ACK);
	struct bkxdp_control *control = find_control(world, key);
	struct bkxdp_control_slot *slot = NULL;
	struct bkxdp_connection connection;

	bkxdp_connection_of(&connection, packet);
	if (control)
		slot = bkxdp_find_slot(control, &connection);
	/*
	 * A time from `connections: flags` means nothing now, because the end of a connection
	 * is not noted here.
	 */
	if (slot && slot->seen)
		slot->seen = 0;
	if (slot || flags != BKXDP_TCP_ACK)
		return;
	/* Forged segments must not evict real entries. */
	if (ask_connection(world, packet))
		return;
	control = add_control(world, key);
	if (control)
		bkxdp_remember(world, packet, control, &connection);
}

/* ---- both ---------------------------------------------------------------- */

/* Is a connection of this control flow with this peer live? */
static __always_inline int bkxdp_control_is_live(struct bkxdp_world *world,
						 const struct bkxdp_settings *settings,
						 __u32 control_flow, const __u32 peer[4])
{
	int by_flags = settings->connections == BKXDP_CONNECTIONS_FLAGS;
	struct bkxdp_control_key key;
	__u64 now = by_flags ? ask_now(world) : 0;

	bkxdp_control_key(&key, peer, control_flow);

	const struct bkxdp_control *control = find_control(world, &key);

	if (!control)
		return 0;
	for (int i = 0; i < BKXDP_CONTROL_CONNECTIONS; i++) {
		const struct bkxdp_control_slot *slot = &control->slot[i];

		if (by_flags ? bkxdp_slot_is_live(slot, now)
			     : ask_established(world, peer, &slot->connection))
			return 1;
	}
	return 0;
}

/* With the packet's source, or if the requirement names hosts, with the n-th of them. */
static __always_inline int bkxdp_live_with(struct bkxdp_world *world,
					   const struct bkxdp_packet *packet,
					   const struct bkxdp_settings *settings,
					   const struct bkxdp_requirement *required, __u32 n)
{
	__u32 peer[4];

	if (required->by_role)
		__builtin_memcpy(peer, required->with[n % BKXDP_WITH_MAX], sizeof(peer));
	else
		__builtin_memcpy(peer, packet->saddr, sizeof(peer));
	return bkxdp_control_is_live(world, settings, required->control, peer);
}

static __always_inline int bkxdp_live_with_any(struct bkxdp_world *world,
					       const struct bkxdp_packet *packet,
					       const struct bkxdp_settings *settings,
					       const struct bkxdp_requirement *required,
					       __u32 number)
{
	for (__u32 n = 0; n < BKXDP_WITH_MAX && n < required->n_with; n++)
		if (ask_live_with(world, packet, settings, number, n))
			return 1;
	return 0;
}

/* Is there a live connection that the requirement takes? `number` is the requirement's. */
static __always_inline int bkxdp_requirement_holds(struct bkxdp_world *world,
						   const struct bkxdp_packet *packet,
						   const struct bkxdp_settings *settings,
						   const struct bkxdp_requirement *required,
						   __u32 number)
{
	if (required->by_role)
		return ask_live_with_any(world, packet, settings, number);
	return ask_live_with(world, packet, settings, number, 0);
}

/* Called for each segment of a control flow that passes. */
static __always_inline void bkxdp_note_control(struct bkxdp_world *world,
					       const struct bkxdp_packet *packet,
					       const struct bkxdp_settings *settings, __u32 control)
{
	struct bkxdp_control_key key;

	bkxdp_control_key(&key, packet->saddr, control);
	if (settings->connections == BKXDP_CONNECTIONS_FLAGS)
		bkxdp_note_flags(world, packet, &key);
	else
		bkxdp_note_connection(world, packet, &key);
}

#endif
