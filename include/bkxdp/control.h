/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control connections: which peers have a live one, and so may open data connections. They
 * are TCP. Pure like packet.h; it asks by the functions declared here, which the includer
 * defines.
 */
#ifndef BKXDP_CONTROL_H
#define BKXDP_CONTROL_H

#include "control_memory.h"
#include "layout.h"
#include "packet.h"

#define BKXDP_NS_PER_SECOND 1000000000ull

/* ---- what it asks --------------------------------------------------------- */

struct bkxdp_world;

/* ns, CLOCK_MONOTONIC */
static __always_inline __u64 ask_now(struct bkxdp_world *world);

/*
 * Has this host an established TCP connection with the n-th host that the requirement takes, from
 * or to its i-th port? `number` is the requirement's. See bkxdp_required_peer().
 */
static __always_inline int ask_established(struct bkxdp_world *world,
					   const struct bkxdp_packet *packet, __u32 number, __u32 n,
					   __u32 i);
/* The same under `connections: flags`: bkxdp_is_noted(). */
static __always_inline int ask_noted(struct bkxdp_world *world, const struct bkxdp_packet *packet,
				     __u32 number, __u32 n);

/* What is remembered under the key, writable; NULL: nothing. */
static __always_inline struct bkxdp_control *find_control(struct bkxdp_world *world,
							  const struct bkxdp_control_key *key);

/*
 * The same, zeroed if nothing was remembered. NULL if there is no room: the peer's data
 * flows are then dropped.
 */
static __always_inline struct bkxdp_control *add_control(struct bkxdp_world *world,
							 const struct bkxdp_control_key *key);

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

/* Is a connection of this control flow with this peer live? */
static __always_inline int bkxdp_is_noted(struct bkxdp_world *world, __u32 control_flow,
					  const __u32 peer[4])
{
	const struct bkxdp_control *control;
	struct bkxdp_control_key key;
	__u64 now = ask_now(world);

	bkxdp_control_key(&key, peer, control_flow);
	control = find_control(world, &key);
	if (!control)
		return 0;
	for (int i = 0; i < BKXDP_CONTROL_CONNECTIONS; i++)
		if (bkxdp_slot_is_live(&control->slot[i], now))
			return 1;
	return 0;
}

/* ---- both ---------------------------------------------------------------- */

/* The packet's source, or if the requirement names hosts, the n-th of them. */
static __always_inline const __u32 *bkxdp_required_peer(const struct bkxdp_packet *packet,
							const struct bkxdp_requirement *required,
							__u32 n)
{
	return required->by_role ? required->with[n % BKXDP_WITH_MAX] : packet->saddr;
}

static __always_inline int bkxdp_live_with(struct bkxdp_world *world,
					   const struct bkxdp_packet *packet,
					   const struct bkxdp_settings *settings,
					   const struct bkxdp_requirement *required, __u32 number,
					   __u32 n)
{
	if (settings->connections == BKXDP_CONNECTIONS_FLAGS)
		return ask_noted(world, packet, number, n);
	for (__u32 i = 0; i < BKXDP_REQUIRED_PORTS && i < required->n_ports; i++)
		if (ask_established(world, packet, number, n, i))
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
	__u32 hosts = required->by_role ? required->n_with : 1;

	for (__u32 n = 0; n < BKXDP_WITH_MAX && n < hosts; n++)
		if (bkxdp_live_with(world, packet, settings, required, number, n))
			return 1;
	return 0;
}

/* Called for each segment of a control flow that passes. The kernel tells of sockets itself. */
static __always_inline void bkxdp_note_control(struct bkxdp_world *world,
					       const struct bkxdp_packet *packet,
					       const struct bkxdp_settings *settings, __u32 control)
{
	struct bkxdp_control_key key;

	if (settings->connections != BKXDP_CONNECTIONS_FLAGS)
		return;
	bkxdp_control_key(&key, packet->saddr, control);
	bkxdp_note_flags(world, packet, &key);
}

#endif
