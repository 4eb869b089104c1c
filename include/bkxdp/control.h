/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control connections: which peers have a live one, and so may open data connections. They
 * are TCP. Pure like packet.h; it asks by the functions declared here, which the includer
 * defines.
 *
 * Under `connections: sockets` the kernel knows them. Under `connections: flags` they are in a
 * table of sets, and times say whether one is live. A live one never gives way to another.
 */
#ifndef BKXDP_CONTROL_H
#define BKXDP_CONTROL_H

#include "control_table.h"
#include "packet.h"

/* A segment is noted only if the one that was noted before it is this many ns older (0.07 s). */
#define BKXDP_CONTROL_NOTED_NS (1ull << 26)

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

/* The set with this number, below settings->control_sets; writable. NULL: there is no table. */
static __always_inline struct bkxdp_control_set *find_controls(struct bkxdp_world *world,
							       __u32 number);

/*
 * The lock of that set; NULL if there is none. All stores to slots are made under it, and loads
 * are not. Nothing may be asked while it is held.
 */
struct bkxdp_control_lock;
static __always_inline struct bkxdp_control_lock *control_lock(struct bkxdp_world *world,
							       __u32 number);
static __always_inline void lock_controls(struct bkxdp_control_lock *lock);
static __always_inline void unlock_controls(struct bkxdp_control_lock *lock);

/* Counts what became of the table: BKXDP_CONTROL_.... */
static __always_inline void count_control(struct bkxdp_world *world,
					  const struct bkxdp_settings *settings, __u32 changes);
#define BKXDP_CONTROL_BEGAN   1
#define BKXDP_CONTROL_LEFT    2
#define BKXDP_CONTROL_NO_ROOM 4

/* ---- slots ---------------------------------------------------------------- */

static __always_inline void bkxdp_control_slot_of(struct bkxdp_control_slot *slot,
						  const struct bkxdp_packet *packet, __u32 control)
{
	__builtin_memcpy(slot->key.address, packet->saddr, sizeof(slot->key.address));
	slot->key.control = control;
	__builtin_memcpy(slot->connection.address, packet->daddr, sizeof(slot->connection.address));
	slot->connection.port = packet->dport;
	slot->connection.peer_port = packet->sport;
	slot->seen = 0;
}

/* The slot of this connection; NULL: it is not remembered. */
static __always_inline struct bkxdp_control_slot *
bkxdp_find_slot(struct bkxdp_control_set *set, const struct bkxdp_control_slot *wanted)
{
	for (int i = 0; i < BKXDP_CONTROL_SLOTS && bkxdp_is_used(&set->slot[i]); i++)
		if (bkxdp_same_slot(&set->slot[i], wanted))
			return &set->slot[i];
	return NULL;
}

/*
 * Whoever reads the slot without the lock meanwhile finds an ended connection, or one of the two,
 * but never a live mixture. The caller holds the lock.
 */
static __always_inline __u32 bkxdp_fill_slot(struct bkxdp_control_slot *slot,
					     const struct bkxdp_control_slot *wanted)
{
	__u32 changes = 0;

	if (bkxdp_is_used(slot) && !(slot->seen & BKXDP_CONTROL_ENDED))
		changes |= BKXDP_CONTROL_LEFT;
	if (!(wanted->seen & BKXDP_CONTROL_ENDED))
		changes |= BKXDP_CONTROL_BEGAN;
	slot->seen = BKXDP_CONTROL_ENDED;
	asm volatile("" ::: "memory");
	slot->key = wanted->key;
	slot->connection = wanted->connection;
	asm volatile("" ::: "memory");
	slot->seen = wanted->seen;
	return changes;
}

static __always_inline __u32 bkxdp_set_seen(struct bkxdp_control_slot *slot, __u64 seen)
{
	__u64 before = slot->seen;

	slot->seen = seen;
	if (!((before ^ seen) & BKXDP_CONTROL_ENDED))
		return 0;
	return seen & BKXDP_CONTROL_ENDED ? BKXDP_CONTROL_LEFT : BKXDP_CONTROL_BEGAN;
}

/* ---- connections: flags ------------------------------------------------- */

/* Must a segment of this slot's connection be noted? `seen`: with the segment's own end. */
static __always_inline int bkxdp_is_news(__u64 before, __u64 seen)
{
	if (bkxdp_stays_ended(before, seen))
		return 0;
	return ((before ^ seen) & BKXDP_CONTROL_ENDED) ||
	       !bkxdp_is_younger(before, seen, BKXDP_CONTROL_NOTED_NS);
}

/* What a search for a slot has found. Slots are by number; BKXDP_CONTROL_SLOTS: none. */
struct bkxdp_control_search {
	__u64 free;      /* the first slot that may be taken */
	__u64 own_live;  /* 1: the same peer and flow have a slot whose connection is live */
	__u64 own_ended; /* age of their connection that ended first, and in the last bits its slot
			  */
};

/* Goes on with slot `i`. No branches; see bkxdp_is_zero(). */
static __always_inline void bkxdp_search_slot(struct bkxdp_control_search *search,
					      const struct bkxdp_control_slot *slot, __u64 i,
					      const struct bkxdp_control_slot *wanted)
{
	__u64 seen = slot->seen, now = wanted->seen & ~BKXDP_CONTROL_ENDED;
	__u64 own = bkxdp_same_control(&slot->key, &wanted->key);
	__u64 live = bkxdp_is_live(seen, now), ended = bkxdp_stays_ended(seen, now);
	__u64 is_first = ~(live | ended) & search->free / BKXDP_CONTROL_SLOTS;
	__u64 age = ((now - seen) & ~(BKXDP_CONTROL_SLOTS - 1ull)) | i;
	__u64 is_older = own & ended & bkxdp_is_negative(search->own_ended - age);

	search->free -= (search->free - i) * is_first;
	search->own_live |= own & live;
	search->own_ended += (age - search->own_ended) * is_older;
}

