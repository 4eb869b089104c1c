/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Drops, for those who look. Behind the verdict: nothing here can change it.
 * While nobody looks, a drop costs one comparison.
 */
#ifndef DROP_EVENTS_H
#define DROP_EVENTS_H

#include "maps.h"

/* Each listener brings its own ring, which goes with it. */
struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, BKXDP_RING_BYTES);
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, BKXDP_LISTENERS);
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, BKXDP_GROUPS_MAX);
	__type(key, struct bkxdp_group_key);
	__type(value, struct bkxdp_group);
} groups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bkxdp_watch_state);
} watch_state SEC(".maps");

/* The drop at hand, as told to those who look. */
struct drop {
	__u64 time;
	__u32 generation;
	__u8 reason;
	__u8 audit;
};

/* ---- one by one ------------------------------------------------------------- */

/* Byte by byte where the kernel has no helper for it; rare, for it is done for listeners only. */
static __always_inline __u16 copy_frame(struct xdp_md *ctx, __u32 length, __u8 *to)
{
	/* Behind the first byte: so that the verifier sees both bounds, which 6.1 must. */
	__u64 rest = length - 1;

	if (bkxdp_frags) {
		asm volatile("" : "+r"(rest));
		if (rest >= BKXDP_EVENT_BYTES)
			rest = BKXDP_EVENT_BYTES - 1;
		return bpf_xdp_load_bytes(ctx, 0, to, rest + 1) ? 0 : rest + 1;
	}
	for (__u32 i = 0; i < BKXDP_EVENT_BYTES; i++) {
		__u8 spare;
		const __u8 *byte = frame_at(ctx, i, 1, &spare);

		if (!byte)
			return i;
		to[i] = *byte;
	}
	return BKXDP_EVENT_BYTES;
}

static __always_inline int is_wanted(const struct bkxdp_listener *l, const struct drop *drop,
				     const __u32 source[4])
{
	return (l->reasons >> drop->reason & 1) && (source[0] & l->mask[0]) == l->address[0] &&
	       (source[1] & l->mask[1]) == l->address[1] &&
	       (source[2] & l->mask[2]) == l->address[2] &&
	       (source[3] & l->mask[3]) == l->address[3];
}

/*
 * The event for all who want it, made once a drop: how much of the frame there is,
 * or nothing where it can't be read. A function of its own: the verifier would
 * else walk the copying at every listener.
 */
BKXDP_SUBPROG int bkxdp_copy_frame(struct xdp_md *ctx)
{
	struct scratch *s = scratch();

	if (!s || !ctx)
		return 0;
	s->event.length = frame_length(ctx);
	s->event.captured = copy_frame(ctx, s->event.length, s->event.frame);
	return 1;
}

static __always_inline void make_event(struct xdp_md *ctx, const struct drop *drop,
				       struct bkxdp_event *event)
{
	event->time = drop->time;
	event->reason = drop->reason;
	event->audit = drop->audit;
	event->generation = drop->generation;
	event->reserved = 0;
	bkxdp_copy_frame(ctx);
}

/* 0 where the event is lost. */
static __always_inline int send(__u32 place, struct bkxdp_event *event)
{
	void *ring = bpf_map_lookup_elem(&rings, &place);

	return ring && !bpf_ringbuf_output(ring, event, sizeof(*event), 0);
}

static __always_inline void tell_listeners(struct xdp_md *ctx, const struct drop *drop,
					   struct scratch *s, struct bkxdp_watch_state *state)
{
	__u32 live = 0, made = 0;

	for (__u32 i = 0; i < BKXDP_LISTENERS; i++) {
		const struct bkxdp_listener *listener = &globals.watch.listener[i];

		if (listener->until <= drop->time)
			continue;
		live = 1;
		if (!is_wanted(listener, drop, s->packet.saddr))
			continue;
		if (!made)
			make_event(ctx, drop, &s->event);
		made = 1;
		if (state->sent[i] >= listener->rate || !send(i, &s->event))
			state->lost[i]++;
		else
			state->sent[i]++;
	}
	if (!live)
		globals.watch.listeners = 0;
}

