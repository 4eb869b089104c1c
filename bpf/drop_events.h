/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports drops to listeners and counts them in groups. It runs after the verdict and can't
 * change it. While nobody listens, a drop costs three comparisons.
 */
#ifndef DROP_EVENTS_H
#define DROP_EVENTS_H

#include "maps.h"

/* Each listener brings its own ring, which goes away with it. */
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

/* The drop that is being reported. */
struct drop {
	__u64 time;
	__u32 generation;
	__u8 reason;
	__u8 audit;
};

/* ---- one by one ------------------------------------------------------------- */

/* Byte by byte if the kernel has no helper for it. It is done only for listeners, so it is rare. */
static __always_inline __u16 copy_frame(struct xdp_md *ctx, __u32 length, __u8 *to)
{
	/* What follows the first byte: in this form the verifier of 6.1 sees both bounds. */
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
 * Fills in the frame's length and as much of its beginning as can be read. It is done once for
 * each drop, in a function of its own: otherwise the verifier would check the copying once for
 * each listener.
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

/* Returns 0 if the event is lost. */
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
 * Sets the side and the service's port. A SYN goes to the service's port, a SYN+ACK comes from
 * it. Later segments belong to the side on which the opening was seen. If none was seen, the
 * lower port is taken for the service's.
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

/* In audit mode always, because what would be dropped is what an audit is for. */
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

/* About a second; the limits need not be exact. */
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