/*
 * Stores what the segment tells; the caller holds the lock. Returns what changed.
 *
 * A new connection takes a slot that was never used, was silent for too long, or ended long enough
 * ago; if there is none, that of the same peer and flow whose connection ended first. A peer that
 * has a live connection in the set leaves the last slots to peers that have none, because any live
 * connection lets its data in.
 */
static __always_inline __u32 bkxdp_store_times(struct bkxdp_control_set *set,
					       const struct bkxdp_control_slot *wanted)
{
	struct bkxdp_control_search search = {.free = BKXDP_CONTROL_SLOTS};
	__u64 i;

	for (i = 0; i < BKXDP_CONTROL_SLOTS && bkxdp_is_used(&set->slot[i]); i++) {
		struct bkxdp_control_slot *slot = &set->slot[i];

		if (bkxdp_same_slot(slot, wanted))
			return bkxdp_is_news(slot->seen, wanted->seen)
				       ? bkxdp_set_seen(slot, wanted->seen)
				       : 0;
		bkxdp_search_slot(&search, slot, i, wanted);
	}
	search.free -= (search.free - i) * (search.free / BKXDP_CONTROL_SLOTS);
	if (search.own_live && search.free >= BKXDP_CONTROL_SLOTS_FURTHER)
		search.free = BKXDP_CONTROL_SLOTS;
	if (search.free >= BKXDP_CONTROL_SLOTS && search.own_ended)
		search.free = search.own_ended % BKXDP_CONTROL_SLOTS;
	if (search.free < BKXDP_CONTROL_SLOTS)
		return bkxdp_fill_slot(&set->slot[search.free], wanted);
	return search.own_live || (wanted->seen & BKXDP_CONTROL_ENDED) ? 0 : BKXDP_CONTROL_NO_ROOM;
}

/*
 * A connection is live from its first segment without FIN and RST until one with either.
 * Segments that follow that one, such as the ACK of our own FIN, do not make it live again.
 */
static __always_inline void bkxdp_note_flags(struct bkxdp_world *world,
					     const struct bkxdp_packet *packet,
					     const struct bkxdp_settings *settings,
					     struct bkxdp_control_slot *wanted)
{
	__u64 ends = (packet->tcp_flags / BKXDP_TCP_FIN | packet->tcp_flags / BKXDP_TCP_RST) & 1;
	__u32 number = bkxdp_control_set_of(settings, &wanted->key);
	struct bkxdp_control_set *set = find_controls(world, number);
	const struct bkxdp_control_slot *slot;
	struct bkxdp_control_lock *lock;
	__u32 changes;

	if (!set)
		return;
	wanted->seen = (ask_now(world) & ~BKXDP_CONTROL_ENDED) | ends * BKXDP_CONTROL_ENDED;
	slot = bkxdp_find_slot(set, wanted);
	if (slot && !bkxdp_is_news(slot->seen, wanted->seen))
		return;
	lock = control_lock(world, number);
	if (!lock)
		return;
	lock_controls(lock);
	changes = bkxdp_store_times(set, wanted);
	unlock_controls(lock);
	if (changes)
		count_control(world, settings, changes);
}

/*
 * `seen` is read first: if it is that of a live connection, whoever filled the slot has stored the
 * key before. No branches; see bkxdp_is_zero().
 */
static __always_inline int bkxdp_any_is_live(struct bkxdp_world *world,
					     const struct bkxdp_control_set *set,
					     const struct bkxdp_control_key *key)
{
	__u64 now = ask_now(world), any = 0;

	for (int i = 0; i < BKXDP_CONTROL_SLOTS && bkxdp_is_used(&set->slot[i]); i++) {
		const struct bkxdp_control_slot *slot = &set->slot[i];
		__u64 seen = *(const volatile __u64 *)&slot->seen;

		asm volatile("" ::: "memory");
		any |= bkxdp_is_live(seen, now) & bkxdp_same_control(&slot->key, key);
	}
	return any != 0;
}

/* Is a connection of this control flow with this peer live? */
static __always_inline int bkxdp_is_noted(struct bkxdp_world *world,
					  const struct bkxdp_settings *settings, __u32 control_flow,
					  const __u32 peer[4])
{
	const struct bkxdp_control_set *set;
	struct bkxdp_control_key key;

	__builtin_memcpy(key.address, peer, sizeof(key.address));
	key.control = control_flow;
	set = find_controls(world, bkxdp_control_set_of(settings, &key));
	return set ? bkxdp_any_is_live(world, set, &key) : 0;
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

/*
 * Called under `connections: flags` for each segment of a control flow that passes, unless the flow
 * cache passed it. The kernel tells of sockets itself.
 */
static __always_inline void bkxdp_note_control(struct bkxdp_world *world,
					       const struct bkxdp_packet *packet,
					       const struct bkxdp_settings *settings, __u32 control)
{
	struct bkxdp_control_slot wanted;

	bkxdp_control_slot_of(&wanted, packet, control);
	bkxdp_note_flags(world, packet, settings, &wanted);
}

#endif