/* ---- grouped ---------------------------------------------------------------- */

static __always_inline void set_side(struct bkxdp_group_key *key, const struct bkxdp_packet *packet,
				     int reply)
{
	key->side = reply ? BKXDP_GROUP_REPLY : BKXDP_GROUP_INBOUND;
	key->port = reply ? packet->sport : packet->dport;
}

static __always_inline int is_current(const struct bkxdp_group *group, const struct drop *drop)
{
	return group && group->generation == drop->generation;
}

/*
 * The service's port: who opens goes to it, who accepts comes from it. Later
 * segments are of the side on which the opening was seen, where it was; else the
 * lower port is the service's.
 */
static __always_inline void group_port(struct bkxdp_group_key *key, const struct drop *drop,
				       const struct bkxdp_packet *packet)
{
	int reply = packet->sport < packet->dport;

	if (!packet->sport)
		return;
	if (packet->tcp_flags & BKXDP_TCP_SYN) {
		set_side(key, packet, packet->tcp_flags & BKXDP_TCP_ACK);
		return;
	}
	if (packet->protocol == IPPROTO_TCP) {
		set_side(key, packet, !reply);
		if (is_current(bpf_map_lookup_elem(&groups, key), drop))
			return;
	}
	set_side(key, packet, reply);
}

static __always_inline struct bkxdp_group *find_group(const struct bkxdp_group_key *key,
						      const struct drop *drop,
						      struct bkxdp_watch_state *state)
{
	struct bkxdp_group *group = bpf_map_lookup_elem(&groups, key);
	struct bkxdp_group begun = {.first = drop->time, .generation = drop->generation};

	if (is_current(group, drop))
		return group;
	if (state->new_groups >= BKXDP_NEW_GROUPS_MAX)
		return NULL;
	state->new_groups++;
	bpf_map_update_elem(&groups, key, &begun, BPF_ANY);
	return bpf_map_lookup_elem(&groups, key);
}

static __always_inline void add_to_group(const struct drop *drop, const struct bkxdp_packet *packet,
					 struct bkxdp_watch_state *state)
{
	struct bkxdp_group_key key = {.protocol = packet->protocol, .reason = drop->reason};
	struct bkxdp_group *group;

	__builtin_memcpy(key.address, packet->saddr, sizeof(key.address));
	group_port(&key, drop, packet);
	group = find_group(&key, drop, state);
	if (!group) {
		state->ungrouped++;
		return;
	}
	__sync_fetch_and_add(&group->packets, 1);
	__sync_fetch_and_add(&group->bytes, packet->length);
	group->last = drop->time;
}

/* In audit mode always: what would be dropped is what one audits for. */
static __always_inline int is_grouped(const struct drop *drop)
{
	if (drop->audit)
		return 1;
	if (!globals.watch.groups)
		return 0;
	if (globals.watch.groups_until > drop->time)
		return 1;
	globals.watch.groups = 0;
	return 0;
}

/* ---- what the program calls -------------------------------------------------- */

static __always_inline int is_watched(__u32 audit)
{
	return audit || globals.watch.listeners || globals.watch.groups;
}

/* About a second: what it limits need not be exact. */
#define WINDOW_SHIFT 30

BKXDP_SUBPROG int bkxdp_watch_drop(struct xdp_md *ctx, __u32 reason, __u32 audit, __u32 generation)
{
	struct drop drop = {.generation = generation, .reason = reason, .audit = !!audit};
	struct scratch *s = scratch();
	struct bkxdp_watch_state *state;
	__u32 zero = 0;

	state = bpf_map_lookup_elem(&watch_state, &zero);
	if (!ctx || !s || !state)
		return 0;
	drop.time = bpf_ktime_get_ns();
	if (state->window != drop.time >> WINDOW_SHIFT) {
		state->window = drop.time >> WINDOW_SHIFT;
		state->new_groups = 0;
		__builtin_memset(state->sent, 0, sizeof(state->sent));
	}
	if (globals.watch.listeners)
		tell_listeners(ctx, &drop, s, state);
	if (is_grouped(&drop))
		add_to_group(&drop, &s->packet, state);
	return 0;
}

#endif
